"""Check what invoices take of payments and give back, and overdue invoices."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from contracts.finance import (
    AccountReopened,
    CreditNoteIssued,
    PaymentAllocated,
    PaymentDeallocated,
    PaymentOverdue,
    WriteOffRecorded,
    WriteOffReversed,
)
from contracts.money import Money
from contracts.values import Conversion
from finance.allocations.requests import GiveBackAllocation, TakeAllocation
from finance.engagement import Engagement
from finance.number_series.events import NumberTaken
from finance.payments.requests import NoteDeallocation
from finance.settlement.decisions import SettleAccount
from testkit.scenario import Scenario, like
from tests.amounts import eur, usd
from tests.invoices import CUSTOMER, SELLER
from tests.unit.finance.builders import (
    APRIL_1,
    CARD,
    COSTS,
    SCHEDULE,
    TERMINATED,
    allocate,
    contracted,
    credit,
    credit_issued,
    drafts_and_invoices,
    exchange,
    fixed_line,
    hearing,
    issued,
    pay,
    sent,
    sow_of,
)

MAY_2 = date(2026, 5, 2)


def give_back(take: TakeAllocation, why: str = "Wrong invoice.") -> GiveBackAllocation:
    return GiveBackAllocation(allocation=take.allocation, why=why, deallocated_on=MAY_2)


def taken_by(take: TakeAllocation, **changed: object) -> PaymentAllocated:
    fields = {name: getattr(take, name) for name in TakeAllocation.model_fields}
    del fields["company"], fields["account"], fields["written_off"]
    return PaymentAllocated.model_validate({**fields, **changed})


def written_off_by(take: TakeAllocation, amount: Money) -> WriteOffRecorded:
    return WriteOffRecorded(
        write_off=f"W-{take.allocation}",
        invoice=take.invoice,
        amount=amount,
        why=f"Difference on payment {take.payment}.",
        allocation=take.allocation,
        written_off_on=APRIL_1,
    )


def test_an_invoice_takes_what_is_outstanding_and_no_more():
    take = pay(2_000)
    half = sent().when(take).then(taken_by(take))
    half.then_view(outstanding=eur(3_000), paid=eur(2_000))
    more = pay(3_001)
    whole = half.when(more).then(taken_by(more, amount=eur(3_000)))
    whole.then_view(outstanding=eur(0), paid=eur(5_000))
    whole.when(pay("0.01")).then_refused("invoice-paid")


def test_bank_charge_and_write_off_settle_what_the_money_leaves():
    take = pay(4_970, bank_charge=eur(20), written_off=eur(10))
    done = sent().when(take).then(taken_by(take), written_off_by(take, eur(10)))
    done.then_view(outstanding=eur(0), paid=eur(4_990), written_off=eur(10))
    too_much = pay(4_990, bank_charge=eur(20), written_off=eur(10))
    sent().when(too_much).then(taken_by(too_much, bank_charge=eur(10)))


def test_a_payment_has_customer_company_and_currency_of_the_invoice():
    sent().when(pay(1, account="other")).then_refused("payment-of-other-account")
    sent().when(pay(1, company="de")).then_refused("payment-of-other-company")
    sent().when(allocate("invoice-start", usd(1))).then_refused("currency-differs")
    sent().when(allocate("invoice-9", eur(1))).then_refused("invoice-unknown")
    contracted().on(APRIL_1).when(pay(1)).then_refused("invoice-not-issued", saying="is drafted")


def test_an_invoice_is_paid_by_the_account_that_it_names():
    holding = CUSTOMER.model_copy(update={"account": "holding", "legal_name": "Acme Holding Ltd."})
    billed = contracted(sow_of(fixed_line(bill_to="holding"))).knowing(CUSTOMER, holding)
    out = issued(billed, "invoice-start", "2026-00001", APRIL_1)
    out.when(pay(1)).then_refused("payment-of-other-account", saying="the invoice of holding")
    out.after(pay(5_000, account="holding")).then_view(outstanding=eur(0))


def test_an_allocation_is_given_back_once():
    take = pay(4_970, bank_charge=eur(20), written_off=eur(10))
    paid = sent().after(take)
    back = paid.when(give_back(take)).then(
        PaymentDeallocated(**dict(taken_by(take)), why="Wrong invoice.", deallocated_on=MAY_2),
        WriteOffReversed(
            write_off=f"W-{take.allocation}",
            invoice="invoice-start",
            amount=eur(10),
            why="Wrong invoice.",
            reversed_on=MAY_2,
        ),
    )
    back.then_view(outstanding=eur(5_000), paid=eur(0), written_off=eur(0))
    back.when(give_back(take)).then_nothing()


def test_the_state_does_not_grow_with_payments_that_were_taken_back():
    def after(times: int) -> int:
        scenario = sent()
        for number in range(times):
            take = pay(4_970, bank_charge=eur(20), written_off=eur(10), payment=f"P-{number:013}")
            back = give_back(take).model_copy(update={"deallocated_on": take.received_on})
            scenario = scenario.after(take).after(back)
        state = scenario.then_view(outstanding=eur(5_000)).state
        return len(state.model_dump_json())

    assert after(9) == after(7), "amounts of as many digits"


def test_what_a_credit_note_leaves_over_goes_back_to_the_payments_newest_first():
    first, second = pay(4_000), pay(900, bank_charge=eur(95), written_off=eur(5))
    paid = sent().after(first).after(second)
    paid.after(credit(1_500)).then_view(paid=eur(4_995))
    credited = credit_issued(paid, credit(1_500))
    credited.then_view(outstanding=eur(0), paid=eur(3_500), written_off=eur(0))
    notes = [
        NoteDeallocation.model_validate_json(each.event.content)
        for key, each in credited.stream.requests.items()
        if key not in paid.stream.requests
    ]
    assert notes == [
        NoteDeallocation(allocation=second.allocation, used=eur(900)),
        NoteDeallocation(allocation=first.allocation, used=eur(500)),
    ]


@pytest.mark.parametrize(
    ("credited", "written_off", "amount", "bank_charge"),
    [(6, 6, None, 0), (40, 10, 30, 0), (4_950, 10, 4_900, 40), (5_000, 10, 4_900, 90)],
)
def test_a_part_is_given_back_of_write_off_money_and_bank_charge_in_this_order(
    credited: int, written_off: int, amount: int | None, bank_charge: int
):
    take = pay(4_900, bank_charge=eur(90), written_off=eur(10))
    approved = sent().after(take).when(credit(credited))
    (request,) = approved.requests
    number = NumberTaken(number=1, on=APRIL_1)
    charge = eur(bank_charge) if bank_charge else None
    back = (
        [] if amount is None else [like(PaymentDeallocated, amount=eur(amount), bank_charge=charge)]
    )
    approved.after.when_outcome(request.id, request.item, number).then(
        like(CreditNoteIssued), like(WriteOffReversed, amount=eur(written_off)), *back
    )


def dollars(asked: int, converted: str, day: date = APRIL_1) -> dict[str, object]:
    conversion = Conversion(
        amount=eur(asked), converted=usd(converted), exchange_rate=f"EUR-USD-{day}", version=1
    )
    return {"conversion": conversion, "received_on": day}


def in_dollars(*rates: tuple[str, date]) -> Scenario[Engagement]:
    known = [exchange(rate, day) for rate, day in rates]
    return sent().on(MAY_2).knowing(CARD, COSTS, *known)


def allocated(scenario: Scenario[Engagement], take: TakeAllocation) -> PaymentAllocated:
    [event] = scenario.when(take).events
    assert isinstance(event, PaymentAllocated)
    return event


def test_a_payment_in_the_currency_of_the_books_states_the_exchange_difference():
    later = in_dollars(("1.10", APRIL_1), ("1.20", MAY_2))
    take = pay(5_000, **dollars(5_000, "6000", MAY_2))
    event = allocated(later, take)
    assert (event.exchange_difference, event.received) == (usd(500), None)
    assert event.booked == dollars(5_000, "5500")["conversion"]
    unknown = allocated(in_dollars(("1.20", MAY_2)), take)
    assert (unknown.exchange_difference, unknown.booked) == (None, None)


def test_an_invoice_in_another_currency_than_the_books_has_a_realised_difference():
    """Glossary of Kantox, "realised gains and losses".

    An invoice of 100,000 EUR at EUR-USD 1.10 that is settled at 1.20 gains 10,000 USD.
    """
    start = SCHEDULE[0].model_copy(update={"amount": eur(100_000)})
    contract = contracted(sow_of(fixed_line(start, price=eur(100_000))))
    rates = [exchange("1.10", APRIL_1), exchange("1.20", MAY_2)]
    out = issued(contract, "invoice-start", "2026-00007", APRIL_1).on(MAY_2)
    event = allocated(out.knowing(CARD, COSTS, *rates), pay(100_000, received_on=MAY_2))
    assert (event.conversion, event.exchange_difference) == (None, usd(10_000))
    assert event.booked == dollars(100_000, "110000")["conversion"]
    assert event.received == dollars(100_000, "120000", MAY_2)["conversion"]
    falling = [exchange("1.10", APRIL_1), exchange("1.05", MAY_2)]
    loss = allocated(out.knowing(CARD, COSTS, *falling), pay(100_000, received_on=MAY_2))
    assert loss.exchange_difference == usd(-5_000)


def test_the_difference_is_in_the_base_currency_where_three_currencies_differ():
    rates = [
        exchange("1.10", APRIL_1),
        exchange("1.20", MAY_2),
        exchange("1.25", MAY_2, base="GBP"),
    ]
    pounds = Conversion(
        amount=eur(1_000),
        converted=Money(amount=Decimal(900), currency="GBP"),
        exchange_rate=f"EUR-GBP-{MAY_2}",
        version=1,
    )
    scenario = sent().on(MAY_2).knowing(CARD, COSTS, *rates)
    event = allocated(scenario, pay(1_000, conversion=pounds, received_on=MAY_2))
    assert (event.booked, event.received) != (None, None)
    assert event.exchange_difference == usd(25)  # 900 GBP at 1.25 less 1,000 EUR at 1.10


def test_nothing_differs_where_invoice_payment_and_books_have_one_currency():
    books = SELLER.model_copy(update={"base_currency": "EUR"})
    event = allocated(sent().knowing(CARD, COSTS, CUSTOMER, books), pay(5_000))
    assert (event.booked, event.received, event.exchange_difference) == (None, None, None)


def test_parts_that_are_given_back_add_up_to_the_difference_by_the_same_rates():
    paid = in_dollars(("1.103", APRIL_1), ("1.207", MAY_2))
    take = pay(5_000, received_on=MAY_2)
    event = allocated(paid, take)
    assert event.exchange_difference == usd(520)
    state = paid.after(take).knowing(exchange("9", MAY_2), exchange("9", APRIL_1))
    for number, part in enumerate(("333.33", "1.01", "2000"), start=1):
        state = credit_issued(state, credit(part), number)
        held = state.state.billing.invoices["invoice-start"].allocations[take.allocation]
        assert held.booked
        assert held.received
        assert held.exchange_difference == held.received.converted - held.booked.converted
    [back] = state.when(give_back(take)).events
    assert isinstance(back, PaymentDeallocated)
    assert back.exchange_difference == held.exchange_difference
    assert (back.booked, back.received) == (held.booked, held.received)


def test_less_is_converted_where_the_invoice_takes_less():
    later = in_dollars(("1.10", APRIL_1), ("1.20", MAY_2)).after(pay(4_000))
    take = pay(5_000, **dollars(5_000, "6000", MAY_2))
    outcome = later.when(take)
    (event,) = outcome.events
    assert isinstance(event, PaymentAllocated)
    assert (event.amount, event.used, event.exchange_difference) == (
        eur(1_000),
        usd(1_200),
        usd(100),
    )
    (back,) = outcome.after.when(give_back(take)).events
    assert isinstance(back, PaymentDeallocated)
    assert (back.used, back.exchange_difference) == (usd(1_200), usd(100))


def test_a_payment_that_is_taken_back_reopens_the_account():
    take = pay(5_000)
    settled = hearing(sent(), TERMINATED).on(date(2026, 6, 1)).after(take).after(SettleAccount())
    settled.when(give_back(take)).then(
        like(PaymentDeallocated),
        like(AccountReopened, outstanding=eur(5_000)),
    )


def test_an_invoice_is_overdue_the_day_after_its_due_day_for_what_is_unpaid():
    some = sent().after(pay(2_000))
    midnight = datetime(2026, 5, 2, tzinfo=UTC)
    some.then_deadlines(overdue_invoice_start=midnight, due_care=date(2026, 8, 1))
    late = some.when_deadline("overdue-invoice-start").then(
        PaymentOverdue(invoice="invoice-start", due_on=date(2026, 5, 1), outstanding=eur(3_000))
    )
    late.then_view(overdue=True)
    assert drafts_and_invoices(late)["invoice-start"].overdue
    late.then_deadlines(due_care=date(2026, 8, 1))
    late.after(pay(3_000)).then_view(overdue=False)


def test_an_invoice_is_overdue_again_when_its_payment_is_taken_back():
    take = pay(5_000)
    late = sent().when_deadline("overdue-invoice-start").after.after(take)
    back = late.after(give_back(take))
    back.then_deadlines(overdue_invoice_start_2=MAY_2, due_care=date(2026, 8, 1))
    back.when_deadline("overdue-invoice-start-2").then(like(PaymentOverdue))


def test_a_paid_invoice_is_never_overdue():
    sent().after(pay(5_000)).then_deadlines(due_care=date(2026, 8, 1))


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "0.001", "1E+14"])
@pytest.mark.parametrize("field", ["bank_charge", "written_off"])
def test_what_is_beside_an_allocation_is_positive_and_in_whole_cents(field: str, amount: str):
    with pytest.raises(ValueError, match=field):
        pay(1, **{field: {"amount": amount, "currency": "EUR"}})
