"""Limits of what a person's list of streams contains, as a department decides them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Subjects:
    """The subjects of the rows of another listing, of a kind, that match filters."""

    kind: str
    filters: Mapping[str, Collection[str]]


Limits: TypeAlias = Mapping[str, Collection[str] | Subjects]
"""Values by field: the list of a person has the rows with one of the values in one of the fields.

Without fields it has all rows.
"""
