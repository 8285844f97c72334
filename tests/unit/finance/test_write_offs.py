"""Check that a debt that is lost is written off, and that this can be reversed."""

from datetime import date

import pytest

from contracts.finance import AccountReopened, WriteOffRecorded, WriteOffReversed
from finance.engagement import Engagement
from finance.invoices.decisions import VoidInvoice
from finance.service import ENGAGEMENT
from finance.settlement.decisions import SettleAccount
from finance.write_offs.decisions import ReverseWriteOff, WriteOffInvoice
from testkit.scenario import Scenario, like
from tests.amounts import eur, usd
from tests.unit.finance.builders import (
    APRIL_1,
    TERMINATED,
    contracted,
    credit,
    credit_issued,
    hearing,
    pay,
    sent,
)

MAY_2 = date(2026, 5, 2)
INSOLVENT = "The customer is insolvent."


def write_off(amount: int | str | None = None, **more: object) -> WriteOffInvoice:
    owed = None if amount is None else eur(amount)
    terms = {"invoice": "invoice-start", "amount": owed, "why": INSOLVENT}
    return WriteOffInvoice.model_validate({**terms, **more})


def reverse(scenario: Scenario[Engagement], **more: object) -> ReverseWriteOff:
    """Return the command that reverses the newest write-off."""
    name = scenario.view["write_offs"][-1].write_off
    terms = {"write_off": name, "why": "The customer pays after all."}
    return ReverseWriteOff.model_validate({**terms, **more})


def test_what_is_outstanding_is_written_off():
    lost = sent().after(pay(2_000)).when(write_off())
    lost.then(
        like(
            WriteOffRecorded,
            invoice="invoice-start",
            amount=eur(3_000),
            why=INSOLVENT,
            allocation=None,
            written_off_on=APRIL_1,
        )
    )
    lost.after.then_view(
        billed=eur(5_000), paid=eur(2_000), written_off=eur(3_000), outstanding=eur(0)
    )
    lost.after.when(write_off()).then_refused("invoice-paid")
    lost.after.when(pay(1)).then_refused("invoice-paid", saying="3,000.00 EUR is written off")


def test_a_part_is_written_off_up_to_what_is_outstanding():
    part = sent().after(write_off(1_000)).then_view(outstanding=eur(4_000))
    part.when(write_off("4000.01")).then_refused("write-off-beyond-outstanding")
    part.after(write_off(4_000)).then_view(outstanding=eur(0))


def test_the_same_write_off_again_writes_nothing_off_twice():
    part = sent().after(write_off(1_000))
    part.on(MAY_2).when(write_off(1_000)).then_nothing()
    later = write_off(1_000, written_off_on=MAY_2)
    part.on(MAY_2).when(later).then_refused("already-recorded", saying="written_off_on")
    part.after(write_off(1_000, why="They pay no more.")).then_view(written_off=eur(2_000))
    back = part.after(reverse(part))
    back.after(write_off(1_000)).then_view(written_off=eur(1_000))


def test_what_is_written_off_is_on_an_issued_invoice_in_its_currency_on_a_day_that_has_begun():
    contracted().on(APRIL_1).when(write_off()).then_refused("invoice-not-issued")
    sent().when(write_off(invoice="I-9")).then_refused("invoice-unknown")
    sent().when(write_off().model_copy(update={"amount": usd(1)})).then_refused("currency-differs")
    sent().when(write_off(written_off_on=MAY_2)).then_refused("date-in-future")
    early = write_off(written_off_on=date(2026, 3, 1))
    sent().when(early).then_refused("date-before-issue")


def test_only_a_controller_writes_off_a_debt():
    for command in (WriteOffInvoice, ReverseWriteOff):
        assert ENGAGEMENT.commands[command].by == ("controller",)


def test_a_write_off_is_reversed_once():
    lost = sent().after(write_off(1_000)).after(write_off(500)).on(MAY_2)
    back = lost.when(reverse(lost)).then(
        like(WriteOffReversed, amount=eur(500), reversed_on=MAY_2, invoice="invoice-start")
    )
    back.then_view(written_off=eur(1_000), outstanding=eur(4_000))
    for again in (reverse(lost), reverse(lost, reversed_on=MAY_2)):
        back.on(date(2026, 5, 9)).when(again).then_nothing()
    other = reverse(lost).model_copy(update={"why": "A mistake."})
    back.when(other).then_refused("already-recorded", fields=["why"], saying="A mistake.")
    earlier = reverse(lost, reversed_on=date(2026, 5, 1))
    back.when(earlier).then_refused("already-recorded", fields=["reversed_on"])
    unknown = reverse(lost).model_copy(update={"write_off": "W-9"})
    back.when(unknown).then_refused("write-off-unknown", fields=["write_off"])
    early = reverse(lost, reversed_on=date(2026, 3, 31))
    lost.when(early).then_refused("date-before-record")
    lost.when(reverse(lost, reversed_on=date(2026, 5, 4))).then_refused("date-in-future")


def test_a_credit_note_reverses_what_was_written_off_beyond_the_rest():
    lost = sent().after(write_off(1_000)).after(write_off(3_000))
    credited = credit_issued(lost, credit(2_500)).then_view(
        outstanding=eur(0), written_off=eur(2_500), paid=eur(0)
    )
    assert [each.amount for each in credited.view["write_offs"]] == [eur(1_000), eur(1_500)]


def test_a_lost_debt_is_neither_overdue_nor_voided_and_the_account_is_settled():
    late = sent().when_deadline("overdue-invoice-start").after
    lost = late.after(write_off()).then_view(overdue=False)
    void = VoidInvoice(invoice="invoice-start", why="Lost.")
    lost.when(void).then_refused("invoice-settled-in-part")
    settled = hearing(lost, TERMINATED).on(date(2026, 6, 1)).after(SettleAccount())
    settled.then_view(stage="settled")
    settled.when(reverse(settled)).then(
        like(WriteOffReversed), like(AccountReopened, outstanding=eur(5_000))
    )


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "0.001", "1E+14"])
def test_what_is_written_off_is_positive_and_in_whole_cents(amount: str):
    with pytest.raises(ValueError, match="amount"):
        WriteOffInvoice.model_validate(
            {"invoice": "I-1", "amount": {"amount": amount, "currency": "EUR"}, "why": INSOLVENT}
        )
