"""Deciders of Sales: one for engagements, one for accounts.

There are no reactions: every event of Sales follows from a command.
"""

from chassis.domain.decider import Decider
from sales import accounts, evolution, hearing, opportunities, proposals
from sales.importing import import_opportunity
from sales.state import (
    Account,
    Engagement,
    decide,
    decide_account,
    evolve,
    evolve_account,
)

CAPABILITIES = (opportunities, proposals, import_opportunity, accounts, evolution, hearing)
"""Modules that, when imported, register their decisions and steps in `decide` and `evolve`."""

ENGAGEMENT: Decider[Engagement] = Decider(
    department="sales",
    kind="engagement",
    initial=lambda subject: Engagement(engagement=subject),
    evolve=evolve,
    decide=decide,
    opens=frozenset({opportunities.OpenOpportunity, import_opportunity.ImportOpportunity}),
)

ACCOUNT: Decider[Account] = Decider(
    department="sales",
    kind="account",
    initial=lambda subject: Account(account=subject),
    evolve=evolve_account,
    decide=decide_account,
    opens=frozenset({accounts.PublishAccount, accounts.IntroduceAccount}),
)
