"""Check gate 5: scheduled entries fall due by themselves, anything else is an exception."""

from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from contracts.delivery import AcceptanceWithdrawn
from contracts.finance import (
    BillingEventDue,
    DraftWithdrawn,
    InvoiceDrafted,
    InvoiceLine,
    InvoiceVoided,
)
from contracts.values import BillingItem
from finance.billing.decisions import BillOutsideSchedule
from finance.invoices.decisions import ApproveInvoice, VoidInvoice
from finance.payments.decisions import RecordPayment
from finance.settlement.decisions import SettleAccount
from finance.time_billing.decisions import BillTime
from testkit.scenario import like
from tests.unit.finance.builders import (
    AMENDMENT,
    ASSESSED,
    ESTIMATE,
    HOURLY_SOW,
    PROPOSED,
    SIGNED,
    SOW,
    SOW_SIGNED,
    TERMINATED,
    accepted,
    contracted,
    drafts_and_invoices,
    eur,
    hearing,
    issued,
    newest_invoice,
    opened,
    per_hour,
    time,
    usd,
)


def line(amount: int | str, **more: object) -> InvoiceLine:
    return InvoiceLine.model_validate({"description": "Work", "amount": eur(amount), **more})


def test_the_signature_makes_its_entry_due_and_drafts_the_invoice():
    ready = opened().when_consumed(ESTIMATE, PROPOSED, SOW).then_accepted().on(SIGNED)
    signed = ready.when_consumed(SOW_SIGNED)
    due, draft = signed.events[-2:]
    assert like(BillingEventDue, billing_event="due-start", due_on=SIGNED).matches(due)
    lines = (InvoiceLine(description="On signature", amount=eur(5_000)),)
    assert like(InvoiceDrafted, amount=eur(5_000), lines=lines).matches(draft)
    assert drafts_and_invoices(signed.after)["invoice-start"].stage == "drafted"


def test_acceptance_makes_its_entry_due_with_the_last_of_its_deliverables():
    both = HOURLY_SOW.billing_schedule[1].model_copy(
        update={"kind": "on-acceptance", "deliverables": ("design", "portal")}
    )
    sow = HOURLY_SOW.model_copy(update={"billing_schedule": (HOURLY_SOW.billing_schedule[0], both)})
    half = contracted(sow).when_consumed(accepted("portal", date(2026, 5, 6))).then_nothing()
    half.when_consumed(accepted("design", date(2026, 5, 4))).then(
        BillingEventDue(
            billing_event="due-time",
            item="time",
            kind="on-acceptance",
            amount=eur(16_000),
            due_on=date(2026, 5, 6),
            deliverables=("design", "portal"),
        ),
        like(InvoiceDrafted, invoice="invoice-time", amount=eur(16_000), advance_drawn=eur(0)),
    )


def withdrawn(deliverable: str) -> AcceptanceWithdrawn:
    return AcceptanceWithdrawn(
        deliverable=deliverable,
        submission=1,
        accepted_on=date(2026, 5, 4),
        why="Another letter.",
        withdrawn_on=date(2026, 5, 5),
    )


def test_a_draft_on_a_withdrawn_acceptance_is_withdrawn_and_due_with_the_next_acceptance():
    drafted = contracted().when_consumed(accepted("design")).then_accepted()
    amount = drafts_and_invoices(drafted)["invoice-design"].amount
    undue = drafted.when_consumed(withdrawn("design")).then(
        DraftWithdrawn(invoice="invoice-design", billing_event="due-design", amount=amount)
    )
    again = undue.when_consumed(accepted("design", date(2026, 5, 8)))
    again.then(
        like(BillingEventDue, billing_event="due-design", due_on=date(2026, 5, 8)),
        like(InvoiceDrafted, invoice="invoice-design", amount=amount),
    )


def test_what_is_approved_or_an_exception_stays_after_the_acceptance_is_withdrawn():
    drafted = contracted().on(date(2026, 5, 4)).when_consumed(accepted("design")).then_accepted()
    approved = drafted.after(ApproveInvoice(invoice="invoice-design"))
    approved.when_consumed(withdrawn("design")).then_nothing()
    early = BillOutsideSchedule(item="design", lines=(line(100),), reason="Agreed.")
    ahead = contracted().on(date(2026, 5, 4)).after(early)
    (exception,) = [name for name in drafts_and_invoices(ahead) if name != "invoice-start"]
    taken_back = ahead.consumed(accepted("design")).when_consumed(withdrawn("design"))
    assert exception in drafts_and_invoices(taken_back.then_accepted())


