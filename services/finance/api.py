"""Define Finance's HTTP routes, and the roles that may use them."""

from chassis.application.read_models import Listing
from chassis.web.command_routes import CommandRoutes
from contracts.roles import Role
from finance.billing import BillOutsideSchedule
from finance.budgeting import ChooseRevenueMethod
from finance.decider import ENGAGEMENT
from finance.invoicing import (
    ApproveInvoice,
    IssueCreditNote,
    RecordPayment,
    RecordRefund,
    VoidInvoice,
)
from finance.rates import (
    COST_RATES,
    RATE_CARD,
    CostRates,
    PublishCostRates,
    PublishRateCard,
    RateCard,
)
from finance.react import CatchUp
from finance.revenue import RecogniseRevenue
from finance.settling import SettleAccount
from finance.sow_review import ReviewSow
from finance.state import Engagement
from finance.time_billing import BillTime
from finance.views import (
    LISTED,
    confidential_view,
    cost_rates_notice,
    cost_rates_view,
    engagement_view,
    listed,
    rate_card_view,
)

ACCOUNTING: tuple[Role, ...] = ("project-accountant", "controller")
CONTROLLING: tuple[Role, ...] = ("controller",)
READING: tuple[Role, ...] = (*ACCOUNTING, "vp-engagement-management", "executive")
COMPANY: tuple[Role, ...] = (
    *READING,
    "account-executive",
    "sales-manager",
    "engagement-manager",
    "pmo-director",
    "consultant",
    "counsel",
    "contract-manager",
)


def engagements() -> CommandRoutes[Engagement]:
    """Return the routes of engagements; costs and margins need the role `confidential` as well."""
    routes = CommandRoutes(
        ENGAGEMENT,
        path="engagements",
        view=engagement_view,
        confidential=confidential_view,
        seen_by=READING,
        listing=Listing("engagement", LISTED, listed),
    )
    for command in (
        ReviewSow,
        ChooseRevenueMethod,
        BillTime,
        RecordPayment,
        RecogniseRevenue,
        SettleAccount,
        CatchUp,
    ):
        routes.command(command, by=ACCOUNTING)
    for reserved in (
        ApproveInvoice,
        VoidInvoice,
        IssueCreditNote,
        RecordRefund,
        BillOutsideSchedule,
    ):
        routes.command(reserved, by=CONTROLLING)
    return routes


def rate_cards() -> CommandRoutes[RateCard]:
    """Return the routes of rate cards; every role of the company may read them."""
    routes = CommandRoutes(RATE_CARD, path="rate-cards", view=rate_card_view, seen_by=COMPANY)
    routes.command(PublishRateCard, by=CONTROLLING)
    return routes


def cost_rates() -> CommandRoutes[CostRates]:
    """Return the routes of cost rates; the rates themselves need the role `confidential`."""
    routes = CommandRoutes(
        COST_RATES,
        path="cost-rates",
        view=cost_rates_notice,
        confidential=cost_rates_view,
        seen_by=(*CONTROLLING, "confidential"),
    )
    routes.command(PublishCostRates, by=CONTROLLING)
    return routes
