"""Example events and scenarios of Legal: one engagement, won for 100,000 EUR, step by step."""

from datetime import date
from decimal import Decimal
from typing import Any

from contracts import delivery, finance
from contracts.delivery import ChangeApproved, ChangeAssessed, ChangeRequested
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
    RoleHours,
    RoleRate,
    Signatory,
)
from legal.decider import ENGAGEMENT
from legal.sows import DraftSow
from legal.state import Engagement
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
    lines=(),
    price=eur(95_000),
    pricing="fixed-price",
    promised_start=START,
    promised_finish=FINISH,
    method="Small steps.",
)
FILE = FileOpened(account="acme", title="Order desk")
SCOPE = "An order desk for the trade."

given_nothing: Scenario[Engagement] = given(ENGAGEMENT, ID).on(TODAY)
heard_of = given_nothing.consumed(OPENED)
filed = heard_of.consumed(WON).published(FILE)


def drafted(scenario: Scenario[Engagement], scope: str = SCOPE) -> SowDrafted:
    """Return the event of drafting the next version."""
    event = scenario.when(DraftSow(scope=scope)).events[0]
    assert isinstance(event, SowDrafted)
    return event


V1 = drafted(filed)
V2 = drafted(filed.published(V1), "An order desk for the trade, in two languages.")
with_draft = filed.published(V1)


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


def numbered(sow: SowDrafted) -> dict[str, Any]:
    return {"version": sow.version, "content_hash": sow.content_hash}


reviewed = with_draft.consumed(of_delivery(V1), of_finance(V1))
approved = reviewed.published(SowApproved(version=1, content_hash=V1.content_hash))
sent = approved.published(
    SowSentForSignature(version=1, content_hash=V1.content_hash, sent_on=TODAY)
)
BOTH = (signature("company"), signature("customer"))
signed = sent.published(
    *(SowSignatureRecorded(version=1, content_hash=V1.content_hash, signatory=one) for one in BOTH),
    SowSigned(version=1, content_hash=V1.content_hash, signatories=BOTH, signed_on=TODAY),
)


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
