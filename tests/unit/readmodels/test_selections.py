"""Pages, totals, sums and limits of a list are those that Python computes from its rows."""

import random
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.domain.list_kinds import RANGED, KeysOf, Limits
from chassis.readmodels.cursors import Cursors
from chassis.readmodels.encodings import folded
from chassis.readmodels.query import (
    AnyOf,
    Contains,
    Empty,
    Filter,
    InvalidQuery,
    Order,
    Query,
    Range,
    SumOf,
    orders,
)
from chassis.readmodels.selections import Place
from chassis.readmodels.tables import Removal
from contracts.money import Money
from tests.unit.readmodels.samples import (
    COLUMNS,
    KIND,
    VALUES,
    Asked,
    Sample,
    in_order,
    lists_of_rows,
    quick,
    sample,
    seeds,
    total,
)

by_key = (Order("key", descending=False),)
sorts = st.lists(
    st.builds(Order, st.sampled_from(COLUMNS), st.booleans()),
    min_size=1,
    max_size=3,
    unique_by=lambda order: order.column,
).map(tuple)


@pytest.mark.parametrize("column", COLUMNS)
@quick
@given(found=lists_of_rows, descending=st.booleans(), limit=st.integers(1, 7))
def test_rows_come_in_the_order_of_their_values(
    column: str, found: list[Sample], descending: bool, limit: int
):
    sort = (Order(column, descending),)
    assert Asked(found).keys(Query(sort=sort, limit=limit)) == in_order(found, sort)


@quick
@given(found=lists_of_rows, sort=sorts, limit=st.integers(1, 7))
def test_rows_are_sorted_by_several_columns(
    found: list[Sample], sort: tuple[Order, ...], limit: int
):
    assert Asked(found).keys(Query(sort=sort, limit=limit)) == in_order(found, sort)


@pytest.mark.parametrize("usual", ["-title", "key", "at"])
@quick
@given(found=lists_of_rows, limit=st.integers(1, 7))
def test_rows_are_sorted_in_the_usual_order_of_their_list(
    usual: str, found: list[Sample], limit: int
):
    asked = Asked(found, replace(KIND, sort=(usual,)))
    for sort in (orders([usual]), orders([usual.removeprefix("-")]), orders([usual, "tier"])):
        assert asked.keys(Query(sort=sort, limit=limit, total=True)) == in_order(found, sort)


def test_texts_are_sorted_without_case_and_accents():
    names = ["zoo", "Äpfel", "apfel", "Zebra", "ärzte", "Arzt", "straße", "STRASSE"]
    asked = Asked(sample(f"K-{n}", title=name) for n, name in enumerate(names))
    answer = asked.answer(Query(sort=(Order("title", descending=False),)))
    assert [row.title for row in answer.rows] == [
        "apfel",
        "Äpfel",
        "Arzt",
        "ärzte",
        "STRASSE",
        "straße",
        "Zebra",
        "zoo",
    ]


def test_pages_contain_all_rows_with_long_texts_that_begin_alike():
    begin = "ﷺ" * 200
    asked = Asked(sample(f"K-{n}", note=f"{begin}{9 - n}") for n in range(9))
    sort = orders(["-note"])
    assert asked.keys(Query(sort=sort, limit=2)) == [f"K-{n}" for n in range(9)]
    place = asked.answer(Query(sort=sort, limit=2)).next
    assert place is not None
    query = Query(sort=sort)
    cursors = Cursors(b"key")
    cursor = cursors.seal(place, KIND, query, "bob")
    assert cursors.open(KIND, replace(query, cursor=cursor), "bob") == place


def test_words_of_an_enum_are_sorted_in_their_order():
    asked = Asked(
        sample(f"K-{n}", tier=tier) for n, tier in enumerate(["critical", "light", "standard"])
    )
    answer = asked.answer(Query(sort=(Order("tier", descending=True),)))
    assert [row.tier for row in answer.rows] == ["critical", "standard", "light"]


@quick
@given(found=lists_of_rows)
def test_rows_are_returned_as_they_were_given(found: list[Sample]):
    answer = Asked(found).answer(Query(sort=by_key, limit=100))
    assert answer.rows == sorted(found, key=lambda row: row.key)


