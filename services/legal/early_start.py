"""Decide on early starts: work authorised before signature, up to a cap of hours and a day."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from pydantic import Field

from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.deadlines import Deadline, DeadlinePassed
from contracts.event import Event
from contracts.legal import EarlyStartAuthorised, EarlyStartExpired
from contracts.values import Day, Hours, ShortText
from legal.state import Engagement, decide, require_open


class AuthoriseEarlyStart(Command):
    """Authorise work before the signature, up to a cap of hours and the end of a day (UTC)."""

    cap_hours: Annotated[Hours, Field(gt=0)]
    expires_on: Day
    reason: ShortText


@decide.on(AuthoriseEarlyStart)
def authorise_early_start(
    state: Engagement, command: AuthoriseEarlyStart, context: Context
) -> Iterator[Event]:
    """Authorise an early start; several may be in force, and their caps add up in Delivery.

    Legal does not receive hours worked, so it cannot tell whether a cap is spent. An equal
    repetition changes nothing until its last day is over. Raises Refused where the contract is
    signed, the engagement is over, or the last day is not after today (UTC).
    """
    require_open(state)
    if state.contract:
        raise Refused(
            "sow-signed",
            f"the statement of work was signed on {state.contract.signed_on}: work may begin",
        )
    event = EarlyStartAuthorised(
        cap_hours=command.cap_hours, expires_on=command.expires_on, reason=command.reason
    )
    known = any(early.authorised == event for early in state.early_starts)
    if known and event.expires_on >= context.today:
        return
    if command.expires_on <= context.today:
        raise Refused(
            "expiry-not-in-future", f"{command.expires_on} is not after today, {context.today}"
        )
    yield from lapsed(state, context.today)
    yield event


@decide.on(DeadlinePassed)
def expire_early_start(
    state: Engagement, command: DeadlinePassed, context: Context
) -> Iterator[Event]:
    """Expire the authorisations of a deadline, unless contract or end of engagement came first."""
    if any(due.name == command.deadline and due.at <= command.at for due in deadlines(state)):
        yield from lapsed(state, command.at.date())


def lapsed(state: Engagement, day: date) -> Iterator[Event]:
    """Yield the expiry of authorisations whose last day is before `day` and not yet recorded.

    One event covers all authorisations with the same last day.
    """
    ended = (early.authorised.expires_on for early in state.early_starts if not early.expired)
    for last in dict.fromkeys(ended):
        if last < day:
            yield EarlyStartExpired(expired_on=last)


def deadlines(state: Engagement) -> Iterable[Deadline]:
    """Return a deadline at the midnight (UTC) after each last day, until contract or end.

    A deadline of the same name and time fires only once, so further authorisations that end on the
    same day get a number.
    """
    if state.contract or state.over:
        return
    ending: Counter[date] = Counter()
    for early in state.early_starts:
        last = early.authorised.expires_on
        ending[last] += 1
        if not early.expired:
            nth = f"-{ending[last]}" if ending[last] > 1 else ""
            midnight = datetime.combine(last + timedelta(days=1), time(), UTC)
            yield Deadline(f"early-start-{last}{nth}", midnight)
