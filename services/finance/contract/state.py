"""State of the contract in Finance, from the events of Legal, and of Finance's reviews of it."""

from datetime import date
from typing import Annotated, Self

from chassis.domain.state import Keep, Kept, Part, on_event
from contracts.finance import SowReviewed
from contracts.legal import EarlyStartAuthorised, EngagementTerminated, SowDrafted, SowSigned


class Contract(Part):
    """Versions of the statement of work with their reviews, signature, early starts, termination.

    `early_start_until` is the last day of all early starts.
    """

    sows: Annotated[dict[int, SowDrafted], Keep(by="version")] = {}
    reviews: Annotated[dict[int, SowReviewed], Keep(by="version")] = {}
    signed: Kept[SowSigned] = None
    early_start_until: date | None = None
    terminated: Kept[EngagementTerminated] = None

    @on_event
    def _early_start(self, event: EarlyStartAuthorised) -> Self:
        until = max(self.early_start_until or date.min, event.expires_on)
        return self.updated(early_start_until=until)

    @property
    def sow(self) -> SowDrafted | None:
        """Return the statement of work that both parties signed; None while it is unknown."""
        return self.sows.get(self.signed.version) if self.signed else None

    @property
    def signed_on(self) -> date | None:
        """Return the day of the signature, or None."""
        return self.signed.signed_on if self.signed else None

    @property
    def hourly(self) -> bool:
        """Return whether the signed contract is by time and materials."""
        return self.sow is not None and self.sow.pricing == "time-and-materials"

    @property
    def terminated_on(self) -> date | None:
        """Return the day of the termination, or None."""
        return self.terminated.terminated_on if self.terminated else None
