"""Check that journals, topics and consumers agree on every event.

The checker uses no service: it compares what was read from stores and topics (see
`collected_state`). Each finding is a sentence with the stream, the channel and the sequence.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime

from chassis.application.read_models import SUBJECT, Value
from chassis.base.partitioning import partition_of
from chassis.domain.decider import consumed_channels
from chassis.domain.pending import OutcomeRecorded, Requested
from chassis.eventstore.journal import Commit
from chassis.eventstore.snapshots import AnyDecider, Known, advanced, nothing_known
from contracts.channels import CHANNELS, Channel
from tests.faults.checks import effects
from tests.faults.collected_state import (
    DECIDERS,
    LISTINGS,
    Acknowledged,
    Evidence,
    Published,
    decoded,
)
from tests.faults.finding import Finding
from tests.faults.gateway_checks import unified
from tests.faults.set_aside_checks import set_aside


def check(evidence: Evidence, acknowledged: Sequence[Acknowledged] = ()) -> list[Finding]:
    """Return all defects, given that the platform has become quiescent."""
    return [
        *answers(evidence, acknowledged),
        *numbers(evidence),
        *topics(evidence),
        *saying(evidence),
        *hearing(evidence),
        *views(evidence),
        *pending(evidence),
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
    """Wait until the checker finds nothing, and return the collected state.

    Raises AssertionError at once for a finding that cannot resolve, else after `limit` seconds.
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
    """Return the first thirty findings as text."""
    lines = [f"- {each.sentence}" for each in found[:30]]
    more = [f"- and {len(found) - 30} more"] if len(found) > 30 else []
    return "\n".join([f"{len(found)} findings", *lines, *more])


# ---- journals -----------------------------------------------------------------------------------


def answers(evidence: Evidence, acknowledged: Sequence[Acknowledged]) -> Iterator[Finding]:
    """Check that each acknowledged command is in its journal, as it was answered."""
    commits = {
        name: {commit.cause: commit for commit in journal}
        for name, journal in evidence.journals.items()
    }
    for each in acknowledged:
        if not each.said:
            continue  # the answer was that nothing changed
        what = f"{each.service}: {each.actor}/{each.key} on {each.subject}"
        commit = commits[each.service].get(f"{each.actor}/{each.key}")
        if commit is None:
            yield Finding(f"{what} was acknowledged and is not in the journal")
            continue
        kept = [*_answers(commit, commits[each.service])]
        if (each.subject, each.number, dict(each.position), each.said) not in kept:
            yield Finding(f"{what} was answered otherwise than it is in the journal: {kept}")


def _answers(commit: Commit, commits: Mapping[str, Commit]) -> Iterator[tuple[object, ...]]:
    """Yield the answer to a command, and those after further outcomes of its requests."""
    causes = (
        f"{commit.stream}/outcome/{each.id}"
        for each in commit.new_events()
        if isinstance(each.event, Requested)
    )
    outcomes = sorted((commits[each] for each in causes if each in commits), key=_number)
    event_ids: tuple[str, ...] = ()
    for each in (commit, *outcomes):
        event_ids += tuple(recorded.id for recorded in each.own_events())
        yield each.stream.partition(":")[2], each.number, dict(each.position), event_ids


def _number(commit: Commit) -> int:
    return commit.number


def numbers(evidence: Evidence) -> Iterator[Finding]:
    """Check that a stream's commits, and its events per channel, are numbered 1, 2, 3 ..."""
    for service in evidence.journals:
        for stream, commits in evidence.streams(service).items():
            found = [commit.number for commit in commits]
            if found != list(range(1, len(found) + 1)):
                yield Finding(f"{service}: commits of {stream} are numbered {_gaps(found)}")
            by_channel: dict[str, list[int]] = {}
            for commit in commits:
                for recorded in commit.own_events():
                    by_channel.setdefault(recorded.channel.name, []).append(recorded.sequence)
            for channel, sequences in by_channel.items():
                if sequences != list(range(1, len(sequences) + 1)):
                    yield Finding(
                        f"{service}: {stream} has the sequences {_gaps(sequences)} on {channel}"
                    )


def _gaps(numbers: Sequence[int]) -> str:
    """Describe numbers by the places where they do not increase by one."""
    breaks = [
        f"{before} then {after}"
        for before, after in zip([0, *numbers], numbers, strict=False)
        if after != before + 1
    ]
    return f"1 to {numbers[-1]} with {', '.join(breaks)}"


# ---- topics -------------------------------------------------------------------------------------


def topics(evidence: Evidence) -> Iterator[Finding]:
    """Check order, gaps, partitions, and that repeated records have the same bytes."""
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
        last = max(last, sequence)


Place = tuple[str, str, int]
"""An event's channel, key on the topic, and sequence."""


def said_by_journals(evidence: Evidence) -> dict[Place, bytes]:
    """Return every event of the journals that is to be published."""
    return {
        (kept.channel, kept.key, decoded(kept.record).sequence): kept.record
        for journal in evidence.journals.values()
        for commit in journal
        for kept in commit.events
        if kept.own
    }


def on_topics(evidence: Evidence) -> dict[Place, bytes]:
    """Return every event on the topics, at its first occurrence."""
    found: dict[Place, bytes] = {}
    for name, records in evidence.topics.items():
        for record in records:
            recorded = record.recorded
            if recorded is not None and record.value is not None:
                found.setdefault((name, record.key, recorded.sequence), record.value)
    return found


