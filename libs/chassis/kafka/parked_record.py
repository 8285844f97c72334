"""Records that wait or were set aside: their stored form, order, and proof of a gap."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic_core import from_json

from chassis.base.failures import described
from chassis.domain.stream import Gap, NotDecoded, NotTakenIn
from chassis.domain.trouble import Head, Trouble, TroubleCode
from chassis.kafka.consumer_settings import Arrival, judge
from contracts.channels import Channel
from contracts.counting import counted
from contracts.envelope import LARGEST_NUMBER
from contracts.event import Event, Recorded

SENTENCE_LIMIT = 500
"""Characters of a stored reason."""

MOST_PUBLISHED = 1_000_000_000
"""Number of events of one engagement on one channel that no honest author reaches."""


@dataclass(frozen=True, slots=True)
class ParkedRecord:
    """A record that waits or was set aside: its offset, its bytes, why, and since when (UTC).

    `sequence` is the number that it claims, None where it cannot be read. `expected` is the number
    that a gap waits for. `order` grows with each record stored. `by` and `why` are of the person
    who set it aside.
    """

    id: str
    engagement: str | None
    channel: Channel
    partition: int
    offset: int
    sequence: int | None
    code: TroubleCode
    sentence: str
    expected: int | None
    raw: bytes | None
    at: datetime
    order: int
    by: str | None = None
    why: str | None = None

    def event(self) -> Recorded[Event] | None:
        """Return its event, or None where this version cannot read one."""
        judged = judge(self.channel, self.partition, self.engagement or "", self.raw)
        return None if isinstance(judged, Trouble) else judged


def ends_gap(head: Head, arrivals: Iterable[Arrival]) -> bool:
    """Return whether one of these is the event that a gap waits for."""
    return head.code == "gap" and any(
        arrival.channel.name == head.channel
        and arrival.recorded is not None
        and arrival.recorded.sequence == head.expected
        for arrival in arrivals
    )


def sequence_of(arrival: Arrival) -> int | None:
    """Return the number that a record claims, even where it is otherwise unreadable."""
    if arrival.recorded is not None:
        return arrival.recorded.sequence
    try:
        claimed = from_json(arrival.raw or b"")["streamsequence"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return claimed if type(claimed) is int and 0 < claimed <= LARGEST_NUMBER else None


def in_sequence(records: Sequence[ParkedRecord]) -> list[ParkedRecord]:
    """Return records in the order in which to try them: as they came, but each channel by number.

    A record whose number is unknown keeps its place, and no record of its channel overtakes it.
    """
    came = sorted(records, key=lambda record: record.order)
    tried: list[ParkedRecord] = list(came)
    for name in {record.channel.name for record in came}:
        run: list[int] = []
        for place, record in [*enumerate(came), (len(came), None)]:
            if record is not None and record.channel.name != name:
                continue
            if record is None or record.sequence is None:
                ordered = sorted((came[at] for at in run), key=lambda r: (r.sequence or 0, r.order))
                for at, sorted_record in zip(run, ordered, strict=True):
                    tried[at] = sorted_record
                run = []
            else:
                run.append(place)
    return tried


def not_proven(
    head: ParkedRecord, others: Iterable[ParkedRecord], published: int | None
) -> str | None:
    """Return why the gap before a record is not proven, or None where it is.

    A record may claim any number: if events were skipped because of it alone, all events that the
    author publishes later up to that number would count as repeats. So something else must confirm
    that the author has published that many: an event of another author whose `heard` includes it, a
    record of each missing number that a person set aside, or a person who looked it up at the
    author's service (`published`).
    """
    first, number, name = head.expected or 1, head.sequence or 0, head.channel.name
    # The number of events of a confidential channel is confidential.
    hidden = head.channel.confidential
    named, count = ("the record", "that many") if hidden else (head.id, f"{number}")
    if number > MOST_PUBLISHED:
        return f"no engagement has {count} events: set {named} aside"
    if published is not None:
        if published >= number:
            return None
        return (
            f"{name} has published {counted(published, 'event')} of this engagement, so {named},"
            f" which claims that there are {count}, is not one of them: set it aside"
        )
    claimed: set[int] = set()
    for record in others:
        if record.channel is head.channel:
            if record.sequence is not None and record.by:
                claimed.add(record.sequence)
        elif (event := record.event()) is not None and event.heard.get(name, 0) >= number:
            return None
    if number - first <= len(claimed) and claimed.issuperset(range(first, number)):
        return None
    return (
        f"nothing but {name} itself says that it has published {count} events of this"
        " engagement: look the number up at that service and give it as `published`, wait for an"
        " event of another department that confirms it, or set the record aside"
    )


def trouble_of(error: Exception, channel: Channel) -> tuple[Trouble, int | None]:
    """Return the trouble that an error means for a record, and the number that a gap waits for.

    It is shown to all who may see that the engagement waits. So it has no number of a confidential
    channel, and for a bug only its kind and place on any channel: values computed from an open
    event may be confidential.
    """
    if isinstance(error, Gap):
        missing = "an event is missing before it" if channel.confidential else str(error)
        return Trouble("gap", missing), error.expected
    if isinstance(error, NotDecoded):
        code: TroubleCode = "newer-version" if error.newer_version else "unreadable"
        return Trouble(code, str(error)), None
    if isinstance(error, NotTakenIn):
        sentence = error.without_numbers if channel.confidential else str(error)
        return Trouble(error.code, storable(sentence)), None
    return Trouble("failed", storable(described(error))), None


def storable(sentence: str) -> str:
    """Return a sentence that the store accepts: of limited length, without lone surrogates."""
    return sentence[:SENTENCE_LIMIT].encode(errors="replace").decode()
