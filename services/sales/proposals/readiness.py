"""Judge whether a version of the proposal may be submitted (gate 1)."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from chassis.domain.commands import Missing
from contracts.finance import EstimatePriced
from contracts.lines import hours_by_role, offer_of, purchases_of
from contracts.money import Money
from contracts.purchases import purchases_by_kind
from contracts.refusals import RefusalCode
from contracts.sales import MOST_OFFERS, ExceptionGround
from contracts.values import PersonId
from sales.engagement import Engagement
from sales.proposals.state import Estimate, Proposal

_UNMET: Mapping[ExceptionGround, RefusalCode] = {
    "below-floor": "proposal-below-floor",
    "third-price": "proposal-repriced",
    "hours-differ": "proposal-hours-differ",
    "purchases-differ": "proposal-purchases-differ",
}


def waits_for(state: Engagement, proposal: Proposal) -> tuple[Missing, ...]:
    """Return what is missing for gate 1; empty where the version may be submitted."""
    missing = (
        _manager_missing(state),
        _endorsement_missing(state, proposal),
        _price_missing(state, proposal),
        _management_missing(proposal),
        *_rates_missing(proposal),
        _review_missing(state, proposal),
        *_exceptions_missing(state, proposal),
    )
    return tuple(item for item in missing if item is not None)


def exception_grounds(state: Engagement, proposal: Proposal) -> dict[ExceptionGround, str]:
    """Return why the version needs the approval of a sales manager, as sentences by ground."""
    drafted, grounds = proposal.drafted, dict[ExceptionGround, str]()
    document, estimate = f"version {proposal.version}", drafted.estimate_version
    review = state.proposals.reviews.get(proposal.version)
    if review and review.floor == "below":
        options = any(line.optional for line in drafted.lines)
        choice = ", by some choice of its options," if options else ""
        grounds["below-floor"] = f"the price of {document}{choice} is below the minimum margin"
    offers = tuple(
        dict.fromkeys(
            offer_of(each.drafted.lines)
            for each in state.proposals.versions
            if each.drafted.estimate_version == estimate
        )
    )
    if offer_of(drafted.lines) not in offers[:MOST_OFFERS]:
        grounds["third-price"] = (
            f"{document} is none of the first {MOST_OFFERS} different offers on estimate {estimate}"
        )
    priced = state.proposals.estimates.get(estimate, Estimate()).priced
    differing = tuple(_differing_hours(proposal, priced)) if priced else ()
    if differing:
        grounds["hours-differ"] = (
            f"{document} has other hours than estimate {estimate}: {', '.join(differing)}"
        )
    bought = tuple(_differing_purchases(proposal, priced)) if priced else ()
    if bought:
        grounds["purchases-differ"] = (
            f"{document} has other purchases than estimate {estimate}: {', '.join(bought)}"
        )
    return grounds


def uncovered_grounds(state: Engagement, proposal: Proposal) -> dict[ExceptionGround, str]:
    """Return the grounds that no approved exception of the version covers."""
    covered = {ground for each in proposal.exceptions for ground in each.grounds}
    grounds = exception_grounds(state, proposal).items()
    return {ground: sentence for ground, sentence in grounds if ground not in covered}


def _differing_hours(proposal: Proposal, priced: EstimatePriced) -> Iterator[str]:
    """Yield the roles whose hours differ; those of optional lines are part of the estimate."""
    offered = hours_by_role(proposal.drafted.lines)
    estimated: dict[str, Decimal] = {}
    for line in priced.lines:
        estimated[line.role] = estimated.get(line.role, Decimal(0)) + line.hours
    for role in sorted({*offered, *estimated}):
        here, there = offered.get(role, Decimal(0)), estimated.get(role, Decimal(0))
        if here != there:
            yield f"{role} {here.normalize():f} instead of {there.normalize():f}"


def _differing_purchases(proposal: Proposal, priced: EstimatePriced) -> Iterator[str]:
    """Yield the kinds whose purchases differ; those of optional lines are part of the estimate."""
    offered, estimated = purchases_of(proposal.drafted.lines), purchases_by_kind(priced.purchases)
    nothing = Money.zero(proposal.drafted.price.currency)
    for kind in sorted({*offered, *estimated}):
        here, there = offered.get(kind, nothing), estimated.get(kind, nothing)
        if here != there:
            yield f"{kind} {here} instead of {there}"


def _manager(state: Engagement) -> PersonId | None:
    assigned = state.progress.manager
    return assigned.manager if assigned else None


def _manager_missing(state: Engagement) -> Missing | None:
    if _manager(state) is not None:
        return None
    return Missing("manager-not-assigned", "no engagement manager is assigned", "delivery")


def _endorsement_missing(state: Engagement, proposal: Proposal) -> Missing | None:
    version = proposal.drafted.estimate_version
    by = state.proposals.estimates.get(version, Estimate()).endorsed_by
    manager = _manager(state)
    if by is not None and by == manager:
        return None
    if by is None or manager is None:
        sentence = f"estimate {version} is not endorsed by the engagement manager"
    else:
        sentence = f"estimate {version} is endorsed by {by}, but the manager is now {manager}"
    return Missing("estimate-not-endorsed", sentence, "delivery")


def _price_missing(state: Engagement, proposal: Proposal) -> Missing | None:
    version = proposal.drafted.estimate_version
    if state.proposals.estimates.get(version, Estimate()).priced:
        return None
    sentence = f"estimate {version} is not priced by Finance"
    return Missing("estimate-not-priced", sentence, "finance")


def _management_missing(proposal: Proposal) -> Missing | None:
    drafted = proposal.drafted
    managed = any(
        line.kind == "project-management"
        and any(hours_by_role([line]).values())
        and not line.optional
        for line in drafted.lines
    )
    if managed or drafted.project_management_waiver is not None:
        return None
    return Missing(
        "project-management-missing",
        f"version {proposal.version} has neither a project management line with hours nor a waiver",
        "sales",
    )


def _rates_missing(proposal: Proposal) -> Iterator[Missing]:
    for line in proposal.drafted.lines:
        if line.without_rate:
            roles = ", ".join(line.without_rate)
            yield Missing("rates-missing", f"line {line.line} requires a rate for {roles}", "sales")


def _review_missing(state: Engagement, proposal: Proposal) -> Missing | None:
    review, version = state.proposals.reviews.get(proposal.version), proposal.version
    if review is None and uncovered_grounds(state, proposal):
        sentence = f"Finance reviews version {version} once its exception is approved"
        return Missing("proposal-not-reviewed", sentence, "sales")
    if review is None:
        sentence = f"Finance has not reviewed version {version}"
        return Missing("proposal-not-reviewed", sentence, "finance")
    if review.floor == "unknown":
        sentence = f"Finance does not know whether version {version} leaves the minimum margin"
        return Missing("proposal-floor-unknown", sentence, "finance")
    return None


def _exceptions_missing(state: Engagement, proposal: Proposal) -> Iterator[Missing]:
    for ground, sentence in uncovered_grounds(state, proposal).items():
        yield Missing(
            _UNMET[ground], f"{sentence}, and no sales manager has approved an exception", "sales"
        )
