"""Name approved works in commands."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from contracts.values import Identifier

WorkIds = Annotated[tuple[Identifier, ...], Field(max_length=500)]
"""Ids of time entries, or of expenses; at most 500."""


def keys_of(entries: Iterable[str], expenses: Iterable[str]) -> tuple[str, ...]:
    """Return the keys of works, each once, from the ids of time entries and of expenses."""
    times = (f"time:{each}" for each in entries)
    return tuple(dict.fromkeys((*times, *(f"expense:{each}" for each in expenses))))
