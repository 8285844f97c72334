"""List what cannot be computed yet, for want of rates, prices or signed documents; catch up.

What waits for cost rates is listed in the confidential view only.
"""

from collections.abc import Iterable

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing
from chassis.domain.context import Context
from chassis.domain.work_items import WorkItem
from contracts.event import Event
from finance.details import items_of_reader, missing_of_reader
from finance.engagement import Engagement
from finance.pending import work_items
from finance.pending.missing import waiting, waiting_for_costs
from finance.roles import ACCOUNTING


class CatchUp(Command):
    """Compute what waited for rates that were published since.

    This happens without the command when the next event of the engagement is processed. What still
    waits is in the view of the engagement. A rate that was published a moment before may not have
    arrived: it is read from its topic, also by the service that published it. Then give the command
    again, with another Idempotency-Key.
    """


class PendingFields(ViewModel):
    """The figures that cannot be computed yet, in the view of an engagement."""

    waiting: list[Missing]


class PendingFigures(ViewModel):
    """The figures that wait for costs, in the view for callers who may see them."""

    waiting_for_costs: list[Missing]


def catching_up(computing: tuple[Capability[Engagement], ...]) -> Capability[Engagement]:
    """Return the capability that computes what waited, by the reactions of the others."""
    capability = Capability[Engagement](__name__)

    @capability.decide(CatchUp, by=ACCOUNTING)
    def catch_up(state: Engagement, command: CatchUp, context: Context) -> Iterable[Event]:
        """Record everything that can be computed now, which may be nothing.

        It is never refused: a refusal would tell whether a cost is known.
        """
        reactions = (reaction for each in computing for reaction in each.reactions)
        yield from tuple(event for reaction in reactions for event in reaction(state, context))

    capability.work(work_items.KINDS, work_items.items)
    capability.work(work_items.CONFIDENTIAL_KINDS, work_items.confidential_items, confidential=True)

    @capability.view
    def pending_view(state: Engagement) -> PendingFields:
        """Return what cannot be computed yet for the view of an engagement."""
        return PendingFields(waiting=list(waiting(state)))

    @capability.confidential_view
    def pending_figures(state: Engagement) -> PendingFigures:
        """Return what waits for costs for the confidential view of an engagement."""
        return PendingFigures(waiting_for_costs=list(waiting_for_costs(state)))

    @capability.narrow("waiting")
    @capability.narrow("waiting_for_costs")
    def pending_of_reader(
        missing: list[Missing], state: Engagement, context: Context
    ) -> list[Missing]:
        """Return what waits, without details of people's time and expenses."""
        return missing_of_reader(missing, context)

    @capability.narrow("confidential_work")
    def costs_of_reader(
        items: tuple[WorkItem, ...], state: Engagement, context: Context
    ) -> tuple[WorkItem, ...]:
        """Return the work items about costs without single works."""
        return items_of_reader(items, work_items.CONFIDENTIAL_KINDS, context)

    return capability
