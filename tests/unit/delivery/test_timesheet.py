from datetime import date, timedelta
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.delivery import (
    EngagementPutOnHold,
    ExpenseApproved,
    TierChosen,
    TimeApproved,
    TimeRejected,
    TimeSubmitted,
)
from delivery.engagement import Engagement
from delivery.planning.decisions import BaselinePlan
from delivery.service import ENGAGEMENT
from delivery.timesheet.decisions import ApproveExpense, ApproveTime, RejectTime, SubmitTime
from testkit.scenario import Scenario, like
from tests.amounts import eur, hours
from tests.unit.delivery.builders import (
    DRAFTED,
    EARLY_START,
    LOST,
    SOW,
    SOW_SIGNED,
    TASKS,
    TERMINATED,
    WEEK,
    kicked_off,
    released,
    signed,
    won,
)

TIME = SubmitTime(entry="T-1", role="architect", task="analysis", week=WEEK, hours=hours(40))
BUILD = SubmitTime(entry="T-2", role="developer", task="build", week=WEEK, hours=hours(8))
INITIATION = SubmitTime(
    entry="T-3", role="architect", task="initiation", week=WEEK, hours=hours(50)
)
SUBMITTED = TimeSubmitted(
    entry="T-1", person="dev", role="architect", task="analysis", week=WEEK, hours=hours(40)
)
APPROVED = TimeApproved(**dict(SUBMITTED), line="desk")


@cache
def submitted() -> Scenario[Engagement]:
    return released().published(SUBMITTED)


SECOND_START = EARLY_START.model_copy(
    update={"cap_hours": hours(40), "expires_on": date(2026, 5, 31)}
)


@cache
def unsigned() -> Scenario[Engagement]:
    return won().on(date(2026, 4, 8))


@cache
def early() -> Scenario[Engagement]:
    return unsigned().consumed(EARLY_START)


def at(time: SubmitTime, **update: object) -> SubmitTime:
    return SubmitTime.model_validate({**dict(time), **update})


def test_hours_are_the_callers_by_default() -> None:
    once = released().when(TIME, by="dev").then(SUBMITTED)
    once.when(TIME, by="dev").then_nothing()
    once.when(at(TIME, hours=hours(8)), by="dev").then_refused("already-recorded")
    released().when(at(TIME, person="dev"), by="mara").then(SUBMITTED)
    made = released().when(at(TIME, entry=None), by="dev").after
    assert made.view["time"].waiting[0].entry.startswith("T-")


@pytest.mark.parametrize("wrong", [hours(0), hours("-1"), hours("100.01"), "NaN", "1e3"])
def test_invalid_entries_are_refused(wrong) -> None:
    with pytest.raises(ValidationError):
        at(TIME, hours=wrong)
    with pytest.raises(ValidationError, match="Monday"):
        at(TIME, week=date(2026, 4, 7))


def test_a_week_has_at_most_a_hundred_hours_of_one_person() -> None:
    full = released().after(TIME, by="dev").after(at(TIME, entry="T-9", hours=hours(60)), by="dev")
    more = at(TIME, entry="T-10", hours=hours("0.01"))
    full.when(more, by="dev").then_refused("hours-beyond-limit", saying="100.01")
    full.when(more, by="milo").then_accepted()
    # Rejected hours do not count towards the limit.
    full.after(RejectTime(entry="T-9", why="Twice.")).when(more, by="dev").then_accepted()


def test_hours_of_a_future_week_are_refused() -> None:
    released().when(at(TIME, week=date(2026, 4, 13)), by="dev").then_refused("date-in-future")


