"""Events that the gateway publishes: disconnects detected, resolved and waived.

A disconnect is a contradiction between what two departments believe about an engagement.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from contracts.channels import GATEWAY, GATEWAY_CONFIDENTIAL, Department
from contracts.event import Event
from contracts.money import Money
from contracts.values import (
    Identifier,
    Moment,
    PersonId,
    ShortText,
    StreamSequence,
    Text,
    TotalDays,
    Value,
)
from contracts.vocabularies import OPEN, Unlisted

MOST_EVIDENCE = 1_000
"""Maximum number of events that a disconnect names as its evidence."""


class Evidence(Value):
    """An event that proves a disconnect."""

    event: Identifier
    """Id of the event."""
    type: ShortText
    """Type of the event, such as `concord.legal.sow-signed.v1`."""
    channel: ShortText
    """Channel of the event, such as `legal`."""
    streamsequence: StreamSequence
    """The `streamsequence` of the event: its number on its channel in this engagement."""


class _Finding(Event):
    """Base of the events of one disconnect."""

    finding: Identifier
    """Id of the disconnect within its engagement.

    It is the rule's id or, where a rule can find several, that with the id of the subject after a
    dot.
    """
    rule: Identifier
    """Id of the rule that found it."""


class _Detected(_Finding):
    sentence: Text
    """The contradiction in words, in English."""
    evidence: Annotated[tuple[Evidence, ...], Field(max_length=MOST_EVIDENCE)]
    """Events that prove it; the first 1,000 of more."""
    since: Moment
    """When the latest event that proves it happened (UTC).

    Where it is that something did not happen in time, the end of that time.
    """
    owner: Annotated[Department | Unlisted, OPEN]
    """Department that can resolve it."""
    exposure: Money | None = None
    """Price of the lines or the contract that it touches, never negative; null where unknown.

    It is never below `at_stake`. In a confidential disconnect it may be a cost.
    """
    at_stake: Money | None = None
    """The difference itself, never negative; null where unknown, which is not zero.

    It is hours x rate, days x the agreed cost of delay, or an amount billed, unpaid or agreed
    otherwise.
    """
    days: TotalDays | None = None
    """Calendar days that depend on it, such as a delay; null where none are known."""
    severity: Literal["warning", "serious"] = "warning"
    """Urgency of the disconnect."""


_ALL_DEPARTMENTS: tuple[Department, ...] = ("sales", "legal", "delivery", "finance")


class DisconnectDetected(_Detected, channel=GATEWAY, consumed_by=_ALL_DEPARTMENTS):
    """A disconnect was detected: two departments believe what cannot both be true.

    Published by the gateway; again when its evidence or severity changed.
    """


class DisconnectResolved(_Finding, channel=GATEWAY, consumed_by=_ALL_DEPARTMENTS):
    """A disconnect was resolved: the events no longer contradict each other.

    Published by the gateway.
    """


class DisconnectWaived(_Finding, channel=GATEWAY, consumed_by=_ALL_DEPARTMENTS):
    """A disconnect was waived: a person accepted it as it is, until it is resolved.

    Published by the gateway.
    """

    why: Text
    """Reason for the waiver."""
    waived_by: PersonId
    """Person who accepted it."""


class ConfidentialDisconnectDetected(_Detected, channel=GATEWAY_CONFIDENTIAL):
    """A disconnect was detected whose sentence or amounts would reveal costs or margins.

    Published by the gateway in confidence; again when its evidence or severity changed.
    """


class ConfidentialDisconnectResolved(_Finding, channel=GATEWAY_CONFIDENTIAL):
    """A confidential disconnect was resolved. Published by the gateway in confidence."""


class ConfidentialDisconnectWaived(_Finding, channel=GATEWAY_CONFIDENTIAL):
    """A confidential disconnect was waived: a person accepted it as it is, until it is resolved.

    Published by the gateway in confidence.
    """

    why: Text
    """Reason for the waiver."""
    waived_by: PersonId
    """Person who accepted it."""


class Disconnect(Value):
    """An unresolved disconnect as a department stores it, with its waiver if there is one."""

    detected: DisconnectDetected
    """The last detection."""
    waived: DisconnectWaived | None = None
    """The waiver; null where there is none."""


DisconnectEvent: TypeAlias = DisconnectDetected | DisconnectResolved | DisconnectWaived
"""Event of a disconnect that is not confidential."""


def open_disconnects(
    known: Mapping[str, Disconnect], event: DisconnectEvent
) -> dict[str, Disconnect]:
    """Return the unresolved disconnects by finding after an event; the one it changed is last.

    A waiver is kept when its disconnect is detected again, and dropped when it is resolved. A
    waiver of a disconnect that is not known is ignored.
    """
    before = known.get(event.finding)
    others = {finding: each for finding, each in known.items() if finding != event.finding}
    match event:
        case DisconnectDetected():
            waived = before.waived if before else None
            return others | {event.finding: Disconnect(detected=event, waived=waived)}
        case DisconnectWaived() if before is not None:
            return others | {event.finding: before.model_copy(update={"waived": event})}
        case _:
            return others
