from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import cache
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from chassis.domain.commands import NotAllowed
from chassis.domain.context import Context
from chassis.domain.list_limits import Subjects
from chassis.domain.pending import Refusal
from chassis.domain.requests import Outcome
from contracts.delivery import ApprovedEntry, TimeEntry, TimeReversed, TimeSubmitted, TimeWithdrawn
from contracts.reference import StandIn, StandInsPublished
from contracts.roles import Role
from delivery.service import TIMESHEET
from delivery.time_entries.requests import GiveBackTime, MeasureWeek, TakeBackTime, TakeTime
from delivery.timesheets.decisions import (
    ApproveInternalTime,
    RejectInternalTime,
    ReverseTime,
    SaveTimesheet,
    SubmitTimesheet,
    WithdrawTimesheet,
    giving_back,
    listed_for,
    require_reader,
)
from delivery.timesheets.events import TimesheetId, TimesheetSaved, TimesheetSubmitted
from delivery.timesheets.requests import NoteDecision
from delivery.timesheets.state import Timesheet
from testkit.scenario import START as JANUARY
from testkit.scenario import RecordsOf, Scenario, given, like
from tests.amounts import hours
from tests.unit.delivery.builders import ID, PEOPLE, TODAY, WEEK, person

OTHER = "E-0000000000002"
SHEET = f"dev.{WEEK}"
SUBMIT, WITHDRAW = SubmitTimesheet(), WithdrawTimesheet()
FRIDAY = WEEK + timedelta(days=4)
LEFT = person("gone", "delivery", "architect").model_copy(update={"left": WEEK})


def work(day: date = WEEK, count: float = 8, **fields: object) -> dict[str, object]:
    """Return hours on a task of an engagement, as a person enters them."""
    return {
        "day": str(day),
        "task": "analysis",
        "role": "architect",
        "hours": str(count),
        **fields,
    }


def save(*entries: Mapping[str, object], on: str = ID, **internal: Any) -> SaveTimesheet:
    """Return the command that saves entries of an engagement, and of internal codes."""
    lines = [{"code": code, "entries": some} for code, some in internal.items()]
    engagements = [{"engagement": on, "entries": entries}] if entries or not internal else []
    return SaveTimesheet.model_validate({"engagements": engagements, "internal": lines})


def off(day: date = WEEK, count: float = 8) -> dict[str, object]:
    return {"day": str(day), "hours": str(count)}


@cache
def new() -> Scenario[Timesheet]:
    """Return the timesheet of a week without entries, on its Friday."""
    return given(TIMESHEET, SHEET, records=PEOPLE).on(FRIDAY)


@cache
def submitted() -> Scenario[Timesheet]:
    """Return a timesheet whose engagement is asked to take two entries."""
    return new().after(save(work(), work(TODAY, 6)), by="dev").after(SUBMIT, by="dev")


@cache
def taken() -> Scenario[Timesheet]:
    """Return a timesheet whose engagement took two entries."""
    return took(submitted())


@cache
def approved() -> Scenario[Timesheet]:
    """Return a timesheet whose first entry is approved; the second one waits."""
    return taken().after(NoteDecision(approved=(approval(taken(), 0),)))


def line(scenario: Scenario[Timesheet], name: str = ID) -> Any:
    """Return a line of the view."""
    return next(each for each in scenario.view["lines"] if name in {each.engagement, each.code})


def ids(scenario: Scenario[Timesheet], name: str = ID) -> list[str]:
    return [each.entry for each in line(scenario, name).entries]


def status(scenario: Scenario[Timesheet], name: str = ID) -> list[str]:
    return [each.status for each in line(scenario, name).entries]


def asked(scenario: Scenario[Timesheet], name: str) -> Any:
    """Return the content of the only pending request to an engagement."""
    [request] = [
        each.event for each in scenario.stream.requests.values() if each.event.item == name
    ]
    kinds = {kind.named(): kind for kind in (TakeTime, GiveBackTime, TakeBackTime, MeasureWeek)}
    return kinds[request.command].model_validate_json(request.content)


