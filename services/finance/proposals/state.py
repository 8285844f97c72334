"""State of the proposals of Sales, with Finance's review of each version."""

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import Self

from chassis.domain.state import Part, on_event
from contracts.event import Recorded
from contracts.finance import Floor, ProposalReviewed
from contracts.lines import Offer, ProposedLine, offer_of
from contracts.money import Money
from contracts.sales import MOST_OFFERS, ProposalDrafted, ProposalExceptionApproved
from contracts.values import Value, Version


class Proposal(Value):
    """Version of the proposal; `floor` is None before the review.

    `excepted` is true once a sales manager approved an exception.
    """

    version: Version
    estimate_version: Version
    price: Money
    lines: tuple[ProposedLine, ...]
    drafted_on: date
    floor: Floor | None = None
    excepted: bool = False

    @property
    def required(self) -> tuple[ProposedLine, ...]:
        """Return the lines that are not optional."""
        return tuple(line for line in self.lines if not line.optional)


class Proposals(Part):
    """The proposals by version."""

    by_version: dict[int, Proposal] = {}

    @cached_property
    def first_offers(self) -> Mapping[int, Mapping[Offer, None]]:
        """Return the offers that need no exception, by the version of their estimate."""
        first: dict[int, dict[Offer, None]] = {}
        for each in self.by_version.values():
            offers = first.setdefault(each.estimate_version, {})
            if len(offers) < MOST_OFFERS:
                offers[offer_of(each.lines)] = None
        return first

    @on_event
    def _drafted(self, recorded: Recorded[ProposalDrafted]) -> Self:
        event = recorded.event
        proposal = Proposal(
            version=event.version,
            estimate_version=event.estimate_version,
            price=event.price,
            lines=event.lines,
            drafted_on=recorded.occurred_at.date(),
        )
        return self.updated(by_version={**self.by_version, event.version: proposal})

    @on_event
    def _exception_approved(self, event: ProposalExceptionApproved) -> Self:
        return self._with(event.version, excepted=True)

    @on_event
    def _reviewed(self, event: ProposalReviewed) -> Self:
        return self._with(event.version, floor=event.floor)

    def _with(self, version: int, **fields: object) -> Self:
        changed = self.by_version[version].model_copy(update=fields)
        return self.updated(by_version={**self.by_version, version: changed})
