"""Limits of commits, the stored form of events, and documents that cannot be read."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.domain.commands import NotRecordable
from chassis.eventstore.journal import (
    MOST_BYTES,
    MOST_EVENTS,
    Commit,
    StoredEvent,
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


def commit(*sizes: int, own: bool = True) -> Commit:
    return Commit(
        cause="ann/1",
        stream="engagement:E-1",
        number=1,
        position={"sales": len(sizes)},
        actor="ann",
        at=datetime(2026, 3, 2, tzinfo=UTC),
        events=tuple(StoredEvent(b" " * size, own, "sales", "E-1") for size in sizes),
    )


def test_an_own_event_over_the_limit_is_refused() -> None:
    refuse_too_large(commit(LARGEST_EVENT, LARGEST_EVENT))
    with pytest.raises(TooLarge, match=r"has 1,048,577 bytes, .* limit is 1,048,576") as refused:
        refuse_too_large(commit(1, LARGEST_EVENT + 1))
    assert refused.value.code == "commit-too-large"


def test_a_consumed_event_may_exceed_the_limit_of_own_events() -> None:
    refuse_too_large(commit(LARGEST_EVENT + 1, own=False))


def test_a_commit_over_a_limit_of_the_store_is_refused() -> None:
    page = MOST_BYTES // 16
    refuse_too_large(commit(*[page] * 16))
    with pytest.raises(TooLarge, match="the limit is 8,388,608"):
        refuse_too_large(commit(*[page] * 16, 1, own=False))
    with pytest.raises(TooLarge, match="501 events, and the limit is 500"):
        refuse_too_large(replace(commit(), events=commit(1).events * (MOST_EVENTS + 1)))


def test_every_topic_accepts_the_largest_event_with_key_and_headers() -> None:
    for channel in CHANNELS.values():
        assert int(channel.settings(3)["max.message.bytes"]) >= LARGEST_EVENT + 64 * 1024


@pytest.mark.parametrize(("bound", "wrong"), [("1048576", 0), ("2097152", 0), ("4194304", 1)])
def test_only_a_larger_message_limit_of_a_topic_is_a_difference(bound: str, wrong: int) -> None:
    topic = Topic("concord.sales.v1", PARTITIONS, {"max.message.bytes": bound})
    assert len(differences(SALES, topic, 1)) == wrong


def recorded(event: Event) -> Recorded[Event]:
    return recorded_as(event, "E-0000000000001", 1, "ann", datetime(2026, 3, 2, tzinfo=UTC), {})


def test_a_new_event_that_cannot_be_decoded_is_refused() -> None:
    lost = DealLost.model_construct(
        reason="price", comment=None, competitor=None, lost_on=date(1, 1, 1)
    )
    with pytest.raises(NotRecordable, match=r"1970-01-01 to 2999-12-31") as refused:
        StoredEvent.of(recorded(lost), own=True)
    assert refused.value.field == "data.lost_on"
    assert "concord.sales.deal-lost.v1" in str(refused.value)


def test_a_new_event_that_is_read_back_with_another_value_is_refused() -> None:
    lost = DealLost.model_construct(
        reason="price", comment=" padded ", competitor=None, lost_on=date(2026, 3, 2)
    )
    with pytest.raises(NotRecordable, match="read back with another value") as refused:
        StoredEvent.of(recorded(lost), own=True)
    assert refused.value.field == "data.comment"


def test_the_refusal_of_a_confidential_event_names_neither_event_nor_field() -> None:
    cost = Money.model_construct(amount=Decimal("98765.439999"), currency="EUR")
    costed = EstimateCosted.model_construct(estimate_version=1, cost=cost, margin=None)
    with pytest.raises(NotRecordable) as refused:
        StoredEvent.of(recorded(costed), own=True)
    assert str(refused.value) == "a resulting confidential event cannot be recorded"
    assert (refused.value.field, refused.value.why) == ("data.cost.amount", "decimal_max_places")


def test_a_consumed_event_is_stored_with_its_own_bytes() -> None:
    event = recorded(DealLost(reason="price", lost_on=date(2026, 3, 2)))
    assert StoredEvent.of(event, own=False, record=b"as it came").record == b"as it came"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.datetimes(),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(), parts, max_size=3),
    max_leaves=5,
)


@given(st.data())
def test_any_document_is_a_commit_or_an_error_that_names_the_commit(data: st.DataObject) -> None:
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


def test_a_commit_is_read_back_equal() -> None:
    whole = replace(commit(3, 4), erases=(("sales", "E-1"),), on_behalf_of="bea")
    assert Commit.read(whole.document()) == whole


def test_the_error_for_an_undecodable_event_names_stream_and_commit() -> None:
    with pytest.raises(UnreadableStream, match="commit 1 of engagement:E-1 cannot be read: not"):
        list(commit(3).recorded())
