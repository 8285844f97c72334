"""Check that works of booked months leave the engagement, and return where something concerns them.

The streams of the months are those of `MonthStreams`.
"""

from dataclasses import replace
from datetime import UTC, date, datetime
from datetime import time as time_of_day

import pytest

from chassis.application.command_handler import Answer
from chassis.application.pending_requests import pending_views
from chassis.domain.decider import handle_command
from chassis.domain.pending import Refusal
from chassis.domain.requests import RecordOutcome
from chassis.web.command_answers import request_outcomes
from contracts.delivery import TimeApproved
from contracts.event import Event
from contracts.finance import BilledWorkReversed, CostReversed
from contracts.lines import BillingItem, NewLine
from finance.billing.events import CreditNoteApproved
from finance.booked_works.events import WorksGivenBack
from finance.booked_works.requests import GiveBackWorks, TakeWorks
from finance.engagement import Engagement
from finance.invoices.decisions import IssueCreditNote, VoidInvoice
from finance.moved_works.decisions import AT_ONCE, TOGETHER
from finance.moved_works.events import (
    CorrectionBegun,
    CorrectionMade,
    WorksAskedFor,
    WorksLeft,
    WorksReturned,
)
from finance.number_series.events import NumberTaken
from finance.pending.decisions import CatchUp
from finance.periods.requests import BookPeriod
from finance.time_billing.decisions import BillTime
from finance.withholding.decisions import HoldWork, ReleaseWork, WriteDownWork
from testkit.scenario import Scenario, like
from tests.amounts import eur, usd
from tests.unit.finance.builders import (
    ADDED,
    APRIL_1,
    ASSESSED,
    BASELINED,
    CARD,
    COSTS,
    ID,
    MONDAY,
    allocate,
    amendment,
    assessed,
    contracted,
    credit_issued,
    drafts_and_invoices,
    expense,
    expense_reversed,
    fixed_line,
    hearing,
    hourly_line,
    issued,
    line_change,
    line_rates,
    report,
    scope,
    sent,
    sow_of,
    time,
    time_reversed,
)
from tests.unit.finance.month_streams import MonthStreams, asked_of_months

MAY_4, JUNE_4 = date(2026, 5, 4), date(2026, 6, 4)
MAY_5 = date(2026, 5, 5)
APRIL = BillTime(month="2026-04")
INVOICE = "invoice-time-2026-04"
BOOK = BookPeriod(company="us", month="2026-04", accepted="Late.")
TRAIN = expense("train", eur(50))
A, B = time("a"), time("b", day=date(2026, 4, 7))
VOID = VoidInvoice(invoice=INVOICE, why="Wrong.")


def hourly() -> Scenario[Engagement]:
    item = BillingItem(item="time", kind="time", amount=eur(20_000))
    return contracted(sow_of(hourly_line(item))).on(MAY_4)


def billed() -> Scenario[Engagement]:
    """Return an engagement whose work of April is on an issued invoice."""
    return issued(hearing(hourly(), A, B, TRAIN).after(APRIL), INVOICE, "2026-00001", MAY_4)


def booked() -> tuple[Scenario[Engagement], MonthStreams]:
    """Return the engagement after April is booked, and the streams of its months."""
    months = MonthStreams()
    return months.after(billed().after(BOOK)), months


def held(engagement: Scenario[Engagement]) -> set[str]:
    """Return the keys of the works that the engagement has."""
    return {each.key for each in engagement.state.work.every}


# ---- leaving -----------------------------------------------------------------------------------


def test_billed_works_of_a_booked_month_move_to_its_stream():
    before = billed()
    leaving = before.when(BOOK)
    [request] = leaving.requests
    assert request.stream == f"booked-works:{ID}.2026-04"
    assert TakeWorks.model_validate_json(request.content).works == tuple(
        before.state.work.done["2026-04"].values()
    )
    [left] = (each for each in leaving.events if isinstance(each, WorksLeft))
    assert (left.works, left.invoices) == (("time:a", "time:b", "expense:train"), (INVOICE,))

    months = MonthStreams()
    after = months.after(leaving.after)
    assert months.works("2026-04") == before.state.work.done["2026-04"]
    assert held(after) == set()
    assert after.state.work.totals == before.state.work.totals
    same = ("unbilled", "withheld", "invoices", "cost_to_date", "billed", "to_credit")
    assert {name: after.view[name] for name in same} == {name: before.view[name] for name in same}
    after.then_view(moved_months=["2026-04"])
    may = after.on(JUNE_4).when(BookPeriod(company="us", month="2026-05", accepted="Late."))
    assert may.requests == ()


