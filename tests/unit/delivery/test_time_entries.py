from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.domain.pending import Refusal
from contracts.delivery import (
    ApprovedEntry,
    ChangeRejected,
    EngagementPutOnHold,
    PlanBaselined,
    ResourceAllocated,
    ResourceRequested,
    TierChosen,
    TimeApproved,
    TimeRejected,
    TimeReversed,
    TimeSubmitted,
    TimeWithdrawn,
    WeekMeasured,
)
from contracts.lines import LineChange, LineRate, NewLine
from delivery.engagement import Engagement
from delivery.planning.decisions import BaselinePlan
from delivery.time_entries.decisions import ApproveTime, ApproveTimeAsCost, RejectTime
from delivery.time_entries.requests import (
    GiveBackTime,
    MeasureWeek,
    RecordedEntry,
    TakeBackTime,
    TakeTime,
)
from delivery.timesheets.requests import NoteDecision
from testkit.scenario import Scenario, like
from tests.amounts import eur, hours, per_hour
from tests.unit.delivery.builders import (
    AMENDMENT_SIGNED,
    BASELINED,
    CHANGE_ASSESSED,
    CHANGE_REQUESTED,
    DRAFTED,
    EARLY_START,
    LINES,
    LOST,
    PEOPLE,
    SOW,
    SOW_SIGNED,
    START,
    TASKS,
    TERMINATED,
    TODAY,
    WEEK,
    approved_time,
    as_submitted,
    change_approved,
    change_ready,
    empty,
    entry,
    finished,
    kicked_off,
    person,
    released,
    reversed_time,
    signed,
    submitted_time,
    with_time,
    won,
)
from tests.unit.delivery.test_closing import CLOSE
from tests.weeks import withdrawn

APPROVE = ApproveTime(person="dev", week=WEEK)
AS_COST = ApproveTimeAsCost(person="dev", week=WEEK, why_not_billed="Before the contract.")
REJECT = RejectTime(person="dev", week=WEEK, why="Other week.")
BEFORE = date(2026, 3, 30)
"""Monday of the week before the contract takes effect."""


@cache
def submitted() -> Scenario[Engagement]:
    return with_time(released(), entry(1), entry(2, day=TODAY, hours=hours(6)))


@cache
def unsigned() -> Scenario[Engagement]:
    return won().on(TODAY)


@cache
def early() -> Scenario[Engagement]:
    return unsigned().consumed(EARLY_START)


def take(*entries: ApprovedEntry, replaces: Iterable[str] = (), **fields: object) -> TakeTime:
    return TakeTime.model_validate(
        {
            "person": "dev",
            "week": WEEK,
            "revision": 1,
            "entries": [dict(as_submitted(each)) for each in entries],
            "replaces": replaces,
            **fields,
        }
    )


def initial(number: int, day: date, count: float = 8, **fields: object) -> ApprovedEntry:
    """Return an entry on the initiation, which needs no plan."""
    return entry(number, day=day, task="initiation", line=None, hours=hours(str(count)), **fields)


def missing_of(scenario: Scenario[Engagement]) -> dict[str, set[str]]:
    """Return the codes of what is missing by entry, as the view shows them."""
    return {
        each.submitted.entry: {one.code for one in each.missing}
        for week in scenario.view["time"].waiting
        for each in week.entries
    }


# ---- taking, giving back ---------------------------------------------------------------------


def test_an_engagement_takes_the_entries_of_a_timesheet() -> None:
    taken = released().when(take(entry(1), entry(2)), by="dev")
    taken.then(submitted_time(entry(1), entry(2)))
    [waiting] = taken.after.view["time"].waiting
    assert (waiting.person, waiting.week, waiting.revision) == ("dev", WEEK, 1)
    assert (waiting.hours, waiting.uncovered_hours) == (hours(16), 0)


def test_a_week_that_waits_is_measured_again() -> None:
    measure = MeasureWeek(person="dev", week=WEEK, beyond_weekly_hours=hours(5))
    measured = (
        submitted()
        .when(measure)
        .then(WeekMeasured(person="dev", week=WEEK, beyond_weekly_hours=hours(5)))
    )
    measured.then_work("week-too-long", f"dev.{WEEK}")
    [waiting] = measured.view["time"].waiting
    [before] = submitted().view["time"].waiting
    assert waiting == before.model_copy(update={"beyond_weekly_hours": hours(5)})
    measured.when(measure).then_nothing()
    within = measure.model_copy(update={"beyond_weekly_hours": None})
    measured.when(within).after.then_work("week-too-long")
    submitted().when(within).then_nothing()
    released().when(measure).then_nothing()


