"""Provide scenarios of one engagement, stage by stage, and events for Delivery's tests."""

from datetime import date, timedelta
from functools import cache

from contracts import finance, legal, sales
from contracts.delivery import (
    ApprovedEntry,
    BrdSignedOff,
    BrdSubmitted,
    ChangeApproved,
    ChangeAssessed,
    ChangeRequested,
    DeliverableAccepted,
    DeliverableSubmitted,
    EstimateEndorsed,
    EstimateSubmitted,
    KickoffHeld,
    ManagerAssigned,
    PirHeld,
    PlanBaselined,
    PlanDrafted,
    SolutionWentLive,
    SurveyQuestion,
    SurveySent,
    TimeApproved,
    TimeEntry,
    TimeReversed,
    TimeSubmitted,
)
from contracts.lines import (
    BillingItem,
    ContractLine,
    LineChange,
    LineScopeChange,
    PerformanceObligation,
    ProposedLine,
    RoleHoursDelta,
    changed_lines,
)
from contracts.reference import (
    ContactPublished,
    PersonPublished,
    TemplatePhase,
    TemplatePublished,
    TemplateTask,
)
from contracts.values import (
    Deliverable,
    EstimateLine,
    Milestone,
    PlannedTask,
    PricedLine,
    RoleHours,
    Signatory,
)
from delivery.engagement import Engagement
from delivery.service import ENGAGEMENT
from testkit.scenario import Scenario, given
from tests.amounts import eur, hours, per_hour

ID = "E-0000000000001"
HASH, OTHER_HASH = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
START, FINISH = date(2026, 4, 6), date(2026, 7, 31)
SIGNED = date(2026, 3, 20)
WEEK = date(2026, 4, 6)
TODAY = date(2026, 4, 8)


def deliverable(name: str) -> Deliverable:
    return Deliverable(deliverable=name, title=f"The {name}")


def person(name: str, department: str = "delivery", *roles: str) -> PersonPublished:
    return PersonPublished.model_validate(
        {"person": name, "name": name.title(), "department": department, "roles": roles}
    )


def contact(name: str, account: str = "acme", *roles: str) -> ContactPublished:
    return ContactPublished.model_validate(
        {"contact": name, "name": name.title(), "account": account, "roles": roles}
    )


PEOPLE = (
    person("mara", "delivery", "engagement-manager"),
    person("milo", "delivery", "engagement-manager"),
    person("dev", "delivery", "architect"),
    person("ann", "sales", "account-executive"),
    contact("cleo", "acme", "sponsor", "signatory"),
    contact("cy", "acme", "approver"),
    contact("rea", "acme", "reader", "pmo"),
    contact("oda", "other"),
)
"""People of the company, and contacts of two accounts."""

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
LINES = (
    ContractLine(
        line="desk",
        title="The order desk",
        pricing="fixed",
        price=eur(90_000),
        hours=(
            RoleHours(role="architect", hours=hours(44)),
            RoleHours(role="developer", hours=hours(220)),
        ),
        deliverables=("design", "portal"),
        billing=(BillingItem(item="B-1", kind="on-signature", amount=eur(90_000)),),
    ),
    ContractLine(
        line="managing",
        title="Project management",
        kind="project-management",
        pricing="fixed",
        price=eur(10_000),
        hours=(RoleHours(role="project-manager", hours=hours(33)),),
        billing=(BillingItem(item="B-2", kind="on-signature", amount=eur(10_000)),),
    ),
)
PROPOSED = sales.ProposalDrafted(
    version=1,
    estimate_version=1,
    deliverables=REQUESTED.deliverables,
    company="our",
    lines=tuple(ProposedLine(**dict(line)) for line in LINES),
    price=eur(100_000),
    promised_start=START,
    promised_finish=FINISH,
    valid_until=FINISH,
    method="In phases.",
)
WON = sales.DealWon(
    proposal_version=1,
    company="our",
    lines=LINES,
    price=eur(100_000),
    deliverables=REQUESTED.deliverables,
    starts_on=START,
    finishes_on=FINISH,
    payment_terms_days=30,
    won_on=date(2026, 3, 1),
)
LOST = sales.DealLost(reason="price", lost_on=date(2026, 3, 2))
SOW = legal.SowDrafted(
    version=1,
    content_hash=HASH,
    engagement=ID,
    company="our",
    customer="acme",
    template="sow",
    template_version=1,
    proposal_version=1,
    scope="An order desk.",
    deliverables=REQUESTED.deliverables,
    lines=LINES,
    price=eur(100_000),
    starts_on=START,
    finishes_on=FINISH,
    effective_on=START,
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
    cap_hours=hours(80),
    starts_on=date(2026, 3, 30),
    expires_on=date(2026, 4, 30),
    reason="Licences end in April.",
)
TERMINATED = legal.EngagementTerminated(reason="mutual", terminated_on=date(2026, 5, 4))
BUDGET = finance.BudgetSet(
    price=eur(100_000),
    lines=LINES,
    obligations=(
        PerformanceObligation(
            obligation="fixed", lines=("desk", "managing"), method="cost-to-cost"
        ),
    ),
)
SETTLED = finance.AccountSettled(
    billed=eur(100_000), paid=eur(100_000), written_off=eur(0), settled_on=date(2026, 8, 20)
)

