from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from contracts.delivery import PlanContent
from contracts.reference import TemplatePhase, TemplatePublished, TemplateTask
from contracts.values import EstimateLine
from delivery.planning.scheduling import REST, contradictions, schedule
from tests.amounts import hours
from tests.unit.delivery.builders import REQUESTED, START, TEMPLATE, deliverable


def test_phases_follow_each_other_and_end_in_milestones() -> None:
    plan = schedule(TEMPLATE, TEMPLATE.estimate, REQUESTED.deliverables, START, 100)
    assert [(task.task, task.title, task.hours[0].hours) for task in plan.tasks] == [
        ("1.1", "Requirements", hours(24)),
        ("1.2", "Set up", hours(12)),
        ("2.1", "Design", hours(16)),
        ("2.2", "Code", hours(200)),
        ("2.3", "Lead", hours(18)),
    ]
    assert {(task.phase, task.starts_on, task.finishes_on) for task in plan.tasks} == {
        ("Analysis", START, date(2026, 4, 30)),
        ("Build", date(2026, 5, 1), date(2026, 7, 14)),
    }
    assert [(each.title, each.due_on, each.deliverables) for each in plan.milestones] == [
        ("Analysis", date(2026, 4, 30), ()),
        ("Build", date(2026, 7, 14), ("design", "portal")),
    ]


def test_deliverables_fall_due_along_the_phases_of_implementation() -> None:
    analysis, build = TEMPLATE.phases
    third = build.model_copy(update={"duration_share": hours(25), "tasks": ()})
    longer = TEMPLATE.model_copy(update={"phases": (analysis, third, third, third)})

    def due(*names: str) -> list[tuple[str, ...]]:
        deliverables = [deliverable(name) for name in names]
        return [m.deliverables for m in schedule(longer, (), deliverables, START, 100).milestones]

    assert due("a") == [(), (), (), ("a",)]
    assert due("a", "b") == [(), (), ("a",), ("b",)]
    assert due("a", "b", "c", "d") == [(), ("a",), ("b",), ("c", "d")]


def test_project_management_and_analysis_do_not_wait_for_implementation() -> None:
    plan = schedule(TEMPLATE, TEMPLATE.estimate, (), START, 100)
    assert [task.task for task in plan.tasks if task.implementation] == ["2.1", "2.2"]


def test_a_role_the_template_does_not_name_loses_no_hours() -> None:
    tester = EstimateLine(phase="Test", role="tester", hours=hours(20))
    director = EstimateLine(phase="All", role="director", hours=hours(5), kind="project-management")
    plan = schedule(TEMPLATE, (*TEMPLATE.estimate, tester, director), (), START, 100)
    rest = [task for task in plan.tasks if task.phase == REST]
    assert [(t.task, t.title, t.kind, t.implementation, t.hours[0].hours) for t in rest] == [
        ("3.1", "Work of tester", "delivery", True, hours(20)),
        ("3.2", "Work of director", "project-management", False, hours(5)),
    ]
    assert (rest[0].starts_on, rest[0].finishes_on) == (START, date(2026, 7, 14))


def test_a_role_without_estimate_gets_no_tasks() -> None:
    none = EstimateLine(phase="Build", role="developer", hours=hours(0))
    plan = schedule(TEMPLATE, (TEMPLATE.estimate[0], none), (), START, 100)
    assert [task.task for task in plan.tasks] == ["1.1", "2.1"]


@st.composite
def templates(draw: st.DrawFn) -> TemplatePublished:
    """Draw a template of one to five phases with two roles; its shares add up to 100."""

    def split(parts: int) -> list[Decimal]:
        cuts = sorted(draw(st.lists(st.integers(0, 100), min_size=parts - 1, max_size=parts - 1)))
        return [Decimal(b - a) for a, b in zip([0, *cuts], [*cuts, 100], strict=True)]

    count = draw(st.integers(1, 5))
    durations, ann, bob = split(count), split(count), split(count)
    return TemplatePublished(
        template="t",
        name="T",
        phases=tuple(
            TemplatePhase(
                phase=f"P{number}",
                duration_share=durations[number],
                implementation=draw(st.booleans()),
                tasks=(
                    TemplateTask(title="A", role="architect", share=ann[number]),
                    TemplateTask(title="B", role="developer", share=bob[number]),
                ),
            )
            for number in range(count)
        ),
    )


@given(
    template=templates(),
    sold=st.lists(st.decimals("0.01", "5000", places=2), min_size=3, max_size=3),
    duration=st.integers(1, 700),
    count=st.integers(0, 7),
)
def test_a_plan_loses_no_hour_no_day_and_no_deliverable(template, sold, duration, count) -> None:
    roles = ("architect", "developer", "tester")
    lines = [
        EstimateLine(phase="All", role=role, hours=each)
        for role, each in zip(roles, sold, strict=True)
    ]
    deliverables = [deliverable(f"d{number}") for number in range(count)]
    plan = schedule(template, lines, deliverables, START, duration)
    for role, each in zip(roles, sold, strict=True):
        planned = [part.hours for t in plan.tasks for part in t.hours if part.role == role]
        assert sum(planned) == each
        assert all(part > 0 for part in planned)
    last = START + timedelta(days=duration - 1)
    assert all(START <= t.starts_on <= t.finishes_on <= last for t in plan.tasks)
    assert plan.milestones[-1].due_on == last
    due = [milestone.due_on for milestone in plan.milestones]
    assert due == sorted(due)
    listed = [name for milestone in plan.milestones for name in milestone.deliverables]
    assert sorted(listed) == sorted(each.deliverable for each in deliverables)
    drafted = PlanContent(
        version=1, milestones=plan.milestones, tasks=plan.tasks, deliverables=tuple(deliverables)
    )
    assert not list(contradictions(drafted))
