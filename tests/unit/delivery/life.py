"""Provide scenarios of one engagement, stage by stage, and events for Delivery's tests."""

from datetime import date
from decimal import Decimal

from contracts import finance, legal, sales
from contracts.delivery import (
    BrdSignedOff,
    BrdSubmitted,
    EstimateEndorsed,
    EstimateSubmitted,
    KickoffHeld,
    ManagerAssigned,
    PlanBaselined,
    PlanDrafted,
)
from contracts.money import Money, Rate
from contracts.reference import PersonPublished, TemplatePhase, TemplatePublished, TemplateTask
from contracts.values import (
    BillingItem,
    Deliverable,
    EstimateLine,
    Milestone,
    PlannedTask,
    PricedLine,
    RoleHours,
    Signatory,
)
from delivery.decider import ENGAGEMENT
from delivery.state import Engagement
from testkit.scenario import Scenario, given

ID = "E-0000000000001"
HASH, OTHER_HASH = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
START, FINISH = date(2026, 4, 6), date(2026, 7, 31)
SIGNED = date(2026, 3, 20)
WEEK = date(2026, 4, 6)


def eur(amount: int | str) -> Money:
    return Money(amount=Decimal(amount), currency="EUR")


def per_hour(amount: int | str, currency: str = "EUR") -> Rate:
    return Rate(amount=Decimal(amount), currency=currency)


def hours(number: int | str) -> Decimal:
    return Decimal(number)


def deliverable(name: str) -> Deliverable:
    return Deliverable(deliverable=name, title=f"The {name}")


def person(name: str, department: str = "delivery", *roles: str) -> PersonPublished:
    return PersonPublished.model_validate(
        {"person": name, "name": name.title(), "department": department, "roles": roles}
    )


PEOPLE = (
    person("mara", "delivery", "engagement-manager"),
    person("milo", "delivery", "engagement-manager"),
    person("dev", "delivery", "architect"),
    person("ann", "sales", "account-executive"),
    person("cleo", "customer"),
)

TEMPLATE = TemplatePublished(
    template="web",
    name="Web application",
    estimate=(
        EstimateLine(phase="Analysis", role="architect", hours=hours(40)),
        EstimateLine(phase="Build", role="developer", hours=hours(200)),
        EstimateLine(
            phase="Build", role="project-manager", hours=hours(30), kind="project-management"
        ),
    ),
    phases=(
        TemplatePhase(
            phase="Analysis",
            duration_share=hours(25),
            implementation=False,
            tasks=(
                TemplateTask(title="Requirements", role="architect", share=hours(60)),
                TemplateTask(
                    title="Set up",
                    role="project-manager",
                    share=hours(40),
                    kind="project-management",
                ),
            ),
        ),
        TemplatePhase(
            phase="Build",
            duration_share=hours(75),
            tasks=(
                TemplateTask(title="Design", role="architect", share=hours(40)),
                TemplateTask(title="Code", role="developer", share=hours(100)),
                TemplateTask(
                    title="Lead", role="project-manager", share=hours(60), kind="project-management"
                ),
            ),
        ),
    ),
)

