"""State of a person's record."""

from chassis.domain.state import Kept, Part
from contracts.reference import PersonPublished


class Person(Part):
    """A person: the newest published version of their record."""

    person: str
    published: Kept[PersonPublished] = None
