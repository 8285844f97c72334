"""Check that invoice numbers are consecutive, across the company and one for each invoice."""

from datetime import date

from hypothesis import given as any_of
from hypothesis import settings
from hypothesis import strategies as st

from contracts.finance import InvoiceApproved, InvoiceNumbered
from finance.invoice_numbering.decisions import INVOICES
from finance.service import REGISTER
from testkit.scenario import given
from tests.unit.finance.builders import eur

ONE, TWO = "E-0000000000001", "E-0000000000002"
REGISTERED = given(REGISTER, INVOICES)


def approved(invoice: str, year: int = 2026) -> InvoiceApproved:
    return InvoiceApproved(invoice=invoice, amount=eur(1), issue_on=date(year, 4, 1))


def numbered(engagement: str, invoice: str, number: str) -> InvoiceNumbered:
    return InvoiceNumbered(
        engagement=engagement,
        invoice=invoice,
        number=number,
        issue_on=date(int(number[:4]), 4, 1),
    )


def test_numbers_are_consecutive_across_engagements_and_restart_each_year():
    first = REGISTERED.when_consumed(approved("a"), about=ONE).then(
        numbered(ONE, "a", "2026-00001")
    )
    second = first.when_consumed(approved("a"), about=TWO).then(numbered(TWO, "a", "2026-00002"))
    third = second.when_consumed(approved("b", 2027), about=ONE).then(
        numbered(ONE, "b", "2027-00001")
    )
    third.when_consumed(approved("c"), about=ONE).then(numbered(ONE, "c", "2026-00003"))


def test_a_repeated_approval_gets_no_second_number():
    once = REGISTERED.when_consumed(approved("a"), about=ONE).then_accepted()
    once.when_consumed(approved("a"), about=ONE).then_nothing()
    REGISTERED.when_consumed(approved("a"), approved("a"), about=ONE).then(
        numbered(ONE, "a", "2026-00001")
    )


def test_a_number_is_routed_to_its_engagement():
    outcome = REGISTERED.when_consumed(approved("a"), about=TWO)
    assert [recorded.subject for recorded in outcome.recorded] == [TWO]
    assert outcome.recorded[0].channel.kind == "register"


@settings(max_examples=40)
@any_of(
    st.lists(
        st.tuples(st.sampled_from((ONE, TWO)), st.integers(1, 6), st.sampled_from((2026, 2027))),
        max_size=30,
    )
)
def test_no_number_is_skipped_or_used_twice_in_any_order_of_approvals(
    approvals: list[tuple[str, int, int]],
):
    register, numbers = REGISTERED, []
    for engagement, invoice, year in approvals:
        outcome = register.when_consumed(approved(f"i{invoice}-{year}", year), about=engagement)
        register = outcome.then_accepted()
        numbers += [event for event in outcome.events if isinstance(event, InvoiceNumbered)]
    for year in (2026, 2027):
        given_out = [event.number for event in numbers if event.issue_on.year == year]
        assert given_out == [f"{year}-{nth:05}" for nth in range(1, len(given_out) + 1)]
    asked = {(engagement, f"i{invoice}-{year}") for engagement, invoice, year in approvals}
    assert {(event.engagement, event.invoice) for event in numbers} == asked
    assert len(numbers) == len(asked)
