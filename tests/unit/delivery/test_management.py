from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.domain.commands import Command
from contracts.delivery import (
    EngagementPutOnHold,
    EngagementResumed,
    ManagerAssigned,
    SolutionWentLive,
    TierChosen,
)
from contracts.money import Money
from contracts.reference import AccountPublished
from contracts.refusals import RefusalCode
from contracts.values import Tier
from delivery.acceptance.decisions import SubmitDeliverable
from delivery.closing.decisions import GoLive
from delivery.engagement import Engagement
from delivery.estimates.decisions import SubmitEstimate
from delivery.management.decisions import (
    AssignManager,
    ChooseTier,
    PutOnHold,
    Resume,
    proposed_tier,
)
from delivery.progress.decisions import ProgressTask, ReachMilestone
from delivery.raid.decisions import RaiseIssue
from delivery.time_entries.decisions import ApproveTime
from testkit.scenario import Scenario
from tests.amounts import eur, hours
from tests.unit.delivery.builders import (
    BUDGET,
    HASH,
    LOST,
    PEOPLE,
    PRICED,
    TERMINATED,
    TODAY,
    WEEK,
    asked,
    empty,
    entry,
    estimated,
    managed,
    opened,
    person,
    released,
    signed,
    with_time,
    won,
)

OPENED_ON = date(2026, 1, 5)
ESTIMATE = SubmitEstimate(template="web", duration_days=30)


def test_a_manager_is_assigned_from_today() -> None:
    outcome = opened().when(AssignManager(manager="mara"), by="pat")
    outcome.then(ManagerAssigned(manager="mara", assigned_on=OPENED_ON))


def test_a_manager_may_be_replaced_and_the_same_one_is_not_assigned_twice() -> None:
    managed().when(AssignManager(manager="mara")).then_nothing()
    managed().when(AssignManager(manager="milo")).then(
        ManagerAssigned(manager="milo", assigned_on=OPENED_ON)
    )


@pytest.mark.parametrize(
    ("person", "code"),
    [
        ("nobody", "person-unknown"),
        ("dev", "person-not-engagement-manager"),
        ("ann", "person-not-engagement-manager"),
    ],
)
def test_only_an_engagement_manager_of_delivery_manages(person: str, code: RefusalCode) -> None:
    opened().when(AssignManager(manager=person)).then_refused(code, saying=person)


def test_a_manager_is_with_the_company_on_the_day() -> None:
    gone = person("milo", "delivery", "engagement-manager").model_copy(
        update={"left": OPENED_ON - timedelta(days=1)}
    )
    opened().knowing(gone).when(AssignManager(manager="milo")).then_refused(
        "person-not-with-company", saying="milo"
    )


def test_a_manager_is_one_by_the_record_of_the_day() -> None:
    milo = person("milo", "delivery", "engagement-manager")
    tomorrow = OPENED_ON + timedelta(days=1)
    moved = milo.model_copy(update={"department": "sales", "effective_from": tomorrow})
    later = opened().knowing(milo, moved).on(tomorrow)
    later.when(AssignManager(manager="milo", assigned_on=OPENED_ON)).then_accepted()
    later.when(AssignManager(manager="milo")).then_refused(
        "person-not-engagement-manager", saying="sales"
    )


def test_nothing_is_decided_before_sales_opened_the_engagement() -> None:
    early = empty().consumed(BUDGET)
    early.when(AssignManager(manager="mara")).then_refused(
        "opportunity-not-opened", missing=["opportunity-not-opened"]
    )


def test_a_day_in_the_future_is_refused() -> None:
    tomorrow = AssignManager(manager="mara", assigned_on=date(2026, 1, 6))
    opened().when(tomorrow).then_refused("date-in-future", saying="assigned_on: 2026-01-06")
    # At 10:00 UTC it is tomorrow in UTC+14.
    opened().on(datetime(2026, 1, 5, 10, tzinfo=UTC)).when(tomorrow).then_accepted()


@pytest.mark.parametrize(
    ("over", "saying"), [(LOST, "lost on 2026-03-02"), (TERMINATED, "ended on 2026-05-04")]
)
def test_no_manager_is_assigned_after_the_end(over, saying: str) -> None:
    opened().consumed(over).when(AssignManager(manager="mara")).then_refused(
        "engagement-over", saying=saying
    )


def test_the_chosen_tier_is_recorded_beside_the_proposed_one() -> None:
    choice = ChooseTier(tier="light", reason="The customer is well known.")
    chosen = (
        estimated()
        .when(choice)
        .then(TierChosen(tier="light", proposed="standard", reason="The customer is well known."))
    )
    chosen.when(choice).then_nothing()


