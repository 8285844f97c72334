"""State of an engagement in Sales: the parts of all capabilities."""

from datetime import date
from typing import Literal

from common.engagement import CommonParts
from contracts.sales import PipelineStage
from sales.contract.state import Contract
from sales.invoices.state import Invoices
from sales.opportunity.state import Opportunity
from sales.progress.state import Progress
from sales.proposals.state import Proposals

Stage = PipelineStage | Literal["won", "lost"]
"""Stage of the sale; terminated and closed engagements stay won."""


class Engagement(CommonParts):
    """An engagement in Sales."""

    opportunity: Opportunity = Opportunity()
    proposals: Proposals = Proposals()
    contract: Contract = Contract()
    progress: Progress = Progress()
    invoices: Invoices = Invoices()

    @property
    def stage(self) -> Stage:
        """Return the stage of the sale."""
        if self.opportunity.lost:
            return "lost"
        if self.proposals.won:
            return "won"
        return self.opportunity.imported_end or self.opportunity.pipeline_stage

    @property
    def promised_finish(self) -> date | None:
        """Return the last day promised to the customer, or None.

        It is that of the amendment signed last, else of the won deal, else of the current proposal.
        """
        agreed = self.contract.agreed_finish
        if agreed:
            return agreed
        if self.proposals.won:
            return self.proposals.won.finishes_on
        current = self.proposals.current
        return current.drafted.promised_finish if current else None
