"""Test that what a give-back left of an invoice is billed again, and what it gave back is not."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from contracts.event import Event
from contracts.finance import CreditedWork, InvoiceLineTerms
from contracts.lines import BillingItem
from contracts.money import Money
from finance.billing.decisions import BillOutsideSchedule
from finance.billing.events import CreditNoteApproved
from finance.drafts.decisions import EditInvoice, LineEdit
from finance.engagement import Engagement
from finance.invoices.decisions import IssueCreditNote
from finance.number_series.events import NumberTaken
from finance.periods.requests import BookPeriod
from finance.revenue.earned import earned_to
from finance.time_billing.decisions import BillTime
from finance.time_billing.unbilled import remaining, unbilled_to
from testkit.scenario import Scenario
from tests.amounts import eur, per_hour
from tests.unit.finance.builders import (
    accepted,
    contracted,
    credit_issued,
    drafts_and_invoices,
    expense,
    fixed_line,
    hearing,
    hourly_line,
    issued,
    line_rates,
    sow_of,
    time,
    time_reversed,
)
from tests.unit.finance.month_streams import MonthStreams
from tests.unit.finance.test_billing import fallen_due, retainer
from tests.unit.finance.test_credit_notes import unbilled

MAY = date(2026, 5, 4)
APRIL = BillTime(month="2026-04")
FIRST, SECOND = "invoice-time-2026-04", "invoice-time-2026-04-2"
NUMBER = NumberTaken(number=2, on=MAY)
A = time("a", hours=10)
"""10 h of a developer, 1,000 EUR."""
THREE = (A, time("b", hours="3.25", day=date(2026, 4, 7)), time("c", hours=5, day=date(2026, 4, 8)))


def billed(*works: Event, cap: int = 20_000, rate: str = "100") -> Scenario[Engagement]:
    """Return an engagement with an issued invoice over works on a line with a cap."""
    item = BillingItem(item="time", kind="time", amount=eur(cap))
    line = hourly_line(item, price=eur(cap), rates=line_rates(developer=rate, architect=140))
    worked = hearing(contracted(sow_of(line)).on(MAY), *works)
    return issued(worked.after(APRIL), FIRST, "2026-00001", MAY)


def note(intent: str, invoice: str = FIRST, **more: Any) -> IssueCreditNote:
    return IssueCreditNote.model_validate(
        {"invoice": invoice, "intent": intent, "why": "Agreed.", **more}
    )


def given(scenario: Scenario[Engagement], amount: int | str, **more: Any) -> Scenario[Engagement]:
    """Return the scenario after a part of an invoice was given back for good."""
    return credit_issued(scenario, note("give-back", amount=eur(amount), **more))


def cancelled(scenario: Scenario[Engagement], **more: Any) -> Scenario[Engagement]:
    """Return the scenario after the rest of an invoice was credited to be billed again."""
    return credit_issued(scenario, note("cancel-and-rebill", **more), 2)


def rebilled(scenario: Scenario[Engagement]) -> Scenario[Engagement]:
    return issued(scenario.after(APRIL), SECOND, "2026-00002", MAY)


def taken(scenario: Scenario[Engagement], **more: Any) -> tuple[CreditedWork, ...]:
    """Return the works as the credit note states them that cancels what is left."""
    [approved] = scenario.when(note("cancel-and-rebill", **more), by="cora").events
    assert isinstance(approved, CreditNoteApproved)
    return approved.works


def revenue(scenario: Scenario[Engagement]) -> Money:
    state = scenario.state
    assert state.budget is not None
    found = earned_to(state, state.budget, state.budget.obligations[0], MAY)
    assert found is not None
    return found


def room(scenario: Scenario[Engagement]) -> Money:
    """Return what the cap leaves to bill."""
    budget = scenario.state.budget
    assert budget is not None
    [entry] = budget.entries
    return remaining(scenario.state, entry)


def test_what_a_give_back_left_of_one_work_is_billed_again() -> None:
    left = given(billed(A), 300)
    [work] = taken(left)
    assert (work.amount, work.hours) == (eur(700), Decimal(7))
    assert (work.given_back, work.given_back_hours) == (eur(300), Decimal(3))
    again = cancelled(left)
    assert (unbilled(again), drafts_and_invoices(again)[FIRST].outstanding) == (eur(700), eur(0))
    out = rebilled(again)
    [line] = drafts_and_invoices(out)[SECOND].lines
    assert (line.hours, line.amount) == (Decimal(7), eur(700))
    assert (unbilled(out), out.state.billing.billed("EUR"), revenue(out)) == (
        eur(0),
        eur(700),
        eur(700),
    )
    again.when(note("cancel-and-rebill", entries=("a",))).then_refused(
        "credit-too-large", saying="0.00 EUR is left"
    )


def test_the_reversal_of_the_work_ends_both_parts() -> None:
    out = rebilled(cancelled(given(billed(A, cap=1_000), 300)))
    assert room(out) == eur(0)
    gone = hearing(out, time_reversed(A))
    [owed] = gone.view["to_credit"]
    assert (owed.invoice, owed.works, owed.amount) == (SECOND, ["a"], eur(700))
    assert room(gone) == eur(300)
    over = credit_issued(gone, note("cancel-and-rebill", SECOND, entries=("a",)), 3)
    over.then_view(to_credit=[])
    assert (unbilled(over), room(over), over.state.billing.billed("EUR")) == (
        eur(0),
        eur(1_000),
        eur(0),
    )
    more = hearing(over, time("other", hours=2))
    assert (unbilled(more), revenue(more)) == (eur(200), eur(200))
    waiting = hearing(cancelled(given(billed(A), 300)), time_reversed(A))
    assert (unbilled(waiting), waiting.view["to_credit"]) == (eur(0), [])


@pytest.mark.parametrize("amount", ["0.01", "123.45", "1825.31", "1825.59"])
def test_works_of_a_line_share_what_was_given_back(amount: str) -> None:
    out = billed(*THREE, rate="100.0333")
    whole = eur("1825.61")  # 18.25 h
    left = given(out, amount)
    works = taken(left)
    assert Money.total((each.amount for each in works), "EUR") == whole - eur(amount)
    kept = [each.given_back for each in works if each.given_back]
    assert Money.total(kept, "EUR") == eur(amount)
    again = cancelled(left)
    assert unbilled(again) == whole - eur(amount)
    rest = rebilled(again)
    assert (unbilled(rest), rest.state.billing.billed("EUR")) == (eur(0), whole - eur(amount))


def test_the_new_draft_can_be_edited() -> None:
    drafted = cancelled(given(billed(*THREE), "182.50")).after(APRIL)
    [line] = drafts_and_invoices(drafted)[SECOND].lines
    assert line.hours == Decimal("16.425")
    without = drafted.after(EditInvoice(invoice=SECOND, why="Later.", entries=("b",)))
    assert unbilled(without) == eur("292.50")
    fewer = LineEdit(invoice_line=line.invoice_line, hours=Decimal("16.4"))
    edited = drafted.after(EditInvoice(invoice=SECOND, why="Later.", lines=(fewer,)))
    assert unbilled(edited) == eur("2.50")


def test_shares_of_works_are_in_proportion_to_their_amounts() -> None:
    works = taken(given(billed(*THREE), "182.50"))
    assert [(each.entry, each.given_back, each.amount) for each in works] == [
        ("a", eur(100), eur(900)),
        ("b", eur("32.50"), eur("292.50")),
        ("c", eur(50), eur(450)),
    ]
    assert [each.hours for each in works] == [Decimal(9), Decimal("2.925"), Decimal("4.5")]


def test_named_works_are_billed_again_as_far_as_the_line_has_something_left() -> None:
    left = given(billed(*THREE), 1_425)  # 400 of 1,825 are left
    [work] = taken(left, entries=("c",))
    assert (work.amount, work.given_back) == (eur(400), eur(100))
    assert unbilled(cancelled(left, entries=("c",))) == eur(400)
    fits = given(billed(*THREE), 1_000)
    [work] = taken(fits, entries=("c",))
    assert (work.amount, work.given_back) == (eur(500), None)
    assert unbilled(cancelled(cancelled(fits, entries=("c",)))) == eur(825)


def test_an_expense_is_billed_again_in_part() -> None:
    again = cancelled(given(billed(expense("train", eur(50))), 20))
    assert unbilled(again) == eur(30)
    out = rebilled(again)
    assert (unbilled(out), revenue(out)) == (eur(0), eur(30))


def test_what_an_edit_had_written_down_is_unbilled_again_with_the_rest() -> None:
    drafted = hearing(
        contracted(
            sow_of(hourly_line(BillingItem(item="time", kind="time", amount=eur(20_000))))
        ).on(MAY),
        A,
    ).after(APRIL)
    [line] = drafts_and_invoices(drafted)[FIRST].lines
    lower = LineEdit(invoice_line=line.invoice_line, amount=eur(800))
    edited = drafted.after(EditInvoice(invoice=FIRST, why="Ours.", lines=(lower,)))
    again = cancelled(given(issued(edited, FIRST, "2026-00001", MAY), 300))
    assert unbilled(again) == eur(700)
    assert again.state.work.written_down["work"] == eur(0)


def test_works_that_are_reversed_leave_the_invoice_whole_beside_others() -> None:
    works = time("a", hours=8), time("b", day=date(2026, 4, 7))
    gone = hearing(given(billed(*works), 400), time_reversed(works[0]))
    again = cancelled(gone)
    assert unbilled(again) == eur(600)
    again.then_view(to_credit=[])
    assert (room(again), again.state.work.reversed) == (eur(20_000 - 200), {})


@pytest.mark.parametrize("amount", ["300", "300.63"])
def test_a_cap_is_never_exceeded(amount: str) -> None:
    full = billed(time("a", "architect", hours=10), cap=1_400)
    again = cancelled(given(full, amount))
    assert (unbilled(again), room(again)) == (eur(1_400) - eur(amount),) * 2
    more = hearing(again, time("more"))
    out = rebilled(more)
    assert out.state.billing.billed("EUR") == eur(1_400) - eur(amount)
    assert room(out) == eur(0)
    out.when(APRIL).then_refused("amount-not-billable", missing={"cap-spent"})


def test_an_exception_bears_what_was_given_back_by_its_approved_works_first() -> None:
    terms = InvoiceLineTerms(
        description="Advice",
        line="work",
        amount=eur(1_000),
        role="developer",
        hours=Decimal(10),
        rate=per_hour(100),
    )
    early = BillOutsideSchedule(item="time", lines=(terms,), reason="Year end.")
    item = BillingItem(item="time", kind="time", amount=eur(20_000))
    base = hearing(contracted(sow_of(hourly_line(item))).on(MAY), time("a", hours=6))
    drafted = base.after(early, by="fred")
    [name] = (each for each in drafted.state.billing.invoices if "start" not in each)
    out = issued(drafted, name, "2026-00001", MAY)
    again = cancelled(given(out, 500, invoice=name), invoice=name)
    assert (unbilled(again), again.state.work.ahead) == (eur(100), {})
    later = hearing(again, time("later", hours=4))
    assert unbilled(later) == eur(500)


def test_a_month_that_was_booked_before_keeps_its_unbilled_work() -> None:
    """Check that the invoice of May bills its work at the end of May, and the rest in June."""
    again = cancelled(given(billed(A), 300).on(date(2026, 6, 4)))
    found = {month: unbilled_to(again.state, f"2026-{month}") for month in ("04", "05", "06")}
    assert found == {"04": eur(1_000), "05": eur(0), "06": eur(700)}


def test_works_that_moved_are_billed_again_in_part() -> None:
    months = MonthStreams()
    close = BookPeriod(company="us", month="2026-04", accepted="Late.")
    booked = months.after(billed(*THREE).after(close))
    assert not list(booked.state.work.every)
    begun = months.after(given(booked, "182.50").after(note("cancel-and-rebill"), by="cora"))
    pending = (each.event for each in begun.stream.requests.values())
    [asked] = [each for each in pending if each.kind == "number-series"]
    numbered = begun.when_outcome(asked.id, asked.item, NUMBER)
    back = months.after(numbered.then_accepted())
    here = cancelled(given(billed(*THREE), "182.50"))
    assert unbilled(back) == unbilled(here) == eur("1642.50")
    assert back.state.work.totals == here.state.work.totals
    again = months.after(rebilled(back))
    assert (unbilled(again), again.state.billing.billed("EUR")) == (eur(0), eur("1642.50"))
    gone = months.after(hearing(again, time_reversed(A)))
    [owed] = gone.view["to_credit"]
    assert (owed.invoice, owed.amount) == (SECOND, eur(900))


def test_the_rest_of_a_fixed_entry_is_due_again() -> None:
    done = hearing(contracted(sow_of(fixed_line())).on(MAY), accepted("design"))
    left = given(issued(done, "invoice-design", "2026-00001", MAY), 1_000, invoice="invoice-design")
    again = cancelled(left, invoice="invoice-design")
    [draft] = (each for each in again.state.billing.live if each.invoice == "invoice-design-rest")
    assert draft.amount == eur(5_000)
    assert again.state.billing.given_back_on_item("design", "EUR") == eur(1_000)
    assert again.state.billing.due_on_item("design", "EUR") == eur(6_000)


def test_the_rest_of_a_month_of_a_retainer_is_due_again() -> None:
    name = "invoice-fees-2026-05"
    signed = contracted(sow_of(fixed_line(), retainer()))
    drafted = signed.when_deadline("due-fees-2026-05").then_accepted().on(MAY)
    left = given(issued(drafted, name, "2026-00001", MAY), 120, invoice=name)
    assert fallen_due(cancelled(left, invoice=name), 3) == [
        ("due-fees-2026-05-rest", date(2026, 5, 1), eur(380)),
        ("due-fees-2026-06", date(2026, 6, 1), eur(500)),
        ("due-fees-2026-07", date(2026, 7, 1), eur(500)),
    ]


def test_a_reversal_while_the_note_waits_for_its_number_leaves_nothing_to_credit() -> None:
    left = given(billed(A), 300)
    waiting = left.when(note("cancel-and-rebill"), by="cora")
    [request] = waiting.requests
    gone = hearing(waiting.after, time_reversed(A))
    done = gone.when_outcome(request.id, request.item, NUMBER).then_accepted()
    assert (unbilled(done), done.view["to_credit"]) == (eur(0), [])


def named_back() -> Scenario[Engagement]:
    """Return 10 h, 3.25 h and 5 h of an invoice of which the second was given back by name."""
    note_of_b = note("give-back", entries=["b"])
    return credit_issued(billed(*THREE), note_of_b)


def test_a_work_that_was_given_back_by_name_is_not_credited_when_it_is_reversed() -> None:
    gone = hearing(named_back(), time_reversed(THREE[1]))
    assert gone.view["to_credit"] == []
    refused = gone.when(note("cancel-and-rebill", entries=["b"]), by="cora")
    refused.then_refused("credit-too-large", saying="nothing is left of b")
    again = cancelled(gone)
    assert unbilled(again) == eur(1_500)
    out = rebilled(again)
    assert [each.amount for each in drafts_and_invoices(out)[SECOND].lines] == [eur(1_500)]
    assert revenue(out) == eur(1_500)
    assert room(out) == eur(20_000 - 1_500)


def test_another_work_beside_one_that_was_given_back_by_name_is_credited_whole() -> None:
    gone = hearing(named_back(), time_reversed(THREE[0]))
    [owed] = gone.view["to_credit"]
    assert owed.amount == eur(1_000)
    assert [each.amount for each in taken(gone, entries=["c"])] == [eur(500)]


def test_the_rest_of_a_line_is_billed_again_without_a_work_that_was_given_back_by_name() -> None:
    works = taken(named_back())
    assert {each.entry: (each.amount, each.given_back) for each in works} == {
        "a": (eur(1_000), None),
        "c": (eur(500), None),
    }
