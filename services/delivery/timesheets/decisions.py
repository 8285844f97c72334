"""Save, submit and withdraw a person's week; approve internal time; reverse approved time.

A submission asks each engagement to take its entries, a withdrawal to give them back, a reversal to
take them back. At most one request to an engagement is without its answer, so the requests of a
sheet reach an engagement in their order. The engagement decides whether a withdrawal or an approval
came first: it answers which entries it took or gave back. It tells the sheet what it approved and
rejected.

Whenever the length of the week changes, the sheet tells the engagements whose entries wait.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, NotAllowed, Refused, gate, refused_field
from chassis.domain.context import Context
from chassis.domain.ids import derived
from chassis.domain.list_limits import Limits
from chassis.domain.pending import Refusal
from chassis.domain.requests import Outcome
from chassis.domain.rules import correction_day, day_begun
from contracts.counting import counted
from contracts.decimals import canonical_decimal
from contracts.delivery import MOST_ENTRIES, ApprovedEntry, HoursOfDay, TimeSubmitted, TimeWithdrawn
from contracts.event import Event
from contracts.reference import PersonPublished
from contracts.values import (
    Correction,
    Day,
    DistinctBy,
    EngagementId,
    Identifier,
    PersonId,
    ProjectRole,
    ShortText,
    TotalHours,
    Value,
    Week,
    YesNo,
)
from delivery.coverage import with_missing
from delivery.engagement import Engagement
from delivery.policies import (
    every_person,
    known_staff,
    reads_every_week,
    reads_records_of,
    reads_week,
    require_not_author,
)
from delivery.quantities import ZERO
from delivery.roles import MANAGERS, WORKERS
from delivery.time_entries.requests import (
    EntryIds,
    GiveBackTime,
    MeasureWeek,
    RecordedEntry,
    TakeBackTime,
    TakeTime,
)
from delivery.timesheets import work_items
from delivery.timesheets.events import (
    DecisionNoted,
    DraftEntry,
    InternalCode,
    InternalTimeApproved,
    ReturnedEntry,
    ReversalBegun,
    SavedLine,
    SheetEntry,
    SubmittedLine,
    TimeGivenBack,
    TimeReopened,
    TimesheetRefused,
    TimesheetSaved,
    TimesheetSubmitted,
    TimeTaken,
    WeekNoted,
    WeekTold,
    WithdrawalBegun,
)
from delivery.timesheets.requests import NoteDecision
from delivery.timesheets.state import Line, Timesheet, is_engagement

capability = Capability[Timesheet](__name__)
capability.work(work_items.KINDS, work_items.items)
taking = capability.request(TakeTime, of="engagement")
giving_back = capability.request(GiveBackTime, of="engagement")
taking_back = capability.request(TakeBackTime, of="engagement")
measuring = capability.request(MeasureWeek, of="engagement")

MOST_LINES = 50
"""Maximum number of engagements of a timesheet."""
HOURS_OF_DAY = Decimal(24)
"""Maximum hours of a day, over all lines."""


class WorkEntry(Value):
    """Hours on a task of an engagement on one day."""

    day: Day
    """Day of the work, where the person worked."""
    task: Identifier
    """Id of a task of the plan, or `initiation` or `project-management`."""
    role: ProjectRole | None = None
    """Role that the person holds; null where it follows from the allocation or the task."""
    hours: HoursOfDay
    """Hours worked."""
    billable: YesNo = True
    """True if the hours can be billed to the customer."""
    activity: ShortText | None = None
    """Kind of activity, such as `travel`."""
    note: ShortText | None = None
    """Description of the work, as it appears on the time report."""


class InternalEntry(Value):
    """Hours of one day that belong to no engagement."""

    day: Day
    """Day of the hours."""
    hours: HoursOfDay
    """Hours."""
    note: ShortText | None = None
    """Purpose of the hours."""


class EngagementLine(Value):
    """The week's entries on one engagement, without those that are approved."""

    engagement: EngagementId
    """Id of the engagement."""
    entries: Annotated[tuple[WorkEntry, ...], Field(max_length=MOST_ENTRIES)]
    """The entries; without any, the draft of the engagement is dropped."""


