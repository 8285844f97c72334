"""State of the statements of work, and of the contract that the signed one becomes."""

from datetime import date
from typing import Literal, Self

from chassis.domain.state import Part, on_event
from contracts import delivery, finance
from contracts.event import Recorded
from contracts.legal import (
    AmendmentSigned,
    SowApproved,
    SowDrafted,
    SowRedlined,
    SowSentForSignature,
    SowSignatureRecorded,
    SowSigned,
)
from contracts.money import Money
from contracts.values import (
    BillingItem,
    ContentHash,
    Deliverable,
    Pricing,
    Signatory,
    Text,
    Value,
    Verdict,
    Version,
)

Reviewer = Literal["delivery", "finance"]
REVIEWERS: tuple[Reviewer, ...] = ("delivery", "finance")
"""Departments that must approve a statement of work before Legal does."""


class Review(Value):
    """The latest review of a version of the statement of work by a department."""

    content_hash: ContentHash
    verdict: Verdict
    why: Text | None


class Sow(Value):
    """A version of the statement of work with its redlines, reviews and signatures."""

    drafted: SowDrafted
    redlines: tuple[SowRedlined, ...] = ()
    reviews: dict[Reviewer, Review] = {}
    approved_on: date | None = None
    """Day (UTC) of Legal's approval."""
    sent: SowSentForSignature | None = None
    signatures: tuple[SowSignatureRecorded, ...] = ()

    @property
    def signatories(self) -> tuple[Signatory, ...]:
        """Return who signed this version, in the order of recording."""
        return tuple(each.signatory for each in self.signatures)


class Contract(Value):
    """The agreed terms: the signed statement of work with all signed amendments.

    `billing_schedule` has the items of all these documents; a price reduction changes the price but
    no item.
    """

    version: Version
    content_hash: ContentHash
    signed_on: date
    price: Money
    pricing: Pricing
    starts_on: date
    finishes_on: date
    deliverables: tuple[Deliverable, ...]
    billing_schedule: tuple[BillingItem, ...]


class Sows(Part):
    """All versions of the statement of work, numbered from 1, and the contract once one is signed.

    Reviews, approval and signatures are those of one version and do not count for the next one.
    """

    versions: tuple[Sow, ...] = ()
    contract: Contract | None = None

    @on_event
    def _drafted(self, event: SowDrafted) -> Self:
        return self.updated(versions=(*self.versions, Sow(drafted=event)))

    @on_event
    def _redlined(self, event: SowRedlined) -> Self:
        redlines = self.versions[event.version - 1].redlines
        return self._with(event.version, redlines=(*redlines, event))

    @on_event
    def _reviewed(self, event: delivery.SowReviewed | finance.SowReviewed) -> Self:
        if event.version > len(self.versions):
            return self
        review = Review(content_hash=event.content_hash, verdict=event.verdict, why=event.why)
        reviewer: Reviewer = "delivery" if isinstance(event, delivery.SowReviewed) else "finance"
        reviews = self.versions[event.version - 1].reviews
        return self._with(event.version, reviews={**reviews, reviewer: review})

    @on_event
    def _approved(self, recorded: Recorded[SowApproved]) -> Self:
        return self._with(recorded.event.version, approved_on=recorded.occurred_at.date())

    @on_event
    def _sent(self, event: SowSentForSignature) -> Self:
        return self._with(event.version, sent=event)

    @on_event
    def _signature_recorded(self, event: SowSignatureRecorded) -> Self:
        signatures = self.versions[event.version - 1].signatures
        return self._with(event.version, signatures=(*signatures, event))

    @on_event
    def _signed(self, event: SowSigned) -> Self:
        drafted = self.versions[event.version - 1].drafted
        terms = {
            name: getattr(drafted, name) for name in Contract.model_fields.keys() - {"signed_on"}
        }
        return self.updated(contract=Contract(**terms, signed_on=event.signed_on))

    @on_event
    def _amended(self, event: AmendmentSigned) -> Self:
        contract = self.contract
        if contract is None:
            return self
        kept = tuple(
            each
            for each in contract.deliverables
            if each.deliverable not in event.deliverables_descoped
        )
        amended = {
            "price": contract.price + event.price_delta,
            "finishes_on": event.finishes_on,
            "deliverables": (*kept, *event.deliverables_added),
            "billing_schedule": (*contract.billing_schedule, *event.billing_schedule),
        }
        return self.updated(contract=contract.model_copy(update=amended))

    @property
    def latest(self) -> Sow | None:
        """Return the newest version of the statement of work, or None."""
        return self.versions[-1] if self.versions else None

    def _with(self, version: int, **fields: object) -> Self:
        versions = list(self.versions)
        versions[version - 1] = versions[version - 1].model_copy(update=fields)
        return self.updated(versions=tuple(versions))
