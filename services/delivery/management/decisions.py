"""Assign the engagement manager, choose the method tier, and put the engagement on hold."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused, refused_field
from chassis.domain.context import Context
from chassis.domain.reference import known_on
from chassis.domain.rules import past_day, same_day, unless_recorded
from contracts.delivery import (
    EngagementPutOnHold,
    EngagementResumed,
    ManagerAssigned,
    TierChoice,
    TierChosen,
)
from contracts.event import Event
from contracts.money import Money
from contracts.reference import AccountPublished
from contracts.values import Day, PersonId, ShortText, Tier, YesNo
from delivery.engagement import Engagement
from delivery.management import work_items
from delivery.policies import known_staff, require_open
from delivery.roles import DIRECTORS, MANAGERS

capability = Capability[Engagement](__name__)
capability.work(work_items.KINDS, work_items.items)

MANAGER_ROLE = "engagement-manager"
COMPARABLE = frozenset({"EUR", "USD", "GBP", "CHF", "CAD", "AUD", "NZD", "SGD"})
"""Currencies whose units are of the same order of magnitude. A price in another currency is not
used to propose a tier."""

SMALL, LARGE, HUGE = Decimal(60_000), Decimal(200_000), Decimal(500_000)
"""Prices, in whole units of a comparable currency, from which an engagement is not small, is
large (critical if novel) and is critical in any case."""

SHORT_DAYS, LONG_DAYS = 60, 270


class AssignManager(Command):
    """Assign the engagement's manager, or replace the current one.

    The person must be known, belong to Delivery and be an engagement manager. The earlier a manager
    is assigned, the better.
    """

    manager: PersonId
    assigned_on: Day | None = Field(default=None, description="today unless given")


class ChooseTier(TierChoice, Command):
    """Choose the method tier of the engagement and give a reason.

    The tier that the platform proposes is recorded beside it. `novel`: the work is new to the
    company.
    """

    novel: YesNo = False


class PutOnHold(Command):
    """Put the engagement on hold until it is resumed; not before the end of the last hold."""

    reason: ShortText
    held_on: Day | None = Field(default=None, description="today unless given")


class Resume(Command):
    """Resume an engagement that is on hold.

    Work of the days on hold stays uncovered. A hold that is resumed on its first day has none.
    """

    resumed_on: Day | None = Field(default=None, description="today unless given")


@capability.decide(AssignManager, by=DIRECTORS)
def assign_manager(state: Engagement, command: AssignManager, context: Context) -> Iterable[Event]:
    """Assign the manager; a current manager is replaced.

    Raises Refused where the person is unknown, is not with the company on the day, or is not an
    engagement manager of Delivery, or manages the engagement since another day.
    """
    require_open(state)
    current = state.management.manager
    same = current if current is not None and current.manager == command.manager else None
    day = same_day("assigned_on", command, same, context)
    person = known_staff(context, command.manager, day)
    if person.department != "delivery" or MANAGER_ROLE not in person.roles:
        raise Refused(
            "person-not-engagement-manager",
            f"{command.manager} belongs to {person.department}"
            f" (roles: {', '.join(person.roles) or 'none'}):"
            " only an engagement manager of Delivery can manage an engagement",
        )
    event = ManagerAssigned(manager=command.manager, assigned_on=day)
    yield from unless_recorded(same, event, "the assignment")


def proposed_tier(
    price: Money | None, duration_days: int | None, *, novel: bool, customer_pmo: bool
) -> Tier:
    """Return the tier proposed for price, calendar days, novelty and the customer's own PMO.

    Critical: very large, long, or both large and novel. Light: small, short and not novel, unless
    the customer has its own PMO, which wants the artefacts. Otherwise standard, also where the
    price (in a comparable currency) or the duration is unknown.
    """
    amount = price.amount if price and price.currency in COMPARABLE else None
    if amount is not None and (amount >= HUGE or (novel and amount >= LARGE)):
        return "critical"
    if duration_days is not None and duration_days >= LONG_DAYS:
        return "critical"
    small = amount is not None and amount < SMALL
    short = duration_days is not None and duration_days <= SHORT_DAYS
    return "light" if small and short and not novel and not customer_pmo else "standard"


@capability.decide(ChooseTier, by=MANAGERS)
def choose_tier(state: Engagement, command: ChooseTier, context: Context) -> Iterable[Event]:
    """Record the chosen tier beside the proposed one.

    The proposal is computed from the newest known price and duration and from the account's record.
    """
    require_open(state)
    account = known_on(
        context.reference_data, AccountPublished, state.deal.account or "", context.today
    )
    newest = state.estimates.newest
    proposed = proposed_tier(
        _price(state),
        newest.duration_days if newest else None,
        novel=command.novel,
        customer_pmo=account is not None and account.event.own_pmo,
    )
    chosen = TierChosen(tier=command.tier, proposed=proposed, reason=command.reason)
    if chosen != state.management.tier:
        yield chosen


def _price(state: Engagement) -> Money | None:
    if state.deal.won:
        return state.deal.won.price
    prices = state.estimates.priced
    if prices:
        return prices[max(prices)].price
    if state.contract.imported:
        return state.contract.imported.price
    return state.deal.opened.expected_value if state.deal.opened else None


@capability.decide(PutOnHold, by=MANAGERS)
def put_on_hold(state: Engagement, command: PutOnHold, context: Context) -> Iterable[Event]:
    """Put the engagement on hold.

    Time, progress, submissions, milestones and the implementation of changes of days on hold are
    then refused; what was done before is not. Raises Refused where it is on hold for another reason
    or since another day, or where the hold would begin before the last one ended.
    """
    require_open(state)
    known = state.management.on_hold
    day = same_day("held_on", command, known, context)
    event = EngagementPutOnHold(reason=command.reason, held_on=day)
    ended = max(state.management.past_holds.values(), default=date.min)
    for new in unless_recorded(known, event, "the hold"):
        if day < ended:
            sentence = f"held_on: {day} is before {ended}, when the work was resumed"
            raise refused_field("date-before-resumption", "held_on", sentence)
        yield new


@capability.decide(Resume, by=MANAGERS)
def resume(state: Engagement, command: Resume, context: Context) -> Iterable[Event]:
    """Resume the engagement; nothing happens where it was resumed on that day.

    Raises Refused where the day is before the hold began, where the engagement was resumed on
    another day, or where it was never on hold.
    """
    require_open(state)
    hold, known = state.management.on_hold, state.management.resumed
    if hold is None:
        if known is None:
            raise Refused("engagement-not-on-hold", "the engagement was never put on hold")
        day = same_day("resumed_on", command, known, context)
        yield from unless_recorded(known, EngagementResumed(resumed_on=day), "the resumption")
        return
    day = past_day("resumed_on", command.resumed_on, context)
    if day < hold.held_on:
        raise Refused("date-before-hold", f"work is on hold only since {hold.held_on}")
    yield EngagementResumed(resumed_on=day)


class ManagementFields(ViewModel):
    """Manager, method tier and hold in the view of an engagement; no hold once it is over."""

    manager: PersonId | None
    managed_since: date | None
    tier: TierChosen | None
    on_hold: EngagementPutOnHold | None


@capability.view
def management_view(state: Engagement) -> ManagementFields:
    """Return manager, method tier and hold for the view of an engagement."""
    management = state.management
    assigned = management.manager
    return ManagementFields(
        manager=assigned.manager if assigned else None,
        managed_since=assigned.assigned_on if assigned else None,
        tier=management.tier,
        on_hold=None if state.is_over else management.on_hold,
    )


class ManagementRow(ViewModel):
    """The columns of manager, method tier and hold in the list of engagements."""

    manager: str | None
    tier: str | None
    on_hold: bool


@capability.row
def management_row(state: Engagement) -> ManagementRow:
    """Return the columns of manager, method tier and hold."""
    view = management_view(state)
    return ManagementRow(
        manager=view.manager,
        tier=view.tier.tier if view.tier else None,
        on_hold=view.on_hold is not None,
    )
