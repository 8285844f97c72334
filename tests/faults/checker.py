"""The checker: whether journals, topics and readers agree, down to the last event.

It believes no service: it judges what was read from stores and topics alone (see `evidence`). What
it finds is a sentence each, with the stream, the channel and the sequence it is about.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime

from chassis.application.read_models import SUBJECT, Value
from chassis.base.partitioning import partition_of
from chassis.domain.decider import consumed_channels
from chassis.eventstore.journal import Commit, StoredEvent
from chassis.eventstore.snapshots import AnyDecider, Known, advanced, nothing_known
from contracts.channels import CHANNELS, Channel
from contracts.event import Event, Recorded
from tests.faults.aside import set_aside
from tests.faults.effects import effects
from tests.faults.evidence import DECIDERS, LISTINGS, Acknowledged, Evidence, Published, decoded
from tests.faults.finding import Finding
from tests.faults.unified import unified


def check(evidence: Evidence, acknowledged: Sequence[Acknowledged] = ()) -> list[Finding]:
    """Everything that is not as it must be once all have come to rest."""
    return [
        *answers(evidence, acknowledged),
        *numbers(evidence),
        *topics(evidence),
        *saying(evidence),
        *hearing(evidence),
        *views(evidence),
        *parked(evidence),
        *set_aside(evidence),
        *effects(evidence),
        *unified(evidence),
    ]


async def at_rest(
    gather: Callable[[], Awaitable[Evidence]],
    acknowledged: Sequence[Acknowledged] = (),
    *,
    limit: float = 90.0,
) -> Evidence:
    """Wait until nothing is found any more, and return what was read then.

    Fails at once on what waiting cannot mend, and on all else after `limit` seconds.
    """
    ends = time.monotonic() + limit
    while True:
        evidence = await gather()
        found = check(evidence, acknowledged)
        if not found:
            return evidence
        final = [each for each in found if not each.may_pass]
        if final or time.monotonic() > ends:
            raise AssertionError(told(sorted(found, key=lambda each: each.may_pass)))
        await asyncio.sleep(1.0)


def told(found: Sequence[Finding]) -> str:
    """Findings as text, the first thirty of them."""
    lines = [f"- {each.sentence}" for each in found[:30]]
    more = [f"- and {len(found) - 30} more"] if len(found) > 30 else []
    return "\n".join([f"{len(found)} findings", *lines, *more])


# ---- journals -----------------------------------------------------------------------------------


def answers(evidence: Evidence, acknowledged: Sequence[Acknowledged]) -> Iterator[Finding]:
    """Each command that was acknowledged stands in its journal, as it was answered."""
    commits = {
        name: {commit.cause: commit for commit in journal}
        for name, journal in evidence.journals.items()
    }
    for each in acknowledged:
        if not each.said:
            continue  # it was told that nothing changed
        what = f"{each.service}: {each.actor}/{each.key} on {each.subject}"
        commit = commits[each.service].get(f"{each.actor}/{each.key}")
        if commit is None:
            yield Finding(f"{what} was acknowledged and is not in the journal")
            continue
        said = tuple(recorded.id for recorded in commit.own_events())
        kept = (commit.stream.partition(":")[2], commit.number, dict(commit.position), said)
        if kept != (each.subject, each.number, dict(each.position), each.said):
            yield Finding(f"{what} was answered otherwise than the journal has it: {kept}")


def numbers(evidence: Evidence) -> Iterator[Finding]:
    """A stream's commits are numbered from 1 without a gap, and so are the events it says."""
    for service in evidence.journals:
        for stream, commits in evidence.streams(service).items():
            found = [commit.number for commit in commits]
            if found != list(range(1, len(found) + 1)):
                yield Finding(f"{service}: commits of {stream} are numbered {_gaps(found)}")
            said: dict[str, list[int]] = {}
            for commit in commits:
                for recorded in commit.own_events():
                    said.setdefault(recorded.channel.name, []).append(recorded.sequence)
            for channel, sequences in said.items():
                if sequences != list(range(1, len(sequences) + 1)):
                    yield Finding(
                        f"{service}: {stream} says {channel} in the sequence {_gaps(sequences)}"
                    )


def _gaps(numbers: Sequence[int]) -> str:
    """A run of numbers, told by the places where it does not go on by one."""
    breaks = [
        f"{before} then {after}"
        for before, after in zip([0, *numbers], numbers, strict=False)
        if after != before + 1
    ]
    return f"1 to {numbers[-1]} with {', '.join(breaks)}"