def saying(evidence: Evidence) -> Iterator[Finding]:
    """Check that the topics contain the journals' events, in the same bytes, and no others."""
    journalled, published = said_by_journals(evidence), on_topics(evidence)
    for place, record in journalled.items():
        if place not in published:
            yield Finding(f"{_text(place)} is in the journal and not on its topic", may_pass=True)
        elif published[place] != record:
            yield Finding(f"{_text(place)} is on its topic in other bytes than in the journal")
    for place in published.keys() - journalled.keys():
        if CHANNELS[place[0]].department in evidence.journals:
            yield Finding(f"{_text(place)} is on its topic and in no journal")


def _text(place: Place) -> str:
    channel, key, sequence = place
    return f"{channel}: {key} {sequence}"


# ---- consumers ----------------------------------------------------------------------------------


def hearing(evidence: Evidence) -> Iterator[Finding]:
    """Check that each department processed every event of its channels, once and in order."""
    published = _by_engagement(evidence)
    for service in evidence.journals:
        deciders = DECIDERS[service]
        streams = evidence.streams(service)
        for kind in deciders.values():
            if kind.kind == "engagement":
                channels = consumed_channels([kind])
                for engagement, events in published.items():
                    commits = streams.get(kind.stream(engagement), [])
                    for channel in channels:
                        yield from _heard(service, kind, channel, events, commits)


def _by_engagement(evidence: Evidence) -> dict[str, dict[str, dict[int, bytes]]]:
    """Return the first occurrences by engagement, channel and sequence."""
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
    published = events.get(channel.name, {})
    position = dict(commits[-1].position).get(channel.name, 0) if commits else 0
    entries = [
        (decoded(kept.record), kept)
        for commit in commits
        for kept in commit.events
        if not kept.own and kept.channel == channel.name
    ]
    if not published and not position:
        return
    subject = next(iter(published.values())) if published else entries[0][1].record
    what = f"{service} consumes {channel.name} of {decoded(subject).subject}"
    if position != max(published, default=0):
        yield Finding(
            f"{what}: it is at {position}, and {max(published, default=0)} was published",
            may_pass=True,
        )
    sequences = [recorded.sequence for recorded, _ in entries]
    for sequence, times in Counter(sequences).items():
        if times > 1:
            yield Finding(f"{what}: {sequence} was taken in {times} times")
    if sequences != sorted(sequences):
        yield Finding(f"{what}: events were taken in out of order, {sequences}")
    for recorded, kept in entries:
        if published.get(recorded.sequence, kept.record) != kept.record:
            yield Finding(f"{what}: {recorded.sequence} was taken in with other bytes")
    for sequence in _of_interest(kind, published):
        if sequence <= position and sequence not in sequences:
            yield Finding(f"{what}: {sequence} was passed over")


def _of_interest(kind: AnyDecider, published: Mapping[int, bytes]) -> Iterator[int]:
    for sequence, record in published.items():
        if type(decoded(record).event) in kind.evolves_by:
            yield sequence


def views(evidence: Evidence) -> Iterator[Finding]:
    """Check list rows and snapshots against a replay of the journal."""
    for service in evidence.journals:
        for stream, commits in evidence.streams(service).items():
            what = f"{service}: the view of {stream}"
            view = evidence.views[service].get(stream)
            if view is None:
                yield Finding(f"{what} is absent", may_pass=True)
                continue
            try:
                afresh, then = folded_afresh(service, commits, view.known.stream.number)
            except Exception as error:  # noqa: BLE001 - with any error, the journal is invalid
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
    """Return a stream after all its commits, and after the commit of a number, if any."""
    stream = commits[0].stream
    decider = DECIDERS[service][stream.partition(":")[0]]
    known, then = nothing_known(decider, stream), None
    for commit in commits:
        known = advanced(decider, known, commit)
        if commit.number == number:
            then = known
    return known, then


def shown(service: str, known: Known) -> tuple[Mapping[str, Value], datetime | None]:
    """Return the expected list row of a stream, and its next deadline."""
    kind, _, subject = known.stream.id.partition(":")
    listing = LISTINGS[service].get(kind)
    fields: dict[str, Value] = {SUBJECT: subject}
    if listing is not None:
        fields |= dict.fromkeys(listing.fields)
        fields |= dict(listing.summarise(known.stream.state))
    deadlines = DECIDERS[service][kind].deadlines(known.stream.state)
    return fields, min((each.at for each in deadlines), default=None)


def pending(evidence: Evidence) -> Iterator[Finding]:
    """Check that each request between streams has its outcome, and that no outcome differs."""
    for service in evidence.journals:
        causes = {commit.cause: commit for commit in evidence.journals[service]}
        for stream, commits in evidence.streams(service).items():
            try:
                known, _ = folded_afresh(service, commits, 0)
            except Exception:  # noqa: BLE001, S112 - found by the check of the states
                continue
            for asked in known.stream.requests.values():
                yield Finding(f"{service}: {stream} waits for {asked.event.key}", may_pass=True)
            for event in (each.event for commit in commits for each in commit.new_events()):
                if isinstance(event, OutcomeRecorded):
                    outcome = causes.get(f"{stream}/request/{event.key}")
                    if outcome is None or outcome.refusal != event.refusal:
                        yield Finding(f"{service}: {stream} has another outcome of {event.key}")


def parked(evidence: Evidence) -> Iterator[Finding]:
    """Check that nothing is parked."""
    for service, records in evidence.parked.items():
        for record in records:
            yield Finding(
                f"{service} parks {record.engagement}: {record.channel.name} {record.sequence},"
                f" {record.code}: {record.sentence}",
                may_pass=True,
            )
