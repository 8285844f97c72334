"""State of the contract in Sales, from the events of Legal and Finance."""

from datetime import date
from typing import Annotated, Literal, Self

from chassis.domain.state import KeepDay, Kept, Part, on_event
from contracts.delivery import EngagementImported as DeliveryTakenOver
from contracts.finance import ChangePriced
from contracts.legal import (
    AmendmentDrafted,
    AmendmentSigned,
    EngagementTerminated,
    RedlineResolved,
    SignatureDeclined,
    SowApproved,
    SowDrafted,
    SowRedlined,
    SowSentForSignature,
    SowSigned,
)
from contracts.legal import EngagementImported as LegalTakenOver
from contracts.money import Money
from contracts.sales import ContractConfirmed
from contracts.values import ContentHash, Identifier, Value, Version


class Statement(Value):
    """The newest version of the statement of work, and its status in Legal."""

    version: Version
    status: Literal["drafted", "approved", "sent", "signed"]
    signed_on: date | None = None
    signed_content: ContentHash | None = None
    open_redlines: tuple[Identifier, ...] = ()
    """Ids of the redlines of this and earlier versions that are not resolved."""


class Amendment(Value):
    """An amendment: the change it is for, what it adds to the price, and the agreed finish.

    `signed_on` is None until both parties have signed.
    """

    change: Identifier
    price_delta: Money
    finishes_on: date
    signed_on: date | None = None


class Contract(Part):
    """Statement of work, amendments, prices of changes, and termination.

    Signed amendments are in the order of signing.
    """

    statement: Statement | None = None
    amendments: dict[str, Amendment] = {}
    change_prices: dict[str, Money] = {}
    terminated: Kept[EngagementTerminated] = None
    confirmed: Kept[ContractConfirmed] = None
    taken_over_on: Annotated[date | None, KeepDay((LegalTakenOver, DeliveryTakenOver))] = None
    """Day on which Legal or Delivery took the engagement over, while it was under way."""

    @on_event
    def _sow_drafted(self, event: SowDrafted) -> Self:
        known = self.statement.open_redlines if self.statement else ()
        drafted = Statement(version=event.version, status="drafted", open_redlines=known)
        return self.updated(statement=drafted)

    @on_event
    def _sow_redlined(self, event: SowRedlined) -> Self:
        known = self.statement.open_redlines if self.statement else ()
        return self._with_statement(open_redlines=(*known, event.redline))

    @on_event
    def _redline_resolved(self, event: RedlineResolved) -> Self:
        known = self.statement.open_redlines if self.statement else ()
        return self._with_statement(
            open_redlines=tuple(each for each in known if each != event.redline)
        )

    @on_event
    def _sow_approved(self, event: SowApproved | SignatureDeclined) -> Self:
        return self._with_statement(status="approved")

    @on_event
    def _sow_sent(self, event: SowSentForSignature) -> Self:
        return self._with_statement(status="sent")

    @on_event
    def _sow_signed(self, event: SowSigned) -> Self:
        return self._with_statement(
            status="signed", signed_on=event.signed_on, signed_content=event.content_hash
        )

    @on_event
    def _amended(self, event: AmendmentDrafted | AmendmentSigned) -> Self:
        # Amendments are kept in the order of signing, so a signed one goes to the end.
        others = {name: each for name, each in self.amendments.items() if name != event.amendment}
        amendment = Amendment(
            change=event.change,
            price_delta=event.price_delta,
            finishes_on=event.finishes_on,
            signed_on=event.signed_on if isinstance(event, AmendmentSigned) else None,
        )
        return self.updated(amendments={**others, event.amendment: amendment})

    @on_event
    def _change_priced(self, event: ChangePriced) -> Self:
        return self.updated(change_prices={**self.change_prices, event.change: event.price})

    def _with_statement(self, **fields: object) -> Self:
        known = self.statement
        return self.updated(statement=known.model_copy(update=fields)) if known else self

    @property
    def agreed_finish(self) -> date | None:
        """Return the last day agreed in the amendment signed last, or None without any."""
        signed = [each for each in self.amendments.values() if each.signed_on is not None]
        return signed[-1].finishes_on if signed else None
