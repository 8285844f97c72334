"""Define Delivery's HTTP routes, and the roles that may use them."""

from chassis.domain.commands import Command
from chassis.domain.decider import Decider
from chassis.web.command_routes import CommandRoutes
from contracts.roles import Role
from contracts.values import PersonId
from delivery.acceptance import AcceptDeliverable, RejectDeliverable, SubmitDeliverable
from delivery.assignment import AssignManager, ChooseTier, PutOnHold, Resume
from delivery.changes import (
    ApproveChange,
    AssessChange,
    ImplementChange,
    RejectChange,
    RequestChange,
)
from delivery.closing import AnswerSurvey, CloseEngagement, GoLive, HoldPir, SendSurvey
from delivery.estimating import EndorseEstimate, SubmitEstimate
from delivery.kickoff import HoldKickoff
from delivery.planning import BaselinePlan, DraftPlan
from delivery.progress import ProgressTask, PublishStatusReport, ReachMilestone
from delivery.raid import CloseRaidItem, RaiseIssue, RaiseRisk, RecordDecision
from delivery.reference import (
    PERSON,
    TEMPLATE,
    Person,
    PublishPerson,
    PublishTemplate,
    Template,
    person_view,
    template_view,
)
from delivery.requirements import SignOffBrd, SubmitBrd
from delivery.resources import AllocateResource, ReleaseResource, RequestResource
from delivery.sow_review import ReviewSow
from delivery.state import Engagement
from delivery.timekeeping import ApproveExpense, ApproveTime, RejectTime, SubmitTime
from delivery.views import engagement_view

DIRECTING: tuple[Role, ...] = ("pmo-director", "vp-engagement-management")
MANAGING: tuple[Role, ...] = ("engagement-manager", "pmo-director")
WORKING: tuple[Role, ...] = ("consultant", *MANAGING)
ASKING: tuple[Role, ...] = (*WORKING, "account-executive")
READING: tuple[Role, ...] = (*WORKING, "vp-engagement-management", "executive")
COMPANY: tuple[Role, ...] = (
    *READING,
    "account-executive",
    "sales-manager",
    "counsel",
    "contract-manager",
    "project-accountant",
    "controller",
)
KEEPING: tuple[Role, ...] = ("pmo-director", "operator")


WORK: tuple[type[Command], ...] = (
    SubmitEstimate,
    SubmitBrd,
    SubmitTime,
    ProgressTask,
    RaiseRisk,
    RaiseIssue,
    RecordDecision,
    AssessChange,
    SubmitDeliverable,
)
"""Commands for everybody who works on an engagement."""

MANAGEMENT: tuple[type[Command], ...] = (
    ChooseTier,
    PutOnHold,
    Resume,
    ReviewSow,
    RequestResource,
    AllocateResource,
    ReleaseResource,
    SignOffBrd,
    DraftPlan,
    BaselinePlan,
    HoldKickoff,
    ApproveTime,
    RejectTime,
    ApproveExpense,
    ReachMilestone,
    PublishStatusReport,
    CloseRaidItem,
    ApproveChange,
    RejectChange,
    ImplementChange,
    AcceptDeliverable,
    RejectDeliverable,
    GoLive,
    SendSurvey,
    AnswerSurvey,
    HoldPir,
    CloseEngagement,
)
"""Commands for engagement managers and the director of the PMO."""


def engagements(decider: Decider[Engagement]) -> CommandRoutes[Engagement]:
    """Return the routes of engagements, with the roles for directing, managing and working."""
    routes = CommandRoutes(decider, path="engagements", view=engagement_view, seen_by=READING)
    routes.command(AssignManager, by=DIRECTING)
    routes.command(EndorseEstimate, by=("engagement-manager",))
    routes.command(RequestChange, by=ASKING)
    for command in WORK:
        routes.command(command, by=WORKING)
    for command in MANAGEMENT:
        routes.command(command, by=MANAGING)
    return routes


def people() -> CommandRoutes[Person]:
    """Return the routes of people's records, which can be erased."""
    routes = CommandRoutes(
        PERSON,
        path="people",
        view=person_view,
        seen_by=COMPANY,
        subject=PersonId,
        erased_by=KEEPING,
    )
    routes.command(PublishPerson, by=KEEPING)
    return routes


def templates() -> CommandRoutes[Template]:
    """Return the routes of templates."""
    routes = CommandRoutes(TEMPLATE, path="templates", view=template_view, seen_by=COMPANY)
    routes.command(PublishTemplate, by=MANAGING)
    return routes
