"""List the codes that concern opportunities, estimates, proposals and deals."""

from typing import Literal

SaleCode = Literal[
    "account-differs",
    "adoption-incomplete",
    "deal-inconsistent",
    "deal-not-lost",
    "deal-not-won",
    "deal-won",
    "estimate-empty",
    "estimate-not-endorsed",
    "estimate-not-priced",
    "estimate-not-requested",
    "estimate-superseded",
    "estimate-unknown",
    "exception-not-needed",
    "expected-close-passed",
    "opportunity-imported",
    "opportunity-not-adopted",
    "opportunity-not-imported",
    "opportunity-not-opened",
    "opportunity-opened",
    "project-management-missing",
    "proposal-below-floor",
    "proposal-expired",
    "proposal-floor-unknown",
    "proposal-hours-differ",
    "proposal-not-ready",
    "proposal-not-reviewed",
    "proposal-not-submitted",
    "proposal-open",
    "proposal-purchases-differ",
    "proposal-repriced",
    "proposal-unknown",
    "proposal-withdrawn",
    "source-differs",
    "wanted-finish-passed",
]
"""Code of a refusal that concerns opportunities, estimates, proposals and deals."""

SALE_REFUSALS: dict[SaleCode, str] = {
    "account-differs": "The account is not the one that Sales named for this engagement.",
    "adoption-incomplete": "The adoption has to give values that were not imported.",
    "deal-inconsistent": "The deal contradicts itself or the proposal.",
    "deal-not-lost": "The deal is not lost, or was reopened.",
    "deal-not-won": "Sales has not won the deal.",
    "deal-won": "The deal is won; request a change instead.",
    "estimate-empty": "The estimate would have neither hours nor purchases.",
    "estimate-not-endorsed": "The engagement manager has not endorsed the estimate.",
    "estimate-not-priced": "Finance has not priced the estimate.",
    "estimate-not-requested": "Sales has not requested an estimate.",
    "estimate-superseded": "There is a newer version of the estimate.",
    "estimate-unknown": "There is no such version of the estimate.",
    "exception-not-needed": "The version of the proposal needs no exception.",
    "expected-close-passed": "The expected close is in the past.",
    "opportunity-imported": "The opportunity was imported; it is adopted, not opened.",
    "opportunity-not-adopted": "The imported opportunity has not been adopted.",
    "opportunity-not-imported": "The opportunity was not imported.",
    "opportunity-not-opened": (
        "Sales has not opened an opportunity for this engagement, or it has not been received."
    ),
    "opportunity-opened": "The opportunity was opened in Sales and cannot be imported.",
    "project-management-missing": (
        "There is neither a project management line nor a reason for doing without it."
    ),
    "proposal-below-floor": "The price is below the minimum margin, and no exception is approved.",
    "proposal-expired": "The day is after the last day of the proposal.",
    "proposal-floor-unknown": "It is not known whether the price leaves the minimum margin.",
    "proposal-hours-differ": "The hours differ from the estimate, and no exception is approved.",
    "proposal-not-ready": "Conditions for submitting the proposal are not met.",
    "proposal-not-reviewed": "Finance has not reviewed the version of the proposal.",
    "proposal-not-submitted": "The proposal has not been submitted to the customer.",
    "proposal-open": "The current version of the proposal is open; revise it first.",
    "proposal-purchases-differ": (
        "The purchases differ from the estimate, and no exception is approved."
    ),
    "proposal-repriced": "It is a third offer on the estimate, and no exception is approved.",
    "proposal-unknown": "There is no such version of the proposal.",
    "proposal-withdrawn": "The version of the proposal is withdrawn.",
    "source-differs": "Sales imported the opportunity from another record.",
    "wanted-finish-passed": "The wanted finish is in the past.",
}
"""Sentence of each code, sorted by code."""
