"""Check the ledger of a company: its months are closed in order, once, and for ever."""

from datetime import date
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from contracts.event import Event
from contracts.finance import BookedTotals, PeriodBooked, PeriodCosted
from contracts.reference import LedgerPublished
from contracts.roles import Role
from finance.ledger_groups.events import (
    EngagementAdded,
    EngagementAnswered,
    GroupAnswered,
    GroupRoundBegun,
)
from finance.ledger_groups.requests import (
    MOST_ENGAGEMENTS,
    AddEngagement,
    BeginRound,
    LedgerGroupId,
)
from finance.ledger_groups.state import LedgerGroup
from finance.ledgers.decisions import ClosePeriod, ReopenPeriod, StartClosing
from finance.ledgers.events import (
    BookingStarted,
    ClosingStarted,
    ClosingWithdrawn,
    EngagementRegistered,
    GroupNoted,
    PeriodClosed,
)
from finance.ledgers.requests import CompanyTotals, NoteGroup, RegisterEngagement
from finance.ledgers.state import Ledger
from finance.periods.events import OpenItem, OpenItems, PeriodChecked
from finance.service import LEDGER, LEDGER_GROUP
from testkit.scenario import Scenario, given, like
from tests.amounts import eur, usd
from tests.unit.finance.test_periods import booked, costed_event

MAY_4 = date(2026, 5, 4)
AMOUNTS = {*BookedTotals.model_fields, "receivables_before", "unbilled"} - {"hours"}
APRIL = "2026-04"
NAMES = ("E-0000000000001", "E-0000000000002")
START = StartClosing(month=APRIL)
CLOSE = ClosePeriod(month=APRIL)
ACCEPT = ClosePeriod(month=APRIL, accept="The answer comes next month.")
REOPEN = ReopenPeriod(month=APRIL, why="An invoice is missing.")


def ledger(engagements: int = 2) -> Scenario[Ledger]:
    scenario = given(LEDGER, "us").on(MAY_4)
    for number in range(engagements):
        scenario = scenario.after(RegisterEngagement(engagement=f"E-{number:013}"))
    return scenario


def noted(
    scenario: Scenario[Ledger],
    missing: int = 0,
    booked: int = 0,
    group: int = 1,
    in_confidence: int = 0,
) -> Scenario[Ledger]:
    note = NoteGroup(
        group=group,
        round=scenario.state.round,
        open=missing,
        open_in_confidence=in_confidence,
        booked=booked,
    )
    return scenario.when(note).then_accepted()


def started(missing: int = 0) -> Scenario[Ledger]:
    """Return a ledger that closes April, and what its engagements miss is known."""
    return noted(ledger().after(START), missing)


def closed() -> Scenario[Ledger]:
    return noted(started().after(CLOSE), booked=2)


def published(closed_to: str | None, closing: str | None) -> LedgerPublished:
    return LedgerPublished(ledger="us", closed_to=closed_to, closing=closing)


# ---- engagements -----------------------------------------------------------------------------


def test_engagements_are_added_to_groups_of_limited_size():
    full = ledger(MOST_ENGAGEMENTS)
    assert {each.event.stream for each in full.stream.requests.values()} == {"ledger-group:us.1"}
    outcome = full.when(RegisterEngagement(engagement="E-9999999999999"))
    assert outcome.events[0] == EngagementRegistered(engagement="E-9999999999999", group=2)
    assert [each.stream for each in outcome.requests] == ["ledger-group:us.2"]
    outcome.then_accepted().then_view(engagements=MOST_ENGAGEMENTS + 1, groups=2)


def test_an_engagement_hears_which_months_are_closed_without_it():
    def closed_to(scenario: Scenario[Ledger]) -> str | None:
        late, *_ = scenario.when(RegisterEngagement(engagement="E-9999999999999")).events
        assert isinstance(late, EngagementRegistered)
        return late.closed_to

    assert closed_to(started()) is None
    assert closed_to(started().after(CLOSE)) == APRIL
    assert closed_to(closed()) == APRIL


@pytest.mark.parametrize("wrong", ["us", "us.0", "us.x", ".1", "us.1 ", "u/s.1"])
def test_a_group_is_named_by_company_and_number(wrong: str):
    TypeAdapter(LedgerGroupId).validate_python("us.12")
    with pytest.raises(ValidationError):
        TypeAdapter(LedgerGroupId).validate_python(wrong)


