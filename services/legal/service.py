"""The legal service: ``python -m legal.service``."""

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
    AgreementPublished,
    ContactPublished,
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
from legal.policies import require_not_ended
from legal.receivables import decisions as receivables
from legal.roles import CONTRACTS, READERS
from legal.signing import decisions as signing
from legal.sows import decisions as sows

ENGAGEMENT: Decider[Engagement] = Decider(
    department="legal",
    kind="engagement",
    initial=lambda subject: Engagement(engagement=subject),
    capabilities=(
        file.capability,
        deal.capability,
        sows.capability,
        signing.capability,
        early_starts.capability,
        amendments.capability,
        receivables.capability,
        ending.capability,
        disconnects.capability_of(Engagement),
        questions.capability_of(
            Engagement,
            department="legal",
            by=CONTRACTS,
            account_of=lambda state: state.file.account,
            require_open=require_not_ended,
        ),
    ),
    zone=lambda state, context: account_zone(state.file.account, context),
)
"""Decider of Legal's engagement streams; the first event of another department begins one."""

AGREEMENT = reference_decider(Record[AgreementPublished], agreements.capability)
"""Decider of agreements with accounts."""

SERVICE = Service(
    "legal",
    "Legal",
    description=(
        "Contract documents of an engagement: the statement of work and its gate, early starts, "
        "amendments and termination; agreements with accounts."
    ),
    routes=(
        CommandRoutes(ENGAGEMENT, path="engagements", seen_by=READERS),
        ReferenceRoutes(
            AGREEMENT,
            path="agreements",
            seen_by=COMPANY,
            listed=("account", "agreement_type", "signed_on", "starts_on", "expires_on"),
        ),
    ),
    routers=(document_routes(seen_by=READERS, uploaded_by=CONTRACTS),),
    reads=(AccountPublished, AgreementPublished, ContactPublished, StandInsPublished),
)


def main() -> None:
    """Run the service until it receives SIGTERM."""
    run(SERVICE)


if __name__ == "__main__":
    main()
