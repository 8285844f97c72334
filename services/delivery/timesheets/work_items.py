"""State what a person owes of their week, and which internal time waits for approval."""

from collections.abc import Iterator
from datetime import timedelta

from chassis.domain.work_items import ItemKind, WorkItem
from contracts.counting import counted, of_number
from delivery.quantities import ZERO
from delivery.timesheets.state import Line, Timesheet, is_engagement

SUBMIT = ItemKind(
    "timesheet-not-submitted",
    department="delivery",
    role="consultant",
    command="submit-timesheet",
    owed_to="delivery",
)
CORRECT = ItemKind(
    "time-returned",
    department="delivery",
    role="consultant",
    command="save-timesheet",
    owed_to="delivery",
)
APPROVE = ItemKind(
    "internal-time-waiting",
    department="delivery",
    role="pmo-director",
    command="approve-internal-time",
    owed_to="delivery",
)
KINDS = (SUBMIT, CORRECT, APPROVE)


def items(state: Timesheet) -> Iterator[WorkItem]:
    """Yield the draft, due on the Sunday of its week, and each line that came back or waits.

    A draft that was submitted and refused is owed as a line that came back only.
    """
    if any(line.draft and line.refusal is None for line in state.lines.values()):
        yield SUBMIT(
            "draft",
            f"the week of {state.week} is saved and not submitted",
            since=state.week,
            due=state.week + timedelta(days=6),
            person=state.person,
        )
    for name, line in state.lines.items():
        if why := _why_returned(line):
            yield CORRECT(
                name,
                f"time on {name} in the week of {state.week} came back: {why}",
                since=line.returned_on,
                person=state.person,
            )
        waiting = line.of_status("waiting")
        if waiting and not is_engagement(name):
            hours = sum((each.hours for each in waiting), ZERO)
            yield APPROVE(
                name,
                f"{counted(hours, 'hour')} of {name} in the week of {state.week}"
                f" {of_number(hours, 'waits', 'wait')} for approval",
                since=line.submitted_on,
                to_person=state.person,
            )


def _why_returned(line: Line) -> str | None:
    """Return why time of a line was rejected, reversed or refused; None where it was not."""
    if line.returned:
        return line.returned[-1].why
    return line.refusal.sentence if line.refusal else None
