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
    InvoiceLineContent,
    InvoiceLineTerms,
    InvoiceVoided,
)
from contracts.lines import BillingItem, ContractLine, Retainer
from contracts.money import Money
from finance.billing.decisions import BillOutsideSchedule
from finance.drafts.decisions import EditInvoice, LineEdit
from finance.engagement import Engagement
from finance.invoices.decisions import ApproveInvoice, RejectInvoice, VoidInvoice
from finance.service import ENGAGEMENT
from finance.settlement.decisions import SettleAccount
from finance.time_billing.decisions import BillTime
from testkit.scenario import Scenario, like
from tests.amounts import eur, per_hour, usd
from tests.unit.finance.builders import (
    AMENDMENT,
    DELIVERABLES,
    ESTIMATE,
    HOURLY_SOW,
    PROPOSED,
    REPORT,
    REPORT_ENTRY,
    SIGNED,
    SOW,
    SOW_SIGNED,
    TERMINATED,
    accepted,
    allocate,
    amendment,
    contracted,
    cut_by,
    drafts_and_invoices,
    fixed_line,
    hearing,
    hourly_line,
    issued,
    line_change,
    lined,
    newest_invoice,
    opened,
    sow_of,
    time,
)


def line(amount: int | str, **more: object) -> InvoiceLineTerms:
    terms = {"description": "Work", "line": "work", "amount": eur(amount)}
    return InvoiceLineTerms.model_validate({**terms, **more})


def test_the_signature_makes_its_entry_due_and_drafts_the_invoice():
    ready = opened().when_consumed(ESTIMATE, PROPOSED, SOW).then_accepted().on(SIGNED)
    signed = ready.when_consumed(SOW_SIGNED)
    due, draft = signed.events[-2:]
    assert like(BillingEventDue, billing_event="due-start", due_on=SIGNED).matches(due)
    first = InvoiceLineContent(description="On signature", line="work", amount=eur(5_000))
    lines = lined("invoice-start", first)
    assert like(InvoiceDrafted, amount=eur(5_000), lines=lines).matches(draft)
    assert drafts_and_invoices(signed.after)["invoice-start"].stage == "drafted"


def test_acceptance_makes_its_entry_due_with_the_last_of_its_deliverables():
    advance, time_item = hourly_line().billing
    kind = {"kind": "on-acceptance", "deliverables": ("design", "portal")}
    sow = sow_of(hourly_line(advance, time_item.model_copy(update=kind)))
    half = contracted(sow).when_consumed(accepted("portal", date(2026, 5, 6))).then_nothing()
    half.when_consumed(accepted("design", date(2026, 5, 4))).then(
        BillingEventDue(
            billing_event="due-time",
            line="work",
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
    cut = cut_by(0, "portal")
    advance, time_item = hourly_line().billing
    kind = {"kind": "on-acceptance", "deliverables": ("design", "portal")}
    sow = sow_of(hourly_line(advance, time_item.model_copy(update=kind)))
    descoped = hearing(contracted(sow), cut)
    assert {each.billing_event for each in descoped.view["invoices"]} == {"due-advance"}
    descoped.when_consumed(accepted("design", date(2026, 4, 10))).then(
        like(BillingEventDue, due_on=AMENDMENT.signed_on), like(InvoiceDrafted)
    )


def test_a_deliverable_that_is_added_again_has_to_be_accepted():
    out = cut_by(7_000, "portal")
    both = REPORT_ENTRY.model_copy(update={"deliverables": ("portal", "report")})
    back = line_change(added=(REPORT, DELIVERABLES[1]), billing=(both,))
    added_again = hearing(contracted(), out, amendment(back, change="CR-2"))
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
    amended = hearing(contracted(), AMENDMENT)
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


def test_the_same_exception_again_bills_nothing_twice():
    thousand = early(lines=(line(1_000),))
    asked = contracted().on(date(2026, 4, 10)).after(thousand, by="fred")
    name = newest_invoice(asked)
    asked.when(thousand, by="cora").then_nothing()
    edit = LineEdit(invoice_line=drafts_and_invoices(asked)[name].lines[0].invoice_line)
    lower = edit.model_copy(update={"amount": eur(900)})
    edited = asked.after(EditInvoice(invoice=name, why="Rounded.", lines=(lower,)), by="cora")
    edited.when(thousand).then_nothing()
    sent = issued(asked, name, "2026-00001", date(2026, 4, 10))
    sent.when(thousand).then_refused("already-recorded", saying="give another reason")
    sent.when(early(lines=(line(1_000),), reason="Again.")).then_accepted()


def test_an_exception_is_requested_anew_after_its_draft_was_rejected():
    asked = contracted().on(date(2026, 4, 10)).after(early(lines=(line(1_000),)))
    rejected = asked.after(RejectInvoice(invoice=newest_invoice(asked), why="Not agreed."))
    rejected.when(early(lines=(line(1_000),))).then(
        like(BillingEventDue, amount=eur(1_000)), like(InvoiceDrafted)
    )


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
    dollars = InvoiceLineTerms(description="Work", line="work", amount=usd(1))
    contracted().when(early(lines=(dollars,))).then_refused("currency-differs")
    ended = issued(contracted(), "invoice-start", "2026-00001", SIGNED)
    paid = ended.after(allocate("invoice-start", eur(5_000)))
    settled = hearing(paid, TERMINATED).after(SettleAccount())
    settled.when(early()).then_refused("account-settled")


def test_the_role_of_an_exception_has_a_rate_in_the_contract_or_on_the_rate_card():
    worked = contracted(sow_of(hourly_line()))

    def early_hour(role: str) -> BillOutsideSchedule:
        return early(item="time", lines=(line(6, **ONE_HOUR | {"role": role}),))

    worked.when(early_hour("developer")).then_accepted()
    worked.when(early_hour("tester")).then_accepted()
    worked.when(early_hour("nobody")).then_refused(
        "rate-not-contracted", saying="lines[0].role: neither line work nor the rate card"
    )
    contracted(sow_of(hourly_line()), card=False).when(early_hour("tester")).then_refused(
        "rate-not-contracted"
    )


ONE_HOUR = {"role": "developer", "hours": Decimal(1), "rate": per_hour(6)}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((line(-1),), "more than nothing"),
        ((line(5, **ONE_HOUR),), r"lines\.0\.amount\s+must be hours x rate, 6.00 EUR"),
        ((line(6), line(6, **ONE_HOUR | {"rate": None})), r"lines\.1\.rate\s+is required"),
        ((line(6, **ONE_HOUR | {"hours": None}),), r"lines\.0\.hours\s+is required"),
        ((line(6, **ONE_HOUR | {"role": None}),), r"lines\.0\.role\s+is required"),
        ((line(5), InvoiceLineTerms(description="x", line="work", amount=usd(1))), "one currency"),
        ((), "at least 1"),
    ],
)
def test_lines_of_an_exception_add_up(lines: tuple[InvoiceLineTerms, ...], message: str):
    with pytest.raises(ValidationError, match=message):
        early(lines=lines)


