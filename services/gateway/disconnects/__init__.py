"""Disconnects: contradictions between what two departments believe, each found by one pure rule."""

from datetime import date

from gateway.disconnects import changes, money, papers, promises, reporting
from gateway.disconnects.finding import Finding, Rule, Tolerances
from gateway.fold import View

RULES: tuple[Rule, ...] = (
    promises.promised_finish,
    promises.deliverables,
    promises.sold_hours,
    promises.project_management,
    promises.no_manager,
    promises.allocation,
    papers.work_before_signature,
    papers.signed_version,
    papers.sow_price,
    money.bill_rate,
    money.billed_before_acceptance,
    money.beyond_budget,
    money.forecast_margin,
    changes.implemented_unapproved,
    changes.approved_unfollowed,
    reporting.green_against_figures,
    reporting.no_status_report,
    reporting.closing_with_loose_ends,
    reporting.silence,
)
"""Every rule that is switched on."""

__all__ = ["RULES", "Finding", "Tolerances", "judge"]


def judge(view: View, today: date, allowed: Tolerances | None = None) -> dict[str, Finding]:
    """All findings in a causally complete view on a day, by their id.

    History taken over from elsewhere, and what is over, is not judged. Raises ValueError on a
    view that is not causally complete: it would show contradictions that never were.
    """
    if not view.causally_complete:
        raise ValueError(f"the view of {view.engagement} is not causally complete")
    if view.over or view.sales.imported_outcome is not None:
        return {}
    tolerances = allowed or Tolerances()
    findings = (finding for rule in RULES for finding in rule(view, today, tolerances))
    return {finding.finding: finding for finding in findings}
