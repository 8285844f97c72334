"""Example events and scenarios of Legal: one engagement, won for 100,000 EUR, step by step."""

from datetime import date
from decimal import Decimal

from contracts import delivery, finance
from contracts.delivery import ChangeApproved, ChangeAssessed, ChangeRequested
from contracts.documents import STATEMENT_OF_WORK, UNSEALED, seal
from contracts.finance import ChangePriced
from contracts.legal import (
    FileOpened,
    SowApproved,
    SowDrafted,
    SowSentForSignature,
    SowSignatureRecorded,
    SowSigned,
)
from contracts.money import Money, Rate
from contracts.sales import DealWon, OpportunityOpened, ProposalDrafted
from contracts.values import (
    BillingItem,
    Deliverable,
    Party,
    PricedLine,
    RoleHours,
    RoleRate,
    Signatory,
)
from legal.engagement import Engagement
from legal.service import ENGAGEMENT
from testkit.scenario import Scenario, given

ID = "E-0000000000001"
TODAY = date(2026, 3, 2)
ALL = {"delivery": 99}
"""Attribute `heard` of a price for which Finance had processed all events of Delivery."""
START, FINISH = date(2026, 4, 1), date(2026, 9, 30)


def eur(amount: int | str, currency: str = "EUR") -> Money:
    return Money(amount=Decimal(amount), currency=currency)


def per_hour(amount: int | str, currency: str = "EUR") -> Rate:
    return Rate(amount=Decimal(amount), currency=currency)


def deliverable(name: str) -> Deliverable:
    return Deliverable(deliverable=name, title=f"The {name}")


OPENED = OpportunityOpened(
    account="acme",
    title="Order desk",
    expected_value=eur(90_000),
    expected_close=date(2026, 3, 1),
    owner="ann",
)
WON = DealWon(
    proposal_version=2,
    price=eur(100_000),
    pricing="fixed-price",
    deliverables=(deliverable("design"), deliverable("portal")),
    starts_on=START,
    finishes_on=FINISH,
    billing_schedule=(
        BillingItem(item="B-1", kind="on-signature", amount=eur(30_000)),
        BillingItem(item="B-2", kind="on-acceptance", amount=eur(70_000), deliverables=("portal",)),
    ),
    rates=(RoleRate(role="architect", rate=per_hour(150)),),
    payment_terms_days=30,
    won_on=date(2026, 3, 1),
)
PROPOSED = ProposalDrafted(
    version=1,
    estimate_version=1,
    deliverables=(deliverable("portal"),),
    lines=(
        PricedLine(role="architect", hours=Decimal(475), rate=per_hour(200), amount=eur(95_000)),
    ),
    price=eur(95_000),
    pricing="fixed-price",
    promised_start=START,
    promised_finish=FINISH,
    method="Small steps.",
)
FILE = FileOpened(account="acme", title="Order desk")
SCOPE = "An order desk for the trade."

V1 = seal(
    STATEMENT_OF_WORK,
    SowDrafted(
        version=1,
        content_hash=UNSEALED,
        proposal_version=2,
        scope=SCOPE,
        deliverables=WON.deliverables,
        price=WON.price,
        pricing=WON.pricing,
        starts_on=START,
        finishes_on=FINISH,
        billing_schedule=WON.billing_schedule,
        rates=WON.rates,
        payment_terms_days=30,
    ),
)
V2 = seal(
    STATEMENT_OF_WORK,
    V1.model_copy(update={"version": 2, "scope": "An order desk for the trade, in two languages."}),
)


def of_delivery(sow: SowDrafted, objection: str | None = None) -> delivery.SowReviewed:
    return delivery.SowReviewed(
        version=sow.version,
        content_hash=sow.content_hash,
        verdict="objected" if objection else "approved",
        why=objection,
    )


def of_finance(sow: SowDrafted, objection: str | None = None) -> finance.SowReviewed:
    return finance.SowReviewed(**of_delivery(sow, objection).model_dump())


def signature(party: Party, day: date = TODAY, person: str | None = None) -> Signatory:
    return Signatory(
        party=party, person=person or {"company": "carl", "customer": "zoe"}[party], signed_on=day
    )


BOTH = (signature("company"), signature("customer"))
SIGNATURES = tuple(
    SowSignatureRecorded(version=1, content_hash=V1.content_hash, signatory=one) for one in BOTH
)
SIGNED = SowSigned(version=1, content_hash=V1.content_hash, signatories=BOTH, signed_on=TODAY)


def requested(change: str = "C-1") -> ChangeRequested:
    return ChangeRequested(
        change=change, requested_by="zoe", description="And French.", requested_on=TODAY
    )


def assessed(
    change: str = "C-1",
    days: int = 10,
    added: tuple[str, ...] = (),
    descoped: tuple[str, ...] = (),
) -> ChangeAssessed:
    return ChangeAssessed(
        change=change,
        lines=(RoleHours(role="architect", hours=Decimal(20)),),
        days=days,
        risk="None to speak of.",
        deliverables_added=tuple(deliverable(name) for name in added),
        deliverables_descoped=descoped,
    )


def priced(change: str = "C-1", price: Money | None = None) -> ChangePriced:
    return ChangePriced(change=change, lines=(), price=price or eur(3_000))


def agreed(change: str = "C-1") -> ChangeApproved:
    return ChangeApproved(change=change, approved_by="zoe", approved_on=TODAY)


def new() -> Scenario[Engagement]:
    """Return an engagement before its first event."""
    return given(ENGAGEMENT, ID).on(TODAY)


def opened() -> Scenario[Engagement]:
    """Return an engagement whose opportunity was opened in Sales; it has no file."""
    return new().consumed(OPENED)


def filed() -> Scenario[Engagement]:
    """Return a won engagement with a file."""
    return opened().consumed(WON).published(FILE)


def drafted() -> Scenario[Engagement]:
    """Return an engagement with the first version of the statement of work."""
    return filed().published(V1)


def reviewed() -> Scenario[Engagement]:
    """Return an engagement whose first version Delivery and Finance approved."""
    return drafted().consumed(of_delivery(V1), of_finance(V1))


def approved() -> Scenario[Engagement]:
    """Return an engagement whose first version Legal approved, too."""
    return reviewed().published(SowApproved(version=1, content_hash=V1.content_hash))


def sent() -> Scenario[Engagement]:
    """Return an engagement whose first version was sent for signature."""
    event = SowSentForSignature(version=1, content_hash=V1.content_hash, sent_on=TODAY)
    return approved().published(event)


def signed() -> Scenario[Engagement]:
    """Return an engagement whose first version both parties signed."""
    return sent().published(*SIGNATURES, SIGNED)