class InternalLine(Value):
    """The week's entries of one internal code, without those that are approved."""

    code: InternalCode
    """Internal code."""
    entries: Annotated[tuple[InternalEntry, ...], Field(max_length=MOST_ENTRIES)]
    """The entries; without any, the draft of the code is dropped."""


class SaveTimesheet(Command):
    """Save the draft of a person's week: the lines of some engagements and internal codes.

    A line replaces the draft of its engagement or code; other lines stay as they are.
    """

    engagements: Annotated[
        tuple[EngagementLine, ...], Field(max_length=MOST_LINES), DistinctBy("engagement")
    ] = ()
    """Lines of engagements."""
    internal: Annotated[tuple[InternalLine, ...], Field(max_length=10), DistinctBy("code")] = ()
    """Lines of internal codes."""


class SubmitTimesheet(Command):
    """Submit the saved drafts for approval, to all their engagements at once.

    The draft of an engagement replaces its entries that wait for approval. The answer shows which
    engagements took theirs, and which refused and why.
    """


class WithdrawTimesheet(Command):
    """Take back entries that wait for approval; they are drafts again.

    Without engagements and codes, those of the whole week.
    """

    engagements: Annotated[tuple[EngagementId, ...], Field(max_length=MOST_LINES)] = ()
    """Ids of the engagements whose entries are taken back."""
    internal: Annotated[tuple[InternalCode, ...], Field(max_length=10)] = ()
    """Internal codes whose entries are taken back."""


class ApproveInternalTime(Command):
    """Approve submitted time of internal codes; a person cannot approve their own."""

    entries: EntryIds = ()
    """Ids of the entries; without any, all that wait."""


class RejectInternalTime(Command):
    """Reject submitted time of internal codes and say why."""

    entries: EntryIds = ()
    """Ids of the entries; without any, all that wait."""
    why: ShortText
    """Reason for the rejection."""


class ReverseTime(Correction, Command):
    """Take back approved time that was wrong; the right one may be saved and submitted then."""

    entries: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=MOST_ENTRIES)]
    """Ids of the entries."""
    reversed_on: Day | None = Field(default=None, description="today unless given")


# ---- save ------------------------------------------------------------------------------------


@capability.decide(SaveTimesheet, by=WORKERS, opens=True, stand_in="time")
def save_timesheet(state: Timesheet, command: SaveTimesheet, context: Context) -> Iterable[Event]:
    """Save the lines that differ from their drafts.

    Raises Refused where a day is not in the week, an engagement has not answered a request yet, or
    the timesheet would have too many lines, and NotAllowed on the timesheet of another person.
    """
    _require_own(state, context)
    lines = tuple(_saved_lines(command))
    gate("day-outside-week", _outside_week(state.week, command))
    _require_answered(state, (line.name for line in lines))
    named = {*state.lines, *(line.name for line in lines if line.entries)}
    if len(named) > MOST_LINES:
        raise Refused("timesheet-too-long", f"a timesheet has at most {MOST_LINES} lines")
    changed = tuple(each for each in lines if _is_changed(state.line(each.name), each))
    if changed:
        yield TimesheetSaved(lines=changed)


def _saved_lines(command: SaveTimesheet) -> Iterator[SavedLine]:
    for line in command.engagements:
        yield SavedLine(
            name=line.engagement,
            entries=tuple(DraftEntry(**dict(each)) for each in line.entries),
        )
    for internal in command.internal:
        yield SavedLine(
            name=internal.code,
            entries=tuple(DraftEntry(**dict(each), billable=False) for each in internal.entries),
        )


def _outside_week(week: date, command: SaveTimesheet) -> Iterator[Missing]:
    lines: list[tuple[str, str, Sequence[WorkEntry | InternalEntry]]] = [
        *(
            (f"engagements[{n}]", each.engagement, each.entries)
            for n, each in enumerate(command.engagements)
        ),
        *((f"internal[{n}]", each.code, each.entries) for n, each in enumerate(command.internal)),
    ]
    for path, name, entries in lines:
        for place, entry in enumerate(entries):
            if not 0 <= (entry.day - week).days < 7:
                sentence = f"{name}: {entry.day} is not in the week of {week}"
                field = f"{path}.entries[{place}].day"
                yield Missing("day-outside-week", sentence, field=field)


