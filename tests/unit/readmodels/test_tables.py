"""A row is replaced only by a later one, and a removed row comes back only with a later number."""

from dataclasses import replace
from random import Random

from hypothesis import given

from chassis.readmodels.encodings import folded
from chassis.readmodels.query import Order, Query
from chassis.readmodels.tables import Change, Removal, Upsert
from tests.unit.readmodels.samples import (
    KIND,
    Asked,
    Sample,
    quick,
    random_row,
    random_rows,
    sample,
    seeds,
)

BY_KEY = Query(sort=(Order("key", descending=False),), limit=100)


def random_changes(chance: Random) -> list[Change[Sample]]:
    """Return changes of few rows, each number of a row once, in random order."""
    changes: list[Change[Sample]] = []
    for number in range(1, 25):
        row = random_row(chance)
        key = f"K-{chance.randrange(5)}"
        if chance.random() < 0.3:
            changes.append(Removal(key, number))
        else:
            changes.append(Upsert(Sample(**vars(row) | {"key": key}), number))
    chance.shuffle(changes)
    return changes


def key_of(change: Change[Sample]) -> str:
    return change.row.key if isinstance(change, Upsert) else change.key


@quick
@given(seeds)
def test_in_any_order_of_arrival_the_highest_number_wins(seed: int):
    chance = Random(seed)
    changes = random_changes(chance)
    asked = Asked()
    for part in (changes[:7], changes[7:8], changes[8:], changes):
        asked.table.write(asked.database, part)
    newest = {key_of(each): each for each in sorted(changes, key=lambda each: each.number)}
    rows = [each.row for _, each in sorted(newest.items()) if isinstance(each, Upsert)]
    assert asked.answer(BY_KEY).rows == rows
    for row in rows:  # and the search knows the words of no earlier row
        if row.title.isalnum():
            found = asked.answer(replace(BY_KEY, search=row.title)).rows
            assert row in found
            assert all(folded(row.title) in _words(each) for each in found)


def _words(row: Sample) -> str:
    return folded(" ".join([row.key, row.title, row.note or ""]))


def test_a_removed_row_is_not_found_and_a_late_one_does_not_bring_it_back():
    asked = Asked([sample("K-1", title="Cloud")])
    asked.table.write(asked.database, [Removal("K-1", 5)])
    asked.put(sample("K-1", title="Cloud"), number=5)
    assert asked.answer(BY_KEY).rows == []
    assert asked.answer(replace(BY_KEY, search="cloud", total=True)).total == 0
    asked.put(sample("K-1", title="Rollout"), number=6)
    assert [row.title for row in asked.answer(BY_KEY).rows] == ["Rollout"]


def test_a_removal_that_comes_before_its_row_removes_it():
    asked = Asked()
    asked.table.write(asked.database, [Removal("K-1", 3), Removal("K-1", 2)])
    asked.put(sample("K-1"), number=3)
    assert asked.answer(BY_KEY).rows == []


def test_a_row_that_changes_is_found_by_its_new_words_only():
    asked = Asked([sample("K-1", title="Cloud")])
    asked.put(sample("K-1", title="Rollout"), number=2)
    for search, keys in (("cloud", []), ("rollout", ["K-1"]), ("k-1", ["K-1"])):
        assert asked.keys(replace(BY_KEY, search=search)) == keys


def test_tables_of_one_database_do_not_mix():
    asked = Asked(random_rows(1))
    other = type(asked.table)(KIND, "samples of a scope")
    other.create(asked.database)
    assert asked.answer(BY_KEY).rows == sorted(random_rows(1), key=lambda row: row.key)
    other.drop(asked.database)
    names = asked.database.execute("SELECT name FROM sqlite_master").fetchall()
    assert not [name for (name,) in names if "scope" in name]