def test_hours_are_approved_by_another_person() -> None:
    submitted().when(ApproveTime(entry="T-1"), by="dev").then_refused("approver-is-author")
    for_dev = released().after(at(TIME, person="dev"), by="mara")
    for_dev.when(ApproveTime(entry="T-1"), by="mara").then_refused("approver-is-author")
    approved = submitted().when(ApproveTime(entry="T-1"), by="mara").then(APPROVED)
    approved.when(ApproveTime(entry="T-1"), by="mara").then_nothing()
    approved.when(RejectTime(entry="T-1", why="No."), by="mara").then_refused("entry-decided")
    approved.when(TIME, by="dev").then_refused("entry-decided")
    released().when(ApproveTime(entry="T-9"), by="mara").then_refused("entry-unknown")
    approved.then_view(time__approved_hours=hours(40), time__waiting=())
    assert [task.approved_hours for task in approved.view["plan"].tasks] == [hours(40), 0, 0]


def test_a_stand_in_approves_neither_their_own_time_nor_that_of_whom_they_stand_in_for() -> None:
    approve = ApproveTime(entry="T-1")
    submitted().when(approve, by="max", on_behalf_of="mara").then(APPROVED)
    for by, person in (("dev", "mara"), ("max", "dev")):
        own = submitted().when(approve, by=by, on_behalf_of=person)
        own.then_refused("approver-is-author")
    for_dev = (
        released()
        .when(at(TIME, person=None), by="max", on_behalf_of="dev")
        .then(like(TimeSubmitted, person="dev"))
    )
    for_dev.when(approve, by="max").then_refused("approver-is-author")


def test_time_is_submitted_by_stand_ins_for_time() -> None:
    purposes = {kind.named(): entry.stand_in for kind, entry in ENGAGEMENT.commands.items()}
    assert [name for name, purpose in purposes.items() if purpose == "time"] == ["submit-time"]


def test_approved_time_has_the_kind_of_its_task() -> None:
    managing = at(TIME, entry="T-4", task="lead", role="project-manager")
    outcome = released().after(managing, by="milo").when(ApproveTime(entry="T-4"), by="mara")
    after = outcome.then(like(TimeApproved, kind="project-management", task="lead"))
    after.then_view(time__approved_by_kind={"project-management": hours(40)})
    # The baseline's kind applies although a newer draft has another, else that of the draft.
    other = DRAFTED.model_copy(
        update={"version": 2, "tasks": (TASKS[2].model_copy(update={"kind": "delivery"}),)}
    )
    for planned in (released().published(other), kicked_off().published(DRAFTED)):
        planned.after(managing, by="milo").when(ApproveTime(entry="T-4"), by="mara").then(
            like(TimeApproved, kind="project-management")
        )


def test_rejected_hours_are_not_counted() -> None:
    rejected = (
        submitted()
        .when(RejectTime(entry="T-1", why="Other week."))
        .then(TimeRejected(entry="T-1", why="Other week."))
    )
    rejected.when(RejectTime(entry="T-1", why="Other week.")).then_nothing()
    rejected.when(ApproveTime(entry="T-1"), by="mara").then_refused("entry-decided")
    rejected.then_view(time__approved_hours=hours(0), time__waiting=())
    rejected.when(at(TIME, entry="T-2", hours=hours(100)), by="dev").then_accepted()


def test_tasks_are_those_of_the_baseline() -> None:
    released().when(at(TIME, task="ghost"), by="dev").then_refused("task-unknown", saying="ghost")
    released().when(INITIATION, by="dev").then_accepted()  # the week in which it was baselined
    later = released().on(date(2026, 4, 15))
    week = date(2026, 4, 13)
    later.when(at(INITIATION, week=week), by="dev").then_refused("task-unknown")


def test_before_the_baseline_tasks_are_the_drafts_and_two_fixed_ones() -> None:
    kicked_off().when(TIME, by="dev").then_refused("task-unknown")
    kicked_off().when(INITIATION, by="dev").then(like(TimeSubmitted, task="initiation"))
    kicked_off().published(DRAFTED).when(TIME, by="dev").then_accepted()
    managing = at(INITIATION, task="project-management")
    kicked_off().after(managing, by="milo").when(ApproveTime(entry="T-3"), by="mara").then(
        like(TimeApproved, kind="project-management")
    )


