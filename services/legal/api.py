"""HTTP routes of Legal, and the roles that may use them."""

from chassis.application.read_models import Listing
from chassis.domain.decider import Decider
from chassis.web.command_routes import CommandRoutes
from contracts.roles import Role
from legal.amendments import DraftAmendment, SignAmendment
from legal.early_start import AuthoriseEarlyStart
from legal.filing import OpenFile, RecordMsa, RecordNda
from legal.sows import ApproveSow, DraftSow, RecordSignature, RedlineSow, SendSow
from legal.state import Engagement
from legal.terminating import TerminateEngagement
from legal.views import LISTED, engagement_view, listed

COUNSEL: tuple[Role, ...] = ("counsel",)
CONTRACTS: tuple[Role, ...] = ("counsel", "contract-manager")
AT_RISK: tuple[Role, ...] = ("counsel", "vp-engagement-management")
READERS: tuple[Role, ...] = (*CONTRACTS, "vp-engagement-management", "executive")


def engagements(decider: Decider[Engagement]) -> CommandRoutes[Engagement]:
    """Return the routes of engagements; only counsel approves for Legal and terminates."""
    routes = CommandRoutes(
        decider,
        path="engagements",
        view=engagement_view,
        seen_by=READERS,
        listing=Listing("engagement", LISTED, listed),
    )
    routes.command(OpenFile, by=CONTRACTS)
    routes.command(RecordNda, by=CONTRACTS)
    routes.command(RecordMsa, by=CONTRACTS)
    routes.command(DraftSow, by=CONTRACTS)
    routes.command(RedlineSow, by=CONTRACTS)
    routes.command(ApproveSow, by=COUNSEL)
    routes.command(SendSow, by=CONTRACTS)
    routes.command(RecordSignature, by=CONTRACTS)
    routes.command(AuthoriseEarlyStart, by=AT_RISK)
    routes.command(DraftAmendment, by=CONTRACTS)
    routes.command(SignAmendment, by=CONTRACTS)
    routes.command(TerminateEngagement, by=COUNSEL)
    return routes