# ---- closing ---------------------------------------------------------------------------------


def test_the_closing_of_a_month_asks_all_groups_what_is_missing():
    outcome = ledger(MOST_ENGAGEMENTS + 1).when(START)
    assert outcome.events[0] == ClosingStarted(month=APRIL, round=1, groups=2)
    begin = BeginRound(company="us", round=1, kind="check", month=APRIL)
    for request, group in zip(outcome.requests, ("us.1", "us.2"), strict=True):
        assert request.stream == f"ledger-group:{group}"
        assert BeginRound.model_validate_json(request.content) == begin


@pytest.mark.parametrize("command", [START, CLOSE, REOPEN], ids=lambda each: each.named())
def test_nothing_happens_before_the_engagements_have_answered(command: Any):
    ledger().after(START).when(command).then_refused(
        "month-awaits-answers", saying="1 group of engagements has not answered yet"
    )
    started().after(CLOSE).when(command).then_refused(
        "month-awaits-answers" if command is CLOSE else "month-booked-in-part"
    )


def test_only_a_month_that_is_over_is_closed():
    ledger().on(date(2026, 4, 30)).when(START).then_refused("month-not-over")
    ledger().on(date(2026, 5, 1)).when(START).then_accepted()


def test_months_are_closed_in_order():
    started().when(StartClosing(month="2026-03")).then_refused("month-out-of-order")
    june = closed().on(date(2026, 7, 1))
    june.when(StartClosing(month="2026-06")).then_refused("month-out-of-order", saying="2026-05")
    june.after(StartClosing(month="2026-05"))
    for month in (APRIL, "2026-03"):
        june.when(StartClosing(month=month)).then_refused("month-closed")


def test_what_is_missing_is_asked_again():
    again = started(missing=1).when(START)
    assert again.events[0] == ClosingStarted(month=APRIL, round=2, groups=1)
    noted(again.then_accepted()).after(CLOSE)


def test_a_closing_is_withdrawn_with_a_reason():
    outcome = started().when(REOPEN)
    reopened = outcome.then(ClosingWithdrawn(month=APRIL, why=REOPEN.why), published(None, None))
    reopened.when(REOPEN).then_nothing()
    another = REOPEN.model_copy(update={"why": "Another invoice is missing."})
    for command in (CLOSE, another):
        reopened.when(command).then_refused("month-not-closing")
    again = noted(reopened.after(START, by="paula"))
    again.when(REOPEN, by="paula").then(like(ClosingWithdrawn), published(None, None))
    assert noted(again.after(CLOSE, by="paula"), booked=2).view["last_closed"] == APRIL
    ledger().when(REOPEN).then_refused("month-not-closing")
    closed().when(REOPEN).then_refused("month-closed")


def test_a_month_is_closed_once_all_have_booked_it():
    two = ledger(MOST_ENGAGEMENTS + 1).after(START)
    two = noted(noted(two), group=2).after(CLOSE)
    first = noted(two, booked=100)
    assert first.view["months"][0].status == "closing"
    last = first.when(NoteGroup(group=2, round=2, open=0, booked=1))
    last.then(
        GroupNoted(group=2, open=0, booked=1, totals=()),
        PeriodClosed(month=APRIL),
        published(APRIL, None),
    )
    (month,) = last.after.view["months"]
    assert (month.status, month.booked, month.waiting) == ("closed", 101, [])


def test_the_close_of_a_closed_month_changes_nothing():
    accepted = noted(started(missing=2).after(ACCEPT), booked=2)
    in_confidence = noted(started().after(ACCEPT), booked=2)
    for scenario in (closed(), accepted, in_confidence):
        scenario.when(CLOSE).then_nothing()
    for scenario in (accepted, in_confidence):
        scenario.when(ACCEPT).then_nothing()
    other = ACCEPT.model_copy(update={"accept": "The customer is away."})
    for scenario, command in ((closed(), ACCEPT), (accepted, other), (in_confidence, other)):
        scenario.when(command).then_refused("month-closed", fields={"accept"})


