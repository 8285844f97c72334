"""Name what the ledger of a company requests of its groups of engagements."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from chassis.domain.commands import Command
from contracts.values import EngagementId, Identifier, Month, ShortText, Version

MOST_ENGAGEMENTS = 100
"""Number of engagements of a group, which one commit asks together."""

RoundKind = Literal["check", "book"]
"""Kind of a round: engagements are asked to check a month, or to book it."""

LedgerGroupId = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}\.[1-9][0-9]{0,5}$"),
    Field(examples=["concord-de.1"]),
]
"""Subject of a group: company and number, from 1."""


def group_id(company: str, number: int) -> str:
    """Return the subject of a group of a company."""
    return f"{company}.{number}"


class AddEngagement(Command):
    """Add an engagement to the group."""

    engagement: EngagementId


class BeginRound(Command):
    """Ask the engagements of the group to check a month, or to book it."""

    company: Identifier
    round: Version
    kind: RoundKind
    month: Month
    accepted: ShortText | None = None
