"""Content of an engagement's page: its stages, its disconnects with evidence, its timeline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from contracts.channels import CHANNELS
from contracts.event import Event, Recorded
from gateway.pages.names import UNDER_WAY, Names, channel_name, stage_name
from gateway.redaction import Reader
from gateway.rules import Disconnect
from gateway.view.engagement_view import View, sentence_of, withheld_from
from gateway.view.sections.gateway import Waiver

_NOT_SHOWN = "author not shown"


@dataclass(frozen=True, slots=True)
class Step:
    """A stage of an engagement; `state` is passed, current or ahead, `on` the day it began."""

    stage: str
    name: str
    state: str
    on: date | datetime | None


def stage_steps(view: View) -> list[Step]:
    """Return the stages in order, each with the day on which it began where that is known."""
    sales, legal, delivery = view.sales, view.legal, view.delivery
    proposals = sales.proposals
    kickoff_on = delivery.kickoff.event.held_on if delivery.kickoff else None
    signed = legal.signed or legal.imported
    baselined_on = delivery.imported.event.baselined_on if delivery.imported else None
    begun: dict[str, date | datetime | None] = {
        "opportunity": sales.opened_on,
        "proposal": proposals[min(proposals)].said.occurred_at if proposals else None,
        "contracting": sales.won_on,
        "mobilising": signed.event.signed_on if signed else kickoff_on,
        "delivering": kickoff_on if delivery.baseline else baselined_on,
        "closing": delivery.live.event.live_on if delivery.live else None,
        "closed": delivery.closed.event.closed_on if delivery.closed else None,
        "lost": sales.lost_on,
        "terminated": legal.terminated.event.terminated_on if legal.terminated else None,
    }
    current = view.stage
    ended_otherwise = current in ("lost", "terminated")
    stages = [*UNDER_WAY, current if ended_otherwise else "closed"]
    here = stages.index(current)
    return [
        Step(
            each,
            stage_name(each),
            "current"
            if place == here
            else "passed"
            if place < here and (begun[each] is not None or not ended_otherwise)
            else "ahead",
            begun[each],
        )
        for place, each in enumerate(stages)
    ]


@dataclass(frozen=True, slots=True)
class Heard:
    """The last event of a channel that the author of another event had processed."""

    channel: str
    name: str
    sequence: int

    @property
    def anchor(self) -> str:
        """The HTML id of that event on the page."""
        return anchor(self.channel, self.sequence)


@dataclass(frozen=True, slots=True)
class Entry:
    """An event in the timeline, with the position that its author had processed."""

    id: str
    channel: str
    department: str
    confidential: bool
    sequence: int
    sentence: str
    actor: str
    occurred_at: datetime
    recorded_at: datetime
    heard: tuple[Heard, ...]

    @property
    def anchor(self) -> str:
        """The HTML id of the entry on the page."""
        return anchor(self.channel, self.sequence)

    @property
    def recorded_later(self) -> bool:
        """True if it was recorded on another day than it occurred on."""
        return self.recorded_at.date() != self.occurred_at.date()


def anchor(channel: str, sequence: int) -> str:
    """Return the HTML id of an event on its engagement's page."""
    return f"{channel.replace('.', '-')}-{sequence}"


def heard(position: Mapping[str, int], *, confidential: bool) -> tuple[Heard, ...]:
    """Return a position by channel; confidential channels only where the reader may see them."""
    return tuple(
        Heard(name, channel_name(name), position[name])
        for name in CHANNELS
        if name in position and (confidential or not CHANNELS[name].confidential)
    )


def entry(recorded: Recorded[Event], names: Names, reader: Reader) -> Entry:
    """Return the timeline's entry of an event, with what the reader may see."""
    channel = recorded.channel
    personal = withheld_from(reader, recorded.event)
    return Entry(
        id=recorded.id,
        channel=channel.name,
        department=channel.department,
        confidential=channel.confidential,
        sequence=recorded.sequence,
        sentence=sentence_of(recorded.event, names, reader),
        actor=_NOT_SHOWN if personal and personal.hides_author else _actor(recorded, names),
        occurred_at=recorded.occurred_at,
        recorded_at=recorded.recorded_at,
        heard=heard(recorded.heard, confidential=reader.confidential),
    )


def _actor(recorded: Recorded[Event], names: Names) -> str:
    actor = names.person(recorded.actor)
    if recorded.on_behalf_of is None:
        return actor
    return f"{actor} for {names.person(recorded.on_behalf_of)}"


def by_month(entries: Sequence[Entry]) -> list[tuple[str, list[Entry]]]:
    """Return consecutive entries grouped by the month in which they occurred, in their order."""
    return [
        (month, list(group))
        for month, group in groupby(entries, lambda each: f"{each.occurred_at:%B %Y}")
    ]


@dataclass(frozen=True, slots=True)
class Proof:
    """An event that proves a disconnect, and earlier evidence that its author had not processed."""

    entry: Entry
    unaware_of: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class ProvedDisconnect:
    """A disconnect with the events that prove it, and its waiver if there is one."""

    disconnect: Disconnect
    proofs: tuple[Proof, ...]
    waived: Waiver | None
    waived_by: str

    @property
    def anchor(self) -> str:
        """The HTML id of the disconnect on the page."""
        return f"finding-{self.disconnect.finding}"


def proved_disconnects(
    disconnects: Mapping[str, Disconnect],
    waivers: Mapping[str, Waiver],
    timeline: Sequence[Recorded[Event]],
    names: Names,
    reader: Reader,
) -> list[ProvedDisconnect]:
    """Return the disconnects with their evidence, the serious and oldest first, the waived last."""
    events = {each.id: each for each in timeline}
    shown = [each for each in disconnects.values() if reader.confidential or not each.confidential]
    shown.sort(
        key=lambda each: (
            each.finding in waivers,
            each.severity != "serious",
            each.since,
            each.finding,
        )
    )
    proved = []
    for disconnect in shown:
        waiver = waivers.get(disconnect.finding)
        evidence = [events[ref.event] for ref in disconnect.evidence if ref.event in events]
        proved.append(
            ProvedDisconnect(
                disconnect=disconnect,
                proofs=_proofs(evidence, names, reader),
                waived=waiver,
                waived_by=names.person(waiver.waived_by) if waiver else "",
            )
        )
    return proved


def _proofs(evidence: Sequence[Recorded[Event]], names: Names, reader: Reader) -> tuple[Proof, ...]:
    entries = {each.id: entry(each, names, reader) for each in evidence}
    return tuple(
        Proof(
            entries[each.id],
            tuple(
                entries[other.id]
                for other in evidence
                if other.channel.department != each.channel.department
                and other.recorded_at < each.recorded_at
                and each.heard.get(other.channel.name, 0) < other.sequence
            ),
        )
        for each in evidence
    )
