"""Name what workloads request of engagements: note whether a person is allocated beyond hours."""

from chassis.domain.commands import Command
from contracts.delivery import BeyondHours
from contracts.values import PersonId, Version


class NoteWorkload(Command):
    """Note whether a person is allocated, over all engagements, beyond the hours they have."""

    person: PersonId
    revision: Version
    beyond: BeyondHours | None
