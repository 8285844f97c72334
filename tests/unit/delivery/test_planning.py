from datetime import date
from functools import cache

import pytest
from pydantic import ValidationError

from chassis.domain.working_days import MONDAY_TO_FRIDAY
from contracts.delivery import (
    ChangeApproved,
    ChangeAssessed,
    ChangeRequested,
    PlanBaselined,
    PlanCalendar,
    PlanDrafted,
    PlannedMonth,
    PlannedProfile,
)
from contracts.legal import AmendmentSigned
from contracts.lines import LineChange, LineScopeChange, NewLine, RoleHoursDelta
from contracts.reference import WORKING_WEEK, CalendarPublished, CompanyPublished, Reference
from contracts.values import LAST_DAY, Milestone, PlannedTask, RoleHours, TaskLink
from delivery.changes.decisions import RejectChange
from delivery.engagement import Engagement
from delivery.planning.decisions import BaselinePlan, DraftPlan
from delivery.progress.decisions import ProgressTask, ReachMilestone
from testkit.scenario import Scenario, like
from tests.amounts import eur, hours
from tests.unit.delivery.builders import (
    BASELINED,
    DRAFTED,
    FINISH,
    HASH,
    LINES,
    MILESTONES,
    PEOPLE,
    PROPOSED,
    REQUESTED,
    START,
    TASKS,
    TEMPLATE,
    TODAY,
    WON,
    asked,
    estimated,
    kicked_off,
    released,
    signed,
    won,
)

FROM_TEMPLATE = DraftPlan(template="web")
GIVEN = DraftPlan(
    template="web", tasks=TASKS, milestones=MILESTONES, deliverables=REQUESTED.deliverables
)
CHANGE = ChangeRequested(
    change="CR-1", requested_by="cleo", description="A manual.", requested_on=START
)
ASSESSED = ChangeAssessed(
    change="CR-1",
    changes=(
        LineScopeChange(line="desk", hours=(RoleHoursDelta(role="writer", hours=hours(20)),)),
    ),
    days=5,
    risk="Little.",
)
WITH_CHANGE = GIVEN.model_copy(update={"changes": ("CR-1",)})
APPROVED = ChangeApproved(change="CR-1", approved_by="cleo", approved_on=START)


def test_a_plan_is_scheduled_from_the_sold_estimate() -> None:
    drafted = (
        won()
        .when(FROM_TEMPLATE)
        .then(
            like(
                PlanDrafted,
                version=1,
                template_version=1,
                estimate_version=1,
                deliverables=REQUESTED.deliverables,
            )
        )
    )
    plan = drafted.view["plan"].draft
    assert min(task.starts_on for task in plan.tasks) == START
    assert max(task.finishes_on for task in plan.tasks) == date(2026, 7, 14)  # 100 days
    assert sum((part.hours for task in plan.tasks for part in task.hours), hours(0)) == hours(270)
    drafted.when(FROM_TEMPLATE).then_nothing()


def test_days_and_hours_may_differ_from_the_sold_ones() -> None:
    other = DraftPlan(template="web", starts_on=date(2026, 5, 4), duration_days=10)
    plan = won().when(other).then(like(PlanDrafted, version=1)).view["plan"].draft
    assert {milestone.due_on for milestone in plan.milestones} == {
        date(2026, 5, 5),
        date(2026, 5, 13),
    }


def test_before_the_deal_is_won_the_start_has_to_be_given() -> None:
    estimated().when(FROM_TEMPLATE).then_refused("start-not-agreed")
    begun = DraftPlan(template="web", starts_on=START)
    estimated().when(begun).then(like(PlanDrafted, estimate_version=1))
    asked().when(begun).then_refused("estimate-unknown")
    won().when(DraftPlan(template="none")).then_refused("template-unknown")
    late = DraftPlan(template="web", starts_on=LAST_DAY)
    won().when(late).then_refused("plan-beyond-calendar")


def test_a_plan_may_be_given_whole() -> None:
    drafted = won().when(GIVEN).then(DRAFTED)
    longer = GIVEN.model_copy(update={"tasks": TASKS[:1]})
    drafted.when(longer).then(like(PlanDrafted, version=2, tasks=TASKS[:1]))
    with pytest.raises(ValidationError, match="tasks are needed"):
        DraftPlan(template="web", milestones=MILESTONES)
    with pytest.raises(ValidationError, match="tasks are given"):
        DraftPlan(template="web", tasks=TASKS, starts_on=START)


