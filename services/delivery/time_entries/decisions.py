"""Record, approve, reject and reverse the time of a person's week on the engagement.

Time is recorded at the request of the person's timesheet and never refused by a gate; it is
approved as billable only as far as it is covered (`delivery.coverage`). What is decided goes to the
timesheet, which keeps the entries.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, Refused, gate, refused_field
from chassis.domain.context import Context
from chassis.domain.pending import Requested
from chassis.domain.requests import Outcome
from chassis.domain.work_items import WorkItem
from contracts.delivery import (
    ApprovedEntry,
    PersonWeek,
    TimeApproved,
    TimeEntry,
    TimeRejected,
    TimeReversed,
    TimeSubmitted,
    TimeWithdrawn,
    WeekMeasured,
)
from contracts.event import Event
from contracts.values import (
    ComputedPercent,
    LineKind,
    PersonId,
    ShortText,
    TotalHours,
    Version,
    Week,
)
from delivery.coverage import covered, in_order, waiting_with_missing, with_missing
from delivery.engagement import Engagement
from delivery.policies import (
    known_person,
    reads_every_week,
    reads_week,
    require_not_author,
    require_recordable,
)
from delivery.quantities import ZERO, share
from delivery.roles import COST_APPROVERS, MANAGERS
from delivery.time_entries import work_items
from delivery.time_entries.requests import (
    EntryIds,
    GiveBackTime,
    MeasureWeek,
    RecordedEntry,
    TakeBackTime,
    TakeTime,
)
from delivery.time_entries.state import WaitingWeek, sheet_of
from delivery.timesheets.requests import NoteDecision

capability = Capability[Engagement](__name__)
capability.work(work_items.KINDS, work_items.items)
noting = capability.request(NoteDecision, of="timesheet")


class ApproveTime(PersonWeek, Command):
    """Approve submitted time of a person's week as billable; a person cannot approve their own."""

    entries: EntryIds = ()
    """Ids of the entries; without any, all that are covered."""


class ApproveTimeAsCost(PersonWeek, Command):
    """Approve time that nothing covers as cost: it is never billed, and counts in the margin."""

    entries: EntryIds = ()
    """Ids of the entries; without any, all that are not covered."""
    why_not_billed: ShortText
    """Reason for the approval of what the customer does not pay."""


class RejectTime(PersonWeek, Command):
    """Reject submitted time of a person's week and say why."""

    entries: EntryIds = ()
    """Ids of the entries; without any, all that wait for approval."""
    why: ShortText
    """Reason for the rejection."""


# ---- requests of timesheets ------------------------------------------------------------------


@capability.decide(TakeTime, by=None)
def take_time(state: Engagement, command: TakeTime, context: Context) -> Iterable[Event]:
    """Record submitted entries in place of those that wait for approval.

    Raises Refused where the engagement is not opened or closed, an entry that is replaced was
    decided in the meantime, or the role of an entry is not named and follows from nothing.
    """
    require_recordable(state)
    waiting = state.time.waiting.get(sheet_of(command))
    if {each.entry for each in (waiting.entries if waiting else ())} != {*command.replaces}:
        sentence = "some of the entries that are replaced were approved or rejected meanwhile"
        raise Refused("entry-decided", sentence)
    yield TimeSubmitted(
        person=command.person,
        week=command.week,
        revision=command.revision,
        beyond_weekly_hours=command.beyond_weekly_hours,
        entries=tuple(
            _with_role(state, command.person, f"entries[{place}].role", each, context)
            for place, each in enumerate(command.entries)
        ),
    )


