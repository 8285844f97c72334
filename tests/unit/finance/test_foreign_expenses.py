"""Check expenses in another currency: costed and billed at the exchange rate of their day."""

from datetime import date
from decimal import Decimal

from contracts.finance import (
    AccountReopened,
    BilledWork,
    BillingEventDue,
    CostAccrued,
    CostedWork,
    CostReversed,
    ExpenseConversionReversed,
    ExpenseConverted,
    InvoiceDrafted,
    InvoiceLineContent,
    MarginMeasured,
    PerformanceMeasured,
    RevenueByCostRecognised,
    RevenueRecognised,
)
from contracts.lines import BillingItem
from contracts.reference import ExchangeRatePublished
from contracts.values import Conversion
from finance.engagement import Engagement
from finance.pending.decisions import CatchUp
from finance.settlement.decisions import SettleAccount
from finance.time_billing.decisions import BillTime
from testkit.scenario import Scenario, like
from tests.amounts import eur, usd
from tests.unit.finance.builders import (
    BASELINED,
    CARD,
    COSTS,
    MONDAY,
    contracted,
    exchange,
    expense,
    expense_reversed,
    hearing,
    hourly_line,
    issued,
    lined,
    recognise,
    report,
    sow_of,
    time,
)
from tests.unit.finance.test_settlement import by_the_hour

MARCH_2, APRIL_20, MAY, JUNE = (
    date(2026, 3, 2),
    date(2026, 4, 20),
    date(2026, 5, 4),
    date(2026, 6, 1),
)
RATE = exchange("1.25", MARCH_2)
DINNER = expense("dinner", usd(70), category="meals")
CONVERSION = Conversion(
    amount=usd(70), converted=eur(56), exchange_rate="EUR-USD-2026-03-02", version=1
)
CONVERTED = ExpenseConverted(
    expense="dinner", spent_on=MONDAY, line=None, billable=True, conversion=CONVERSION
)
APRIL = BillTime(month="2026-04")


def hourly(price: int = 20_000, *rates: ExchangeRatePublished) -> Scenario[Engagement]:
    """Return a contract by time and materials up to a price, with these exchange rates."""
    item = BillingItem(item="time", kind="time", amount=eur(price))
    line = hourly_line(item, price=eur(price))
    return contracted(sow_of(line)).knowing(CARD, COSTS, *rates)


def part_of(expense: str, amount: int, on: date) -> BilledWork:
    return BilledWork(kind="expense", entry=expense, on=on, person="dev", amount=eur(amount))


def test_it_is_costed_at_the_rate_in_force_on_its_day():
    later = exchange("1.40", date(2026, 4, 7))
    outcome = hourly(20_000, RATE, later).when_consumed(DINNER)
    outcome.then(
        CONVERTED,
        CostAccrued(
            person="dev",
            week=None,
            entries=(
                CostedWork(
                    entry="dinner",
                    day=MONDAY,
                    role=None,
                    kind="expense",
                    hours=Decimal(0),
                    cost=eur(56),
                    conversion=CONVERSION,
                ),
            ),
            cost=eur(56),
            cumulative=eur(56),
        ),
    )
    outcome.after.then_view(waiting=[], waiting_for_costs=[], cost_to_date=eur(56))


def test_a_reversed_one_counts_no_more():
    gone = hearing(hourly(20_000, RATE), DINNER).when_consumed(expense_reversed(DINNER))
    reversed_ = ExpenseConversionReversed(**dict(CONVERTED))
    gone.then(like(CostReversed, cost=eur(56)), reversed_)
    assert gone.after.state.work.reversed == {}


def test_one_in_the_currency_of_the_engagement_is_not_converted():
    outcome = hourly(20_000, RATE).when_consumed(expense("x", eur(70)))
    outcome.then(like(CostAccrued, cost=eur(70)))
    [accrued] = outcome.events
    assert isinstance(accrued, CostAccrued)
    assert accrued.entries[0].conversion is None


def test_it_is_billed_on_a_line_of_its_own_with_the_id_of_the_rate():
    worked = hearing(
        hourly(20_000, RATE),
        DINNER,
        expense("train", eur(20)),
        expense("taxi", usd(10), date(2026, 4, 8)),
        expense("gift", usd(10), billable=False),
    )
    [shown] = worked.view["unbilled"]
    assert shown.unbilled == eur(84)
    billed = worked.on(MAY).when(APRIL)
    billed.then(
        like(BillingEventDue, amount=eur(84)),
        like(
            InvoiceDrafted,
            lines=lined(
                "invoice-time-2026-04",
                InvoiceLineContent(
                    description="Expenses to 2026-04",
                    line="work",
                    amount=eur(20),
                    works=(part_of("train", 20, MONDAY),),
                ),
                InvoiceLineContent(
                    description="Meals of 70.00 USD on 2026-04-06",
                    line="work",
                    amount=eur(56),
                    expense="dinner",
                    conversion=CONVERSION,
                    works=(part_of("dinner", 56, MONDAY),),
                ),
                InvoiceLineContent(
                    description="Travel of 10.00 USD on 2026-04-08",
                    line="work",
                    amount=eur(8),
                    expense="taxi",
                    conversion=CONVERSION.model_copy(
                        update={"amount": usd(10), "converted": eur(8)}
                    ),
                    works=(part_of("taxi", 8, date(2026, 4, 8)),),
                ),
            ),
        ),
    )
    billed.after.when(APRIL).then_refused("amount-not-billable", missing={"work-not-approved"})


