"""State of an engagement in Legal: the parts of all capabilities."""

from typing import Literal

from common.engagement import CommonParts
from contracts.sales import OpportunityDetails
from legal.amendments.state import Amendments
from legal.deal.state import Deal
from legal.early_starts.state import EarlyStarts
from legal.ending.state import Ending
from legal.file.state import File
from legal.importing.state import Importing
from legal.obligations.state import Obligations
from legal.receivables.state import Receivables
from legal.sows.state import Contract, Sows

Stage = Literal[
    "unfiled",
    "filed",
    "drafting",
    "reviewing",
    "approved",
    "sent",
    "signed",
    "terminated",
    "lost",
    "closed",
]
"""Stage of the contract documents.

`drafting` waits for Legal: the latest version was objected to, or a redline is open or accepted.
`reviewing` waits for the approvals of the latest version.
"""


class Engagement(CommonParts):
    """An engagement in Legal."""

    file: File = File()
    deal: Deal = Deal()
    sows: Sows = Sows()
    early_starts: EarlyStarts = EarlyStarts()
    amendments: Amendments = Amendments()
    obligations: Obligations = Obligations()
    receivables: Receivables = Receivables()
    ending: Ending = Ending()
    importing: Importing = Importing()

    @property
    def contract(self) -> Contract | None:
        """Return the agreed terms, or None before the statement of work is signed."""
        return self.sows.contract

    @property
    def currency(self) -> str | None:
        """Return the currency of all amounts of this engagement; None while no amount is known."""
        if self.deal.won:
            return self.deal.won.price.currency
        opportunity = self.file.opportunity
        if isinstance(opportunity, OpportunityDetails):
            return opportunity.expected_value.currency
        return opportunity.value.currency if opportunity and opportunity.value else None

    @property
    def stage(self) -> Stage:
        """Return the stage of the contract documents."""
        if self.ending.terminated:
            return "terminated"
        if self.ending.lost:
            return "lost"
        if self.ending.closed:
            return "closed"
        if self.contract or self.importing.taken_over:
            return "signed"
        sow = self.sows.latest
        if sow is None:
            return "filed" if self.file.opened else "unfiled"
        if sow.sent:
            return "sent"
        if sow.approved_on:
            return "approved"
        objected = any(review.verdict == "objected" for review in sow.reviews.values())
        return "drafting" if objected or self.sows.redlined else "reviewing"
