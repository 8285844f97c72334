"""The decider of disconnects: findings and waivers are events like any other."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.decider import Decider, Decisions, Evolution
from contracts import gateway as contract
from contracts.channels import Department
from contracts.event import Event, Recorded
from contracts.gateway import Evidence
from contracts.money import Money
from contracts.values import Identifier, Text, Value
from gateway.disconnects import Finding
from gateway.sections.gateway import proof


class Announced(Value):
    """A finding as it was last announced; `proof` tells when its evidence or gravity changed."""

    rule: Identifier
    confidential: bool
    proof: str
    waived: str | None = None


class Announcements(BaseModel):
    """The findings of one engagement that stand announced."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    standing: dict[str, Announced] = {}

    def with_standing(self, finding: str, announced: Announced | None) -> "Announcements":
        """The same with one finding put in or taken out."""
        standing = {name: value for name, value in self.standing.items() if name != finding}
        if announced is not None:
            standing[finding] = announced
        return self.model_copy(update={"standing": standing})


class FoundNow(Value):
    """A finding on its way from the rules to the topics."""

    finding: Identifier
    rule: Identifier
    sentence: Text
    evidence: tuple[Evidence, ...]
    since: datetime
    owner: Department
    stake: Money | None = None
    days: int | None = None
    severity: Literal["warning", "serious"]
    confidential: bool


class AnnounceFindings(Command):
    """Tell the departments what the rules find in this engagement now; given by the gateway."""

    findings: tuple[FoundNow, ...]


class WaiveDisconnect(Command):
    """Accept a contradiction as it is, with a reason; it stays visible and asks nobody any more."""

    finding: Identifier
    why: Text

    def given_by(self, *, confidential: bool) -> "WaiveDisconnect":
        """The waiver of somebody who may, or may not, see what is confidential."""
        return WaiveAnyDisconnect(**dict(self)) if confidential else self


class WaiveAnyDisconnect(WaiveDisconnect):
    """The same, given by somebody who may see what is confidential."""


def found_now(finding: Finding) -> FoundNow:
    """The finding in the words of the contracts."""
    return FoundNow(
        finding=finding.finding,
        rule=finding.rule,
        sentence=finding.sentence,
        evidence=tuple(
            Evidence(event=ref.event, type=ref.type, channel=ref.channel, sequence=ref.sequence)
            for ref in finding.evidence
        ),
        since=finding.since,
        owner=finding.owner,
        stake=finding.stake,
        days=finding.days,
        severity=finding.severity,
        confidential=finding.confidential,
    )


def _proof(
    finding: FoundNow | contract.DisconnectDetected | contract.ConfidentialDisconnectDetected,
) -> str:
    return proof(finding.severity, (item.event for item in finding.evidence))


evolve = Evolution[Announcements]()
decide = Decisions[Announcements]()


def _detected(
    state: Announcements,
    recorded: Recorded[contract.DisconnectDetected | contract.ConfidentialDisconnectDetected],
) -> Announcements:
    event = recorded.event
    standing = state.standing.get(event.finding)
    return state.with_standing(
        event.finding,
        Announced(
            rule=event.rule,
            confidential=event.channel.confidential,
            proof=_proof(event),
            waived=standing.waived if standing else None,
        ),
    )


def _resolved(
    state: Announcements,
    recorded: Recorded[contract.DisconnectResolved | contract.ConfidentialDisconnectResolved],
) -> Announcements:
    return state.with_standing(recorded.event.finding, None)


def _waived(
    state: Announcements,
    recorded: Recorded[contract.DisconnectWaived | contract.ConfidentialDisconnectWaived],
) -> Announcements:
    standing = state.standing[recorded.event.finding]
    return state.with_standing(
        recorded.event.finding, standing.model_copy(update={"waived": recorded.event.why})
    )


evolve.on(contract.DisconnectDetected)(_detected)
evolve.on(contract.ConfidentialDisconnectDetected)(_detected)
evolve.on(contract.DisconnectResolved)(_resolved)
evolve.on(contract.ConfidentialDisconnectResolved)(_resolved)
evolve.on(contract.DisconnectWaived)(_waived)
evolve.on(contract.ConfidentialDisconnectWaived)(_waived)


@decide.on(AnnounceFindings)
def announce(state: Announcements, command: AnnounceFindings, context: Context) -> Iterable[Event]:
    """New and changed findings are said, and those that are gone."""
    now = {finding.finding: finding for finding in command.findings}
    for name, finding in now.items():
        standing = state.standing.get(name)
        if standing is None or standing.proof != _proof(finding):
            kind = (
                contract.ConfidentialDisconnectDetected
                if finding.confidential
                else contract.DisconnectDetected
            )
            yield kind(**finding.model_dump(exclude={"confidential"}))
    for name, standing in state.standing.items():
        if name not in now:
            ended = (
                contract.ConfidentialDisconnectResolved
                if standing.confidential
                else contract.DisconnectResolved
            )
            yield ended(finding=name, rule=standing.rule)


@decide.on(WaiveDisconnect)
def waive(state: Announcements, command: WaiveDisconnect, context: Context) -> Iterable[Event]:
    """A person accepts a finding that stands; twice the same changes nothing.

    For those who may not see it, what is confidential does not stand.
    """
    standing = state.standing.get(command.finding)
    hidden = not isinstance(command, WaiveAnyDisconnect)
    if standing is None or (standing.confidential and hidden):
        raise Refused("no-such-disconnect", f"No disconnect {command.finding} stands here.")
    if standing.waived == command.why:
        return
    kind = (
        contract.ConfidentialDisconnectWaived
        if standing.confidential
        else contract.DisconnectWaived
    )
    yield kind(
        finding=command.finding, rule=standing.rule, why=command.why, waived_by=context.actor
    )


decide.on(WaiveAnyDisconnect)(waive)


ENGAGEMENT = Decider(
    department="gateway",
    kind="engagement",
    initial=lambda _: Announcements(),
    evolve=evolve,
    decide=decide,
    opens=frozenset({AnnounceFindings, WaiveDisconnect, WaiveAnyDisconnect}),
    route=lambda _: None,
)