def _is_changed(line: Line, saved: SavedLine) -> bool:
    return (line.draft, line.returned, line.refusal) != (saved.entries, (), None)


def _require_own(state: Timesheet, context: Context) -> None:
    """Refuse a command on the timesheet of another person, unless as their stand-in for time."""
    if context.acting_for != state.person:
        sentence = f"only {state.person}, or a stand-in for their time, may do this"
        raise NotAllowed("timesheet-not-own", sentence)


def _require_answered(state: Timesheet, names: Iterable[str]) -> None:
    """Refuse a request to an engagement that has not answered the last one."""
    waiting = sorted({name for name in names if state.line(name).is_pending})
    if waiting:
        have = "have" if len(waiting) > 1 else "has"
        sentence = f"{', '.join(waiting)} {have} not answered the last request yet: try again"
        raise Refused("timesheet-awaits-answer", sentence)


# ---- submit ----------------------------------------------------------------------------------


@capability.decide(SubmitTimesheet, by=WORKERS, stand_in="time")
def submit_timesheet(
    state: Timesheet, command: SubmitTimesheet, context: Context
) -> Iterable[Event]:
    """Submit the drafts; nothing happens where there are none.

    Raises Refused where the person is unknown or not with the company on a day, does not hold a
    role, a day is in the future or would have more than 24 hours, or an engagement has not answered
    a request yet, and NotAllowed on the timesheet of another person.
    """
    _require_own(state, context)
    drafted = {name: line for name, line in state.lines.items() if line.draft}
    if not drafted:
        return
    _require_answered(state, drafted)
    known = _judged(state, drafted, context)
    revision = state.revision + 1
    beyond = state.beyond(known.weekly_hours, drafted=True)
    lines = tuple(_submitted_lines(state, drafted, revision))
    yield TimesheetSubmitted(
        revision=revision,
        weekly_hours=known.weekly_hours,
        beyond_weekly_hours=beyond,
        lines=lines,
    )
    for line in lines:
        if is_engagement(line.name):
            take = TakeTime(
                person=state.person,
                week=state.week,
                revision=revision,
                beyond_weekly_hours=beyond,
                entries=tuple(_recorded(each) for each in line.entries),
                replaces=line.replaces,
            )
            yield taking(line.name, take, id=f"take-{revision}", item=line.name, revision=revision)


def _judged(state: Timesheet, drafted: Mapping[str, Line], context: Context) -> PersonPublished:
    """Return the record of the person, after the checks that need no engagement.

    A refusal names a field of an entry by its place in the view of the timesheet.
    """
    places = {name: place for place, name in enumerate(state.lines)}
    entries = [
        (name, f"lines[{places[name]}].draft[{place}]", each)
        for name, line in drafted.items()
        for place, each in enumerate(line.draft)
    ]
    for _, path, each in entries:
        day_begun(f"{path}.day", each.day, context)
    known = known_staff(context, state.person, *sorted({each.day for *_, each in entries}))
    first_of_day = {each.day: path for _, path, each in reversed(entries)}
    gate(
        "role-not-held",
        (
            Missing(
                "role-not-held",
                f"{name}, {each.day}: {state.person} does not hold the role {each.role}, but"
                f" {', '.join(known.roles) or 'none'}",
                field=f"{path}.role",
            )
            for name, path, each in entries
            if each.role is not None and each.role not in known.roles
        ),
    )
    gate(
        "hours-beyond-day",
        (
            Missing(
                "hours-beyond-day",
                f"{day} would have {counted(hours, 'hour')}, over all engagements: a day has 24",
                field=f"{first_of_day[day]}.hours",
            )
            for day, hours in state.hours_by_day(drafted=True).items()
            if hours > HOURS_OF_DAY and day in first_of_day
        ),
    )
    return known


