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
    assert [(task.title, task.hours[0].hours) for task in plan.tasks] == [
        ("Requirements", hours(24)),
        ("Set up", hours(12)),
        ("Design", hours(16)),
        ("Code", hours(200)),
        ("Lead", hours(18)),
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
    assert [task.title for task in plan.tasks if task.implementation] == ["Design", "Code"]


def test_a_role_the_template_does_not_name_loses_no_hours() -> None:
    tester = EstimateLine(phase="Test", role="tester", hours=hours(20))
    director = EstimateLine(phase="All", role="director", hours=hours(5), kind="project-management")
    plan = schedule(TEMPLATE, (*TEMPLATE.estimate, tester, director), (), START, 100)
    rest = [task for task in plan.tasks if task.phase == REST]
    assert [(t.title, t.kind, t.implementation, t.hours[0].hours) for t in rest] == [
        ("Work of tester", "delivery", True, hours(20)),
        ("Work of director", "project-management", False, hours(5)),
    ]
    assert (rest[0].starts_on, rest[0].finishes_on) == (START, date(2026, 7, 14))


def test_a_role_without_estimate_gets_no_tasks() -> None:
    none = EstimateLine(phase="Build", role="developer", hours=hours(0))
    plan = schedule(TEMPLATE, (TEMPLATE.estimate[0], none), (), START, 100)
    assert [task.title for task in plan.tasks] == ["Requirements", "Design"]


def ids_of(template: TemplatePublished, *more: EstimateLine) -> dict[str, str]:
    """Return the ids of all milestones and tasks by their names, which are distinct."""
    plan = schedule(template, (*TEMPLATE.estimate, *more), (), START, 100)
    named = [(each.title, each.milestone) for each in plan.milestones]
    named += [(each.title, each.task) for each in plan.tasks]
    assert len(dict(named)) == len(named) == len({each for _, each in named})
    return dict(named)


def moved(*phases: TemplatePhase) -> TemplatePublished:
    return TEMPLATE.model_copy(update={"phases": phases})


def test_ids_are_kept_where_phases_and_tasks_change_places() -> None:
    analysis, build = TEMPLATE.phases
    backwards = (each.model_copy(update={"tasks": each.tasks[::-1]}) for each in (build, analysis))
    assert ids_of(moved(*backwards)) == ids_of(TEMPLATE)
    tester = EstimateLine(phase="Test", role="tester", hours=hours(20))
    writer = EstimateLine(phase="Docs", role="writer", hours=hours(20))
    assert ids_of(TEMPLATE, tester, writer) == ids_of(TEMPLATE, writer, tester)
    assert ids_of(TEMPLATE).items() < ids_of(TEMPLATE, writer).items()


def test_what_is_new_has_a_new_id_and_moves_no_other() -> None:
    analysis, build = TEMPLATE.phases
    pilot = analysis.model_copy(update={"phase": "Pilot"})
    added = schedule(moved(pilot, analysis, build), TEMPLATE.estimate, (), START, 100)
    known = set(ids_of(TEMPLATE).values())
    assert {each.milestone for each in added.milestones if each.title == "Pilot"}.isdisjoint(known)
    assert {each.task for each in added.tasks if each.phase == "Pilot"}.isdisjoint(known)
    assert known <= {each.milestone for each in added.milestones} | {t.task for t in added.tasks}
    other = schedule(
        TEMPLATE.model_copy(update={"template": "app"}), TEMPLATE.estimate, (), START, 100
    )
    assert known.isdisjoint({each.task for each in other.tasks})


def test_a_key_keeps_the_id_of_what_is_renamed_or_moved() -> None:
    analysis, build = TEMPLATE.phases
    design, *others = build.tasks
    design = design.model_copy(update={"key": "design"})
    before = moved(analysis, build.model_copy(update={"key": "b", "tasks": (design, *others)}))
    renamed = design.model_copy(update={"title": "Concept"})
    after = moved(
        analysis.model_copy(update={"tasks": (*analysis.tasks, renamed)}),
        build.model_copy(update={"key": "b", "phase": "Making", "tasks": tuple(others)}),
    )
    old, new = ids_of(before), ids_of(after)
    assert (new["Concept"], new["Making"], new["Code"]) == (
        old["Design"],
        old["Build"],
        old["Code"],
    )
    # A task with the name that another one had is not that one.
    taken = moved(analysis, build.model_copy(update={"tasks": (*others, renamed)}))
    assert ids_of(taken)["Concept"] == old["Design"] != ids_of(TEMPLATE)["Design"]


def test_case_and_spaces_of_a_name_make_no_other_task() -> None:
    analysis, build = TEMPLATE.phases
    design, *others = build.tasks
    written = design.model_copy(update={"title": "DESIGN"})
    again = moved(analysis, build.model_copy(update={"tasks": (written, *others)}))
    assert ids_of(again)["DESIGN"] == ids_of(TEMPLATE)["Design"]


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
