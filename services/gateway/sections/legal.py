"""Legal's section of the view."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from contracts import legal
from contracts.event import Recorded
from contracts.money import Money, Rate
from contracts.values import BillingItem
from gateway.sections.steps import Ref, Steps, ref


@dataclass(slots=True)
class Sow:
    """A version of the statement of work."""

    version: int
    content_hash: str
    price: Money
    deliverables: dict[str, str]
    starts_on: date
    finishes_on: date
    billing_schedule: list[BillingItem]
    rates: dict[str, Rate]
    said: Ref


@dataclass(slots=True)
class SignedSow:
    """The version and content that both parties signed, and when."""

    version: int
    content_hash: str
    signed_on: date
    said: Ref


@dataclass(slots=True)
class EarlyStart:
    """An authorisation of work before the signature: a number of hours, until a day."""

    cap_hours: Decimal
    expires_on: date
    said: Ref
    expired: Ref | None = None


@dataclass(slots=True)
class Amendment:
    """An amendment of the contract to a change order."""

    amendment: str
    change: str
    price_delta: Money
    finishes_on: date
    deliverables_added: dict[str, str]
    deliverables_descoped: list[str]
    billing_schedule: list[BillingItem]
    drafted: Ref | None = None
    signed: Ref | None = None
    signed_on: date | None = None


@dataclass(slots=True)
class Terminated:
    """The termination of the contract before its work was finished."""

    reason: str
    terminated_on: date
    said: Ref


@dataclass(slots=True)
class LegalSection:
    """The engagement as Legal published it."""

    filed: Ref | None = None
    nda_signed_on: date | None = None
    msa_signed_on: date | None = None
    sows: dict[int, Sow] = field(default_factory=dict)
    redlines: int = 0
    approved_version: int | None = None
    sent_version: int | None = None
    signed: SignedSow | None = None
    early_starts: list[EarlyStart] = field(default_factory=list)
    amendments: dict[str, Amendment] = field(default_factory=dict)
    terminated: Terminated | None = None

    @property
    def latest_sow(self) -> Sow | None:
        """The newest version, signed or not."""
        return self.sows[max(self.sows)] if self.sows else None

    @property
    def signed_sow(self) -> Sow | None:
        """The version that both parties signed."""
        return self.sows.get(self.signed.version) if self.signed else None

    def amendment_of(self, change: str) -> Amendment | None:
        """Return the amendment to a change order, drafted or signed, or None."""
        return next((item for item in self.amendments.values() if item.change == change), None)

    def signed_amendments(self) -> list[Amendment]:
        """Return the signed amendments, in the order of their signatures."""
        return [item for item in self.amendments.values() if item.signed is not None]

    @property
    def agreed(self) -> Ref | None:
        """The latest signature of the contract: that of its last amendment, or else its own."""
        amendments = self.signed_amendments()
        return amendments[-1].signed if amendments else self.signed.said if self.signed else None

    def descoped(self) -> set[str]:
        """Return the deliverables that amendments removed and no later one added again."""
        removed: set[str] = set()
        for amendment in self.signed_amendments():
            removed -= amendment.deliverables_added.keys()
            removed |= set(amendment.deliverables_descoped)
        return removed

    @property
    def contract_price(self) -> Money | None:
        """The price of the signed version with all signed amendments."""
        sow = self.signed_sow
        if sow is None:
            return None
        return sum((item.price_delta for item in self.signed_amendments()), sow.price)

    @property
    def contract_finish(self) -> date | None:
        """The finish in the last signed amendment, or else in the signed version."""
        sow = self.signed_sow
        if sow is None:
            return None
        amendments = self.signed_amendments()
        return amendments[-1].finishes_on if amendments else sow.finishes_on

    @property
    def contract_deliverables(self) -> dict[str, str]:
        """The titles of the deliverables by id, with those that amendments added and removed."""
        sow = self.signed_sow
        if sow is None:
            return {}
        deliverables = dict(sow.deliverables)
        for amendment in self.signed_amendments():
            deliverables |= amendment.deliverables_added
            for descoped in amendment.deliverables_descoped:
                deliverables.pop(descoped, None)
        return deliverables


steps = Steps[LegalSection]()


@steps.on(legal.FileOpened)
def _filed(section: LegalSection, recorded: Recorded[legal.FileOpened]) -> None:
    section.filed = ref(recorded)


@steps.on(legal.NdaSigned)
def _nda(section: LegalSection, recorded: Recorded[legal.NdaSigned]) -> None:
    section.nda_signed_on = recorded.event.signed_on


@steps.on(legal.MsaSigned)
def _msa(section: LegalSection, recorded: Recorded[legal.MsaSigned]) -> None:
    section.msa_signed_on = recorded.event.signed_on


@steps.on(legal.SowDrafted)
def _drafted(section: LegalSection, recorded: Recorded[legal.SowDrafted]) -> None:
    event = recorded.event
    section.sows[event.version] = Sow(
        version=event.version,
        content_hash=event.content_hash,
        price=event.price,
        deliverables={item.deliverable: item.title for item in event.deliverables},
        starts_on=event.starts_on,
        finishes_on=event.finishes_on,
        billing_schedule=list(event.billing_schedule),
        rates={rate.role: rate.rate for rate in event.rates},
        said=ref(recorded),
    )


@steps.on(legal.SowRedlined)
def _redlined(section: LegalSection, recorded: Recorded[legal.SowRedlined]) -> None:
    del recorded
    section.redlines += 1


@steps.on(legal.SowApproved)
def _approved(section: LegalSection, recorded: Recorded[legal.SowApproved]) -> None:
    section.approved_version = recorded.event.version


@steps.on(legal.SowSentForSignature)
def _sent(section: LegalSection, recorded: Recorded[legal.SowSentForSignature]) -> None:
    section.sent_version = recorded.event.version


@steps.on(legal.SowSigned)
def _signed(section: LegalSection, recorded: Recorded[legal.SowSigned]) -> None:
    event = recorded.event
    section.signed = SignedSow(event.version, event.content_hash, event.signed_on, ref(recorded))


@steps.on(legal.EarlyStartAuthorised)
def _early_start(section: LegalSection, recorded: Recorded[legal.EarlyStartAuthorised]) -> None:
    event = recorded.event
    section.early_starts.append(EarlyStart(event.cap_hours, event.expires_on, ref(recorded)))


@steps.on(legal.EarlyStartExpired)
def _expired(section: LegalSection, recorded: Recorded[legal.EarlyStartExpired]) -> None:
    for start in section.early_starts:
        if start.expires_on == recorded.event.expired_on:
            start.expired = start.expired or ref(recorded)


@steps.on(legal.AmendmentDrafted)
def _amendment_drafted(section: LegalSection, recorded: Recorded[legal.AmendmentDrafted]) -> None:
    section.amendments[recorded.event.amendment] = amendment = _amendment(recorded.event)
    amendment.drafted = ref(recorded)


@steps.on(legal.AmendmentSigned)
def _amendment_signed(section: LegalSection, recorded: Recorded[legal.AmendmentSigned]) -> None:
    event = recorded.event
    # Removed and added at the end: the dict keeps amendments in the order of their signatures.
    drafted = section.amendments.pop(event.amendment, None)
    section.amendments[event.amendment] = amendment = _amendment(event)
    amendment.drafted = drafted.drafted if drafted else None
    amendment.signed, amendment.signed_on = ref(recorded), event.signed_on


def _amendment(event: legal.AmendmentDrafted | legal.AmendmentSigned) -> Amendment:
    return Amendment(
        amendment=event.amendment,
        change=event.change,
        price_delta=event.price_delta,
        finishes_on=event.finishes_on,
        deliverables_added={item.deliverable: item.title for item in event.deliverables_added},
        deliverables_descoped=list(event.deliverables_descoped),
        billing_schedule=list(event.billing_schedule),
    )


@steps.on(legal.EngagementTerminated)
def _terminated(section: LegalSection, recorded: Recorded[legal.EngagementTerminated]) -> None:
    event = recorded.event
    section.terminated = Terminated(event.reason, event.terminated_on, ref(recorded))