def answered(
    scenario: Scenario[Timesheet], name: str, *events: Any, refused: Refusal | None = None
) -> Scenario[Timesheet]:
    """Record the outcome of the only pending request to an engagement."""
    [key] = [key for key, each in scenario.stream.requests.items() if each.event.item == name]
    request, _, item = key.partition("/")
    return scenario.when_outcome(request, item, *events, refused=refused).then_accepted()


def took(scenario: Scenario[Timesheet], name: str = ID) -> Scenario[Timesheet]:
    """Record that an engagement took the entries as they are."""
    take = asked(scenario, name)
    entries = tuple(
        TimeEntry(**{**dict(each), "role": each.role or "architect"}) for each in take.entries
    )
    event = TimeSubmitted(
        person=take.person, week=take.week, revision=take.revision, entries=entries
    )
    return answered(scenario, name, event)


def gave_back(scenario: Scenario[Timesheet], *entries: str, name: str = ID) -> Scenario[Timesheet]:
    """Record that an engagement gave back some entries."""
    known = {each.entry: each for each in line(scenario, name).entries}
    given_back = tuple(
        TimeEntry.model_validate({n: getattr(known[each], n) for n in TimeEntry.model_fields})
        for each in entries
    )
    if not given_back:
        return answered(scenario, name, refused=Refusal("entry-decided", "it was approved"))
    event = TimeWithdrawn(person="dev", week=WEEK, revision=1, entries=given_back)
    return answered(scenario, name, event)


def said(scenario: Scenario[Timesheet], *given_back: str) -> str | None:
    """Return what the answer says of a withdrawal of which an engagement gave back some entries."""
    [pending] = scenario.stream.requests.values()
    command = GiveBackTime.model_validate_json(pending.event.content)
    known = {each.entry: each for each in line(taken()).entries}
    entries = tuple(
        TimeEntry.model_validate({n: getattr(known[each], n) for n in TimeEntry.model_fields})
        for each in given_back
    )
    event = TimeWithdrawn(person="dev", week=WEEK, revision=1, entries=entries)
    return giving_back.sentence(scenario.state, Outcome(pending.event, command, (event,), None))


def approval(scenario: Scenario[Timesheet], place: int) -> ApprovedEntry:
    entry = line(scenario).entries[place]
    values = {name: getattr(entry, name) for name in TimeEntry.model_fields}
    return ApprovedEntry.model_validate({**values, "kind": "delivery", "line": "desk"})


def refusal() -> Refusal:
    return Refusal("engagement-over", "the engagement was closed on 2026-04-01")


# ---- save ------------------------------------------------------------------------------------


def test_a_line_replaces_the_draft_of_its_engagement_only() -> None:
    once = new().when(save(work()), by="dev").then(like(TimesheetSaved))
    once.when(save(work()), by="dev").then_nothing()
    both = once.after(save(work(count=4), on=OTHER), by="dev").after(save(leave=[off()]), by="dev")
    assert [each.engagement or each.code for each in both.view["lines"]] == [ID, OTHER, "leave"]
    changed = both.after(save(work(count=2)), by="dev")
    assert [each.draft[0].hours for each in changed.view["lines"]] == [2, 4, 8]
    without = changed.after(save(on=OTHER), by="dev")
    assert [each.engagement or each.code for each in without.view["lines"]] == [ID, "leave"]


def test_a_timesheet_is_saved_by_the_person_or_a_stand_in_for_time() -> None:
    new().when(save(work()), by="milo").then_refused("timesheet-not-own")
    new().when(save(work()), by="max", on_behalf_of="dev").then_accepted()
    purposes = {kind.named(): each.stand_in for kind, each in TIMESHEET.commands.items()}
    assert sorted(name for name, purpose in purposes.items() if purpose == "time") == [
        "save-timesheet",
        "submit-timesheet",
        "withdraw-timesheet",
    ]
    for command in (SUBMIT, WITHDRAW):
        taken().when(command, by="mara").then_refused("timesheet-not-own")


@pytest.mark.parametrize(
    "wrong",
    [
        {"hours": "0"},
        {"hours": "-1"},
        {"hours": "NaN"},
        {"hours": "7.005"},
        {"hours": "24.01"},
        {"day": "2026-02-30"},
        {"task": "no task"},
        {"role": "Architect"},
        {"entry": "T-1"},
        {"note": "\u202e"},
    ],
)
def test_invalid_entries_are_refused(wrong: Mapping[str, object]) -> None:
    with pytest.raises(ValidationError):
        save({**work(), **wrong})


