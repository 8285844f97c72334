"""Check the figures of closed months as a controller does, with a calculator.

What comes after a closing, or is taken back, is in the month of its day, with its sign.
"""

from datetime import date

from chassis.domain.commands import Missing
from contracts.event import Event
from contracts.finance import (
    InvoiceDrafted,
    InvoiceVoided,
    PeriodBooked,
    RevenueByCostRecognised,
)
from contracts.lines import BillingItem, Retainer
from contracts.money import Money
from contracts.values import Conversion
from finance.engagement import Engagement
from finance.invoices.decisions import VoidInvoice
from finance.pending.decisions import CatchUp
from finance.periods.requests import BookPeriod
from testkit.scenario import Scenario, like
from tests.amounts import eur, usd
from tests.unit.finance.builders import (
    CARD,
    COSTS,
    allocate,
    contracted,
    fixed_line,
    hearing,
    issued,
    recognise,
    sow_of,
    time,
)

MAY_4, AUGUST = date(2026, 5, 4), date(2026, 8, 3)


CARE = fixed_line(
    BillingItem(item="fees", kind="period", amount=eur(1_500)),
    line="care",
    pricing="retainer",
    price=eur(1_500),
    hours=(),
    deliverables=(),
    retainer=Retainer(fee=eur(500), periods=3, starts_on=date(2026, 5, 1)),
)


def retained() -> Scenario[Engagement]:
    """Return an engagement whose fees of May, June and July are on invoices of August and May."""
    scenario = contracted(sow_of(fixed_line(), CARE))
    months = ("05", "06", "07")
    for month in months:
        scenario = scenario.when_deadline(f"due-fees-2026-{month}").then_accepted()
    for number, month in enumerate(months, start=1):
        name = f"invoice-fees-2026-{month}"
        scenario = issued(scenario, name, f"2026-{number:05}", MAY_4 if month == "05" else AUGUST)
    return scenario.after(recognise("03")).after(recognise("04"))


def close(scenario: Scenario[Engagement], month: str) -> tuple[Scenario[Engagement], PeriodBooked]:
    """Recognise the revenue of a month, and book it."""
    recognised = scenario.after(recognise(month))
    booked = recognised.after(BookPeriod(company="us", month=f"2026-{month}", accepted="Late."))
    return booked, booked.view["periods"][-1]


def test_the_fee_of_a_booked_month_is_billed_again_after_later_ones() -> None:
    scenario = retained()
    for month, billed, recognised in (("05", 500, 500), ("06", 0, 500)):
        scenario, booked = close(scenario, month)
        assert (booked.billed, booked.recognised) == (eur(billed), eur(recognised))
    void = scenario.when(VoidInvoice(invoice="invoice-fees-2026-05", why="Another order."))
    void.then(like(InvoiceVoided), like(InvoiceDrafted, amount=eur(500)))
    again = issued(void.after, "invoice-fees-2026-05-2", "2026-00009", AUGUST)
    details = again.state.billing.invoices["invoice-fees-2026-05-2"].approved
    assert details is not None
    supplied = details.details.supplied_from, details.details.supplied_to
    assert supplied == (date(2026, 5, 1), date(2026, 5, 31))
    last, booked = close(again, "07")
    assert (booked.billed, booked.recognised) == (eur(0), eur(500))
    assert booked.receivables_before == booked.receivables == eur(500)
    # The void and the new invoice, and the two others, are of August.
    _, booked = close(last.on(date(2026, 9, 3)), "08")
    assert (booked.billed, booked.recognised) == (eur(1_000), eur(0))
    assert booked.receivables == eur(1_500)
    assert last.view["contract_liability"] == eur(0)
    [fees] = [each for each in last.view["budget"].schedule if each.item == "fees"]
    assert (fees.due, fees.left) == (eur(1_500), eur(0))


def by_cost(events: tuple[Event, ...]) -> list[tuple[str, Money]]:
    return [
        (each.month, each.amount) for each in events if isinstance(each, RevenueByCostRecognised)
    ]


def test_revenue_by_cost_that_waited_is_not_dated_in_a_booked_month() -> None:
    signed = contracted(sow_of(fixed_line(), CARE), costs=False).on(date(2026, 6, 3))
    worked = hearing(signed, time("a", role="architect", hours=40))
    recognised = worked.after(recognise("03")).after(recognise("04"))
    known = recognised.knowing(CARD, COSTS).when(CatchUp())
    assert [month for month, _ in by_cost(known.events)] == ["2026-03", "2026-04"]

    april = BookPeriod(company="us", month="2026-04", accepted="The rate comes next month.")
    booked = recognised.after(april).knowing(CARD, COSTS).when(CatchUp())
    assert by_cost(booked.events) == []
    assert not any("waits for costs" in each.sentence for each in _waiting(booked.after))
    may = booked.after.when(recognise("05"))
    [(month, amount)] = by_cost(may.events)
    (_, first), (_, second) = by_cost(known.events)
    assert (month, amount) == ("2026-05", first + second)
    after = may.after.after(BookPeriod(company="us", month="2026-05", accepted="Late."))
    booked_by_cost = [each.recognised_by_cost for each in after.view["periods_costed"]]
    assert booked_by_cost == [eur(0), amount]


def _waiting(scenario: Scenario[Engagement]) -> list[Missing]:
    found: list[Missing] = scenario.view["waiting_for_costs"]
    return found


def test_a_payment_of_a_booked_month_is_in_the_booking_that_follows_it() -> None:
    scenario, may = close(retained(), "05")
    paid = scenario.after(allocate("invoice-fees-2026-05", eur(200), received_on=MAY_4))
    later = paid.after(allocate("invoice-fees-2026-07", eur(500), received_on=AUGUST))
    july, june = close(later, "06")
    assert (may.paid, june.paid) == (eur(0), eur(200))
    assert (may.receivables, june.receivables) == (eur(500), eur(300))
    _, booked = close(july, "07")
    assert (booked.paid, booked.receivables) == (eur(0), eur(300))
    assert july.view["unbooked"].paid == eur(500)


def test_a_payment_in_the_companys_currency_is_booked_in_that_of_the_invoice() -> None:
    scenario, _ = close(retained(), "05")
    conversion = Conversion(
        amount=eur(500), converted=usd(550), exchange_rate="EUR-USD-2026-06-02", version=1
    )
    paid = scenario.after(allocate("invoice-fees-2026-05", eur(500), conversion=conversion))
    _, june = close(paid, "06")
    assert (june.paid, june.receivables) == (eur(500), eur(0))
