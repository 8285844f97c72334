"""Check that approved time entries and expenses leave the state of their engagement."""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from contracts.delivery import (
    ApprovedEntry,
    Expense,
    ExpenseApproved,
    ExpenseSubmitted,
    TimeApproved,
    TimeEntry,
    TimeSubmitted,
)
from contracts.event import Event
from testkit.matchers import START, recorded_as
from tests.amounts import eur
from tests.unit.delivery.builders import ID, WEEK, released

A_WEEK = 200
FEW, MANY = 100, 20_000
DIGITS = 10
"""Bytes by which the totals of many may be longer."""


def size(events: Iterable[Event]) -> int:
    """Return the bytes of the state after events."""
    state = released().state
    for number, event in enumerate(events):
        state = state.after(recorded_as(event, ID, number, "mara", START, {}))
    return len(state.model_dump_json())


def entries(number: int) -> Iterator[Event]:
    """Yield the events of a number of approved entries, in weeks of 200."""
    for first in range(0, number, A_WEEK):
        monday = WEEK + timedelta(weeks=first // A_WEEK)
        some = [
            TimeEntry(
                entry=f"T-{each}",
                day=monday,
                task="t1",
                role="architect",
                hours=Decimal("0.25"),
            )
            for each in range(first, min(first + A_WEEK, number))
        ]
        week = {"person": "dev", "week": monday}
        yield TimeSubmitted.model_validate({**week, "revision": 1, "entries": some})
        approved = [ApprovedEntry(**dict(each), kind="delivery") for each in some]
        yield TimeApproved.model_validate({**week, "entries": approved})


def expenses(number: int) -> Iterator[Event]:
    """Yield the events of a number of approved expenses."""
    for each in range(number):
        spent = Expense(
            expense=f"X-{each:05}",
            person="dev",
            amount=eur("12.50"),
            description="Train",
            category="travel",
            spent_on=WEEK,
        )
        yield ExpenseSubmitted(**dict(spent))
        yield ExpenseApproved(**dict(spent))


@pytest.mark.parametrize("approved", [entries, expenses])
def test_the_state_is_the_same_after_100_and_20_000(
    approved: Callable[[int], Iterable[Event]],
) -> None:
    assert abs(size(approved(MANY)) - size(approved(FEW))) <= DIGITS