def test_an_entry_belongs_to_the_week() -> None:
    for day in (WEEK - timedelta(days=1), WEEK + timedelta(days=7)):
        outside = new().when(save(work(), work(day), leave=[off(day)]), by="dev")
        outside.then_refused(
            "day-outside-week",
            fields=["engagements[0].entries[1].day", "internal[0].entries[0].day"],
        )


def test_lines_are_named_once_and_are_not_too_many() -> None:
    twice = [{"engagement": ID, "entries": []}] * 2
    with pytest.raises(ValidationError, match="more than once"):
        SaveTimesheet.model_validate({"engagements": twice})
    with pytest.raises(ValidationError):
        save(work(), holidays=[off()])
    scenario = new()
    for number in range(50):
        scenario = scenario.after(save(work(), on=f"E-{number:013}"), by="dev")
    more = save(work(), on="E-9999999999999")
    scenario.when(more, by="dev").then_refused("timesheet-too-long")


@pytest.mark.parametrize("wrong", ["dev", "dev.2026-04-07", "dev.2026-02-30", ".2026-04-06"])
def test_a_timesheet_is_of_a_person_and_a_monday(wrong: str) -> None:
    known: TypeAdapter[str] = TypeAdapter(TimesheetId)
    assert known.validate_python(SHEET) == SHEET
    with pytest.raises(ValidationError):
        known.validate_python(wrong)


# ---- submit ----------------------------------------------------------------------------------


def test_a_submission_asks_each_engagement_to_take_its_entries() -> None:
    drafted = new().after(save(work(), work(TODAY)), by="dev")
    drafted = drafted.after(
        save(work(FRIDAY, role=None), on=OTHER, leave=[off(FRIDAY, 4)]), by="dev"
    )
    outcome = drafted.when(SUBMIT, by="dev")
    after = outcome.then(like(TimesheetSubmitted, revision=1, weekly_hours=hours(40)))
    assert [(each.stream, each.id) for each in outcome.requests] == [
        (f"engagement:{ID}", "take-1"),
        (f"engagement:{OTHER}", "take-1"),
    ]
    take = asked(after, ID)
    assert (take.person, take.week, take.revision, take.replaces) == ("dev", WEEK, 1, ())
    assert [(each.day, each.role, each.hours) for each in take.entries] == [
        (WEEK, "architect", 8),
        (TODAY, "architect", 8),
    ]
    assert asked(after, OTHER).entries[0].role is None
    every = [*ids(after), *ids(after, OTHER), *ids(after, "leave")]
    assert len({*every}) == 4
    after.then_view(revision=1, hours=hours(28), hours_by_day={WEEK: 8, TODAY: 8, FRIDAY: 12})
    assert status(after) == ["requested", "requested"]
    assert status(after, "leave") == ["waiting"]
    after.when(SUBMIT, by="dev").then_nothing()


def test_no_two_entries_ever_have_one_id() -> None:
    again = taken().after(save(work(), work(TODAY, 6)), by="dev").after(SUBMIT, by="dev")
    assert set(ids(took(again))).isdisjoint(ids(taken()))
    other = given(TIMESHEET, f"mara.{WEEK}", records=PEOPLE).on(FRIDAY)
    same = other.after(save(work(role=None), work(TODAY, 6, role=None)), by="mara")
    assert set(ids(same.after(SUBMIT, by="mara"))).isdisjoint(ids(taken()))


def test_the_engagement_names_the_role_that_the_entry_lacks() -> None:
    drafted = new().after(save(work(role=None)), by="dev").after(SUBMIT, by="dev")
    [entry] = line(took(drafted)).entries
    assert (entry.role, entry.status) == ("architect", "waiting")


