"""State of changes: Delivery's assessments and decisions, with the prices and costs of Finance."""

from datetime import date
from typing import Literal, Self, TypeAlias

from chassis.domain.state import Part, on_event
from contracts.delivery import ChangeApproved, ChangeAssessed, ChangeImplemented, ChangeRejected
from contracts.event import Recorded
from contracts.finance import ChangeCosted, ChangePriced
from contracts.lines import LineChange, ScopeChanges
from contracts.money import Money
from contracts.values import Identifier, Value

ChangeStatus: TypeAlias = Literal["approved", "rejected", "implemented"]


class Assessment(Value):
    """Assessment of a change by Delivery; price and cost are None until they are computed."""

    change: Identifier
    changes: ScopeChanges
    assessed_on: date
    price: Money | None = None
    prices: tuple[LineChange, ...] = ()
    cost: Money | None = None
    cost_by_line: dict[Identifier, Money] = {}


class Changes(Part):
    """Assessments in the order of arrival; status and day of implementation by change."""

    assessments: tuple[Assessment, ...] = ()
    status: dict[Identifier, ChangeStatus] = {}
    implemented: dict[Identifier, date] = {}

    @on_event
    def _assessed(self, recorded: Recorded[ChangeAssessed]) -> Self:
        """Add the assessment; it replaces an earlier one of the change that has no price."""
        event = recorded.event
        assessment = Assessment(
            change=event.change, changes=event.changes, assessed_on=recorded.occurred_at.date()
        )
        others = (
            each
            for each in self.assessments
            if each.change != event.change or each.price is not None
        )
        return self.updated(assessments=(*others, assessment))

    @on_event
    def _priced(self, event: ChangePriced) -> Self:
        """Price the change's last assessment; earlier ones without a price are replaced."""
        last = [each for each in self.assessments if each.change == event.change][-1]
        return self._with(last, price=event.price, prices=event.changes)

    @on_event
    def _costed(self, event: ChangeCosted) -> Self:
        costs = {each.line: each.cost for each in event.lines}
        return self._with(self.in_force(event.change), cost=event.cost, cost_by_line=costs)

    @on_event
    def _decided(self, event: ChangeApproved | ChangeRejected) -> Self:
        status = "approved" if isinstance(event, ChangeApproved) else "rejected"
        return self.updated(status={**self.status, event.change: status})

    @on_event
    def _implemented(self, event: ChangeImplemented) -> Self:
        return self.updated(
            status={**self.status, event.change: "implemented"},
            implemented={**self.implemented, event.change: event.implemented_on},
        )

    def priced(self, change: str) -> Assessment | None:
        """Return the last priced assessment of a change, or None."""
        of_change = (each for each in reversed(self.assessments) if each.change == change)
        return next((each for each in of_change if each.price is not None), None)

    @property
    def names(self) -> tuple[Identifier, ...]:
        """Return the ids of all assessed changes, in the order of their first assessment."""
        return tuple(dict.fromkeys(each.change for each in self.assessments))

    def in_force(self, change: str) -> Assessment:
        """Return the last priced assessment of an assessed change, or else its last one."""
        of_change = [each for each in self.assessments if each.change == change]
        return self.priced(change) or of_change[-1]

    def _with(self, changed: Assessment, **fields: object) -> Self:
        assessments = (
            each.model_copy(update=fields) if each is changed else each for each in self.assessments
        )
        return self.updated(assessments=tuple(assessments))
