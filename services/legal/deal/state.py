"""State of the deal in Legal, from the events of Sales."""

from datetime import date
from typing import Self

from chassis.domain.state import Kept, Part, on_event
from contracts.sales import DealWon, ProposalDrafted, ProposalSubmitted


class Deal(Part):
    """The newest proposal, and the won deal with the default terms of the statement of work."""

    proposal: Kept[ProposalDrafted] = None
    submitted_on: date | None = None
    won: Kept[DealWon] = None

    @on_event
    def _drafted(self, event: ProposalDrafted) -> Self:
        return self.updated(submitted_on=None)

    @on_event
    def _submitted(self, event: ProposalSubmitted) -> Self:
        return self.updated(submitted_on=event.submitted_on)
