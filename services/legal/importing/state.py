"""State of the import: the opportunity that Sales imported, and the contract."""

from typing import Self

from chassis.domain.state import Kept, Part, on_event
from contracts.legal import EngagementImported
from contracts.sales import OpportunityImported, OpportunityImportUpdated


class Importing(Part):
    """The imported opportunity, and the contract that was taken over for it."""

    opportunity: Kept[OpportunityImported] = None
    taken_over: Kept[EngagementImported] = None

    @on_event
    def _updated(self, event: OpportunityImportUpdated) -> Self:
        return self.updated(opportunity=event.record) if event.applied else self