def test_a_plan_with_contradictions_is_refused() -> None:
    wrong = GIVEN.model_copy(
        update={
            "tasks": (*TASKS, TASKS[1].model_copy(update={"task": "x"})),
            "milestones": (
                *MILESTONES,
                Milestone(milestone="M3", title="?", due_on=START, deliverables=("ghost",)),
            ),
            "deliverables": REQUESTED.deliverables[:1],
        }
    )
    refused = won().when(wrong)
    refused.then_refused("plan-inconsistent", missing=["plan-inconsistent"])
    assert refused.refusal is not None
    assert [item.sentence for item in refused.refusal.missing] == [
        "milestone M2 names deliverable portal, which the plan does not list",
        "milestone M3 names deliverable ghost, which the plan does not list",
        "task build names deliverable portal, which the plan does not list",
        "task x names deliverable portal, which the plan does not list",
    ]


@pytest.mark.parametrize(
    ("field", "repeated", "name"),
    [
        ("tasks", (*TASKS, TASKS[0]), "analysis"),
        ("milestones", (*MILESTONES, MILESTONES[0]), "M1"),
        ("deliverables", REQUESTED.deliverables[:1] * 2, "design"),
    ],
)
def test_ids_in_a_plan_are_distinct(field: str, repeated: tuple[object, ...], name: str) -> None:
    with pytest.raises(ValidationError, match=rf"{field}\n.*{name} appears more than once"):
        DraftPlan.model_validate({**dict(GIVEN), field: repeated})


def test_a_change_named_like_a_task_of_the_template_is_refused() -> None:
    task = signed().after(FROM_TEMPLATE).view["plan"].draft.tasks[0].task
    clashing = signed().published(
        *(each.model_copy(update={"change": task}) for each in (CHANGE, ASSESSED, APPROVED))
    )
    clashing.when(FROM_TEMPLATE).then_refused(
        "plan-inconsistent",
        missing=["plan-inconsistent"],
        saying=f"task {task} is listed more than once",
    )


def test_what_is_reached_stays_with_its_milestone_and_task_when_the_template_changes() -> None:
    def baselined(scenario: Scenario[Engagement]) -> Scenario[Engagement]:
        drafted = scenario.after(FROM_TEMPLATE)
        return drafted.after(BaselinePlan(version=drafted.view["plan"].draft.version))

    def progress(scenario: Scenario[Engagement]) -> dict[str, object]:
        plan = scenario.view["plan"]
        return {each.planned.title: each.reached_on for each in plan.milestones} | {
            each.planned.title: each.progressed and each.progressed.complete for each in plan.tasks
        }

    planned = baselined(released())
    plan = planned.view["plan"]
    [analysis] = [each.planned for each in plan.milestones if each.planned.title == "Analysis"]
    [first] = [each.planned for each in plan.tasks if each.planned.title == "Requirements"]
    worked = planned.after(ReachMilestone(milestone=analysis.milestone)).after(
        ProgressTask(task=first.task, complete=hours(50), remaining_hours=hours(12))
    )
    before, build = TEMPLATE.phases
    pilot = before.model_copy(update={"phase": "Pilot", "duration_share": hours(0), "tasks": ()})
    swapped = TEMPLATE.model_copy(update={"phases": (build, pilot, before)})
    again = progress(baselined(worked.knowing(swapped)))
    assert again == {**progress(worked), "Pilot": None}
    assert (again["Analysis"], again["Requirements"]) == (TODAY, 50)
    assert all(value is None for name, value in again.items() if name[:3] not in {"Ana", "Req"})


def test_the_newest_draft_becomes_the_baseline_once() -> None:
    drafted = signed().published(DRAFTED)
    baselined = drafted.when(BaselinePlan(version=1, baselined_on=date(2026, 4, 7))).then(BASELINED)
    baselined.when(BaselinePlan(version=1)).then_nothing()
    signed().when(BaselinePlan(version=1)).then_refused(
        "plan-not-newest-draft", saying="there is none"
    )
    drafted.when(BaselinePlan(version=2)).then_refused(
        "plan-not-newest-draft", saying="the newest is 1"
    )


