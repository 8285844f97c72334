"""What an engagement waits for whose next event the gateway could not take in."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from chassis.domain.trouble import Head
from contracts.channels import CHANNELS


class Waits(BaseModel):
    """Why an engagement is not complete, and since when (UTC).

    ``parked``: something is wrong, and an operator must look at it. ``newer-version``: an event of
    a type that this version does not know waits until a newer version starts.
    """

    model_config = ConfigDict(frozen=True)

    state: Literal["parked", "newer-version"]
    since: datetime
    code: str
    channel: str | None
    why: str | None

    def seen(self, *, confidential: bool) -> "Waits":
        """Return it for a reader: of a confidential channel not everybody is told which event."""
        channel = CHANNELS.get(self.channel or "")
        if confidential or channel is None or not channel.confidential:
            return self
        return self.model_copy(update={"channel": None, "why": None})


def waits_for(head: Head | None) -> Waits | None:
    """Return what the first event that waits says of its engagement."""
    if head is None:
        return None
    return Waits(
        state="parked" if head.is_parked else "newer-version",
        since=head.since,
        code=head.code,
        channel=head.channel,
        why=head.sentence,
    )