def test_time_before_the_signature_is_refused() -> None:
    unsigned().when(INITIATION, by="dev").then_refused(
        "work-not-released", missing=["sow-not-signed"]
    )
    # Signed on Friday, 20 March: its week is covered, the one before is not.
    covered = at(INITIATION, week=date(2026, 3, 16))
    signed().when(covered, by="dev").then_accepted()
    before = at(INITIATION, week=date(2026, 3, 9))
    signed().when(before, by="dev").then_refused("work-not-released", saying="signed on 2026-03-20")


def test_an_early_start_covers_hours_up_to_its_cap() -> None:
    half = early().after(INITIATION, by="dev")
    more = at(INITIATION, entry="T-5", hours=hours("30.01"))
    half.when(more, by="milo").then_refused(
        "work-not-released", missing=["early-start-cap-spent"], saying="50 are logged"
    )
    full = half.after(at(more, hours=hours(30)), by="milo")
    # The entries themselves are within the cap and can be approved; nothing more can be logged.
    full.when(ApproveTime(entry="T-5"), by="mara").then_accepted()
    full.when(at(more, entry="T-6", hours=hours("0.01")), by="dev").then_refused(
        "work-not-released"
    )


def test_an_early_start_that_ended_covers_nothing_until_the_signature() -> None:
    waiting = early().after(INITIATION, by="dev").on(date(2026, 5, 4))
    for outcome in (
        waiting.when(at(INITIATION, entry="T-7"), by="dev"),
        waiting.when(ApproveTime(entry="T-3"), by="mara"),
    ):
        outcome.then_refused("work-not-released", missing=["early-start-expired"])
    late = SOW_SIGNED.model_copy(update={"signed_on": date(2026, 5, 4)})
    waiting.consumed(SOW, late).when(ApproveTime(entry="T-3"), by="mara").then_accepted()


def test_a_second_early_start_adds_to_the_first() -> None:
    full = early().after(at(INITIATION, hours=hours(80)), by="dev").on(date(2026, 5, 6))
    again = full.consumed(SECOND_START)
    more = at(INITIATION, entry="T-5", week=date(2026, 5, 4), hours=hours(40))
    again.after(more, by="dev").when(ApproveTime(entry="T-5"), by="mara").then_accepted()
    again.when(at(more, hours=hours("40.01")), by="dev").then_refused(
        "work-not-released", missing=["early-start-cap-spent"], saying="120 hours, 80 are logged"
    )
    # Hours of the first one's days count against the second one's cap, too.
    again.when(at(more, week=date(2026, 4, 20)), by="dev").then_accepted()


def test_the_unused_cap_of_an_early_start_ends_with_it() -> None:
    again = early().after(INITIATION, by="dev").on(date(2026, 5, 6)).consumed(SECOND_START)
    more = at(INITIATION, entry="T-5", week=date(2026, 5, 4), hours=hours("40.01"))
    again.when(more, by="dev").then_refused(
        "work-not-released", missing=["early-start-cap-spent"], saying="40 hours, 0 are logged"
    )


def test_authorised_work_may_be_logged_after_the_signature() -> None:
    late = SOW_SIGNED.model_copy(update={"signed_on": date(2026, 5, 12)})
    contracted = early().after(INITIATION, by="dev").consumed(SOW, late).on(date(2026, 5, 13))
    # The early start ended on a Thursday: its week is covered, the next one is not.
    rest = at(INITIATION, entry="T-5", week=date(2026, 4, 27), hours=hours(30))
    contracted.when(rest, by="dev").then_accepted()
    contracted.when(at(rest, hours=hours("30.01")), by="dev").then_refused(
        "work-not-released", missing=["early-start-cap-spent"]
    )
    contracted.when(at(rest, week=date(2026, 5, 4)), by="dev").then_refused(
        "work-not-released", missing=["early-start-expired"], saying="after this work"
    )


