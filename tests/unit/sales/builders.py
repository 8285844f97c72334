"""Example commands, events and scenarios of a typical sale."""

from datetime import date
from decimal import Decimal

from contracts.delivery import EstimateEndorsed, EstimateSubmitted, ManagerAssigned
from contracts.finance import EstimatePriced
from contracts.money import Money, Rate
from contracts.reference import AccountPublished
from contracts.sales import OpportunityOpened
from contracts.values import BillingItem, Deliverable, EstimateLine, PricedLine
from sales.engagement import Engagement
from sales.opportunity.decisions import OpenOpportunity
from sales.proposals.decisions import DraftProposal, SubmitProposal, WinDeal
from sales.service import ENGAGEMENT
from testkit.scenario import Scenario, given

ENGAGEMENT_ID = "E-0000000000001"
ACME = AccountPublished(account="acme", name="Acme")


def eur(amount: int | str) -> Money:
    return Money(amount=Decimal(amount), currency="EUR")


def per_hour(amount: int | str, currency: str = "EUR") -> Rate:
    return Rate(amount=Decimal(amount), currency=currency)


def usd(amount: int | str) -> Money:
    return Money(amount=Decimal(amount), currency="USD")


def line(role: str, hours: int, rate: int, kind: str = "delivery", currency: str = "EUR"):
    return PricedLine.model_validate(
        {
            "role": role,
            "kind": kind,
            "hours": hours,
            "rate": {"amount": rate, "currency": currency},
            "amount": {"amount": hours * rate, "currency": currency},
        }
    )


PORTAL = Deliverable(deliverable="portal", title="Customer portal")
TRAINING = Deliverable(deliverable="training", title="Training")
LINES = (line("architect", 100, 150), line("project-manager", 20, 100, "project-management"))

OPEN = OpenOpportunity(
    account="acme",
    title="Customer portal",
    contacts=("cleo",),
    expected_value=eur(20_000),
    expected_close=date(2026, 3, 31),
    owner="ann",
)
OPENED = OpportunityOpened(**dict(OPEN))
DRAFT = DraftProposal(
    estimate_version=1,
    deliverables=(PORTAL, TRAINING),
    lines=LINES,
    price=eur(17_000),
    pricing="fixed-price",
    promised_start=date(2026, 3, 2),
    promised_finish=date(2026, 6, 30),
    method="In phases, each with something to see at its end.",
)
MANAGER = ManagerAssigned(manager="emma", assigned_on=date(2026, 1, 6))
ESTIMATE = EstimateSubmitted(
    version=1,
    lines=(EstimateLine(phase="Build", role="architect", hours=Decimal(100)),),
    contingency=Decimal(10),
    template="portal",
    duration_days=120,
    confidence="medium",
)
ENDORSED = EstimateEndorsed(version=1, manager="emma")
PRICED = EstimatePriced(
    estimate_version=1,
    rate_card="standard",
    rate_card_version=1,
    lines=LINES,
    price=eur(17_000),
    project_management_share=Decimal("11.76"),
    floor="above",
)
WIN = WinDeal(
    proposal_version=1,
    billing_schedule=(
        BillingItem(item="advance", kind="on-signature", amount=eur(7_000)),
        BillingItem(
            item="portal", kind="on-acceptance", amount=eur(10_000), deliverables=("portal",)
        ),
    ),
)


def new() -> Scenario[Engagement]:
    """Return an engagement before its first event; the account acme is published."""
    return given(ENGAGEMENT, ENGAGEMENT_ID, records=[ACME])


def opened() -> Scenario[Engagement]:
    """Return an engagement with an open opportunity of ann."""
    return new().after(OPEN, by="ann")


def ready() -> Scenario[Engagement]:
    """Return an engagement whose drafted proposal meets gate 1."""
    return opened().consumed(MANAGER, ESTIMATE, PRICED, ENDORSED).after(DRAFT)


def submitted() -> Scenario[Engagement]:
    """Return an engagement whose proposal is submitted."""
    return ready().after(SubmitProposal(version=1))


def won() -> Scenario[Engagement]:
    """Return an engagement whose deal is won."""
    return submitted().after(WIN)