def test_unbilled_and_held_works_leave_once_their_invoice_is_issued():
    months = MonthStreams()
    waiting = hearing(hourly(), A, B).after(HoldWork(entries=("b",), why="Late."))
    after = months.after(waiting.after(BOOK))
    assert held(after) == {"time:a", "time:b"}
    drafted = months.after(after.after(APRIL))
    assert held(drafted) == {"time:a", "time:b"}
    sent = months.after(issued(drafted, INVOICE, "2026-00001", MAY_4))
    assert held(sent) == {"time:b"}
    gone = months.after(sent.after(WriteDownWork(entries=("b",), why="Goodwill.")))
    assert held(gone) == set()
    assert set(months.works("2026-04")) == {"time:a", "time:b"}
    gone.when(ReleaseWork(entries=("b",))).then_refused("work-unknown")


def test_works_stay_while_their_month_is_open_or_an_exchange_rate_is_missing():
    may = time("may", day=MAY_4)
    assert held(MonthStreams().after(hearing(billed(), may).after(BOOK))) == {"time:may"}
    dinner = expense("dinner", usd(70), billable=False)
    waiting = hearing(hourly(), dinner).after(BOOK)
    assert held(MonthStreams().after(waiting)) == {"expense:dinner"}


def test_the_stream_of_the_month_is_told_a_cost_that_becomes_known_later():
    months = MonthStreams()
    uncosted = months.after(hearing(contracted(costs=False).on(MAY_4), A, B).after(BOOK))
    assert held(uncosted) == set()
    assert {each.cost for each in months.works("2026-04").values()} == {None}
    assert [each.entry for each in uncosted.state.work.without_cost] == ["a", "b"]
    assert len(uncosted.view["waiting_for_costs"]) >= 2

    known = uncosted.knowing(CARD, COSTS).when(CatchUp())
    assert known.after.view["cost_to_date"] == eur(800)
    [request] = (each for each in known.requests if each.command == "note-costs")
    assert request.confidential
    recorded = tuple(known.after.stream.requests.values())
    answer = Answer(known.after.stream, known.published, requests=recorded)
    for confidential in (False, True):
        shown = pending_views(recorded, confidential=confidential)
        outcomes = request_outcomes(answer, confidential=confidential)
        for names in (shown, outcomes):
            assert ("note-costs" in {each.command for each in names}) is confidential
    costed = months.after(known.then_accepted())
    assert costed.stream.number > known.after.stream.number
    assert costed.stream.open_number == known.after.stream.open_number
    assert {each.cost for each in months.works("2026-04").values()} == {eur(400)}
    [month] = months.streams.values()
    assert month.stream.number == month.stream.open_number + 1
    assert costed.state.work.copies == {}
    here = hearing(contracted().on(MAY_4), A, B).state.work
    assert (costed.state.work.totals, costed.state.work.uncosted) == (here.totals, {})


@pytest.mark.parametrize("is_told", [False, True])
def test_a_work_whose_cost_became_known_later_can_be_reversed(is_told: bool):
    months = MonthStreams()
    uncosted = months.after(hearing(contracted(costs=False).on(MAY_4), A, B).after(BOOK))
    known = uncosted.knowing(CARD, COSTS).after(CatchUp())
    if is_told:
        known = months.after(known)
    asked = hearing(known, time_reversed(A))
    pending = {each.command: each for each in asked_of_months(asked)}
    back = months.carried_out(asked, pending["give-back-works"])
    assert back.view["cost_to_date"] == eur(400)
    after = months.after(back)
    here = hearing(contracted().on(MAY_4), A, B, time_reversed(A)).state.work
    assert after.state.work.totals == here.totals
    assert (after.state.work.reversed, after.state.work.copies) == ({}, {})
    assert {key: each.cost for key, each in months.works("2026-04").items()} == {"time:b": eur(400)}