TASKS = (
    PlannedTask(
        task="analysis",
        title="Requirements",
        phase="Analysis",
        starts_on=START,
        finishes_on=date(2026, 4, 30),
        hours=(RoleHours(role="architect", hours=hours(40)),),
        line="desk",
        implementation=False,
    ),
    PlannedTask(
        task="build",
        title="Code",
        phase="Build",
        starts_on=date(2026, 5, 1),
        finishes_on=FINISH,
        hours=(RoleHours(role="developer", hours=hours(200)),),
        line="desk",
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
        line="managing",
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

CHANGE_REQUESTED = ChangeRequested(
    change="CR-1", requested_by="cleo", description="A manual, too.", requested_on=TODAY
)
CHANGE_ASSESSED = ChangeAssessed(
    change="CR-1",
    changes=(
        LineScopeChange(
            line="desk",
            hours=(RoleHoursDelta(role="developer", hours=hours(20)),),
            deliverables_added=(deliverable("manual"),),
            deliverables_removed=("design",),
        ),
    ),
    days=5,
    risk="Little.",
)
CHANGES = tuple(
    LineChange(**dict(each), price_delta=eur(2_000)) for each in CHANGE_ASSESSED.changes
)
CHANGE_PRICED = finance.ChangePriced(change="CR-1", changes=CHANGES, price=eur(2_000))
CHANGE_APPROVED = ChangeApproved(
    change="CR-1", approved_by="cleo", recorded_for="cleo", approved_on=TODAY
)
AMENDMENT_DRAFTED = legal.AmendmentDrafted(
    amendment="A-1",
    change="CR-1",
    content_hash=HASH,
    engagement=ID,
    company="our",
    customer="acme",
    template="amendment",
    template_version=1,
    changes=CHANGES,
    price_delta=eur(2_000),
    finishes_on=FINISH,
    scope_delta="A manual for the design.",
)
AMENDMENT_SIGNED = legal.AmendmentSigned(
    amendment="A-1",
    change="CR-1",
    content_hash=HASH,
    changes=CHANGES,
    price_delta=eur(2_000),
    finishes_on=FINISH,
    signatories=SOW_SIGNED.signatories,
    signed_on=TODAY,
)
REBASELINED = PlanBaselined.model_validate(
    dict(BASELINED) | {"version": 2, "changes": ("CR-1",), "baselined_on": TODAY}
)
BUDGET_AMENDED = finance.BudgetAmended(
    change="CR-1",
    amendment="A-1",
    price=eur(102_000),
    lines=changed_lines(LINES, CHANGES),
    obligations=BUDGET.obligations,
    signed_on=TODAY,
    unnamed_work_from=TODAY,
    treatment="catch-up",
    why="The same goods.",
)


SURVEY_SENT = SurveySent(
    survey="S-1",
    kind="csat-and-nps",
    phase="Build",
    questions=(
        SurveyQuestion(question="quality", text="How good is our work?"),
        SurveyQuestion(question="timeliness", text="Are we on time?"),
    ),
    contacts=("cleo", "cy"),
    sent_on=TODAY,
)


def entry(number: int = 1, **fields: object) -> ApprovedEntry:
    """Return an approved entry of eight hours on Monday, 6 April 2026."""
    usual = {
        "entry": f"T-{number}",
        "day": WEEK,
        "task": "analysis",
        "role": "architect",
        "hours": hours(8),
        "line": "desk",
    }
    return ApprovedEntry.model_validate({**usual, **fields})


def submitted_time(
    *entries: ApprovedEntry, person: str = "dev", revision: int = 1
) -> TimeSubmitted:
    """Return the event by which a person submitted entries of one week."""
    return TimeSubmitted(
        person=person,
        week=monday(entries[0].day),
        revision=revision,
        entries=tuple(as_submitted(each) for each in entries),
    )


def as_submitted(approved: ApprovedEntry) -> TimeEntry:
    """Return an entry without what its approval adds."""
    return TimeEntry(**{name: getattr(approved, name) for name in TimeEntry.model_fields})


def approved_time(*entries: ApprovedEntry, person: str = "dev", **fields: object) -> TimeApproved:
    """Return the event by which entries of one week were approved."""
    week = {"person": person, "week": monday(entries[0].day), "entries": entries}
    return TimeApproved.model_validate({**week, **fields})


def reversed_time(*entries: ApprovedEntry, person: str = "dev") -> TimeReversed:
    """Return the event by which approved entries of one week were reversed, today."""
    return TimeReversed(
        person=person,
        week=monday(entries[0].day),
        entries=entries,
        why="Another engagement's.",
        reversed_on=TODAY,
    )


def with_time(
    scenario: Scenario[Engagement],
    *entries: ApprovedEntry,
    person: str = "dev",
    approved: bool = False,
) -> Scenario[Engagement]:
    """Return the engagement after time of one week was submitted and, if so, approved."""
    after = scenario.published(submitted_time(*entries, person=person), by=person)
    return after.published(approved_time(*entries, person=person)) if approved else after


def monday(day: date) -> date:
    """Return the Monday of the week of a day."""
    return day - timedelta(days=day.weekday())


TIME_APPROVED = approved_time(
    *(entry(number, day=WEEK + timedelta(days=number), hours=hours("9.5")) for number in range(4))
)
"""The approval of 38 hours of one person on four days."""


@cache
def empty() -> Scenario[Engagement]:
    """Return an engagement without events."""
    return given(ENGAGEMENT, ID, records=(*PEOPLE, TEMPLATE)).uploaded(HASH, OTHER_HASH)


@cache
def opened() -> Scenario[Engagement]:
    """Return an engagement that Sales has opened."""
    return empty().consumed(OPENED)


@cache
def managed() -> Scenario[Engagement]:
    """Return an engagement with a manager."""
    return opened().published(ManagerAssigned(manager="mara", assigned_on=date(2026, 1, 5)))


@cache
def asked() -> Scenario[Engagement]:
    """Return an engagement whose estimate is requested."""
    return managed().consumed(REQUESTED)


@cache
def estimated() -> Scenario[Engagement]:
    """Return an engagement with an estimate."""
    return asked().published(ESTIMATED)


@cache
def won() -> Scenario[Engagement]:
    """Return an engagement whose deal is won."""
    return estimated().published(ENDORSED).consumed(PRICED, PROPOSED, WON)


@cache
def signed() -> Scenario[Engagement]:
    """Return an engagement with a signed contract, on Wednesday, 8 April 2026."""
    return won().consumed(SOW, SOW_SIGNED, BUDGET).on(TODAY)


@cache
def kicked_off() -> Scenario[Engagement]:
    """Return an engagement after the kickoff."""
    return signed().published(KickoffHeld(held_on=START, attendees=("mara", "cleo")))


@cache
def released() -> Scenario[Engagement]:
    """Return an engagement with requirements signed off and a baseline of the plan."""
    return kicked_off().published(
        BrdSubmitted(version=1, content_hash=HASH),
        BrdSignedOff(version=1, content_hash=HASH, signed_by="cleo", signed_on=date(2026, 4, 7)),
        DRAFTED,
        BASELINED,
    )


@cache
def change_requested() -> Scenario[Engagement]:
    """Return a released engagement with a requested change."""
    return released().published(CHANGE_REQUESTED)


@cache
def change_assessed() -> Scenario[Engagement]:
    """Return a change that is assessed."""
    return change_requested().published(CHANGE_ASSESSED)


@cache
def change_priced() -> Scenario[Engagement]:
    """Return a change that is assessed and priced."""
    return change_assessed().consumed(CHANGE_PRICED, knowing=change_assessed().stream.position)


@cache
def change_approved() -> Scenario[Engagement]:
    """Return a change that the customer has approved."""
    return change_priced().published(CHANGE_APPROVED)


@cache
def change_signed() -> Scenario[Engagement]:
    """Return a change whose amendment is signed."""
    return change_approved().consumed(AMENDMENT_DRAFTED, AMENDMENT_SIGNED)


@cache
def change_rebaselined() -> Scenario[Engagement]:
    """Return a change that is in the baseline."""
    return change_signed().published(DRAFTED.model_copy(update={"version": 2}), REBASELINED)


@cache
def change_ready() -> Scenario[Engagement]:
    """Return a change that may be implemented."""
    return change_rebaselined().consumed(BUDGET_AMENDED)


def accepted(scenario: Scenario[Engagement], *names: str) -> Scenario[Engagement]:
    """Return the engagement after the acceptance of some deliverables."""
    for name in names:
        scenario = scenario.published(
            DeliverableSubmitted(
                deliverable=name, submission=1, content_hash=HASH, submitted_on=TODAY
            ),
            DeliverableAccepted(
                deliverable=name, submission=1, accepted_by="cleo", accepted_on=TODAY
            ),
        )
    return scenario


@cache
def worked() -> Scenario[Engagement]:
    """Return a released engagement with 38 approved hours."""
    return released().published(submitted_time(*TIME_APPROVED.entries), TIME_APPROVED)


@cache
def finished() -> Scenario[Engagement]:
    """Return an engagement that may be closed."""
    return (
        accepted(worked(), "design", "portal")
        .published(
            SolutionWentLive(live_on=TODAY),
            SURVEY_SENT,
            PirHeld(
                held_on=TODAY,
                went_well=("The team",),
                went_badly=("The data",),
                sold_hours=hours(270),
                delivered_hours=hours(38),
            ),
        )
        .consumed(SETTLED)
    )