def test_acceptance_processed_before_the_signature_is_due_with_the_budget():
    early = opened().when_consumed(accepted("design")).then_nothing()
    signed = hearing(early, ESTIMATE, PROPOSED, SOW).when_consumed(SOW_SIGNED)
    due = like(BillingEventDue, billing_event="due-design", due_on=date(2026, 5, 4))
    assert any(due.matches(event) for event in signed.events)


def test_a_descoped_deliverable_need_not_be_accepted_but_makes_nothing_due_alone():
    cut = AMENDMENT.model_copy(
        update={
            "price_delta": eur(0),
            "billing_schedule": (),
            "deliverables_added": (),
            "deliverables_descoped": ("portal",),
        }
    )
    both = HOURLY_SOW.billing_schedule[1].model_copy(
        update={"kind": "on-acceptance", "deliverables": ("design", "portal")}
    )
    sow = HOURLY_SOW.model_copy(update={"billing_schedule": (HOURLY_SOW.billing_schedule[0], both)})
    descoped = hearing(contracted(sow), ASSESSED, cut)
    assert {each.billing_event for each in descoped.view["invoices"]} == {"due-advance"}
    descoped.when_consumed(accepted("design", date(2026, 4, 10))).then(
        like(BillingEventDue, due_on=AMENDMENT.signed_on), like(InvoiceDrafted)
    )


def test_a_deliverable_that_is_added_again_has_to_be_accepted():
    out = AMENDMENT.model_copy(
        update={
            "price_delta": eur(-7_000),
            "billing_schedule": (),
            "deliverables_added": (),
            "deliverables_descoped": ("portal",),
        }
    )
    both = AMENDMENT.billing_schedule[0].model_copy(update={"deliverables": ("portal", "report")})
    back = AMENDMENT.model_copy(
        update={
            "amendment": "A-CR-2",
            "change": "CR-2",
            "deliverables_added": (*AMENDMENT.deliverables_added, PROPOSED.deliverables[1]),
            "billing_schedule": (both,),
        }
    )
    again = ASSESSED.model_copy(update={"change": "CR-2"})
    added_again = hearing(contracted(), ASSESSED, out, again, back)
    half = added_again.when_consumed(accepted("report", date(2026, 5, 4))).then_nothing()
    half.when_consumed(accepted("portal", date(2026, 5, 6))).then(
        like(BillingEventDue, item="report", due_on=date(2026, 5, 6)), like(InvoiceDrafted)
    )


def test_a_deadline_makes_an_entry_on_a_date_due():
    contracted().then_deadlines(due_care=date(2026, 8, 1)).when_deadline("due-care").then(
        like(BillingEventDue, item="care", kind="on-date", due_on=date(2026, 8, 1)),
        like(InvoiceDrafted, amount=eur(2_000)),
    ).then_deadlines()


def test_a_date_after_the_termination_makes_nothing_due():
    hearing(contracted(), TERMINATED).then_deadlines()


def test_an_entry_of_an_amendment_falls_due_like_any_other():
    amended = hearing(contracted(), ASSESSED, AMENDMENT)
    amended.when_consumed(accepted("report")).then(
        like(BillingEventDue, item="report", amount=eur(2_900)), like(InvoiceDrafted)
    )


def early(**more: object) -> BillOutsideSchedule:
    return BillOutsideSchedule.model_validate(
        {"item": "design", "lines": (line(6_000),), "reason": "Year end.", **more}
    )


def test_an_exception_bills_before_acceptance_with_a_reason():
    billed = contracted().on(date(2026, 4, 10)).when(early(), by="cora")
    billing_event, draft = billed.events
    assert isinstance(billing_event, BillingEventDue)
    assert (
        billing_event.exception,
        billing_event.kind,
        billing_event.due_on,
        billing_event.deliverables,
    ) == (
        "Year end.",
        "on-acceptance",
        date(2026, 4, 10),
        ("design",),
    )
    assert isinstance(draft, InvoiceDrafted)
    assert draft.billing_event == billing_event.billing_event
    billed.after.when_consumed(accepted("design")).then_nothing()


def test_the_rest_of_an_entry_after_an_exception_falls_due_as_agreed():
    part = contracted().after(early(lines=(line(1_000),)))
    part.when_consumed(accepted("design")).then(
        like(BillingEventDue, billing_event="due-design", amount=eur(5_000), exception=None),
        like(InvoiceDrafted, amount=eur(5_000)),
    )


