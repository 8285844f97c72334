"""State of the statements of work, and of the contract that the signed one becomes."""

from datetime import date
from typing import Annotated, Literal, Self

from chassis.domain.state import Keep, KeepDay, Part, on_event
from contracts import delivery, finance
from contracts.event import Recorded
from contracts.legal import (
    AmendmentSigned,
    EngagementImported,
    RedlineResolved,
    SignatureDeclined,
    SowApproved,
    SowDrafted,
    SowRedlined,
    SowSentForSignature,
    SowSignatureRecorded,
    SowSigned,
)
from contracts.lines import ContractLine, changed_lines, total_price
from contracts.money import Money
from contracts.values import (
    AccountId,
    ContentHash,
    Deliverable,
    Identifier,
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
    """The latest review of a version of the statement of work by a department; the day is UTC."""

    content_hash: ContentHash
    verdict: Verdict
    why: Text | None
    reviewed_on: date


class Sow(Value):
    """A version of the statement of work with its redlines, reviews and signatures."""

    drafted: SowDrafted
    redlines: tuple[SowRedlined, ...] = ()
    reviews: dict[Reviewer, Review] = {}
    approved_on: date | None = None
    """Day (UTC) of Legal's approval."""
    sent: SowSentForSignature | None = None
    """The last sending; None before it, and after a party declined to sign."""
    first_sent_on: date | None = None
    declined: SignatureDeclined | None = None
    """The refusal of a party to sign, until the version is sent again."""
    signatures: tuple[SowSignatureRecorded, ...] = ()

    @property
    def signatories(self) -> tuple[Signatory, ...]:
        """Return who signed this version, in the order of recording."""
        return tuple(each.signatory for each in self.signatures)


class Contract(Value):
    """The agreed terms: the signed statement of work with all signed amendments.

    A contract that was taken over has no version here. The billing schedules have the entries of
    all these documents. After an amendment that leaves its billing to Finance they do not add up to
    the prices.
    """

    version: Version | None
    content_hash: ContentHash
    company: Identifier
    customer: AccountId
    signed_on: date
    price: Money
    """Sum of the lines."""
    starts_on: date
    finishes_on: date
    effective_on: date
    deliverables: tuple[Deliverable, ...]
    lines: tuple[ContractLine, ...]


class Sows(Part):
    """All versions of the statement of work, numbered from 1, and the contract once one is signed.

    Reviews, approval and signatures are those of one version and do not count for the next one.
    """

    versions: tuple[Sow, ...] = ()
    drafted_on: Annotated[dict[int, date], KeepDay((SowDrafted,), "version")] = {}
    redlined_on: Annotated[dict[str, date], KeepDay((SowRedlined,), "redline")] = {}
    resolutions: Annotated[dict[Identifier, RedlineResolved], Keep(by="redline")] = {}
    """The resolutions of redlines of all versions."""
    contract: Contract | None = None

    @on_event
    def _drafted(self, event: SowDrafted) -> Self:
        return self.updated(versions=(*self.versions, Sow(drafted=event)))

    @on_event
    def _redlined(self, event: SowRedlined) -> Self:
        redlines = self.versions[event.version - 1].redlines
        return self._with(event.version, redlines=(*redlines, event))

    @on_event
    def _reviewed(self, recorded: Recorded[delivery.SowReviewed | finance.SowReviewed]) -> Self:
        event = recorded.event
        if event.version > len(self.versions):
            return self
        review = Review(
            content_hash=event.content_hash,
            verdict=event.verdict,
            why=event.why,
            reviewed_on=recorded.occurred_at.date(),
        )
        reviewer: Reviewer = "delivery" if isinstance(event, delivery.SowReviewed) else "finance"
        reviews = self.versions[event.version - 1].reviews
        return self._with(event.version, reviews={**reviews, reviewer: review})

    @on_event
    def _approved(self, recorded: Recorded[SowApproved]) -> Self:
        return self._with(recorded.event.version, approved_on=recorded.occurred_at.date())

    @on_event
    def _sent(self, event: SowSentForSignature) -> Self:
        first = self.versions[event.version - 1].first_sent_on or event.sent_on
        return self._with(event.version, sent=event, first_sent_on=first, declined=None)

    @on_event
    def _declined(self, event: SignatureDeclined) -> Self:
        return self._with(event.version, sent=None, declined=event)

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
    def _imported(self, event: EngagementImported) -> Self:
        """Take over a contract; it names its deliverables by their ids only."""
        names = ("content_hash", "company", "customer", "signed_on", "price")
        days = ("starts_on", "finishes_on", "effective_on")
        contract = Contract(
            version=None,
            lines=event.scheduled_lines,
            deliverables=tuple(
                Deliverable(deliverable=each, title=each) for each in event.named_deliverables
            ),
            **{name: getattr(event, name) for name in (*names, *days)},
        )
        return self.updated(contract=contract)

    @on_event
    def _amended(self, event: AmendmentSigned) -> Self:
        contract = self.contract
        if contract is None:
            return self
        kept = tuple(
            each
            for each in contract.deliverables
            if each.deliverable not in event.deliverables_removed
        )
        lines = changed_lines(contract.lines, event.changes)
        amended = {
            "price": total_price(lines, contract.price.currency),
            "finishes_on": event.finishes_on,
            "deliverables": (*kept, *event.deliverables_added),
            "lines": lines,
        }
        return self.updated(contract=contract.model_copy(update=amended))

    @property
    def latest(self) -> Sow | None:
        """Return the newest version of the statement of work, or None."""
        return self.versions[-1] if self.versions else None

    @property
    def open_redlines(self) -> tuple[SowRedlined, ...]:
        """Return the redlines of all versions that are not resolved, in order."""
        redlines = (each for sow in self.versions for each in sow.redlines)
        return tuple(each for each in redlines if each.redline not in self.resolutions)

    @property
    def redlined(self) -> bool:
        """Return whether a redline is open, or one of the latest version is accepted."""
        latest = self.latest.redlines if self.latest else ()
        resolved = (self.resolutions.get(each.redline) for each in latest)
        accepted = any(each is not None and each.outcome == "accepted" for each in resolved)
        return accepted or bool(self.open_redlines)

    def _with(self, version: int, **fields: object) -> Self:
        versions = list(self.versions)
        versions[version - 1] = versions[version - 1].model_copy(update=fields)
        return self.updated(versions=tuple(versions))
