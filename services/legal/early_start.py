"""Work at own risk before the signature: authorised up to a cap and a day, and no longer."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from typing import Annotated

from pydantic import Field

from chassis.decider import Command, Context, Deadline, DeadlinePassed, Refused
from contracts.fact import Fact
from contracts.legal import EarlyStartAuthorised, EarlyStartExpired
from contracts.values import Hours, ShortText
from legal.state import Engagement, decide, require_open
from legal.terms import moved


class AuthoriseEarlyStart(Command):
    """Let work begin before the signature, up to these hours and to the end of this day (UTC)."""

    cap_hours: Annotated[Hours, Field(gt=0)]
    expires_on: date
    reason: ShortText


@decide.on(AuthoriseEarlyStart)
def authorise_early_start(
    state: Engagement, command: AuthoriseEarlyStart, context: Context
) -> Iterator[Fact]:
    """One authorisation at a time, and none once the contract stands."""
    require_open(state)
    if state.contract:
        raise Refused(
            "sow-already-signed",
            f"the statement of work was signed on {state.contract.signed_on}: work may begin",
        )
    fact = EarlyStartAuthorised(
        cap_hours=command.cap_hours, expires_on=command.expires_on, reason=command.reason
    )
    early = state.early_start
    if early and not early.expired and early.authorised.expires_on >= context.today:
        if early.authorised == fact:
            return
        raise Refused(
            "early-start-active",
            f"an early start of {early.authorised.cap_hours} hours is authorised"
            f" to {early.authorised.expires_on}",
        )
    if command.expires_on <= context.today:
        raise Refused(
            "expiry-not-in-future", f"{command.expires_on} is not after today, {context.today}"
        )
    yield from lapsed(state, context.today)
    yield fact


@decide.on(DeadlinePassed)
def expire_early_start(
    state: Engagement, command: DeadlinePassed, context: Context
) -> Iterator[Fact]:
    """The authorisation ends by itself, unless the contract (or the end) came first."""
    if any(due.name == command.deadline and due.at <= command.at for due in deadlines(state)):
        yield from lapsed(state, command.at.date())


def lapsed(state: Engagement, day: date) -> Iterator[Fact]:
    """That the authorisation ran out, where it did before this day and nobody has said so yet."""
    early = state.early_start
    if early and not early.expired and early.authorised.expires_on < day:
        yield EarlyStartExpired(expired_on=early.authorised.expires_on)


def deadlines(state: Engagement) -> Iterable[Deadline]:
    """The midnight (UTC) after an authorisation's last day, while nothing is signed."""
    early = state.early_start
    if early and not early.expired and not state.contract and not state.over:
        expires_on = early.authorised.expires_on
        midnight = datetime.combine(moved(expires_on, 1), time(), UTC)
        yield Deadline(f"early-start-{expires_on}", midnight)
