"""Check where the money of a payment is: on invoices, left, paid back, or returned."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from chassis.domain.pending import Refusal
from contracts.finance import PaymentAllocated, PaymentDeallocated, WriteOffRecorded
from contracts.money import Money
from contracts.reference import AccountPublished
from contracts.reference import BankAccount as AccountRecord
from contracts.roles import Role
from contracts.values import Conversion
from finance.allocations.requests import GiveBackAllocation, TakeAllocation
from finance.payments.decisions import (
    AllocatePayment,
    AssignAccount,
    DeallocatePayment,
    MatchPayment,
    RecordPayment,
    RefundPayment,
    ReturnPayment,
)
from finance.payments.events import (
    AccountAssigned,
    AllocationBegun,
    AllocationRefused,
    AllocationReleased,
    DeallocationAnswered,
    DeallocationBegun,
    MatchBegun,
    MatchRefused,
    PaymentMatched,
    PaymentRecorded,
    PaymentRefunded,
    PaymentReturned,
    PaymentSuperseded,
    ReturnBegun,
)
from finance.payments.requests import GiveWay, NoteDeallocation, ReceivePayment, StatementLine
from finance.payments.state import Payment
from finance.service import PAYMENT
from testkit.scenario import Outcome, Scenario, given, like
from tests.amounts import eur, usd
from tests.invoices import SELLER
from tests.unit.finance.builders import ID, exchange

APRIL_1, MAY = date(2026, 4, 1), date(2026, 5, 4)
OURS = SELLER.model_copy(
    update={"bank_accounts": (AccountRecord(bank_account="main", currency="EUR", number="1"),)}
)
ACME = AccountPublished(account="acme", name="Acme")
NAME, OTHER = "P-0000000000001", "P-0000000000002"
EMPTY = given(PAYMENT, NAME, records=[OURS, ACME]).on(MAY)
LINE = StatementLine(entry="E-1", booked_on=APRIL_1, place=1, detail=1)
ARRIVED = ReceivePayment(
    bank_account="us.main", amount=eur(1_000), received_on=APRIL_1, payer="Acme", line=LINE
)
REASON = "Wrong invoice."


def arrived() -> Scenario[Payment]:
    return EMPTY.after(ARRIVED)


def assigned() -> Scenario[Payment]:
    return arrived().after(AssignAccount(account="acme"))


def part(amount: int | str, invoice: str = "I-1", **more: Any) -> dict[str, Any]:
    return {"engagement": ID, "invoice": invoice, "amount": eur(amount)} | more


def allocate(*parts: dict[str, Any]) -> AllocatePayment:
    return AllocatePayment.model_validate({"items": parts})


def taken(scenario: Scenario[Payment], *amounts: int) -> Scenario[Payment]:
    """Return the scenario after the invoices took these amounts of the pending parts."""
    pending = [each.event for each in scenario.stream.requests.values()]
    for request, amount in zip(pending, amounts, strict=True):
        take = TakeAllocation.model_validate_json(request.content)
        event = PaymentAllocated(
            payment=NAME,
            allocation=take.allocation,
            invoice=take.invoice,
            amount=eur(amount),
            received_on=APRIL_1,
        )
        scenario = scenario.when_outcome(request.id, request.item, event).then_accepted()
    return scenario


def allocated(*amounts: int) -> Scenario[Payment]:
    parts = (part(each, f"I-{number}") for number, each in enumerate(amounts, 1))
    return taken(assigned().after(allocate(*parts)), *amounts)


def names(scenario: Scenario[Payment]) -> tuple[str, ...]:
    return tuple(each.allocation for each in scenario.view["allocations"])


def given_back(scenario: Scenario[Payment]) -> Outcome[Payment]:
    """Return the outcome after engagements gave back all that they are asked for."""
    outcome = None
    for each in [*scenario.stream.requests.values()]:
        back = GiveBackAllocation.model_validate_json(each.event.content)
        left = scenario.state.parts[back.allocation].left
        event = PaymentDeallocated(
            payment=NAME,
            allocation=back.allocation,
            invoice="I-1",
            amount=left,
            received_on=APRIL_1,
            why=back.why,
            deallocated_on=back.deallocated_on,
        )
        outcome = scenario.when_outcome(each.event.id, each.event.item, event)
        scenario = outcome.then_accepted()
    assert outcome is not None
    return outcome


def balanced(scenario: Scenario[Payment]) -> Scenario[Payment]:
    """Assert that each cent of the payment is in one place."""
    state = scenario.state
    parts = (state.allocated, state.unallocated, state.refunds, state.returned)
    assert Money.total(parts, "EUR") == eur(1_000)
    return scenario


def size(scenario: Scenario[Payment]) -> int:
    """Return the length of the state as it is stored."""
    return len(scenario.state.model_dump_json())


def test_the_state_does_not_grow_with_what_was_taken_back_or_refunded():
    def used(times: int) -> Scenario[Payment]:
        scenario = allocated(600)
        for _ in range(times):
            back = DeallocatePayment(allocations=names(scenario), why=REASON)
            scenario = given_back(scenario.after(back)).after.after(RefundPayment(amount=eur(1)))
            scenario = taken(scenario.after(allocate(part(600, "I-1"))), 600)
        return balanced(scenario)

    assert size(used(15)) == size(used(10))


# ---- arrival ---------------------------------------------------------------------------------


def test_a_payment_of_a_statement_is_recorded_once():
    recorded = EMPTY.when(ARRIVED).then(PaymentRecorded(**dict(ARRIVED)))
    recorded.when(ARRIVED).then_nothing()
    recorded.then_view(status="open", unallocated=eur(1_000), account=None)


def test_a_payment_by_hand_names_a_known_bank_account():
    by_hand = RecordPayment(bank_account="us.main", amount=eur(10), received_on=APRIL_1)
    EMPTY.when(by_hand).then(like(PaymentRecorded, line=None))

    def refused(code: Any, **changed: Any) -> None:
        EMPTY.when(by_hand.model_copy(update=changed)).then_refused(code)

    refused("company-unknown", bank_account="de.main")
    refused("bank-account-unknown", bank_account="us.savings")
    refused("currency-differs", amount=usd(10))
    refused("date-in-future", received_on=date(2026, 5, 5))


def test_the_customer_of_a_payment_must_be_known():
    arrived().when(AssignAccount(account="nobody")).then_refused("account-unknown")
    assigned().when(AssignAccount(account="acme")).then_nothing()
    arrived().when(AssignAccount(account="acme")).then(AccountAssigned(account="acme"))


def test_the_customer_does_not_change_while_a_part_is_allocated():
    other = allocated(10).knowing(OURS, ACME, AccountPublished(account="other", name="Other"))
    other.when(AssignAccount(account="other")).then_refused("payment-differs")


def test_an_accountant_owes_the_customer_and_then_the_use_of_the_rest():
    def owed(scenario: Scenario[Payment]) -> list[str]:
        return [f"{each.kind.code} {each.kind.command} {each.since}" for each in scenario.work]

    assert owed(arrived()) == ["payment-unassigned assign-account 2026-04-01"]
    assert owed(allocated(400)) == ["payment-unallocated allocate-payment 2026-04-01"]
    assert owed(allocated(1_000)) == []


# ---- allocation ------------------------------------------------------------------------------


def test_parts_are_requested_of_engagements_and_the_rest_is_kept():
    outcome = assigned().when(allocate(part(300), part(200, "I-2")))
    outcome.then(like(AllocationBegun, number=2))
    assert [each.stream for each in outcome.requests] == [f"engagement:{ID}"] * 2
    outcome.after.then_view(unallocated=eur(500), allocated=eur(500))
    less = balanced(taken(outcome.after, 300, 50))
    less.then_view(unallocated=eur(650), allocated=eur(350), status="open")


def test_what_the_invoice_took_is_shown_with_bank_charge_and_write_off():
    asked = assigned().after(allocate(part(300, bank_charge=eur(10), written_off=eur(2))))
    (pending,) = asked.stream.requests.values()
    take = TakeAllocation.model_validate_json(pending.event.content)
    took = PaymentAllocated(
        payment=NAME,
        allocation=take.allocation,
        invoice="I-1",
        amount=eur(300),
        bank_charge=eur(4),
        received_on=APRIL_1,
    )
    (shown,) = asked.when_outcome(pending.event.id, take.allocation, took).after.view["allocations"]
    assert (shown.amount, shown.bank_charge, shown.written_off) == (eur(300), eur(4), None)
    written_off = WriteOffRecorded(
        write_off="W",
        invoice="I-1",
        amount=eur(1),
        why="Difference.",
        allocation=take.allocation,
        written_off_on=APRIL_1,
    )
    both = asked.when_outcome(pending.event.id, take.allocation, took, written_off)
    (shown,) = both.after.view["allocations"]
    assert shown.written_off == eur(1)


def test_a_refused_part_is_free_again_and_shown():
    asked = assigned().after(allocate(part(300)))
    (pending,) = asked.stream.requests.values()
    request = pending.event
    refusal = Refusal("invoice-unknown", "there is no invoice I-1")
    refused = asked.when_outcome(request.id, request.item, refused=refusal).then(
        like(AllocationRefused, refusal=refusal)
    )
    balanced(refused).then_view(unallocated=eur(1_000), allocations=())
    assert [each.refusal for each in refused.view["refused"]] == [refusal]


def test_no_more_than_the_rest_is_allocated():
    assigned().when(allocate(part(600), part(401, "I-2"))).then_refused(
        "payment-too-small", fields=["items"], saying="1,000.00 EUR of the payment is left"
    )
    pending = assigned().after(allocate(part(600)))
    pending.when(allocate(part(401))).then_refused("payment-too-small")


def test_a_payment_of_an_unknown_customer_is_not_allocated():
    arrived().when(allocate(part(1))).then_refused("payment-unassigned")


def test_an_invoice_is_named_once():
    with pytest.raises(ValueError, match="more than once"):
        allocate(part(1), part(2))


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "0.001", "1E+14"])
@pytest.mark.parametrize("field", ["amount", "bank_charge", "written_off"])
def test_a_part_is_a_positive_amount_in_whole_cents(field: str, amount: str):
    with pytest.raises(ValueError, match=field):
        allocate(part(1) | {field: {"amount": amount, "currency": "EUR"}})
    with pytest.raises(ValueError, match="currency"):
        allocate(part(1) | {field: {"amount": "1", "currency": "XXX"}})


def test_what_is_beside_a_part_has_its_currency():
    with pytest.raises(ValueError, match="currency of amount"):
        allocate(part(1, bank_charge=usd(1)))


@pytest.mark.parametrize(
    ("field", "most", "too_much"), [("bank_charge", 5, "5.01"), ("written_off", 1, "1.01")]
)
def test_only_a_controller_accepts_a_large_charge_or_write_off(
    field: str, most: int, too_much: str
):
    accountant: list[Role] = ["project-accountant"]
    small = allocate(part(100) | {field: eur(most)})
    large = allocate(part(100) | {field: eur(too_much)})
    assigned().when(small, roles=accountant).then(like(AllocationBegun))
    assigned().when(large, roles=accountant).then_refused("write-off-too-large")
    assigned().when(large, roles=["controller"]).then(like(AllocationBegun))


def test_the_company_decides_what_an_accountant_accepts():
    limits = {"bank_charge_limit": Decimal(10), "write_off_limit": Decimal("0.5")}
    generous = assigned().knowing(OURS.model_copy(update=limits), ACME)
    charge = allocate(part(100, bank_charge=eur(10)))
    generous.when(charge, roles=["project-accountant"]).then(like(AllocationBegun))
    write_off = allocate(part(100, written_off=eur("0.51")))
    generous.when(write_off, roles=["project-accountant"]).then_refused(
        "write-off-too-large", saying="0.5% of 100"
    )


def test_a_part_in_another_currency_is_converted_at_the_rate_of_the_day():
    dollars = part(1) | {"amount": usd(110)}
    assigned().when(allocate(dollars)).then_refused("exchange-rate-missing")
    known = assigned().knowing(OURS, ACME, exchange("1.10", APRIL_1), exchange("1.20", MAY))
    outcome = known.when(allocate(dollars))
    (request,) = outcome.requests
    take = TakeAllocation.model_validate_json(request.content)
    assert take.conversion == Conversion(
        amount=usd(110), converted=eur(100), exchange_rate="EUR-USD-2026-04-01", version=1
    )
    outcome.after.then_view(unallocated=eur(900))


# ---- the way back ----------------------------------------------------------------------------


def test_an_allocation_is_taken_back_and_free_again():
    scenario = allocated(300, 200)
    first, _ = names(scenario)
    asked = scenario.when(DeallocatePayment(allocations=(first,), why=REASON))
    asked.then(like(DeallocationBegun, allocations=(first,)))
    asked.after.then_view(unallocated=eur(500))
    done = given_back(asked.after).then(
        AllocationReleased(allocation=first, used=eur(300)), DeallocationAnswered(allocation=first)
    )
    balanced(done).then_view(unallocated=eur(800))
    back = DeallocatePayment(allocations=(first,), why=REASON)
    for taken_back in (asked.after, done):
        for again in (back, back.model_copy(update={"deallocated_on": MAY})):
            taken_back.on(date(2026, 5, 9)).when(again).then_nothing()
        other = back.model_copy(update={"why": "Another reason."})
        taken_back.when(other).then_refused("already-recorded", fields=["why"], saying="Another")
        earlier = back.model_copy(update={"deallocated_on": APRIL_1})
        taken_back.when(earlier).then_refused("already-recorded", fields=["deallocated_on"])
    unknown = DeallocatePayment(allocations=("A-9",), why=REASON)
    done.when(unknown).then_refused("allocation-unknown")
    anew = taken(done.after(allocate(part(300))), 300)
    newest = DeallocatePayment(allocations=(names(anew)[-1],), why="Once more.")
    anew.when(newest).then(like(DeallocationBegun, allocations=newest.allocations))


def test_an_engagement_must_have_answered_before_it_gives_back():
    asked = assigned().after(allocate(part(300)))
    (name,) = names(asked)
    back = DeallocatePayment(allocations=(name,), why=REASON)
    asked.when(back).then_refused("payment-awaits-answer", saying=ID)
    asked.when(ReturnPayment(why=REASON)).then_refused("payment-awaits-answer")
    early = DeallocatePayment(
        allocations=names(allocated(300)), why=REASON, deallocated_on=date(2026, 3, 31)
    )
    allocated(300).when(early).then_refused("date-before-record")


def test_what_an_engagement_takes_back_by_itself_may_be_known_before_its_answer():
    asked = assigned().after(allocate(part(300)))
    (name,) = names(asked)
    early = asked.after(NoteDeallocation(allocation=name, used=eur(100)))
    balanced(taken(early, 300)).then_view(allocated=eur(200), unallocated=eur(800))
    late = taken(asked, 300).after(NoteDeallocation(allocation=name, used=eur(300)))
    balanced(late).then_view(allocations=(), unallocated=eur(1_000))


def test_a_returned_payment_is_on_no_invoice():
    asked = allocated(300, 700).when(ReturnPayment(why="No cover."))
    asked.then(like(ReturnBegun, returned_on=MAY), like(DeallocationBegun))
    asked.after.then_view(status="returning")
    done = given_back(asked.after).then(
        like(AllocationReleased), like(DeallocationAnswered), PaymentReturned(amount=eur(1_000))
    )
    balanced(done).then_view(status="returned", returned=eur(1_000), unallocated=eur(0))
    assert done.work == ()


def test_a_payment_is_returned_once_and_of_no_use_then():
    again = ReturnPayment(why="No cover.")
    done = assigned().when(again).then(like(ReturnBegun), like(PaymentReturned))
    done.when(again).then_nothing()
    other = ReturnPayment(why="Another reason.", returned_on=APRIL_1)
    done.when(other).then_refused(
        "already-recorded", fields=["why", "returned_on"], saying="given as Another reason."
    )
    for command in (
        allocate(part(1)),
        RefundPayment(),
        MatchPayment(payment=OTHER),
        DeallocatePayment(allocations=("A-1",), why=REASON),
    ):
        done.when(command).then_refused("payment-returned")


def test_a_payment_whose_parts_were_taken_back_meanwhile_is_returned_too():
    scenario = allocated(300)
    (name,) = names(scenario)
    asked = scenario.after(ReturnPayment(why="No cover."))
    (pending,) = asked.stream.requests.values()
    request = pending.event
    answered = asked.when_outcome(request.id, request.item).then(
        DeallocationAnswered(allocation=name)
    )
    answered.when(NoteDeallocation(allocation=name, used=eur(300))).then(
        like(AllocationReleased), like(PaymentReturned)
    )


def test_the_rest_is_paid_back():
    rest = allocated(300)
    some = rest.when(RefundPayment(amount=eur(100))).then(
        PaymentRefunded(amount=eur(100), paid_on=MAY)
    )
    balanced(some).then_view(refunded=eur(100), unallocated=eur(600))
    all_of_it = some.when(RefundPayment()).then(like(PaymentRefunded, amount=eur(600)))
    balanced(all_of_it).then_view(status="used")
    all_of_it.when(RefundPayment()).then_refused("payment-too-small")
    some.when(RefundPayment(amount=eur("600.01"))).then_refused("payment-too-small")
    some.when(RefundPayment(amount=usd(1))).then_refused("currency-differs")
    some.when(ReturnPayment(why="No cover.")).then_refused("payment-refunded")
    late = RefundPayment(paid_on=date(2026, 5, 5))
    rest.when(late).then_refused("date-in-future")
    rest.when(RefundPayment(paid_on=date(2026, 3, 31))).then_refused("date-before-record")


# ---- matching --------------------------------------------------------------------------------


def by_hand(amount: int = 1_000) -> Scenario[Payment]:
    return EMPTY.after(
        RecordPayment(bank_account="us.main", amount=eur(amount), received_on=APRIL_1)
    )


def asked_by(amount: int = 1_000) -> GiveWay:
    return GiveWay(payment=OTHER, bank_account="us.main", amount=eur(amount))


def test_a_payment_by_hand_is_matched_with_that_of_the_statement():
    asked = by_hand().when(MatchPayment(payment=OTHER))
    (request,) = asked.requests
    assert request.stream == f"payment:{OTHER}"
    asked.then(like(MatchBegun, payment=OTHER))
    superseded = PaymentSuperseded(by=NAME, line=LINE)
    matched = asked.after.when_outcome(request.id, request.item, superseded).then(
        PaymentMatched(line=LINE)
    )
    matched.then_view(line=LINE, status="open")
    matched.when(MatchPayment(payment=OTHER)).then_nothing()
    matched.when(MatchPayment(payment="P-0000000000009")).then_refused(
        "already-recorded", fields=["payment"], saying=f"recorded as {OTHER}, given as P-"
    )


def test_a_match_that_is_refused_is_shown():
    asked = by_hand().after(MatchPayment(payment=OTHER))
    (pending,) = asked.stream.requests.values()
    request = pending.event
    refusal = Refusal("payment-differs", "It is in use.")
    refused = asked.when_outcome(request.id, request.item, refused=refusal).then(
        MatchRefused(refusal=refusal)
    )
    refused.then_view(match_refused=refusal)
    refused.when(MatchPayment(payment=OTHER)).then(like(MatchBegun))


def test_the_payment_of_the_statement_gives_way_if_it_is_the_same_and_not_in_use():
    gone = arrived().when(asked_by()).then(PaymentSuperseded(by=OTHER, line=LINE))
    gone.then_view(status="superseded", unallocated=eur(0), superseded_by=OTHER)
    gone.when(asked_by()).then_refused("payment-superseded")
    gone.when(AssignAccount(account="acme")).then_refused("payment-superseded")
    arrived().when(asked_by(999)).then_refused("payment-differs")
    assigned().when(asked_by()).then_refused("payment-differs")
    by_hand().when(asked_by()).then_refused("payment-differs")
