"""Keep the prices of estimates and changes, and describe them and Finance's reviews."""

from dataclasses import dataclass

from contracts import finance
from contracts.decimals import Number
from contracts.lines import LineChange
from contracts.money import Money, Rate
from gateway.formatting import money, number
from gateway.view.sections.sentences import if_given, verdict
from gateway.view.sections.steps import PartSteps


@dataclass(frozen=True, slots=True)
class PricedEstimate:
    """The price of a version of the estimate; `floor` is its place above or below the floor."""

    estimate_version: int
    price: Money
    project_management_share: Number
    floor: str
    rates: dict[str, Rate]
    """The bill rate by role; of a role with several, the first."""


@dataclass(frozen=True, slots=True)
class PricedChange:
    """The price of a change order, in total and by line."""

    change: str
    changes: list[LineChange]
    price: Money


def priced_estimate(event: finance.EstimatePriced) -> PricedEstimate:
    """Return the part of an estimate's price that a view keeps."""
    return PricedEstimate(
        event.estimate_version,
        event.price,
        event.project_management_share,
        event.floor,
        rates={each.role: each.rate for each in reversed(event.lines)},
    )


def priced_change(event: finance.ChangePriced) -> PricedChange:
    """Return the part of a change's price that a view keeps."""
    return PricedChange(event.change, list(event.changes), event.price)


def floor_of_proposal(event: finance.ProposalReviewed) -> str:
    """Return the place of a proposal's price above or below the floor."""
    return event.floor


steps = PartSteps[object]()


def _against_minimum(floor: str) -> str:
    return "the margin is not known" if floor == "unknown" else f"{floor} the minimum margin"


steps.describe(
    finance.SowReviewed,
    lambda event, _: (
        f"Finance {verdict(event.verdict)} statement of work {event.version}."
        f"{if_given(' “{}”', event.why)}"
    ),
)
steps.describe(
    finance.EstimatePriced,
    lambda event, _: (
        f"Estimate {event.estimate_version} priced at {money(event.price)}, "
        f"{number(event.project_management_share)}% of it project management."
    ),
)
steps.describe(
    finance.ProposalReviewed,
    lambda event, _: (
        f"Proposal {event.version} over {money(event.price)} reviewed: "
        f"{_against_minimum(event.floor)}."
    ),
)
steps.describe(
    finance.AmendmentReviewed,
    lambda event, _: (
        f"Finance {verdict(event.verdict)} amendment {event.amendment}."
        f"{if_given(' “{}”', event.why)}"
    ),
)
steps.describe(
    finance.ChangePriced,
    lambda event, _: f"Change {event.change} priced at {money(event.price)}.",
)
