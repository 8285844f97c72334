"""Define the base of all reference records."""

from typing import ClassVar

from contracts.event import Event
from contracts.values import Day


class Reference(Event):
    """Base of reference records; `kind` is the kind of the record's stream, such as `account`."""

    kind: ClassVar[str] = ""
    effective_from: Day | None = None
    """First day on which this version is in force; null where it always was."""
