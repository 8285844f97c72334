"""State of a timesheet: drafts, entries and what engagements answered, by line."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Self

from chassis.domain.pending import Refusal
from chassis.domain.state import Part, on_event
from contracts.event import Recorded
from contracts.values import Value
from delivery.quantities import ZERO
from delivery.timesheets.events import (
    DecisionNoted,
    DraftEntry,
    InternalTimeApproved,
    ReturnedEntry,
    ReversalBegun,
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


class Line(Value):
    """The entries of one engagement or internal code.

    `draft` is saved and not submitted. `returned` were rejected or reversed since the draft was
    saved. While the engagement has not answered a request, `is_pending` is true. `refusal` is its
    answer to the last one. `submitted_by` are the person who submitted and whom they acted for.
    `told` are the hours beyond the person's weekly hours that the engagement was told last.
    `submitted_on` is the day (UTC) of the last submission, `returned_on` that on which entries were
    last returned or the engagement refused them.
    """

    draft: tuple[DraftEntry, ...] = ()
    entries: dict[str, SheetEntry] = {}
    returned: tuple[ReturnedEntry, ...] = ()
    submitted_by: tuple[str, ...] = ()
    told: Decimal | None = None
    submitted_on: date | None = None
    returned_on: date | None = None
    is_pending: bool = False
    refusal: Refusal | None = None

    @property
    def is_empty(self) -> bool:
        """Return whether nothing is left of the line."""
        return not (self.draft or self.entries or self.returned or self.refusal)

    def of_status(self, *status: str) -> tuple[SheetEntry, ...]:
        """Return the entries of some status."""
        return tuple(each for each in self.entries.values() if each.status in status)

    def updated(self, **fields: object) -> "Line":
        """Return the line with some fields replaced."""
        return self.model_copy(update=fields)

    def without(self, entries: Iterable[str]) -> "Line":
        """Return the line without some entries."""
        gone = {*entries}
        return self.updated(
            entries={name: each for name, each in self.entries.items() if name not in gone}
        )

    def with_status(self, entries: Iterable[str], status: str) -> "Line":
        """Return the line with another status of some entries."""
        changed = {
            name: self.entries[name].model_copy(update={"status": status})
            for name in entries
            if name in self.entries
        }
        return self.updated(entries={**self.entries, **changed})

    def drafted_again(self, entries: Iterable[SheetEntry]) -> "Line":
        """Return the line without some entries, which are its draft if it has none."""
        entries = tuple(entries)
        draft = self.draft or tuple(as_draft(each) for each in entries)
        return self.without(each.entry for each in entries).updated(draft=draft)

    def returning(self, entries: Iterable[str], how: str, why: str, on: date) -> "Line":
        """Return the line with some entries returned to the person on a day."""
        found = [self.entries[name] for name in entries if name in self.entries]
        returned = tuple(
            ReturnedEntry.model_validate(
                {**dict(as_draft(each)), "entry": each.entry, "how": how, "why": why}
            )
            for each in found
        )
        left = self.without(each.entry for each in found)
        if not returned:
            return left
        return left.updated(returned=(*self.returned, *returned), returned_on=on)


class Timesheet(Part):
    """The week of a person: its lines by engagement or internal code.

    `revision` is that of the last submission, `asked` counts withdrawals, reversals and what the
    engagements were told of the length of the week.
    `weekly_hours` are those of the person's record at the last submission; None before.
    """

    timesheet: str
    revision: int = 0
    asked: int = 0
    weekly_hours: Decimal | None = None
    lines: dict[str, Line] = {}

    @property
    def person(self) -> str:
        """Return the id of the person."""
        return self.timesheet[:-11]

    @property
    def week(self) -> date:
        """Return the Monday of the week."""
        return date.fromisoformat(self.timesheet[-10:])

    def hours_by_day(self, *, drafted: bool) -> Mapping[date, Decimal]:
        """Return the hours by day as they would be after a submission or, not drafted, as they are.

        The draft of a line replaces its entries that wait.
        """
        totals: dict[date, Decimal] = {}
        for line in self.lines.values():
            for each in line_entries(line, drafted=drafted):
                totals[each.day] = totals.get(each.day, ZERO) + each.hours
        return dict(sorted(totals.items()))

    def beyond(self, weekly_hours: Decimal, *, drafted: bool) -> Decimal | None:
        """Return the hours of the week beyond some weekly hours; None where it is not longer."""
        beyond = sum(self.hours_by_day(drafted=drafted).values(), ZERO) - weekly_hours
        return beyond if beyond > 0 else None

    def line_of(self, entry: str) -> str | None:
        """Return the name of the line with an entry, or None."""
        return next((name for name, line in self.lines.items() if entry in line.entries), None)

    @on_event
    def _saved(self, event: TimesheetSaved) -> Self:
        return self._with(
            {
                each.name: self.line(each.name).updated(
                    draft=each.entries, returned=(), refusal=None
                )
                for each in event.lines
            }
        )

    @on_event
    def _submitted(self, recorded: Recorded[TimesheetSubmitted]) -> Self:
        event = recorded.event
        by = tuple(each for each in (recorded.actor, recorded.on_behalf_of) if each is not None)
        on = recorded.occurred_at.date()
        lines = {
            each.name: self._with_submitted(each, by, on).updated(told=event.beyond_weekly_hours)
            for each in event.lines
        }
        return self._with(lines).updated(revision=event.revision, weekly_hours=event.weekly_hours)

    def _with_submitted(self, submitted: SubmittedLine, by: tuple[str, ...], on: date) -> Line:
        line = self.line(submitted.name).updated(
            draft=(), refusal=None, submitted_by=by, submitted_on=on
        )
        new = {each.entry: each for each in submitted.entries}
        if not is_engagement(submitted.name):
            line = line.without(submitted.replaces)
        return line.updated(
            entries={**line.entries, **new}, is_pending=is_engagement(submitted.name)
        )

    @on_event
    def _taken(self, event: TimeTaken) -> Self:
        line = self.line(event.engagement).without(event.replaced)
        taken = {
            each.entry: line.entries[each.entry].model_copy(
                update={"status": "waiting", "role": each.role}
            )
            for each in event.entries
            # An entry may have been decided before the answer that it was taken is recorded.
            if each.entry in line.entries and line.entries[each.entry].status == "requested"
        }
        after = line.updated(entries={**line.entries, **taken}, is_pending=False)
        return self._with({event.engagement: after})

    @on_event
    def _refused(self, recorded: Recorded[TimesheetRefused]) -> Self:
        event, on = recorded.event, recorded.occurred_at.date()
        line = self.line(event.engagement)
        kept = line.with_status((each.entry for each in line.of_status("reversing")), "approved")
        after = kept.drafted_again(line.of_status("requested"))
        return self._with(
            {
                event.engagement: after.updated(
                    is_pending=False, refusal=event.refusal, returned_on=on
                )
            }
        )

    @on_event
    def _telling(self, event: WeekTold) -> Self:
        lines = {
            name: self.line(name).updated(told=event.beyond_weekly_hours, is_pending=True)
            for name in event.engagements
        }
        return self._with(lines).updated(asked=event.number)

    @on_event
    def _week_noted(self, event: WeekNoted) -> Self:
        return self._with({event.engagement: self.line(event.engagement).updated(is_pending=False)})

    @on_event
    def _withdrawing(self, event: WithdrawalBegun) -> Self:
        lines = {
            name: self.line(name).updated(is_pending=True, refusal=None)
            if is_engagement(name)
            else self.line(name).drafted_again(self.line(name).of_status("waiting"))
            for name in event.lines
        }
        return self._with(lines).updated(asked=event.number)

    @on_event
    def _given_back(self, event: TimeGivenBack) -> Self:
        line = self.line(event.name)
        given = [line.entries[each] for each in event.entries if each in line.entries]
        return self._with({event.name: line.drafted_again(given).updated(is_pending=False)})

    @on_event
    def _noted(self, recorded: Recorded[DecisionNoted]) -> Self:
        event, on = recorded.event, recorded.occurred_at.date()
        approved = {each.entry: each for each in event.approved}

        def noted(line: Line) -> Line:
            entries = {
                name: each.model_copy(
                    update={
                        "status": "approved",
                        "role": approved[name].role,
                        "billable": approved[name].billable,
                        "kind": approved[name].kind,
                        "line": approved[name].line,
                    }
                )
                if name in approved
                else each
                for name, each in line.entries.items()
            }
            return line.updated(entries=entries).returning(
                event.rejected, "rejected", event.why or "", on
            )

        return self._each_line(noted)

    @on_event
    def _internal_approved(self, event: InternalTimeApproved) -> Self:
        return self._each_line(lambda line: line.with_status(event.entries, "approved"))

    @on_event
    def _reversing(self, event: ReversalBegun) -> Self:
        def reversing(line: Line) -> Line:
            found = [each for each in event.entries if each in line.entries]
            return line.with_status(found, "reversing").updated(
                is_pending=line.is_pending or bool(found),
                refusal=None if found else line.refusal,
            )

        return self._each_line(reversing).updated(asked=event.number)

    @on_event
    def _reopened(self, recorded: Recorded[TimeReopened]) -> Self:
        event, on = recorded.event, recorded.occurred_at.date()

        def reopened(line: Line) -> Line:
            found = [each for each in event.entries if each in line.entries]
            if not found:
                return line
            return line.returning(found, "reversed", event.why, on).updated(is_pending=False)

        return self._each_line(reopened)

    def line(self, name: str) -> Line:
        """Return a line, an empty one if the sheet has none of this name."""
        return self.lines.get(name, _EMPTY)

    def _each_line(self, change: Callable[[Line], Line]) -> Self:
        return self._with({name: change(line) for name, line in self.lines.items()})

    def _with(self, lines: Mapping[str, Line]) -> Self:
        after = {**self.lines, **lines}
        return self.updated(lines={name: line for name, line in after.items() if not line.is_empty})


_EMPTY = Line()


def is_engagement(name: str) -> bool:
    """Return whether a line is that of an engagement, not of an internal code."""
    return name.startswith("E-")


def as_draft(entry: DraftEntry) -> DraftEntry:
    """Return an entry as it was saved."""
    return DraftEntry(**{name: getattr(entry, name) for name in DraftEntry.model_fields})


def line_entries(line: Line, *, drafted: bool) -> Iterator[DraftEntry]:
    """Yield the entries of a line; with `drafted`, its draft in place of those that wait."""
    replaced = drafted and bool(line.draft)
    if replaced:
        yield from line.draft
    yield from (
        each for each in line.entries.values() if not (replaced and each.status == "waiting")
    )
