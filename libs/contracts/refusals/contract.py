"""List the codes of statements of work, amendments, early starts and obligations."""

from typing import Literal

ContractCode = Literal[
    "amendment-inconsistent",
    "amendment-not-reviewed",
    "amendment-not-signed",
    "amendment-objected",
    "amendment-outdated",
    "amendment-signed",
    "amendment-unknown",
    "billing-kind-unknown",
    "billing-schedule-differs",
    "changes-differ",
    "delivery-approved-other-content",
    "delivery-objected",
    "delivery-review-missing",
    "discount-too-large",
    "document-not-signed",
    "early-start-cap-spent",
    "early-start-expired",
    "expiry-not-in-future",
    "file-incomplete",
    "file-not-open",
    "finance-approved-other-content",
    "finance-objected",
    "finance-review-missing",
    "hours-beyond-limit",
    "legal-approval-missing",
    "line-inconsistent",
    "line-missing",
    "line-unknown",
    "obligation-not-met",
    "obligation-open",
    "obligation-withdrawn",
    "price-below-zero",
    "pricing-unknown",
    "rates-missing",
    "redline-accepted",
    "redline-open",
    "redline-unknown",
    "signature-recorded",
    "sow-inconsistent",
    "sow-not-approved",
    "sow-not-billable",
    "sow-not-sent",
    "sow-not-signed",
    "sow-signed",
    "sow-superseded",
    "sow-unknown",
    "start-not-agreed",
    "time-item-missing",
]
"""Code of a refusal that concerns contract documents, early starts and obligations."""

CONTRACT_REFUSALS: dict[ContractCode, str] = {
    "amendment-inconsistent": "The amendment contradicts the contract or itself.",
    "amendment-not-reviewed": "The amendment differs from the change and a review is missing.",
    "amendment-not-signed": (
        "The amendment of the change is not signed, or was not signed by that day."
    ),
    "amendment-objected": "Delivery or Finance objects to the amendment.",
    "amendment-outdated": (
        "The change was assessed or priced again after the amendment was drafted."
    ),
    "amendment-signed": "The amendment is signed already.",
    "amendment-unknown": "There is no amendment with this id.",
    "billing-kind-unknown": "It is not known when an entry of the billing schedule is due.",
    "billing-schedule-differs": "The billing schedule does not add up to the price.",
    "changes-differ": "The changes that are named are not those of the drafted plan.",
    "delivery-approved-other-content": (
        "Delivery has approved content that differs from this version of the statement of work."
    ),
    "delivery-objected": "Delivery objects to this version of the statement of work.",
    "delivery-review-missing": "Delivery has not reviewed this version of the statement of work.",
    "discount-too-large": "A discount reduces a billing entry by more than its amount.",
    "document-not-signed": (
        "The hash is that of no signed statement of work or amendment of the engagement."
    ),
    "early-start-cap-spent": "The hours exceed the cap of the early start.",
    "early-start-expired": "The early start had ended before the work.",
    "expiry-not-in-future": "The day of expiry is not in the future.",
    "file-incomplete": (
        "The account or the title of the engagement is not known and has to be given."
    ),
    "file-not-open": "Legal has not opened a file for this engagement.",
    "finance-approved-other-content": (
        "Finance has approved content that differs from this version of the statement of work."
    ),
    "finance-objected": "Finance objects to this version of the statement of work.",
    "finance-review-missing": "Finance has not reviewed this version of the statement of work.",
    "hours-beyond-limit": "The hours exceed the limit of a line or of a week.",
    "legal-approval-missing": "Legal has not approved this version of the statement of work.",
    "line-inconsistent": "A line contradicts itself.",
    "line-missing": "A line of the contract is left out.",
    "line-unknown": "There is no line with this id.",
    "obligation-not-met": "The obligation is not recorded as met, or is open again.",
    "obligation-open": "An obligation of the contract is not met.",
    "obligation-withdrawn": "The obligation was recorded by mistake and is withdrawn.",
    "price-below-zero": "The price would be negative, or zero where it must be positive.",
    "pricing-unknown": "This release does not know the pricing of the contract.",
    "rates-missing": "Time and materials is agreed without the rates that it requires.",
    "redline-accepted": "The version does not contain the accepted wording; draft the next one.",
    "redline-open": "A redline is not resolved.",
    "redline-unknown": "There is no redline with this id.",
    "signature-recorded": "The party has signed already.",
    "sow-inconsistent": "The statement of work contradicts itself.",
    "sow-not-approved": "An approval of this version of the statement of work is missing.",
    "sow-not-billable": "Finance cannot bill the statement of work as it is drafted.",
    "sow-not-sent": "The statement of work was not sent for signature.",
    "sow-not-signed": "The statement of work is not signed, or was not signed by that day.",
    "sow-signed": "The statement of work is signed.",
    "sow-superseded": "There is a newer version of the statement of work.",
    "sow-unknown": "The department has no such version of the statement of work.",
    "start-not-agreed": "The deal is not won, so that no start is agreed.",
    "time-item-missing": "The billing schedule has no entry that bills time.",
}
"""Sentence of each code, sorted by code."""