OPENED = sales.OpportunityOpened(
    account="acme",
    title="Order desk",
    contacts=("cleo", "cy"),
    expected_value=eur(90_000),
    expected_close=date(2026, 3, 1),
    owner="ann",
)
REQUESTED = sales.EstimateRequested(
    scope_summary="An order desk.", deliverables=(deliverable("design"), deliverable("portal"))
)
ESTIMATED = EstimateSubmitted(
    version=1,
    lines=TEMPLATE.estimate,
    contingency=hours(10),
    template="web",
    duration_days=100,
    confidence="medium",
    template_version=1,
)
ENDORSED = EstimateEndorsed(version=1, manager="mara")
LINE = PricedLine(role="developer", hours=hours(200), rate=per_hour(100), amount=eur(20_000))
PRICED = finance.EstimatePriced(
    estimate_version=1,
    rate_card="std",
    rate_card_version=1,
    lines=(LINE,),
    price=eur(100_000),
    project_management_share=hours(11),
    floor="above",
)
PROPOSED = sales.ProposalDrafted(
    version=1,
    estimate_version=1,
    deliverables=REQUESTED.deliverables,
    lines=(LINE,),
    price=eur(100_000),
    pricing="fixed-price",
    promised_start=START,
    promised_finish=FINISH,
    method="In phases.",
)
WON = sales.DealWon(
    proposal_version=1,
    price=eur(100_000),
    pricing="fixed-price",
    deliverables=REQUESTED.deliverables,
    starts_on=START,
    finishes_on=FINISH,
    billing_schedule=(BillingItem(item="B-1", kind="on-signature", amount=eur(100_000)),),
    payment_terms_days=30,
    won_on=date(2026, 3, 1),
)
LOST = sales.DealLost(reason="price", lost_on=date(2026, 3, 2))
SOW = legal.SowDrafted(
    version=1,
    content_hash=HASH,
    proposal_version=1,
    scope="An order desk.",
    deliverables=REQUESTED.deliverables,
    price=eur(100_000),
    pricing="fixed-price",
    starts_on=START,
    finishes_on=FINISH,
    billing_schedule=WON.billing_schedule,
    payment_terms_days=30,
)
SOW_SIGNED = legal.SowSigned(
    version=1,
    content_hash=HASH,
    signatories=(
        Signatory(party="company", person="carl", signed_on=SIGNED),
        Signatory(party="customer", person="cleo", signed_on=SIGNED),
    ),
    signed_on=SIGNED,
)
EARLY_START = legal.EarlyStartAuthorised(
    cap_hours=hours(80), expires_on=date(2026, 4, 30), reason="Licences end in April."
)
TERMINATED = legal.EngagementTerminated(reason="mutual", terminated_on=date(2026, 5, 4))
BUDGET = finance.BudgetSet(
    price=eur(100_000),
    hours=TEMPLATE.estimate,
    revenue_method="cost-to-cost",
    billing_schedule=WON.billing_schedule,
)
SETTLED = finance.AccountSettled(
    billed=eur(100_000), paid=eur(100_000), settled_on=date(2026, 8, 20)
)

TASKS = (
    PlannedTask(
        task="analysis",
        title="Requirements",
        phase="Analysis",
        starts_on=START,
        finishes_on=date(2026, 4, 30),
        hours=(RoleHours(role="architect", hours=hours(40)),),
        implementation=False,
    ),
    PlannedTask(
        task="build",
        title="Code",
        phase="Build",
        starts_on=date(2026, 5, 1),
        finishes_on=FINISH,
        hours=(RoleHours(role="developer", hours=hours(200)),),
        deliverable="portal",
    ),
    PlannedTask(
        task="lead",
        title="Project management",
        phase="Build",
        starts_on=START,
        finishes_on=FINISH,
        hours=(RoleHours(role="project-manager", hours=hours(30)),),
        kind="project-management",
        implementation=False,
    ),
)
MILESTONES = (
    Milestone(milestone="M1", title="Designed", due_on=date(2026, 4, 30), deliverables=("design",)),
    Milestone(milestone="M2", title="Delivered", due_on=FINISH, deliverables=("portal",)),
)
DRAFTED = PlanDrafted(
    version=1,
    template="web",
    milestones=MILESTONES,
    tasks=TASKS,
    deliverables=REQUESTED.deliverables,
)
BASELINED = PlanBaselined(
    version=1,
    milestones=MILESTONES,
    tasks=TASKS,
    deliverables=REQUESTED.deliverables,
    baselined_on=date(2026, 4, 7),
)

empty: Scenario[Engagement] = given(ENGAGEMENT, ID, records=(*PEOPLE, TEMPLATE))
opened = empty.consumed(OPENED)
managed = opened.published(ManagerAssigned(manager="mara", assigned_on=date(2026, 1, 5)))
asked = managed.consumed(REQUESTED)
estimated = asked.published(ESTIMATED)
won = estimated.published(ENDORSED).consumed(PRICED, PROPOSED, WON)
signed = won.consumed(SOW, SOW_SIGNED, BUDGET).on(date(2026, 4, 8))
kicked_off = signed.published(KickoffHeld(held_on=START, attendees=("mara", "cleo")))
released = kicked_off.published(
    BrdSubmitted(version=1, content_hash=HASH),
    BrdSignedOff(version=1, content_hash=HASH, signed_by="cleo", signed_on=date(2026, 4, 7)),
    DRAFTED,
    BASELINED,
)
"""Signed and kicked off, requirements signed off, plan baselined; the business day is Wednesday,
8 April 2026."""
