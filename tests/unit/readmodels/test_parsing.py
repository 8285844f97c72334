"""The query of a URL is read as what it means, and refused by parameter where it means nothing."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.domain.list_kinds import SEARCHED, ListKind, ListRow
from chassis.readmodels.parsing import parse_query
from chassis.readmodels.query import (
    AnyOf,
    Contains,
    Empty,
    Filter,
    InvalidQuery,
    Order,
    Query,
    QueryError,
    Range,
    SumOf,
)
from contracts.money import Money
from contracts.values import Identifier, ShortText
from tests.unit.readmodels.samples import KIND, quick

EUR = Money(amount=Decimal(1000), currency="EUR")


@pytest.mark.parametrize(
    ("parameters", "wanted"),
    [
        ([("tier", "light"), ("tier", "critical")], AnyOf("tier", ("light", "critical"))),
        ([("title", "Straße = 1")], AnyOf("title", ("Straße = 1",))),
        ([("urgent", "false")], AnyOf("urgent", (False,))),
        ([("manager", "ann.archer")], AnyOf("manager", ("ann.archer",))),
        ([("count", "-12")], AnyOf("count", (-12,))),
        ([("value", "1000.00 EUR")], AnyOf("value", (EUR,))),
        ([("due.from", "2026-03-02")], Range("due", date(2026, 3, 2), None)),
        ([("month.to", "2026-03")], Range("month", None, "2026-03")),
        (
            [("at.from", "2026-03-02T09:30:00+01:00")],
            Range("at", datetime(2026, 3, 2, 8, 30, tzinfo=UTC), None),
        ),
        (
            [("hours.from", "-1.5"), ("hours.to", "2")],
            Range("hours", Decimal("-1.5"), Decimal(2)),
        ),
        ([("value.from", "1000 EUR"), ("value.to", "1000 EUR")], Range("value", EUR, EUR)),
        ([("note.contains", "ärz")], Contains("note", "ärz")),
        ([("note.empty", "true")], Empty("note", empty=True)),
    ],
)
def test_a_filter_is_read_as_a_value_of_its_column(
    parameters: list[tuple[str, str]], wanted: Filter
):
    assert parse_query(KIND, parameters).filters == (wanted,)


def test_what_is_not_asked_has_its_usual_value():
    assert parse_query(KIND, []) == Query(sort=(Order("key", descending=False),))


def test_sort_search_page_and_sums_are_read():
    asked = "sort=-value,title q=a+b limit=7 cursor=xyz total=true sum=hours by=tier"
    parameters = [*(each.split("=") for each in asked.split()), ["expand", "manager,account"]]
    assert parse_query(KIND, [(name, value) for name, value in parameters]) == Query(
        sort=(Order("value", descending=True), Order("title", descending=False)),
        search="a+b",
        limit=7,
        cursor="xyz",
        total=True,
        sum_of=SumOf("hours", "tier"),
        expand=("manager", "account"),
    )


@pytest.mark.parametrize(
    ("parameters", "field", "sentence"),
    [
        ("titel=x", "titel", "is no parameter of this list; fields: key, title, note"),
        ("urgent.from=true", "urgent.from", "is no filter of this field; possible: urgent, "),
        ("title.from=a", "title.from", "possible: title, title.contains$"),
        ("title.empty=true", "title.empty", "is no filter of this field"),
        ("tier.contains=l", "tier.contains", "possible: tier, tier.empty$"),
        ("tier=heavy", "tier", "must be one of light, standard, critical"),
        ("kind=travel", "kind", "must be one of delivery, project-management"),
        ("urgent=1", "urgent", "must be true or false"),
        ("note.empty=yes", "note.empty", "must be true or false"),
        ("manager=ann archer", "manager", "must be the id of a person"),
        ("due=2026-02-30", "due", "must be a day that exists"),
        ("due=20260302", "due", "must be a day that exists"),
        ("due=1969-12-31", "due", "must be a day from 1970-01-01"),
        ("month=2026-13", "month", "must be a month"),
        ("at=2026-03-02T09:30:00", "at", "must be a moment with its time zone"),
        ("at=1700000000", "at", "must be a moment with its time zone"),
        ("count=1.5", "count", "must be a whole number"),
        ("count=9223372036854775808", "count", "must be a whole number"),
        ("hours=1e5", "hours", "without spaces, a plus sign or an exponent"),
        ("hours=NaN", "hours", "must be written with the digits"),
        ("value=1000", "value", "must be an amount and its currency, such as 1000.00 EUR"),
        ("value.from=1000", "value.from", "must be an amount and its currency"),
        ("value=10.005 EUR", "value", "must have 2 decimals at most in EUR"),
        ("value=10 XXY", "value", "not an ISO 4217 currency code"),
        ("value.from=1 EUR&value.to=2 USD", "value.to", "must be in EUR"),
        ("value.from=2 EUR&value.to=1 EUR", "value.to", "must not be less than value.from"),
        ("due.from=2026-03-02&due.to=2026-03-01", "due.to", "must not be less than due.from"),
        ("due.from=2026-03-02&due.from=2026-03-03", "due.from", "is given more than once"),
        ("note.contains=", "note.contains", "must not be empty"),
        ("note.empty=true&note=x", "note.empty", "contradicts the other filters of note"),
        ("sort=titel", "sort", "must be one of key, title, note"),
        ("sort=title,-title", "sort", "names a field twice"),
        ("sort=title&sort=note", "sort", "is given more than once"),
        ("sort=key,title,note,due,at,tier", "sort", "names more than 5 fields"),
        ("limit=0", "limit", "from 1 to 200"),
        ("limit=²", "limit", "from 1 to 200"),
        ("total=yes", "total", "must be true or false"),
        ("q=" + "x" * 201, "q", "has more than 200 characters"),
        ("q=---", "q", "must contain a letter or a digit"),
        ("q=a\x00", "q", "must not contain control characters"),
        ("title=\ud800", "title", "must not contain control characters"),
        ("sum=tier", "sum", "must be one of count, hours, value"),
        ("sum=rate", "sum", "must be one of count, hours, value"),
        ("sum=hours&by=at", "by", "must be one of key, title, note, manager"),
        ("by=tier", "by", "needs sum"),
        ("expand=tier", "expand", "must be one of manager, account"),
    ],
)
def test_what_means_nothing_is_refused_by_name(parameters: str, field: str, sentence: str):
    pairs = [each.partition("=")[::2] for each in parameters.split("&")]
    with pytest.raises(InvalidQuery, match=sentence) as refused:
        parse_query(KIND, pairs)
    assert [each.field for each in refused.value.errors] == [field]


def test_all_refused_parameters_are_named_together():
    with pytest.raises(InvalidQuery) as refused:
        parse_query(KIND, [("titel", "x"), ("tier", "heavy"), ("tier", "huge"), ("limit", "-1")])
    assert {each.field for each in refused.value.errors} == {"titel", "tier", "limit"}


def test_a_field_may_have_any_of_a_hundred_values():
    values = [("manager", f"person-{n}") for n in range(101)]
    assert parse_query(KIND, values[:100]).filters
    with pytest.raises(InvalidQuery, match="manager: is given more than 100 times"):
        parse_query(KIND, values)


class Entry(ListRow):
    entry: Identifier
    engagement: Identifier
    person: Identifier
    title: ShortText


class Searched(ListRow):
    key: Annotated[Identifier, SEARCHED]


ENTRIES = ListKind(
    "entries", Entry, key="entry", readers=("executive",), scopes=("engagement", "person")
)


def test_a_list_that_grows_with_work_needs_one_value_of_a_scope():
    query = parse_query(ENTRIES, [("person", "bob")])
    assert query.scope == AnyOf("person", ("bob",))
    for parameters in ([], [("person", "bob"), ("person", "cyd")]):
        with pytest.raises(InvalidQuery, match="needs one value of engagement or person"):
            parse_query(ENTRIES, parameters)


def test_a_list_without_searched_texts_refuses_a_search():
    with pytest.raises(InvalidQuery, match="q: this list has no texts that are searched"):
        parse_query(ENTRIES, [("person", "bob"), ("q", "bob")])


@quick
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["q", "sort", "value.from", "due", "at", "hours.to", "limit", "x.y"]),
            st.text(max_size=8) | st.sampled_from(["1 EUR", "9" * 190, "-title,", "0001-01-01"]),
        ),
        max_size=4,
    )
)
def test_any_query_is_read_or_refused(parameters: list[tuple[str, str]]):
    refused: tuple[QueryError, ...] = ()
    try:
        parse_query(KIND, parameters)
    except InvalidQuery as error:
        refused = error.errors
    assert {each.field for each in refused} <= {name for name, _ in parameters}