def test_what_waits_is_replaced_and_what_was_decided_is_not() -> None:
    new = take(entry(3), replaces=("T-1", "T-2"), revision=2)
    replaced = submitted().when(new, by="dev").then(submitted_time(entry(3), revision=2))
    assert [*missing_of(replaced)] == ["T-3"]
    half = submitted().after(APPROVE.model_copy(update={"entries": ("T-1",)}), by="mara")
    half.when(new, by="dev").then_refused("entry-decided")
    half.when(take(entry(3), revision=2), by="dev").then_refused("entry-decided")
    half.when(take(entry(3), replaces=("T-2",), revision=2), by="dev").then_accepted()


def test_recording_is_refused_by_no_gate() -> None:
    late = take(entry(1, task="ghost", role="juggler"), entry(2, task="build", role="developer"))
    held = EngagementPutOnHold(reason="Waiting for data.", held_on=date(2026, 4, 1))
    for scenario in (
        unsigned(),
        signed(),
        released().published(held),
        released().consumed(TERMINATED.model_copy(update={"terminated_on": date(2026, 4, 1)})),
        won().consumed(LOST),
    ):
        scenario.when(late, by="dev").then(
            submitted_time(
                entry(1, task="ghost", role="juggler"), entry(2, task="build", role="developer")
            )
        )


def test_an_engagement_that_is_unknown_or_closed_takes_nothing() -> None:
    empty().when(take(entry()), by="dev").then_refused("opportunity-not-opened")
    closed = finished().after(CLOSE)
    for command in (
        take(entry()),
        GiveBackTime(person="dev", week=WEEK, revision=1, entries=("T-1",)),
        TakeBackTime(person="dev", week=WEEK, entries=(entry(1),), why="No.", reversed_on=TODAY),
        APPROVE,
        AS_COST,
        REJECT,
    ):
        closed.when(command, by="mara").then_refused("engagement-over", saying="closed")


def test_a_role_follows_from_the_allocation_or_the_task() -> None:
    def without_role(**fields: object) -> TakeTime:
        bare = {**dict(as_submitted(entry(1, **fields))), "role": None}
        command = take(entry(1))
        return command.model_copy(update={"entries": (RecordedEntry.model_validate(bare),)})

    def taken_as(scenario: Scenario[Engagement], role: str, **fields: object) -> None:
        [event] = scenario.when(without_role(**fields), by="dev").events
        assert isinstance(event, TimeSubmitted)
        assert event.entries[0].role == role

    taken_as(released(), "architect")  # of the task
    several = person("dev", "delivery", "architect", "developer")
    both = released().knowing(*PEOPLE, several)
    taken_as(both, "architect")
    taken_as(both, "developer", task="build")
    ghost = without_role(task="ghost")
    both.when(ghost, by="dev").then_refused("field-missing", fields=["entries[0].role"])
    requested = ResourceRequested(
        request="RQ-1", role="developer", hours=hours(10), starts_on=START, finishes_on=TODAY
    )
    allocated = ResourceAllocated(**dict(requested), person="dev", commitment="hard")
    here = both.published(requested, allocated)
    taken_as(here, "developer", task="ghost")
    taken_as(here, "developer")  # the allocation comes first
    lead = without_role(task="lead")  # whose role dev does not hold
    released().when(lead, by="dev").then_refused(
        "field-missing",
        saying="task lead is planned for project-manager, which dev does not hold;"
        " name one of those that dev holds: architect",
    )


def test_the_manager_sees_that_a_week_exceeds_the_weekly_hours() -> None:
    for more in (None, hours("2.5")):
        after = released().after(take(entry(1), beyond_weekly_hours=more), by="dev")
        [waiting] = after.view["time"].waiting
        assert waiting.beyond_weekly_hours == more


def test_only_what_waits_is_given_back() -> None:
    give = GiveBackTime(person="dev", week=WEEK, revision=1, entries=("T-1", "T-2", "T-9"))
    both = submitted_time(entry(1), entry(2, day=TODAY, hours=hours(6)))
    back = submitted().when(give, by="dev").then(withdrawn(both))
    back.when(give, by="dev").then_refused("entry-decided")
    all_approved = submitted().after(APPROVE, by="mara")
    all_approved.when(give, by="dev").then_refused("entry-decided", saying="stays so")
    back.then_view(time__waiting=(), time__approved_hours=hours(0))
    half = submitted().after(APPROVE.model_copy(update={"entries": ("T-1",)}), by="mara")
    [event] = half.when(give, by="dev").events
    assert isinstance(event, TimeWithdrawn)
    assert [each.entry for each in event.entries] == ["T-2"]


