"""State of the agreements."""

from chassis.domain.state import Kept, Part
from contracts.legal import MsaSigned, NdaSigned


class Agreements(Part):
    """The agreements in force: those that were recorded last."""

    nda: Kept[NdaSigned] = None
    msa: Kept[MsaSigned] = None
