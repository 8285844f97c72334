"""Check change orders that lower the price: invoices are kept, drafts are adjusted."""

from datetime import date

from contracts.finance import (
    BillingEventDue,
    BudgetAmended,
    DraftWithdrawn,
    InvoiceApproved,
    InvoiceDrafted,
    InvoiceLineContent,
    InvoiceLineTerms,
    InvoiceVoided,
)
from contracts.money import Money
from finance.billing.decisions import BillOutsideSchedule
from finance.engagement import Engagement
from finance.invoices.decisions import ApproveInvoice, VoidInvoice
from finance.service import ENGAGEMENT
from finance.time_billing.decisions import BillTime
from testkit.scenario import Scenario, like
from tests.amounts import eur
from tests.unit.finance.builders import (
    HOURLY_SOW,
    SCHEDULE,
    accepted,
    amendment,
    contracted,
    cut_by,
    drafts_and_invoices,
    fixed_line,
    hearing,
    issued,
    line_change,
    lined,
    sow_of,
    time,
)

APRIL_10 = date(2026, 4, 10)
JUNE = date(2026, 6, 1)
TWENTY = SCHEDULE[1].model_copy(update={"amount": eur(20_000)})


def schedule_of(engagement: Scenario[Engagement]) -> dict[str, Money]:
    return {entry.item: entry.amount for entry in engagement.view["budget"].schedule}


def test_a_cut_reduces_unbilled_amounts_and_not_paid_ones():
    portal = SCHEDULE[2].model_copy(update={"amount": eur(15_000)})
    engagement = contracted(sow_of(fixed_line(portal, SCHEDULE[0])))
    paid = issued(engagement, "invoice-start", "2026-00001", APRIL_10)
    less = hearing(paid, cut_by(3_000))
    assert schedule_of(less) == {"portal": eur(12_000), "start": eur(5_000)}
    less.when_consumed(accepted("portal")).then(
        like(BillingEventDue, amount=eur(12_000)), like(InvoiceDrafted, amount=eur(12_000))
    )


def test_drafts_above_what_a_cut_leaves_are_withdrawn_and_drafted_again():
    ready = hearing(contracted(), accepted("design"), accepted("portal")).on(JUNE)
    less = ready.when_consumed(cut_by(9_500))
    assert schedule_of(less.after) == {"start": eur(5_000), "design": eur(5_500)}
    assert less.events[-4:] == (
        DraftWithdrawn(invoice="invoice-design", billing_event="due-design", amount=eur(6_000)),
        DraftWithdrawn(invoice="invoice-portal", billing_event="due-portal", amount=eur(7_000)),
        BillingEventDue(
            billing_event="due-design",
            line="work",
            item="design",
            kind="on-acceptance",
            amount=eur(5_500),
            due_on=date(2026, 5, 4),
            deliverables=("design",),
        ),
        InvoiceDrafted(
            invoice="invoice-design",
            billing_event="due-design",
            kind="on-acceptance",
            lines=lined(
                "invoice-design",
                InvoiceLineContent(description="Services", line="work", amount=eur(5_500)),
            ),
            amount=eur(5_500),
            advance_drawn=eur(0),
        ),
    )
    less.after.when(ApproveInvoice(invoice="invoice-portal")).then_refused("invoice-unknown")
    both = less.after.after(ApproveInvoice(invoice="invoice-start"))
    both.when(ApproveInvoice(invoice="invoice-design")).then(
        like(InvoiceApproved, amount=eur(5_500))
    )


def test_an_approved_draft_is_kept_and_the_cut_reduces_other_entries():
    approved = contracted().on(JUNE).after(ApproveInvoice(invoice="invoice-start"))
    less = hearing(approved, cut_by(14_000))
    assert schedule_of(less) == {"start": eur(5_000), "design": eur(1_000)}
    beyond = hearing(less, cut_by(2_000, amendment="A-CR-1b"))
    assert schedule_of(beyond) == {"start": eur(4_000)}
    assert drafts_and_invoices(beyond)["invoice-start"].amount == eur(5_000)


def test_a_void_invoice_is_drafted_again_over_the_reduced_entry():
    sent = issued(contracted(), "invoice-start", "2026-00001", APRIL_10)
    less = hearing(sent, cut_by(18_000))
    void = less.when(VoidInvoice(invoice="invoice-start", why="Too much."))
    void.then(
        like(InvoiceVoided, amount=eur(5_000), ends_event=True),
        like(BillingEventDue, billing_event="due-start", amount=eur(2_000)),
        like(InvoiceDrafted, invoice="invoice-start-2", amount=eur(2_000)),
    )


