"""Make the won deal from a version of the proposal: the lines chosen, and how they are billed."""

from collections.abc import Iterable, Mapping
from datetime import date

from pydantic import ValidationError

from chassis.domain.commands import Missing, Refused, gate
from contracts.line_faults import billing_faults
from contracts.lines import (
    BillingItem,
    ContractLine,
    ProposedLine,
    with_usual_billing,
)
from contracts.refusals import RefusalCode
from contracts.sales import LineBilling, ProposalDrafted, sold_deliverables
from contracts.text import without_prefix
from contracts.values import Deliverable


def chosen_lines(
    drafted: ProposalDrafted,
    options: Iterable[str],
    billing: Iterable[LineBilling],
    finishes_on: date,
) -> tuple[ContractLine, ...]:
    """Return the lines without the optional ones that are not in `options`, each billed whole.

    A line is billed as agreed, else as proposed, else as usual. Raises Refused for an option or an
    agreed billing of an unknown line, and for billing that does not fit.
    """
    chosen, agreed = {*options}, {each.line: each.billing for each in billing}
    optional = {line.line for line in drafted.lines if line.optional}
    _require_known("options", chosen, optional, "an optional line")
    sold = [line for line in drafted.lines if not line.optional or line.line in chosen]
    _require_known("billing", agreed, {line.line for line in sold}, "a line of the deal")
    lines = tuple(with_usual_billing(_billed(line, agreed), finishes_on) for line in sold)
    deliverables = (each.deliverable for each in deal_deliverables(drafted, lines))
    faults = billing_faults(lines, deliverables)
    gate("deal-inconsistent", (Missing(*each, "sales", field="billing") for each in faults))
    return lines


def require_billed_whole(lines: Iterable[ProposedLine]) -> None:
    """Refuse lines, optional ones too, whose proposed billing does not add up to their price.

    A line without proposed billing is billed as usual, or as is agreed when the deal is won.
    """
    proposed = [_billed(line, {}) for line in lines if line.billing]
    deliverables = (each for line in proposed for each in line.deliverables)
    sums: RefusalCode = "billing-schedule-differs"
    faults = (each for each in billing_faults(proposed, deliverables) if each[0] == sums)
    gate(sums, (Missing(*each, "sales", field="lines") for each in faults))


def deal_deliverables(
    drafted: ProposalDrafted, lines: Iterable[ContractLine]
) -> tuple[Deliverable, ...]:
    """Return the deliverables without those that only lines that are not chosen pay for."""
    ids = (each.deliverable for each in drafted.deliverables)
    sold = {*sold_deliverables(ids, drafted.lines, lines)}
    return tuple(each for each in drafted.deliverables if each.deliverable in sold)


def _require_known(field: str, ids: Iterable[str], known: set[str], what: str) -> None:
    unknown = sorted({*ids} - known)
    if unknown:
        raise Refused("line-unknown", f"{field}: {', '.join(unknown)} is not {what}")


def _billed(line: ProposedLine, agreed: Mapping[str, tuple[BillingItem, ...]]) -> ContractLine:
    terms = {name: getattr(line, name) for name in ContractLine.model_fields}
    try:
        return ContractLine(**{**terms, "billing": agreed.get(line.line, line.billing)})
    except ValidationError as error:
        why = without_prefix(error.errors()[0]["msg"])
        raise Refused("line-inconsistent", f"billing: line {line.line}: {why}") from error