def test_what_exceeds_the_cap_is_billed_when_the_cap_is_raised():
    worked = hearing(hourly(100, RATE), expense("train", eur(60)), DINNER).on(MAY)
    capped = worked.when(APRIL)
    [draft] = [each for each in capped.events if isinstance(each, InvoiceDrafted)]
    assert [(each.expense, each.amount) for each in draft.lines] == [
        (None, eur(60)),
        ("dinner", eur(40)),
    ]
    assert draft.lines[1].conversion == CONVERSION
    [shown] = capped.after.view["unbilled"]
    assert (shown.unbilled, shown.beyond_cap) == (eur(16), eur(16))


def test_a_later_or_corrected_rate_moves_no_converted_amount():
    known = hearing(hourly(20_000, RATE), DINNER)
    corrected = exchange("2", MARCH_2)
    nearer = exchange("1.6", MONDAY)
    after = known.knowing(CARD, COSTS, RATE, corrected, nearer)
    after.when(CatchUp()).then_nothing()
    outcome = after.on(MAY).when(APRIL)
    [draft] = [each for each in outcome.events if isinstance(each, InvoiceDrafted)]
    assert [each.conversion for each in draft.lines] == [CONVERSION]


def test_without_a_rate_it_is_named_and_nothing_else_is_blocked():
    waits = hearing(hourly(), DINNER)
    waits.when(CatchUp()).then_nothing()
    [missing] = waits.view["waiting"]
    assert (missing.code, missing.owed_by) == ("exchange-rate-missing", "finance")
    assert missing.sentence == (
        "the exchange rate USD to EUR on 2026-04-06 is missing: the expense dinner of 70.00 USD"
        " is neither costed nor billed"
    )
    waits.on(MAY).when(APRIL).then_refused("amount-not-billable", missing={"exchange-rate-missing"})
    worked = hearing(waits, time("a", hours=1)).on(MAY)
    worked.then_view(cost_to_date=eur(50))
    worked.when(APRIL).then(like(BillingEventDue, amount=eur(100)), like(InvoiceDrafted))
    known = worked.knowing(CARD, COSTS, RATE).when(CatchUp())
    known.then(CONVERTED, like(CostAccrued, cost=eur(56), cumulative=eur(106)))
    known.after.when(APRIL).then(like(BillingEventDue, amount=eur(156)), like(InvoiceDrafted))


def test_the_account_is_not_settled_while_a_rate_is_missing():
    for billable in (True, False):
        waits = hearing(hourly(), expense("dinner", usd(70), billable=billable)).on(JUNE)
        waits.when(SettleAccount()).then_refused(
            "account-not-settled", missing={"exchange-rate-missing"}, saying="dinner of 70.00 USD"
        )
        known = waits.knowing(CARD, COSTS, RATE).after(CatchUp()).when(SettleAccount())
        if billable:
            known.then_refused("account-not-settled", missing={"time-unbilled"})
        else:
            known.then_accepted()
    settled = hearing(by_the_hour(), DINNER)
    settled.when(SettleAccount()).then_refused(
        "account-not-settled", missing={"exchange-rate-missing"}
    )


def test_an_account_is_reopened_once_a_later_expense_can_be_billed():
    settled = by_the_hour().after(SettleAccount())
    waits = settled.when_consumed(DINNER).then_nothing()
    outcome = waits.knowing(CARD, COSTS, RATE).when(CatchUp())
    outcome.then(
        CONVERTED, like(CostAccrued, cost=eur(56)), like(AccountReopened, unbilled=eur(56))
    )


def test_an_unknown_cost_makes_the_figures_wait_that_contain_it():
    waits = hearing(hearing(contracted(), BASELINED), DINNER).when_consumed(report(APRIL_20))
    waits.then(like(PerformanceMeasured, actual_cost=eur(0)))  # no purchases are planned
    known = waits.after.knowing(CARD, COSTS, RATE).when(CatchUp())
    known.then(CONVERTED, like(CostAccrued, cost=eur(56)), like(MarginMeasured))


def test_an_unknown_cost_makes_no_earlier_month_wait():
    worked = hearing(contracted(), time("a", hours=8), expense("dinner", usd(70), MAY))
    april = worked.on(JUNE).after(recognise("03")).when(recognise("04"))
    april.then(like(RevenueByCostRecognised, month="2026-04"))
    april.after.when(recognise("05")).then_refused(
        "revenue-not-measurable", missing={"cost-unknown"}
    )


def test_revenue_as_invoiced_contains_converted_expenses():
    worked = hearing(hourly(20_000, RATE), DINNER).on(JUNE).after(recognise("03"))
    worked.when(recognise("04")).then(like(RevenueRecognised, amount=eur(56)))


def test_an_issued_invoice_repeats_the_conversion():
    billed = hearing(hourly(20_000, RATE), DINNER).on(MAY).after(APRIL)
    out = issued(billed, "invoice-time-2026-04", "2026-00001", MAY)
    [line] = out.state.billing.invoices["invoice-time-2026-04"].lines
    assert line.conversion == CONVERSION