def test_a_work_without_a_cost_can_be_reversed_after_it_moved():
    months = MonthStreams()
    uncosted = months.after(hearing(contracted(costs=False).on(MAY_4), A, B).after(BOOK))
    after = months.after(hearing(uncosted, time_reversed(A)))
    assert [each.entry for each in after.state.work.without_cost] == ["b"]
    assert [*after.state.work.copies] == ["time:b"]


def test_a_late_cost_is_not_that_of_an_entry_that_was_approved_again():
    months = MonthStreams()
    uncosted = months.after(hearing(contracted(costs=False).on(MAY_4), A).after(BOOK))
    known = uncosted.knowing(CARD, COSTS).after(CatchUp())
    [late] = asked_of_months(known)
    again = hearing(known, time_reversed(A))
    [_, back] = asked_of_months(again)
    again = hearing(months.carried_out(again, back).knowing(CARD), time("a", hours=2))
    [_, leaving] = asked_of_months(again)
    moved = months.carried_out(again, leaving)
    months.after(months.carried_out(moved, late))
    assert [each.cost for each in months.works("2026-04").values()] == [None]


def test_works_whose_cost_becomes_known_as_they_leave_are_told_it():
    months = MonthStreams()
    uncosted = months.after(hearing(contracted(costs=False).on(MAY_4), A))
    leaving = uncosted.knowing(CARD, COSTS).after(BOOK)
    after = months.after(leaving)
    assert held(after) == set()
    assert [each.cost for each in months.works("2026-04").values()] == [eur(400)]
    assert after.state.work.copies == {}


def test_works_stay_while_a_credit_note_on_their_invoice_has_no_number():
    note = IssueCreditNote(intent="give-back", invoice=INVOICE, amount=eur(100), why="Goodwill.")
    waiting = billed().when(note)
    [request] = waiting.requests
    months = MonthStreams()
    closed = months.after(waiting.after.after(BOOK))
    assert held(closed) == {"time:a", "time:b", "expense:train"}
    taken = NumberTaken(number=1, on=MAY_4)
    done = closed.when_outcome(request.id, request.item, taken).then_accepted()
    assert held(months.after(done)) == set()


def test_a_report_that_is_measured_later_does_not_contain_works_that_moved_since():
    """Let the plan contain a change whose amendment is not signed yet."""
    plan = BASELINED.model_copy(update={"version": 2, "changes": ("CR-1",)})
    worked = hearing(sent().on(MAY_4), ASSESSED, plan, A, report(date(2026, 4, 8)), B)
    assert worked.state.performance.reports
    months = MonthStreams()
    after = months.after(worked.after(BOOK))
    assert (held(after), [*after.state.work.copies]) == (set(), ["time:b"])
    signed = months.after(hearing(after, amendment(ADDED, signed_on=APRIL_1)))
    measured = hearing(worked, amendment(ADDED, signed_on=APRIL_1))
    assert signed.state.performance.reports == measured.state.performance.reports
    expected = signed.state.performance.expected
    assert expected == measured.state.performance.expected
    assert expected is not None
    assert expected.margin_billed is not None
    assert expected.margin_billed.cost == eur(400), "b came after the report"
    assert signed.state.work.copies == {}


def test_many_works_leave_in_several_requests():
    count = TOGETHER * (AT_ONCE + 1)
    names = [f"n{number}" for number in range(count)]
    fixed = contracted().on(MAY_4)
    for first in range(0, count, 100):
        some = tuple(time(name, hours=1).entries[0] for name in names[first : first + 100])
        fixed = hearing(fixed, TimeApproved(person="dev", week=MONDAY, entries=some))
    leaving = fixed.when(BOOK)
    assert len(leaving.requests) == AT_ONCE
    months = MonthStreams()
    assert held(months.after(leaving.after)) == set()
    assert len(months.works("2026-04")) == count


