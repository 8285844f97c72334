"""State of the file, and the opportunity of Sales that it is opened for."""

from typing import Annotated

from chassis.domain.state import Keep, Kept, Part
from contracts.legal import FileOpened
from contracts.sales import OpportunityImported, OpportunityOpened, OpportunityUpdated


class File(Part):
    """The file of the engagement; account and title of an opportunity are those of Sales."""

    opportunity: Annotated[
        OpportunityOpened | OpportunityUpdated | OpportunityImported | None, Keep()
    ] = None
    opened: Kept[FileOpened] = None