# ---- filters -----------------------------------------------------------------------------------


def matches(row: Sample, wanted: Filter) -> bool:
    """Tell whether a row matches a filter, by the values of Python."""
    value = getattr(row, wanted.column)
    match wanted:
        case Empty(empty=empty):
            return (value is None) is empty
        case _ if value is None:
            return False
        case AnyOf(values=values):
            return value in values
        case Contains(text=text):
            return folded(text) in folded(value)
        case Range(column=column, low=low, high=high):
            return all(
                _within(column, value, each, sign)
                for each, sign in ((low, 1), (high, -1))
                if each is not None
            )


def _within(column: str, value: Any, bound: Any, sign: int) -> bool:
    if isinstance(value, Money) or column == "rate":
        same = value.currency == bound.currency
        return bool(same and (value.amount - bound.amount) * sign >= 0)
    return bool(value >= bound if sign > 0 else value <= bound)


def random_filter(column: str, chance: random.Random) -> Filter:
    kind, value = KIND.columns[column].type, VALUES[column]
    possible: list[Filter] = [
        AnyOf(column, tuple(value(chance) for _ in range(chance.randint(1, 3)))),
        Empty(column, chance.random() < 0.5),
    ]
    if kind in RANGED:
        bounds = [value(chance), chance.choice([None, value(chance)])]
        possible += [Range(column, *bounds), Range(column, *reversed(bounds))] * 2
    if kind == "text":
        possible += [Contains(column, value(chance)[:2])] * 2
    return chance.choice(possible)


@pytest.mark.parametrize("column", COLUMNS)
@quick
@given(seed=seeds, found=lists_of_rows)
def test_a_filter_selects_what_the_same_filter_selects_in_python(
    column: str, seed: int, found: list[Sample]
):
    wanted = random_filter(column, random.Random(seed))
    keys = Asked(found).keys(Query(filters=(wanted,), sort=by_key, total=True, limit=5))
    assert keys == sorted(row.key for row in found if matches(row, wanted))


@quick
@given(seed=seeds, found=lists_of_rows)
def test_all_filters_hold_at_once(seed: int, found: list[Sample]):
    chance = random.Random(seed)
    wanted = [random_filter(column, chance) for column in ("value", "title")]
    keys = Asked(found).keys(Query(filters=tuple(wanted), sort=by_key, total=True))
    assert keys == sorted(row.key for row in found if all(matches(row, each) for each in wanted))


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("arzte", ["K-1", "K-2"]),
        ("ÄRZ", ["K-1", "K-2"]),
        ("migration arz", ["K-1"]),
        ("igration", []),
        ("K-2", ["K-2"]),
        ('mig "', ["K-1", "K-3"]),
        ('mig" OR arz*', []),
        ("title:cloud", []),
        ("strasse", ["K-3"]),
    ],
)
def test_a_search_finds_rows_in_which_each_word_begins_a_word(search: str, found: list[str]):
    asked = Asked(
        [
            sample("K-1", title="Migration", note="für Ärzte"),
            sample("K-2", title="Ärzte", note="Cloud"),
            sample("K-3", title="Mig Straße"),
        ]
    )
    assert asked.keys(Query(search=search, sort=by_key, total=True)) == found


# ---- sums --------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", [None, "title", "manager", "due", "month", "urgent", "kind"])
@quick
@given(found=lists_of_rows)
def test_sums_are_exact(by: str | None, found: list[Sample]):
    asked = Asked(found)
    for column in ("hours", "count"):
        groups: dict[Any, Decimal] = defaultdict(Decimal)
        for row in found:
            if getattr(row, column) is not None:
                groups[by and getattr(row, by)] += getattr(row, column)
        answer = asked.answer(Query(sort=by_key, sum_of=SumOf(column, by)))
        assert answer.sums is not None
        assert {each.group: each.sum for each in answer.sums if each.sum or by} == {
            group: each for group, each in groups.items() if each or by
        }