def _with_role(
    state: Engagement, person: str, field: str, entry: RecordedEntry, context: Context
) -> TimeEntry:
    """Return the entry with its role: as given, else by the person's allocation, else by the task.

    Only roles that the person holds count. Raises Refused with the `field` where that names no
    role, or several.
    """
    role, held, of_task = entry.role, set[str](), set[str]()
    if role is None:
        held = {*known_person(context, person).roles}
        planned = state.planning.task(entry.task)
        of_task = {each.role for each in planned.hours} if planned else set()
        allocated = {
            people[person].role for people in state.resources.allocated.values() if person in people
        }
        found = (held & allocated & of_task, held & allocated, held & of_task)
        role = next((only for roles in found if len(roles) == 1 for only in roles), None)
    if role is None:
        sentence = f"{field}: {_why_no_role(person, entry.task, held, of_task)}"
        raise refused_field("field-missing", field, sentence)
    return TimeEntry(**{**dict(entry), "role": role})


def _why_no_role(person: str, task: str, held: Collection[str], of_task: Collection[str]) -> str:
    """Return why no single role follows for a person and a task, and which ones may be named."""
    named = f"name one of those that {person} holds: {', '.join(sorted(held)) or 'none'}"
    if of_task and {*of_task}.isdisjoint(held):
        planned = ", ".join(sorted(of_task))
        return f"task {task} is planned for {planned}, which {person} does not hold; {named}"
    return f"neither the allocation of {person} nor task {task} names exactly one; {named}"


@capability.decide(MeasureWeek, by=None)
def measure_week(state: Engagement, command: MeasureWeek, context: Context) -> Iterable[Event]:
    """Record the length of a week, where entries of it wait and another length is known."""
    waiting = state.time.waiting.get(sheet_of(command))
    if waiting and waiting.beyond_weekly_hours != command.beyond_weekly_hours:
        yield WeekMeasured(**dict(command))


@capability.decide(GiveBackTime, by=None)
def give_back_time(state: Engagement, command: GiveBackTime, context: Context) -> Iterable[Event]:
    """Give back those of the entries that are neither approved nor rejected.

    Raises Refused where all were decided before: they stay as they were decided.
    """
    require_recordable(state)
    waiting = state.time.waiting.get(sheet_of(command))
    left = [each for each in waiting.entries if each.entry in command.entries] if waiting else []
    if not left:
        sentence = (
            f"the time of {command.person} in the week of {command.week} was approved or rejected"
            " before it was withdrawn, and stays so"
        )
        raise Refused("entry-decided", sentence)
    yield TimeWithdrawn(
        person=command.person,
        week=command.week,
        revision=command.revision,
        entries=tuple(left),
    )


@capability.decide(TakeBackTime, by=None)
def take_back_time(state: Engagement, command: TakeBackTime, context: Context) -> Iterable[Event]:
    """Reverse approved entries. Raises Refused where the engagement is closed."""
    require_recordable(state)
    yield TimeReversed(**dict(command))


# ---- approval --------------------------------------------------------------------------------


@capability.decide(ApproveTime, by=MANAGERS, many=True)
def approve_time(state: Engagement, command: ApproveTime, context: Context) -> Iterable[Event]:
    """Approve the entries that are named, or all that are covered.

    Raises Refused with what is missing where a named entry, or every one, is not covered; where
    the caller worked or submitted them; and where they do not wait for approval.
    """
    week = _deciding(state, command, context)
    entries = _named(week, command.entries)
    found = list(covered(state, entries))
    if not found or (command.entries and len(found) < len(entries)):
        gate("time-not-covered", _not_covered(state, entries))
    yield from _approved(state, week, found)


def _not_covered(state: Engagement, entries: Sequence[TimeEntry]) -> Iterator[Missing]:
    for entry, missing in with_missing(state, entries):
        for each in missing:
            sentence = f"entry {entry.entry} of {entry.day}: {each.sentence}"
            yield Missing(each.code, sentence, each.owed_by, field="entries")