def test_a_submission_is_refused_for_what_the_sheet_can_judge() -> None:
    def refused(scenario: Scenario[Timesheet], code: Any, *entries: Mapping[str, object]) -> None:
        person = scenario.state.person
        scenario.after(save(*entries), by=person).when(SUBMIT, by=person).then_refused(code)

    ghost = given(TIMESHEET, f"ghost.{WEEK}", records=PEOPLE).on(FRIDAY)
    refused(ghost, "person-unknown", work())
    left = given(TIMESHEET, f"gone.{WEEK}", records=(*PEOPLE, LEFT)).on(FRIDAY)
    refused(left, "person-not-with-company", work(), work(TODAY))
    left.after(save(work()), by="gone").when(SUBMIT, by="gone").then_accepted()
    refused(new(), "role-not-held", work(), work(TODAY, role="developer"))
    other = new().after(save(work(role="developer")), by="dev")
    other.when(SUBMIT, by="dev").then_refused("role-not-held", saying="developer, but architect")
    second = new().after(save(work(), work(TODAY, role="developer")), by="dev")
    field = "lines[0].draft[1].role"
    second.when(SUBMIT, by="dev").then_refused("role-not-held", fields=[field])
    refused(new(), "date-in-future", work(FRIDAY + timedelta(days=2)))
    new().after(save(leave=[off(FRIDAY + timedelta(days=2))]), by="dev").when(
        SUBMIT, by="dev"
    ).then_refused("date-in-future")
    refused(new(), "hours-beyond-day", work(count=24), work(count=0.01))


def test_a_day_has_24_hours_over_all_engagements() -> None:
    full = new().after(save(work(count=20), leave=[off(count=4)]), by="dev")
    full.when(SUBMIT, by="dev").then_accepted()
    more = full.after(save(work(count=0.01), on=OTHER), by="dev")
    more.when(SUBMIT, by="dev").then_refused(
        "hours-beyond-day",
        fields=["lines[0].draft[0].hours"],
        saying="24.01 hours, over all engagements: a day has 24",
    )
    # What waits is replaced by the new draft, what is approved is not.
    long = took(new().after(save(work(count=20)), by="dev").after(SUBMIT, by="dev"))
    again = long.after(save(work(count=24)), by="dev")
    again.when(SUBMIT, by="dev").then_accepted()
    decided = long.after(NoteDecision(approved=(approval(long, 0),)))
    decided.after(save(work(count=4)), by="dev").when(SUBMIT, by="dev").then_accepted()
    decided.after(save(work(count=5)), by="dev").when(SUBMIT, by="dev").then_refused(
        "hours-beyond-day"
    )


def test_more_than_the_weekly_hours_are_recorded_and_shown() -> None:
    days = [work(WEEK + timedelta(days=number), 9) for number in range(5)]
    long = new().after(save(*days), by="dev")
    long.then_view(weekly_hours=None, beyond_weekly_hours=None)
    after = long.after(SUBMIT, by="dev")
    after.then_view(hours=hours(45), weekly_hours=hours(40), beyond_weekly_hours=hours(5))
    # Each engagement is told of the whole week, with leave and what others have taken already.
    assert asked(after, ID).beyond_weekly_hours == hours(5)
    full = took(
        new().after(save(*days[:4], leave=[off(FRIDAY, 4)]), by="dev").after(SUBMIT, by="dev")
    )
    more = full.after(save(work(FRIDAY, 2), on=OTHER), by="dev").after(SUBMIT, by="dev")
    assert asked(more, OTHER).beyond_weekly_hours == hours(2)
    within = new().after(save(*days[:4]), by="dev").after(SUBMIT, by="dev")
    assert asked(within, ID).beyond_weekly_hours is None


def told(scenario: Scenario[Timesheet], *names: str) -> dict[str, Any]:
    """Return the hours beyond the week that each engagement is asked to note."""
    return {
        name: asked(scenario, name).beyond_weekly_hours
        for name in names
        if isinstance(asked(scenario, name), MeasureWeek)
    }


@cache
def too_long() -> Scenario[Timesheet]:
    """Return a week of 45 hours on one engagement and 3 on another one, as both know."""
    days = [work(WEEK + timedelta(days=number), 9) for number in range(5)]
    one = took(new().after(save(*days), by="dev").after(SUBMIT, by="dev"))
    both = took(one.after(save(work(count=3), on=OTHER), by="dev").after(SUBMIT, by="dev"), OTHER)
    assert told(both, ID) == {ID: hours(8)}
    return answered(both, ID)


