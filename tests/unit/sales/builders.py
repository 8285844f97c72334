"""Example commands, events and scenarios of a typical sale."""

from datetime import date
from decimal import Decimal
from typing import Any

from contracts.delivery import EstimateEndorsed, EstimateSubmitted, ManagerAssigned
from contracts.finance import EstimatePriced, ProposalReviewed
from contracts.lines import BillingItem, LineRate, ProposedLine, Retainer
from contracts.reference import AccountPublished, PersonPublished
from contracts.sales import LineBilling, OpportunityOpened
from contracts.values import Deliverable, EstimateLine, PricedLine, RoleHours
from sales.engagement import Engagement
from sales.opportunity.decisions import OpenOpportunity
from sales.proposals.decisions import DraftProposal, SubmitProposal, WinDeal
from sales.service import ENGAGEMENT
from testkit.scenario import Scenario, given
from tests.amounts import eur, per_hour

ENGAGEMENT_ID = "E-0000000000001"
ACME = AccountPublished(account="acme", name="Acme")
SELLERS = tuple(
    PersonPublished(person=each, name=each.title(), department="sales")
    for each in ("ann", "bea", "bo")
)
RECORDS = (ACME, *SELLERS)


def work(role: str, hours: int) -> RoleHours:
    return RoleHours(role=role, hours=Decimal(hours))


def line(name: str, price: int, currency: str = "EUR", **fields: Any) -> ProposedLine:
    common = {"line": name, "title": name, "pricing": "fixed"}
    amount = {"amount": price, "currency": currency}
    return ProposedLine.model_validate({**common, "price": amount, **fields})


def priced(role: str, hours: int, rate: int, kind: str = "delivery") -> PricedLine:
    money = {"amount": hours * rate, "currency": "EUR"}
    rates = {"amount": rate, "currency": "EUR"}
    return PricedLine.model_validate(
        {"role": role, "kind": kind, "hours": hours, "rate": rates, "amount": money}
    )


PORTAL = Deliverable(deliverable="portal", title="Customer portal")
TRAINING = Deliverable(deliverable="training", title="Training")
BUILD = line("build", 15_000, hours=(work("architect", 100),), deliverables=("portal",))
MANAGEMENT = line(
    "management", 2_000, kind="project-management", hours=(work("project-manager", 20),)
)
LINES = (BUILD, MANAGEMENT)
SUPPORT = line(
    "support",
    4_500,
    pricing="time-and-materials",
    hours=(work("architect", 30),),
    rates=(LineRate(role="architect", rate=per_hour(150)),),
)
"""A capped line by time and materials."""
CARE = line(
    "care",
    6_000,
    pricing="retainer",
    retainer=Retainer(fee=eur(500), periods=12, starts_on=date(2026, 7, 1)),
)

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
    company="concord",
    estimate_version=1,
    deliverables=(PORTAL, TRAINING),
    lines=LINES,
    price=eur(17_000),
    promised_start=date(2026, 3, 2),
    promised_finish=date(2026, 6, 30),
    valid_until=date(2026, 2, 28),
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
    lines=(
        priced("architect", 100, 150),
        priced("project-manager", 20, 100, "project-management"),
    ),
    price=eur(17_000),
    project_management_share=Decimal("11.76"),
    floor="above",
)
WIN = WinDeal(
    proposal_version=1,
    billing=(
        LineBilling(
            line="build",
            billing=(
                BillingItem(item="advance", kind="on-signature", amount=eur(7_000)),
                BillingItem(
                    item="portal", kind="on-acceptance", amount=eur(8_000), deliverables=("portal",)
                ),
            ),
        ),
    ),
)


def reviewed(version: int = 1, floor: str = "above", price: int = 17_000) -> ProposalReviewed:
    return ProposalReviewed.model_validate(
        {"version": version, "price": eur(price), "floor": floor}
    )


def new() -> Scenario[Engagement]:
    """Return an engagement before its first event; its account and sellers are published."""
    return given(ENGAGEMENT, ENGAGEMENT_ID, records=RECORDS)


def opened() -> Scenario[Engagement]:
    """Return an engagement with an open opportunity of ann."""
    return new().after(OPEN, by="ann")


def ready() -> Scenario[Engagement]:
    """Return an engagement whose drafted proposal meets gate 1."""
    return opened().consumed(MANAGER, ESTIMATE, PRICED, ENDORSED).after(DRAFT).consumed(reviewed())


def submitted() -> Scenario[Engagement]:
    """Return an engagement whose proposal is submitted."""
    return ready().after(SubmitProposal(version=1))


def won() -> Scenario[Engagement]:
    """Return an engagement whose deal is won."""
    return submitted().after(WIN)
