"""Test that people edit drafts: works taken off, fewer hours, amounts written down, texts."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.finance import (
    BillingEventDue,
    InvoiceApproved,
    InvoiceDrafted,
    InvoiceEdited,
    InvoiceLineTerms,
    WorkHeld,
)
from contracts.lines import ContractLine
from contracts.money import Money
from finance.billing.decisions import BillOutsideSchedule
from finance.drafts.decisions import EditInvoice
from finance.engagement import Engagement
from finance.invoices.decisions import (
    ApproveInvoice,
    IssueCreditNote,
    RejectInvoice,
    VoidInvoice,
)
from finance.service import ENGAGEMENT
from finance.time_billing.decisions import BillTime
from testkit.scenario import Scenario, like
from tests.amounts import eur, per_hour
from tests.unit.finance.builders import (
    HOURLY_SOW,
    MONDAY,
    accepted,
    contracted,
    credit_issued,
    fixed_line,
    hearing,
    hourly_line,
    issued,
    recognise,
    recognised,
    sow_of,
    time,
    time_reversed,
)
from tests.unit.finance.test_billing import fallen_due, off, retainer
from tests.unit.finance.test_credit_notes import (
    ALL_AS_TIME,
    APRIL,
    INVOICE,
    MAY,
    TRAIN,
    WEEK,
    line_of,
    shown,
    unbilled,
)


def drafted(*lines: ContractLine) -> Scenario[Engagement]:
    """Return a draft over two days of a developer, one of an architect and a train."""
    sow = sow_of(*(lines or (hourly_line(ALL_AS_TIME),)))
    return hearing(contracted(sow).on(MAY), WEEK, TRAIN).after(APRIL)


def edit(invoice: str = INVOICE, **more: Any) -> EditInvoice:
    return EditInvoice.model_validate({"invoice": invoice, "why": "As agreed.", **more})


def lower(scenario: Scenario[Engagement], role: str | None, amount: int | str) -> EditInvoice:
    return edit(lines=[{"invoice_line": line_of(scenario, role), "amount": eur(amount)}])


def edited(scenario: Scenario[Engagement], command: EditInvoice) -> InvoiceEdited:
    [event] = scenario.when(command).events
    assert isinstance(event, InvoiceEdited)
    return event


def written_down(scenario: Scenario[Engagement]) -> Money:
    return Money.total((each.written_down for each in scenario.view["withheld"]), "EUR")


def test_a_work_that_is_taken_off_is_unbilled_again() -> None:
    draft = drafted()
    event = edited(draft, edit(entries=["b"]))
    assert [(each.entry, each.amount) for each in event.removed] == [("b", eur(800))]
    assert (event.amount, event.why) == (eur(1_970), "As agreed.")
    developer = event.lines[0]
    assert (developer.invoice_line, developer.hours, developer.amount) == (
        line_of(draft, "developer"),
        Decimal(8),
        eur(800),
    )
    assert [each.day for each in developer.days] == [MONDAY]
    after = draft.after(edit(entries=["b"]))
    assert (unbilled(after), shown(after).edited) == (eur(800), "As agreed.")
    assert after.state.billing.due_on_item("time", "EUR") == eur(1_970)
    after.when(edit(entries=["b"])).then_refused("work-not-on-invoice", saying="b")
    again = after.when(APRIL)
    again.then(like(BillingEventDue, amount=eur(800)), like(InvoiceDrafted))
    whole = draft.after(edit(entries=["c"], expenses=["train"]))
    assert [each.role for each in shown(whole).lines] == ["developer"]


def test_works_that_are_taken_off_can_be_held() -> None:
    draft = drafted()
    held = draft.when(edit(entries=["b"], hold=True))
    held.then(
        like(InvoiceEdited, amount=eur(1_970)),
        like(WorkHeld, worth=eur(800), why="As agreed.", line="work"),
    )
    assert unbilled(held.after) == eur(0)
    assert [each.entry for each in held.after.view["held_work"]] == ["b"]
    with pytest.raises(ValidationError):
        edit(lines=[{"invoice_line": "x", "hours": 1}], hold=True)
    with pytest.raises(ValidationError):
        edit()


def test_fewer_hours_take_the_last_works_off() -> None:
    draft = drafted()
    fewer = edit(lines=[{"invoice_line": line_of(draft, "developer"), "hours": 10}])
    event = edited(draft, fewer)
    assert [(each.entry, each.hours, each.amount) for each in event.lines[0].works] == [
        ("a", Decimal(8), eur(800)),
        ("b", Decimal(2), eur(200)),
    ]
    assert [(each.entry, each.hours, each.amount) for each in event.removed] == [
        ("b", Decimal(6), eur(600))
    ]
    assert unbilled(draft.after(fewer)) == eur(600)
    more = edit(lines=[{"invoice_line": line_of(draft, "developer"), "hours": 17}])
    draft.when(more).then_refused("invoice-line-fixed", saying="16 h of approved work")
    on_expense = edit(lines=[{"invoice_line": line_of(draft, None), "hours": 1}])
    draft.when(on_expense).then_refused("invoice-line-fixed")


def test_a_lower_amount_is_written_down_and_its_works_share_it() -> None:
    draft = drafted()
    event = edited(draft, lower(draft, "developer", "1500.01"))
    developer = event.lines[0]
    assert (developer.amount, developer.written_down) == (eur("1500.01"), eur("99.99"))
    assert [(each.amount, each.written_down) for each in developer.works] == [
        (eur("750.00"), eur("50.00")),
        (eur("750.01"), eur("49.99")),
    ]
    after = draft.after(lower(draft, "developer", "1500.01"))
    assert (written_down(after), unbilled(after)) == (eur("99.99"), eur(0))
    earned = after.after(recognise("03")).after(recognise("04"))
    assert recognised(earned, "04") == eur("2670.01")
    back = after.after(lower(after, "developer", 1_600))
    assert (written_down(back), shown(back).lines[0].written_down) == (eur(0), None)


def test_a_write_down_ends_with_the_draft_and_with_the_work() -> None:
    draft = drafted()
    lowered = draft.after(lower(draft, "developer", 1_500))
    rejected = lowered.after(RejectInvoice(invoice=INVOICE, why="Wrong."))
    assert (written_down(rejected), unbilled(rejected)) == (eur(0), eur(2_770))
    gone = hearing(lowered, time_reversed(WEEK, "b"))
    assert (written_down(gone), shown(gone).amount) == (eur(100), eur(1_870))
    less = lowered.after(edit(entries=["a", "b"]))
    assert (written_down(less), unbilled(less)) == (eur(0), eur(1_600))
    out = issued(lowered, INVOICE, "2026-00001", MAY)
    again = out.after(VoidInvoice(invoice=INVOICE, why="Wrong address."))
    assert (written_down(again), shown(again, f"{INVOICE}-2").amount) == (eur(100), eur(2_670))


def test_what_the_contract_fixes_is_never_raised() -> None:
    draft = drafted()
    draft.when(lower(draft, "developer", "1600.01")).then_refused(
        "invoice-line-fixed", saying="can bill 0 to 1,600.00 EUR (16 h at 100.00 EUR)"
    )
    draft.when(lower(draft, "developer", -1)).then_refused("invoice-line-fixed")
    draft.when(edit(lines=[{"invoice_line": "tea", "amount": eur(1)}])).then_refused(
        "invoice-line-unknown", saying=line_of(draft, "developer")
    )
    draft.when(lower(draft, "developer", 1_600)).then_nothing()
    every = edit(entries=["a", "b", "c"], expenses=["train"])
    draft.when(every).then_refused("invoice-empty", saying="reject it")
    issued_ = issued(draft, INVOICE, "2026-00001", MAY)
    issued_.when(edit(entries=["a"])).then_refused("invoice-not-draft")


def test_a_text_changes_nothing_else() -> None:
    draft = drafted()
    text = {"invoice_line": line_of(draft, "developer"), "description": "Development, April"}
    event = edited(draft, edit(lines=[text]))
    before = draft.state.billing.invoices[INVOICE]
    assert event.lines[0].description == "Development, April"
    assert (event.amount, event.removed) == (before.amount, ())
    assert event.lines[1:] == before.lines[1:]


def test_a_fixed_amount_is_lowered_for_good() -> None:
    done = hearing(contracted(sow_of(fixed_line())).on(MAY), accepted("design"))
    name = line_of(done, None, "invoice-design")
    lower_line = {"invoice_line": name, "amount": eur(5_500)}
    lowered = done.after(edit("invoice-design", lines=[lower_line]))
    assert shown(lowered, "invoice-design").amount == eur(5_500)
    assert lowered.state.billing.due_on_item("design", "EUR") == eur(6_000)
    lowered.then_view(billed=eur(0))
    out = issued(lowered, "invoice-design", "2026-00001", MAY)
    assert out.state.billing.billed("EUR") == eur(5_500)
    assert [each for each in out.state.billing.invoices if "rest" in each] == []
    void = out.after(VoidInvoice(invoice="invoice-design", why="Wrong address."))
    assert shown(void, "invoice-design-2").amount == eur(5_500)
    rejected = lowered.after(RejectInvoice(invoice="invoice-design", why="Wrong."))
    assert shown(rejected, "invoice-design-2").amount == eur(6_000)


def test_a_month_of_a_retainer_that_is_lowered_is_not_charged_with_the_next() -> None:
    may = contracted(sow_of(fixed_line(), retainer())).when_deadline("due-fees-2026-05")
    draft, name = may.then_accepted().on(MAY), "invoice-fees-2026-05"
    lower_line = {"invoice_line": line_of(draft, None, name), "amount": eur(400)}
    lowered = draft.after(edit(name, lines=[lower_line]))
    assert fallen_due(lowered, 2) == [
        ("due-fees-2026-06", date(2026, 6, 1), eur(500)),
        ("due-fees-2026-07", date(2026, 7, 1), eur(500)),
    ]


@pytest.mark.parametrize("given_back", [0, 50])
def test_an_amount_that_was_lowered_is_whole_again_when_it_is_billed_again(given_back: int) -> None:
    """Check so for a fixed line, a retainer and works alike; not for what is left of a line."""
    signed = contracted(sow_of(fixed_line(), retainer(), hourly_line(ALL_AS_TIME, line="more")))
    done = hearing(signed, accepted("design"), time("a", hours=5, line="more"))
    due = done.when_deadline("due-fees-2026-05").then_accepted().on(MAY)
    for name, whole in (
        ("invoice-design", 6_000),
        ("invoice-fees-2026-05", 500),
        ("invoice-time-2026-04", 500),
    ):
        draft = due.after(BillTime(month="2026-04")) if "time" in name else due
        line = shown(draft, name).lines[0].invoice_line
        lower_line = {"invoice_line": line, "amount": eur(400)}
        lowered = draft.after(edit(name, lines=[lower_line]))
        out = issued(lowered, name, "2026-00001", MAY)
        if given_back and "time" not in name:
            out = credit_issued(out, credit_line(name, line, "give-back", given_back), 1)
        if "time" not in name:
            part = credit_issued(out, credit_line(name, line, "cancel-and-rebill", 100), 2)
            assert billed_anew(part, name) == eur(100)
        cancelled = credit_issued(out, credit_line(name, line, "cancel-and-rebill", None), 3)
        expected = whole if "time" in name else whole - given_back
        assert billed_anew(cancelled, name) == eur(expected)


def credit_line(name: str, line: str, intent: str, amount: int | None) -> IssueCreditNote:
    credited = {"invoice_line": line, "amount": None if amount is None else eur(amount)}
    return IssueCreditNote.model_validate(
        {"invoice": name, "intent": intent, "lines": [credited], "why": "Wrong."}
    )


def billed_anew(scenario: Scenario[Engagement], name: str) -> Money:
    """Return the amount of the draft that follows a credit note on an invoice."""
    if "time" in name:
        scenario = scenario.after(BillTime(month="2026-04"))
    elif "fees" in name:
        [deadline] = [
            each.name
            for each in ENGAGEMENT.deadlines(scenario.state)
            if each.name.startswith("due-fees-2026-05")
        ]
        scenario = scenario.when_deadline(deadline).then_accepted()
    item = name.removeprefix("invoice-").split("-2026")[0]
    state = scenario.state
    [anew] = [each for each in state.billing.of_item(item) if each.stage == "drafted"]
    return anew.amount


def test_a_discount_follows_from_what_is_left_and_is_not_edited_itself() -> None:
    time_line = hourly_line(ALL_AS_TIME)
    draft = drafted(time_line, off(-2_000, "time"))
    amounts = {each.line: each.amount for each in shown(draft).lines}
    assert amounts["discount"] == eur(-277)
    less = draft.after(edit(entries=["c"], expenses=["train"]))
    assert {each.line: each.amount for each in shown(less).lines} == {
        "work": eur(1_600),
        "discount": eur(-160),
    }
    [discount] = (each for each in shown(draft).lines if each.line == "discount")
    raised = edit(lines=[{"invoice_line": discount.invoice_line, "amount": eur(-500)}])
    draft.when(raised).then_refused("invoice-line-fixed", saying="lower the line")


def test_an_advance_pays_for_what_is_left_on_the_draft() -> None:
    advanced = issued(contracted(HOURLY_SOW), "invoice-advance", "2026-00001", date(2026, 3, 23))
    draft = hearing(advanced.on(MAY), time("many", hours=60)).after(APRIL)
    assert shown(draft).advance_drawn == eur(4_000)
    less = draft.after(edit(entries=["many.3"]))
    assert (shown(less).advance_drawn, shown(less).amount) == (eur(4_000), eur(800))
    draft.when(edit(entries=["many", "many.2"])).then_refused("invoice-empty")


def test_who_edits_an_exception_does_not_approve_it() -> None:
    terms = InvoiceLineTerms(
        description="Advice",
        line="work",
        amount=eur(1_000),
        role="developer",
        hours=Decimal(10),
        rate=per_hour(100),
    )
    early = BillOutsideSchedule(item="time", lines=(terms,), reason="Year end.")
    base = hearing(contracted(sow_of(hourly_line(ALL_AS_TIME))).on(MAY), time("a"))
    draft = base.after(early, by="fred")
    [name] = draft.state.billing.invoices
    line = {"invoice_line": line_of(draft, "developer", name), "amount": eur(900)}
    changed = draft.after(edit(name, lines=[line]), by="cora")
    approve = ApproveInvoice(invoice=name)
    for person in ("fred", "cora"):
        changed.when(approve, by=person).then_refused("approver-is-author")
    changed.when(approve, by="dora").then(like(InvoiceApproved, amount=eur(900)))
    later = hearing(changed, time("later"))
    [bill] = next(each for each in later.state.work.every if each.entry == "later").bills
    assert (bill.hours, bill.amount) == (Decimal(2), eur(180))
