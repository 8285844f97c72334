"""State of the proposals of Sales, with Finance's review of each version."""

from datetime import date
from typing import Self

from chassis.domain.state import Part, on_event
from contracts.event import Recorded
from contracts.finance import Floor, ProposalReviewed
from contracts.lines import ProposedLine
from contracts.money import Money
from contracts.sales import ProposalDrafted
from contracts.values import Value, Version


class Proposal(Value):
    """Version of the proposal without its optional lines; `floor` is None before the review."""

    version: Version
    price: Money
    lines: tuple[ProposedLine, ...]
    drafted_on: date
    floor: Floor | None = None


class Proposals(Part):
    """The proposals by version."""

    by_version: dict[int, Proposal] = {}

    @on_event
    def _drafted(self, recorded: Recorded[ProposalDrafted]) -> Self:
        event = recorded.event
        proposal = Proposal(
            version=event.version,
            price=event.price,
            lines=tuple(line for line in event.lines if not line.optional),
            drafted_on=recorded.occurred_at.date(),
        )
        return self.updated(by_version={**self.by_version, event.version: proposal})

    @on_event
    def _reviewed(self, event: ProposalReviewed) -> Self:
        reviewed = self.by_version[event.version].model_copy(update={"floor": event.floor})
        return self.updated(by_version={**self.by_version, event.version: reviewed})