def test_a_rebaseline_adds_the_changes_of_its_draft_to_earlier_ones() -> None:
    asked_for = released().published(CHANGE)
    asked_for.when(WITH_CHANGE).then_refused("change-not-approved", missing=["change-not-approved"])
    released().when(WITH_CHANGE).then_refused("change-not-approved", missing=["change-unknown"])
    drafted = asked_for.published(APPROVED).when(WITH_CHANGE)
    again = drafted.then(DRAFTED.model_copy(update={"version": 2, "changes": ("CR-1",)}))
    again.when(WITH_CHANGE).then_nothing()
    second = again.when(BaselinePlan(version=2)).then(
        like(PlanBaselined, version=2, changes=("CR-1",), tasks=TASKS)
    )
    # Its amendment is not signed: it is included unless the plan names no changes.
    third = second.after(GIVEN).when(BaselinePlan(version=3))
    third.then(like(PlanBaselined, version=3, changes=("CR-1",)))
    # The first baseline was made on 7 April, the others on 8 April.
    progress = ProgressTask(
        task="build", complete=hours(1), remaining_hours=hours(1), as_of=date(2026, 4, 7)
    )
    third.after.when(progress).then_accepted()


NO_CHANGES = GIVEN.model_copy(update={"changes": ()})
SIGNED = AmendmentSigned(
    amendment="A-CR-1",
    change="CR-1",
    content_hash=HASH,
    changes=(LineChange(**dict(ASSESSED.changes[0]), price_delta=eur(2_000)),),
    price_delta=eur(2_000),
    finishes_on=FINISH,
    signatories=(),
    signed_on=START,
)


@cache
def changed() -> Scenario[Engagement]:
    return released().published(CHANGE, APPROVED).after(WITH_CHANGE).after(BaselinePlan(version=2))


def test_a_task_of_a_change_needs_the_change_in_its_plan() -> None:
    task = GIVEN.tasks[0].model_copy(update={"change": "CR-1"})
    without = NO_CHANGES.model_copy(update={"tasks": (task, *GIVEN.tasks[1:])})
    changed().when(without).then_refused(
        "plan-inconsistent", saying="of change CR-1, which the plan does not include"
    )
    changed().when(without.model_copy(update={"changes": ("CR-1",)})).then_accepted()


def test_a_plan_may_leave_out_an_unsigned_change() -> None:
    without = changed().after(NO_CHANGES)
    outcome = without.when(BaselinePlan(version=3))
    outcome.then(like(PlanBaselined, version=3, changes=()))
    outcome.after.when(BaselinePlan(version=3)).then_nothing()


def test_a_plan_cannot_leave_out_a_signed_change() -> None:
    agreed = changed().consumed(SIGNED).after(NO_CHANGES).when(BaselinePlan(version=3))
    agreed.then(like(PlanBaselined, changes=("CR-1",)))
    # It was drafted before the amendment was processed.
    crossed = changed().after(NO_CHANGES).consumed(SIGNED)
    crossed.when(BaselinePlan(version=3)).then_refused(
        "changes-differ", missing=["change-not-in-plan"], saying="does not include: draft it with"
    )


def test_a_rejected_change_is_in_no_further_plan() -> None:
    given_up = changed().after(RejectChange(change="CR-1", why="No money."))
    for plan in (GIVEN, FROM_TEMPLATE):
        drafted = given_up.after(plan).when(BaselinePlan(version=3))
        drafted.then(like(PlanBaselined, changes=()))
    given_up.when(WITH_CHANGE).then_refused(
        "change-not-approved", missing=["change-rejected"], saying="CR-1 was rejected"
    )
    drafted_before = released().published(CHANGE, APPROVED).after(WITH_CHANGE)
    rejected_since = drafted_before.after(RejectChange(change="CR-1", why="No money."))
    rejected_since.when(BaselinePlan(version=2)).then_refused(
        "change-not-approved", missing=["change-rejected"]
    )


def test_a_baseline_includes_no_change_that_was_not_drafted() -> None:
    # The newest draft was made before the change was approved.
    drafted = (
        released().after(GIVEN.model_copy(update={"tasks": TASKS[:2]})).published(CHANGE, APPROVED)
    )
    with_change = BaselinePlan(version=2, changes=("CR-1",))
    drafted.when(with_change).then_refused(
        "changes-differ", missing=["change-not-in-plan"], saying="changes names CR-1"
    )
    drafted.when(BaselinePlan(version=2)).then(like(PlanBaselined, version=2, changes=()))
    drafted.after(WITH_CHANGE).when(BaselinePlan(version=3, changes=("CR-1",))).then_accepted()