def test_works_that_the_stream_of_the_month_does_not_take_stay():
    leaving = billed().when(BOOK)
    [request] = leaving.requests
    refusal = Refusal("too-large", "Too large.")
    kept = leaving.after.when_outcome(request.id, request.item, refused=refusal)
    kept.then(like(WorksReturned, refused=True))
    assert not kept.requests
    assert kept.after.state.work == billed().state.work
    gone = MonthStreams().after(hearing(kept.after, time_reversed(A)))
    assert gone.state.work == hearing(billed(), time_reversed(A)).state.work


def first_by_the_hour(signed_on: date) -> tuple[Event, ...]:
    """Return what adds the first line by the hour to a contract of fixed lines."""
    new = NewLine(title="More", pricing="time-and-materials")
    change = line_change(1_000, line="more", new=new, rates=line_rates(developer=90))
    return (
        assessed(scope("more", new=new, developer=10)),
        amendment(change, signed_on=signed_on),
    )


@pytest.mark.parametrize(
    ("signed_on", "unbilled"), [(MAY_4, 0), (date(2026, 4, 20), 0), (date(2026, 4, 7), 720)]
)
def test_the_first_line_by_the_hour_leaves_earlier_work_to_the_fixed_price(
    signed_on: date, unbilled: int
):
    months = MonthStreams()
    here = hearing(contracted(sow_of(fixed_line())).on(MAY_4), A, B, TRAIN)
    moved = months.after(here.after(BOOK))
    assert held(moved) == set()
    for engagement in (here, moved):
        after = months.after(hearing(engagement, *first_by_the_hour(signed_on)))
        after.then_view(unassigned=[])
        [line] = after.view["unbilled"]
        assert (line.line, line.unbilled) == ("more", eur(unbilled))
    other = time("t", role="tester", day=signed_on)
    worked = hearing(here, *first_by_the_hour(signed_on), other)
    assert [each.entry for each in worked.view["unassigned"]] == ["t"], "no line has its rate"


# ---- corrections -------------------------------------------------------------------------------


def test_the_reversal_of_a_moved_work_is_that_of_one_which_is_here():
    engagement, months = booked()
    asked = engagement.when_consumed(time_reversed(B))
    [request] = asked.requests
    command = GiveBackWorks.model_validate_json(request.content)
    assert command == GiveBackWorks(works=("time:b",))
    works = tuple(each for key, each in months.works("2026-04").items() if key == "time:b")
    back = asked.after.when_outcome(request.id, request.item, WorksGivenBack(works=works))
    back.then(like(WorksReturned), like(CostReversed, cost=eur(400)), like(BilledWorkReversed))
    after = months.after(asked.after)
    assert set(months.works("2026-04")) == {"time:a", "expense:train"}
    here = hearing(billed(), time_reversed(B))
    assert after.state.work.reversed == here.state.work.reversed
    assert after.state.work.totals == here.state.work.totals
    same = ("to_credit", "cost_to_date", "unbilled")
    assert {name: after.view[name] for name in same} == {name: here.view[name] for name in same}
    note = IssueCreditNote(
        intent="cancel-and-rebill", invoice=INVOICE, entries=("b",), why="Wrong week."
    )
    done = credit_issued(after, note)
    done.then_view(to_credit=[])
    assert done.state.work.reversed == {}


def test_an_expense_and_a_written_down_work_that_moved_are_reversed():
    months = MonthStreams()
    down = hearing(hourly(), A, TRAIN).after(WriteDownWork(entries=("a",), why="Goodwill."))
    sent = issued(down.after(APRIL), INVOICE, "2026-00001", MAY_4)
    engagement = months.after(sent.after(BOOK))
    assert held(engagement) == set()
    gone = months.after(hearing(engagement, time_reversed(A), expense_reversed(TRAIN)))
    assert months.works("2026-04") == {}
    assert gone.state.work.written_down == {"work": eur(0)}
    assert gone.view["cost_to_date"] == eur(0)
    assert [each.works for each in gone.view["to_credit"]] == [["train"]]


