"""Name what engagements request of workloads: note an allocation of the person."""

from chassis.domain.commands import Command
from contracts.values import EngagementId, Identifier, Version
from delivery.workloads.events import Allocated


class NoteAllocation(Command):
    """Note what a person is allocated for now; null where nothing is left after a release.

    `number` grows with every change of the engagement's allocations: a lower one is older.
    """

    engagement: EngagementId
    request: Identifier
    number: Version
    allocated: Allocated | None
