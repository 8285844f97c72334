"""The deciders of Sales, whole: one for engagements, one for accounts.

There are no reactions: everything Sales says, a person decides.
"""

from chassis.domain.decider import Decider
from sales import accounts, evolution, hearing, opportunities, proposals
from sales.importing import taking
from sales.state import (
    Account,
    Engagement,
    decide,
    decide_account,
    evolve,
    evolve_account,
)

CAPABILITIES = (opportunities, proposals, taking, accounts, evolution, hearing)
"""The modules whose decisions and steps stand in `decide` and `evolve` once they are imported."""

ENGAGEMENT: Decider[Engagement] = Decider(
    department="sales",
    kind="engagement",
    initial=lambda subject: Engagement(engagement=subject),
    evolve=evolve,
    decide=decide,
    opens=frozenset({opportunities.OpenOpportunity, taking.ImportOpportunity}),
)

ACCOUNT: Decider[Account] = Decider(
    department="sales",
    kind="account",
    initial=lambda subject: Account(account=subject),
    evolve=evolve_account,
    decide=decide_account,
    opens=frozenset({accounts.PublishAccount, accounts.IntroduceAccount}),
)