@capability.decide(ApproveTimeAsCost, by=COST_APPROVERS)
def approve_time_as_cost(
    state: Engagement, command: ApproveTimeAsCost, context: Context
) -> Iterable[Event]:
    """Approve the entries that are named, or all that are not covered, as not billable.

    Raises Refused where a named entry, or every one, is covered, as the view of the engagement
    shows it; where the caller worked or submitted them; and where they do not wait for approval.
    """
    week = _deciding(state, command, context)
    entries = _named(week, command.entries)
    uncovered = {entry.entry for entry, missing in waiting_with_missing(state) if missing}
    gate("time-covered", _covered_of(command.entries, uncovered))
    entries = [each for each in entries if each.entry in uncovered]
    if not entries:
        raise Refused("time-covered", f"the time of {command.person} is covered: approve it")
    yield from _approved(state, week, entries, why_not_billed=command.why_not_billed)


def _covered_of(names: Iterable[str], uncovered: Collection[str]) -> Iterator[Missing]:
    for place, each in enumerate(names):
        if each not in uncovered:
            field = f"entries[{place}]"
            yield Missing("time-covered", f"{field}: {each} is covered: approve it", field=field)


def _approved(
    state: Engagement,
    week: WaitingWeek,
    entries: Iterable[TimeEntry],
    *,
    why_not_billed: str | None = None,
) -> Iterator[Event]:
    approved = TimeApproved(
        person=week.person,
        week=week.week,
        entries=tuple(_as_planned(state, each, why_not_billed is None) for each in entries),
        why_not_billed=why_not_billed,
    )
    yield approved
    yield _noted(approved, NoteDecision(approved=approved.entries))


def _as_planned(state: Engagement, entry: TimeEntry, is_billed: bool) -> ApprovedEntry:
    """Return the entry with kind of work and contract line of its task."""
    planned = state.planning.task(entry.task)
    usual: LineKind = "delivery"
    if planned is None and entry.task == "project-management":
        usual = "project-management"
    return ApprovedEntry(
        **{**dict(entry), "billable": entry.billable and is_billed},
        kind=planned.kind if planned else usual,
        line=planned.line if planned else None,
    )


@capability.decide(RejectTime, by=MANAGERS, many=True)
def reject_time(state: Engagement, command: RejectTime, context: Context) -> Iterable[Event]:
    """Reject the entries that are named, or all that wait for approval.

    Raises Refused where the caller worked or submitted them, or they do not wait for approval.
    """
    week = _deciding(state, command, context)
    entries = _named(week, command.entries)
    rejected = TimeRejected(
        person=week.person, week=week.week, entries=tuple(entries), why=command.why
    )
    yield rejected
    ids = tuple(each.entry for each in entries)
    yield _noted(rejected, NoteDecision(rejected=ids, why=command.why))


def _noted(decided: TimeApproved | TimeRejected, decision: NoteDecision) -> Requested:
    """Return the request that the timesheet notes a decision; each entry is decided once."""
    first = min(each.entry for each in decided.entries)
    return noting(sheet_of(decided), decision, id="time-decided", item=first)


@noting.outcome
def noted(state: Engagement, outcome: Outcome[NoteDecision], context: Context) -> Iterable[Event]:
    """Conclude nothing: the decision is recorded already."""
    return ()


def _deciding(state: Engagement, week: PersonWeek, context: Context) -> WaitingWeek:
    """Return the person's week that waits for the decision of another person.

    Raises Refused where none waits, or the caller worked or submitted it.
    """
    require_recordable(state)
    waiting = state.time.waiting.get(sheet_of(week))
    if waiting is None:
        sentence = f"no time of {week.person} in the week of {week.week} waits for approval"
        raise Refused("time-not-waiting", sentence)
    require_not_author(context, waiting.person, waiting.submitted_by, "time")
    return waiting


def _named(week: WaitingWeek, names: Collection[str]) -> list[TimeEntry]:
    """Return the entries of these ids, or all; raises Refused where one does not wait."""
    unknown = {*names} - {each.entry for each in week.entries}
    if unknown:
        listed = ", ".join(sorted(unknown))
        sentence = f"entries: no entry {listed} of {week.person} waits in the week of {week.week}"
        raise refused_field("time-not-waiting", "entries", sentence)
    return [each for each in week.entries if not names or each.entry in names]


