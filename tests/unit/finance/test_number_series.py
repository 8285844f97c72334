"""Check number series: no number is left out, taken twice, or used again."""

from datetime import date
from typing import get_args

import pytest
from hypothesis import given as any_of
from hypothesis import settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from contracts.reference import NumberSeries
from finance.invoices.decisions import ApproveInvoice
from finance.number_series.events import NumberTaken
from finance.number_series.requests import SeriesId, SeriesKind, TakeNumber, series_of, written
from finance.service import NUMBER_SERIES
from testkit.scenario import given
from tests.invoices import SELLER
from tests.unit.finance.builders import (
    CARD,
    COSTS,
    SIGNED,
    contracted,
    credit,
    issued,
)

SERIES = given(NUMBER_SERIES, "us.invoice.2026")
MARCH, APRIL = date(2026, 3, 31), date(2026, 4, 1)


def in_order(on: date) -> TakeNumber:
    return TakeNumber(on=on, follow_days=True)


def test_the_first_number_is_one_and_the_next_follows():
    first = SERIES.when(TakeNumber(on=MARCH)).then(NumberTaken(number=1, on=MARCH))
    first.when(TakeNumber(on=MARCH)).then(NumberTaken(number=2, on=MARCH))


def test_the_last_invoices_of_a_month_can_be_numbered_in_the_next_one():
    april = SERIES.after(TakeNumber(on=APRIL))
    april.when(TakeNumber(on=MARCH)).then(NumberTaken(number=2, on=MARCH))


def test_numbers_follow_the_days_where_the_company_wants_it():
    april = SERIES.after(in_order(APRIL))
    april.when(in_order(MARCH)).then_refused("date-before-known", saying="of 2026-04-01")
    april.when(in_order(APRIL)).then(NumberTaken(number=2, on=APRIL))
    late = april.when(TakeNumber(on=MARCH)).then(NumberTaken(number=2, on=MARCH))
    late.then_view(used=2, latest=APRIL)


@pytest.mark.parametrize("kind", get_args(SeriesKind))
def test_whether_numbers_follow_the_days_is_a_setting_of_the_company(kind: SeriesKind):
    field = "invoice_numbers" if kind == "invoice" else "credit_note_numbers"
    ordered = SELLER.model_copy(
        update={field: NumberSeries(prefix="N-", follow_days=True), "effective_from": APRIL}
    )
    first = kind == "invoice"
    agreed = contracted() if first else issued(contracted(), "invoice-start", "2026-00001", SIGNED)
    engagement = agreed.knowing(CARD, COSTS, SELLER, ordered)

    def taken(on: date) -> TakeNumber:
        day = engagement.on(on)
        outcome = day.when(ApproveInvoice(invoice="invoice-start") if first else credit(1))
        (request,) = outcome.requests
        return TakeNumber.model_validate_json(request.content)

    assert taken(MARCH) == TakeNumber(on=MARCH)
    assert taken(APRIL) == in_order(APRIL)


def test_each_company_kind_and_year_has_a_series():
    assert series_of("us", "invoice", MARCH) == "us.invoice.2026"
    assert series_of("de", "invoice", MARCH) == "de.invoice.2026"
    assert series_of("us", "credit-note", date(2027, 1, 1)) == "us.credit-note.2027"
    assert written("", MARCH, 42) == "2026-00042"
    assert written("US-", MARCH, 7) == "US-2026-00007"
    assert written("", MARCH, 1_234_567) == "2026-1234567"


def test_every_company_and_kind_is_a_subject_of_its_own():
    subjects = TypeAdapter(SeriesId)
    for company in ("us", "de.south", "a@b", "x" * 64):
        for kind in get_args(SeriesKind):
            subjects.validate_python(series_of(company, kind, MARCH))
    for wrong in ("us.2026", ".invoice.2026", "us.quote.2026", "us.invoice.26"):
        with pytest.raises(ValidationError):
            subjects.validate_python(wrong)


@settings(max_examples=40)
@any_of(st.lists(st.tuples(st.dates(MARCH, date(2026, 12, 31)), st.booleans()), max_size=30))
def test_numbers_have_no_gap_whatever_is_refused(days: list[tuple[date, bool]]):
    series, taken = SERIES, 0
    for on, ordered in days:
        outcome = series.when(TakeNumber(on=on, follow_days=ordered))
        for event in outcome.events:
            taken += 1
            assert event == NumberTaken(number=taken, on=on)
        series = outcome.after
    series.then_view(used=taken)