# ---- approval --------------------------------------------------------------------------------


def test_covered_time_is_approved_by_another_person() -> None:
    outcome = submitted().when(APPROVE, by="mara")
    after = outcome.then(approved_time(entry(1), entry(2, day=TODAY, hours=hours(6))))
    [request] = outcome.requests
    assert (request.stream, request.key) == ("timesheet:dev.2026-04-06", "time-decided/T-1")
    noted = NoteDecision.model_validate_json(request.content)
    assert [each.entry for each in noted.approved] == ["T-1", "T-2"]
    after.then_view(time__approved_hours=hours(14), time__waiting=())
    assert [task.approved_hours for task in after.view["plan"].tasks] == [hours(14), 0, 0]
    after.when(APPROVE, by="mara").then_refused("time-not-waiting")
    done = after.when_outcome("time-decided", "T-1").then()
    assert done.stream.requests == {}


def test_nobody_decides_on_their_own_time() -> None:
    for command in (APPROVE, AS_COST, REJECT):
        for by, behalf in (("dev", None), ("dev", "mara"), ("max", "dev")):
            own = submitted().when(command, by=by, on_behalf_of=behalf)
            own.then_refused("approver-is-author")
    for_dev = released().published(submitted_time(entry(1)), by="max")
    for_dev.when(APPROVE, by="max").then_refused("approver-is-author")
    submitted().when(APPROVE, by="max", on_behalf_of="mara").then_accepted()


def test_entries_are_approved_by_name() -> None:
    one = APPROVE.model_copy(update={"entries": ("T-2",)})
    after = (
        submitted().when(one, by="mara").then(approved_time(entry(2, day=TODAY, hours=hours(6))))
    )
    assert [*missing_of(after)] == ["T-1"]
    ghost = APPROVE.model_copy(update={"entries": ("T-1", "T-9")})
    for scenario in (submitted(), after):
        scenario.when(ghost, by="mara").then_refused("time-not-waiting", fields=["entries"])
    other = APPROVE.model_copy(update={"person": "milo"})
    submitted().when(other, by="mara").then_refused("time-not-waiting")


def test_covered_entries_do_not_wait_for_the_others() -> None:
    mixed = with_time(released(), entry(1), entry(2, task="ghost", line=None))
    mixed.when(APPROVE, by="mara").then(approved_time(entry(1)))
    named = APPROVE.model_copy(update={"entries": ("T-1", "T-2")})
    mixed.when(named, by="mara").then_refused(
        "time-not-covered", missing=["task-unknown"], saying="entry T-2 of 2026-04-06: task ghost"
    )
    mixed.then_view(time__uncovered_hours=hours(8), time__uncovered_by={"task-unknown": hours(8)})


def test_the_pmo_director_approves_as_cost_what_nothing_covers() -> None:
    mixed = with_time(released(), entry(1), entry(2, task="ghost", line=None))
    cost = entry(2, task="ghost", line=None, billable=False)
    after = mixed.when(AS_COST, by="olga").then(
        approved_time(cost, why_not_billed="Before the contract.")
    )
    assert [*missing_of(after)] == ["T-1"]
    after.then_view(time__approved_hours=hours(8))
    after.when(AS_COST, by="olga").then_refused("time-covered")
    named = AS_COST.model_copy(update={"entries": ("T-2", "T-1")})
    mixed.when(named, by="olga").then_refused("time-covered", fields=("entries[1]",))


def test_as_cost_is_approved_what_is_beyond_a_cap_and_not_what_is_within() -> None:
    capped = unsigned().consumed(EARLY_START.model_copy(update={"cap_hours": hours(8)}))
    waits = with_time(capped, initial(1, START), initial(2, TODAY))
    for name, fits in (("T-1", True), ("T-2", False)):
        outcome = waits.when(AS_COST.model_copy(update={"entries": (name,)}), by="olga")
        if fits:
            outcome.then_refused("time-covered")
        else:
            outcome.then_accepted()


