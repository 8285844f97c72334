"""Example events and scenarios of Legal: one engagement, won for 100,000 EUR, step by step."""

from datetime import date
from decimal import Decimal

from contracts import delivery, finance
from contracts.delivery import ChangeApproved, ChangeAssessed, ChangeRequested
from contracts.documents import STATEMENT_OF_WORK, UNSEALED, seal
from contracts.finance import ChangePriced
from contracts.legal import (
    FileOpened,
    SowApproved,
    SowDrafted,
    SowSentForSignature,
    SowSignatureRecorded,
    SowSigned,
)
from contracts.lines import (
    BillingItem,
    ContractLine,
    LineChange,
    LineRate,
    LineScopeChange,
    ProposedLine,
    RoleHoursDelta,
    total_delta,
)
from contracts.money import Money
from contracts.reference import ContactPublished, PersonPublished
from contracts.sales import DealWon, OpportunityOpened, ProposalDrafted
from contracts.values import Deliverable, Party, RoleHours, Signatory
from legal.engagement import Engagement
from legal.service import ENGAGEMENT
from testkit.scenario import Scenario, given
from tests.amounts import eur, per_hour

ID = "E-0000000000001"
TODAY = date(2026, 3, 2)
ALL = {"delivery": 99}
"""Attribute `heard` of a price for which Finance had processed all events of Delivery."""
START, FINISH = date(2026, 4, 1), date(2026, 9, 30)


def deliverable(name: str) -> Deliverable:
    return Deliverable(deliverable=name, title=f"The {name}")


OPENED = OpportunityOpened(
    account="acme",
    title="Order desk",
    expected_value=eur(90_000),
    expected_close=date(2026, 3, 1),
    owner="ann",
)
RATE = LineRate(role="architect", rate=per_hour(150))
BUILD = ContractLine(
    line="build",
    title="Order desk",
    pricing="fixed",
    price=eur(100_000),
    hours=(RoleHours(role="architect", hours=Decimal(500)),),
    rates=(RATE,),
    deliverables=("design", "portal"),
    billing=(
        BillingItem(item="B-1", kind="on-signature", amount=eur(30_000)),
        BillingItem(item="B-2", kind="on-acceptance", amount=eur(70_000), deliverables=("portal",)),
    ),
)
WON = DealWon(
    proposal_version=2,
    company="concord",
    lines=(BUILD,),
    price=eur(100_000),
    deliverables=(deliverable("design"), deliverable("portal")),
    starts_on=START,
    finishes_on=FINISH,
    payment_terms_days=30,
    won_on=date(2026, 3, 1),
)
PROPOSED = ProposalDrafted(
    version=1,
    company="concord",
    estimate_version=1,
    deliverables=(deliverable("portal"),),
    lines=(ProposedLine(line="build", title="Order desk", pricing="fixed", price=eur(95_000)),),
    price=eur(95_000),
    promised_start=START,
    promised_finish=FINISH,
    valid_until=START,
    method="Small steps.",
)
FILE = FileOpened(account="acme", title="Order desk")
SCOPE = "An order desk for the trade."

V1 = seal(
    STATEMENT_OF_WORK,
    SowDrafted(
        version=1,
        content_hash=UNSEALED,
        engagement=ID,
        company="concord",
        customer="acme",
        template="statement-of-work",
        template_version=1,
        proposal_version=2,
        scope=SCOPE,
        deliverables=WON.deliverables,
        lines=WON.lines,
        price=WON.price,
        starts_on=START,
        finishes_on=FINISH,
        effective_on=START,
        payment_terms_days=30,
    ),
)
V2 = seal(
    STATEMENT_OF_WORK,
    V1.model_copy(update={"version": 2, "scope": "An order desk for the trade, in two languages."}),
)


def of_delivery(sow: SowDrafted, objection: str | None = None) -> delivery.SowReviewed:
    return delivery.SowReviewed(
        version=sow.version,
        content_hash=sow.content_hash,
        verdict="objected" if objection else "approved",
        why=objection,
    )