def test_a_baseline_names_every_drafted_change() -> None:
    two = signed().published(
        CHANGE,
        ASSESSED,
        APPROVED,
        CHANGE.model_copy(update={"change": "CR-2"}),
        ASSESSED.model_copy(update={"change": "CR-2"}),
        APPROVED.model_copy(update={"change": "CR-2"}),
    )
    both = two.after(FROM_TEMPLATE)
    only_one = BaselinePlan(version=1, changes=("CR-1",))
    both.when(only_one).then_refused(
        "changes-differ", missing=["change-not-named"], saying="changes does not name CR-2"
    )
    both.when(BaselinePlan(version=1)).then(like(PlanBaselined, changes=("CR-1", "CR-2")))
    first = two.after(FROM_TEMPLATE.model_copy(update={"changes": ("CR-1",)}))
    outcome = first.when(only_one)
    outcome.then(like(PlanBaselined, changes=("CR-1",)))
    plan = first.view["plan"].draft
    assert [task.task for task in plan.tasks if task.phase == "Changes"] == ["CR-1"]
    assert plan.milestones[-1].due_on == date(2026, 7, 19)


def test_a_scheduled_plan_includes_hours_and_days_of_approved_changes() -> None:
    asked_for = signed().published(CHANGE, ASSESSED)
    unchanged = asked_for.after(FROM_TEMPLATE).view["plan"].draft
    assert unchanged.milestones[-1].due_on == date(2026, 7, 14)
    assert {task.phase for task in unchanged.tasks} == {"Analysis", "Build"}
    approved = asked_for.published(APPROVED).after(FROM_TEMPLATE).view["plan"].draft
    assert approved.milestones[-1].due_on == date(2026, 7, 19)
    task = approved.tasks[-1]
    assert (task.task, task.change, task.line, task.hours, task.finishes_on) == (
        "CR-1",
        "CR-1",
        "desk",
        (RoleHours(role="writer", hours=hours(20)),),
        date(2026, 7, 19),
    )


def test_changes_are_planned_in_the_order_of_their_requests() -> None:
    first, second = (
        [each.model_copy(update={"change": name}) for each in (CHANGE, ASSESSED, APPROVED)]
        for name in ("CR-1", "CR-2")
    )
    requested = signed().published(*first[:2], *second[:2])
    approved = requested.published(second[2], first[2]).after(FROM_TEMPLATE)
    assert approved.view["plan"].draft.changes == ("CR-1", "CR-2")


def test_a_baseline_does_not_add_a_change_afterwards() -> None:
    approved = released().published(CHANGE, APPROVED)
    approved.when(BaselinePlan(version=1, changes=("CR-1",))).then_refused("plan-baselined")


def test_a_task_belongs_to_the_only_line_that_has_its_roles() -> None:
    def lines(*tasks: PlannedTask) -> list[str | None]:
        plan = won().after(GIVEN.model_copy(update={"tasks": tasks})).view["plan"].draft
        return [task.line for task in plan.tasks]

    unnamed = [task.model_copy(update={"line": None}) for task in TASKS]
    assert lines(*unnamed) == ["desk", "desk", "managing"]
    both = unnamed[0].model_copy(
        update={"hours": (*TASKS[0].hours, RoleHours(role="writer", hours=hours(1)))}
    )
    assert lines(both) == [None]
    assert lines(unnamed[0].model_copy(update={"line": "managing"})) == ["managing"]


def test_a_line_that_the_contract_does_not_have_is_refused_by_name() -> None:
    ghost = GIVEN.model_copy(update={"tasks": (TASKS[0].model_copy(update={"line": "ghost"}),)})
    ghost = ghost.model_copy(update={"milestones": ()})
    won().when(ghost).then_refused(
        "plan-inconsistent",
        missing=["plan-inconsistent"],
        saying="task analysis names line ghost, which the contract does not have",
    )
    # A change that the plan includes adds the line.
    adds = ASSESSED.model_copy(
        update={
            "changes": (
                LineScopeChange(
                    line="ghost",
                    hours=(RoleHoursDelta(role="writer", hours=hours(20)),),
                    new=NewLine(title="Support", pricing="time-and-materials"),
                ),
            )
        }
    )
    asked_for = signed().published(CHANGE, adds, APPROVED)
    asked_for.when(ghost.model_copy(update={"changes": ("CR-1",)})).then_accepted()
    asked_for.when(ghost.model_copy(update={"changes": ()})).then_refused("plan-inconsistent")


