"""Disconnects: contradictions between what two departments believe, each found by one pure rule."""

from datetime import date

from contracts.reference import Tolerances
from gateway.rules import (
    billable_work,
    changes,
    milestones,
    money,
    performance,
    planned_work,
    promises,
    reporting,
    staffing,
    statements_of_work,
    taken_over,
    unbilled,
    work,
)
from gateway.rules.rule import Disconnect, Rule, Rules
from gateway.view.engagement_view import View

RULES = Rules(
    promises.rules,
    staffing.rules,
    work.rules,
    planned_work.rules,
    billable_work.rules,
    statements_of_work.rules,
    money.rules,
    unbilled.rules,
    changes.rules,
    milestones.rules,
    performance.rules,
    reporting.rules,
    taken_over.rules,
)
"""Every rule that is applied, in this order. A rule's id, title and owner are at its definition."""

__all__ = [
    "RULES",
    "Disconnect",
    "Rule",
    "Rules",
    "Tolerances",
    "judge",
    "judge_confidential",
    "judge_open",
]


def judge(view: View, today: date, allowed: Tolerances | None = None) -> dict[str, Disconnect]:
    """Return all disconnects in a causally complete view on a day (UTC), by their id.

    In an engagement that has ended, only what outlives it is found, such as work that still waits.
    In one whose outcome was imported, what departments took over of it is compared, and once all
    have taken it over, all that goes on.
    Raises ValueError where the view is not causally complete: it would show contradictions that
    never existed.
    """
    return judge_open(view, today, allowed) | judge_confidential(view, today, allowed)


def judge_open(view: View, today: date, allowed: Tolerances | None = None) -> dict[str, Disconnect]:
    """Return, as `judge`, the disconnects that every reader may see.

    Raises ValueError where the open part of the view is not causally complete.
    """
    if not view.open_part_complete:
        raise ValueError(f"the view of {view.engagement} is not causally complete")
    return _found(view, today, allowed, confidential=False)


def judge_confidential(
    view: View, today: date, allowed: Tolerances | None = None
) -> dict[str, Disconnect]:
    """Return, as `judge`, the confidential disconnects."""
    if not view.causally_complete:
        raise ValueError(f"the view of {view.engagement} is not causally complete")
    return _found(view, today, allowed, confidential=True)


def _found(
    view: View, today: date, allowed: Tolerances | None, *, confidential: bool
) -> dict[str, Disconnect]:
    imported = view.sales.imported_outcome is not None
    goes_on = not imported or (view.taken_over and not view.import_lacks)
    tolerances = allowed or Tolerances()
    return {
        each.finding: each
        for rule in RULES
        if rule.confidential is confidential
        and (imported if rule.imported else goes_on)
        and (rule.after_end or not view.over)
        for each in rule.apply(view, today, tolerances)
    }
