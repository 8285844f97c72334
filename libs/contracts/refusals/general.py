"""List the codes that commands of any department may get."""

from typing import Literal

AnyCommandCode = Literal[
    "addressee-is-self",
    "already-recorded",
    "approver-is-author",
    "caller-not-manager",
    "commit-too-large",
    "content-differs",
    "currency-differs",
    "date-before-approval",
    "date-before-contract",
    "date-before-hold",
    "date-before-issue",
    "date-before-known",
    "date-before-last-movement",
    "date-before-question",
    "date-before-record",
    "date-before-request",
    "date-before-sending",
    "date-before-submission",
    "date-in-future",
    "disconnect-unknown",
    "document-unknown",
    "engagement-not-imported",
    "engagement-on-hold",
    "engagement-over",
    "engagement-terminated",
    "event-not-recordable",
    "field-differs",
    "field-missing",
    "finish-before-start",
    "id-repeated",
    "question-not-addressed",
    "question-unknown",
]
"""Code of a refusal that commands of any department may get."""

ANY_COMMAND_REFUSALS: dict[AnyCommandCode, str] = {
    "addressee-is-self": "A department cannot ask itself.",
    "already-recorded": "The same thing is recorded with other content.",
    "approver-is-author": "The approval has to come from another person.",
    "caller-not-manager": "The caller does not manage this engagement.",
    "commit-too-large": "The command would record too many events, or too many bytes.",
    "content-differs": "The content hash is not that of the document's latest version.",
    "currency-differs": (
        "An amount is in another currency than the engagement, the contract or the record."
    ),
    "date-before-approval": "The day is before the approval that it requires.",
    "date-before-contract": "The day is before the contract begins.",
    "date-before-hold": "The day is before the work was put on hold.",
    "date-before-issue": "The day is before the invoice was issued.",
    "date-before-known": "The day is before that of the newest report.",
    "date-before-last-movement": "The day is before the last invoice, credit, payment or refund.",
    "date-before-question": "The day is before that of the question.",
    "date-before-record": "The day is before that of the record that is corrected.",
    "date-before-request": "The day is before that of the request.",
    "date-before-sending": "The day is before the document was sent.",
    "date-before-submission": "The day is before the submission.",
    "date-in-future": "The day has not begun yet.",
    "disconnect-unknown": "There is no open disconnect with this id.",
    "document-unknown": "The department has no such document of the engagement: upload it first.",
    "engagement-not-imported": (
        "The department has not taken over its part of the engagement from another system."
    ),
    "engagement-on-hold": "The work on the engagement is on hold, or was on that day.",
    "engagement-over": "The engagement is closed, lost or terminated.",
    "engagement-terminated": "The engagement was terminated before the entry fell due.",
    "event-not-recordable": "The resulting event cannot be stored and read back unchanged.",
    "field-differs": "A field has another value than the recorded one.",
    "field-missing": "A field has no recorded value and has to be given.",
    "finish-before-start": "The last day is before the first.",
    "id-repeated": "An id is used more than once.",
    "question-not-addressed": "Another department answers the question.",
    "question-unknown": "There is no question with this id.",
}
"""Sentence of each code, sorted by code."""
