"""Commits that neither the store nor a topic would take."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.domain.decider import NotRecordable
from chassis.eventstore.journal import (
    MOST_BYTES,
    MOST_EVENTS,
    Commit,
    Kept,
    TooLarge,
    readable,
    refuse_too_large,
)
from chassis.eventstore.unreadable import UnreadableStream
from chassis.kafka.topics import Topic, differences
from contracts.channels import CHANNELS, LARGEST_EVENT, PARTITIONS, SALES
from contracts.event import Event, Recorded
from contracts.finance import EstimateCosted
from contracts.money import Money
from contracts.sales import DealLost
from testkit.matchers import recorded_as


def commit(*sizes: int, said: bool = True) -> Commit:
    return Commit(
        cause="ann/1",
        stream="engagement:E-1",
        number=1,
        position={"sales": len(sizes)},
        actor="ann",
        at=datetime(2026, 3, 2, tzinfo=UTC),
        events=tuple(Kept(b" " * size, said, "sales", "E-1") for size in sizes),
    )


def test_no_event_is_said_that_is_larger_than_any_may_be() -> None:
    refuse_too_large(commit(LARGEST_EVENT, LARGEST_EVENT))
    with pytest.raises(TooLarge, match="has 1,048,577 bytes, and one event has 1,048,576") as no:
        refuse_too_large(commit(1, LARGEST_EVENT + 1))
    assert no.value.code == "too-large"


def test_what_was_heard_may_be_larger_since_a_topic_took_it() -> None:
    refuse_too_large(commit(LARGEST_EVENT + 1, said=False))


def test_a_commit_has_no_more_than_the_store_takes() -> None:
    page = MOST_BYTES // 16
    refuse_too_large(commit(*[page] * 16))
    with pytest.raises(TooLarge, match="one commit has 8,388,608 at most"):
        refuse_too_large(commit(*[page] * 16, 1, said=False))
    with pytest.raises(TooLarge, match="at most 500 events"):
        refuse_too_large(replace(commit(), events=commit(1).events * (MOST_EVENTS + 1)))


def test_every_topic_takes_the_largest_event_and_its_key_and_headers() -> None:
    for channel in CHANNELS.values():
        assert int(channel.settings(3)["max.message.bytes"]) >= LARGEST_EVENT + 64 * 1024


@pytest.mark.parametrize(("bound", "wrong"), [("1048576", 0), ("2097152", 0), ("4194304", 1)])
def test_a_topic_with_a_smaller_bound_can_be_given_the_larger(bound: str, wrong: int) -> None:
    topic = Topic("concord.sales.v1", PARTITIONS, {"max.message.bytes": bound})
    assert len(differences(SALES, topic, 1)) == wrong


def recorded(event: Event) -> Recorded[Event]:
    return recorded_as(event, "E-0000000000001", 1, "ann", datetime(2026, 3, 2, tzinfo=UTC), {})


def test_a_new_event_that_nobody_could_read_is_not_kept() -> None:
    lost = DealLost.model_construct(
        reason="price", comment=None, competitor=None, lost_on=date(1, 1, 1)
    )
    with pytest.raises(NotRecordable, match=r"1970-01-01 to 2999-12-31") as no:
        Kept.of(recorded(lost), said=True)
    assert no.value.field == "data.lost_on"
    assert "concord.sales.deal-lost.v1" in str(no.value)


def test_a_new_event_that_would_be_read_as_something_else_is_not_kept() -> None:
    lost = DealLost.model_construct(
        reason="price", comment=" padded ", competitor=None, lost_on=date(2026, 3, 2)
    )
    with pytest.raises(NotRecordable, match="read back as something else") as no:
        Kept.of(recorded(lost), said=True)
    assert no.value.field == "data.comment"


def test_of_a_confidential_event_the_refusal_says_no_more_than_that_there_is_one() -> None:
    cost = Money.model_construct(amount=Decimal("98765.439999"), currency="EUR")
    costed = EstimateCosted.model_construct(estimate_version=1, cost=cost, margin=None)
    with pytest.raises(NotRecordable) as no:
        Kept.of(recorded(costed), said=True)
    assert str(no.value) == "a confidential event that would follow cannot be recorded"
    assert (no.value.field, no.value.why) == ("data.cost.amount", "decimal_max_places")


def test_what_was_heard_is_kept_in_the_bytes_in_which_it_came() -> None:
    event = recorded(DealLost(reason="price", lost_on=date(2026, 3, 2)))
    assert Kept.of(event, said=False, record=b"as it came").record == b"as it came"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.datetimes(),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(), parts, max_size=3),
    max_leaves=5,
)


@given(st.data())
def test_any_document_is_a_commit_or_an_error_that_names_its_place(data: st.DataObject) -> None:
    document = replace(commit(3, 4), erases=(("sales", "E-1"),)).document()
    entry = document["entries"][1]
    for part in data.draw(st.sampled_from([[document], [entry], [document, entry]])):
        name = data.draw(st.sampled_from(sorted(part)))
        if data.draw(st.booleans()):
            part[name] = data.draw(ANYTHING)
        else:
            del part[name]
    found = readable(document)
    if isinstance(found, UnreadableStream):
        stream = document.get("stream")
        named = isinstance(stream, str) and stream != ""
        assert found.stream == stream if named else found.stream.startswith("an unknown stream")
        assert found.number == document.get("number") or found.number == 0
        assert found.why
    else:
        assert Commit.read(found.document()) == found


def test_a_commit_that_can_be_read_is_what_was_written() -> None:
    whole = replace(commit(3, 4), erases=(("sales", "E-1"),))
    assert Commit.read(whole.document()) == whole


def test_a_event_that_is_none_names_its_stream_and_commit() -> None:
    with pytest.raises(UnreadableStream, match="commit 1 of engagement:E-1 cannot be read: not"):
        list(commit(3).recorded())