def planned(scenario: Scenario[Engagement]) -> dict[str, int]:
    """Return the hours of a scheduled plan by role."""
    plan = scenario.after(FROM_TEMPLATE).view["plan"]
    return {each.role: each.planned for each in plan.hours}


def test_a_scheduled_plan_has_the_hours_that_were_sold() -> None:
    # Contingency is sold and not planned.
    assert planned(won()) == {"architect": 40, "developer": 200, "project-manager": 30}
    fewer = LINES[0].model_copy(update={"hours": (RoleHours(role="developer", hours=hours(120)),)})
    writer = LINES[1].model_copy(
        update={"hours": (*LINES[1].hours, RoleHours(role="writer", hours=hours(8)))}
    )
    sold = estimated().consumed(PROPOSED, WON.model_copy(update={"lines": (fewer, writer)}))
    assert planned(sold) == {"developer": 120, "project-manager": 30, "writer": 8}


def test_a_change_that_takes_hours_away_lowers_the_scheduled_plan() -> None:
    less = (
        LineScopeChange(
            line="desk",
            hours=(
                RoleHoursDelta(role="developer", hours=hours(-80)),
                RoleHoursDelta(role="architect", hours=hours(4)),
            ),
        ),
        LineScopeChange(
            line="managing", hours=(RoleHoursDelta(role="project-manager", hours=hours(2)),)
        ),
    )
    asked_for = signed().published(CHANGE, ASSESSED.model_copy(update={"changes": less}), APPROVED)
    assert planned(asked_for) == {"architect": 44, "developer": 120, "project-manager": 32}
    plan = asked_for.after(FROM_TEMPLATE).view["plan"]
    tasks = [each for each in plan.draft.tasks if each.phase == "Changes"]
    assert [(each.task, each.line, each.kind, each.implementation) for each in tasks] == [
        ("CR-1.desk", "desk", "delivery", True),
        ("CR-1.managing", "managing", "project-management", False),
    ]
    # Once signed, the terms of the amendment apply.
    smaller = LineChange(
        line="desk",
        hours=(RoleHoursDelta(role="developer", hours=hours(-50)),),
        price_delta=eur(-5_000),
    )
    agreed = asked_for.consumed(SIGNED.model_copy(update={"changes": (smaller,)}))
    assert planned(agreed) == {"architect": 40, "developer": 150, "project-manager": 30}
    sold = {each.role: each.sold for each in agreed.after(FROM_TEMPLATE).view["plan"].hours}
    assert sold == {"architect": 44, "developer": 170, "project-manager": 33}


def linked(*links: TaskLink, assignee: str | None = None) -> DraftPlan:
    """Return a draft of the given tasks in which the last one follows others."""
    *others, last = TASKS
    changed = last.model_copy(update={"after": links, "assignee": assignee})
    return GIVEN.model_copy(update={"tasks": (*others, changed)})


def test_a_task_is_moved_to_the_working_day_after_the_one_that_it_follows() -> None:
    first, last = TASKS[0], TASKS[-1]
    begins = MONDAY_TO_FRIDAY.add(first.finishes_on, 1)
    drafted = won().when(linked(TaskLink(task=first.task))).events[-1]
    assert isinstance(drafted, PlanDrafted)
    moved = drafted.tasks[-1]
    assert moved.starts_on == max(begins, MONDAY_TO_FRIDAY.add(last.starts_on, 0))
    assert drafted.tasks[0] == first


OUR_COMPANY = CompanyPublished(
    company="our",
    legal_name="Our GmbH",
    address="Hafenweg 1",
    country="DE",
    base_currency="EUR",
    time_zone="Europe/Berlin",
    calendar="de",
)
GERMANY = CalendarPublished(calendar="de", name="Germany", country="DE")


def by_calendar(*records: Reference) -> tuple[Scenario[Engagement], PlanDrafted]:
    """Return a draft of three days that follow the design, and a review five days after them."""
    design, build, review = TASKS
    tasks = (
        design.model_copy(
            update={"starts_on": date(2026, 4, 27), "finishes_on": date(2026, 4, 30)}
        ),
        build.model_copy(
            update={
                "starts_on": date(2026, 4, 27),
                "finishes_on": date(2026, 4, 29),
                "after": (TaskLink(task=design.task),),
            }
        ),
        review.model_copy(
            update={
                "starts_on": date(2026, 4, 27),
                "finishes_on": date(2026, 4, 27),
                "after": (TaskLink(task=build.task, lag_days=5),),
            }
        ),
    )
    scenario = won().knowing(*PEOPLE, TEMPLATE, *records)
    outcome = scenario.when(GIVEN.model_copy(update={"tasks": tasks}))
    drafted = outcome.events[-1]
    assert isinstance(drafted, PlanDrafted)
    return outcome.after, drafted