def _submitted_lines(
    state: Timesheet, drafted: Mapping[str, Line], revision: int
) -> Iterator[SubmittedLine]:
    """Yield the lines; an entry's id is made of sheet, revision and place, so no two have one."""
    number = 0
    for name, line in drafted.items():
        entries = []
        for draft in line.draft:
            number += 1
            entries.append(
                SheetEntry(
                    **dict(draft),
                    entry=f"T-{derived(f'{state.timesheet}/{revision}/{number}')}",
                    status="requested" if is_engagement(name) else "waiting",
                )
            )
        yield SubmittedLine(
            name=name,
            entries=tuple(entries),
            replaces=tuple(each.entry for each in line.of_status("waiting")),
        )


def _recorded(entry: SheetEntry) -> RecordedEntry:
    return RecordedEntry.model_validate(
        {name: getattr(entry, name) for name in RecordedEntry.model_fields}
    )


@taking.outcome
def taken(state: Timesheet, outcome: Outcome[TakeTime], context: Context) -> Iterable[Event]:
    """Record that the engagement took the entries, or why it did not."""
    if outcome.refusal:
        yield _refused(outcome.request.item, outcome.refusal)
    else:
        submitted = outcome.only(TimeSubmitted)
        yield TimeTaken(
            engagement=outcome.request.item,
            entries=submitted.entries,
            replaced=outcome.command.replaces,
        )


def _refused(engagement: str, refusal: Refusal) -> TimesheetRefused:
    return TimesheetRefused(engagement=engagement, refusal=refusal)


# ---- length of the week ----------------------------------------------------------------------


@capability.react
def tell_engagements(state: Timesheet, context: Context) -> Iterable[Event]:
    """Tell the engagements whose entries wait how long the week is, where they know otherwise.

    Nothing is told while an engagement has not answered: its answer may change the week.
    """
    if state.weekly_hours is None or any(line.is_pending for line in state.lines.values()):
        return
    beyond = state.beyond(state.weekly_hours, drafted=False)
    engagements = tuple(
        name
        for name, line in state.lines.items()
        if is_engagement(name) and line.of_status("waiting") and line.told != beyond
    )
    if not engagements:
        return
    number = state.asked + 1
    yield WeekTold(number=number, beyond_weekly_hours=beyond, engagements=engagements)
    measure = MeasureWeek(person=state.person, week=state.week, beyond_weekly_hours=beyond)
    for name in engagements:
        yield measuring(name, measure, id=f"measure-{number}", item=name)


@measuring.outcome
def measured(state: Timesheet, outcome: Outcome[MeasureWeek], context: Context) -> Iterable[Event]:
    """Record that the engagement knows the length of the week."""
    yield WeekNoted(engagement=outcome.request.item)


# ---- withdraw --------------------------------------------------------------------------------


@capability.decide(WithdrawTimesheet, by=WORKERS, stand_in="time")
def withdraw_timesheet(
    state: Timesheet, command: WithdrawTimesheet, context: Context
) -> Iterable[Event]:
    """Ask the engagements to give back what waits for approval; internal time is back at once.

    Raises Refused where nothing waits, or an engagement has not answered a request yet, and
    NotAllowed on the timesheet of another person.
    """
    _require_own(state, context)
    named = dict.fromkeys((*command.engagements, *command.internal))
    every = (name for name, each in state.lines.items() if each.of_status("requested", "waiting"))
    lines = tuple(named or every)
    _require_answered(state, lines)
    gone = [name for name in lines if not state.line(name).of_status("waiting")]
    gate("time-not-waiting", map(_not_waiting, gone))
    if not lines:
        raise Refused("time-not-waiting", "no time of this week waits for approval")
    number = state.asked + 1
    yield WithdrawalBegun(number=number, lines=lines)
    for name in lines:
        if is_engagement(name):
            give = GiveBackTime(
                person=state.person,
                week=state.week,
                revision=state.revision,
                entries=tuple(each.entry for each in state.line(name).of_status("waiting")),
            )
            yield giving_back(
                name, give, id=f"give-back-{number}", item=name, revision=state.revision
            )


