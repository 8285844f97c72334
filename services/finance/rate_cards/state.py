"""State of a rate card."""

from chassis.domain.state import Kept, Part
from contracts.reference import RateCardPublished


class RateCard(Part):
    """A rate card: the newest published version of its record."""

    rate_card: str
    published: Kept[RateCardPublished] = None