def test_the_amount_of_a_void_exception_falls_due_beside_the_rest():
    part = contracted().on(date(2026, 4, 10)).after(early(lines=(line(1_000),)))
    name = newest_invoice(part)
    sent = issued(hearing(part, accepted("design")), name, "2026-00001", date(2026, 5, 5))
    void = sent.when(VoidInvoice(invoice=name, why="Not agreed."))
    again = void.then(
        like(InvoiceVoided, ends_event=True),
        like(BillingEventDue, billing_event="due-design-rest", amount=eur(1_000), exception=None),
        like(InvoiceDrafted, invoice="invoice-design-rest", amount=eur(1_000)),
    )
    again.when(early(lines=(line(1),))).then_refused("amount-beyond-schedule")


def test_the_amount_of_a_void_exception_on_a_dated_entry_falls_due_on_that_date():
    part = contracted().on(date(2026, 7, 1)).after(early(item="care", lines=(line(500),)))
    name = newest_invoice(part)
    rest = part.when_deadline("due-care").then(
        like(BillingEventDue, amount=eur(1_500)), like(InvoiceDrafted, invoice="invoice-care")
    )
    sent = issued(rest, name, "2026-00001", date(2026, 8, 3))
    void = sent.after(VoidInvoice(invoice=name, why="Not agreed."))
    void.when_deadline("due-care-rest").then(
        like(BillingEventDue, billing_event="due-care-rest", amount=eur(500)),
        like(InvoiceDrafted, invoice="invoice-care-rest"),
    )


def test_an_exception_bills_time_at_another_rate_and_its_hours_are_billed_then():
    worked = hearing(contracted(HOURLY_SOW), time("a", hours=50)).on(date(2026, 5, 1))
    wrong = early(
        item="time", lines=(line(6_000, role="developer", hours=Decimal(50), rate=per_hour(120)),)
    )
    billed = worked.after(wrong, by="cora")
    billed.when(BillTime(month="2026-04")).then_refused(
        "amount-not-billable", missing={"work-not-approved"}
    )


def test_an_exception_bills_no_more_than_its_entry_has_left():
    contracted().when(early(lines=(line(6_001),))).then_refused(
        "amount-beyond-schedule", saying="design has 6,000.00 EUR left to bill, not 6,001.00 EUR"
    )
    contracted().after(early()).when(early(lines=(line(1),))).then_refused("amount-beyond-schedule")


def test_an_exception_needs_a_contract_an_entry_and_the_currency():
    opened().when(early()).then_refused("budget-not-set")
    contracted().when(early(item="tea")).then_refused("billing-item-unknown")
    dollars = InvoiceLine(description="Work", amount=usd(1))
    contracted().when(early(lines=(dollars,))).then_refused("currency-differs")
    ended = issued(contracted(), "invoice-start", "2026-00001", SIGNED)
    paid = ended.after(RecordPayment(invoice="invoice-start", amount=eur(5_000)))
    settled = hearing(paid, TERMINATED).after(SettleAccount())
    settled.when(early()).then_refused("account-settled")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((line(-1),), "more than nothing"),
        ((line(5, hours=Decimal(1), rate=per_hour(6)),), "hours x rate, 6.00 EUR"),
        ((line(5), InvoiceLine(description="x", amount=usd(1))), "one currency"),
        ((), "at least 1"),
    ],
)
def test_lines_of_an_exception_add_up(lines: tuple[InvoiceLine, ...], message: str):
    with pytest.raises(ValidationError, match=message):
        early(lines=lines)


def test_drafts_that_follow_at_once_have_different_ids():
    cut = AMENDMENT.model_copy(
        update={"price_delta": eur(-20_000), "billing_schedule": (), "deliverables_added": ()}
    )
    void = VoidInvoice(invoice="invoice-start", why="Wrong address.")
    sent = issued(contracted(), "invoice-start", "2026-00001", SIGNED)
    voided = hearing(sent, ASSESSED, cut).after(void)
    entries = tuple(
        BillingItem(item=item, kind="on-signature", amount=eur(1_000))
        for item in ("start", "start-2")
    )
    more = AMENDMENT.model_copy(
        update={
            "amendment": "A-CR-2",
            "change": "CR-2",
            "price_delta": eur(2_000),
            "billing_schedule": entries,
        }
    )
    again = hearing(voided, ASSESSED.model_copy(update={"change": "CR-2"}), more)
    assert {name: each.stage for name, each in again.state.billing.invoices.items()} == {
        "invoice-start": "voided",
        "invoice-start-2": "drafted",
        "invoice-start-2-2": "drafted",
    }
