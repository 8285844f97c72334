"""The sales service: ``python -m sales.service``."""

from chassis.domain.decider import Decider
from chassis.domain.reference import Record, account_zone, reference_decider
from chassis.runtime.service import Service, run
from chassis.web.command_routes import CommandRoutes
from chassis.web.document_routes import document_routes
from chassis.web.reference_routes import ReferenceRoutes
from common.disconnects import decisions as disconnects
from common.questions import decisions as questions
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

ENGAGEMENT: Decider[Engagement] = Decider(
    department="sales",
    kind="engagement",
    initial=lambda subject: Engagement(engagement=subject),
    capabilities=(
        opportunity.capability,
        importing.capability,
        proposals.capability,
        contract.capability,
        progress.capability,
        invoices.capability,
        disconnects.capability_of(Engagement),
        questions.capability_of(
            Engagement,
            department="sales",
            by=SELLERS,
            account_of=lambda state: state.opportunity.account,
            require_open=require_not_ended,
        ),
    ),
    zone=lambda state, context: account_zone(state.opportunity.account, context),
)
"""Decider of engagements. There are no reactions: every event of Sales follows from a command."""

ACCOUNT = reference_decider(Record[AccountPublished], accounts.capability)
"""Decider of accounts."""

CONTACT = reference_decider(Record[ContactPublished], contacts.capability)
"""Decider of contacts."""

SERVICE = Service(
    "sales",
    "Sales",
    description=(
        "Opportunities, proposals and the gate before their submission, deals won and lost, "
        "accounts and their contacts, and the import of CRM exports."
    ),
    routes=(
        CommandRoutes(ENGAGEMENT, path="engagements", seen_by=READERS),
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
    routers=(imports, document_routes(seen_by=READERS, uploaded_by=SELLERS)),
    reads=(AccountPublished, ContactPublished, PersonPublished, StandInsPublished),
)


def main() -> None:
    """Run the service until it receives SIGTERM."""
    run(SERVICE)


if __name__ == "__main__":
    main()