@pytest.mark.parametrize(("own_pmo", "proposed"), [(False, "light"), (True, "standard")])
def test_the_proposed_tier_depends_on_price_duration_and_customer(
    own_pmo: bool, proposed: Tier
) -> None:
    small = asked().after(ESTIMATE).consumed(PRICED.model_copy(update={"price": eur(50_000)}))
    acme = AccountPublished(account="acme", name="Acme", own_pmo=own_pmo)
    outcome = small.knowing(*PEOPLE, acme).when(ChooseTier(tier="light", reason="Small."))
    outcome.then(TierChosen(tier="light", proposed=proposed, reason="Small."))


@pytest.mark.parametrize(
    ("amount", "days", "novel", "pmo", "tier"),
    [
        (59_999, 60, False, False, "light"),
        (60_000, 60, False, False, "standard"),
        (59_999, 61, False, False, "standard"),
        (59_999, 60, True, False, "standard"),
        (59_999, 60, False, True, "standard"),
        (None, 30, False, False, "standard"),
        (30_000, None, False, False, "standard"),
        (199_999, 100, True, False, "standard"),
        (200_000, 100, True, False, "critical"),
        (499_999, 100, False, False, "standard"),
        (500_000, 10, False, False, "critical"),
        (10_000, 270, False, False, "critical"),
    ],
)
def test_the_proposed_tier(amount: int | None, days: int | None, novel, pmo, tier) -> None:
    price = None if amount is None else eur(amount)
    assert proposed_tier(price, days, novel=novel, customer_pmo=pmo) == tier


def test_an_amount_in_a_small_currency_unit_is_not_compared() -> None:
    yen = Money(amount=Decimal(900_000), currency="JPY")
    assert proposed_tier(yen, 30, novel=False, customer_pmo=False) == "standard"


@given(
    amount=st.integers(0, 2_000_000),
    more=st.integers(0, 2_000_000),
    days=st.integers(1, 1000),
    longer=st.integers(0, 1000),
    novel=st.booleans(),
    pmo=st.booleans(),
)
def test_a_higher_price_or_longer_duration_never_lowers_the_tier(
    amount, more, days, longer, novel, pmo
) -> None:
    order = ("light", "standard", "critical")
    small = proposed_tier(eur(amount), days, novel=novel, customer_pmo=pmo)
    large = proposed_tier(eur(amount + more), days + longer, novel=novel, customer_pmo=pmo)
    assert order.index(small) <= order.index(large)


def test_work_is_refused_on_hold_and_accepted_after_resuming() -> None:
    held = (
        released()
        .when(PutOnHold(reason="Budget freeze."))
        .then(EngagementPutOnHold(reason="Budget freeze.", held_on=date(2026, 4, 8)))
    )
    late = with_time(held, entry(day=date(2026, 4, 9))).on(date(2026, 4, 9))
    approve = ApproveTime(person="dev", week=WEEK)
    late.when(approve, by="mara").then_refused(
        "time-not-covered", missing=["engagement-on-hold"], saying="Budget freeze."
    )
    held.when(GoLive()).then_refused("engagement-on-hold")
    held.when(
        RaiseIssue(title="Freeze", severity="high", owner="mara", due_on=TODAY)
    ).then_accepted()
    going = held.when(Resume()).then(EngagementResumed(resumed_on=date(2026, 4, 8)))
    with_time(going, entry(day=date(2026, 4, 9))).when(approve, by="mara").then_accepted()


HELD_DAY, NEXT, RESUMED = (date(2026, 4, day) for day in (8, 9, 10))
BEFORE = date(2026, 4, 7)
ON_DAY: dict[str, Callable[[date], Command]] = {
    "a deliverable is submitted": lambda day: SubmitDeliverable(
        deliverable="design", content_hash=HASH, submitted_on=day
    ),
    "a task progresses": lambda day: ProgressTask(
        task="analysis", complete=hours(50), remaining_hours=hours(5), as_of=day
    ),
    "a milestone is reached": lambda day: ReachMilestone(milestone="M1", reached_on=day),
    "the solution goes live": lambda day: GoLive(live_on=day),
}


@pytest.mark.parametrize("act", ON_DAY)
def test_an_act_counts_by_its_day_and_not_by_the_day_of_its_record(act: str) -> None:
    of = ON_DAY[act]
    held = released().after(PutOnHold(reason="Budget freeze.")).on(NEXT)
    held.when(of(BEFORE)).then_accepted()
    held.when(of(HELD_DAY)).then_refused("engagement-on-hold", saying="Budget freeze.")
    resumed = held.on(RESUMED).after(Resume())
    resumed.when(of(NEXT)).then_refused("engagement-on-hold", saying=str(RESUMED))
    resumed.when(of(RESUMED)).then_accepted()
    last_day = TERMINATED.model_copy(update={"terminated_on": HELD_DAY})
    ended = released().consumed(last_day).on(RESUMED)
    ended.when(of(HELD_DAY)).then_accepted()
    ended.when(of(NEXT)).then_refused("engagement-over", saying=str(HELD_DAY))