# ---- topics -------------------------------------------------------------------------------------


def topics(evidence: Evidence) -> Iterator[Finding]:
    """First occurrences are in order without a gap, repeats are the same bytes, keys stay put."""
    for name, records in evidence.topics.items():
        by_key: dict[str, list[Published]] = {}
        for record in records:
            by_key.setdefault(record.key, []).append(record)
        for key, published in by_key.items():
            if {record.partition for record in published} != {partition_of(key)}:
                yield Finding(f"{name}: {key} is not on partition {partition_of(key)} alone")
            yield from _in_order(CHANNELS[name], key, published)


def _in_order(channel: Channel, key: str, published: Sequence[Published]) -> Iterator[Finding]:
    seen: dict[int, bytes] = {}
    last = 0
    for record in published:
        recorded, value = record.recorded, record.value
        if recorded is None or value is None:
            continue  # a tombstone
        sequence = recorded.sequence
        if sequence in seen:
            if seen[sequence] != value:
                yield Finding(f"{channel.name}: {key} {sequence} is repeated in other bytes")
            continue
        seen[sequence] = value
        if channel.kind == "events" and sequence != last + 1:
            yield Finding(f"{channel.name}: {key} {sequence} came where {last + 1} was expected")
        if channel.kind == "register" and sequence < last:
            yield Finding(f"{channel.name}: {key} {sequence} came after {last}")
        last = max(last, sequence)


Place = tuple[str, str, int]
"""An event's channel, its key on the topic, and its sequence."""


def said_by_journals(evidence: Evidence) -> dict[Place, bytes]:
    """Every event that a journal says."""
    return {
        (kept.channel, kept.key, decoded(kept.record).sequence): kept.record
        for journal in evidence.journals.values()
        for commit in journal
        for kept in commit.events
        if kept.own
    }


def on_topics(evidence: Evidence) -> dict[Place, bytes]:
    """Every event that stands on a topic, as it stood there first."""
    found: dict[Place, bytes] = {}
    for name, records in evidence.topics.items():
        for record in records:
            recorded = record.recorded
            if recorded is not None and record.value is not None:
                found.setdefault((name, record.key, recorded.sequence), record.value)
    return found


def saying(evidence: Evidence) -> Iterator[Finding]:
    """What the journals say is on the topics, in the same bytes, and nothing else is."""
    said, published = said_by_journals(evidence), on_topics(evidence)
    for place, record in said.items():
        if place not in published:
            yield Finding(f"{_told(place)} is in the journal and not on its topic", may_pass=True)
        elif published[place] != record:
            yield Finding(f"{_told(place)} is on its topic in other bytes than in the journal")
    for place in published.keys() - said.keys():
        if CHANNELS[place[0]].department in evidence.journals:
            yield Finding(f"{_told(place)} is on its topic and in no journal")


def _told(place: Place) -> str:
    channel, key, sequence = place
    return f"{channel}: {key} {sequence}"


# ---- readers ------------------------------------------------------------------------------------


def hearing(evidence: Evidence) -> Iterator[Finding]:
    """Every department heard every event of the channels it listens to, once and in order."""
    published = _by_engagement(evidence)
    for service in evidence.journals:
        deciders = DECIDERS[service]
        streams = evidence.streams(service)
        for kind in deciders.values():
            if kind.kind == "engagement" and kind.route is None:
                channels = consumed_channels([kind])
                for engagement, events in published.items():
                    commits = streams.get(kind.stream(engagement), [])
                    for channel in channels:
                        yield from _heard(service, kind, channel, events, commits)
            elif not kind.gap_free:
                yield from _heard_by_register(service, kind, streams, published)


def _by_engagement(evidence: Evidence) -> dict[str, dict[str, dict[int, bytes]]]:
    """First occurrences by engagement, channel and sequence."""
    found: dict[str, dict[str, dict[int, bytes]]] = {}
    for (channel, key, sequence), value in on_topics(evidence).items():
        if CHANNELS[channel].kind != "reference":
            found.setdefault(key, {}).setdefault(channel, {})[sequence] = value
    return found


