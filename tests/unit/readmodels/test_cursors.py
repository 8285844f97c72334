"""A cursor continues the list it came from, and no other list, query or person can use it."""

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chassis.domain.list_kinds import ListKind
from chassis.readmodels.cursors import Cursors
from chassis.readmodels.query import AnyOf, Contains, InvalidQuery, Order, Query
from tests.unit.readmodels.samples import KIND, Sample

CURSORS = Cursors(b"key")
PLACE = ("zoo", "Zoo", b"\x81\x80\x01", -5, None, "K-07")
QUERY = Query(
    filters=(AnyOf("tier", ("light",)), Contains("title", "a")),
    search="words",
    sort=(Order("title", descending=True),),
    limit=10,
)


def asked(query: Query = QUERY, kind: ListKind[Sample] = KIND, reader: str = "ann.archer"):
    cursor = CURSORS.seal(PLACE, KIND, QUERY, "ann.archer")
    return CURSORS.open(kind, replace(query, cursor=cursor), reader)


def test_a_cursor_gives_back_the_place_of_the_last_row():
    assert asked() == PLACE
    assert asked(replace(QUERY, limit=20, total=True, filters=QUERY.filters[::-1])) == PLACE
    assert CURSORS.open(KIND, QUERY, "ann.archer") is None


@pytest.mark.parametrize(
    "query",
    [
        replace(QUERY, filters=QUERY.filters[:1]),
        replace(QUERY, filters=(AnyOf("tier", ("critical",)), *QUERY.filters[1:])),
        replace(QUERY, search="word"),
        replace(QUERY, sort=(Order("title", descending=False),)),
        replace(QUERY, sort=(*QUERY.sort, Order("tier", descending=False))),
    ],
)
def test_a_cursor_of_another_query_is_refused(query: Query):
    with pytest.raises(InvalidQuery, match="cursor: is of the same list with other filters"):
        asked(query)


def test_a_cursor_of_another_list_or_person_is_refused():
    with pytest.raises(InvalidQuery, match="cursor: is of another list"):
        asked(kind=replace(KIND, name="others"))
    with pytest.raises(InvalidQuery, match="cursor: is of another person"):
        asked(reader="bob")


@given(st.text(max_size=60))
@example("A")
@example("")
@example("ä" * 9)
def test_a_text_that_is_no_cursor_is_refused(text: str):
    with pytest.raises(InvalidQuery, match="cursor: is not one that this service returned"):
        CURSORS.open(KIND, replace(QUERY, cursor=text), "ann.archer")


@given(st.integers(0, 300), st.sampled_from("AbZ-_9"))
def test_a_changed_cursor_is_refused(at: int, character: str):
    cursor = CURSORS.seal(PLACE, KIND, QUERY, "ann.archer")
    at %= len(cursor) - 1
    changed = cursor[:at] + character + cursor[at + 1 :]
    if changed != cursor:
        with pytest.raises(InvalidQuery, match="is not one that this service returned"):
            CURSORS.open(KIND, replace(QUERY, cursor=changed), "ann.archer")


def test_a_cursor_that_was_sealed_with_another_key_is_refused():
    cursor = Cursors(b"other").seal(PLACE, KIND, QUERY, "ann.archer")
    with pytest.raises(InvalidQuery, match="is not one that this service returned"):
        CURSORS.open(KIND, replace(QUERY, cursor=cursor), "ann.archer")


def test_a_cursor_does_not_contain_who_reads():
    assert "ann" not in CURSORS.seal(PLACE, KIND, QUERY, "ann.archer")
