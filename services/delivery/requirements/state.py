"""State of the business requirements document."""

from datetime import date
from typing import Annotated

from chassis.domain.state import Keep, KeepDay, Kept, Part
from contracts.delivery import BrdSignedOff, BrdSubmitted


class Requirements(Part):
    """The newest version of the requirements, and the sign-offs by version."""

    submitted: Kept[BrdSubmitted] = None
    submitted_on: Annotated[date | None, KeepDay((BrdSubmitted,))] = None
    signed_off: Annotated[dict[int, BrdSignedOff], Keep("version")] = {}