def test_approved_time_has_the_kind_and_line_of_its_task() -> None:
    managing = entry(4, task="lead", role="project-manager", kind="project-management")
    lead = with_time(released(), managing.model_copy(update={"line": None}), person="milo")
    approve = APPROVE.model_copy(update={"person": "milo"})
    approved = approved_time(managing.model_copy(update={"line": "managing"}), person="milo")
    lead.when(approve, by="mara").then(approved)
    before = initial(5, START, role="project-manager").model_copy(
        update={"task": "project-management"}
    )
    usual = with_time(kicked_off(), before).when(APPROVE, by="mara")
    usual.then(
        like(TimeApproved, entries=(before.model_copy(update={"kind": "project-management"}),))
    )


def test_rejected_time_is_not_counted() -> None:
    outcome = submitted().when(REJECT, by="mara")
    both = submitted_time(entry(1), entry(2, day=TODAY, hours=hours(6)))
    rejected = outcome.then(
        TimeRejected(person="dev", week=WEEK, entries=both.entries, why="Other week.")
    )
    noted = NoteDecision.model_validate_json(outcome.requests[0].content)
    assert (noted.rejected, noted.why) == (("T-1", "T-2"), "Other week.")
    rejected.when(REJECT, by="mara").then_refused("time-not-waiting")
    rejected.when(APPROVE, by="mara").then_refused("time-not-waiting")
    rejected.then_view(time__approved_hours=hours(0), time__waiting=())


def test_approved_time_is_reversed() -> None:
    approved = with_time(released(), entry(1), entry(2), approved=True)
    back = TakeBackTime(
        person="dev",
        week=WEEK,
        entries=(entry(2),),
        why="Another engagement's.",
        reversed_on=TODAY,
    )
    after = approved.when(back, by="mara").then(reversed_time(entry(2)))
    after.then_view(time__approved_hours=hours(8))
    assert [task.approved_hours for task in after.view["plan"].tasks] == [hours(8), 0, 0]
    approved.consumed(TERMINATED).when(back, by="mara").then(like(TimeReversed))


def test_a_refused_note_changes_nothing() -> None:
    approved = submitted().after(APPROVE, by="mara")
    refusal = Refusal("key-reused", "The key was used.")
    approved.when_outcome("time-decided", "T-1", refused=refusal).then()


# ---- gate 3 ----------------------------------------------------------------------------------


def test_the_contract_covers_days_from_its_effective_day_on() -> None:
    week = with_time(
        kicked_off(), initial(1, BEFORE), initial(2, BEFORE + timedelta(days=6)), approved=False
    )
    assert missing_of(week) == {"T-1": {"date-before-contract"}, "T-2": {"date-before-contract"}}
    assert missing_of(with_time(kicked_off(), initial(1, START))) == {"T-1": set()}
    # It covers them although it was signed later.
    late = SOW_SIGNED.model_copy(update={"signed_on": date(2026, 4, 15)})
    waiting = with_time(unsigned(), initial(1, START), initial(2, TODAY))
    assert missing_of(waiting) == {"T-1": {"sow-not-signed"}, "T-2": {"sow-not-signed"}}
    waiting.when(APPROVE, by="mara").then_refused(
        "time-not-covered", missing=["sow-not-signed"], saying="is not signed"
    )
    contracted = waiting.consumed(SOW, late)
    contracted.when(APPROVE, by="mara").then_accepted()
    contracted.then_view(contract__hours_before_signature=hours(0))
    waiting.then_view(contract__hours_before_signature=hours(16))


def test_work_after_a_termination_or_during_a_hold_is_not_covered() -> None:
    ended = TERMINATED.model_copy(update={"terminated_on": START})
    over = with_time(released().consumed(ended), entry(1), entry(2, day=TODAY))
    assert missing_of(over) == {"T-1": set(), "T-2": {"engagement-over"}}
    over.when(APPROVE, by="mara").then(approved_time(entry(1)))
    held = EngagementPutOnHold(reason="Waiting for data.", held_on=START)
    rested = with_time(released().published(held), entry(1), entry(2, day=TODAY))
    assert missing_of(rested) == {"T-1": {"engagement-on-hold"}, "T-2": {"engagement-on-hold"}}
    later = released().published(held.model_copy(update={"held_on": TODAY}))
    rested = with_time(later, entry(1), entry(2, day=TODAY))
    assert missing_of(rested) == {"T-1": set(), "T-2": {"engagement-on-hold"}}


