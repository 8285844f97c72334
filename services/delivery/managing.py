"""Managing: who answers for the engagement, how much method it gets, and when it rests."""

from collections.abc import Iterator
from decimal import Decimal

from chassis.domain.decider import Command, Context, Refused
from contracts.delivery import EngagementPutOnHold, EngagementResumed, ManagerAssigned, TierChosen
from contracts.event import Event
from contracts.money import Money
from contracts.reference import AccountPublished
from contracts.values import Day, PersonId, ShortText, Tier, YesNo
from delivery.gates import day_of, known_person, once, standing
from delivery.state import Engagement, decide

MANAGER_ROLE = "engagement-manager"
COMPARABLE = frozenset({"EUR", "USD", "GBP", "CHF", "CAD", "AUD", "NZD", "SGD"})
"""Currencies whose unit is of one order of magnitude; in others the price says nothing of size."""

SMALL, LARGE, HUGE = Decimal(60_000), Decimal(200_000), Decimal(500_000)
"""Prices at which an engagement is no longer small, is large, and is critical by itself."""

SHORT_DAYS, LONG_DAYS = 60, 270


class AssignManager(Command):
    """Give the engagement a manager, or another one; the earlier the better.

    The person must be known, in Delivery, and an engagement manager.
    """

    manager: PersonId
    assigned_on: Day | None = None


class ChooseTier(Command):
    """Choose how much method the engagement gets, and say why.

    Beside the choice stands what the platform proposes. `novel`: the work is new to the company.
    """

    tier: Tier
    reason: ShortText
    novel: YesNo = False


class PutOnHold(Command):
    """Let all work rest until it is resumed."""

    reason: ShortText
    held_on: Day | None = None


class Resume(Command):
    """Let work go on."""

    resumed_on: Day | None = None


def proposed_tier(
    price: Money | None, duration_days: int | None, *, novel: bool, customer_pmo: bool
) -> Tier:
    """The tier that price, calendar days, novelty and the customer's own PMO speak for.

    Large and new, very large, or long: critical. Small, short and familiar: light, unless the
    customer has a PMO of its own, which wants the artefacts. What is not known speaks for standard.
    """
    amount = price.amount if price and price.currency in COMPARABLE else None
    if amount is not None and (amount >= HUGE or (novel and amount >= LARGE)):
        return "critical"
    if duration_days is not None and duration_days >= LONG_DAYS:
        return "critical"
    small = amount is not None and amount < SMALL
    short = duration_days is not None and duration_days <= SHORT_DAYS
    return "light" if small and short and not novel and not customer_pmo else "standard"


@decide.on(AssignManager)
def assign_manager(state: Engagement, command: AssignManager, context: Context) -> Iterator[Event]:
    """Whoever manages it now may be replaced."""
    standing(state)
    person = known_person(context, command.manager)
    if person.department != "delivery" or MANAGER_ROLE not in person.roles:
        raise Refused(
            "not-an-engagement-manager",
            f"{command.manager} is with {person.department} as {', '.join(person.roles) or 'none'}:"
            " only an engagement manager of Delivery can manage an engagement",
        )
    if state.manager is None or state.manager.manager != command.manager:
        day = day_of(context, command.assigned_on)
        yield ManagerAssigned(manager=command.manager, assigned_on=day)


@decide.on(ChooseTier)
def choose_tier(state: Engagement, command: ChooseTier, context: Context) -> Iterator[Event]:
    """The proposal rests on the newest price and duration known, and on the customer's record."""
    standing(state)
    account = context.records.latest(AccountPublished, state.account or "")
    newest = max(state.estimates, default=None)
    proposed = proposed_tier(
        _price(state),
        state.estimates[newest].submitted.duration_days if newest else None,
        novel=command.novel,
        customer_pmo=account is not None and account.event.own_pmo,
    )
    chosen = TierChosen(tier=command.tier, proposed=proposed, reason=command.reason)
    if chosen != state.tier:
        yield chosen


def _price(state: Engagement) -> Money | None:
    if state.deal.won:
        return state.deal.won.price
    if state.ledger.estimates:
        return state.ledger.estimates[max(state.ledger.estimates)].price
    return state.deal.opened.expected_value if state.deal.opened else None


@decide.on(PutOnHold)
def put_on_hold(state: Engagement, command: PutOnHold, context: Context) -> Iterator[Event]:
    """Time, progress, submissions and changes then wait; approving what was done does not."""
    standing(state)
    day = command.held_on or (state.held.held_on if state.held else None)
    event = EngagementPutOnHold(reason=command.reason, held_on=day_of(context, day))
    yield from once(state.held, event, "already-on-hold", "work is on hold already")


@decide.on(Resume)
def resume(state: Engagement, command: Resume, context: Context) -> Iterator[Event]:
    """What is not on hold goes on anyway."""
    standing(state)
    if state.held:
        day = day_of(context, command.resumed_on)
        if day < state.held.held_on:
            raise Refused("before-the-hold", f"work is on hold only since {state.held.held_on}")
        yield EngagementResumed(resumed_on=day)
