"""Other departments' events in the state of Legal."""

from datetime import date

import pytest

from chassis.domain.decider import consumed_channels
from contracts import delivery, finance
from contracts.delivery import ChangeImplemented, ChangeRejected, EngagementClosed
from contracts.event import Event
from contracts.finance import (
    AccountReopened,
    AccountSettled,
    BudgetAmended,
    CreditNoteIssued,
    EngagementImported,
    InvoiceIssued,
    InvoiceVoided,
    PaymentAllocated,
    PaymentOverdue,
    WriteOffRecorded,
    WriteOffReversed,
)
from contracts.lines import PerformanceObligation
from contracts.sales import ProposalSubmitted
from contracts.values import AmendmentReview
from legal.engagement import Engagement
from legal.service import ENGAGEMENT
from testkit.scenario import permutations_agree
from tests.amounts import eur
from tests.invoices import taxes, untaxed, untaxed_credit
from tests.unit.legal.builders import (
    ALL,
    BUILD,
    OPENED,
    PROPOSED,
    TODAY,
    V1,
    WON,
    agreed,
    approved,
    assessed,
    drafted,
    new,
    of_delivery,
    of_finance,
    priced,
    requested,
    sent,
    signed,
)

ISSUED = InvoiceIssued(
    invoice="I-1",
    number="2026-0001",
    billing_event="BE-1",
    kind="on-signature",
    **untaxed(eur(30_000)),
    advance_drawn=eur(0),
    issued_on=TODAY,
    due_on=date(2026, 4, 1),
)
OVERDUE = PaymentOverdue(invoice="I-1", due_on=date(2026, 4, 1), outstanding=eur(30_000))
PAID = PaymentAllocated(
    payment="P-1", allocation="A-1", invoice="I-1", amount=eur(20_000), received_on=TODAY
)
CREDITED = CreditNoteIssued(
    credit_note="CN-1",
    number="CN-2026-00001",
    invoice="I-1",
    **untaxed_credit(eur(10_000)),
    why="Goodwill",
    issued_on=TODAY,
)


FIRST, SECOND = assessed("C-1", added=("manual",)), assessed("C-2", days=-3)
REVIEW = AmendmentReview(amendment="A-C-1", content_hash=V1.content_hash, verdict="approved")


def test_the_order_of_events_does_not_matter_for_amendments():
    permutations_agree(
        signed(),
        requested("C-1"),
        FIRST,
        requested("C-2"),
        priced(SECOND, eur(-700)),
        SECOND,
        agreed("C-1"),
        priced(FIRST),
        agreed("C-2"),
        delivery.AmendmentReviewed(**dict(REVIEW)),
        finance.AmendmentReviewed(**dict(REVIEW)),
        ISSUED,
        OVERDUE,
        PAID,
        knowing=ALL,
    )


def test_the_order_of_events_does_not_matter_for_files_and_reviews():
    permutations_agree(
        new(),
        OPENED,
        PROPOSED,
        PROPOSED,
        ProposalSubmitted(version=1, submitted_on=TODAY),
        WON,
        requested(),
        priced(),
        assessed(),
        agreed(),
        knowing=ALL,
    )
    permutations_agree(drafted(), of_delivery(V1, "Too early"), of_finance(V1), of_delivery(V1))


def test_the_order_of_events_does_not_matter_for_settlement_and_closing():
    permutations_agree(
        signed(),
        requested(),
        assessed(),
        agreed(),
        priced(),
        ChangeImplemented(change="C-1", implemented_on=TODAY),
        ISSUED,
        PAID,
        CREDITED,
        AccountSettled(billed=eur(30_000), paid=eur(20_000), written_off=eur(0), settled_on=TODAY),
        EngagementClosed(closed_on=TODAY),
        knowing=ALL,
    )


AMENDED = BudgetAmended(
    change="C-1",
    amendment="A-C-1",
    price=eur(31_000),
    lines=(BUILD,),
    obligations=(
        PerformanceObligation(obligation="fixed", lines=("build",), method="cost-to-cost"),
    ),
    signed_on=TODAY,
    unnamed_work_from=TODAY,
    treatment="catch-up",
    why="The scope is not distinct.",
)
REOPENED = AccountReopened(
    settled_on=TODAY, unbilled=eur(1_000), to_credit=eur(0), outstanding=eur(0)
)


@pytest.mark.parametrize(
    "event", [AMENDED, REOPENED, ISSUED], ids=lambda event: type(event).__name__
)
def test_later_events_of_finance_end_a_settlement(event: Event):
    settled = AccountSettled(
        billed=eur(30_000), paid=eur(20_000), written_off=eur(0), settled_on=TODAY
    )
    signed().consumed(settled).then_view(settled_on=TODAY)
    signed().consumed(settled, event).then_view(settled_on=None)
    signed().consumed(settled, event, settled).then_view(settled_on=TODAY)