def test_engagements_are_told_when_the_week_becomes_longer() -> None:
    known = too_long()
    assert not known.stream.requests
    known.then_view(beyond_weekly_hours=hours(8))
    training = known.after(save(training=[off(count=2)]), by="dev").after(SUBMIT, by="dev")
    assert told(training, ID, OTHER) == {ID: hours(10), OTHER: hours(10)}
    assert line(training).is_pending
    # Each waits for the answer before it is told of what came meanwhile.
    one = answered(training.after(WithdrawTimesheet(internal=("training",)), by="dev"), ID)
    assert [each.event.item for each in one.stream.requests.values()] == [OTHER]
    both = answered(one, OTHER)
    assert told(both, ID, OTHER) == {ID: hours(8), OTHER: hours(8)}


def test_engagements_are_told_when_the_week_becomes_shorter() -> None:
    back = gave_back(
        too_long().after(WithdrawTimesheet(engagements=(ID,)), by="dev"), *ids(too_long())
    )
    assert told(back, OTHER) == {OTHER: None}
    rejected = too_long().after(NoteDecision(rejected=(ids(too_long())[0],), why="No."))
    assert told(rejected, ID, OTHER) == {ID: None, OTHER: None}
    # Approved hours count as before, and no one decides on them any more.
    approved = too_long().after(NoteDecision(approved=(approval(too_long(), 0),)))
    assert not approved.stream.requests
    refused = Refusal("engagement-over", "it was closed")
    assert line(answered(back, OTHER, refused=refused), OTHER).is_pending is False


def test_a_day_is_over_where_it_ends_last() -> None:
    # On Friday evening in UTC, Saturday has begun in the east.
    saturday = save(work(FRIDAY + timedelta(days=1)))
    evening = new().on(JANUARY.replace(month=4, day=10, hour=12)).after(saturday, by="dev")
    evening.when(SUBMIT, by="dev").then_accepted()
    morning = new().on(JANUARY.replace(month=4, day=10, hour=9)).after(saturday, by="dev")
    morning.when(SUBMIT, by="dev").then_refused("date-in-future")


def test_entries_that_an_engagement_refuses_are_a_draft_again() -> None:
    both = new().after(save(work(count=4)), by="dev").after(save(work(count=4), on=OTHER), by="dev")
    asked_both = both.after(SUBMIT, by="dev")
    refused = answered(took(asked_both), OTHER, refused=refusal())
    assert status(refused) == ["waiting"]
    other = line(refused, OTHER)
    assert (other.entries, len(other.draft), other.refusal) == ((), 1, refusal())
    # It may be submitted again; a saved line shows no refusal.
    refused.when(SUBMIT, by="dev").then(like(TimesheetSubmitted, revision=2))
    assert line(refused.after(save(work(), on=OTHER), by="dev"), OTHER).refusal is None


def test_a_line_waits_for_the_answer_to_its_last_request() -> None:
    for command in (save(work(count=1)), WITHDRAW, WithdrawTimesheet(engagements=(ID,))):
        submitted().when(command, by="dev").then_refused("timesheet-awaits-answer", saying=ID)
    # Other lines do not wait.
    other = submitted().after(save(work(count=1), on=OTHER), by="dev")
    other.when(SUBMIT, by="dev").then(like(TimesheetSubmitted, revision=2))


def test_a_new_draft_replaces_what_waits() -> None:
    first = ids(taken())
    again = taken().after(save(work(count=7)), by="dev").after(SUBMIT, by="dev")
    assert asked(again, ID).replaces == tuple(first)
    after = took(again)
    assert (len(ids(after)), after.view["hours"]) == (1, hours(7))
    assert set(ids(after)).isdisjoint(first)
    # Where the engagement decided in the meantime, nothing is replaced.
    refused = answered(again, ID, refused=Refusal("entry-decided", "Decided."))
    assert ids(refused) == first
    assert len(line(refused).draft) == 1


# ---- withdraw --------------------------------------------------------------------------------


