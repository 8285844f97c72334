"""Other departments' events in the state of Sales."""

from datetime import date
from decimal import Decimal

import pytest
from pydantic import BaseModel

from contracts.delivery import (
    EngagementClosed,
    EngagementPutOnHold,
    EngagementResumed,
    GoLiveWithdrawn,
    KickoffHeld,
    KickoffWithdrawn,
    ManagerAssigned,
    SolutionWentLive,
    StatusReportPublished,
    SurveyAnswered,
)
from contracts.finance import (
    ChangePriced,
    CreditNoteIssued,
    InvoiceIssued,
    InvoiceVoided,
    PaymentAllocated,
    PaymentOverdue,
    WriteOffRecorded,
    WriteOffReversed,
)
from contracts.legal import (
    AmendmentDrafted,
    AmendmentSigned,
    EngagementTerminated,
    RedlineResolved,
    SignatureDeclined,
    SowApproved,
    SowDrafted,
    SowRedlined,
    SowSentForSignature,
    SowSigned,
)
from contracts.lines import LineChange
from contracts.sales import ContractConfirmed
from contracts.values import Signatory
from sales.contract.decisions import ConfirmContract
from sales.contract.state import Statement
from sales.engagement import Engagement
from sales.service import ENGAGEMENT
from testkit.scenario import permutations_agree
from tests.amounts import eur
from tests.invoices import taxes, untaxed, untaxed_credit
from tests.unit.sales.builders import (
    DRAFT,
    ENDORSED,
    ENGAGEMENT_ID,
    ESTIMATE,
    MANAGER,
    PRICED,
    ready,
    won,
)

HASH = "sha256:" + "0" * 64
BOTH = (
    Signatory(party="company", person="carl", signed_on=date(2026, 2, 2)),
    Signatory(party="customer", person="cleo", signed_on=date(2026, 2, 3)),
)
SOW = SowDrafted(
    version=1,
    content_hash=HASH,
    engagement=ENGAGEMENT_ID,
    company="concord",
    customer="acme",
    template="statement-of-work",
    template_version=1,
    proposal_version=1,
    scope="A portal.",
    deliverables=DRAFT.deliverables,
    lines=DRAFT.lines,
    price=eur(17_000),
    starts_on=DRAFT.promised_start,
    finishes_on=DRAFT.promised_finish,
    effective_on=DRAFT.promised_start,
    payment_terms_days=30,
)
APPROVED = SowApproved(version=1, content_hash=HASH)
SENT = SowSentForSignature(version=1, content_hash=HASH, sent_on=date(2026, 2, 1))
SIGNED = SowSigned(version=1, content_hash=HASH, signatories=BOTH, signed_on=date(2026, 2, 3))
REPORT = StatusReportPublished(
    report=1,
    as_of=date(2026, 4, 30),
    scope="green",
    schedule="amber",
    cost="green",
    narrative="Two weeks late.",
    forecast_finish=date(2026, 7, 14),
    estimate_to_complete=Decimal(60),
)


def amendment(name: str, finishes_on: date) -> tuple[AmendmentDrafted, AmendmentSigned]:
    common = {
        "amendment": name,
        "change": f"change-{name}",
        "content_hash": HASH,
        "changes": (LineChange(line="build", price_delta=eur(2_000)),),
        "price_delta": eur(2_000),
        "finishes_on": finishes_on,
    }
    return (
        AmendmentDrafted.model_validate(
            {
                **common,
                "engagement": ENGAGEMENT_ID,
                "company": "concord",
                "customer": "acme",
                "template": "amendment",
                "template_version": 1,
                "scope_delta": "More.",
            }
        ),
        AmendmentSigned.model_validate(
            {**common, "signatories": BOTH, "signed_on": date(2026, 5, 4)}
        ),
    )


INVOICE = InvoiceIssued(
    invoice="invoice-1",
    number="2026-0001",
    billing_event="advance",
    kind="on-signature",
    **untaxed(eur(7_000)),
    advance_drawn=eur(0),
    issued_on=date(2026, 2, 4),
    due_on=date(2026, 3, 6),
)
OVERDUE = PaymentOverdue(invoice="invoice-1", due_on=date(2026, 3, 6), outstanding=eur(7_000))
VOIDED = InvoiceVoided(
    invoice="invoice-1",
    number="2026-0001",
    amount=eur(7_000),
    why="Wrong address.",
    voided_on=date(2026, 3, 10),
    ends_event=False,
)


def credit(amount: int) -> CreditNoteIssued:
    return CreditNoteIssued(
        credit_note=f"credit-{amount}",
        number=f"CN-2026-{amount:05}",
        invoice="invoice-1",
        **untaxed_credit(eur(amount)),
        why="Late delivery.",
        issued_on=date(2026, 3, 12),
    )


