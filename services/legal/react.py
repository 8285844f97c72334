"""What Legal does by itself once it has heard what it needs, in whatever order it came."""

from collections.abc import Iterator

from chassis.domain.decider import Context
from contracts.event import Event
from contracts.legal import FileOpened
from legal.amendments import due
from legal.state import Engagement


def react(state: Engagement, context: Context) -> Iterator[Event]:
    """A won deal gets its file; an approved, assessed and priced change its amendment."""
    if state.terminated:
        return
    known = state.opportunity
    if state.won and state.file is None and known and known.account:
        yield FileOpened(account=known.account, title=known.title)
    for name, change in state.changes.items():
        yield from due(state, name, change)