def test_what_waits_is_withdrawn_and_is_a_draft_again() -> None:
    outcome = taken().when(WITHDRAW, by="dev")
    [request] = outcome.requests
    assert (request.stream, request.id) == (f"engagement:{ID}", "give-back-1")
    assert asked(outcome.after, ID).entries == tuple(ids(taken()))
    back = gave_back(outcome.after, *ids(taken()))
    assert (line(back).entries, len(line(back).draft)) == ((), 2)
    back.when(WITHDRAW, by="dev").then_refused("time-not-waiting")
    back.when(SUBMIT, by="dev").then(like(TimesheetSubmitted, revision=2))


def test_a_withdrawal_names_engagements_and_codes() -> None:
    both = took(
        took(
            new()
            .after(save(work(count=4), leave=[off(count=4)]), by="dev")
            .after(save(work(count=4), on=OTHER), by="dev")
            .after(SUBMIT, by="dev")
        ),
        OTHER,
    )
    one = both.after(WithdrawTimesheet(engagements=(OTHER,), internal=("leave",)), by="dev")
    assert status(one) == ["waiting"]
    assert [line(one, name).is_pending for name in (OTHER, "leave")] == [True, False]
    assert (line(one, "leave").entries, len(line(one, "leave").draft)) == ((), 1)
    again = WithdrawTimesheet(internal=("leave",))
    one.when(again, by="dev").then_refused("time-not-waiting", saying="leave")
    both.when(WithdrawTimesheet(internal=("training",)), by="dev").then_refused("time-not-waiting")
    new().when(WITHDRAW, by="dev").then_refused("time-not-waiting")


def test_what_the_engagement_recorded_first_stands() -> None:
    first, second = ids(taken())
    decision = NoteDecision(approved=(approval(taken(), 0),))
    asking = taken().after(WITHDRAW, by="dev")
    # The engagement approved one entry before it was asked to give both back.
    for after in (
        gave_back(asking.after(decision), second),
        gave_back(asking, second).after(decision),
    ):
        assert (ids(after), status(after)) == ([first], ["approved"])
        assert len(line(after).draft) == 1
    # The answer says what became of each, as far as the timesheet knows it by then.
    reject = NoteDecision(rejected=(first,), why="No.")
    for noted, how in ((decision, "approved"), (reject, "rejected")):
        assert said(asking.after(noted), second) == (
            f"drafts again: {second} of {TODAY}; not withdrawn: {first} of {WEEK}, which was {how}"
            " before"
        )
    assert said(asking, first, second) is None
    # It approved both: nothing is given back.
    both = NoteDecision(approved=(approval(taken(), 0), approval(taken(), 1)))
    for after in (gave_back(asking.after(both)), gave_back(asking).after(both)):
        assert status(after) == ["approved", "approved"]
        after.when(WITHDRAW, by="dev").then_refused("time-not-waiting")


def test_a_decision_may_be_noted_before_the_answer_that_it_was_taken() -> None:
    decision = NoteDecision(
        approved=(approval(submitted(), 0),), rejected=(ids(submitted())[1],), why="No."
    )
    early = took(submitted().after(decision))
    late = took(submitted()).after(decision)
    assert early.state == late.state
    assert (status(early), [each.why for each in line(early).returned]) == (["approved"], ["No."])


def test_a_refused_withdrawal_leaves_the_entries_as_they_are() -> None:
    refused = answered(taken().after(WITHDRAW, by="dev"), ID, refused=refusal())
    assert (status(refused), line(refused).refusal) == (["waiting", "waiting"], refusal())
    assert not line(refused).is_pending


def test_a_draft_that_is_saved_is_not_overwritten_by_what_comes_back() -> None:
    saved = taken().after(save(work(count=1)), by="dev").after(WITHDRAW, by="dev")
    back = gave_back(saved, *ids(taken()))
    assert [each.hours for each in line(back).draft] == [1]


# ---- decisions -------------------------------------------------------------------------------


def test_decisions_of_the_engagement_are_shown() -> None:
    first, second = ids(taken())
    assert status(approved()) == ["approved", "waiting"]
    entry = line(approved()).entries[0]
    assert (entry.kind, entry.line) == ("delivery", "desk")
    rejected = approved().after(NoteDecision(rejected=(second,), why="Other week."))
    assert ids(rejected) == [first]
    [returned] = line(rejected).returned
    assert (returned.entry, returned.how, returned.why) == (second, "rejected", "Other week.")
    assert line(rejected).draft == ()
    rejected.when(SUBMIT, by="dev").then_nothing()  # the person has to correct it first
    corrected = rejected.after(save(work(TODAY, 5)), by="dev")
    assert line(corrected).returned == ()
    again = took(corrected.after(SUBMIT, by="dev"))
    again.then_view(hours=hours(13), revision=2)