def _not_waiting(name: str) -> Missing:
    field = "engagements" if is_engagement(name) else "internal"
    sentence = f"{field}: no time of {name} waits for approval"
    return Missing("time-not-waiting", sentence, field=field)


@giving_back.outcome
def given_back(
    state: Timesheet, outcome: Outcome[GiveBackTime], context: Context
) -> Iterable[Event]:
    """Record which entries the engagement gave back, or why it gave none.

    Where all were decided before, none is given back, and the decision is noted by itself.
    """
    if outcome.refusal and outcome.refusal.code != "entry-decided":
        yield _refused(outcome.request.item, outcome.refusal)
    else:
        withdrawn = [each for each in outcome.events if isinstance(each, TimeWithdrawn)]
        entries = tuple(entry.entry for each in withdrawn for entry in each.entries)
        yield TimeGivenBack(name=outcome.request.item, entries=entries)


@giving_back.in_part
def part_given_back(state: Timesheet, outcome: Outcome[GiveBackTime]) -> str | None:
    """Return which entries are drafts again and which were decided before, if there are such."""
    withdrawn = (each for each in outcome.events if isinstance(each, TimeWithdrawn))
    back = {each.entry: each.day for week in withdrawn for each in week.entries}
    line = state.line(outcome.request.item)
    kept = [each for each in outcome.command.entries if each not in back]
    if not kept:
        return None
    drafts = ", ".join(f"{entry} of {day}" for entry, day in back.items())
    return (
        f"drafts again: {drafts}; not withdrawn: {', '.join(_decided(line, each) for each in kept)}"
    )


def _decided(line: Line, entry: str) -> str:
    """Return what became of an entry that was not given back, as far as the sheet knows it."""
    returned = {each.entry: each for each in line.returned}
    if entry in returned:
        return f"{entry} of {returned[entry].day}, which was {returned[entry].how} before"
    known = line.entries.get(entry)
    day = f" of {known.day}" if known else ""
    how = "approved" if known and known.status == "approved" else "approved or rejected"
    return f"{entry}{day}, which was {how} before"


# ---- approval and reversal -------------------------------------------------------------------


@capability.decide(NoteDecision, by=None)
def note_decision(state: Timesheet, command: NoteDecision, context: Context) -> Iterable[Event]:
    """Note what an engagement decided."""
    yield DecisionNoted(**dict(command))


@capability.decide(ApproveInternalTime, by=MANAGERS)
def approve_internal_time(
    state: Timesheet, command: ApproveInternalTime, context: Context
) -> Iterable[Event]:
    """Approve the internal entries.

    Raises Refused where the caller worked or submitted them, or they do not wait for approval.
    """
    yield InternalTimeApproved(entries=_internal_waiting(state, command.entries, context))


@capability.decide(RejectInternalTime, by=MANAGERS)
def reject_internal_time(
    state: Timesheet, command: RejectInternalTime, context: Context
) -> Iterable[Event]:
    """Reject the internal entries.

    Raises Refused where the caller worked or submitted them, or they do not wait for approval.
    """
    yield DecisionNoted(
        rejected=_internal_waiting(state, command.entries, context), why=command.why
    )


def _internal_waiting(
    state: Timesheet, names: Collection[str], context: Context
) -> tuple[str, ...]:
    """Return the ids of internal entries that wait for the decision of another person."""
    found: dict[str, None] = {}
    for name, line in state.lines.items():
        waiting = [each.entry for each in line.of_status("waiting") if not is_engagement(name)]
        chosen = [each for each in waiting if not names or each in names]
        if chosen:
            require_not_author(context, state.person, line.submitted_by, "time")
        found |= dict.fromkeys(chosen)
    unknown = {*names} - found.keys()
    if unknown or not found:
        what = f"entries: no internal time {', '.join(sorted(unknown))}".rstrip()
        sentence = f"{what} of {state.person} waits for approval"
        raise refused_field("time-not-waiting", "entries", sentence)
    return tuple(found)


