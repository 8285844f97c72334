"""State of the disconnects, from the events of the gateway."""

from typing import Self

from chassis.domain.state import Part, on_event
from contracts.gateway import Disconnect, DisconnectEvent, open_disconnects


class Disconnects(Part):
    """The open disconnects by id."""

    open: dict[str, Disconnect] = {}

    @on_event
    def _changed(self, event: DisconnectEvent) -> Self:
        return self.updated(open=open_disconnects(self.open, event))
