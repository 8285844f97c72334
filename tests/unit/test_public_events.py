"""Events of the whole demo, simulated in memory, are complete, fit for partners and plausible."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

import orjson
import pytest
from jsonschema import Draft202012Validator

from chassis.domain.working_days import WorkingDays, available_hours
from contracts import delivery, finance, legal, release, sales
from contracts.channels import CHANNELS
from contracts.event import Event, Recorded, encode
from contracts.reference import CalendarPublished, LeavePublished, PersonPublished
from local.demo.scenarios import Scenario, demanded, scenarios
from local.demo.staffing import capacity, working_days
from tests.unit.played import EVERY, SEED, TODAY, played

HIDDEN = [name.encode() for name, channel in CHANNELS.items() if channel.confidential]
LAST_DAY = TODAY - timedelta(days=1)
REPORTED_AFTER = timedelta(days=28)
"""Longest time from one status report to the next."""
SILENCE = timedelta(days=21)
"""Longest time in which a healthy engagement under way publishes nothing."""

E = TypeVar("E", bound=Event)


@cache
def strict(kind: type[Event]) -> Draft202012Validator:
    return Draft202012Validator(
        release.strict_schema(kind), format_checker=Draft202012Validator.FORMAT_CHECKER
    )


def published(scenario: Scenario) -> Iterator[Recorded[Event]]:
    yield from played(scenario).references
    yield from played(scenario).events


def named(scenario: Scenario) -> str:
    return scenario.name


@pytest.mark.parametrize("scenario", EVERY, ids=named)
def test_public_events_name_no_channel_that_partners_may_not_read(scenario: Scenario) -> None:
    for recorded in published(scenario):
        if not recorded.channel.confidential:
            record = encode(recorded)
            assert [name for name in HIDDEN if name in record] == [], record


@pytest.mark.parametrize("scenario", EVERY, ids=named)
def test_events_conform_to_their_schemas_without_further_fields(scenario: Scenario) -> None:
    for recorded in published(scenario):
        data: dict[str, Any] = orjson.loads(encode(recorded))["data"]
        strict(type(recorded.event)).validate(data)


def of_kind(scenario: Scenario, kind: type[E]) -> list[E]:
    """Return the events of a type, in their order."""
    events = (recorded.event for recorded in played(scenario).events)
    return [event for event in events if isinstance(event, kind)]


@cache
def references(kind: type[E]) -> tuple[E, ...]:
    """Return the reference data of a kind, which are the same for all engagements."""
    events = (recorded.event for recorded in played(EVERY[0]).references)
    return tuple(event for event in events if isinstance(event, kind))


def test_every_type_of_event_is_played() -> None:
    types = {recorded.event.type for scenario in EVERY for recorded in published(scenario)}
    assert [name for name in release.events() if name not in types] == []


@pytest.mark.parametrize("scenario", EVERY, ids=named)
def test_milestones_are_reached_in_time_or_reported_as_missed(scenario: Scenario) -> None:
    ended = [each.terminated_on for each in of_kind(scenario, legal.EngagementTerminated)]
    reached = {each.milestone: each for each in of_kind(scenario, delivery.MilestoneReached)}
    reports = of_kind(scenario, delivery.StatusReportPublished)
    for plan in of_kind(scenario, delivery.PlanBaselined)[-1:]:
        for each in plan.milestones:
            if each.due_on > min([LAST_DAY, *ended]):
                continue
            known = reached.get(each.milestone)
            if known is not None and known.reached_on <= each.due_on:
                continue
            reported = any(
                "missed" in report.narrative for report in reports if report.as_of >= each.due_on
            )
            assert reported or (
                "silent" in scenario.troubles or each.due_on > LAST_DAY - REPORTED_AFTER
            ), each


@cache
def hours_available(person: str, first: date, last: date | None = None) -> Decimal:
    """Return the hours that a person can work up to a day, by the published reference data.

    Without a last day, they are those of a week from its Monday.
    """
    [record] = (each for each in references(PersonPublished) if each.person == person)
    [calendar] = (
        each for each in references(CalendarPublished) if each.calendar == record.calendar
    )
    leave = [each for each in references(LeavePublished) if each.person == person]
    periods = [(period.first, period.last) for each in leave for period in each.periods]
    days, last = WorkingDays(calendar), last or first + timedelta(days=6)
    return available_hours(record.weekly_hours, days, first, last, leave=periods)


def test_no_one_works_more_than_calendar_and_leave_allow() -> None:
    days = hours_by_person_and_day()
    weeks: defaultdict[tuple[str, date], Decimal] = defaultdict(Decimal)
    for (person, day), hours in days.items():
        weeks[person, day - timedelta(days=day.weekday())] += hours
    assert {key: hours for key, hours in weeks.items() if hours > hours_available(*key)} == {}


def test_no_one_works_more_than_eight_hours_a_day_or_on_a_day_off() -> None:
    days = hours_by_person_and_day()
    assert {key: hours for key, hours in days.items() if hours > 8} == {}
    assert [
        key for key, hours in days.items() if hours and not hours_available(*key, last=key[1])
    ] == []


def hours_by_person_and_day() -> dict[tuple[str, date], Decimal]:
    """Return the approved hours of all engagements that were not reversed."""
    worked: defaultdict[tuple[str, date], Decimal] = defaultdict(Decimal)
    for scenario in EVERY:
        for event in of_kind(scenario, delivery.TimeApproved):
            for entry in event.entries:
                worked[event.person, entry.day] += entry.hours
        for reversed_ in of_kind(scenario, delivery.TimeReversed):
            for entry in reversed_.entries:
                worked[reversed_.person, entry.day] -= entry.hours
    return worked


def test_no_one_is_allocated_for_more_than_their_time() -> None:
    """Leave out the mistakes that a manager corrects."""
    for scenario in EVERY:
        every = of_kind(scenario, delivery.ResourceAllocated)
        for each in {(each.request, each.person): each for each in every}.values():
            first = each.starts_on - timedelta(days=each.starts_on.weekday())
            weeks = range(0, (each.finishes_on - first).days, 7)
            most = sum(hours_available(each.person, first + timedelta(days=day)) for day in weeks)
            assert each.hours <= most, (scenario.name, each)


def test_everyone_holds_the_role_in_which_they_work() -> None:
    roles = {each.person: each.roles for each in references(PersonPublished)}
    for scenario in EVERY:
        for event in of_kind(scenario, delivery.TimeSubmitted):
            held = {*roles[event.person]}
            assert {entry.role for entry in event.entries} <= held, (scenario.name, event)


def test_everyone_works_for_one_company() -> None:
    companies: defaultdict[str, set[str]] = defaultdict(set)
    for scenario in EVERY:
        for deal in of_kind(scenario, sales.DealWon):
            for event in of_kind(scenario, delivery.TimeSubmitted):
                companies[event.person].add(deal.company)
    assert {person: each for person, each in companies.items() if len(each) > 1} == {}


@pytest.mark.parametrize("scenario", EVERY, ids=named)
def test_invoices_are_issued_soon_and_paid_about_when_they_are_due(scenario: Scenario) -> None:
    drafted = {
        recorded.event.invoice: recorded.occurred_at.date()
        for recorded in played(scenario).events
        if isinstance(recorded.event, finance.InvoiceDrafted)
    }
    due = {each.invoice: each for each in of_kind(scenario, finance.InvoiceIssued)}
    voided = {each.invoice for each in of_kind(scenario, finance.InvoiceVoided)}
    paid = {each.invoice: each for each in of_kind(scenario, finance.PaymentAllocated)}
    credited: defaultdict[str, Decimal] = defaultdict(Decimal)
    for note in of_kind(scenario, finance.CreditNoteIssued):
        credited[note.invoice] += note.amount.amount
    for name, invoice in due.items():
        assert invoice.issued_on - drafted[name] <= timedelta(days=45), invoice
        if name in paid:
            late = paid[name].received_on - invoice.due_on
            assert timedelta(days=-10) <= late <= timedelta(days=40), invoice
        elif name not in voided and credited[name] < invoice.amount.amount:
            assert invoice.due_on > LAST_DAY - timedelta(days=40), invoice


@pytest.mark.parametrize("scenario", EVERY, ids=named)
def test_no_engagement_stops_without_a_reason(scenario: Scenario) -> None:
    last = max(recorded.occurred_at for recorded in played(scenario).events).date()
    view = played(scenario).view
    unpaid = any(invoice.outstanding.amount for invoice in view.finance.live_invoices())
    assert scenario.troubles or view.over or unpaid or last > LAST_DAY - SILENCE


@pytest.mark.parametrize("scenario", EVERY, ids=named)
def test_people_act_on_working_days(scenario: Scenario) -> None:
    people = {each.person for each in references(PersonPublished)}
    acts = [
        recorded.occurred_at.date()
        for recorded in played(scenario).events
        if recorded.actor in people and recorded.channel.department != "gateway"
    ]
    imported = of_kind(scenario, sales.OpportunityImported)
    days = working_days(scenario.home)
    assert [day for day in acts[len(imported) :] if not days.is_working(day)] == []


@pytest.mark.parametrize("seed", [1, 7, SEED])
def test_people_have_time_for_what_is_planned(seed: int) -> None:
    for days in range(0, 400, 80):
        asked: defaultdict[tuple[str, str, date], float] = defaultdict(float)
        planned = given = 0.0
        for scenario in scenarios(TODAY + timedelta(days=days), seed):
            if not scenario.team:
                continue
            planned += sum(sum(weeks.values()) for weeks in demanded(scenario).values())
            for role in scenario.team.values():
                for monday, people in role.items():
                    for person, share in people.items():
                        asked[person, scenario.home, monday] += share.hours
                        given += share.hours
        assert given > 0.97 * planned, days
        assert {key: each for key, each in asked.items() if each > float(capacity(*key))} == {}
