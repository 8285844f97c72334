"""Publish the events that follow from Finance's state without a command.

The order in which other departments' events arrived does not matter.
"""

from collections.abc import Iterable

from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from contracts.event import Event
from finance.billing import billing
from finance.budgeting import budgets
from finance.costing import costs
from finance.invoicing import issues
from finance.measuring import measurements
from finance.pending import waiting
from finance.pricing import prices
from finance.settling import reopened
from finance.state import Engagement, decide


class CatchUp(Command):
    """Compute what waited for rates that were published since.

    This happens without the command when the next event of the engagement is processed.
    """


def react(state: Engagement, context: Context) -> Iterable[Event]:
    """Yield prices, budgets, costs, billing, issued invoices, reopening and measurements."""
    yield from prices(state, context)
    yield from budgets(state, context)
    yield from costs(state, context)
    yield from billing(state, context)
    yield from issues(state, context)
    yield from reopened(state, context)
    yield from measurements(state, context)


@decide.on(CatchUp)
def catch_up(state: Engagement, command: CatchUp, context: Context) -> Iterable[Event]:
    """Record everything that can be computed now.

    Raises Refused where something still waits and nothing could be computed.
    """
    events = tuple(react(state, context))
    waits = tuple(waiting(state))
    if waits and not events:
        raise Refused("inputs-missing", "; ".join(one.sentence for one in waits), waits)
    yield from events
