"""State the next step of an open sale, and the estimate that a qualified one asks for."""

from collections.abc import Iterator

from chassis.domain.work_items import ItemKind, WorkItem
from sales.engagement import Engagement
from sales.policies import is_open_sale

NEXT_STEP = ItemKind(
    "next-step-open",
    department="sales",
    role="account-executive",
    command="update-opportunity",
    owed_to="sales",
)
REQUEST_ESTIMATE = ItemKind(
    "estimate-not-requested",
    department="sales",
    role="account-executive",
    command="request-estimate",
    owed_to="sales",
    blocks=("submit-estimate",),
)
KINDS = (NEXT_STEP, REQUEST_ESTIMATE)


def items(state: Engagement) -> Iterator[WorkItem]:
    """Yield what the owner of an open opportunity does next."""
    sale = state.opportunity
    if sale.details is None or not is_open_sale(state):
        return
    if step := sale.details.next_step:
        yield NEXT_STEP("next-step", step, since=sale.detailed_on, person=sale.owner)
    if sale.qualified and sale.estimate_requested is None:
        sentence = "the opportunity is qualified, and no estimate is requested"
        yield REQUEST_ESTIMATE("estimate", sentence, since=sale.qualified_on, person=sale.owner)