def test_what_is_missing_must_be_accepted():
    missing = started(missing=2)
    missing.when(CLOSE).then_refused(
        "month-items-open", saying="2 engagements miss something: see group us.1"
    )
    started(missing=1).when(CLOSE).then_refused(
        "month-items-open", saying="1 engagement misses something: see group us.1"
    )
    outcome = missing.when(ACCEPT)
    assert outcome.events[0] == BookingStarted(
        month=APRIL, round=2, groups=1, accepted=ACCEPT.accept
    )
    (month,) = noted(outcome.then_accepted(), booked=2).view["months"]
    assert (month.status, month.accepted) == ("closed", (ACCEPT.accept,))


def test_what_is_missing_in_confidence_must_be_accepted_by_those_who_see_it():
    missing = noted(ledger().after(START), in_confidence=2)
    seeing: tuple[Role, ...] = ("controller", "confidential")
    missing.when(CLOSE, roles=seeing).then_refused(
        "month-items-open", saying="2 engagements miss something confidential"
    )
    (month,) = missing.view["months"]
    assert (month.open, missing.view["open_in_confidence"]) == ({}, {1: 2})
    for outcome in (missing.when(CLOSE), missing.when(ACCEPT, roles=seeing)):
        closed_ = noted(outcome.then_accepted(), booked=2)
        (month,) = closed_.view["months"]
        assert (month.status, month.accepted) == ("closed", ())
    assert closed_.view["accepted_in_confidence"] == {APRIL: (ACCEPT.accept,)}
    shown = {"open_in_confidence", "accepted_in_confidence"}
    assert shown <= {*LEDGER.confidential_views.fields}


def test_a_month_that_some_have_booked_stays_in_closing_until_all_have():
    part = noted(started().after(CLOSE), missing=1, booked=1)
    for command in (START, REOPEN):
        part.when(command).then_refused("month-booked-in-part")
    (month,) = noted(part.after(CLOSE), booked=1).view["months"]
    assert (month.status, month.booked) == ("closed", 2)


def test_a_reason_that_is_given_again_is_kept_once():
    part = noted(started(missing=1).after(ACCEPT), missing=1, booked=1)
    (month,) = noted(part.after(ACCEPT), booked=1).view["months"]
    assert (month.status, month.accepted) == ("closed", (ACCEPT.accept,))


def test_answers_to_earlier_questions_count_no_more():
    again = started(missing=1).after(START)
    again.when(NoteGroup(group=1, round=1, open=1, booked=0)).then_nothing()
    answered = noted(again)
    answered.when(NoteGroup(group=1, round=2, open=1, booked=0)).then_nothing()
    closed().when(NoteGroup(group=1, round=2, open=0, booked=2)).then_nothing()


def test_the_totals_of_a_month_are_kept_by_currency():
    (first,) = [CompanyTotals.of(booked("04", hours="8"), costed_event("04", 400))]
    note = NoteGroup(group=1, round=2, open=0, booked=1, totals=(first.plus(first),))
    done = started().after(CLOSE).when(note).then_accepted()
    ((totals,),) = (each.totals for each in done.view["months"])
    assert (totals.currency, totals.bookings, totals.hours) == ("EUR", 2, 16)
    ((costs,),) = done.view["costs"].values()
    assert costs.cost.amount == 800
    assert not hasattr(totals, "cost")


def test_amounts_in_several_currencies_are_not_added():
    euros = CompanyTotals.of(booked("04", billed=eur(100)), costed_event("04", 40))
    dollars = CompanyTotals.of(
        booked("04", **{name: usd(0) for name in AMOUNTS} | {"billed": usd(70)}),
        costed_event("04", 0).model_copy(update={"cost": usd(30), "recognised_by_cost": usd(0)}),
    )
    note = NoteGroup(group=1, round=2, open=0, booked=2, totals=(euros, dollars))
    done = started().after(CLOSE).when(note).then_accepted()
    ((one, two),) = (each.totals for each in done.view["months"])
    assert [(each.currency, each.billed, each.receivables) for each in (one, two)] == [
        ("EUR", eur(100), eur(100)),
        ("USD", usd(70), usd(70)),
    ]


