"""State of the business requirements document."""

from typing import Annotated

from chassis.domain.state import Keep, Kept, Part
from contracts.delivery import BrdSignedOff, BrdSubmitted


class Requirements(Part):
    """The newest version of the requirements, and the sign-offs by version."""

    submitted: Kept[BrdSubmitted] = None
    signed_off: Annotated[dict[int, BrdSignedOff], Keep("version")] = {}
