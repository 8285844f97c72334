"""Events that the gateway publishes: disconnects detected, resolved and waived.

A disconnect is a contradiction between what two departments believe about an engagement.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from contracts.channels import GATEWAY, GATEWAY_CONFIDENTIAL, Department
from contracts.event import Event
from contracts.money import Money
from contracts.roles import Role
from contracts.values import (
    Day,
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


class Side(Value):
    """A statement of one department about the subject of a disconnect, and who made it."""

    department: Annotated[Department | Unlisted, OPEN]
    """Department that believes it."""
    value: ShortText
    """The statement in English: an amount, hours, a day, or that nothing was stated.

    An amount has its currency. The value names no person.
    """
    author: PersonId | None = None
    """Person who stated it: where a stand-in did, the person for whom.

    Null where no person did or the department stated nothing, and where it follows from time or
    expenses, whose events tell not every reader who their author is.
    """
    day: Day | None = None
    """Day on which it was stated, or on which what it states happened; null where nothing was."""


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
    sides: tuple[Side, Side]
    """The two statements that contradict each other, mostly of two departments."""
    evidence: Annotated[tuple[Evidence, ...], Field(max_length=MOST_EVIDENCE)]
    """Events that prove it; the first 1,000 of more."""
    since: Moment
    """When the latest event that proves it happened (UTC).

    Where it is that something did not happen in time, the end of that time.
    """
    owner: Annotated[Department | Unlisted, OPEN]
    """Department that can resolve it."""
    role: Annotated[Role | Unlisted, OPEN]
    """Role that can give the command."""
    ends_with: PersonId | None = None
    """Person of the engagement who has that role; null where none is known to have it."""
    command: Identifier
    """Name of a command with which it can be resolved, or that begins it, such as `draft-sow`."""
    command_of: Annotated[Department | Unlisted, OPEN] | None = None
    """Department that takes the command; null where it is the owner."""
    exposure: Money | None = None
    """Price of the lines or the contract that it touches, never negative; null where unknown.

    It is never below `at_stake`, nor above the price of the engagement where that is known in the
    same currency. In a confidential disconnect it may be a cost.
    """
    at_stake: Money | None = None
    """The difference itself, never negative; null where unknown, which is not zero.

    It is hours x rate, days x the agreed cost of delay, or an amount billed, unpaid or agreed
    otherwise; of more than the price of the engagement, that price.
    """
    days: TotalDays | None = None
    """Calendar days that depend on it, such as a delay; null where none are known."""
    severity: Literal["warning", "serious"] = "warning"
    """Urgency of the disconnect."""
    waived_until: Day | None = None
    """Last day on which it is waived; null where there is no waiver, or it has run out."""


_ALL_DEPARTMENTS: tuple[Department, ...] = ("sales", "legal", "delivery", "finance")


class DisconnectDetected(_Detected, channel=GATEWAY, consumed_by=_ALL_DEPARTMENTS):
    """A disconnect was detected: two departments believe what cannot both be true.

    Published by the gateway; again when its evidence, sides or severity changed, when others can
    resolve it, and when its waiver has run out.
    """


class DisconnectResolved(_Finding, channel=GATEWAY, consumed_by=_ALL_DEPARTMENTS):
    """A disconnect was resolved: the events no longer contradict each other.

    Published by the gateway.
    """


class DisconnectWaived(_Finding, channel=GATEWAY, consumed_by=_ALL_DEPARTMENTS):
    """A disconnect was waived: a person accepted it as it is until a day, or until it is resolved.

    Published by the gateway.
    """

    why: Text
    """Reason for the waiver."""
    waived_by: PersonId
    """Person who accepted it."""
    until: Day
    """Last day (UTC) of the waiver; from the next day on the disconnect needs attention again."""


class ConfidentialDisconnectDetected(_Detected, channel=GATEWAY_CONFIDENTIAL):
    """A disconnect was detected whose sentence or amounts would reveal costs or margins.

    Published by the gateway in confidence; again as the open event is.
    """


class ConfidentialDisconnectResolved(_Finding, channel=GATEWAY_CONFIDENTIAL):
    """A confidential disconnect was resolved. Published by the gateway in confidence."""


class ConfidentialDisconnectWaived(_Finding, channel=GATEWAY_CONFIDENTIAL):
    """A confidential disconnect was waived: a person accepted it as it is until a day.

    Published by the gateway in confidence.
    """

    why: Text
    """Reason for the waiver."""
    waived_by: PersonId
    """Person who accepted it."""
    until: Day
    """Last day (UTC) of the waiver; from the next day on the disconnect needs attention again."""


class Disconnect(Value):
    """An unresolved disconnect as a department stores it, with its waiver if there is one."""

    detected: DisconnectDetected
    """The last detection."""
    waived: DisconnectWaived | None = None
    """The waiver; null where there is none, and where it has run out."""


DisconnectEvent: TypeAlias = DisconnectDetected | DisconnectResolved | DisconnectWaived
"""Event of a disconnect that is not confidential."""


def open_disconnects(
    known: Mapping[str, Disconnect], event: DisconnectEvent
) -> dict[str, Disconnect]:
    """Return the unresolved disconnects by finding after an event; the one it changed is last.

    A waiver is kept when its disconnect is detected again as waived, and dropped when it has run
    out or the disconnect is resolved. A waiver of a disconnect that is not known is ignored.
    """
    before = known.get(event.finding)
    others = {finding: each for finding, each in known.items() if finding != event.finding}
    match event:
        case DisconnectDetected():
            waived = before.waived if before and event.waived_until else None
            return others | {event.finding: Disconnect(detected=event, waived=waived)}
        case DisconnectWaived() if before is not None:
            return others | {event.finding: before.model_copy(update={"waived": event})}
        case _:
            return others
