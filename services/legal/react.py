"""React to events: open files and draft amendments, independent of the order of the events."""

from collections.abc import Iterator

from chassis.domain.context import Context
from contracts.event import Event
from contracts.legal import FileOpened
from legal.amendments import due
from legal.state import Engagement


def react(state: Engagement, context: Context) -> Iterator[Event]:
    """Open the file of a won deal, and draft the amendment of each change that is ready for it.

    A change is ready when it is assessed, priced and approved. Nothing follows after a termination.
    """
    if state.terminated:
        return
    known = state.opportunity
    if state.won and state.file is None and known and known.account:
        yield FileOpened(account=known.account, title=known.title)
    for name, change in state.changes.items():
        yield from due(state, name, change)