@pytest.mark.parametrize("name", ["never", "b"])
def test_the_reversal_of_an_entry_that_is_not_there_changes_nothing(name: str):
    engagement, months = booked()
    once = months.after(hearing(engagement, time_reversed(B)))
    twice = months.after(hearing(once, time_reversed(time(name, day=date(2026, 4, 7)))))
    assert twice.state.work == once.state.work
    assert set(months.works("2026-04")) == {"time:a", "expense:train"}
    open_month = hearing(once, time_reversed(time("x", day=MAY_4)))
    assert open_month.state.moved_works == once.state.moved_works


def test_an_entry_that_is_approved_again_is_another_work():
    engagement, months = booked()
    after = months.after(hearing(engagement, time_reversed(B), B))
    here = hearing(billed(), time_reversed(B), B)
    assert after.state.work.totals == here.state.work.totals
    assert after.state.work.open == here.state.work.open
    assert after.state.work.reversed == here.state.work.reversed


def test_a_work_that_is_reversed_while_it_leaves_is_asked_back():
    months = MonthStreams()
    leaving = billed().after(BOOK)
    gone = hearing(leaving, time_reversed(B))
    assert [each.event.command for each in gone.stream.requests.values()].count("take-works") == 1
    after = months.after(gone)
    assert after.state.work.totals == hearing(billed(), time_reversed(B)).state.work.totals
    assert set(months.works("2026-04")) == {"time:a", "expense:train"}


def test_a_month_is_asked_for_one_thing_at_a_time():
    engagement, months = booked()
    asked = hearing(engagement, time_reversed(A), time_reversed(B))
    late = asked.when_consumed(time("late", why_not_billed="Agreed so."))
    assert late.requests == ()
    [first] = asked_of_months(late.after)
    assert first.command == "give-back-works"
    once = months.carried_out(late.after, first)
    [second] = asked_of_months(once)
    assert GiveBackWorks.model_validate_json(second.content).works == ("time:b",)
    after = months.after(once)
    assert after.state.work.reversed_keys == {"time:a", "time:b"}
    assert set(months.works("2026-04")) == {"time:late", "expense:train"}


def test_an_invoice_over_moved_works_is_voided_once_they_are_back():
    engagement, months = booked()
    begun = engagement.when(VOID, by="cora")
    begun.then(like(CorrectionBegun, by="cora"), like(WorksAskedFor, invoices=(INVOICE,)))
    begun.after.when(VOID, by="cora").then_nothing()
    begun.after.then_view(moved_months=["2026-04"])
    assert begun.after.state.billing.invoices[INVOICE].stage == "issued"
    [request] = begun.requests
    given_back = GiveBackWorks.model_validate_json(request.content)
    assert given_back == GiveBackWorks(invoices=(INVOICE,))
    works = tuple(months.works("2026-04").values())
    direct = billed().when(VOID)
    voided = begun.after.when_outcome(request.id, request.item, WorksGivenBack(works=works))
    void, redraft = direct.events
    voided.then(like(WorksReturned), void, like(CorrectionMade), redraft)
    assert voided.after.state.work.open == direct.after.state.work.open
    assert voided.after.state.billing == direct.after.state.billing


def test_a_work_that_is_reversed_while_its_invoice_waits_for_it_is_reversed():
    engagement, months = booked()
    begun = engagement.after(VOID)
    gone = hearing(begun, time_reversed(B))
    [asked] = asked_of_months(gone)
    assert GiveBackWorks.model_validate_json(asked.content).invoices == (INVOICE,)
    after = months.carried_out(gone, asked)
    assert asked_of_months(after) == [], "the work is back already"
    here = hearing(billed(), time_reversed(B)).after(VOID)
    assert after.state.work == here.state.work
    assert after.state.billing.invoices == here.state.billing.invoices


def test_a_correction_that_something_prevents_meanwhile_is_refused():
    engagement, months = booked()
    begun = engagement.after(VOID)
    paid = begun.after(allocate(INVOICE, eur(100)))
    after = months.after(paid)
    [correction] = after.view["corrections"]
    assert "credited in part" in str(correction.refused)
    assert after.state.billing.invoices[INVOICE].stage == "issued"
    assert set(months.works("2026-04")) == {"time:a", "time:b", "expense:train"}, "they leave again"