def test_drafts_that_follow_at_once_have_different_ids():
    void = VoidInvoice(invoice="invoice-start", why="Wrong address.")
    sent = issued(contracted(), "invoice-start", "2026-00001", SIGNED)
    voided = hearing(sent, cut_by(20_000)).after(void)
    entries = tuple(
        BillingItem(item=item, kind="on-signature", amount=eur(1_000))
        for item in ("start", "start-2")
    )
    more = amendment(line_change(2_000, billing=entries), change="CR-2")
    again = hearing(voided, more)
    assert {name: each.stage for name, each in again.state.billing.invoices.items()} == {
        "invoice-start": "voided",
        "invoice-start-2": "drafted",
        "invoice-start-2-2": "drafted",
    }


def test_lines_of_an_exception_belong_to_the_line_of_the_entry():
    contracted().when(early(lines=(line(1, line="other"),))).then_refused(
        "line-unknown", saying="design does not belong to other"
    )


def off(amount: int, reduces: str) -> ContractLine:
    item = BillingItem(item="off", kind="on-signature", amount=eur(amount), reduces=reduces)
    return fixed_line(
        item, line="discount", kind="discount", price=eur(amount), hours=(), deliverables=()
    )


def test_a_discount_is_billed_with_the_entry_that_it_reduces():
    signed = contracted(sow_of(fixed_line(), off(-1_000, "design")))
    assert [each.amount for each in signed.view["budget"].schedule] == [
        eur(5_000),
        eur(5_000),
        eur(7_000),
        eur(2_000),
    ]
    signed.when_consumed(accepted("design")).then(
        like(BillingEventDue, item="design", line="work", amount=eur(5_000)),
        like(
            InvoiceDrafted,
            amount=eur(5_000),
            lines=lined(
                "invoice-design",
                InvoiceLineContent(description="Services", line="work", amount=eur(6_000)),
                InvoiceLineContent(
                    description="Discount on Services", line="discount", amount=eur(-1_000)
                ),
            ),
        ),
    )


def test_an_exception_bills_a_part_before_its_discount_and_the_rest_after_it():
    signed = contracted(sow_of(fixed_line(), off(-1_000, "design")))
    signed.when(early(lines=(line(5_001),))).then_refused("amount-beyond-schedule")
    part = signed.after(early(lines=(line(2_000),)))
    part.when_consumed(accepted("design")).then(
        like(BillingEventDue, amount=eur(3_000)),
        like(
            InvoiceDrafted,
            lines=lined(
                "invoice-design",
                InvoiceLineContent(description="Services", line="work", amount=eur(4_000)),
                InvoiceLineContent(
                    description="Discount on Services", line="discount", amount=eur(-1_000)
                ),
            ),
        ),
    )


def test_an_entry_that_a_discount_takes_away_whole_never_falls_due():
    signed = contracted(sow_of(fixed_line(), off(-6_000, "design")))
    signed.when_consumed(accepted("design")).then_nothing()