def test_an_early_start_covers_hours_up_to_its_cap() -> None:
    spent = with_time(early(), initial(1, START, 24), initial(2, TODAY, 24), approved=True)
    more = with_time(
        spent, initial(3, START, 20), initial(4, TODAY, 12), initial(5, TODAY, 1), person="milo"
    )
    approve = APPROVE.model_copy(update={"person": "milo"})
    # 80 hours are allowed and 48 approved: the earliest days come first.
    assert missing_of(more) == {"T-3": set(), "T-4": set(), "T-5": {"early-start-cap-spent"}}
    after = more.when(approve, by="mara").after
    assert missing_of(after) == {"T-5": {"early-start-cap-spent"}}
    after.when(approve, by="mara").then_refused(
        "time-not-covered",
        missing=["early-start-cap-spent"],
        saying="leave 0 hours for 2026-04-08, and",
    )
    after.when(AS_COST.model_copy(update={"person": "milo"}), by="olga").then_accepted()


def test_reversed_and_unbilled_hours_leave_the_cap_alone() -> None:
    full = with_time(early(), initial(1, START, 24), initial(2, START, 24), approved=True)
    full = with_time(full, initial(3, TODAY, 24), initial(4, TODAY, 8), approved=True)
    more = with_time(full, initial(5, TODAY, 8))
    assert missing_of(more) == {"T-5": {"early-start-cap-spent"}}
    assert missing_of(more.published(reversed_time(initial(4, TODAY, 8)))) == {"T-5": set()}
    as_cost = more.when(AS_COST, by="olga").after
    assert sum(as_cost.state.time.outside_contract().values()) == 80


def test_a_second_early_start_adds_to_the_first() -> None:
    second = EARLY_START.model_copy(
        update={"cap_hours": hours(10), "expires_on": date(2026, 5, 31)}
    )
    full = with_time(early(), *(initial(n, START, 20) for n in range(4)), approved=True)
    again = full.on(date(2026, 5, 6)).consumed(second)
    more = with_time(again, initial(5, date(2026, 5, 4), 10), initial(6, date(2026, 5, 5), 1))
    assert missing_of(more) == {"T-5": set(), "T-6": {"early-start-cap-spent"}}
    # What the first one leaves ends with it.
    unused = early().on(date(2026, 5, 6)).consumed(second)
    more = with_time(unused, initial(5, date(2026, 5, 4), 11))
    assert missing_of(more) == {"T-5": {"early-start-cap-spent"}}
    after_all = with_time(unused, initial(5, date(2026, 6, 1), 1))
    assert missing_of(after_all) == {"T-5": {"early-start-expired"}}


def test_days_of_the_contract_are_not_charged_to_the_early_start() -> None:
    begun = with_time(
        early().on(date(2026, 4, 12)), *(initial(n, START, 20) for n in range(4)), approved=True
    )
    later = SOW.model_copy(update={"effective_on": date(2026, 4, 9)})
    contracted = begun.consumed(later, SOW_SIGNED)
    more = with_time(contracted, initial(8, START, 1), initial(9, date(2026, 4, 9), 20))
    # After the signature no other early start can be authorised for the days before it.
    assert missing_of(more) == {"T-8": {"date-before-contract"}, "T-9": set()}
    [week] = more.view["time"].waiting
    assert "leave 0 hours for 2026-04-06" in week.entries[0].missing[0].sentence
    # A contract that covers the days takes their hours off the cap.
    covering = begun.consumed(SOW, SOW_SIGNED)
    assert covering.state.time.before_contract == {}
    covering.then_view(contract__hours_before_signature=hours(0))


def test_an_early_start_in_money_allows_work_at_bill_rates() -> None:
    in_money = EARLY_START.model_copy(update={"cap_hours": None, "cap_amount": eur(2_000)})
    begun = unsigned().consumed(in_money)
    unrated = with_time(begun, initial(1, START))
    assert missing_of(unrated) == {"T-1": {"rates-missing"}}
    work = [initial(n, START, 10, role="developer") for n in (1, 2)]  # at 100.00 EUR an hour
    rest = initial(3, TODAY, 0.01, role="developer")
    both = with_time(begun, *work, rest)
    assert missing_of(both) == {"T-1": set(), "T-2": set(), "T-3": {"early-start-cap-spent"}}
    # The caps of one early start apply together.
    limited = unsigned().consumed(in_money.model_copy(update={"cap_hours": hours(15)}))
    two = with_time(limited, *work)
    assert missing_of(two) == {"T-1": set(), "T-2": {"early-start-cap-spent"}}
    [week] = two.view["time"].waiting
    assert week.entries[1].missing[0].sentence == (
        f"early starts leave 5 hours or 1,000.00 EUR for {START}, and this work takes 10 hours"
        " (1,000.00 EUR)"
    )


