"""What may be asked of Legal over HTTP, and by whom."""

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
PAPERS: tuple[Role, ...] = ("counsel", "contract-manager")
AT_RISK: tuple[Role, ...] = ("counsel", "vp-engagement-management")
READERS: tuple[Role, ...] = (*PAPERS, "vp-engagement-management", "executive")


def engagements(decider: Decider[Engagement]) -> CommandRoutes[Engagement]:
    """The routes of engagements. Counsel alone approves for Legal and ends an engagement."""
    routes = CommandRoutes(
        decider,
        path="engagements",
        view=engagement_view,
        seen_by=READERS,
        listing=Listing("engagement", LISTED, listed),
    )
    routes.command(OpenFile, by=PAPERS)
    routes.command(RecordNda, by=PAPERS)
    routes.command(RecordMsa, by=PAPERS)
    routes.command(DraftSow, by=PAPERS)
    routes.command(RedlineSow, by=PAPERS)
    routes.command(ApproveSow, by=COUNSEL)
    routes.command(SendSow, by=PAPERS)
    routes.command(RecordSignature, by=PAPERS)
    routes.command(AuthoriseEarlyStart, by=AT_RISK)
    routes.command(DraftAmendment, by=PAPERS)
    routes.command(SignAmendment, by=PAPERS)
    routes.command(TerminateEngagement, by=COUNSEL)
    return routes