def test_internal_time_is_approved_on_the_sheet_by_another_person() -> None:
    sheet = new().after(save(leave=[off()], training=[off(TODAY, 2)]), by="dev")
    sheet = sheet.after(SUBMIT, by="dev")
    approve = ApproveInternalTime()
    sheet.when(approve, by="dev").then_refused("approver-is-author")
    sheet.when(approve, by="max", on_behalf_of="dev").then_refused("approver-is-author")
    both = sheet.when(approve, by="mara").then_accepted()
    assert [status(both, "leave"), status(both, "training")] == [["approved"], ["approved"]]
    both.when(approve, by="mara").then_refused("time-not-waiting")
    both.when(WITHDRAW, by="dev").then_refused("time-not-waiting")
    [one] = ids(sheet, "leave")
    named = sheet.after(ApproveInternalTime(entries=(one,)), by="mara")
    assert status(named, "training") == ["waiting"]
    for wrong in (("T-9",), (one, "T-9")):
        sheet.when(ApproveInternalTime(entries=wrong), by="mara").then_refused("time-not-waiting")
    reject = RejectInternalTime(entries=(one,), why="Not agreed.")
    sheet.when(reject, by="dev").then_refused("approver-is-author")
    back = sheet.after(reject, by="mara")
    assert [each.why for each in line(back, "leave").returned] == ["Not agreed."]
    # Time of an engagement is approved there.
    taken().when(approve, by="mara").then_refused("time-not-waiting")
    taken().when(ApproveInternalTime(entries=(ids(taken())[0],)), by="mara").then_refused(
        "time-not-waiting"
    )


# ---- reverse ---------------------------------------------------------------------------------


def reverse(entries: Iterable[str], **fields: object) -> ReverseTime:
    return ReverseTime.model_validate({"entries": entries, "why": "Wrong.", **fields})


def test_approved_time_is_reversed_by_whoever_may_approve() -> None:
    first, second = ids(approved())
    outcome = approved().when(reverse([first]), by="mara")
    [request] = outcome.requests
    assert (request.stream, request.id) == (f"engagement:{ID}", "take-back-1")
    back = asked(outcome.after, ID)
    assert back == TakeBackTime(
        person="dev",
        week=WEEK,
        entries=(approval(taken(), 0),),
        why="Wrong.",
        reversed_on=FRIDAY,
    )
    event = TimeReversed(**dict(back))
    reopened = answered(outcome.after, ID, event)
    assert ids(reopened) == [second]
    [returned] = line(reopened).returned
    assert (returned.entry, returned.how, returned.why) == (first, "reversed", "Wrong.")
    reopened.when(reverse([first]), by="mara").then_refused("entry-not-approved")
    again = reopened.after(save(work(count=3), work(TODAY, 6)), by="dev")
    again.when(SUBMIT, by="dev").then(like(TimesheetSubmitted, revision=2))


def test_a_reversal_is_refused_for_what_is_not_approved() -> None:
    first, second = ids(approved())
    approved().when(reverse([second, "T-9"]), by="mara").then_refused(
        "entry-not-approved", saying=f"{second}, T-9 are not approved"
    )
    for wrong in ([second], [first, second], ["T-9"]):
        approved().when(reverse(wrong), by="mara").then_refused(
            "entry-not-approved", fields=["entries"]
        )
    approved().when(reverse([first]), by="dev").then_refused("approver-is-author")
    early = reverse([first], reversed_on=WEEK - timedelta(days=1))
    approved().when(early, by="mara").then_refused("date-before-record")
    late = reverse([first], reversed_on=FRIDAY + timedelta(days=9))
    approved().when(late, by="mara").then_refused("date-in-future")
    asking = approved().after(reverse([first]), by="mara")
    asking.when(reverse([first]), by="mara").then_refused("timesheet-awaits-answer")
    with pytest.raises(ValidationError):
        reverse([])


