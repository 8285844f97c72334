"""Test counts with their nouns."""

from decimal import Decimal

import pytest

from contracts.counting import counted, of_number


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 days"),
        (1, "1 day"),
        (-1, "-1 day"),
        (Decimal("1.0"), "1.0 day"),
        (Decimal("1.5"), "1.5 days"),
        (1_000, "1,000 days"),
    ],
)
def test_a_noun_is_singular_for_one(count: int | Decimal, text: str) -> None:
    assert counted(count, "day") == text


def test_an_irregular_plural_and_a_verb_are_given() -> None:
    assert counted(2, "entry waits", "entries wait") == "2 entries wait"
    assert [of_number(number, "is", "are") for number in (1, 2)] == ["is", "are"]