# ---- view ------------------------------------------------------------------------------------


class EntryView(ViewModel):
    """A time entry that waits for approval, and what is missing before it can be billed.

    Without anything missing it waits for the engagement manager.
    """

    submitted: TimeEntry
    missing: tuple[Missing, ...]


class WaitingView(ViewModel):
    """The entries of a person's week that wait for approval, and their hours.

    `uncovered_hours` are those of entries for which something is missing. `beyond_weekly_hours` are
    the hours by which the whole week, over all engagements and internal codes, exceeds the person's
    weekly hours; null where it does not.
    """

    person: PersonId
    week: Week
    revision: Version
    hours: TotalHours
    uncovered_hours: TotalHours
    beyond_weekly_hours: TotalHours | None
    entries: tuple[EntryView, ...]


class TimeView(ViewModel):
    """Time that waits for approval, by person and week, and totals of approved hours.

    `waiting` has the weeks of people whose timesheets the reader may see; the totals are of all.
    `uncovered_by` are the waiting hours that something is missing for, by the code of what is
    missing. The share of project management in the approved hours is in percent.
    """

    waiting: tuple[WaitingView, ...]
    waiting_hours: TotalHours
    uncovered_hours: TotalHours
    uncovered_by: dict[str, TotalHours]
    approved_hours: TotalHours
    approved_by_kind: dict[LineKind, TotalHours]
    project_management_share: ComputedPercent | None


class TimeFields(ViewModel):
    """Time in the view of an engagement."""

    time: TimeView


@capability.view
def time_view(state: Engagement) -> TimeFields:
    """Return the time for the view of an engagement.

    Entries of all people use up the caps of early starts in the order of their days.
    """
    time = state.time
    missing = {entry.entry: missing for entry, missing in waiting_with_missing(state)}
    weeks = tuple(_week_view(week, missing) for week in time.waiting.values())
    by_code: dict[str, Decimal] = {}
    for each in (entry for week in weeks for entry in week.entries):
        for code in {one.code for one in each.missing}:
            by_code[code] = by_code.get(code, ZERO) + each.submitted.hours
    return TimeFields(
        time=TimeView(
            waiting=weeks,
            waiting_hours=sum((week.hours for week in weeks), ZERO),
            uncovered_hours=sum((week.uncovered_hours for week in weeks), ZERO),
            uncovered_by=dict(sorted(by_code.items())),
            approved_hours=time.approved_hours,
            approved_by_kind=time.by_kind,
            project_management_share=share(
                time.by_kind.get("project-management", ZERO), time.approved_hours
            ),
        )
    )


@capability.narrow("time")
def time_of_reader(view: TimeView, state: Engagement, context: Context) -> TimeView:
    """Return the time without the weeks of people whose timesheets the reader may not see."""
    seen = tuple(each for each in view.waiting if reads_week(each.person, context))
    return view.model_copy(update={"waiting": seen})


@capability.narrow("work")
def work_of_reader(
    items: tuple[WorkItem, ...], state: Engagement, context: Context
) -> tuple[WorkItem, ...]:
    """Return the work items without those about time of people whose weeks are not shown."""
    if reads_every_week(context):
        return items
    others = (each for each in items if each.kind not in work_items.KINDS)
    return (*others, *work_items.items(state, lambda person: reads_week(person, context)))


def _week_view(week: WaitingWeek, missing: Mapping[str, tuple[Missing, ...]]) -> WaitingView:
    entries = tuple(
        EntryView(submitted=each, missing=missing[each.entry]) for each in in_order(week.entries)
    )
    return WaitingView(
        person=week.person,
        week=week.week,
        revision=week.revision,
        hours=sum((each.submitted.hours for each in entries), ZERO),
        uncovered_hours=sum((each.submitted.hours for each in entries if each.missing), ZERO),
        beyond_weekly_hours=week.beyond_weekly_hours,
        entries=entries,
    )