def test_how_far_the_months_are_closed_is_published_when_it_changes():
    def said(events: tuple[Event, ...]) -> list[Event]:
        return [each for each in events if isinstance(each, LedgerPublished)]

    assert ledger().state.published is None
    assert said(ledger().when(START).events) == [published(None, APRIL)]
    assert said(started().when(START).events) == []
    assert said(started().when(CLOSE).events) == []
    may = closed().on(date(2026, 6, 1))
    assert said(may.when(StartClosing(month="2026-05")).events) == [published(APRIL, "2026-05")]


# ---- groups ----------------------------------------------------------------------------------


def group(*names: str) -> Scenario[LedgerGroup]:
    scenario = given(LEDGER_GROUP, "us.3").on(MAY_4)
    for name in names or NAMES:
        scenario = scenario.after(AddEngagement(engagement=name))
    return scenario


def begin(kind: Any = "check", round_: int = 1) -> BeginRound:
    return BeginRound(company="us", round=round_, kind=kind, month=APRIL)


def test_an_engagement_is_added_once():
    group(NAMES[0]).when(AddEngagement(engagement=NAMES[0])).then_nothing()
    group(NAMES[0]).when(AddEngagement(engagement=NAMES[1])).then(
        EngagementAdded(engagement=NAMES[1])
    )


def test_a_group_answers_once_all_engagements_have():
    asked = group().after(begin())
    assert [each.event.stream for each in asked.stream.requests.values()] == [
        f"engagement:{name}" for name in NAMES
    ]
    missing = OpenItems(items=(OpenItem(code="invoice-not-issued", sentence="draft a"),), count=3)
    uncosted = OpenItem(code="work-uncosted", sentence="8 h of developer have no cost")
    costs = OpenItems(items=(uncosted,), count=1)
    checked = PeriodChecked(month=APRIL, missing=missing, in_confidence=costs)
    first = asked.when_outcome("check-1", NAMES[0], checked).then(
        EngagementAnswered(engagement=NAMES[0], missing=missing, in_confidence=costs)
    )
    first.then_view(waiting=[NAMES[1]])
    last = first.when_outcome("check-1", NAMES[1])
    last.then(EngagementAnswered(engagement=NAMES[1]), GroupAnswered(round=1))
    (request,) = last.requests
    assert request.stream == "ledger:us"
    note = NoteGroup(group=3, round=1, open=1, open_in_confidence=1, booked=0)
    assert NoteGroup.model_validate_json(request.content) == note
    last.after.then_view(open_items={NAMES[0]: missing}, confidential_open_items={NAMES[0]: costs})
    assert "confidential_open_items" not in LEDGER_GROUP.views.fields


def test_a_group_reports_the_totals_of_those_that_booked():
    asked = group().after(begin("book"))
    bookings: tuple[PeriodBooked, PeriodCosted] = booked("04", hours="8"), costed_event("04", 400)
    first = asked.when_outcome("book-1", NAMES[0], *bookings).then_accepted()
    draft = OpenItem(code="invoice-not-approved", sentence="draft a is not approved")
    missing = OpenItems(items=(draft,), count=1)
    checked = PeriodChecked(month=APRIL, missing=missing, in_confidence=OpenItems())
    last = first.when_outcome("book-1", NAMES[1], checked)
    (request,) = last.requests
    note = NoteGroup.model_validate_json(request.content)
    assert (note.open, note.booked) == (1, 1)
    last.after.then_view(open_items={NAMES[1]: missing})
    assert note.totals == (CompanyTotals.of(*bookings),)
    # The next round counts only those that book the month then.
    again = last.then_accepted().after(begin("book", 2))
    again = again.when_outcome("book-2", NAMES[0]).then_accepted()
    last = again.when_outcome("book-2", NAMES[1], *bookings)
    (request,) = last.requests
    assert NoteGroup.model_validate_json(request.content).booked == 1


def test_a_group_without_engagements_answers_at_once():
    outcome = given(LEDGER_GROUP, "us.1").when(begin())
    assert [each.stream for each in outcome.requests] == ["ledger:us"]


def test_a_round_is_begun_once():
    asked = group().after(begin(round_=2))
    for number in (1, 2):
        asked.when(begin(round_=number)).then_nothing()
    begun = asked.when(begin(round_=3)).events[0]
    assert isinstance(begun, GroupRoundBegun)
    assert begun.round == 3