@capability.decide(ReverseTime, by=MANAGERS)
def reverse_time(state: Timesheet, command: ReverseTime, context: Context) -> Iterable[Event]:
    """Ask the engagements to reverse the entries; internal time is reversed at once.

    Raises Refused where the caller is the person, an entry is not approved or was reversed, the day
    is before that of an entry or in the future, or an engagement has not answered a request yet.
    """
    require_not_author(context, state.person, (), "time")
    lines = {name: state.line_of(name) for name in dict.fromkeys(command.entries)}
    found = {
        entry: state.lines[line].entries[entry] for entry, line in lines.items() if line is not None
    }
    _require_answered(state, (line for line in lines.values() if line))
    wrong = [name for name in lines if name not in found or found[name].status != "approved"]
    if wrong:
        several = len(wrong) > 1
        what = (
            "are not approved, or were reversed" if several else "is not approved, or was reversed"
        )
        sentence = f"entries: {', '.join(wrong)} {what}"
        raise refused_field("entry-not-approved", "entries", sentence)
    last = max(each.day for each in found.values())
    day = correction_day("reversed_on", command, last, context)
    by_line: dict[str, list[SheetEntry]] = {}
    for entry, each in found.items():
        by_line.setdefault(lines[entry] or "", []).append(each)
    internal = [name for name in by_line if not is_engagement(name)]
    asked = [name for name in by_line if is_engagement(name)]
    if internal:
        gone = tuple(each.entry for name in internal for each in by_line[name])
        yield TimeReopened(entries=gone, why=command.why)
    if asked:
        number = state.asked + 1
        ids = tuple(each.entry for name in asked for each in by_line[name])
        yield ReversalBegun(number=number, entries=ids)
        for name in asked:
            entries = tuple(_approved(each) for each in by_line[name])
            back = TakeBackTime(
                person=state.person,
                week=state.week,
                entries=entries,
                why=command.why,
                reversed_on=day,
            )
            yield taking_back(name, back, id=f"take-back-{number}", item=name)


def _approved(entry: SheetEntry) -> ApprovedEntry:
    return ApprovedEntry.model_validate(
        {name: getattr(entry, name) for name in ApprovedEntry.model_fields}
    )


@taking_back.outcome
def taken_back(
    state: Timesheet, outcome: Outcome[TakeBackTime], context: Context
) -> Iterable[Event]:
    """Open the reversed entries again, or record why the engagement did not reverse them."""
    if outcome.refusal:
        yield _refused(outcome.request.item, outcome.refusal)
    else:
        entries = tuple(each.entry for each in outcome.command.entries)
        yield TimeReopened(entries=entries, why=outcome.command.why)


# ---- view ------------------------------------------------------------------------------------


class LineView(ViewModel):
    """One engagement or internal code of the week.

    `draft` is saved and not submitted. `entries` were submitted; `returned` were rejected or
    reversed, until the line is saved again. While `is_pending`, the engagement has not answered a
    request; `refusal` says why it refused the last one.
    """

    engagement: str | None
    code: str | None
    hours: TotalHours
    is_pending: bool
    refusal: Refusal | None
    draft: tuple[DraftEntry, ...]
    entries: tuple[SheetEntry, ...]
    returned: tuple[ReturnedEntry, ...]


class TimesheetFields(ViewModel):
    """The week of a person.

    `revision` is that of the last submission, 0 before the first. `hours` and `hours_by_day` count
    submitted entries. `beyond_weekly_hours` are the hours by which they exceed the person's weekly
    hours, null before the first submission.
    """

    person: PersonId
    week: Week
    revision: int
    hours: TotalHours
    hours_by_day: dict[date, TotalHours]
    weekly_hours: TotalHours | None
    beyond_weekly_hours: TotalHours | None
    lines: tuple[LineView, ...]