def test_a_receivable_is_reduced_by_payments_credits_and_voids():
    [owing] = signed().consumed(ISSUED, OVERDUE, PAID).view["receivables"]
    assert (owing.outstanding, owing.overdue, owing.number) == (eur(10_000), True, "2026-0001")
    signed().consumed(ISSUED, PAID, CREDITED).then_view(receivables=())
    off = WriteOffRecorded(
        write_off="W-1", invoice="I-1", amount=eur(9_000), why="Insolvent.", written_off_on=TODAY
    )
    [rest] = signed().consumed(ISSUED, PAID, off).view["receivables"]
    assert rest.outstanding == eur(1_000)
    back = WriteOffReversed(
        write_off="W-1", invoice="I-1", amount=eur(500), why="Paid.", reversed_on=TODAY
    )
    [more] = signed().consumed(ISSUED, PAID, off, back).view["receivables"]
    assert more.outstanding == eur(1_500)
    void = InvoiceVoided(
        invoice="I-1",
        number="2026-0001",
        amount=eur(30_000),
        why="Typo",
        voided_on=TODAY,
        ends_event=False,
    )
    signed().consumed(ISSUED, OVERDUE, void).then_view(receivables=())
    signed().consumed(PAID, CREDITED, OVERDUE, void).then_view(receivables=())


def balances(*unpaid: tuple[str, int], why: str | None = None) -> EngagementImported:
    """Return opening balances with these unpaid invoices: number and what is open."""
    owed = eur(sum(each for _, each in unpaid))
    line = {
        "line": "work",
        "price": eur(30_000),
        "billed": owed,
        "paid": eur(0),
        "method": "at-acceptance",
        "recognised": eur(0),
    }
    receivables = [
        {
            "invoice": f"opening-{number}",
            "number": number,
            "gross": eur(each),
            "open": eur(each),
            "issued_on": "2026-01-05",
            "due_on": "2026-02-04",
        }
        for number, each in unpaid
    ]
    return EngagementImported.model_validate(
        {
            "source": "crm",
            "external_id": "A1",
            "as_of": "2026-01-31",
            "lines": [line],
            "price": eur(30_000),
            "billed": owed,
            "paid": eur(0),
            "receivables": receivables,
            "why": why,
        }
    )


def test_an_invoice_from_before_is_a_receivable_until_it_is_paid():
    first = balances(("R1", 1_000), ("R2", 500))
    late = OVERDUE.model_copy(update={"invoice": "opening-R1"})
    part = PAID.model_copy(update={"invoice": "opening-R1", "amount": eur(400)})
    one, two = signed().consumed(first, late, part).view["receivables"]
    assert (one.number, one.outstanding, one.overdue) == ("R1", eur(600), True)
    assert (two.number, two.outstanding, two.overdue) == ("R2", eur(500), False)
    corrected = balances(("R1", 1_000), ("R3", 700), why="R2 was paid.")
    one, three = signed().consumed(first, late, part, corrected).view["receivables"]
    assert (one.outstanding, one.overdue) == (eur(600), True)
    assert (three.number, three.outstanding) == ("R3", eur(700))
    another = balances(("R1", 1_100), why="The amount was wrong.")
    [one] = signed().consumed(first, another).view["receivables"]
    assert one.outstanding == eur(1_100)


def test_a_review_of_an_unknown_version_changes_nothing():
    unknown = of_delivery(V1).model_copy(update={"version": 7})
    assert drafted().consumed(unknown).state == drafted().state


def test_a_state_survives_serialisation():
    everything = sent().consumed(
        PROPOSED,
        ISSUED,
        OVERDUE,
        requested(),
        FIRST,
        priced(FIRST),
        agreed(),
        ChangeRejected(change="C-2", why="No", rejected_on=TODAY),
        knowing=ALL,
    )
    for scenario in (new(), approved(), everything, signed()):
        state = scenario.state
        assert Engagement.model_validate_json(state.model_dump_json()) == state


def test_legal_consumes_all_open_channels_and_no_confidential_one():
    names = {channel.name for channel in consumed_channels([ENGAGEMENT])}
    assert names == {"sales", "delivery", "finance", "gateway"}


def test_what_the_customer_owes_is_with_tax() -> None:
    taxed = ISSUED.model_copy(update={"tax": taxes(eur(30_000), eur(5_700))})
    [owing] = signed().consumed(taxed, PAID).view["receivables"]
    assert owing.outstanding == eur(15_700)
    given_back = CREDITED.model_copy(update={"tax": taxes(eur(10_000), eur(1_900))})
    [rest] = signed().consumed(taxed, PAID, given_back).view["receivables"]
    assert rest.outstanding == eur(3_800)
    void = InvoiceVoided(
        invoice="I-1",
        number="2026-0001",
        amount=eur(30_000),
        why="Wrong address.",
        voided_on=TODAY,
        ends_event=False,
    )
    signed().consumed(taxed, void).then_view(receivables=())
