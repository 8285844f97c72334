"""Name approved works in commands."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field, StringConstraints

from contracts.values import Identifier

MOST_WORKS = 500
"""Number of works that a command names, and a view lists, at most."""

WorkIds = Annotated[tuple[Identifier, ...], Field(max_length=MOST_WORKS)]
"""Ids of time entries, or of expenses; at most 500."""


WorkKey = Annotated[
    str, StringConstraints(pattern=r"^(time|expense):[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")
]
"""Key of a work: its kind, and the id of the time entry or of the expense."""


def keys_of(entries: Iterable[str], expenses: Iterable[str]) -> tuple[str, ...]:
    """Return the keys of works, each once, from the ids of time entries and of expenses."""
    times = (f"time:{each}" for each in entries)
    return tuple(dict.fromkeys((*times, *(f"expense:{each}" for each in expenses))))
