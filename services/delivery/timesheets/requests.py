"""Name what engagements request of timesheets: note what became of time entries."""

from chassis.domain.commands import Command
from contracts.delivery import ApprovedEntry
from contracts.values import ShortText
from delivery.time_entries.requests import EntryIds


class NoteDecision(Command):
    """Note which entries of the timesheet an engagement approved, and which it rejected and why."""

    approved: tuple[ApprovedEntry, ...] = ()
    rejected: EntryIds = ()
    why: ShortText | None = None