def test_a_correction_is_decided_on_the_day_on_which_it_was_begun():
    """Let what brings the works back have occurred before the command was given."""
    engagement, months = booked()
    begun = engagement.after(VOID)
    [asked] = asked_of_months(begun)
    command = RecordOutcome(
        key=asked.key,
        asked=begun.stream.requests[asked.key].id,
        events=(WorksGivenBack(works=tuple(months.works("2026-04").values())),),
    )
    earlier = datetime.combine(APRIL_1, time_of_day(9), UTC)
    context = replace(begun._context("finance"), occurred_at=earlier)
    step = handle_command(begun.decider, begun.stream, command, context)
    assert step.stream.state.billing.invoices[INVOICE].stage == "voided"


def cancelled(**more: object) -> IssueCreditNote:
    """Return the command that credits the invoice, so that what it bills is billed again."""
    return IssueCreditNote.model_validate(
        {"invoice": INVOICE, "intent": "cancel-and-rebill", "why": "Wrong week.", **more}
    )


def numbered(engagement: Scenario[Engagement]) -> Scenario[Engagement]:
    """Return the engagement after its only credit note got its number."""
    pending = (each.event for each in engagement.stream.requests.values())
    [asked] = [each for each in pending if each.kind == "number-series"]
    taken = NumberTaken(number=1, on=MAY_4)
    return engagement.when_outcome(asked.id, asked.item, taken).then_accepted()


@pytest.mark.parametrize(
    ("named", "worth"),
    [({}, 1_650), ({"entries": ("b",)}, 800), ({"entries": ("a",), "expenses": ("train",)}, 850)],
)
def test_works_that_moved_are_unbilled_once_they_are_back(named: dict[str, object], worth: int):
    engagement, months = booked()
    begun = engagement.when(cancelled(**named), by="cora")
    begun.then(like(CorrectionBegun, by="cora"), like(WorksAskedFor, invoices=(INVOICE,)))
    begun.after.when(cancelled(**named), by="cora").then_nothing()
    begun.after.when(VOID, by="cora").then_refused("already-recorded")
    assert begun.after.view["outstanding"] == eur(1_650)
    [request] = begun.requests
    works = tuple(months.works("2026-04").values())
    back = begun.after.when_outcome(request.id, request.item, WorksGivenBack(works=works))
    back.then(
        like(WorksReturned),
        like(CreditNoteApproved, amount=eur(worth), issued_on=MAY_4),
        like(CorrectionMade),
    )
    # They stay until the note has its number; then those that are still billed leave again.
    waiting = months.after(begun.after)
    assert held(waiting) == {"time:a", "time:b", "expense:train"}
    after = months.after(numbered(waiting))
    here = credit_issued(billed(), cancelled(**named))
    assert after.view["unbilled"] == here.view["unbilled"]
    assert after.state.work.totals == here.state.work.totals
    assert after.view["corrections"] == []
    assert [line.unbilled for line in after.view["unbilled"]] == [eur(worth)]
    assert held(after) == {each.key for each in after.state.work.waiting}
    assert len(held(after)) == sum(
        line.works
        for note in drafts_and_invoices(here)[INVOICE].credit_notes
        for line in note.lines
    )
    assert months.works("2026-04").keys() == {"time:a", "time:b", "expense:train"} - held(after)
    again = months.after(after.after(APRIL))
    assert again.state.billing.invoices[f"{INVOICE}-2"].amount == eur(worth)


def test_moved_works_that_are_given_back_for_good_leave_again():
    engagement, months = booked()
    note = cancelled(intent="give-back", entries=("b",))
    waiting = months.after(engagement.after(note))
    after = months.after(numbered(waiting))
    here = credit_issued(billed(), note)
    assert after.state.billing.billed("EUR") == here.state.billing.billed("EUR") == eur(850)
    assert after.view["unbilled"] == here.view["unbilled"]
    assert held(after) == set()
    part = cancelled(intent="give-back", amount=eur(100))  # needs no works
    engagement.when(part).then(like(CreditNoteApproved, amount=eur(100)))


