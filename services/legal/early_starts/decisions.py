"""Decide on early starts: work authorised before signature, up to a cap and a day."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.deadlines import Deadline, DeadlinePassed
from chassis.domain.rules import require_currency
from contracts.event import Event
from contracts.legal import EarlyStart, EarlyStartAuthorised
from contracts.money import Money
from contracts.values import Day, Hours, PersonId, ShortText
from legal.early_starts.state import Authorisation
from legal.engagement import Engagement
from legal.policies import require_open, require_unsigned
from legal.roles import AT_RISK

capability = Capability[Engagement](__name__)


class AuthoriseEarlyStart(EarlyStart, Command):
    """Authorise work before the signature, up to a cap and the end of a day (UTC).

    The cap is a number of hours, an amount at bill rates, or both. Work that was done before is
    authorised only where the first day says so.
    """

    starts_on: Day | None = Field(default=None, description="today unless given")


@capability.decide(AuthoriseEarlyStart, by=AT_RISK)
def authorise_early_start(
    state: Engagement, command: AuthoriseEarlyStart, context: Context
) -> Iterable[Event]:
    """Authorise an early start; several may be in force, and their caps add up in Delivery.

    Legal does not receive hours worked, so it cannot tell whether a cap is spent. An equal
    repetition changes nothing until its last day is over. Raises Refused where the contract is
    signed, the engagement is over, the amount is in another currency, or the last day is not after
    today or before the first.
    """
    require_open(state)
    require_unsigned(state, "work may begin")
    require_currency(state.currency, cap_amount=command.cap_amount)
    event = EarlyStartAuthorised(
        **{**dict(command), "starts_on": _first_day(state, command, context)}
    )
    known = any(each.authorised == event for each in state.early_starts.authorisations)
    if known and event.expires_on >= context.today:
        return
    if event.expires_on <= context.today:
        raise Refused(
            "expiry-not-in-future",
            f"expires_on: {event.expires_on} is not after today, {context.today}",
        )
    if event.expires_on < event.starts_on:
        raise Refused(
            "finish-before-start",
            f"expires_on: {event.expires_on} is before starts_on, {event.starts_on}",
        )
    yield from state.early_starts.lapsed(context.today)
    yield event


def _first_day(state: Engagement, command: AuthoriseEarlyStart, context: Context) -> date:
    """Return the day that is given, else that of an authorisation which is repeated, else today."""
    if command.starts_on is not None:
        return command.starts_on
    given = command.model_dump(exclude={"starts_on"})
    return next(
        (
            each.authorised.starts_on
            for each in state.early_starts.authorisations
            if each.authorised.model_dump(exclude={"starts_on"}) == given
        ),
        context.today,
    )


@capability.deadlines
def expiry_deadlines(state: Engagement) -> Iterable[Deadline]:
    """Return a deadline at the midnight (UTC) after each last day, until contract or end.

    A deadline of the same name and time fires only once, so further authorisations that end on the
    same day get a number.
    """
    if state.contract or state.ending.over:
        return
    ending: Counter[date] = Counter()
    for each in state.early_starts.authorisations:
        last = each.authorised.expires_on
        ending[last] += 1
        if not each.expired:
            nth = f"-{ending[last]}" if ending[last] > 1 else ""
            midnight = datetime.combine(last + timedelta(days=1), time(), UTC)
            yield Deadline(f"early-start-{last}{nth}", midnight)


@capability.decide(DeadlinePassed, by=None)
def expire_early_start(
    state: Engagement, command: DeadlinePassed, context: Context
) -> Iterable[Event]:
    """Expire the authorisations of a deadline, unless contract or end of engagement came first."""
    due = expiry_deadlines(state)
    if any(each.name == command.deadline and each.at <= command.at for each in due):
        yield from state.early_starts.lapsed(command.at.date())


class EarlyStartView(ViewModel):
    """An authorisation of work before the signature; it is replaced by the signed contract."""

    cap_hours: Hours | None
    cap_amount: Money | None
    starts_on: date
    expires_on: date
    reason: ShortText
    authorised_by: PersonId
    status: Literal["authorised", "expired", "replaced"]


class EarlyStartFields(ViewModel):
    """The early starts in the view of an engagement."""

    early_starts: tuple[EarlyStartView, ...]


@capability.view
def early_starts_view(state: Engagement) -> EarlyStartFields:
    """Return the early starts for the view of an engagement."""
    authorisations = state.early_starts.authorisations
    return EarlyStartFields(early_starts=tuple(_shown(state, each) for each in authorisations))


def _shown(state: Engagement, known: Authorisation) -> EarlyStartView:
    return EarlyStartView(
        cap_hours=known.authorised.cap_hours,
        cap_amount=known.authorised.cap_amount,
        starts_on=known.authorised.starts_on,
        expires_on=known.authorised.expires_on,
        reason=known.authorised.reason,
        authorised_by=known.authorised_by,
        status="expired" if known.expired else "replaced" if state.contract else "authorised",
    )
