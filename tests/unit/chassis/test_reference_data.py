"""Reference data in memory: which version of a record is in force on a day."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import permutations
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.kafka.reference_data import ReferenceDataCache, _Versions
from contracts import reference
from contracts.event import Event, Recorded
from contracts.reference import AccountPublished, PersonPublished, VersionsByDay
from contracts.sales import OpportunityAdvanced
from testkit.matchers import RecordsOf

MOMENT = datetime(2026, 3, 2, 9, tzinfo=UTC)
MARCH, MAY, JULY = date(2026, 3, 1), date(2026, 5, 1), date(2026, 7, 1)


def version(number: int, start: date | None = None, account: str = "A-1") -> Recorded[Event]:
    return recorded(
        account,
        number,
        AccountPublished(account=account, name=f"name {number}", effective_from=start),
    )


def recorded(subject: str, sequence: int, event: Event) -> Recorded[Event]:
    return Recorded(
        id=f"{subject}-{sequence}",
        subject=subject,
        sequence=sequence,
        event=event,
        actor="ann",
        cause="test",
        occurred_at=MOMENT,
        recorded_at=MOMENT,
        heard={},
    )


def in_force(records: ReferenceDataCache, day: date) -> int | None:
    found = records.on(AccountPublished, "A-1", day)
    return None if found is None else found.sequence


def test_a_record_that_was_never_published_is_unknown() -> None:
    records = ReferenceDataCache.fixed(version(1))

    assert records.latest(AccountPublished, "A-2") is None
    assert records.on(AccountPublished, "A-2", MAY) is None
    assert records.all(PersonPublished) == []


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_version_of_the_latest_day_until_then_is_in_force_in_any_order_of_arrival(
    order: tuple[int, ...],
) -> None:
    versions = [version(1, MARCH), version(2, JULY), version(3, MAY)]
    records = ReferenceDataCache.fixed(*(versions[place] for place in order))

    assert in_force(records, date(2026, 2, 28)) is None
    assert in_force(records, MARCH) == 1
    assert in_force(records, MAY) == 3
    assert in_force(records, date(2026, 6, 30)) == 3
    assert in_force(records, JULY) == 2  # planned before the third was published, and not cancelled
    latest = records.latest(AccountPublished, "A-1")
    assert latest is not None
    assert latest.sequence == 3


@given(
    st.lists(st.none() | st.dates(MARCH, date(2026, 3, 6)), min_size=1, max_size=7),
    st.dates(date(2026, 2, 27), date(2026, 3, 8)),
    st.randoms(use_true_random=False),
)
def test_every_reader_finds_the_same_version(
    days: list[date | None], day: date, chance: Random
) -> None:
    """Compare the memory of a service, the state of the record, and the records of a test."""
    versions = [version(number, start) for number, start in enumerate(days, start=1)]
    until = [(start or date.min, number) for number, start in enumerate(days, start=1)]
    expected = max((each for each in until if each[0] <= day), default=(None, None))[1]

    arrived = chance.sample(versions, len(versions))
    assert in_force(ReferenceDataCache.fixed(*arrived), day) == expected
    published = [each.event for each in versions if isinstance(each.event, AccountPublished)]
    found = reference.in_force(published, day)
    assert (found and found.name) == (f"name {expected}" if expected else None)
    known = RecordsOf(published).on(AccountPublished, "A-1", day)
    assert (known and known.sequence) == expected


def test_a_version_without_a_date_is_in_force_on_every_day() -> None:
    records = ReferenceDataCache.fixed(version(1), version(2, MAY))

    assert in_force(records, date(1999, 1, 1)) == 1
    assert in_force(records, JULY) == 2


def test_of_two_versions_of_one_day_the_newer_is_in_force() -> None:
    records = ReferenceDataCache.fixed(version(2, MAY), version(1, MAY))

    assert in_force(records, MAY) == 2


def test_after_an_erasure_the_version_before_is_in_force() -> None:
    records = ReferenceDataCache.fixed(version(1, MARCH), version(2, MAY), version(1, None, "A-2"))

    records.remove("account:A-1@2")
    assert in_force(records, JULY) == 1

    records.remove("account:A-1@1")
    assert in_force(records, JULY) is None
    assert records.latest(AccountPublished, "A-1") is None
    assert [each.subject for each in records.all(AccountPublished)] == ["A-2"]


@pytest.mark.parametrize("key", ["account:A-9@1", "account:A-1", "person:A-1@1", "@", "", "a:b@x"])
def test_a_tombstone_of_an_unknown_key_changes_nothing(key: str) -> None:
    records = ReferenceDataCache.fixed(version(1))

    records.remove(key)

    assert in_force(records, MAY) == 1


def test_other_events_are_refused() -> None:
    with pytest.raises(TypeError, match="no reference data"):
        ReferenceDataCache.fixed(
            recorded(
                "E-1", 1, OpportunityAdvanced(pipeline_stage="proposing", probability=Decimal(50))
            )
        )


def test_the_order_by_day_is_computed_once_for_many_versions() -> None:
    """Computed at each put, some thousands of versions would take seconds."""
    arranged: list[int] = []
    arrange = _Versions._arranged

    def counted(versions: _Versions) -> VersionsByDay[Recorded[Any]]:
        arranged.append(len(versions.by_number))
        return arrange(versions)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_Versions, "_arranged", counted)
        records = ReferenceDataCache.fixed(*(version(number) for number in range(1, 500)))
        assert in_force(records, MAY) == 499

    assert arranged == [499]
