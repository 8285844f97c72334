"""Decider of disconnects: commands publish what the rules find now, and waive a disconnect."""

from collections.abc import Iterable
from typing import Self, TypeAlias

from pydantic import Field

from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.decider import Decider
from chassis.domain.state import Part, on_event
from contracts import gateway as contract
from contracts.event import Event
from contracts.gateway import Evidence
from contracts.values import Identifier, Text, Value
from gateway.rules import Disconnect
from gateway.view.sections.gateway import proof

Detected: TypeAlias = contract.DisconnectDetected | contract.ConfidentialDisconnectDetected


class PublishedDisconnect(Value):
    """The last publication of an unresolved disconnect.

    `proof` differs when severity or evidence do. `waived` is the reason of a waiver.
    """

    rule: Identifier
    confidential: bool
    proof: str
    waived: str | None = None


class EngagementDisconnects(Part):
    """The published and unresolved disconnects of one engagement, by id."""

    published: dict[str, PublishedDisconnect] = Field(default_factory=dict)

    @on_event
    def _detected(self, event: Detected) -> Self:
        before = self.published.get(event.finding)
        published = PublishedDisconnect(
            rule=event.rule,
            confidential=event.channel.confidential,
            proof=_proof(event),
            waived=before.waived if before else None,
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
        waived = self.published[event.finding].model_copy(update={"waived": event.why})
        return self.updated(published={**self.published, event.finding: waived})


class PublishDisconnects(Command):
    """Publish what the rules find in this engagement now. Only the gateway gives this command."""

    disconnects: tuple[Detected, ...]
    """All that the rules find, as the events to publish where they are new or have changed."""


class WaiveDisconnect(Command):
    """Accept a disconnect as it is, with a reason.

    It remains visible until it is resolved, and no longer needs attention.
    """

    finding: Identifier
    why: Text

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
        exposure=disconnect.exposure,
        at_stake=disconnect.at_stake,
        days=disconnect.days,
        severity=disconnect.severity,
    )


def _proof(event: Detected) -> str:
    return proof(event.severity, (item.event for item in event.evidence))


capability = Capability[EngagementDisconnects](__name__)


@capability.decide(PublishDisconnects, by=None, opens=True)
def publish(
    state: EngagementDisconnects, command: PublishDisconnects, context: Context
) -> Iterable[Event]:
    """Publish disconnects that are new or have changed, and resolve those that are gone."""
    current = {event.finding: event for event in command.disconnects}
    for finding, event in current.items():
        before = state.published.get(finding)
        if before is None or before.proof != _proof(event):
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
    """Waive a disconnect; the same waiver given again changes nothing.

    Raises Refused where there is no such disconnect, or where it is confidential and the caller may
    not see it: both are refused with the same words.
    """
    disconnect = state.published.get(command.finding)
    hidden = not isinstance(command, WaiveAnyDisconnect)
    if disconnect is None or (disconnect.confidential and hidden):
        raise Refused("disconnect-unknown", f"There is no open disconnect {command.finding} here.")
    if disconnect.waived == command.why:
        return
    kind = (
        contract.ConfidentialDisconnectWaived
        if disconnect.confidential
        else contract.DisconnectWaived
    )
    yield kind(
        finding=command.finding, rule=disconnect.rule, why=command.why, waived_by=context.acting_for
    )


capability.decide(WaiveAnyDisconnect, by=None, opens=True)(waive)


ENGAGEMENT = Decider(
    department="gateway",
    kind="engagement",
    initial=lambda _: EngagementDisconnects(),
    capabilities=(capability,),
)