def test_hours_after_the_signature_are_not_charged_to_the_early_start() -> None:
    begun = early().after(at(INITIATION, hours=hours(80)), by="dev")
    late = SOW_SIGNED.model_copy(update={"signed_on": date(2026, 4, 13)})
    contracted = begun.consumed(SOW, late).on(date(2026, 4, 15))
    after = at(INITIATION, entry="T-8", week=date(2026, 4, 13))
    contracted.when(after, by="dev").then_accepted()
    before = at(INITIATION, entry="T-9", hours=hours(1))
    contracted.when(before, by="dev").then_refused(
        "work-not-released", missing=["early-start-cap-spent"]
    )


def test_the_contract_covers_the_week_of_its_signature() -> None:
    on_wednesday = SOW_SIGNED.model_copy(update={"signed_on": date(2026, 4, 15)})
    contracted = (
        early().after(INITIATION, by="dev").consumed(SOW, on_wednesday).on(date(2026, 4, 17))
    )
    this_week = at(INITIATION, entry="T-8", week=date(2026, 4, 13), hours=hours(60))
    rest = at(INITIATION, entry="T-9", hours=hours(30))
    contracted.after(this_week, by="dev").when(rest, by="dev").then_accepted()


def test_implementation_waits_for_requirements_and_baseline() -> None:
    drafted = kicked_off().published(DRAFTED)
    drafted.when(BUILD, by="dev").then_refused(
        "implementation-not-released", missing=["brd-not-signed-off", "plan-not-baselined"]
    )
    baselined = drafted.after(BaselinePlan(version=1))
    baselined.when(BUILD, by="dev").then_refused(
        "implementation-not-released", missing=["brd-not-signed-off"]
    )
    released().when(BUILD, by="dev").then_accepted()


def test_work_dated_before_gate_4_opened_is_refused() -> None:
    early_week = at(BUILD, week=date(2026, 3, 30))
    released().when(early_week, by="dev").then_refused(
        "implementation-not-released", missing=["brd-not-signed-off", "plan-not-baselined"]
    )


def test_in_the_light_tier_the_contract_includes_the_requirements() -> None:
    light = TierChosen(tier="light", proposed="light", reason="Small.")
    baselined = kicked_off().published(light, DRAFTED).after(BaselinePlan(version=1))
    baselined.when(BUILD, by="dev").then_accepted()
    unsigned_light = early().published(light, DRAFTED).after(BaselinePlan(version=1))
    unsigned_light.when(BUILD, by="dev").then_refused(
        "implementation-not-released",
        missing=["brd-not-signed-off"],
        saying="statement of work is not signed",
    )


def test_time_before_a_termination_is_still_approved_or_rejected() -> None:
    over = submitted().consumed(TERMINATED)
    over.when(ApproveTime(entry="T-1"), by="mara").then(APPROVED)
    submitted().consumed(LOST).when(ApproveTime(entry="T-1"), by="mara").then_refused(
        "engagement-over"
    )


def test_time_up_to_a_termination_may_be_logged_after_it() -> None:
    # Terminated on Monday, 4 May.
    over = released().consumed(TERMINATED).on(date(2026, 5, 12))
    last_week = at(TIME, week=date(2026, 5, 4))
    logged = over.after(last_week, by="dev")
    logged.when(ApproveTime(entry="T-1"), by="mara").then_accepted()
    over.when(at(TIME, week=date(2026, 5, 11)), by="dev").then_refused(
        "engagement-over", saying="2026-05-04"
    )
    # Time after the hold began is refused after the termination, too.
    held = EngagementPutOnHold(reason="Waiting for data.", held_on=date(2026, 4, 22))
    rested = released().published(held).consumed(TERMINATED).on(date(2026, 5, 12))
    rested.when(at(TIME, week=date(2026, 4, 20)), by="dev").then_accepted()
    rested.when(at(TIME, week=date(2026, 4, 27)), by="dev").then_refused("engagement-on-hold")


def test_an_expense_may_name_a_line_of_the_contract() -> None:
    spend = ApproveExpense(
        expense="X-1", person="dev", amount=eur(10), description="Train", spent_on=WEEK
    )
    [line, *_] = released().state.lines
    named = spend.model_copy(update={"line": line.line})
    released().when(named, by="mara").then(like(ExpenseApproved, line=line.line))
    unknown = spend.model_copy(update={"line": "cruise"})
    released().when(unknown, by="mara").then_refused("line-unknown", saying="no line cruise")