@capability.view
def timesheet_view(state: Timesheet) -> TimesheetFields:
    """Return the view of a timesheet."""
    by_day = dict(state.hours_by_day(drafted=False))
    hours, weekly = sum(by_day.values(), ZERO), state.weekly_hours
    return TimesheetFields(
        person=state.person,
        week=state.week,
        revision=state.revision,
        hours=hours,
        hours_by_day=by_day,
        weekly_hours=weekly,
        beyond_weekly_hours=None if weekly is None else max(ZERO, hours - weekly),
        lines=tuple(_line_view(name, line) for name, line in state.lines.items()),
    )


def _line_view(name: str, line: Line) -> LineView:
    return LineView(
        engagement=name if is_engagement(name) else None,
        code=None if is_engagement(name) else name,
        hours=sum((each.hours for each in line.entries.values()), ZERO),
        is_pending=line.is_pending,
        refusal=line.refusal,
        draft=line.draft,
        entries=tuple(line.entries.values()),
        returned=line.returned,
    )


class UncoveredEntry(ViewModel):
    """An entry that waits for approval on an engagement, and what is missing before it is billed.

    It is what the engagement knows now: it changes when a contract is signed or a plan baselined.
    """

    engagement: EngagementId
    entry: Identifier
    day: date
    hours: TotalHours
    missing: tuple[Missing, ...]


class CoverageFields(ViewModel):
    """The entries of a timesheet that nothing covers yet; they are recorded all the same."""

    uncovered: tuple[UncoveredEntry, ...]


def engagements_asked(state: Timesheet) -> Iterator[str]:
    """Yield the engagements with entries of the week that wait for approval."""
    for name, line in state.lines.items():
        if is_engagement(name) and line.of_status("waiting"):
            yield name


def coverage_view(state: Timesheet, engagements: Mapping[str, Engagement]) -> CoverageFields:
    """Return which entries of the week their engagements do not cover.

    Entries of all people use up the caps of early starts in the order of their days.
    """
    found: list[UncoveredEntry] = []
    for name, engagement in engagements.items():
        mine = {each.entry for each in state.line(name).of_status("waiting")}
        every = (each for week in engagement.time.waiting.values() for each in week.entries)
        found += (
            UncoveredEntry(
                engagement=name,
                entry=entry.entry,
                day=entry.day,
                hours=entry.hours,
                missing=missing,
            )
            for entry, missing in with_missing(engagement, every)
            if missing and entry.entry in mine
        )
    return CoverageFields(uncovered=tuple(found))


# ---- list --------------------------------------------------------------------------------------


class TimesheetRow(ViewModel):
    """Columns of the list of timesheets; hours are decimals.

    A sheet `is_drafted` where lines are saved and not submitted, `is_waiting` where entries wait
    for approval or an answer, and `is_returned` where entries were rejected, reversed or refused.
    """

    person: PersonId
    week: str
    hours: str
    beyond_weekly_hours: str | None
    is_drafted: bool
    is_waiting: bool
    is_returned: bool


@capability.row
def timesheet_row(state: Timesheet) -> TimesheetRow:
    """Return the row of a timesheet."""
    view, lines = timesheet_view(state), state.lines.values()
    beyond = view.beyond_weekly_hours
    return TimesheetRow(
        person=state.person,
        week=state.week.isoformat(),
        hours=canonical_decimal(view.hours),
        beyond_weekly_hours=None if beyond is None else canonical_decimal(beyond),
        is_drafted=any(line.draft for line in lines),
        is_waiting=any(line.of_status("requested", "waiting", "reversing") for line in lines),
        is_returned=any(line.returned or line.refusal for line in lines),
    )


# ---- readers -----------------------------------------------------------------------------------


def require_reader(timesheet: str, context: Context) -> None:
    """Refuse to show a timesheet to others than the person, their stand-ins and managers.

    Managers of engagements and directors see all, because they approve. Raises NotAllowed.
    """
    person = timesheet[:-11]
    if not reads_week(person, context):
        sentence = f"only {person}, their stand-ins and managers may see this timesheet"
        raise NotAllowed("timesheet-not-own", sentence)


def listed_for(context: Context) -> Limits:
    """Return whose timesheets a person's list has: those that the person may see."""
    if reads_every_week(context):
        return {}
    return {"person": [each for each in every_person(context) if reads_records_of(each, context)]}
