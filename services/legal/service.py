"""The legal service: ``python -m legal.service``."""

from chassis.domain.reference import Record, account_zone, reference_decider
from chassis.runtime.service import Service, run
from chassis.web.document_routes import document_routes
from chassis.web.engagement_routes import EngagementRoutes
from chassis.web.reference_routes import ReferenceRoutes
from common.decider import engagement_decider
from contracts.reference import (
    AccountPublished,
    AgreementPublished,
    CompanyPublished,
    ContactPublished,
    PersonPublished,
    StandInsPublished,
)
from contracts.roles import COMPANY
from legal.agreements import decisions as agreements
from legal.amendments import decisions as amendments
from legal.deal import decisions as deal
from legal.early_starts import decisions as early_starts
from legal.ending import decisions as ending
from legal.engagement import Engagement
from legal.file import decisions as file
from legal.importing import decisions as importing
from legal.obligations import decisions as obligations
from legal.policies import require_not_ended
from legal.receivables import decisions as receivables
from legal.roles import CONTRACTS, READERS
from legal.signing import decisions as signing
from legal.sows import decisions as sows

ENGAGEMENT = engagement_decider(
    "legal",
    Engagement,
    file.capability,
    deal.capability,
    sows.capability,
    signing.capability,
    early_starts.capability,
    amendments.capability,
    obligations.capability,
    receivables.capability,
    ending.capability,
    importing.capability,
    answering=CONTRACTS,
    owing="contract-manager",
    account_of=lambda state: state.file.account,
    require_open=require_not_ended,
)
"""Decider of Legal's engagement streams; the first event of another department begins one."""

AGREEMENT = reference_decider(
    Record[AgreementPublished],
    agreements.capability,
    zone=lambda agreement, *when: account_zone(agreement.account, *when),
)
"""Decider of agreements with accounts."""

SERVICE = Service(
    "legal",
    "Legal",
    description=(
        "Contract documents of an engagement: the statement of work and its gate, early starts, "
        "amendments, obligations and termination; agreements with accounts."
    ),
    routes=(
        EngagementRoutes(ENGAGEMENT, seen_by=READERS, uploaded_by=CONTRACTS),
        ReferenceRoutes(
            AGREEMENT,
            path="agreements",
            seen_by=COMPANY,
            listed=("account", "agreement_type", "signed_on", "starts_on", "expires_on"),
        ),
    ),
    routers=(document_routes(seen_by=READERS, uploaded_by=CONTRACTS, kind="agreement"),),
    reads=(
        AccountPublished,
        AgreementPublished,
        CompanyPublished,
        ContactPublished,
        PersonPublished,
        StandInsPublished,
    ),
)


if __name__ == "__main__":
    run(SERVICE)