def test_expenses_are_approved_by_another_person() -> None:
    spend = ApproveExpense(
        expense="X-1",
        person="dev",
        amount=eur("120.50"),
        description="Train",
        spent_on=WEEK,
    )
    approved = (
        released()
        .when(spend, by="mara")
        .then(
            ExpenseApproved(
                expense="X-1",
                person="dev",
                amount=eur("120.50"),
                description="Train",
                spent_on=WEEK,
                billable=True,
            )
        )
    )
    approved.when(spend, by="mara").then_nothing()
    released().when(spend, by="dev").then_refused("approver-is-author")
    other = spend.model_copy(update={"amount": eur(9)})
    approved.when(other, by="mara").then_refused("already-recorded")
    tomorrow = spend.model_copy(update={"spent_on": WEEK + timedelta(days=9)})
    released().when(tomorrow, by="mara").then_refused("date-in-future")


def test_an_early_start_in_money_allows_work_at_bill_rates() -> None:
    in_money = EARLY_START.model_copy(update={"cap_hours": None, "cap_amount": eur(5_000)})
    begun = unsigned().consumed(in_money)
    unrated = begun.when(INITIATION, by="dev")
    unrated.then_refused("work-not-released", missing=["rates-missing"], saying="architect has no")
    build = at(INITIATION, role="developer", hours=hours(50))  # at 100.00 EUR an hour
    begun.when(at(build, hours=hours("50.01")), by="dev").then_refused(
        "work-not-released",
        missing=["early-start-cap-spent"],
        saying="allows 5,000.00 EUR, 0.00 EUR are logged: 5,001.00 EUR more exceed the cap",
    )
    spent = begun.after(build, by="dev")
    spent.when(at(build, entry="T-4", hours=hours("0.01")), by="milo").then_refused(
        "work-not-released", missing=["early-start-cap-spent"]
    )
    spent.after(RejectTime(entry="T-3", why="No."), by="mara").when(
        at(build, entry="T-4"), by="milo"
    ).then_accepted()
    # Both caps apply.
    both = begun.consumed(EARLY_START.model_copy(update={"cap_hours": hours(40)}))
    both.when(build, by="dev").then_refused("work-not-released", saying="allows 40 hours")


ENTRIES = st.lists(
    st.tuples(
        st.sampled_from(["dev", "milo"]),
        st.sampled_from(["initiation", "project-management"]),
        st.integers(1, 100),
        st.sampled_from(["approve", "reject", "leave"]),
    ),
    max_size=12,
)


@settings(max_examples=40)
@given(entries=ENTRIES)
def test_logged_hours_add_up_and_stay_within_their_limits(entries) -> None:
    for begin, limit in ((early(), hours(80)), (kicked_off(), hours(2 * 100))):
        scenario, approved, left = begin, hours(0), hours(0)
        for number, (who, task, count, then) in enumerate(entries):
            entry = f"T-{number}"
            time = at(INITIATION, entry=entry, task=task, person=who, hours=hours(count))
            outcome = scenario.when(time, by=who)
            scenario = outcome.after
            if outcome.refusal is not None:
                assert outcome.refusal.code in {"work-not-released", "hours-beyond-limit"}
                continue
            if then == "approve":
                scenario = scenario.after(ApproveTime(entry=entry), by="mara")
                approved += count
            elif then == "reject":
                scenario = scenario.after(RejectTime(entry=entry, why="No."), by="mara")
            else:
                left += count
        sheet = scenario.state.timesheet
        assert sheet.approved_hours == sum(sheet.by_task.values()) == approved
        assert sum(entry.hours for entry in scenario.view["time"].waiting) == left
        assert sum(sheet.before(None).values()) == approved + left <= limit
        assert all(sheet.in_week(who, WEEK) <= 100 for who in ("dev", "milo"))
