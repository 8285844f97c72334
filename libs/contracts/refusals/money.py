"""List the codes that concern budgets, bills, payments and revenue."""

from typing import Literal

MoneyCode = Literal[
    "account-not-settled",
    "account-settled",
    "advance-drawn",
    "advance-unused",
    "amount-beyond-schedule",
    "amount-not-billable",
    "balances-differ",
    "billing-beyond-price",
    "billing-item-not-due",
    "billing-item-unbilled",
    "billing-item-unknown",
    "budget-not-amended",
    "budget-not-set",
    "cap-spent",
    "cost-unknown",
    "credit-note-not-issued",
    "credit-too-large",
    "exchange-rate-missing",
    "invoice-not-draft",
    "invoice-not-issued",
    "invoice-settled-in-part",
    "invoice-unknown",
    "invoice-unpaid",
    "method-does-not-fit",
    "method-fixed",
    "method-unknown",
    "month-not-begun",
    "month-not-over",
    "month-out-of-order",
    "month-recognised",
    "obligation-unknown",
    "payment-too-large",
    "rate-not-contracted",
    "refund-owed",
    "refund-too-large",
    "report-not-measured",
    "revenue-beyond-price",
    "revenue-not-measurable",
    "revenue-unrecognised",
    "reversed-work-billed",
    "time-unbilled",
    "work-billed",
    "work-covered-by-advance",
    "work-held",
    "work-not-approved",
    "work-not-billable",
    "work-not-held",
    "work-not-reversed",
    "work-unassigned",
    "work-uncosted",
    "work-unknown",
    "work-written-down",
]
"""Code of a refusal that concerns budgets, bills, payments and revenue."""

MONEY_REFUSALS: dict[MoneyCode, str] = {
    "account-not-settled": (
        "The account of the engagement is not settled, or not again after the last change."
    ),
    "account-settled": (
        "The account of the engagement is settled, so that nothing more can be billed or credited."
    ),
    "advance-drawn": (
        "The advance is already used by billed time, as far as it would be credited or voided."
    ),
    "advance-unused": "A part of the advance is neither used nor credited.",
    "amount-beyond-schedule": (
        "The amount exceeds what is left to bill of the entry of the billing schedule."
    ),
    "amount-not-billable": "Conditions for billing this amount are not met.",
    "balances-differ": "The balances contradict the contract that Legal took over.",
    "billing-beyond-price": "More was billed than the price of the contract.",
    "billing-item-not-due": "The entry of the billing schedule is not due on that day.",
    "billing-item-unbilled": "An entry of the billing schedule is not billed.",
    "billing-item-unknown": "The billing schedule has no entry with this id.",
    "budget-not-amended": "A signed amendment is not in the budget yet.",
    "budget-not-set": "There is no budget yet; it follows from the signed statement of work.",
    "cap-spent": "The contract's cap for time is used up.",
    "cost-unknown": "A cost that the calculation needs is not known.",
    "credit-note-not-issued": "A credit note waits for its number.",
    "credit-too-large": "The credit exceeds what is left of the invoice.",
    "exchange-rate-missing": "An amount in another currency has no exchange rate on its day.",
    "invoice-not-draft": "The invoice is not a draft any more.",
    "invoice-not-issued": "The invoice is not issued.",
    "invoice-settled-in-part": (
        "The invoice was paid or credited in part; issue a credit note instead."
    ),
    "invoice-unknown": "There is no invoice with this id.",
    "invoice-unpaid": "The customer has not paid the whole invoice.",
    "method-does-not-fit": (
        "The method of revenue recognition does not fit the pricing of the contract."
    ),
    "method-fixed": "The method of revenue recognition cannot change after the budget is set.",
    "method-unknown": "This release does not know the method of revenue recognition.",
    "month-not-begun": "The month has not begun.",
    "month-not-over": "The month is not over.",
    "month-out-of-order": "An earlier month has to be recognised first.",
    "month-recognised": (
        "The revenue of the month is recognised already, or the month is before the contract."
    ),
    "obligation-unknown": "There is no obligation or performance obligation with this id.",
    "payment-too-large": "The payment exceeds what is outstanding on the invoice.",
    "rate-not-contracted": "The contract has no rate for a role.",
    "refund-owed": "The customer has paid too much on an invoice.",
    "refund-too-large": "The refund exceeds what was paid too much on the invoice.",
    "report-not-measured": "A progress report cannot be measured yet.",
    "revenue-beyond-price": "More revenue was recognised than the price of the contract.",
    "revenue-not-measurable": "The revenue of the month cannot be measured yet.",
    "revenue-unrecognised": "The revenue of a month waits for costs.",
    "reversed-work-billed": (
        "An invoice bills work whose approval was reversed; it has to be credited or voided."
    ),
    "time-unbilled": "Approved time is not billed.",
    "work-billed": "The work is on an invoice or a draft.",
    "work-covered-by-advance": "The advance covers all work that is not billed.",
    "work-held": "The work is held.",
    "work-not-approved": "There is no approved work that is not billed.",
    "work-not-billable": "The work is not billable, belongs to no hourly line, or has no rate.",
    "work-not-held": "The work is not held.",
    "work-not-reversed": "The invoice bills no such work whose approval was reversed.",
    "work-unassigned": "Approved work belongs to no line of the contract.",
    "work-uncosted": "The cost of approved work is not known.",
    "work-unknown": "Finance knows no approved work with this id.",
    "work-written-down": "The work is written down for good.",
}
"""Sentence of each code, sorted by code."""