def payment(amount: int) -> PaymentAllocated:
    return PaymentAllocated(
        payment="P-1",
        allocation="A-1",
        invoice="invoice-1",
        amount=eur(amount),
        received_on=date(2026, 3, 20),
    )


def written_off(amount: int) -> WriteOffRecorded:
    return WriteOffRecorded(
        write_off="W-1",
        invoice="invoice-1",
        amount=eur(amount),
        why="Insolvent.",
        written_off_on=date(2026, 3, 20),
    )


def written_back(amount: int) -> WriteOffReversed:
    return WriteOffReversed(
        write_off="W-1",
        invoice="invoice-1",
        amount=eur(amount),
        why="Paid after all.",
        reversed_on=date(2026, 3, 21),
    )


def test_manager_and_estimate() -> None:
    ready().then_view(delivery__manager="emma", delivery__managed_since=date(2026, 1, 6))
    [estimate] = ready().view["estimates"]
    assert (estimate.version, estimate.endorsed_by, estimate.priced) == (1, "emma", PRICED)
    assert estimate.duration_days == ESTIMATE.duration_days


REDLINED = SowRedlined(redline="R-1", version=1, by="customer", clause="Liability", text="Less.")
RESOLVED = RedlineResolved(redline="R-1", outcome="withdrawn", resolved_on=date(2026, 2, 1))
DECLINED = SignatureDeclined(
    version=1,
    content_hash=HASH,
    party="customer",
    person="cleo",
    why="The board wants another start.",
    declined_on=date(2026, 2, 2),
)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([SOW], Statement(version=1, status="drafted")),
        ([SOW, REDLINED], Statement(version=1, status="drafted", open_redlines=("R-1",))),
        (
            [SOW, REDLINED, SOW.model_copy(update={"version": 2})],
            Statement(version=2, status="drafted", open_redlines=("R-1",)),
        ),
        ([SOW, REDLINED, RESOLVED], Statement(version=1, status="drafted")),
        ([SOW, APPROVED], Statement(version=1, status="approved")),
        ([SOW, APPROVED, SENT], Statement(version=1, status="sent")),
        ([SOW, APPROVED, SENT, DECLINED], Statement(version=1, status="approved")),
        (
            [SOW, APPROVED, SENT, SIGNED],
            Statement(
                version=1,
                status="signed",
                signed_on=date(2026, 2, 3),
                signed_content=HASH,
            ),
        ),
    ],
)
def test_the_status_of_the_statement_of_work(events, expected) -> None:
    won().consumed(*events).then_view(contract__statement_of_work=expected)


def test_the_promised_finish_is_that_of_the_amendment_signed_last() -> None:
    won().then_view(delivery__promised_finish=date(2026, 6, 30))
    first, first_signed = amendment("one", date(2026, 7, 31))
    second, second_signed = amendment("two", date(2026, 7, 15))
    drafted = won().consumed(first, second).then_view(delivery__promised_finish=date(2026, 6, 30))
    drafted.consumed(first_signed).then_view(delivery__promised_finish=date(2026, 7, 31))
    drafted.consumed(second_signed, first_signed).then_view(
        delivery__promised_finish=date(2026, 7, 31)
    )
    drafted.consumed(first_signed, second_signed).then_view(
        delivery__promised_finish=date(2026, 7, 15)
    )


def test_an_invoice_is_overdue_until_it_is_fully_paid() -> None:
    overdue = won().consumed(INVOICE, OVERDUE)
    assert [invoice.overdue for invoice in overdue.view["invoices"]] == [True]
    partly = overdue.consumed(payment(6_999))
    assert [invoice.overdue for invoice in partly.view["invoices"]] == [True]
    paid = partly.consumed(payment(1))
    assert [(i.overdue, i.paid) for i in paid.view["invoices"]] == [(False, eur(7_000))]


@pytest.mark.parametrize(
    ("events", "overdue"),
    [
        ([credit(1_000)], True),
        ([credit(1_000), payment(5_999)], True),
        ([credit(1_000), payment(6_000)], False),
        ([payment(6_000), credit(1_000)], False),
        ([credit(4_000), credit(3_000)], False),
        ([payment(5_000), written_off(2_000)], False),
        ([payment(5_000), written_off(2_000), written_back(1)], True),
        ([VOIDED], False),
    ],
)
def test_an_invoice_with_nothing_outstanding_is_not_overdue(events, overdue) -> None:
    view = won().consumed(INVOICE, OVERDUE, *events).view
    assert [invoice.overdue for invoice in view["invoices"]] == [overdue]


