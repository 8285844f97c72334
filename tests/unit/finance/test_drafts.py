"""Test that drafts are held, released and rejected, and exceptions approved by another person."""

from datetime import date

from contracts.finance import (
    BillingEventDue,
    InvoiceApproved,
    InvoiceDrafted,
    InvoiceHeld,
    InvoiceRejected,
    InvoiceReleased,
)
from finance.billing.decisions import BillOutsideSchedule
from finance.engagement import Engagement
from finance.invoices.decisions import ApproveInvoice, HoldInvoice, RejectInvoice, ReleaseInvoice
from finance.settlement.decisions import SettleAccount
from finance.time_billing.decisions import BillTime
from testkit.scenario import Scenario, like
from tests.amounts import eur
from tests.unit.finance.builders import (
    APRIL_1,
    TERMINATED,
    accepted,
    contracted,
    drafts_and_invoices,
    hearing,
    hourly_line,
    issued,
    lined,
    newest_invoice,
    sent,
    sow_of,
    time,
)

APPROVE = ApproveInvoice(invoice="invoice-start")
HOLD = HoldInvoice(invoice="invoice-start", why="The customer disputes it.")
RELEASE = ReleaseInvoice(invoice="invoice-start")
REJECT = RejectInvoice(invoice="invoice-start", why="Wrong text.")


def drafted() -> Scenario[Engagement]:
    return contracted().on(APRIL_1)


def excepted(*, by: str = "fred", on_behalf_of: str | None = None) -> Scenario[Engagement]:
    """Return a contract whose entry `design` is billed before its acceptance."""
    line = {"description": "Design", "line": "work", "amount": eur(6_000)}
    exception = {"item": "design", "lines": [line], "reason": "Year end."}
    command = BillOutsideSchedule.model_validate(exception)
    return drafted().when(command, by=by, on_behalf_of=on_behalf_of).then_accepted()


def test_a_held_draft_is_not_approved_until_it_is_released() -> None:
    held = (
        drafted()
        .when(HOLD)
        .then(InvoiceHeld(invoice="invoice-start", why="The customer disputes it."))
    )
    assert drafts_and_invoices(held)["invoice-start"].held == "The customer disputes it."
    held.when(HOLD).then_nothing()
    other = HOLD.model_copy(update={"why": "Wrong text."})
    held.when(other).then_refused("already-recorded", fields={"why"})
    held.when(APPROVE).then_refused(
        "amount-not-billable", missing={"invoice-held"}, saying="The customer disputes it."
    )
    released = held.when(RELEASE).then(InvoiceReleased(invoice="invoice-start"))
    released.when(RELEASE).then_nothing()
    assert drafts_and_invoices(released)["invoice-start"].held is None
    released.when(APPROVE).then(like(InvoiceApproved))
    released.when(HOLD).then(like(InvoiceHeld))


def test_only_drafts_are_held_released_and_rejected() -> None:
    drafted().when(RELEASE).then_refused("invoice-not-held")
    for command in (HOLD, RELEASE, REJECT):
        sent().when(command).then_refused("invoice-not-draft", saying="is issued")
        drafted().after(APPROVE).when(command).then_refused("invoice-not-draft")
        unknown = command.model_copy(update={"invoice": "tea"})
        drafted().when(unknown).then_refused("invoice-unknown")


def test_a_rejected_draft_of_the_schedule_is_drafted_anew() -> None:
    rejected = (
        drafted()
        .when(REJECT)
        .then(
            InvoiceRejected(
                invoice="invoice-start", why="Wrong text.", amount=eur(5_000), ends_event=False
            ),
            like(
                InvoiceDrafted,
                invoice="invoice-start-2",
                billing_event="due-start",
                amount=eur(5_000),
            ),
        )
    )
    rejected.when(REJECT).then_nothing()
    other = REJECT.model_copy(update={"why": "Wrong amount."})
    rejected.when(other).then_refused("already-recorded", fields={"why"})
    rejected.when(APPROVE).then_refused("invoice-not-draft", saying="is rejected")
    shown = drafts_and_invoices(rejected)["invoice-start"]
    assert (shown.stage, shown.rejected) == ("rejected", "Wrong text.")
    rejected.when(ApproveInvoice(invoice="invoice-start-2")).then(like(InvoiceApproved))


def test_works_of_a_rejected_draft_are_billed_again() -> None:
    known = issued(contracted(sow_of(hourly_line())), "invoice-advance", "2026-00001", APRIL_1)
    worked = (
        hearing(known, time("a", hours=70)).on(date(2026, 5, 4)).after(BillTime(month="2026-04"))
    )
    name = newest_invoice(worked)
    draft = worked.state.billing.invoices[name]
    works = worked.state.work.billed_on(name)
    assert works
    assert draft.advance_drawn == eur(4_000)
    rejected = worked.when(RejectInvoice(invoice=name, why="Too early.")).then(
        like(InvoiceRejected, amount=draft.amount, ends_event=True, works=works)
    )
    assert rejected.state.work.billed_on(name) == ()
    rejected.when(BillTime(month="2026-04")).then(
        like(BillingEventDue, amount=draft.amount),
        like(
            InvoiceDrafted,
            amount=draft.amount,
            advance_drawn=eur(4_000),
            lines=lined(f"{name}-2", *draft.lines),
        ),
    )


def test_an_exception_ends_with_its_draft() -> None:
    with_it = excepted()
    name = newest_invoice(with_it)
    rejected = with_it.when(RejectInvoice(invoice=name, why="No.")).then(
        like(InvoiceRejected, ends_event=True)
    )
    rejected.when_consumed(accepted("design")).then(
        like(BillingEventDue, item="design", amount=eur(6_000)), like(InvoiceDrafted)
    )


def test_an_exception_is_approved_by_another_person_than_requested_it() -> None:
    with_it = excepted(by="fred")
    approve = ApproveInvoice(invoice=newest_invoice(with_it))
    with_it.when(approve, by="fred").then_refused("approver-is-author")
    with_it.when(approve, by="dora", on_behalf_of="fred").then_refused("approver-is-author")
    with_it.when(approve, by="dora").then(like(InvoiceApproved))
    scheduled = with_it.when(APPROVE, by="fred")
    scheduled.then(like(InvoiceApproved))


def test_neither_a_stand_in_nor_who_they_stand_in_for_approves_their_exception() -> None:
    with_it = excepted(by="gus", on_behalf_of="fred")
    approve = ApproveInvoice(invoice=newest_invoice(with_it))
    for person, other in (("gus", None), ("fred", None), ("dora", "gus"), ("gus", "dora")):
        with_it.when(approve, by=person, on_behalf_of=other).then_refused("approver-is-author")
    with_it.when(approve, by="dora", on_behalf_of="cora").then(like(InvoiceApproved))


def test_an_account_is_not_settled_while_a_draft_is_held() -> None:
    held = hearing(drafted(), TERMINATED).after(HOLD)
    held.when(SettleAccount()).then_refused("account-not-settled", missing={"invoice-not-issued"})