def retainer(fee: int = 500, periods: int = 3, *billing: BillingItem) -> ContractLine:
    whole = eur(fee * periods)
    return fixed_line(
        *(billing or (BillingItem(item="fees", kind="period", amount=whole),)),
        line="care",
        pricing="retainer",
        price=whole,
        hours=(),
        deliverables=(),
        retainer=Retainer(fee=eur(fee), periods=periods, starts_on=date(2026, 5, 11)),
    )


def fallen_due(scenario: Scenario[Engagement], months: int) -> list[tuple[str, date, Money]]:
    """Return the months of a retainer that fall due, one after the other by their deadlines."""
    due = []
    for _ in range(months):
        [deadline] = [
            each.name
            for each in ENGAGEMENT.deadlines(scenario.state)
            if each.name.startswith("due-fees")
        ]
        outcome = scenario.when_deadline(deadline)
        [event] = [each for each in outcome.events if isinstance(each, BillingEventDue)]
        due.append((deadline, event.due_on, event.amount))
        scenario = outcome.then_accepted()
    assert not any(
        each.name.startswith("due-fees") for each in ENGAGEMENT.deadlines(scenario.state)
    )
    return due


def test_a_retainer_bills_its_fee_on_the_first_day_of_each_month():
    signed = contracted(sow_of(fixed_line(), retainer()))
    assert fallen_due(signed, 3) == [
        ("due-fees-2026-05", date(2026, 5, 1), eur(500)),
        ("due-fees-2026-06", date(2026, 6, 1), eur(500)),
        ("due-fees-2026-07", date(2026, 7, 1), eur(500)),
    ]
    first = signed.when_deadline("due-fees-2026-05")
    first.then(
        like(BillingEventDue, line="care", kind="period"),
        like(InvoiceDrafted, invoice="invoice-fees-2026-05", amount=eur(500)),
    )


def test_a_retainer_bills_what_was_not_billed_ahead_and_nothing_after_a_termination():
    ahead = BillingItem(item="ahead", kind="on-signature", amount=eur(700))
    months = BillingItem(item="fees", kind="period", amount=eur(800))
    signed = contracted(sow_of(fixed_line(), retainer(500, 3, ahead, months)))
    assert fallen_due(signed, 2) == [
        ("due-fees-2026-05", date(2026, 5, 1), eur(500)),
        ("due-fees-2026-06", date(2026, 6, 1), eur(300)),
    ]
    may = signed.when_deadline("due-fees-2026-05").then_accepted()
    ended = hearing(may, TERMINATED)
    assert not [each.name for each in ENGAGEMENT.deadlines(ended.state) if "fees" in each.name]


def test_a_changed_retainer_bills_the_difference_of_past_months_at_once():
    may = contracted(sow_of(fixed_line(), retainer())).when_deadline("due-fees-2026-05")
    terms = Retainer(fee=eur(600), periods=4, starts_on=date(2026, 5, 11))
    raised = amendment(line_change(900, line="care", retainer=terms))
    assert fallen_due(hearing(may.then_accepted(), raised), 4) == [
        ("due-fees-2026-05-rest-a1", date(2026, 5, 1), eur(100)),
        ("due-fees-2026-06-a1", date(2026, 6, 1), eur(600)),
        ("due-fees-2026-07-a1", date(2026, 7, 1), eur(600)),
        ("due-fees-2026-08-a1", date(2026, 8, 1), eur(600)),
    ]


def test_a_discount_on_a_retainer_is_given_month_by_month():
    item = BillingItem(item="off", kind="on-signature", amount=eur(-100), reduces="fees")
    discount = fixed_line(
        item, line="discount", kind="discount", price=eur(-100), hours=(), deliverables=()
    )
    signed = contracted(sow_of(fixed_line(), retainer(), discount))
    assert [amount for _, _, amount in fallen_due(signed, 3)] == [
        eur("466.67"),
        eur("466.66"),
        eur("466.67"),
    ]


def test_lines_of_an_exception_have_ids_of_their_own_and_share_the_works():
    """Check that two lines for one role neither have one id nor bill the same work twice."""
    worked = hearing(contracted(sow_of(hourly_line())), time("a", hours=12))
    of_role = {"role": "developer", "rate": per_hour(100), "hours": Decimal(8)}
    exception = early(item="time", lines=(line(800, **of_role), line(800, **of_role)))
    drafted = worked.on(date(2026, 5, 4)).when(exception, by="fred")
    [draft] = (each for each in drafted.events if isinstance(each, InvoiceDrafted))
    first, second = draft.lines
    assert first.invoice_line != second.invoice_line
    assert [(each.entry, each.hours) for each in first.works] == [("a", Decimal(8))]
    assert [(each.entry, each.hours) for each in second.works] == [("a", Decimal(4))]
    works = drafted.after.state.work.billed_on(draft.invoice)
    assert [(each.hours, each.amount) for each in works] == [
        (Decimal(8), eur(800)),
        (Decimal(4), eur(400)),
    ]
