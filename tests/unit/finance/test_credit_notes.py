"""Test credit notes by line and work: what is billed again, and what is given back for good."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.delivery import TimeApproved
from contracts.finance import (
    BillingEventDue,
    CreditedLine,
    InvoiceApproved,
    InvoiceDrafted,
    InvoiceLineTerms,
)
from contracts.lines import BillingItem
from contracts.money import Money
from finance.billing.decisions import BillOutsideSchedule
from finance.billing.events import CreditNoteApproved
from finance.billing.state import Invoice
from finance.drafts.decisions import EditInvoice, LineEdit
from finance.engagement import Engagement
from finance.invoices.credits import LineCredit
from finance.invoices.decisions import (
    ApproveInvoice,
    HoldInvoice,
    InvoiceView,
    IssueCreditNote,
    VoidInvoice,
)
from finance.periods.requests import BookPeriod
from finance.tax.invoice_tax import Taxed, credited_tax, taxed
from finance.time_billing.decisions import BillTime
from testkit.scenario import Scenario, like
from tests.amounts import eur, per_hour
from tests.unit.finance.builders import (
    HOURLY_SOW,
    MONDAY,
    accepted,
    amendment,
    contracted,
    credit_issued,
    drafts_and_invoices,
    entries,
    expense,
    fixed_line,
    hearing,
    hourly_line,
    issued,
    line_change,
    sow_of,
    time,
    time_reversed,
)
from tests.unit.finance.test_billing import fallen_due, retainer
from tests.unit.finance.test_invoice_tax import by_code, draft_of

MAY = date(2026, 5, 4)
APRIL = BillTime(month="2026-04")
INVOICE = "invoice-time-2026-04"
ALL_AS_TIME = BillingItem(item="time", kind="time", amount=eur(20_000))
WEEK = TimeApproved(
    person="dev",
    week=MONDAY,
    entries=(
        *entries("a"),
        *entries("b", day=date(2026, 4, 7)),
        *entries("c", role="architect", day=date(2026, 4, 8)),
    ),
)
"""Two days of a developer, 800 EUR each, and one of an architect, 1,120 EUR."""
TRAIN = expense("train", eur(50))


def hourly() -> Scenario[Engagement]:
    """Return an issued invoice over two days of a developer, one of an architect and a train."""
    worked = hearing(contracted(sow_of(hourly_line(ALL_AS_TIME))).on(MAY), WEEK, TRAIN)
    return issued(worked.after(APRIL), INVOICE, "2026-00001", MAY)


def credit(invoice: str = INVOICE, **more: object) -> IssueCreditNote:
    return IssueCreditNote.model_validate(
        {"invoice": invoice, "intent": "cancel-and-rebill", "why": "Wrong.", **more}
    )


def credited(scenario: Scenario[Engagement], **more: Any) -> Scenario[Engagement]:
    return credit_issued(scenario, credit(**more))


def shown(scenario: Scenario[Engagement], invoice: str = INVOICE) -> InvoiceView:
    return drafts_and_invoices(scenario)[invoice]


def line_of(scenario: Scenario[Engagement], role: str | None, invoice: str = INVOICE) -> str:
    [line] = (each for each in shown(scenario, invoice).lines if each.role == role)
    return line.invoice_line


def unbilled(scenario: Scenario[Engagement]) -> Money:
    [line] = scenario.view["unbilled"]
    amount: Money = line.unbilled
    return amount


def note_of(scenario: Scenario[Engagement], command: IssueCreditNote) -> CreditNoteApproved:
    [note] = scenario.when(command, by="cora").events
    assert isinstance(note, CreditNoteApproved)
    return note


def test_works_that_are_credited_to_be_billed_again_are_unbilled() -> None:
    out = hourly()
    note = note_of(out, credit(entries=("b",)))
    [line] = note.lines
    assert (line.invoice_line, line.line, line.amount) == (
        line_of(out, "developer"),
        "work",
        eur(800),
    )
    assert [(each.entry, each.hours) for each in line.works] == [("b", Decimal(8))]
    again = credited(out, entries=("b",))
    assert unbilled(again) == eur(800)
    assert again.state.billing.billed("EUR") == eur(1_970)
    again.when(credit(entries=("b",))).then_refused("work-not-on-invoice", saying="b")
    again.when(APRIL).then(like(BillingEventDue, amount=eur(800)), like(InvoiceDrafted))


def test_the_same_credit_note_again_credits_nothing_twice() -> None:
    out = hourly()
    line = LineCredit(invoice_line=line_of(out, "developer"), amount=eur(100))
    ways: tuple[dict[str, Any], ...] = ({"amount": eur(100)}, {"lines": (line,)})
    for way in ways:
        terms = {"intent": "give-back", **way}
        out.after(credit(**terms), by="cora").when(credit(**terms)).then_nothing()
        done = credited(out, **terms)
        done.when(credit(**terms)).then_refused("already-recorded", saying="give another reason")
        done.when(credit(**terms, why="Late as well.")).then_accepted()
    done.when(credit(intent="give-back", amount=eur(101))).then_accepted()


def test_the_invoice_shows_its_credit_notes_and_the_rates_of_its_lines() -> None:
    out = hourly()
    assert [each.rate for each in shown(out).lines] == [per_hour(100), per_hour(140), None]
    assert shown(out).credit_notes == []
    approved = out.after(credit(entries=("b",)), by="cora")
    [waiting] = shown(approved).credit_notes
    [note] = shown(credited(out, entries=("b",))).credit_notes
    assert (waiting.number, note.number) == (None, "CN-2026-00001")
    assert (note.intent, note.why, note.issued_on) == ("cancel-and-rebill", "Wrong.", MAY)
    assert [(each.invoice_line, each.amount) for each in note.lines] == [
        (line_of(out, "developer"), eur(800))
    ]
    assert (note.amount, note.tax.gross, note.advance_restored) == (eur(800), eur(800), None)


def test_a_line_that_is_credited_to_be_billed_again_takes_all_its_works_along() -> None:
    out = hourly()
    developer = LineCredit(invoice_line=line_of(out, "developer"))
    again = credited(out, lines=(developer,))
    assert unbilled(again) == eur(1_600)
    left = {each.role: each.left for each in shown(again).lines}
    assert left == {"developer": eur(0), "architect": eur(1_120), None: eur(50)}
    part = developer.model_copy(update={"amount": eur(900)})
    out.when(credit(lines=(part,))).then_refused(
        "works-not-named", saying="credit all that is left, 1,600.00 EUR"
    )
    out.when(credit(amount=eur(900))).then_refused("works-not-named")


def test_an_invoice_that_is_credited_whole_is_billed_again_whole() -> None:
    again = credited(hourly())
    assert (unbilled(again), shown(again).outstanding) == (eur(2_770), eur(0))
    again.when(credit()).then_refused("credit-too-large", saying="nothing is left")
    whole = again.after(APRIL)
    assert [each.amount for each in whole.state.billing.invoices[f"{INVOICE}-2"].lines] == [
        eur(1_600),
        eur(1_120),
        eur(50),
    ]


def test_work_that_an_edit_wrote_down_whole_is_unbilled_with_its_invoice() -> None:
    worked = hearing(contracted(sow_of(hourly_line(ALL_AS_TIME))).on(MAY), WEEK, TRAIN)
    drafted = worked.after(APRIL)
    free = LineEdit(invoice_line=line_of(drafted, "architect"), amount=eur(0))
    lower = drafted.after(EditInvoice(invoice=INVOICE, why="Ours.", lines=(free,)))
    out = issued(lower, INVOICE, "2026-00001", MAY)
    assert (unbilled(out), shown(out).outstanding) == (eur(0), eur(1_650))
    assert unbilled(credited(out)) == eur(2_770)


def test_what_is_given_back_for_good_is_not_billed_again_and_lowers_the_cap() -> None:
    capped = hearing(contracted(sow_of(hourly_line(ALL_AS_TIME))).on(MAY), time("a", hours=200))
    out = issued(capped.after(APRIL), INVOICE, "2026-00001", MAY)
    back = credited(out, intent="give-back", entries=("a",))
    assert (unbilled(back), shown(back).credited) == (eur(0), eur(2_400))
    more = hearing(back, time("more"))
    more.when(APRIL).then_refused("amount-not-billable", missing={"cap-spent"})
    again = hearing(credited(out, entries=("a",)), time("more"))
    again.when(APRIL).then(like(BillingEventDue, amount=eur(2_400)), like(InvoiceDrafted))


def test_reversed_work_is_taken_off_the_invoice_and_not_given_back() -> None:
    gone = hearing(hourly(), time_reversed(WEEK, "b"))
    gone.when(credit(intent="give-back", entries=("a", "b"))).then_refused(
        "work-reversed", saying="the approval of b was reversed: cancel-and-rebill"
    )
    both = credited(gone, entries=("a", "b"))
    assert unbilled(both) == eur(800)
    both.then_view(to_credit=[])


def test_no_more_is_credited_than_is_left_of_a_line() -> None:
    out = hourly()
    developer, train = line_of(out, "developer"), line_of(out, None)
    part = LineCredit(invoice_line=developer, amount=eur(1_000))
    given = credited(out, intent="give-back", lines=(part,))
    for amount in (601, -1):
        line = LineCredit(invoice_line=developer, amount=eur(amount))
        given.when(credit(intent="give-back", lines=(line,))).then_refused(
            "credit-too-large", saying=f"600.00 EUR is left of line {developer}"
        )
    again = credit(intent="give-back", entries=("b",))
    given.when(again).then_refused("credit-too-large", saying="800.00 EUR")
    unknown = credit(lines=(LineCredit(invoice_line="tea"),))
    given.when(unknown).then_refused("invoice-line-unknown", saying=train)
    nothing = credit(intent="give-back", lines=(LineCredit(invoice_line=train, amount=eur(0)),))
    given.when(nothing).then_refused("credit-not-positive")


def test_what_was_given_back_before_is_not_credited_again_for_reversed_work() -> None:
    out = hourly()
    developer = LineCredit(invoice_line=line_of(out, "developer"), amount=eur(1_000))
    given = credited(out, intent="give-back", lines=(developer,))
    gone = hearing(given, time_reversed(WEEK, "a", "b"))
    [line] = note_of(gone, credit(entries=("a", "b"))).lines
    assert (line.amount, len(line.works)) == (eur(600), 2)
    off = credited(gone, entries=("a", "b")).state
    assert off.work.reversed == {}
    # The architect and the train are left: the works that are gone use nothing of the cap.
    assert off.billing.charged(off.billing.invoices[INVOICE]) == eur(1_170)


def test_what_was_given_back_for_good_is_not_billed_again_with_its_line() -> None:
    out = hourly()
    developer = LineCredit(invoice_line=line_of(out, "developer"))
    part = developer.model_copy(update={"amount": eur(800)})
    given = credited(out, intent="give-back", lines=(part,))
    for command in (credit(lines=(developer,)), credit()):
        [taken, *_] = note_of(given, command).lines
        assert (taken.amount, [each.given_back for each in taken.works]) == (
            eur(800),
            [eur(400), eur(400)],
        )
    again = credited(given, entries=("b",))
    assert (unbilled(again), shown(again).outstanding) == (eur(800), eur(1_170))
    again.when(credit(entries=("a",))).then_refused("credit-too-large", saying="0.00 EUR is left")
    whole = credited(out, intent="give-back", lines=(developer,))
    assert [each.role for each in note_of(whole, credit()).lines] == ["architect", None]
    assert unbilled(credited(whole)) == eur(1_170)


def test_work_of_a_line_that_was_given_back_whole_needs_no_credit_once_it_is_reversed() -> None:
    out = hourly()
    developer = LineCredit(invoice_line=line_of(out, "developer"))
    given = credited(out, intent="give-back", lines=(developer,))
    hearing(given, time_reversed(WEEK, "a")).then_view(to_credit=[])
    part = developer.model_copy(update={"amount": eur(1_500)})
    gone = hearing(credited(out, intent="give-back", lines=(part,)), time_reversed(WEEK, "a", "b"))
    [owed] = gone.view["to_credit"]
    assert (owed.works, owed.amount) == (["a", "b"], eur(100))
    credited(gone, entries=("a",)).then_view(to_credit=[])


def test_the_view_has_the_lines_and_the_credit_notes_of_an_invoice() -> None:
    out = hourly()
    waiting = out.after(credit(entries=("b",)), by="cora")
    [note] = shown(waiting).credit_notes
    assert note.number is None
    again = credited(out, entries=("b",))
    [note] = shown(again).credit_notes
    assert (note.number, note.intent, note.amount, note.tax.gross, note.why) == (
        "CN-2026-00001",
        "cancel-and-rebill",
        eur(800),
        eur(800),
        "Wrong.",
    )
    [line] = note.lines
    assert (line.line, line.role, line.works, line.hours) == ("work", "developer", 1, Decimal(8))
    assert {each.tax_code for each in shown(again).lines} == {"US-none"}
    assert [each.works for each in again.state.billing.invoices[INVOICE].credits] == [()]
    given = credited(out, intent="give-back", expenses=("train",))
    [line] = shown(given).credit_notes[0].lines
    assert (line.amount, line.works, line.hours) == (eur(50), 1, None)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"invoice": "nope"}, "invoice-unknown"),
        ({"issued_on": date(2026, 5, 6)}, "date-in-future"),
        ({"issued_on": date(2026, 5, 2)}, "date-before-issue"),
        ({"amount": Money(amount=Decimal(10), currency="USD")}, "currency-differs"),
        ({"intent": "give-back", "amount": eur(2_771)}, "credit-too-large"),
    ],
)
def test_a_wrong_credit_is_refused(more: dict[str, Any], code: Any) -> None:
    hourly().when(credit(**more)).then_refused(code)


def test_only_an_issued_invoice_is_credited_in_an_open_month() -> None:
    drafted = hearing(contracted(sow_of(hourly_line(ALL_AS_TIME))).on(MAY), WEEK).after(APRIL)
    held = drafted.after(HoldInvoice(invoice=INVOICE, why="Disputed."))
    approved = drafted.after(ApproveInvoice(invoice=INVOICE), by="cora")
    void = hourly().after(VoidInvoice(invoice=INVOICE, why="Wrong."))
    for state in (drafted, held, approved, void):
        state.when(credit()).then_refused("invoice-not-issued")
    close = BookPeriod(company="us", month="2026-05", accepted="Late.")
    booked = hourly().on(date(2026, 6, 4)).after(close)
    note: dict[str, Any] = {"intent": "give-back", "amount": eur(10)}
    booked.when(credit(**note, issued_on=MAY)).then_refused("date-in-booked-month")
    booked.when(credit(**note)).then(like(CreditNoteApproved, issued_on=date(2026, 6, 4)))


def test_a_credit_is_for_an_amount_lines_or_works() -> None:
    line = {"invoice_line": "x"}
    for more in (
        {"amount": eur(5), "entries": ("a",)},
        {"amount": eur(5), "lines": (line,)},
        {"lines": (line,), "expenses": ("train",)},
        {"lines": (line, line)},
        {"intent": "perhaps"},
        {"amount": eur(0)},
    ):
        with pytest.raises(ValidationError):
            credit(**more)


def test_an_amount_is_shared_by_the_lines_so_that_it_adds_up() -> None:
    out = hourly()
    for amount in ("0.01", "0.06", "1000", "2769.99", "2770"):
        note = note_of(out, credit(intent="give-back", amount=eur(amount)))
        assert Money.total((each.amount for each in note.lines), "EUR") == eur(amount)
        left = {each.invoice_line: each.left for each in shown(out).lines}
        assert all(eur(0) <= each.amount <= left[each.invoice_line] for each in note.lines)
        assert note.works == ()
    third = note_of(out, credit(intent="give-back", amount=eur(277)))
    assert [each.amount for each in third.lines] == [eur(160), eur(112), eur(5)]


def test_an_entry_that_is_credited_to_be_billed_again_is_due_again() -> None:
    done = hearing(contracted(sow_of(fixed_line())).on(MAY), accepted("design"))
    out = issued(done, "invoice-design", "2026-00001", MAY)
    again = out.when(credit("invoice-design"), by="cora")
    again.then(
        like(CreditNoteApproved, amount=eur(6_000), intent="cancel-and-rebill"),
        like(BillingEventDue, item="design", amount=eur(6_000), billing_event="due-design-rest"),
        like(InvoiceDrafted, amount=eur(6_000), invoice="invoice-design-rest"),
    )
    part = LineCredit(invoice_line=line_of(out, None, "invoice-design"), amount=eur(1_000))
    out.when(credit("invoice-design", lines=(part,)), by="cora").then(
        like(CreditNoteApproved, amount=eur(1_000)),
        like(BillingEventDue, amount=eur(1_000)),
        like(InvoiceDrafted, amount=eur(1_000)),
    )
    given = out.when(credit("invoice-design", intent="give-back"), by="cora")
    given.then(like(CreditNoteApproved, amount=eur(6_000)))


@pytest.mark.parametrize("part", [None, eur(1_000)])
def test_an_amendment_leaves_what_is_billed_again_as_it_is(part: Money | None) -> None:
    lines = (fixed_line(), hourly_line(ALL_AS_TIME, line="time"))
    done = hearing(contracted(sow_of(*lines)).on(MAY), accepted("design"))
    out = issued(done, "invoice-design", "2026-00001", MAY)
    line = LineCredit(invoice_line=line_of(out, None, "invoice-design"), amount=part)
    again = credited(out, invoice="invoice-design", lines=(line,))
    for change in (line_change(650, line="time"), line_change(-650), line_change(650)):
        amended = hearing(again, amendment(change))
        assert amended.state.budget is not None
        for one in amended.state.budget.lines:
            assert one.billed == one.price
        drafts = [each.invoice for each in amended.state.billing.live if each.stage == "drafted"]
        assert drafts == [
            each.invoice for each in again.state.billing.live if each.stage == "drafted"
        ]


def test_a_month_of_a_retainer_is_billed_again() -> None:
    care = retainer()
    drafted = contracted(sow_of(fixed_line(), care)).when_deadline("due-fees-2026-05")
    may = drafted.then_accepted().on(date(2026, 5, 4))
    out = issued(may, "invoice-fees-2026-05", "2026-00001", date(2026, 5, 4))
    again = credited(out, invoice="invoice-fees-2026-05")
    assert fallen_due(again, 3) == [
        ("due-fees-2026-05-rest", date(2026, 5, 1), eur(500)),
        ("due-fees-2026-06", date(2026, 6, 1), eur(500)),
        ("due-fees-2026-07", date(2026, 7, 1), eur(500)),
    ]
    back = credited(out, invoice="invoice-fees-2026-05", intent="give-back")
    assert [each for each, *_ in fallen_due(back, 2)] == ["due-fees-2026-06", "due-fees-2026-07"]


def test_a_month_of_a_retainer_is_billed_again_as_itself_after_later_months() -> None:
    out = contracted(sow_of(fixed_line(), retainer()))
    for month, number in (("05", "2026-00001"), ("06", "2026-00002")):
        day = date(2026, int(month), 4)
        drafted = out.when_deadline(f"due-fees-2026-{month}").then_accepted().on(day)
        out = issued(drafted, f"invoice-fees-2026-{month}", number, day)
    again = credited(out, invoice="invoice-fees-2026-05")
    assert fallen_due(again, 2) == [
        ("due-fees-2026-05-rest", date(2026, 5, 1), eur(500)),
        ("due-fees-2026-07", date(2026, 7, 1), eur(500)),
    ]
    drafted = again.when_deadline("due-fees-2026-05-rest").then_accepted().on(date(2026, 7, 2))
    [*_, draft] = drafted.view["invoices"]
    assert [each.amount for each in draft.lines] == [eur(500)]
    twice = issued(drafted, draft.invoice, "2026-00003", date(2026, 7, 2))
    assert [each for each, *_ in fallen_due(twice, 1)] == ["due-fees-2026-07"]
    approved = twice.state.billing.invoices[draft.invoice].approved
    assert approved is not None
    supplied = approved.details.supplied_from, approved.details.supplied_to
    assert supplied == (date(2026, 5, 11), date(2026, 5, 31))
    part = credited(out, invoice="invoice-fees-2026-05", amount=eur(120))
    assert fallen_due(part, 2) == [
        ("due-fees-2026-05-rest", date(2026, 5, 1), eur(120)),
        ("due-fees-2026-07", date(2026, 7, 1), eur(500)),
    ]


def test_an_exception_that_bills_ahead_bills_nothing_once_it_is_credited() -> None:
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
    drafted = base.after(early, by="fred")
    [name] = (each for each in drafted.state.billing.invoices if "start" not in each)
    out = issued(drafted, name, "2026-00001", MAY)
    again = credited(out, invoice=name)
    assert again.state.work.ahead == {}
    later = hearing(again, time("later"))
    assert unbilled(later) == eur(1_600)


def test_the_part_of_an_advance_is_restored_where_its_work_is_billed_again() -> None:
    advanced = issued(contracted(HOURLY_SOW), "invoice-advance", "2026-00001", date(2026, 3, 23))
    billed = hearing(advanced.on(MAY), time("many", hours=60)).after(APRIL)
    out = issued(billed, INVOICE, "2026-00002", MAY)
    whole = note_of(out, credit())
    assert (whole.amount, whole.advance_restored) == (eur(2_000), eur(4_000))
    assert [each.amount for each in whole.lines] == [eur(6_000)]
    credited(out).then_view(advance_left=eur(4_000))
    back = note_of(out, credit(intent="give-back"))
    assert (back.amount, back.advance_restored) == (eur(2_000), None)
    credited(out, intent="give-back").then_view(advance_left=eur(0))
    line = LineCredit(invoice_line=line_of(out, "developer"))
    out.when(credit(intent="give-back", lines=(line,))).then_refused(
        "credit-too-large", saying="2,000.00 EUR at most, not 6,000.00 EUR"
    )


def test_the_tax_of_a_credit_is_that_of_the_lines_which_it_takes_back() -> None:
    """Credit each line of an invoice with two rates (EN 16931, ubl-tc434-example1.xml)."""
    parts = {"6": ("183.23", "10.99"), "21": ("46.37", "9.74")}
    invoice = invoice_of(parts)
    for percent, (net, tax) in parts.items():
        line = credit_of(f"line-{percent}", net)
        found = credited_tax(invoice, [line], f"line-{percent}", eur(0), "half-up")
        assert by_code(found) == {f"DE-{percent}": (Decimal(net), Decimal(tax))}
        assert [each.lines for each in found.by_code] == [(f"line-{percent}",)]
    every = [credit_of(f"line-{percent}", net) for percent, (net, _) in parts.items()]
    whole = credited_tax(invoice, every, "line-6", eur(0), "half-up")
    assert (whole.total, whole.gross) == (eur("20.73"), eur("250.33"))


def credit_of(line: str, amount: str) -> CreditedLine:
    return CreditedLine(invoice_line=line, line=line, amount=eur(amount))


def invoice_of(parts: dict[str, tuple[str, str]]) -> Invoice:
    """Return an approved invoice with a line for each rate in percent, of this net amount."""
    known, draft = draft_of(parts)
    found = taxed(known.state, draft, MAY, known.records)
    assert isinstance(found, Taxed)
    approved = InvoiceApproved(
        invoice=draft.invoice,
        amount=draft.amount,
        tax=found.tax,
        details=found.details,
        issue_on=MAY,
    )
    return draft.model_copy(update={"approved": approved})
