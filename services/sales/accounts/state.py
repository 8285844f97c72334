"""State of an account."""

from chassis.domain.state import Kept, Part
from contracts.reference import AccountPublished


class Account(Part):
    """An account: the newest published version of its record."""

    account: str
    published: Kept[AccountPublished] = None
