"""State of the contract in Finance, from the events of Legal, and of Finance's reviews of it."""

from datetime import date
from typing import Annotated, Self

from chassis.domain.state import Keep, KeepDay, Kept, Part, on_event
from contracts.finance import AmendmentReviewed, SowReviewed
from contracts.legal import (
    AmendmentDrafted,
    EarlyStartAuthorised,
    EngagementTerminated,
    SowDrafted,
    SowSigned,
)


class Contract(Part):
    """Versions of the statement of work and last drafts of amendments, with their reviews.

    Also the signature, early starts and termination. `early_start_until` is the last day of all
    early starts.
    """

    sows: Annotated[dict[int, SowDrafted], Keep(by="version")] = {}
    drafted_on: Annotated[dict[int, date], KeepDay((SowDrafted,), "version")] = {}
    reviews: Annotated[dict[int, SowReviewed], Keep(by="version")] = {}
    signed: Kept[SowSigned] = None
    amendments: Annotated[dict[str, AmendmentDrafted], Keep(by="amendment")] = {}
    amendment_reviews: Annotated[dict[str, AmendmentReviewed], Keep(by="amendment")] = {}
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
    def terminated_on(self) -> date | None:
        """Return the day of the termination, or None."""
        return self.terminated.terminated_on if self.terminated else None
