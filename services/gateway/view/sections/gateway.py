"""The gateway's own sections: disconnects that it published, and those that a person waived."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from typing import Protocol

from chassis.domain.ids import derived
from contracts import gateway
from contracts.event import Recorded
from contracts.gateway import Side
from gateway.formatting import day
from gateway.view.sections.sentences import Names
from gateway.view.sections.steps import Ref, Steps, ref


@dataclass(slots=True)
class Waiver:
    """A disconnect that a person accepted, the reason, and the last day of the waiver (UTC)."""

    finding: str
    why: str
    waived_by: str
    until: date
    said: Ref


@dataclass(slots=True)
class GatewaySection:
    """Disconnects as published on one of the gateway's two channels, by id."""

    announced: dict[str, Ref] = field(default_factory=dict)
    proofs: dict[str, str] = field(default_factory=dict)
    """The `proof` of each published disconnect."""
    waived: dict[str, Waiver] = field(default_factory=dict)


def in_force(waivers: Mapping[str, Waiver], on: date) -> dict[str, Waiver]:
    """Return the waivers that have not run out on a day (UTC)."""
    return {name: each for name, each in waivers.items() if on <= each.until}


class _Provable(Protocol):
    """A disconnect, or the event that publishes it."""

    @property
    def severity(self) -> str: ...
    @property
    def owner(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def ends_with(self) -> str | None: ...
    @property
    def command(self) -> str: ...
    @property
    def command_of(self) -> str | None: ...
    @property
    def sides(self) -> tuple[Side, Side]: ...


def proof(of: _Provable, evidence: Iterable[str]) -> str:
    """Return a text that differs when evidence (ids of events), sides or severity do.

    So it does when others can resolve the disconnect. A disconnect whose proof differs from the
    published one is published again.
    """
    sides = ((each.department, each.value, each.author, each.day) for each in of.sides)
    stated = (
        of.severity,
        of.owner,
        of.role,
        of.ends_with,
        of.command_of,
        of.command,
        *chain.from_iterable(sides),
    )
    return derived("/".join([*map(str, stated), *evidence]), 25)


steps = Steps(GatewaySection)
confidential_steps = Steps(GatewaySection)


def _detected_text(
    event: gateway.DisconnectDetected | gateway.ConfidentialDisconnectDetected, _: Names
) -> str:
    return f"Disconnect detected: {event.sentence}"


def _resolved_text(
    event: gateway.DisconnectResolved | gateway.ConfidentialDisconnectResolved, names: Names
) -> str:
    return f"Disconnect resolved: {names.rule(event.rule)}."


def _waived_text(
    event: gateway.DisconnectWaived | gateway.ConfidentialDisconnectWaived, names: Names
) -> str:
    return (
        f"{names.person(event.waived_by)} waived “{names.rule(event.rule)}” until "
        f"{day(event.until)}: “{event.why}”"
    )


steps.describe(gateway.DisconnectDetected, _detected_text)
steps.describe(gateway.DisconnectResolved, _resolved_text)
steps.describe(gateway.DisconnectWaived, _waived_text)
confidential_steps.describe(gateway.ConfidentialDisconnectDetected, _detected_text)
confidential_steps.describe(gateway.ConfidentialDisconnectResolved, _resolved_text)
confidential_steps.describe(gateway.ConfidentialDisconnectWaived, _waived_text)


def _detected(
    section: GatewaySection,
    recorded: Recorded[gateway.DisconnectDetected | gateway.ConfidentialDisconnectDetected],
) -> None:
    event = recorded.event
    section.announced[event.finding] = ref(recorded)
    section.proofs[event.finding] = proof(event, (item.event for item in event.evidence))
    if event.waived_until is None:
        section.waived.pop(event.finding, None)


def _resolved(
    section: GatewaySection,
    recorded: Recorded[gateway.DisconnectResolved | gateway.ConfidentialDisconnectResolved],
) -> None:
    section.announced.pop(recorded.event.finding, None)
    section.proofs.pop(recorded.event.finding, None)
    section.waived.pop(recorded.event.finding, None)


def _waived(
    section: GatewaySection,
    recorded: Recorded[gateway.DisconnectWaived | gateway.ConfidentialDisconnectWaived],
) -> None:
    event = recorded.event
    section.waived[event.finding] = Waiver(
        event.finding, event.why, event.waived_by, event.until, ref(recorded)
    )


steps.on(gateway.DisconnectDetected)(_detected)
steps.on(gateway.DisconnectResolved)(_resolved)
steps.on(gateway.DisconnectWaived)(_waived)
confidential_steps.on(gateway.ConfidentialDisconnectDetected)(_detected)
confidential_steps.on(gateway.ConfidentialDisconnectResolved)(_resolved)
confidential_steps.on(gateway.ConfidentialDisconnectWaived)(_waived)
