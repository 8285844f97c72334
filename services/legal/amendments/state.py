"""State of the changes, as Delivery and Finance published them, and of their amendments."""

from datetime import date
from typing import Annotated, Literal, Self

from chassis.domain.state import Keep, KeepDay, Part, on_event
from contracts import delivery, finance
from contracts.delivery import (
    ChangeApproved,
    ChangeAssessed,
    ChangeImplemented,
    ChangeRejected,
    ChangeRequested,
)
from contracts.event import Recorded
from contracts.finance import ChangePriced
from contracts.legal import AmendmentDrafted, AmendmentSigned, EngagementImported, SowDrafted
from contracts.values import Identifier, ShortText, Value


class Change(Value):
    """A change, as assessed by Delivery and priced by Finance, with the customer's last verdict.

    `assessed_at` is the sequence of Delivery's last assessment, `price_knowing` the last sequence
    of Delivery that Finance had processed when it published the price.
    """

    requested: ChangeRequested | None = None
    assessed: ChangeAssessed | None = None
    assessed_at: int = 0
    priced: ChangePriced | None = None
    price_knowing: int = 0
    verdict: Literal["approved", "rejected"] | None = None
    approved_on: date | None = None
    """Day of approval, limited to the day (UTC) of its event."""
    why_rejected: ShortText | None = None
    implemented_on: date | None = None

    @property
    def is_priced(self) -> bool:
        """Return whether the price is based on the last assessment."""
        return self.priced is not None and self.price_knowing >= self.assessed_at


class Amendment(Value):
    """A drafted amendment, its basis (the change, and the contract's finish), and its signature."""

    drafted: AmendmentDrafted
    assessed: ChangeAssessed | None
    priced: ChangePriced | None
    contract_finish: date
    signed: AmendmentSigned | None = None


class Amendments(Part):
    """The changes and the amendments by id.

    `contract_finish` is the finish of the statement of work drafted last or of the contract taken
    over or, once amendments are signed, of the last one.
    """

    changes: dict[Identifier, Change] = {}
    by_id: dict[Identifier, Amendment] = {}
    drafted_on: Annotated[dict[str, date], KeepDay((AmendmentDrafted,), "amendment")] = {}
    delivery_reviews: Annotated[
        dict[Identifier, delivery.AmendmentReviewed], Keep(by="amendment")
    ] = {}
    finance_reviews: Annotated[
        dict[Identifier, finance.AmendmentReviewed], Keep(by="amendment")
    ] = {}
    contract_finish: date | None = None

    @on_event
    def _requested(self, event: ChangeRequested) -> Self:
        return self._with_change(event.change, requested=event)

    @on_event
    def _assessed(self, recorded: Recorded[ChangeAssessed]) -> Self:
        event = recorded.event
        return self._with_change(event.change, assessed=event, assessed_at=recorded.sequence)

    @on_event
    def _priced(self, recorded: Recorded[ChangePriced]) -> Self:
        event, processed = recorded.event, recorded.heard.get("delivery", 0)
        return self._with_change(event.change, priced=event, price_knowing=processed)

    @on_event
    def _approved(self, recorded: Recorded[ChangeApproved]) -> Self:
        event = recorded.event
        # East of UTC the customer's day may be one later.
        day = min(event.approved_on, recorded.occurred_at.date())
        return self._with_change(event.change, verdict="approved", approved_on=day)

    @on_event
    def _rejected(self, event: ChangeRejected) -> Self:
        return self._with_change(event.change, verdict="rejected", why_rejected=event.why)

    @on_event
    def _implemented(self, event: ChangeImplemented) -> Self:
        return self._with_change(event.change, implemented_on=event.implemented_on)

    @on_event
    def _contracted(self, event: SowDrafted | EngagementImported) -> Self:
        return self.updated(contract_finish=event.finishes_on)

    @on_event
    def _drafted(self, event: AmendmentDrafted) -> Self:
        change = self.changes.get(event.change, Change())
        amendment = Amendment(
            drafted=event,
            assessed=change.assessed,
            priced=change.priced,
            contract_finish=self.contract_finish or event.finishes_on,
        )
        return self.updated(by_id={**self.by_id, event.amendment: amendment})

    @on_event
    def _signed(self, event: AmendmentSigned) -> Self:
        signed = self.by_id[event.amendment].model_copy(update={"signed": event})
        by_id = {**self.by_id, event.amendment: signed}
        return self.updated(by_id=by_id, contract_finish=event.finishes_on)

    def _with_change(self, change: str, **fields: object) -> Self:
        changed = self.changes.get(change, Change()).model_copy(update=fields)
        return self.updated(changes={**self.changes, change: changed})