def test_a_further_early_start_takes_no_coverage_away() -> None:
    in_hours = EARLY_START.model_copy(update={"cap_hours": hours(40)})
    in_money = EARLY_START.model_copy(
        update={"cap_hours": None, "cap_amount": eur(500), "starts_on": TODAY}
    )
    work = (
        initial(1, START, 8, role="developer"),
        initial(2, TODAY, 2, role="developer"),  # 200.00 EUR
    )
    one = with_time(unsigned().consumed(in_hours), *work)
    assert missing_of(one) == {"T-1": set(), "T-2": set()}
    for second in (in_money, in_money.model_copy(update={"starts_on": START})):
        assert missing_of(one.consumed(second)) == {"T-1": set(), "T-2": set()}
    # A role without a rate works on the early start that is limited in hours.
    unrated = with_time(one.consumed(in_money), initial(3, TODAY, 20))
    assert missing_of(unrated) == {"T-3": set()}


def test_early_starts_of_the_same_day_add_up() -> None:
    in_hours = EARLY_START.model_copy(update={"cap_hours": hours(9)})
    work = [initial(n, START, 8, role="developer") for n in (1, 2)]
    begun = with_time(unsigned().consumed(in_hours), *work)
    assert missing_of(begun) == {"T-1": set(), "T-2": {"early-start-cap-spent"}}
    for amount, missing in ((600, {"early-start-cap-spent"}), (700, set())):
        more = EARLY_START.model_copy(update={"cap_hours": None, "cap_amount": eur(amount)})
        assert missing_of(begun.consumed(more)) == {"T-1": set(), "T-2": missing}


def test_two_amounts_that_are_no_whole_hours_add_up_to_the_cent() -> None:
    work = initial(1, START, 7, role="developer")  # 700.00 EUR
    caps = [
        EARLY_START.model_copy(update={"cap_hours": None, "cap_amount": eur(amount)})
        for amount in ("333.33", "366.66", "0.01")
    ]
    begun = with_time(unsigned().consumed(*caps[:2]), work)
    assert missing_of(begun) == {"T-1": {"early-start-cap-spent"}}
    assert missing_of(begun.consumed(caps[2])) == {"T-1": set()}


# ---- gates 4 and 6, plan and rates -----------------------------------------------------------


def test_tasks_are_those_of_the_baseline() -> None:
    ghost = with_time(released(), entry(1, task="ghost"))
    assert missing_of(ghost) == {"T-1": {"task-unknown"}}
    # The fixed tasks are accepted until the day of the first baseline, 7 April.
    two = with_time(released(), initial(1, date(2026, 4, 7)), initial(2, TODAY))
    assert missing_of(two) == {"T-1": set(), "T-2": {"task-unknown"}}
    unplanned = with_time(kicked_off(), entry(1))
    assert missing_of(unplanned) == {"T-1": {"task-unknown"}}
    assert missing_of(unplanned.published(DRAFTED)) == {"T-1": set()}


def test_implementation_needs_requirements_and_baseline() -> None:
    build = entry(1, task="build", role="developer", day=date(2026, 4, 7))
    drafted = with_time(kicked_off().published(DRAFTED), build)
    assert missing_of(drafted) == {"T-1": {"brd-not-signed-off", "plan-not-baselined"}}
    baselined = with_time(kicked_off().published(DRAFTED).after(BaselinePlan(version=1)), build)
    assert missing_of(baselined) == {"T-1": {"brd-not-signed-off", "date-before-baseline"}}
    assert missing_of(with_time(released(), build)) == {"T-1": set()}
    early_day = entry(2, task="build", role="developer", day=START)
    assert missing_of(with_time(released(), early_day)) == {
        "T-2": {"date-before-sign-off", "date-before-baseline"}
    }
    light = TierChosen(tier="light", proposed="light", reason="Small.")
    lighter = kicked_off().published(light, DRAFTED, BASELINED)
    assert missing_of(with_time(lighter, build)) == {"T-1": set()}


