"""Check that half a cent is rounded by the policy of the company that sells, everywhere."""

from datetime import date

import pytest

from contracts.decimals import Rounding
from contracts.finance import (
    BillingEventDue,
    BudgetSet,
    CostAccrued,
    InvoiceDrafted,
    MarginMeasured,
    PerformanceMeasured,
    RevenueByCostRecognised,
    RevenueRecognised,
)
from contracts.legal import SowDrafted
from contracts.lines import BillingItem, Retainer
from contracts.reference import CostRatesPublished
from finance.engagement import Engagement
from finance.settlement.decisions import SettleAccount
from finance.time_billing.decisions import BillTime
from testkit.scenario import Scenario, like
from tests.amounts import eur
from tests.invoices import SELLER
from tests.unit.finance.builders import (
    BASELINED,
    CARD,
    COSTS,
    ESTIMATE,
    PROPOSED,
    SIGNED,
    SOW,
    SOW_SIGNED,
    WON,
    accepted,
    fixed_line,
    hearing,
    hourly_line,
    line_rates,
    method,
    opened,
    progress,
    rates,
    recognise,
    report,
    sow_of,
    time,
)

ODD = hourly_line(
    BillingItem(item="time", kind="time", amount=eur(20_000)),
    rates=line_rates(developer="100.01", architect=140),
)
"""A line on which half an hour of a developer is worth 50.005 EUR."""
HALF = time("a", hours="0.5")
MAY, JUNE = date(2026, 5, 4), date(2026, 6, 1)

policies = pytest.mark.parametrize(
    ("policy", "half"), [("half-up", "up"), ("half-even", "even")], ids=["half-up", "half-even"]
)


def contracted(
    policy: Rounding,
    sow: SowDrafted = SOW,
    costs: CostRatesPublished = COSTS,
    *,
    at_acceptance: bool = False,
) -> Scenario[Engagement]:
    """Return a contract of a company with this policy."""
    company = SELLER.model_copy(update={"rounding": policy})
    papers = opened().knowing(CARD, costs, company).when_consumed(ESTIMATE, PROPOSED, WON, sow)
    sold = papers.then_accepted()
    if at_acceptance:
        sold = sold.after(method("at-acceptance"))
    return hearing(sold.on(SIGNED), SOW_SIGNED)


@policies
def test_unbilled_work_is_worth_what_an_invoice_would_charge(policy: Rounding, half: str) -> None:
    odd = line_rates(developer="100.01", architect="140.01")
    line = hourly_line(BillingItem(item="time", kind="time", amount=eur(20_000)), rates=odd)
    halves = HALF, time("b", role="architect", hours="0.5")
    worked = hearing(contracted(policy, sow_of(line)), *halves).on(MAY)
    charged = {"up": eur("120.02"), "even": eur("120.00")}[half]
    [shown] = worked.view["unbilled"]
    assert shown.unbilled == charged
    billed = worked.when(BillTime(month="2026-04"))
    billed.then(like(BillingEventDue, amount=charged), like(InvoiceDrafted, amount=charged))


def by(half: str, up: str, even: str) -> str:
    return {"up": up, "even": even}[half]


def test_a_contract_keeps_the_policy_of_the_day_of_its_signature() -> None:
    later = SELLER.model_copy(update={"rounding": "half-even", "effective_from": MAY})
    papers = opened().knowing(CARD, COSTS, SELLER, later).consumed(ESTIMATE, PROPOSED, WON, SOW)
    outcome = papers.on(SIGNED).when_consumed(SOW_SIGNED)
    [budget] = [each for each in outcome.events if isinstance(each, BudgetSet)]
    assert budget.rounding == "half-up"
    signed_later = SOW_SIGNED.model_copy(update={"signed_on": MAY})
    outcome = papers.on(MAY).when_consumed(signed_later)
    [budget] = [each for each in outcome.events if isinstance(each, BudgetSet)]
    assert budget.rounding == "half-even"


@policies
def test_invoice_lines_and_what_is_unbilled(policy: Rounding, half: str) -> None:
    amount = by(half, "50.01", "50.00")
    worked = hearing(contracted(policy, sow_of(ODD)), HALF).on(MAY)
    [line] = worked.view["unbilled"]
    assert line.unbilled == eur(amount)
    worked.when(SettleAccount()).then_refused(
        "account-not-settled", saying=f"approved time over {amount} EUR on line work"
    )
    outcome = worked.when(BillTime(month="2026-04"))
    [draft] = [each for each in outcome.events if isinstance(each, InvoiceDrafted)]
    assert [each.amount for each in draft.lines] == [eur(amount)]


@policies
def test_discounts(policy: Rounding, half: str) -> None:
    item = BillingItem(item="off", kind="on-signature", amount=eur("-1000.01"), reduces="time")
    off = fixed_line(
        item, line="off", kind="discount", price=eur("-1000.01"), hours=(), deliverables=()
    )
    line = hourly_line(BillingItem(item="time", kind="time", amount=eur(20_000)))
    worked = hearing(contracted(policy, sow_of(line, off)), time("a", hours=100)).on(MAY)
    outcome = worked.when(BillTime(month="2026-04"))
    [draft] = [each for each in outcome.events if isinstance(each, InvoiceDrafted)]
    assert draft.lines[-1].amount == eur(by(half, "-500.01", "-500.00"))  # half of 1,000.01