def test_links_and_lags_count_the_working_days_of_the_company_that_sells() -> None:
    scenario, drafted = by_calendar(OUR_COMPANY, GERMANY)
    # 1 May is Labour Day and 14 May Ascension Day. So the design (27 to 30 April) is followed on
    # Monday 4 May; the lag is 7, 8, 11, 12 and 13 May, and the review is on Friday 15 May.
    _, build, review = drafted.tasks
    assert (build.starts_on, build.finishes_on) == (date(2026, 5, 4), date(2026, 5, 6))
    assert review.starts_on == review.finishes_on == date(2026, 5, 15)
    assert drafted.calendar == PlanCalendar(
        calendar="de", weekdays=WORKING_WEEK, days_off=(date(2026, 5, 1), date(2026, 5, 14))
    )
    scenario.when(GIVEN.model_copy(update={"tasks": drafted.tasks})).then_nothing()
    shown = scenario.after(BaselinePlan(version=1)).knowing().view["plan"].tasks
    assert [each.critical for each in shown] == [True, True, True]
    assert [each.latest_finish for each in shown] == [
        date(2026, 4, 30),
        date(2026, 5, 6),
        date(2026, 5, 15),
    ]


def test_without_a_calendar_of_the_company_the_week_is_monday_to_friday() -> None:
    for records in ((), (OUR_COMPANY.model_copy(update={"calendar": None}), GERMANY)):
        _, drafted = by_calendar(*records)
        _, build, review = drafted.tasks
        assert (build.starts_on, build.finishes_on) == (date(2026, 5, 1), date(2026, 5, 5))
        assert review.starts_on == date(2026, 5, 13)
        assert drafted.calendar is None


def test_a_calendar_of_the_company_that_is_not_published_is_named() -> None:
    unknown = won().knowing(*PEOPLE, TEMPLATE, OUR_COMPANY)
    unknown.when(GIVEN).then_refused("calendar-unknown", saying="de is published")


def test_tasks_that_follow_each_other_in_a_circle_are_refused() -> None:
    won().when(linked(TaskLink(task=TASKS[-1].task))).then_refused("plan-inconsistent")


def test_a_link_to_an_unknown_task_is_refused() -> None:
    won().when(linked(TaskLink(task="nowhere"))).then_refused("plan-inconsistent")


def test_an_unknown_assignee_is_refused() -> None:
    won().when(linked(assignee="nobody.known")).then_refused("person-unknown")


def test_a_plan_says_how_its_work_is_planned_and_earned() -> None:
    milestone = MILESTONES[0].milestone
    earned = PlannedTask.model_validate(
        {
            **dict(TASKS[0]),
            "earned_by": "milestones",
            "milestones": [{"milestone": milestone, "weight": 100}],
        }
    )
    months = (PlannedMonth(month="2026-09", complete=hours(100)),)
    profiles = (PlannedProfile(months=months),)
    terms = {"tasks": (earned, *TASKS[1:]), "profiles": profiles}
    drafted = won().after(GIVEN.model_copy(update=terms)).after(BaselinePlan(version=1))
    baseline = drafted.state.planning.baseline
    assert baseline is not None
    assert (baseline.tasks[0].milestones, baseline.profiles) == (earned.milestones, profiles)

    elsewhere = earned.milestones[0].model_copy(update={"milestone": "ghost"})
    lost = earned.model_copy(update={"milestones": (elsewhere,)})
    won().when(GIVEN.model_copy(update={"tasks": (lost, *TASKS[1:])})).then_refused(
        "plan-inconsistent", saying="milestone ghost, which the plan does not list"
    )
    unknown = PlannedProfile(line="ghost", months=months)
    won().when(GIVEN.model_copy(update={"profiles": (unknown,)})).then_refused(
        "plan-inconsistent", saying="line ghost, which the contract does not have"
    )


def test_the_same_baseline_of_another_day_is_refused() -> None:
    baselined = kicked_off().published(DRAFTED).after(BaselinePlan(version=1))
    baselined.when(BaselinePlan(version=1)).then_nothing()
    other = BaselinePlan(version=1, baselined_on=date(2026, 4, 7))
    baselined.when(other).then_refused("already-recorded", saying="baselined_on")
