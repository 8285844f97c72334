"""What the gateway says: contradictions between departments, found, ended, or accepted."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, TypeAlias

from contracts.channels import GATEWAY, GATEWAY_CONFIDENTIAL, Department
from contracts.event import Event
from contracts.money import Money
from contracts.values import Identifier, PersonId, ShortText, Text, TotalDays, Value


class Evidence(Value):
    """An event that proves a finding: which, and in its author's words when it was recorded."""

    event: Identifier
    type: ShortText
    channel: ShortText
    sequence: int


class _Finding(Event):
    """A finding's id names its rule and, where one rule finds several, the thing it is about."""

    finding: Identifier
    rule: Identifier


class _Detected(_Finding):
    sentence: Text
    evidence: tuple[Evidence, ...]
    since: datetime
    owner: Department
    stake: Money | None = None
    days: TotalDays | None = None
    severity: Literal["warning", "serious"] = "warning"


_EVERYBODY: tuple[Department, ...] = ("sales", "legal", "delivery", "finance")


class DisconnectDetected(_Detected, channel=GATEWAY, heard_by=_EVERYBODY):
    """Two departments believe what cannot both be true; a person can read the sentence.

    `since` is the time of the latest event that proves it; `owner` can end it.
    """


class DisconnectResolved(_Finding, channel=GATEWAY, heard_by=_EVERYBODY):
    """The events no longer contradict each other."""


class DisconnectWaived(_Finding, channel=GATEWAY, heard_by=_EVERYBODY):
    """A person accepted the contradiction, for this reason."""

    why: Text
    waived_by: PersonId


class ConfidentialDisconnectDetected(_Detected, channel=GATEWAY_CONFIDENTIAL):
    """As disconnect-detected, where sentence or stake would tell costs or margins."""


class ConfidentialDisconnectResolved(_Finding, channel=GATEWAY_CONFIDENTIAL):
    """As disconnect-resolved, for a confidential finding."""


class ConfidentialDisconnectWaived(_Finding, channel=GATEWAY_CONFIDENTIAL):
    """As disconnect-waived, for a confidential finding."""

    why: Text
    waived_by: PersonId


class Disconnect(Value):
    """A contradiction that stands, as a department keeps it; perhaps a person accepted it."""

    detected: DisconnectDetected
    waived: DisconnectWaived | None = None


DisconnectEvent: TypeAlias = DisconnectDetected | DisconnectResolved | DisconnectWaived
DISCONNECT_EVENTS = (DisconnectDetected, DisconnectResolved, DisconnectWaived)
"""What happens to a disconnect that everybody may know of."""


def open_disconnects(
    known: Mapping[str, Disconnect], said: DisconnectEvent
) -> dict[str, Disconnect]:
    """What stands after the gateway said one thing more, by finding, the latest last."""
    before = known.get(said.finding)
    others = {finding: each for finding, each in known.items() if finding != said.finding}
    match said:
        case DisconnectDetected():
            waived = before.waived if before else None
            return others | {said.finding: Disconnect(detected=said, waived=waived)}
        case DisconnectWaived() if before is not None:
            return others | {said.finding: before.model_copy(update={"waived": said})}
        case _:
            return others
