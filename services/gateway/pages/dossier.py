"""One engagement laid out: its way so far, what is wrong with the proof, and its timeline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from contracts.channels import CHANNELS
from contracts.event import Event, Recorded
from gateway.disconnects import Finding
from gateway.fold import View
from gateway.pages import presenting as say
from gateway.pages.presenting import Names
from gateway.pages.sentences import tell
from gateway.sections.gateway import Waiver


@dataclass(frozen=True, slots=True)
class Step:
    """A stage on the engagement's way: passed, current, ahead, or never to come."""

    stage: str
    name: str
    state: str
    on: date | datetime | None


def way(view: View) -> list[Step]:
    """The stages in their order with the day on which each began, as far as it is known."""
    sales, legal, delivery = view.sales, view.legal, view.delivery
    proposals = sales.proposals
    implementing = (delivery.kickoff_on, delivery.baseline)
    begun: dict[str, date | datetime | None] = {
        "opportunity": sales.opened.occurred_at if sales.opened else None,
        "proposal": proposals[min(proposals)].said.occurred_at if proposals else None,
        "contracting": sales.won.won_on if sales.won else None,
        "mobilising": legal.signed.signed_on if legal.signed else delivery.kickoff_on,
        "delivering": delivery.kickoff_on if None not in implementing else None,
        "closing": delivery.live_on,
        "closed": delivery.closed_on,
        "lost": sales.lost.lost_on if sales.lost else None,
        "terminated": legal.terminated.terminated_on if legal.terminated else None,
    }
    current = view.stage
    ended_otherwise = current in ("lost", "terminated")
    stages = [*say.UNDER_WAY, current if ended_otherwise else "closed"]
    here = stages.index(current)
    return [
        Step(
            each,
            say.stage(each),
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
    """How far the author of an event had heard a channel."""

    channel: str
    name: str
    sequence: int

    @property
    def anchor(self) -> str:
        """Where the last event that was heard stands on the page."""
        return anchor(self.channel, self.sequence)


@dataclass(frozen=True, slots=True)
class Entry:
    """An event in the timeline: the sentence, who said it, when, and knowing what."""

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
        """Where the entry stands on the page."""
        return anchor(self.channel, self.sequence)

    @property
    def recorded_later(self) -> bool:
        """Whether it was recorded on another day than it happened on."""
        return self.recorded_at.date() != self.occurred_at.date()


def anchor(channel: str, sequence: int) -> str:
    """The name of an event's place on its engagement's page."""
    return f"{channel.replace('.', '-')}-{sequence}"


def heard(position: Mapping[str, int], *, confidential: bool) -> tuple[Heard, ...]:
    """A position by channel, without the confidential ones for those who may not see them."""
    return tuple(
        Heard(name, say.channel(name), position[name])
        for name in CHANNELS
        if name in position and (confidential or not CHANNELS[name].confidential)
    )


def entry(recorded: Recorded[Event], names: Names, *, confidential: bool) -> Entry:
    """An event as the timeline shows it."""
    channel = recorded.channel
    return Entry(
        id=recorded.id,
        channel=channel.name,
        department=channel.department,
        confidential=channel.confidential,
        sequence=recorded.sequence,
        sentence=tell(recorded.event, names),
        actor=names.person(recorded.actor),
        occurred_at=recorded.occurred_at,
        recorded_at=recorded.recorded_at,
        heard=heard(recorded.heard, confidential=confidential),
    )


def by_month(entries: Sequence[Entry]) -> list[tuple[str, list[Entry]]]:
    """The entries under the month in which they happened, in the order they come."""
    return [
        (month, list(those))
        for month, those in groupby(entries, lambda each: f"{each.occurred_at:%B %Y}")
    ]


@dataclass(frozen=True, slots=True)
class Proof:
    """An event that proves a finding, and what its author did not know of the other proofs."""

    entry: Entry
    unaware_of: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """A finding with its proof, and its waiver where a person accepted it."""

    finding: Finding
    proofs: tuple[Proof, ...]
    waived: Waiver | None
    waived_by: str

    @property
    def anchor(self) -> str:
        """Where the case stands on the page."""
        return f"finding-{self.finding.finding}"


def cases(
    view: View,
    findings: Mapping[str, Finding],
    timeline: Sequence[Recorded[Event]],
    names: Names,
    *,
    confidential: bool,
) -> list[Case]:
    """The findings, the serious and oldest first and the waived last, each with its proof."""
    said = {each.id: each for each in timeline}
    waivers = view.gateway.waived | view.gateway_confidential.waived
    shown = [each for each in findings.values() if confidential or not each.confidential]
    shown.sort(
        key=lambda each: (
            each.finding in waivers,
            each.severity != "serious",
            each.since,
            each.finding,
        )
    )
    found = []
    for finding in shown:
        waiver = waivers.get(finding.finding)
        proof = [said[ref.event] for ref in finding.evidence if ref.event in said]
        found.append(
            Case(
                finding=finding,
                proofs=_proofs(proof, names, confidential=confidential),
                waived=waiver,
                waived_by=names.person(waiver.waived_by) if waiver else "",
            )
        )
    return found


def _proofs(
    proof: Sequence[Recorded[Event]], names: Names, *, confidential: bool
) -> tuple[Proof, ...]:
    entries = {each.id: entry(each, names, confidential=confidential) for each in proof}
    return tuple(
        Proof(
            entries[each.id],
            tuple(
                entries[other.id]
                for other in proof
                if other.channel.department != each.channel.department
                and other.recorded_at < each.recorded_at
                and each.heard.get(other.channel.name, 0) < other.sequence
            ),
        )
        for each in proof
    )
