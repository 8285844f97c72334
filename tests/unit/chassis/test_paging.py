"""Keys sort as their values do, and cursors belong to one listing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.application.read_models import Listing
from chassis.eventstore.paging import InvalidCursor, cursor_of, key_of, position_of


def test_none_sorts_first_then_booleans_numbers_and_texts() -> None:
    values = [None, False, True, -5, 0, 7, 40, "", "Anna", "bert", "Zoe"]
    keys = [key_of(value, "engagement:E-1") for value in values]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


@given(st.integers(-(10**17), 10**17), st.integers(-(10**17), 10**17))
def test_numbers_sort_as_numbers(one: int, other: int) -> None:
    assert (key_of(one, "s") < key_of(other, "s")) == (one < other)


def test_equal_values_sort_by_stream_and_a_longer_text_after_its_beginning() -> None:
    assert key_of("roof", "engagement:E-1") < key_of("Roof", "engagement:E-2")
    assert key_of("roof", "engagement:E-9") < key_of("roof tiles", "engagement:E-1")


@given(
    st.lists(
        st.tuples(st.sampled_from(["EUR", "JPY", None]), st.none() | st.integers(-9_999, 9_999)),
        max_size=6,
    )
)
def test_amounts_sort_within_their_currency(amounts: list[tuple[str | None, int | None]]) -> None:
    """100 EUR and 9,000 JPY are in no order, so rows of a currency stay together."""
    listing = Listing("deal", ("value", "currency"), lambda _: {}, {"value": "currency"})
    keys = [
        listing.keys({"value": value, "currency": currency}, f"deal:{number}")["value"]
        for number, (currency, value) in enumerate(amounts)
    ]
    expected = sorted(
        range(len(amounts)),
        key=lambda n: (amounts[n][0] or "", amounts[n][1] is not None, amounts[n][1] or 0, n),
    )
    assert sorted(range(len(amounts)), key=lambda number: keys[number]) == expected


def test_a_cursor_leads_back_to_its_key() -> None:
    cursor = cursor_of("3röf\x01s", "engagement", "title", descending=True)
    assert position_of(cursor, "engagement", "title", descending=True) == "3röf\x01s"


@pytest.mark.parametrize("cursor", ["", "x", "bm90IGpzb24", "W10", "WzEsMiwzLDRd", "ä", "[" * 9])
def test_any_other_text_is_refused_as_a_cursor(cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        position_of(cursor, "engagement", "title", descending=False)


def test_a_cursor_with_a_lone_surrogate_is_refused() -> None:
    cursor = cursor_of("3\ud800\x01s", "engagement", "title", descending=False)
    with pytest.raises(InvalidCursor):
        position_of(cursor, "engagement", "title", descending=False)


def test_a_cursor_of_another_listing_or_order_is_refused() -> None:
    cursor = cursor_of("3a\x01s", "engagement", "title", descending=False)
    for kind, sort, descending in (
        ("person", "title", False),
        ("engagement", "stage", False),
        ("engagement", "title", True),
    ):
        with pytest.raises(InvalidCursor):
            position_of(cursor, kind, sort, descending=descending)
