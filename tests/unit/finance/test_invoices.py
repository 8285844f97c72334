"""Check invoices: approved, numbered, issued, voided, credited; numbers that are refused."""

from datetime import UTC, date, datetime

from chassis.domain.pending import Refusal
from contracts.finance import (
    BillingEventDue,
    CreditNoteIssued,
    InvoiceApproved,
    InvoiceDrafted,
    InvoiceIssued,
    InvoiceLineContent,
    InvoiceLineTerms,
    InvoiceVoided,
)
from contracts.reference import CompanyPublished
from finance.billing.decisions import BillOutsideSchedule
from finance.billing.events import CreditNoteApproved, NumberRefused
from finance.engagement import Engagement
from finance.invoices.decisions import ApproveInvoice, VoidInvoice, numbering
from finance.number_series.events import NumberTaken
from finance.number_series.requests import TakeNumber
from finance.settlement.decisions import SettleAccount
from testkit.scenario import Scenario, like
from tests.amounts import eur
from tests.invoices import SELLER, untaxed, untaxed_credit
from tests.unit.finance.builders import (
    APRIL_1,
    ESTIMATE,
    PROPOSED,
    SIGNED,
    SOW,
    SOW_SIGNED,
    TERMINATED,
    WON,
    accepted,
    contracted,
    credit,
    credit_issued,
    drafts_and_invoices,
    hearing,
    issued,
    lined,
    newest_invoice,
    opened,
    pay,
    sent,
)

APPROVE = ApproveInvoice(invoice="invoice-start")
TAKEN = NumberTaken(number=7, on=APRIL_1)
GERMAN = CompanyPublished.model_validate(
    {
        "company": "de",
        "legal_name": "Concord GmbH",
        "address": "Uferstrasse 12",
        "country": "DE",
        "tax_codes": SELLER.tax_codes,
        "base_currency": "EUR",
        "time_zone": "Europe/Berlin",
        "invoice_numbers": {"prefix": "DE-"},
        "credit_note_numbers": {"prefix": "DE-CN-"},
    }
)
START = ("invoice.invoice-start", "1")
"""Id and item of the request for the number of the first invoice."""


def drafted() -> Scenario[Engagement]:
    return contracted().on(APRIL_1)


VOID = VoidInvoice(invoice="invoice-start", why="Wrong address.")


def test_an_approved_draft_is_numbered_and_issued():
    approved = (
        drafted()
        .when(APPROVE, by="cora")
        .then(InvoiceApproved(invoice="invoice-start", issue_on=APRIL_1, **untaxed(eur(5_000))))
    )
    approved.when_outcome(*START, TAKEN).then(
        InvoiceIssued(
            invoice="invoice-start",
            number="2026-00007",
            billing_event="due-start",
            kind="on-signature",
            **untaxed(eur(5_000)),
            advance_drawn=eur(0),
            lines=lined(
                "invoice-start",
                InvoiceLineContent(description="On signature", line="work", amount=eur(5_000)),
            ),
            issued_on=APRIL_1,
            due_on=date(2026, 5, 1),
        )
    )


def test_an_approval_requests_the_next_number_of_the_year_of_the_invoice():
    name, item = START
    command = TakeNumber(on=APRIL_1)
    request = numbering("us.invoice.2026", command, id=name, item=item)
    drafted().when(APPROVE).then_requests(request)


def test_the_company_of_the_deal_numbers_its_documents_with_its_own_prefix():
    name, item = START
    for company, number in {"us": "2026-00007", "de": "DE-2026-00007"}.items():
        sold = WON.model_copy(update={"company": company})
        approved = hearing(drafted().knowing(SELLER, GERMAN), sold).when(APPROVE)
        series = f"{company}.invoice.2026"
        approved.then_requests(numbering(series, TakeNumber(on=APRIL_1), id=name, item=item))
        approved.after.when_outcome(name, item, TAKEN).then(like(InvoiceIssued, number=number))
    german = hearing(sent().knowing(SELLER, GERMAN), WON.model_copy(update={"company": "de"}))
    noted = credit_issued(german, credit(100))
    (note,) = noted.state.billing.invoices["invoice-start"].credits
    assert note.number == "DE-CN-2026-00001"