def test_what_is_owed_on_an_invoice_is_with_tax() -> None:
    taxed = INVOICE.model_copy(update={"tax": taxes(eur(7_000), eur(1_330))})
    [owed] = won().consumed(taxed, OVERDUE, payment(7_000)).view["invoices"]
    assert (owed.amount, owed.gross, owed.overdue) == (eur(7_000), eur(8_330), True)
    given_back = credit(1_000).model_copy(update={"tax": taxes(eur(1_000), eur(190))})
    [rest] = won().consumed(taxed, OVERDUE, payment(7_140), given_back).view["invoices"]
    assert (rest.credited, rest.overdue) == (eur(1_190), False)


def test_credits_and_voids_of_an_invoice_are_shown() -> None:
    [credited] = won().consumed(INVOICE, credit(1_000)).view["invoices"]
    assert (credited.amount, credited.credited, credited.voided) == (eur(7_000), eur(1_000), False)
    [voided] = won().consumed(INVOICE, VOIDED).view["invoices"]
    assert voided.voided


def test_events_of_an_unknown_invoice_change_nothing() -> None:
    won().consumed(
        payment(5), OVERDUE, credit(5), written_off(5), written_back(5), VOIDED
    ).then_view(invoices=())


def test_an_engagement_on_hold_is_resumed() -> None:
    hold = EngagementPutOnHold(reason="Budget freeze.", held_on=date(2026, 4, 1))
    on_hold = won().consumed(hold).then_view(delivery__on_hold=hold)
    on_hold.consumed(EngagementResumed(resumed_on=date(2026, 4, 20))).then_view(
        delivery__on_hold=None
    )


EVERYTHING = (
    MANAGER,
    ESTIMATE,
    PRICED,
    ENDORSED,
    SOW,
    REDLINED,
    RESOLVED,
    APPROVED,
    SENT,
    DECLINED,
    SENT,
    SIGNED,
    INVOICE,
    KickoffHeld(held_on=date(2026, 3, 2), attendees=("emma", "cleo")),
    REPORT,
    OVERDUE,
    ChangePriced(
        change="change-one",
        changes=(LineChange(line="build", price_delta=eur(2_000)),),
        price=eur(2_000),
    ),
    *amendment("one", date(2026, 7, 31)),
    credit(1_000),
    payment(6_000),
    SolutionWentLive(live_on=date(2026, 7, 30)),
    SurveyAnswered(
        survey="s",
        answered_by="cleo",
        satisfaction={"quality": 5},
        recommend=9,
        answered_on=date(2026, 8, 3),
    ),
    ManagerAssigned(manager="paul", assigned_on=date(2026, 8, 4)),
    EngagementClosed(closed_on=date(2026, 8, 20)),
    EngagementTerminated(reason="mutual", terminated_on=date(2026, 8, 21)),
)


def test_the_order_of_other_departments_events_does_not_matter() -> None:
    permutations_agree(won(), *EVERYTHING)


def test_a_state_survives_serialisation() -> None:
    whole: BaseModel = won().consumed(*EVERYTHING).state
    assert Engagement.model_validate_json(whole.model_dump_json()) == whole


def test_every_consumed_event_names_sales_in_its_contract() -> None:
    heard = {kind for kind in ENGAGEMENT.evolves_by if kind.channel.department != "sales"}
    assert [kind.type for kind in heard if "sales" not in kind.consumed_by] == []


def test_a_withdrawn_kickoff_and_go_live_are_not_shown() -> None:
    day = date(2026, 7, 30)
    live = won().consumed(
        KickoffHeld(held_on=day, attendees=("emma",)), SolutionWentLive(live_on=day)
    )
    live.then_view(delivery__live_on=day, delivery__kicked_off_on=day)
    withdrawn = live.consumed(
        GoLiveWithdrawn(live_on=day, why="A test.", withdrawn_on=day),
        KickoffWithdrawn(held_on=day, why="Another engagement.", withdrawn_on=day),
    )
    withdrawn.then_view(delivery__live_on=None, delivery__kicked_off_on=None)


CONFIRM = ConfirmContract(content_hash=HASH, reason="The customer took one phase less.")


def test_a_seller_confirms_the_signed_contract_once_for_each_reason() -> None:
    confirmed = ContractConfirmed(**dict(CONFIRM))
    contract = won().consumed(SOW, SIGNED).when(CONFIRM).then(confirmed)
    contract.then_view(contract__confirmed=confirmed).when(CONFIRM).then_nothing()
    again = CONFIRM.model_copy(update={"reason": "The customer pays for one phase less."})
    contract.when(again).then(ContractConfirmed(**dict(again)))


def test_only_what_is_signed_is_confirmed() -> None:
    won().consumed(SOW, APPROVED, SENT).when(CONFIRM).then_refused("sow-not-signed")
    other = CONFIRM.model_copy(update={"content_hash": "sha256:" + "f" * 64})
    won().consumed(SOW, SIGNED).when(other).then_refused("content-differs")
