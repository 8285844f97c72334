"""Decider of disconnects: commands publish what the rules find now, and waive a disconnect."""

from collections.abc import Iterable
from datetime import UTC, date, timedelta
from typing import Self, TypeAlias

from pydantic import Field

from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused, refused_field
from chassis.domain.context import Context
from chassis.domain.decider import Decider
from chassis.domain.state import Part, on_event
from contracts import gateway as contract
from contracts.event import Event
from contracts.gateway import Evidence
from contracts.values import Day, Identifier, Text, Value
from gateway.rules import Disconnect
from gateway.view.sections.gateway import proof

Detected: TypeAlias = contract.DisconnectDetected | contract.ConfidentialDisconnectDetected

LONGEST_WAIVER = 366
"""Days from today until which a disconnect may be waived; a longer one would be for ever."""


class PublishedDisconnect(Value):
    """The last publication of an unresolved disconnect.

    `proof` differs when severity, sides or evidence do, and when others can resolve it. `waived` is
    the reason of a waiver, and `waived_until` its last day (UTC).
    """

    rule: Identifier
    confidential: bool
    proof: str
    waived: str | None = None
    waived_until: Day | None = None

    def is_waived(self, on: date) -> bool:
        """Return whether it is waived on a day (UTC)."""
        return self.waived_until is not None and on <= self.waived_until


class EngagementDisconnects(Part):
    """The published and unresolved disconnects of one engagement, by id."""

    published: dict[str, PublishedDisconnect] = Field(default_factory=dict)

    @on_event
    def _detected(self, event: Detected) -> Self:
        before = self.published.get(event.finding)
        is_waived = before is not None and event.waived_until is not None
        published = PublishedDisconnect(
            rule=event.rule,
            confidential=event.channel.confidential,
            proof=_proof(event),
            waived=before.waived if before and is_waived else None,
            waived_until=event.waived_until,
        )
        return self.updated(published={**self.published, event.finding: published})

    @on_event
    def _resolved(
        self, event: contract.DisconnectResolved | contract.ConfidentialDisconnectResolved
    ) -> Self:
        left = {name: each for name, each in self.published.items() if name != event.finding}
        return self.updated(published=left)

    @on_event
    def _waived(
        self, event: contract.DisconnectWaived | contract.ConfidentialDisconnectWaived
    ) -> Self:
        waived = self.published[event.finding].model_copy(
            update={"waived": event.why, "waived_until": event.until}
        )
        return self.updated(published={**self.published, event.finding: waived})


class PublishDisconnects(Command):
    """Publish what the rules find in this engagement now. Only the gateway gives this command."""

    disconnects: tuple[Detected, ...]
    """All that the rules find, as the events to publish where they are new or have changed."""


class WaiveDisconnect(Command):
    """Accept a disconnect as it is until a day, with a reason.

    It remains visible, and does not need attention until that day has passed.
    """

    finding: Identifier
    why: Text
    until: Day
    """Last day (UTC) of the waiver, after today and at most 366 days from today."""

    def given_by(self, *, confidential: bool) -> "WaiveDisconnect":
        """Return the command of a caller who may, or may not, see confidential disconnects."""
        return WaiveAnyDisconnect(**dict(self)) if confidential else self


class WaiveAnyDisconnect(WaiveDisconnect):
    """A waiver by a caller who may see confidential disconnects; it may waive those, too."""


def detected(disconnect: Disconnect) -> Detected:
    """Return the event that publishes a disconnect."""
    kind = (
        contract.ConfidentialDisconnectDetected
        if disconnect.confidential
        else contract.DisconnectDetected
    )
    return kind(
        finding=disconnect.finding,
        rule=disconnect.rule,
        sentence=disconnect.sentence,
        sides=disconnect.sides,
        evidence=tuple(
            Evidence(
                event=ref.event,
                type=ref.type,
                channel=ref.channel,
                streamsequence=ref.streamsequence,
            )
            for ref in disconnect.evidence
        ),
        since=disconnect.since,
        owner=disconnect.owner,
        role=disconnect.role,
        ends_with=disconnect.ends_with,
        command=disconnect.command,
        command_of=disconnect.command_of,
        exposure=disconnect.exposure,
        at_stake=disconnect.at_stake,
        days=disconnect.days,
        severity=disconnect.severity,
    )


def _proof(event: Detected) -> str:
    return proof(event, (item.event for item in event.evidence))


capability = Capability[EngagementDisconnects](__name__)


@capability.decide(PublishDisconnects, by=None, opens=True)
def publish(
    state: EngagementDisconnects, command: PublishDisconnects, context: Context
) -> Iterable[Event]:
    """Publish disconnects that are new or have changed, and resolve those that are gone.

    One whose waiver has run out is published again, without it.
    """
    today = context.recorded_at.astimezone(UTC).date()
    current = {event.finding: event for event in command.disconnects}
    for finding, event in current.items():
        before = state.published.get(finding)
        if before is None:
            yield event
        elif before.is_waived(today):
            if before.proof != _proof(event):
                yield event.model_copy(update={"waived_until": before.waived_until})
        elif before.waived_until is not None or before.proof != _proof(event):
            yield event
    for finding, disconnect in state.published.items():
        if finding not in current:
            resolved = (
                contract.ConfidentialDisconnectResolved
                if disconnect.confidential
                else contract.DisconnectResolved
            )
            yield resolved(finding=finding, rule=disconnect.rule)


@capability.decide(WaiveDisconnect, by=None, opens=True)
def waive(
    state: EngagementDisconnects, command: WaiveDisconnect, context: Context
) -> Iterable[Event]:
    """Waive a disconnect until a day; the same waiver given again changes nothing.

    Raises Refused where there is no such disconnect, or where it is confidential and the caller may
    not see it: both are refused with the same words; and where the day is not after today (UTC), or
    more than 366 days from it.
    """
    disconnect = state.published.get(command.finding)
    hidden = not isinstance(command, WaiveAnyDisconnect)
    if disconnect is None or (disconnect.confidential and hidden):
        raise Refused("disconnect-unknown", f"There is no open disconnect {command.finding} here.")
    today = context.recorded_at.astimezone(UTC).date()
    known = disconnect.waived, disconnect.waived_until
    if disconnect.is_waived(today) and known == (command.why, command.until):
        return
    if command.until <= today:
        raise Refused(
            "waiver-not-in-future", f"The waiver would end on {command.until}, not after today."
        )
    if command.until > (longest := today + timedelta(days=LONGEST_WAIVER)):
        sentence = f"until: {command.until} is after {longest}, {LONGEST_WAIVER} days from today"
        raise refused_field("waiver-too-long", "until", sentence)
    kind = (
        contract.ConfidentialDisconnectWaived
        if disconnect.confidential
        else contract.DisconnectWaived
    )
    yield kind(
        finding=command.finding,
        rule=disconnect.rule,
        why=command.why,
        waived_by=context.acting_for,
        until=command.until,
    )


capability.decide(WaiveAnyDisconnect, by=None, opens=True)(waive)


ENGAGEMENT = Decider(
    department="gateway",
    kind="engagement",
    initial=lambda _: EngagementDisconnects(),
    capabilities=(capability,),
)