def _heard(
    service: str,
    kind: AnyDecider,
    channel: Channel,
    events: Mapping[str, Mapping[int, bytes]],
    commits: Sequence[Commit],
) -> Iterator[Finding]:
    said = events.get(channel.name, {})
    position = dict(commits[-1].position).get(channel.name, 0) if commits else 0
    entries = [
        (decoded(kept.record), kept)
        for commit in commits
        for kept in commit.events
        if not kept.own and kept.channel == channel.name
    ]
    if not said and not position:
        return
    subject = next(iter(said.values())) if said else entries[0][1].record
    what = f"{service} hears {channel.name} of {decoded(subject).subject}"
    if position != max(said, default=0):
        yield Finding(
            f"{what}: it is at {position}, and {max(said, default=0)} was said", may_pass=True
        )
    sequences = [recorded.sequence for recorded, _ in entries]
    for sequence, times in Counter(sequences).items():
        if times > 1:
            yield Finding(f"{what}: {sequence} was taken in {times} times")
    if sequences != sorted(sequences):
        yield Finding(f"{what}: events were taken in out of order, {sequences}")
    for recorded, kept in entries:
        if said.get(recorded.sequence, kept.record) != kept.record:
            yield Finding(f"{what}: {recorded.sequence} was taken in in other bytes than was said")
    for sequence in _of_interest(kind, said):
        if sequence <= position and sequence not in sequences:
            yield Finding(f"{what}: {sequence} was passed over")


def _of_interest(kind: AnyDecider, said: Mapping[int, bytes]) -> Iterator[int]:
    for sequence, record in said.items():
        if type(decoded(record).event) in kind.evolve.types:
            yield sequence


def _heard_by_register(
    service: str,
    kind: AnyDecider,
    streams: Mapping[str, Sequence[Commit]],
    published: Mapping[str, Mapping[str, Mapping[int, bytes]]],
) -> Iterator[Finding]:
    """A register may take an event in again; what it then does, it does once (see `effects`)."""
    for events in published.values():
        for record in (each for said in events.values() for each in said.values()):
            recorded: Recorded[Event] = decoded(record)
            subject = kind.subject_for(recorded)
            if subject is None:
                continue
            kept: Sequence[StoredEvent] = [
                each for commit in streams.get(kind.stream(subject), ()) for each in commit.events
            ]
            if not any(each.record == record and not each.own for each in kept):
                where = f"{recorded.channel.name}: {recorded.subject} {recorded.sequence}"
                yield Finding(f"{service}'s {kind.kind} has not taken in {where}", may_pass=True)


def views(evidence: Evidence) -> Iterator[Finding]:
    """Lists show what the journal gives when it is folded afresh; snapshots are what it gave."""
    for service in evidence.journals:
        for stream, commits in evidence.streams(service).items():
            what = f"{service}: the view of {stream}"
            view = evidence.views[service].get(stream)
            if view is None:
                yield Finding(f"{what} is absent", may_pass=True)
                continue
            try:
                afresh, then = folded_afresh(service, commits, view.known.stream.number)
            except Exception as error:  # noqa: BLE001 - whatever it lacks, it is no journal
                yield Finding(f"{service}: {stream} cannot be folded afresh: {error!r}")
                continue
            number = view.known.stream.number
            if number > afresh.stream.number:
                yield Finding(f"{what} is at {number}, its journal is not", may_pass=True)
            elif view.known != then:
                yield Finding(f"{what} is not what its journal gave at {number}")
            if (view.fields, view.due) != shown(service, afresh):
                yield Finding(f"{what} shows in lists what was before", may_pass=True)


def folded_afresh(
    service: str, commits: Sequence[Commit], number: int
) -> tuple[Known, Known | None]:
    """A stream after all its commits, and after the one of a number."""
    stream = commits[0].stream
    decider = DECIDERS[service][stream.partition(":")[0]]
    known, then = nothing_known(decider, stream), None
    for commit in commits:
        known = advanced(decider, known, commit)
        if commit.number == number:
            then = known
    return known, then


def shown(service: str, known: Known) -> tuple[Mapping[str, Value], datetime | None]:
    """What lists must show of a stream, and when it wants to be woken."""
    kind, _, subject = known.stream.id.partition(":")
    listing = LISTINGS[service].get(kind)
    fields: dict[str, Value] = {SUBJECT: subject}
    if listing is not None:
        fields |= dict.fromkeys(listing.fields)
        fields |= dict(listing.summarise(known.stream.state))
    deadlines = DECIDERS[service][kind].deadlines(known.stream.state)
    return fields, min((each.at for each in deadlines), default=None)


def parked(evidence: Evidence) -> Iterator[Finding]:
    """Nothing waits."""
    for service, records in evidence.parked.items():
        for record in records:
            yield Finding(
                f"{service} parks {record.engagement}: {record.channel.name} {record.sequence},"
                f" {record.code}: {record.sentence}",
                may_pass=True,
            )