def test_a_document_of_an_unknown_company_is_not_numbered():
    early = opened().when_consumed(ESTIMATE, PROPOSED, SOW).then_accepted().on(SIGNED)
    unsold = hearing(early, SOW_SIGNED).on(APRIL_1)
    unsold.when(APPROVE).then_refused("company-unknown")
    hearing(unsold, WON).when(APPROVE).then(like(InvoiceApproved))


def test_an_invoice_without_its_number_is_not_issued():
    drafted().after(APPROVE).when(VOID).then_refused("invoice-not-issued")


def test_an_invoice_whose_number_is_refused_is_a_draft_again_and_can_be_approved_again():
    refused = (
        drafted().after(APPROVE).when_outcome(*START, refused=Refusal("date-before-known", "No."))
    )
    draft = refused.then(NumberRefused(invoice="invoice-start", why="No."))
    shown = drafts_and_invoices(draft)["invoice-start"]
    assert (shown.stage, shown.number_refused) == ("drafted", "No.")
    again = draft.when(APPROVE)
    assert [each.key for each in again.requests] == ["invoice.invoice-start/2"]
    issued = again.then_accepted().when_outcome("invoice.invoice-start", "2", TAKEN)
    issued.then(like(InvoiceIssued, number="2026-00007"))


def test_approving_again_changes_nothing_and_another_day_is_refused():
    approved = drafted().after(APPROVE)
    approved.when(APPROVE).then_nothing()
    other = ApproveInvoice(invoice="invoice-start", issue_on=SIGNED)
    approved.when(other).then_refused("already-recorded", fields={"issue_on"})
    sent().when(APPROVE).then_nothing()


def test_an_invoice_is_issued_neither_before_it_is_due_nor_in_the_future():
    at = ApproveInvoice(invoice="invoice-start", issue_on=date(2026, 3, 19))
    drafted().when(at).then_refused(
        "amount-not-billable",
        missing={"billing-item-not-due"},
        saying="due on 2026-03-20, after 2026-03-19",
    )
    future = ApproveInvoice(invoice="invoice-start", issue_on=date(2026, 4, 2))
    drafted().when(future).then_refused("date-in-future")
    drafted().when(ApproveInvoice(invoice="tea")).then_refused("invoice-unknown")


def test_after_a_termination_only_accepted_work_is_invoiced():
    dated = drafted().when_deadline("due-care").then_accepted().on(date(2026, 8, 2))
    over = hearing(dated, TERMINATED, accepted("design"))
    over.when(ApproveInvoice(invoice="invoice-care")).then_refused(
        "amount-not-billable", missing={"engagement-terminated"}
    )
    over.when(ApproveInvoice(invoice="invoice-design")).then(like(InvoiceApproved))


def test_a_void_invoice_keeps_its_number_and_is_drafted_again():
    void = (
        sent()
        .when(VOID, by="cora")
        .then(
            InvoiceVoided(
                invoice="invoice-start",
                number="2026-00007",
                amount=eur(5_000),
                why="Wrong address.",
                voided_on=APRIL_1,
                ends_event=False,
            ),
            like(InvoiceDrafted, invoice="invoice-start-2", billing_event="due-start"),
        )
    )
    void.then_view(billed=eur(0))
    void.when(VOID).then_nothing()
    void.on(date(2026, 4, 2)).when(VOID).then_nothing()
    other = VoidInvoice(invoice="invoice-start", why="Wrong amount.")
    void.when(other).then_refused("already-recorded", fields={"why"})
    void.when(APPROVE).then_refused("invoice-not-draft", saying="is voided")
    issued(void, "invoice-start-2", "2026-00008", APRIL_1).then_view(billed=eur(5_000))