def test_a_credit_that_names_no_work_of_the_invoice_is_refused_once_they_are_back():
    engagement, months = booked()
    after = months.after(engagement.after(cancelled(entries=("b", "tea"))))
    [correction] = after.view["corrections"]
    assert (correction.command, "does not bill tea" in str(correction.refused)) == (
        "issue-credit-note",
        True,
    )
    assert held(after) == set(), "they leave again"
    assert after.state.billing.invoices[INVOICE].credited == eur(0)
    unknown = cancelled(lines=({"invoice_line": "tea"},))
    after.when(unknown).then_refused("invoice-line-unknown")  # at once: no work changes it
    done = months.after(numbered(months.after(after.after(cancelled(entries=("b",))))))
    done.then_view(corrections=[])
    assert held(done) == {"time:b"}


def test_works_of_several_months_return_for_one_invoice():
    may = time("may", day=MAY_5)
    drafted = hearing(hourly().on(JUNE_4), A, may).after(BillTime(month="2026-05"))
    name = "invoice-time-2026-05"
    sent = issued(drafted, name, "2026-00001", JUNE_4)
    months = MonthStreams()
    engagement = months.after(sent.after(BookPeriod(company="us", month="2026-05", accepted="L.")))
    assert held(engagement) == set()
    void = VoidInvoice(invoice=name, why="Wrong.")
    asked = engagement.when(void)
    assert len(asked.requests) == 2
    one = months.carried_out(asked.after, asked.requests[0])
    assert one.state.billing.invoices[name].stage == "issued"
    both = months.carried_out(one, asked.requests[1])
    assert both.state.billing.invoices[name].stage == "voided"
    assert held(both) == {"time:a", "time:may"}


def test_an_amendment_that_came_late_assigns_moved_works_to_its_line():
    new = NewLine(title="Tests", pricing="time-and-materials")
    tested = time("tested", "tester", day=date(2026, 4, 28))
    fixed = hearing(contracted().on(MAY_4), assessed(scope("more", new=new, tester=10)), A, tested)
    months = MonthStreams()
    engagement = months.after(fixed.after(BOOK))
    assert held(engagement) == set()
    change = amendment(line_change(900, line="more", new=new, rates=line_rates(tester=90)))
    asked = engagement.when_consumed(change)
    [request] = asked.requests
    assert GiveBackWorks.model_validate_json(request.content) == GiveBackWorks(unbilled=True)
    after, here = months.after(asked.after), hearing(fixed, change)
    assert after.state.work.open == here.state.work.open
    assert after.state.work.totals == here.state.work.totals
    assert months.works("2026-04") == here.state.work.done["2026-04"], "it is from before"
    [line] = after.view["unbilled"]
    assert (line.line, line.unbilled) == ("more", eur(720))


def test_unbilled_works_stay_while_an_amendment_waits_for_the_budget():
    new = NewLine(title="Tests", pricing="time-and-materials")
    change = amendment(line_change(900, line="more", new=new, rates=line_rates(tester=90)))
    months = MonthStreams()
    waiting = months.after(hearing(contracted().on(MAY_4), A, change).after(BOOK))
    assert held(waiting) == {"time:a"}
    assert waiting.state.budgeting.waiting


# ---- the stream of a month ---------------------------------------------------------------------


def test_the_stream_of_a_month_shows_works_by_their_days_and_costs_in_confidence():
    _, months = booked()
    [month] = months.streams.values()
    shown = month.decider.views(month.state)
    assert [each.entry for each in shown["works"]] == ["a", "train", "b"]
    assert shown["hours"] == 16
    [bill] = shown["works"][0].bills
    assert (bill.invoice, bill.hours, bill.amount) == (INVOICE, 8, eur(800))
    assert "cost" not in str(shown).lower()
    costs = month.decider.confidential_views(month.state)
    assert costs["cost_of_time"] == {"a": eur(400), "b": eur(400)}
    assert costs["cost_of_expenses"] == {"train": eur(50)}


def test_the_stream_of_a_month_gives_back_only_what_it_has():
    _, months = booked()
    [month] = months.streams.values()
    month.when(GiveBackWorks(works=("time:x",), invoices=("other",), unbilled=True)).then_nothing()
    given_back = month.when(GiveBackWorks(works=("time:a",)))
    given_back.then(like(WorksGivenBack))
    given_back.after.when(GiveBackWorks(works=("time:a",))).then_nothing()
