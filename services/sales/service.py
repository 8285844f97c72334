"""The sales service: ``python -m sales.service``."""

from chassis.domain.reference import Record, account_zone, reference_decider
from chassis.runtime.service import Service, run
from chassis.web.engagement_routes import EngagementRoutes
from chassis.web.reference_routes import ReferenceRoutes
from common.decider import engagement_decider
from contracts.reference import (
    AccountPublished,
    ContactPublished,
    PersonPublished,
    StandInsPublished,
)
from contracts.roles import COMPANY
from contracts.values import ContactId
from sales.accounts import decisions as accounts
from sales.contacts import decisions as contacts
from sales.contract import decisions as contract
from sales.engagement import Engagement
from sales.importing import decisions as importing
from sales.importing.routes import router as imports
from sales.invoices import decisions as invoices
from sales.opportunity import decisions as opportunity
from sales.policies import require_not_ended
from sales.progress import decisions as progress
from sales.proposals import decisions as proposals
from sales.roles import ERASERS, READERS, SELLERS

ENGAGEMENT = engagement_decider(
    "sales",
    Engagement,
    opportunity.capability,
    importing.capability,
    proposals.capability,
    contract.capability,
    progress.capability,
    invoices.capability,
    answering=SELLERS,
    owing="account-executive",
    account_of=lambda state: state.opportunity.account,
    require_open=require_not_ended,
)
"""Decider of engagements. There are no reactions: every event of Sales follows from a command."""

ACCOUNT = reference_decider(
    Record[AccountPublished],
    accounts.capability,
    zone=lambda account, *when: account_zone(account.account, *when),
)
"""Decider of accounts."""

CONTACT = reference_decider(
    Record[ContactPublished],
    contacts.capability,
    zone=lambda contact, *when: account_zone(contact.account, *when),
)
"""Decider of contacts."""

SERVICE = Service(
    "sales",
    "Sales",
    description=(
        "Opportunities, proposals and the gate before their submission, deals won and lost, "
        "accounts and their contacts, and the import of CRM exports."
    ),
    routes=(
        EngagementRoutes(ENGAGEMENT, seen_by=READERS, uploaded_by=SELLERS),
        ReferenceRoutes(
            ACCOUNT,
            path="accounts",
            seen_by=COMPANY,
            listed=("name", "legal_name", "parent", "domain", "country", "sector", "own_pmo"),
        ),
        ReferenceRoutes(
            CONTACT,
            path="contacts",
            seen_by=COMPANY,
            listed=("name", "account", "email", "language"),
            subject=ContactId,
            erased_by=ERASERS,
        ),
    ),
    routers=(imports,),
    reads=(AccountPublished, ContactPublished, PersonPublished, StandInsPublished),
)


if __name__ == "__main__":
    run(SERVICE)