def test_acts_on_an_invoice_dated_tomorrow_are_of_its_date_by_default():
    """Check a day that had begun in UTC+14, before the company moved to where it has not."""
    tomorrow = date(2026, 4, 2)
    eastern = SELLER.model_copy(update={"time_zone": "Pacific/Kiritimati"})
    noon = contracted().on(datetime(2026, 4, 1, 12, tzinfo=UTC)).knowing(eastern)
    approved = noon.after(ApproveInvoice(invoice="invoice-start", issue_on=tomorrow))
    dated = approved.when_outcome(*START, NumberTaken(number=7, on=tomorrow)).then_accepted()
    dated = dated.knowing(SELLER)
    voided = dated.when(VOID).then(like(InvoiceVoided, voided_on=tomorrow), like(InvoiceDrafted))
    voided.when(VOID).then_nothing()
    dated.when(credit(10)).then(like(CreditNoteApproved, issued_on=tomorrow))


def test_an_exception_ends_with_its_invoice():
    line = InvoiceLineTerms(description="Work", line="work", amount=eur(6_000))
    exception = BillOutsideSchedule(item="design", lines=(line,), reason="Year end.")
    with_it = sent().after(exception)
    name = newest_invoice(with_it)
    invoiced = issued(with_it, name, "2026-00008", APRIL_1)
    void = invoiced.when(VoidInvoice(invoice=name, why="Not accepted.")).then(like(InvoiceVoided))
    void.when_consumed(accepted("design")).then(
        like(BillingEventDue, item="design", amount=eur(6_000)),
        like(InvoiceDrafted),
    )


def test_a_paid_or_credited_invoice_cannot_be_voided():
    sent().after(pay(1)).when(VOID).then_refused("invoice-settled-in-part")
    sent().after(credit(1)).when(VOID).then_refused("invoice-settled-in-part")
    drafted().when(VOID).then_refused("invoice-not-issued")


def test_a_credit_note_does_not_exceed_the_rest_of_the_invoice():
    some = sent().after(credit(1_000), by="cora")
    some.then_view(billed=eur(4_000), outstanding=eur(4_000))
    some.when(credit(4_001)).then_refused("credit-too-large", saying="4,000.00 EUR at most")


def test_a_credit_note_is_issued_under_the_next_number_of_its_series():
    approved = sent().when(credit(1_000), by="cora")
    (note,) = approved.events
    assert isinstance(note, CreditNoteApproved)
    assert note.credit_note.startswith("credit-")
    [line] = note.lines
    command = TakeNumber(on=APRIL_1)
    name, item = "credit-note.invoice-start", note.credit_note
    approved.then_requests(numbering("us.credit-note.2026", command, id=name, item=item))
    issued = approved.after.when_outcome(name, item, NumberTaken(number=3, on=APRIL_1)).then(
        CreditNoteIssued(
            credit_note=note.credit_note,
            number="CN-2026-00003",
            invoice="invoice-start",
            **untaxed_credit(eur(1_000), "2026-00007", invoice_line=line.invoice_line),
            why="Goodwill.",
            issued_on=APRIL_1,
        )
    )
    issued.then_view(billed=eur(4_000), outstanding=eur(4_000))


def test_an_account_is_not_settled_before_its_credit_notes_have_their_numbers():
    approved = sent().after(credit(1_000))
    approved.when(SettleAccount()).then_refused(
        "account-not-settled", saying="waits for its number"
    )


def test_a_credit_note_whose_number_is_refused_is_withdrawn():
    approved = sent().when(credit(1_000), by="cora")
    (request,) = approved.requests
    refusal = Refusal("date-before-known", "No.")
    refused = approved.after.when_outcome(request.id, request.item, refused=refusal)
    refused.then(like(NumberRefused, invoice="invoice-start", credit_note=request.item))
    refused.after.then_view(billed=eur(5_000), outstanding=eur(5_000))
    [shown] = refused.after.view["invoices"]
    assert (shown.credit_notes, shown.credit_refused) == ([], "No.")
    [shown] = refused.after.after(credit(1_000), by="cora").view["invoices"]
    assert shown.credit_refused is None
