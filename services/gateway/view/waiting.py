"""Waiting engagements: those with an event that the gateway could not process."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from chassis.domain.trouble import Head
from contracts.channels import CHANNELS


class Waits(BaseModel):
    """The reason why an engagement waits, and since when (UTC).

    ``parked``: an event could not be processed, and an operator has to decide. ``newer-version``:
    the type of an event is unknown; it is processed when a newer version of the gateway starts.
    """

    model_config = ConfigDict(frozen=True)

    state: Literal["parked", "newer-version"]
    since: datetime
    code: str
    channel: str | None
    why: str | None

    def seen(self, *, confidential: bool) -> "Waits":
        """Return it for a reader, without channel and reason if those are confidential to them."""
        channel = CHANNELS.get(self.channel or "")
        if confidential or channel is None or not channel.confidential:
            return self
        return self.model_copy(update={"channel": None, "why": None})


def waits_for(head: Head | None) -> Waits | None:
    """Return why an engagement waits, from its first waiting event; None where none waits."""
    if head is None:
        return None
    return Waits(
        state="parked" if head.is_parked else "newer-version",
        since=head.since,
        code=head.code,
        channel=head.channel,
        why=head.sentence,
    )