def test_what_was_done_before_the_hold_is_recorded_once() -> None:
    reached = released().after(ReachMilestone(milestone="M1", reached_on=BEFORE))
    held = reached.after(PutOnHold(reason="Budget freeze.")).on(NEXT)
    held.when(ReachMilestone(milestone="M1")).then_nothing()


def codes_by_day(scenario: Scenario[Engagement]) -> list[set[str]]:
    """Return the codes of what is missing for work of the three days above."""
    days = (HELD_DAY, NEXT, RESUMED)
    waiting = with_time(scenario, *(entry(number, day=day) for number, day in enumerate(days)))
    [week] = waiting.view["time"].waiting
    return [{each.code for each in one.missing} for one in week.entries]


def test_days_on_hold_stay_uncovered_after_resuming() -> None:
    held = released().after(PutOnHold(reason="Budget freeze.")).on(RESUMED)
    going = held.after(Resume())
    assert codes_by_day(going) == [{"engagement-on-hold"}, {"engagement-on-hold"}, set()]
    again = going.after(PutOnHold(reason="Strike."))
    assert codes_by_day(again) == [{"engagement-on-hold"}] * 3


def test_a_hold_that_was_recorded_by_mistake_covers_no_day() -> None:
    mistaken = released().after(PutOnHold(reason="Budget freeze.")).on(RESUMED)
    resumed = mistaken.after(Resume(resumed_on=HELD_DAY))
    assert codes_by_day(resumed) == [set()] * 3
    assert resumed.state.management.past_holds == {}


@pytest.mark.parametrize("day", [BEFORE, HELD_DAY, NEXT])
def test_no_hold_begins_before_the_last_one_ended(day: date) -> None:
    late = released().after(PutOnHold(reason="Budget freeze.")).on(RESUMED).after(Resume())
    again = PutOnHold(reason="Strike.", held_on=day)
    late.when(again).then_refused("date-before-resumption", saying=str(RESUMED))
    late.when(PutOnHold(reason="Strike.", held_on=RESUMED)).then_accepted()


def test_putting_on_hold_and_resuming_are_idempotent() -> None:
    held = released().after(PutOnHold(reason="Budget freeze."))
    held.on(date(2026, 4, 9)).when(PutOnHold(reason="Budget freeze.")).then_nothing()
    held.when(PutOnHold(reason="Strike.")).then_refused("already-recorded")
    held.when(Resume(resumed_on=date(2026, 4, 7))).then_refused("date-before-hold")
    resumed = held.on(NEXT).after(Resume())
    resumed.on(RESUMED).when(Resume()).then_nothing()
    resumed.when(Resume(resumed_on=NEXT)).then_nothing()


def test_a_resumption_of_another_day_or_without_a_hold_is_refused() -> None:
    resumed = released().after(PutOnHold(reason="Budget freeze.")).on(NEXT).after(Resume())
    other = Resume(resumed_on=HELD_DAY)
    resumed.when(other).then_refused("already-recorded", saying="resumed_on")
    released().when(Resume()).then_refused("engagement-not-on-hold")


def test_the_same_manager_is_not_assigned_on_another_day() -> None:
    [recorded] = [each for each in [released().state.management.manager] if each]
    again = AssignManager(manager=recorded.manager)
    released().when(again, by="paula").then_nothing()
    other = AssignManager(manager=recorded.manager, assigned_on=date(2026, 1, 2))
    released().when(other, by="paula").then_refused("already-recorded", saying="assigned_on")


def test_an_engagement_that_is_over_cannot_be_put_on_hold() -> None:
    held = released().after(PutOnHold(reason="Budget freeze."))
    held.then_view(on_hold=EngagementPutOnHold(reason="Budget freeze.", held_on=date(2026, 4, 8)))
    held.consumed(TERMINATED).then_view(on_hold=None)


def test_stages() -> None:
    assert [each().view["stage"] for each in (opened, won, signed, released)] == [
        "planning",
        "planning",
        "mobilising",
        "delivering",
    ]
    released().published(SolutionWentLive(live_on=TODAY)).then_view(stage="closing")
    signed().consumed(TERMINATED).then_view(stage="terminated")
    opened().consumed(LOST).then_view(stage="lost")