def test_a_refused_reversal_leaves_the_entry_approved() -> None:
    asking = approved().after(reverse([ids(approved())[0]]), by="mara")
    refused = answered(asking, ID, refused=refusal())
    assert (status(refused), line(refused).refusal) == (["approved", "waiting"], refusal())
    refused.when(reverse([ids(approved())[0]]), by="mara").then_accepted()


def test_internal_time_is_reversed_at_once() -> None:
    sheet = new().after(save(leave=[off()]), by="dev").after(SUBMIT, by="dev")
    sheet = sheet.after(ApproveInternalTime(), by="mara")
    outcome = sheet.when(reverse(ids(sheet, "leave")), by="mara")
    assert outcome.requests == ()
    assert [each.how for each in line(outcome.after, "leave").returned] == ["reversed"]
    outcome.after.then_view(hours=hours(0))


# ---- readers ---------------------------------------------------------------------------------


def test_a_timesheet_is_read_by_the_person_stand_ins_and_managers() -> None:
    stand_in = StandIn(stand_in="milo", purpose="time", first=WEEK, last=FRIDAY)
    led = person("dev", "delivery", "architect").model_copy(update={"manager": "boss"})
    boss = person("boss", "delivery").model_copy(update={"manager": "chief"})
    records = RecordsOf(
        [*PEOPLE, led, boss, StandInsPublished(person="dev", stand_ins=(stand_in,))]
    )

    def reads(actor: str, role: Role = "consultant", day: date = FRIDAY) -> bool:
        moment = JANUARY.replace(month=day.month, day=day.day)
        context = Context(
            actor=actor,
            occurred_at=moment,
            recorded_at=moment,
            cause="read",
            reference_data=records,
            new_event_id=lambda: "event",
            roles=frozenset({role}),
        )
        people = listed_for(context).get("person", ["dev"])
        assert not isinstance(people, Subjects)
        listed = "dev" in people
        try:
            require_reader(SHEET, context)
        except NotAllowed:
            assert not listed
            return False
        assert listed
        return True

    assert [reads(each) for each in ("dev", "milo", "boss", "chief")] == [True] * 4
    assert [reads(each) for each in ("mara", "ann", "de", "dev.x")] == [False] * 4
    assert reads("mara", "engagement-manager")
    assert reads("olga", "pmo-director")
    assert reads("vera", "vp-engagement-management")
    assert not reads("milo", day=FRIDAY + timedelta(days=1))


def test_the_list_shows_what_became_of_a_week() -> None:
    def row(scenario: Scenario[Timesheet]) -> dict[str, Any]:
        return TIMESHEET.rows(scenario.state)

    drafted = new().after(save(work(count=41 / 2), work(TODAY, 41 / 2)), by="dev")
    assert row(drafted) == {
        "person": "dev",
        "week": str(WEEK),
        "hours": "0",
        "beyond_weekly_hours": None,
        "is_drafted": True,
        "is_waiting": False,
        "is_returned": False,
    }
    asking = row(drafted.after(SUBMIT, by="dev"))
    assert (asking["hours"], asking["beyond_weekly_hours"]) == ("41", "1")
    assert (asking["is_drafted"], asking["is_waiting"]) == (False, True)
    rejected = row(taken().after(NoteDecision(rejected=tuple(ids(taken())), why="No.")))
    assert (rejected["is_waiting"], rejected["is_returned"]) == (False, True)
    assert row(answered(submitted(), ID, refused=refusal()))["is_returned"]
    done = NoteDecision(approved=(approval(taken(), 0), approval(taken(), 1)))
    assert not any(value is True for value in row(taken().after(done)).values())


def test_the_state_is_read_back_and_holds_only_what_is_open() -> None:
    scenario = approved()
    for _ in range(3):
        scenario = took(scenario.after(save(work(count=1)), by="dev").after(SUBMIT, by="dev"))
        scenario = gave_back(
            scenario.after(WITHDRAW, by="dev"),
            *(each.entry for each in line(scenario).entries if each.status == "waiting"),
        )
    state = scenario.state
    assert Timesheet.model_validate_json(state.model_dump_json()) == state
    assert (len(line(scenario).entries), len(line(scenario).draft)) == (1, 1)
