"""List the codes of work items for which no command is refused."""

from typing import Literal

WaitingCode = Literal[
    "amendment-not-drafted",
    "assumption-open",
    "brd-not-submitted",
    "deal-not-decided",
    "engagement-not-closed",
    "estimate-not-submitted",
    "exception-not-approved",
    "internal-time-waiting",
    "invoice-not-approved",
    "next-step-open",
    "payment-unallocated",
    "payment-unassigned",
    "proposal-not-drafted",
    "question-not-answered",
    "report-not-published",
    "request-not-staffed",
    "risk-open",
    "sow-not-drafted",
    "survey-not-answered",
    "time-returned",
    "timesheet-not-submitted",
    "week-too-long",
]
"""Code of a work item that no command waits for."""

WAITING: dict[WaitingCode, str] = {
    "amendment-not-drafted": "A change is approved and priced, and its amendment is not drafted.",
    "assumption-open": "An assumption is neither confirmed nor closed.",
    "brd-not-submitted": "No requirements document is submitted to the customer.",
    "deal-not-decided": "The customer has not decided on the proposal.",
    "engagement-not-closed": "Nothing is left to do, and the engagement is not closed.",
    "estimate-not-submitted": "Delivery has not submitted the estimate that Sales requested.",
    "exception-not-approved": "A draft outside the schedule waits for a second person.",
    "internal-time-waiting": "Time of an internal code waits for approval.",
    "invoice-not-approved": "A draft of an invoice is not approved.",
    "next-step-open": "The next step of the sale is not done.",
    "payment-unallocated": "A part of a payment is on no invoice.",
    "payment-unassigned": "The customer of a payment is not known.",
    "proposal-not-drafted": "The estimate is endorsed and priced, and no proposal is drafted.",
    "question-not-answered": "A question is not answered.",
    "report-not-published": "The next status report is not published.",
    "request-not-staffed": "A request for hours of a role has no allocation.",
    "risk-open": "A risk is open.",
    "sow-not-drafted": "The deal is won, and no statement of work is drafted.",
    "survey-not-answered": "A contact has not answered a survey.",
    "time-returned": "Time was rejected, reversed or refused, and the person has not corrected it.",
    "timesheet-not-submitted": "The week is saved and not submitted.",
    "week-too-long": "A week has more hours than the person works by their record.",
}
"""Sentence of each code, sorted by code."""