def test_in_tier_light_the_statement_of_work_releases_work_from_its_effective_day() -> None:
    light = TierChosen(tier="light", proposed="light", reason="Small.")
    statement = SOW_SIGNED.model_copy(update={"signed_on": TODAY})
    plan = BASELINED.model_copy(update={"baselined_on": START - timedelta(days=7)})
    late = won().consumed(SOW, statement).on(TODAY).published(light, DRAFTED, plan)
    build = entry(1, task="build", role="developer", day=START)
    assert missing_of(with_time(late, build)) == {"T-1": set()}
    before = build.model_copy(update={"day": START - timedelta(days=7)})
    [week] = with_time(late, before).view["time"].waiting
    sentences = {each.code: each.sentence for each in week.entries[0].missing}
    assert sentences["date-before-sign-off"] == (
        f"the statement of work was signed on {TODAY}, after this work ({before.day})"
    )


def test_work_on_a_change_waits_for_gate_6() -> None:
    by_name = with_time(change_approved(), entry(1, task="CR-1", role="developer", line=None))
    assert missing_of(by_name) == {
        "T-1": {"amendment-not-signed", "plan-not-rebaselined", "budget-not-amended"}
    }
    task = TASKS[1].model_copy(update={"task": "manual", "change": "CR-1"})
    planned = BASELINED.model_copy(update={"tasks": (*TASKS, task), "changes": ("CR-1",)})
    manual = entry(1, task="manual", role="developer", day=TODAY)
    unsigned_change = with_time(change_approved().published(planned), manual)
    assert missing_of(unsigned_change) == {"T-1": {"amendment-not-signed", "budget-not-amended"}}
    released_change = with_time(change_ready().published(planned), manual)
    assert missing_of(released_change) == {"T-1": set()}
    before = with_time(change_ready().published(planned), manual.model_copy(update={"day": START}))
    assert "date-before-amendment" in missing_of(before)["T-1"]
    rejected = ChangeRejected(change="CR-1", why="Dear.", rejected_on=TODAY)
    given_up = with_time(change_approved().published(rejected), entry(1, task="CR-1", line=None))
    assert missing_of(given_up) == {"T-1": {"change-rejected"}}


def hourly(*rates: LineRate, line: str = "desk") -> dict[str, object]:
    return {"line": line, "pricing": "time-and-materials", "rates": rates}


def contracted(*lines: Mapping[str, object]) -> Scenario[Engagement]:
    """Return an engagement with a plan whose contract has these lines."""
    of_contract = tuple(
        LINES[0].model_copy(update={"billing": (), "deliverables": (), **each}) for each in lines
    )
    sow = SOW.model_copy(update={"lines": of_contract})
    planned = BASELINED.model_copy(
        update={
            "tasks": (*TASKS, TASKS[0].model_copy(update={"task": "any", "line": None})),
            "baselined_on": START,
        }
    )
    return won().consumed(sow, SOW_SIGNED).published(DRAFTED, planned).on(TODAY)


def test_billable_time_needs_a_rate_of_its_day() -> None:
    from_today = LineRate(role="architect", rate=per_hour(100), from_day=TODAY)
    rated = contracted(hourly(from_today))
    days = with_time(rated, entry(1), entry(2, day=TODAY), entry(3, billable=False))
    assert missing_of(days) == {"T-1": {"rates-missing"}, "T-2": set(), "T-3": set()}
    misspelt = with_time(rated, entry(1, day=TODAY, role="architct"))
    assert missing_of(misspelt) == {"T-1": {"rates-missing"}}
    [week] = misspelt.view["time"].waiting
    assert [each.owed_by for each in week.entries[0].missing] == ["sales"]


def test_a_line_that_a_change_adds_counts_from_its_signature() -> None:
    """Leave time of a task that names no line to the fixed price, also where it still waits."""
    rate = LineRate(role="developer", rate=per_hour(100))
    change = LineChange(
        line="support",
        new=NewLine(title="Support", pricing="time-and-materials"),
        price_delta=eur(2_000),
        rates=(rate,),
    )
    signed = AMENDMENT_SIGNED.model_copy(update={"changes": (change,)})
    fixed = contracted({"line": "desk"}).published(CHANGE_REQUESTED, CHANGE_ASSESSED)
    waiting = with_time(
        fixed,
        entry(1, task="any"),
        entry(2, task="any", day=TODAY),
        entry(3, task="any", role="developer", day=TODAY),
    )
    nothing: set[str] = set()
    assert missing_of(waiting) == {"T-1": nothing, "T-2": nothing, "T-3": nothing}
    after = waiting.consumed(signed)
    assert missing_of(after) == {"T-1": nothing, "T-2": {"rates-missing"}, "T-3": nothing}


