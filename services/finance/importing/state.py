"""State of the import: the opportunity that Sales imported, and the opening balances."""

from typing import Self

from chassis.domain.state import Kept, Part, on_event
from contracts.finance import EngagementImported, OpeningCostRecorded
from contracts.legal import EngagementImported as ContractImported
from contracts.sales import OpportunityImported, OpportunityImportUpdated


class Importing(Part):
    """The imported opportunity, Legal's contract, and the balances that were taken over for it."""

    opportunity: Kept[OpportunityImported] = None
    contract: Kept[ContractImported] = None
    taken_over: Kept[EngagementImported] = None
    cost: Kept[OpeningCostRecorded] = None

    @on_event
    def _updated(self, event: OpportunityImportUpdated) -> Self:
        return self.updated(opportunity=event.record) if event.applied else self