def test_the_rest_of_a_withdrawn_exception_falls_due_beside_approved_drafts():
    engagement = contracted(sow_of(fixed_line(TWENTY))).on(JUNE)
    line = InvoiceLineTerms(description="A part", line="work", amount=eur(3_000))
    part = BillOutsideSchedule(item="design", lines=(line,), reason="Asked for.")
    rest = hearing(engagement.after(part), accepted("design"))
    approved = rest.after(ApproveInvoice(invoice="invoice-design"))
    approved.when_consumed(cut_by(1_000)).then(
        like(BudgetAmended),
        like(DraftWithdrawn, amount=eur(3_000)),
        like(BillingEventDue, billing_event="due-design-rest", amount=eur(2_000)),
        like(InvoiceDrafted, invoice="invoice-design-rest", amount=eur(2_000)),
    )


def test_time_drafted_beyond_a_cut_can_be_billed_again():
    worked = hearing(contracted(HOURLY_SOW), time("a", hours=150)).on(JUNE)
    drafted = worked.after(BillTime(month="2026-04"))
    less = hearing(drafted, cut_by(6_000))
    assert set(drafts_and_invoices(less)) == {"invoice-advance"}
    less.when(BillTime(month="2026-04")).then(
        like(BillingEventDue, amount=eur(10_000)), like(InvoiceDrafted, amount=eur(10_000))
    )


def test_time_billed_again_does_not_reuse_the_id_of_a_void_invoice():
    worked = hearing(contracted(HOURLY_SOW), time("a", hours=150)).on(JUNE)
    sent = issued(
        worked.after(BillTime(month="2026-04")), "invoice-time-2026-04", "2026-00001", JUNE
    )
    less = hearing(sent, cut_by(6_000))
    void = less.after(VoidInvoice(invoice="invoice-time-2026-04", why="Too much."))
    void.when(BillTime(month="2026-04")).then(
        like(BillingEventDue, billing_event="due-time-2026-04-2", amount=eur(14_000)),
        like(InvoiceDrafted, invoice="invoice-time-2026-04-2"),
    )


def fallen_due() -> Scenario[Engagement]:
    """Return a contract whose care entry of 2,000 EUR fell due on its date and is drafted."""
    return contracted().when_deadline("due-care").then_accepted()


def entry_deadlines(engagement: Scenario[Engagement]) -> list[str]:
    """Return the names of the deadlines of entries on a date."""
    return [
        each.name for each in ENGAGEMENT.deadlines(engagement.state) if each.name.startswith("due-")
    ]


def test_the_rest_of_a_dated_entry_after_a_cut_has_a_new_deadline():
    assert entry_deadlines(contracted()) == ["due-care"]
    engagement = fallen_due()
    for number, left in ((1, 1_500), (2, 1_000)):
        less = hearing(engagement, cut_by(500, amendment=f"A-CR-{number}"))
        assert entry_deadlines(less) == [f"due-care-a{number}"]
        due = less.when_deadline(f"due-care-a{number}")
        engagement = due.then(
            like(BillingEventDue, billing_event="due-care", amount=eur(left)),
            like(InvoiceDrafted, invoice="invoice-care", amount=eur(left)),
        )
        assert entry_deadlines(engagement) == []


def test_the_rest_of_a_void_dated_invoice_after_a_cut_has_a_new_deadline():
    sent = issued(fallen_due(), "invoice-care", "2026-00001", date(2026, 8, 2))
    less = hearing(sent, cut_by(19_000))
    void = less.after(VoidInvoice(invoice="invoice-care", why="Too much."))
    assert entry_deadlines(void) == ["due-care-a1"]
    void.when_deadline("due-care-a1").then(
        like(BillingEventDue, amount=eur(1_000)), like(InvoiceDrafted, invoice="invoice-care-2")
    )


def test_an_invoiced_entry_that_an_amendment_removes_is_not_billed_again():
    sent = issued(contracted(), "invoice-start", "2026-00001", APRIL_10)
    instead = SCHEDULE[3].model_copy(update={"item": "later", "amount": eur(5_000)})
    moved = amendment(line_change(0, billing=(instead,), billing_removed=("start",)))
    after = hearing(sent, moved)
    assert schedule_of(after) == {
        "start": eur(5_000),
        "design": eur(6_000),
        "portal": eur(7_000),
        "care": eur(2_000),
    }
    less = SCHEDULE[0].model_copy(update={"amount": eur(1_000)})
    lowered = amendment(line_change(0, billing=(instead,), billing_changed=(less,)))
    assert schedule_of(hearing(sent, lowered)) == schedule_of(after)
    drafted = hearing(contracted(), moved)
    assert schedule_of(drafted)["later"] == eur(5_000)
    assert drafts_and_invoices(drafted) == {}