@policies
def test_revenue_as_invoiced(policy: Rounding, half: str) -> None:
    worked = hearing(contracted(policy, sow_of(ODD)), HALF).on(JUNE).after(recognise("03"))
    amount = eur(by(half, "50.01", "50.00"))
    worked.when(recognise("04")).then(like(RevenueRecognised, amount=amount))


@policies
def test_revenue_at_acceptance(policy: Rounding, half: str) -> None:
    item = BillingItem(item="all", kind="on-signature", amount=eur("20000.01"))
    sow = sow_of(fixed_line(item, price=eur("20000.01")))
    done = contracted(policy, sow, at_acceptance=True)
    done = hearing(done, accepted("design", date(2026, 4, 6))).on(JUNE).after(recognise("03"))
    amount = eur(by(half, "10000.01", "10000.00"))  # one of two equal deliverables
    events = done.when(recognise("04")).events
    assert [each.amount for each in events if isinstance(each, RevenueRecognised)] == [amount]


@policies
def test_revenue_over_time(policy: Rounding, half: str) -> None:
    fees = BillingItem(item="fees", kind="period", amount=eur("200.02"))
    line = fixed_line(
        fees,
        line="care",
        pricing="retainer",
        price=eur("200.02"),
        retainer=Retainer(fee=eur("100.01"), periods=2, starts_on=date(2026, 4, 1)),
        deliverables=(),
    )
    item = BillingItem(item="off", kind="on-signature", amount=eur("-0.01"), reduces="fees")
    off = fixed_line(
        item, line="off", kind="discount", price=eur("-0.01"), hours=(), deliverables=()
    )
    agreed = contracted(policy, sow_of(line, off)).on(JUNE).after(recognise("03"))
    amount = eur(by(half, "100.01", "100.00"))  # half of 200.01
    events = agreed.when(recognise("04")).events
    assert [each.amount for each in events if isinstance(each, RevenueRecognised)] == [amount]


@policies
def test_costs_and_revenue_by_cost(policy: Rounding, half: str) -> None:
    costs = COSTS.model_copy(update={"rates": rates(architect=80, developer="50.01")})
    outcome = contracted(policy, costs=costs).when_consumed(HALF)
    outcome.then(like(CostAccrued, cost=eur(by(half, "25.01", "25.00"))))
    # A quarter of the cost of 2,000 EUR of a price of 20,000.02 EUR.
    item = BillingItem(item="all", kind="on-signature", amount=eur("20000.02"))
    hours = {"hours": SOW.lines[0].hours[:1]}
    sow = sow_of(fixed_line(item, price=eur("20000.02"), **hours))
    worked = hearing(contracted(policy, sow), time("b", role="architect", hours=11)).on(JUNE)
    amount = eur(by(half, "5000.01", "5000.00"))
    worked.after(recognise("03")).when(recognise("04")).then(
        like(RevenueByCostRecognised, amount=amount)
    )


@policies
def test_earned_value_and_the_margin_of_a_forecast(policy: Rounding, half: str) -> None:
    odd = rates(architect="80.0005", developer=50, project_manager=100)
    costs = COSTS.model_copy(update={"rates": odd})
    planned = hearing(contracted(policy, sow_of(ODD), costs), BASELINED, progress("t1", 25))
    outcome = planned.when_consumed(report(date(2026, 4, 20), 110))
    earned = eur(by(half, "800.01", "800.00"))  # a quarter of 40 h x 80.0005
    [measured] = [each for each in outcome.events if isinstance(each, PerformanceMeasured)]
    assert measured.earned_value == earned
    planned = hearing(planned, HALF)
    outcome = planned.when_consumed(report(date(2026, 4, 20), 0))
    [margins] = [each for each in outcome.events if isinstance(each, MarginMeasured)]
    assert margins.margin_forecast is None  # the plan has a role without a contracted rate
    priced = ODD.model_copy(
        update={"rates": line_rates(developer="100.01", architect=140, project_manager=180)}
    )
    planned = hearing(contracted(policy, sow_of(priced), costs), BASELINED, HALF)
    outcome = planned.when_consumed(report(date(2026, 4, 20), 0))
    [margins] = [each for each in outcome.events if isinstance(each, MarginMeasured)]
    assert margins.margin_forecast is not None
    assert margins.margin_forecast.revenue == eur(by(half, "50.01", "50.00"))


@policies
def test_the_estimate_at_completion_by_trend_in_the_view(policy: Rounding, half: str) -> None:
    planned = hearing(contracted(policy), BASELINED, progress("t1", 50), time("a", hours="1.5"))
    measured = hearing(planned, report(date(2026, 4, 20), 110))
    shown = measured.view["earned_value"]
    trend = eur(by(half, "478.13", "478.12"))  # BAC 10,200 x AC 75 / EV 1,600
    assert shown.estimate_at_completion_by_trend == trend
