"""State which milestones are to be reached, and until when the next status report is due."""

from collections.abc import Iterator

from chassis.domain.work_items import ItemKind, WorkItem
from contracts.counting import counted
from contracts.values import REPORT_DAYS, days_after
from delivery.engagement import Engagement

REACH = ItemKind(
    "milestone-not-reached",
    department="delivery",
    role="engagement-manager",
    command="reach-milestone",
    owed_to="customer",
)
REPORT = ItemKind(
    "report-not-published",
    department="delivery",
    role="engagement-manager",
    command="publish-status-report",
    owed_to="customer",
)
KINDS = (REACH, REPORT)


def items(state: Engagement) -> Iterator[WorkItem]:
    """Yield the milestones of the baseline that are not reached, and the next status report.

    Neither waits while the engagement is on hold.
    """
    if state.is_over or state.management.on_hold:
        return
    baseline = state.planning.baseline
    for each in baseline.milestones if baseline else ():
        if baseline and each.milestone not in state.progress.milestones:
            yield REACH(
                each.milestone,
                f"milestone {each.milestone} ({each.title}) is not reached",
                since=baseline.baselined_on,
                due=each.due_on,
                person=state.manager,
            )
    yield from _report(state)


def _report(state: Engagement) -> Iterator[WorkItem]:
    """Yield the status report that follows the last one, the kickoff or the take-over."""
    last, held, taken_over = state.progress.report, state.kickoff.held, state.importing.taken_over
    if state.stage != "delivering":
        return
    if last:
        since, what = last.as_of, f"report {last.report} is of {last.as_of}"
    elif held:
        since, what = held.held_on, f"no report is published since the kickoff on {held.held_on}"
    elif taken_over:
        since, what = taken_over.as_of, f"no report is published since {taken_over.as_of}"
    else:
        return
    days = REPORT_DAYS[state.management.method]
    yield REPORT(
        "report",
        f"{what}; one is due every {counted(days, 'day')}",
        since=since,
        due=days_after(since, days),
        person=state.manager,
    )
