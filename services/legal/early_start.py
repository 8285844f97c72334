"""Work at own risk before the signature: authorised up to a cap and a day, and no longer."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from pydantic import Field

from chassis.domain.decider import Command, Context, Deadline, DeadlinePassed, Refused
from contracts.event import Event
from contracts.legal import EarlyStartAuthorised, EarlyStartExpired
from contracts.values import Day, Hours, ShortText
from legal.state import Engagement, decide, require_open


class AuthoriseEarlyStart(Command):
    """Let work begin before the signature, up to these hours and to the end of this day (UTC)."""

    cap_hours: Annotated[Hours, Field(gt=0)]
    expires_on: Day
    reason: ShortText


@decide.on(AuthoriseEarlyStart)
def authorise_early_start(
    state: Engagement, command: AuthoriseEarlyStart, context: Context
) -> Iterator[Event]:
    """As many as are needed, and none once the contract stands.

    Delivery adds caps up, and Legal hears of no hours: so only people know whether one is spent.
    """
    require_open(state)
    if state.contract:
        raise Refused(
            "sow-already-signed",
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
    """An authorisation ends by itself, unless the contract (or the end) came first."""
    if any(due.name == command.deadline and due.at <= command.at for due in deadlines(state)):
        yield from lapsed(state, command.at.date())


def lapsed(state: Engagement, day: date) -> Iterator[Event]:
    """That authorisations ran out, where they did before this day and nobody has said so yet.

    One event is enough for all that ended on one day.
    """
    ended = (early.authorised.expires_on for early in state.early_starts if not early.expired)
    for last in dict.fromkeys(ended):
        if last < day:
            yield EarlyStartExpired(expired_on=last)


def deadlines(state: Engagement) -> Iterable[Deadline]:
    """The midnight (UTC) after each authorisation's last day, while nothing is signed.

    A deadline of one name and moment is told once: a further one that ends on a day is numbered.
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