def of_finance(sow: SowDrafted, objection: str | None = None) -> finance.SowReviewed:
    return finance.SowReviewed(**of_delivery(sow, objection).model_dump())


def signature(party: Party, day: date = TODAY, person: str | None = None) -> Signatory:
    return Signatory(
        party=party, person=person or {"company": "carl", "customer": "zoe"}[party], signed_on=day
    )


BOTH = (signature("company"), signature("customer"))
SIGNATURES = tuple(
    SowSignatureRecorded(version=1, content_hash=V1.content_hash, signatory=one) for one in BOTH
)
SIGNED = SowSigned(version=1, content_hash=V1.content_hash, signatories=BOTH, signed_on=TODAY)


def requested(change: str = "C-1") -> ChangeRequested:
    return ChangeRequested(
        change=change, requested_by="zoe", description="And French.", requested_on=TODAY
    )


def assessed(
    change: str = "C-1",
    days: int = 10,
    added: tuple[str, ...] = (),
    removed: tuple[str, ...] = (),
    line: str = "build",
    hours: int = 20,
) -> ChangeAssessed:
    scope = LineScopeChange(
        line=line,
        hours=(RoleHoursDelta(role="architect", hours=Decimal(hours)),),
        deliverables_added=tuple(deliverable(name) for name in added),
        deliverables_removed=removed,
    )
    return ChangeAssessed(change=change, changes=(scope,), days=days, risk="None to speak of.")


def priced(
    assessment: ChangeAssessed | None = None, price: Money | None = None, **fields: object
) -> ChangePriced:
    """Return the price of an assessment of one line; `fields` are others of the priced change."""
    known = assessment or assessed()
    [scope] = known.changes
    change = LineChange.model_validate(
        {**dict(scope), "price_delta": price or eur(3_000), **fields}
    )
    return ChangePriced(change=known.change, changes=(change,), price=total_delta((change,)))


def agreed(change: str = "C-1") -> ChangeApproved:
    return ChangeApproved(change=change, approved_by="zoe", approved_on=TODAY)


def contact(name: str, *roles: str, account: str = "acme", **more: object) -> ContactPublished:
    fields = {"contact": name, "name": name.title(), "account": account, "roles": roles}
    return ContactPublished.model_validate(fields | more)


def person(name: str, **more: object) -> PersonPublished:
    fields = {"person": name, "name": name.title(), "department": "legal", "may_sign": True}
    return PersonPublished.model_validate(fields | more)


SIGNING = (person("carl"), contact("zoe", "signatory"))
"""The people who may sign for the company and for the customer."""


def new() -> Scenario[Engagement]:
    """Return an engagement before its first event; there are people who may sign."""
    return given(ENGAGEMENT, ID, records=SIGNING).on(TODAY)


def opened() -> Scenario[Engagement]:
    """Return an engagement whose opportunity was opened in Sales; it has no file."""
    return new().consumed(OPENED)


def filed() -> Scenario[Engagement]:
    """Return a won engagement with a file."""
    return opened().consumed(WON).published(FILE)


def drafted() -> Scenario[Engagement]:
    """Return an engagement with the first version of the statement of work."""
    return filed().published(V1)


def reviewed() -> Scenario[Engagement]:
    """Return an engagement whose first version Delivery and Finance approved."""
    return drafted().consumed(of_delivery(V1), of_finance(V1))


def approved() -> Scenario[Engagement]:
    """Return an engagement whose first version Legal approved, too."""
    return reviewed().published(SowApproved(version=1, content_hash=V1.content_hash))


def sent() -> Scenario[Engagement]:
    """Return an engagement whose first version was sent for signature."""
    event = SowSentForSignature(version=1, content_hash=V1.content_hash, sent_on=TODAY)
    return approved().published(event)


def signed() -> Scenario[Engagement]:
    """Return an engagement whose first version both parties signed."""
    return sent().published(*SIGNATURES, SIGNED)