def test_time_that_several_lines_could_pay_needs_the_line_of_its_task() -> None:
    rate = LineRate(role="architect", rate=per_hour(100))
    two = contracted(hourly(rate), hourly(rate, line="more"))
    waiting = with_time(two, entry(1), entry(2, task="any"))
    assert missing_of(waiting) == {"T-1": set(), "T-2": {"line-not-named"}}
    one = contracted(hourly(rate), {"line": "fixed"})
    assert missing_of(with_time(one, entry(2, task="any"))) == {"T-2": set()}
    gone = contracted(hourly(rate, line="other"))
    assert missing_of(with_time(gone, entry(1))) == {"T-1": {"line-unknown"}}


def test_purchases_need_no_rate_for_time() -> None:
    travel = {"line": "travel", "kind": "expenses", "pricing": "at-cost", "hours": ()}
    fixed = contracted({"line": "desk"}, travel)
    assert missing_of(with_time(fixed, entry(2, task="any"))) == {"T-2": set()}


# ---- totals and size -------------------------------------------------------------------------

ENTRIES = st.lists(
    st.tuples(
        st.sampled_from(["dev", "milo"]),
        st.integers(0, 6),
        st.integers(1, 24),
        st.sampled_from(["approve", "cost", "reject", "withdraw", "reverse", "leave"]),
    ),
    max_size=12,
)


@settings(max_examples=60)
@given(entries=ENTRIES, contract=st.booleans())
def test_hours_add_up_and_stay_within_the_cap(
    entries: list[tuple[str, int, int, str]], contract: bool
) -> None:
    scenario = early() if not contract else kicked_off()
    scenario = scenario.on(date(2026, 4, 12))
    approved = waiting = hours(0)
    for number, (who, place, count, then) in enumerate(entries):
        week = WEEK + timedelta(days=7 * number)  # each in a week of its own
        one = initial(number, week + timedelta(days=place), count)
        scenario = with_time(scenario, one, person=who)
        about: dict[str, object] = {"person": who, "week": week}
        outcome = None
        if then in {"approve", "reverse"}:
            outcome = scenario.when(ApproveTime.model_validate(about), by="mara")
        elif then == "cost":
            why = {**about, "why_not_billed": "No."}
            outcome = scenario.when(ApproveTimeAsCost.model_validate(why), by="olga")
        elif then == "reject":
            outcome = scenario.when(RejectTime.model_validate({**about, "why": "No."}), by="mara")
        elif then == "withdraw":
            give = {**about, "revision": 1, "entries": (one.entry,)}
            outcome = scenario.when(GiveBackTime.model_validate(give), by=who)
        if outcome is None or outcome.refusal is not None:
            if outcome is not None and outcome.refusal is not None:
                assert outcome.refusal.code in {"time-not-covered", "time-covered"}
            waiting += count
            continue
        scenario = outcome.after
        if then in {"approve", "cost", "reverse"}:
            approved += count
        if then == "reverse":
            [event] = outcome.events
            assert isinstance(event, TimeApproved)
            back = {**about, "entries": event.entries, "why": "No.", "reversed_on": week}
            scenario = scenario.after(TakeBackTime.model_validate(back), by="mara")
            approved -= count
    time, view = scenario.state.time, scenario.view["time"]
    assert time.approved_hours == sum(time.by_task.values()) == view.approved_hours == approved
    assert view.waiting_hours == waiting
    assert sum(time.outside_contract().values()) <= 80
    state = scenario.state
    assert type(state).model_validate_json(state.model_dump_json()) == state


def test_decided_time_leaves_the_state() -> None:
    def size(weeks: int) -> int:
        scenario = released()
        for number in range(weeks):
            days = [WEEK + timedelta(days=7 * number + day) for day in range(5)]
            some = [entry(number * 5 + place, day=day) for place, day in enumerate(days)]
            scenario = with_time(scenario, *some, approved=True)
        return len(scenario.state.time.model_dump_json())

    assert size(100) <= size(2) + 10  # only the figures have more digits


def test_plans_are_looked_up_by_task() -> None:
    assert released().state.planning.task("lead") == TASKS[2]
    assert PlanBaselined in type(released().state.planning).steps
    assert released().state.planning.task("ghost") is None


@pytest.mark.parametrize("wrong", ["0", "-1", "NaN", "24.01", "7.005", "1e3"])
def test_invalid_hours_are_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="hours"):
        entry(1, hours=wrong)
