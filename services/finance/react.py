"""What follows by itself from what is known, whatever was heard first."""

from collections.abc import Iterable

from chassis.domain.decider import Command, Context, Refused
from contracts.event import Event
from finance.billing import billing
from finance.budgeting import budgets
from finance.costing import costs
from finance.invoicing import issues
from finance.measuring import measurements
from finance.pricing import prices
from finance.settling import reopened
from finance.state import Engagement, decide
from finance.waiting import waiting


class CatchUp(Command):
    """Take up what waited for rates that have been published since.

    It happens by itself with the next event that is heard of the engagement.
    """


def react(state: Engagement, context: Context) -> Iterable[Event]:
    """Price and cost, budget, bill and issue, open the account again, measure."""
    yield from prices(state, context)
    yield from budgets(state, context)
    yield from costs(state, context)
    yield from billing(state, context)
    yield from issues(state, context)
    yield from reopened(state, context)
    yield from measurements(state, context)


@decide.on(CatchUp)
def catch_up(state: Engagement, command: CatchUp, context: Context) -> Iterable[Event]:
    """All that can be said now; refused where something waits and nothing of it can be said."""
    events = tuple(react(state, context))
    waits = tuple(waiting(state))
    if waits and not events:
        raise Refused("still-waiting", "; ".join(one.sentence for one in waits), waits)
    yield from events
