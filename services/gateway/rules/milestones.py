"""Find milestones of the plan that were not reached by their day."""

from collections.abc import Iterable
from datetime import date, timedelta

from contracts.counting import counted
from contracts.reference import Tolerances
from contracts.values import days_after
from gateway.formatting import day
from gateway.rules.amounts import agreed_lines, cost_of_delay, price_of_deliverables
from gateway.rules.rule import Disconnect, Rule, Rules, midnight
from gateway.rules.sides import side
from gateway.view.engagement_view import View
from gateway.view.sections.delivery.planning import Baseline

rules = Rules()

_SERIOUS = 14
"""Days after which a missed milestone is serious, as a finish that is forecast too late."""


@rules.register(
    "milestone-missed", title="Milestone missed", owner="delivery", command="reach-milestone"
)
def milestone_missed(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find milestones of the baseline that are not reached although their day has passed.

    The days of changes that the customer approved and that the baseline does not contain yet are
    added. While the work is on hold none is found, and of an engagement that was taken over none
    of before.
    """
    baseline, imported = view.delivery.baseline, view.delivery.imported
    if baseline is None or view.on_hold:
        return
    agreed = _agreed_delay(view, baseline)
    before = imported.event.as_of if imported is not None else date.min
    for milestone in baseline.milestones:
        due_on = days_after(milestone.due_on, agreed)
        late = (today - due_on).days
        if (
            late <= 0
            or milestone.due_on <= before
            or milestone.milestone in view.delivery.milestones_reached
        ):
            continue
        yield rule.disconnect(
            f"Milestone “{milestone.title}” was due on {day(due_on)} and is not reached, "
            f"{counted(late, 'day')} later.",
            (baseline.said,),
            sides=(
                side("delivery", f"{milestone.title} planned for {day(due_on)}", baseline.said),
                side("delivery", f"{milestone.title} not reached"),
            ),
            about=milestone.milestone,
            since=midnight(due_on + timedelta(days=1)),
            days=late,
            exposure=price_of_deliverables(agreed_lines(view), milestone.deliverables, view.price)
            if milestone.deliverables
            else view.price,
            at_stake=cost_of_delay(view, late),
            severity="serious" if late > _SERIOUS else "warning",
            is_late=True,
        )


def _agreed_delay(view: View, baseline: Baseline) -> int:
    """Return the days by which approved changes that are not in the baseline move the work."""
    return sum(
        change.days
        for change in view.delivery.changes.values()
        if change.approved and not change.rejected and change.change not in baseline.changes
    )
