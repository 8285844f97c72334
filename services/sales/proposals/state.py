"""State of the proposals, of the estimates of Delivery and Finance, and of the won deal."""

from datetime import date
from typing import Annotated, Literal, Self

from chassis.domain.state import Keep, KeepDay, Kept, Part, on_event
from contracts.delivery import EstimateEndorsed, EstimateSubmitted
from contracts.event import Recorded
from contracts.finance import EstimatePriced, ProposalReviewed
from contracts.sales import (
    DealWon,
    ProposalDrafted,
    ProposalExceptionApproved,
    ProposalRevised,
    ProposalSubmitted,
)
from contracts.values import PersonId, Value


class Proposal(Value):
    """A version of the proposal: submitted to the customer, withdrawn, or neither."""

    drafted: ProposalDrafted
    author: PersonId
    """Person who drafted this version."""
    exceptions: tuple[ProposalExceptionApproved, ...] = ()
    submitted: ProposalSubmitted | None = None
    withdrawn: bool = False

    @property
    def version(self) -> int:
        """Return the version number, counted from 1."""
        return self.drafted.version

    @property
    def status(self) -> Literal["drafted", "submitted", "withdrawn"]:
        """Return the status: a withdrawn version may have been submitted before."""
        if self.withdrawn:
            return "withdrawn"
        return "submitted" if self.submitted else "drafted"


class Estimate(Value):
    """A version of the estimate, as far as Delivery and Finance have published it."""

    submitted: EstimateSubmitted | None = None
    endorsed_by: PersonId | None = None
    priced: EstimatePriced | None = None


class Proposals(Part):
    """All versions of the proposal and of the estimate, and the deal if it is won."""

    versions: tuple[Proposal, ...] = ()
    drafted_on: Annotated[dict[int, date], KeepDay((ProposalDrafted,), "version")] = {}
    estimates: dict[int, Estimate] = {}
    priced_on: Annotated[dict[int, date], KeepDay((EstimatePriced,), "estimate_version")] = {}
    reviews: Annotated[dict[int, ProposalReviewed], Keep(by="version")] = {}
    """The newest review of Finance by version of the proposal."""
    won: Kept[DealWon] = None

    @on_event
    def _drafted(self, recorded: Recorded[ProposalDrafted]) -> Self:
        drafted = Proposal(drafted=recorded.event, author=recorded.actor)
        return self.updated(versions=(*self.versions, drafted))

    @on_event
    def _exception_approved(self, event: ProposalExceptionApproved) -> Self:
        known = self.versions[event.version - 1].exceptions
        return self._with(event.version, exceptions=(*known, event))

    @on_event
    def _submitted(self, event: ProposalSubmitted) -> Self:
        return self._with(event.version, submitted=event)

    @on_event
    def _revised(self, event: ProposalRevised) -> Self:
        return self._with(event.version, withdrawn=True)

    @on_event
    def _estimate_submitted(self, event: EstimateSubmitted) -> Self:
        return self._with_estimate(event.version, submitted=event)

    @on_event
    def _estimate_endorsed(self, event: EstimateEndorsed) -> Self:
        return self._with_estimate(event.version, endorsed_by=event.manager)

    @on_event
    def _estimate_priced(self, event: EstimatePriced) -> Self:
        return self._with_estimate(event.estimate_version, priced=event)

    @property
    def current(self) -> Proposal | None:
        """Return the newest version of the proposal; None where it is withdrawn or none exists."""
        newest = self.versions[-1] if self.versions else None
        return None if newest is None or newest.status == "withdrawn" else newest

    def _with(self, version: int, **fields: object) -> Self:
        versions = tuple(
            proposal.model_copy(update=fields) if proposal.version == version else proposal
            for proposal in self.versions
        )
        return self.updated(versions=versions)

    def _with_estimate(self, version: int, **fields: object) -> Self:
        estimate = self.estimates.get(version, Estimate()).model_copy(update=fields)
        return self.updated(estimates={**self.estimates, version: estimate})