@quick
@given(found=lists_of_rows)
def test_amounts_are_summed_within_their_currency(found: list[Sample]):
    sums: dict[tuple[str | None, str], Decimal] = defaultdict(Decimal)
    for row in found:
        if row.value is not None:
            sums[row.manager, row.value.currency] += row.value.amount
    answer = Asked(found).answer(Query(sort=by_key, sum_of=SumOf("value", "manager")))
    got = [(each.group, each.sum) for each in answer.sums or []]
    assert {
        (group, each.currency): each.amount for group, each in got if isinstance(each, Money)
    } == sums
    assert [group for group, _ in got] == sorted(
        (group for group, _ in got), key=lambda group: (group is None, str(group))
    )


def test_a_sum_beyond_64_bits_is_exact():
    largest = Decimal("999999999999999.9999")
    asked = Asked(sample(f"K-{n}", hours=largest * 1000) for n in range(200))
    answer = asked.answer(Query(sort=by_key, sum_of=SumOf("hours", None)))
    assert [each.sum for each in answer.sums or []] == [largest * 200_000]


def test_sums_by_more_values_than_an_answer_has_are_refused():
    asked = Asked(sample(f"K-{n}", title=f"Title {n}", count=1) for n in range(1001))
    with pytest.raises(InvalidQuery, match="by: has more than 1,000 values"):
        asked.answer(Query(sort=by_key, sum_of=SumOf("count", "title")))


# ---- limits of a reader ------------------------------------------------------------------------

LIMITS: Limits = {"manager": ["bob"], "account": ["Zeta"]}


@quick
@given(found=lists_of_rows)
def test_a_reader_gets_sums_totals_and_finds_only_within_their_limits(found: list[Sample]):
    asked = Asked(found)
    seen = [row for row in found if row.manager == "bob" or row.account == "Zeta"]
    query = Query(sort=by_key, total=True, sum_of=SumOf("hours", None), limit=4)
    assert asked.keys(query, LIMITS) == sorted(row.key for row in seen)
    (only,) = asked.answer(query, LIMITS).sums or []
    assert only.sum == total(row.hours for row in seen if row.hours is not None)
    searched = Query(search="k", sort=by_key, total=True)
    assert asked.keys(searched, LIMITS) == sorted(row.key for row in seen)


def test_a_reader_without_any_limit_sees_all_and_with_an_empty_one_nothing():
    asked = Asked([sample("K-1"), sample("K-2")])
    query = Query(sort=by_key, total=True)
    assert asked.keys(query, None) == ["K-1", "K-2"]
    assert asked.keys(query, {}) == []
    assert asked.keys(query, {"manager": []}) == []


def test_limits_may_be_the_keys_of_another_list():
    asked = Asked(
        [
            sample("E-1", manager="bob", account="x"),
            sample("E-2", manager="ann.archer", account="E-1"),
            sample("E-3", manager="ann.archer", account="E-2"),
        ]
    )
    limits: Limits = {"account": KeysOf("samples", {"manager": ["bob"]})}
    assert asked.keys(Query(sort=by_key, total=True), limits) == ["E-2"]


# ---- pages under change ------------------------------------------------------------------------


@quick
@given(
    found=lists_of_rows,
    later=lists_of_rows,
    sort=sorts,
    limit=st.integers(1, 5),
    seed=seeds,
)
def test_pages_under_change_contain_each_row_that_does_not_move(
    found: list[Sample], later: list[Sample], sort: tuple[Order, ...], limit: int, seed: int
):
    asked, chance = Asked(found), random.Random(seed)
    untouched = {row.key for row in found} - {row.key for row in later}
    changes = [*later]
    pages: list[Sample] = []
    after: Place | None = None
    number = 1
    while True:
        answer = asked.answer(Query(sort=sort, limit=limit), after=after)
        pages += answer.rows
        after = answer.next
        if after is None:
            break
        for _ in range(chance.randint(0, 2)):
            if changes:
                number += 1
                row = changes.pop()
                if chance.random() < 0.3:
                    asked.table.write(asked.database, [Removal(row.key, number)])
                else:
                    asked.put(row, number=number)
    seen = [row.key for row in pages if row.key in untouched]
    assert seen == [key for key in in_order(found, sort) if key in untouched]
