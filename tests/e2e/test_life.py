"""Test one engagement from its opening to its closing, through five processes."""

from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

import pytest

from contracts.event import Event, Recorded
from contracts.finance import InvoiceIssued
from local.platform import Platform
from tests.e2e.conftest import ApiClient, events
from tests.e2e.scenarios import Engagements

STAGE_AFTER = {
    "sales/open": "opportunity",
    "sales/draft-proposal": "proposal",
    "sales/win-deal": "contracting",
    "delivery/hold-kickoff": "delivering",
    "delivery/go-live": "closing",
    "delivery/close-engagement": "closed",
}
"""Commands after which the stage changes; the second signature leads to `mobilising`."""

EVENTS_OF_A_LIFE = """
sales: OpportunityOpened OpportunityQualified EstimateRequested ProposalDrafted
    ProposalExceptionApproved ProposalSubmitted OpportunityAdvanced DealWon
legal: FileOpened SowDrafted SowApproved SowSentForSignature SowSignatureRecorded SowSigned
    AmendmentDrafted AmendmentSigned
delivery: ManagerAssigned TierChosen EstimateSubmitted EstimateEndorsed SowReviewed
    AmendmentReviewed BrdSubmitted
    BrdSignedOff PlanDrafted PlanBaselined ResourceRequested ResourceAllocated KickoffHeld
    TimeSubmitted TimeApproved TaskProgressed MilestoneReached StatusReportPublished RiskRaised
    RiskUpdated IssueRaised IssueUpdated ActionRaised ActionUpdated AssumptionRaised
    AssumptionUpdated DecisionRecorded RaidItemClosed
    CustomerInputRequested CustomerInputReceived CustomerDelayRecorded
    ChangeRequested ChangeAssessed ChangeApproved ChangeImplemented
    DeliverableSubmitted DeliverableRejected DeliverableAccepted SolutionWentLive SurveySent
    SurveyAnswered PirHeld EngagementClosed
finance: EstimatePriced ProposalReviewed SowReviewed AmendmentReviewed BudgetSet ChangePriced
    BudgetAmended BillingEventDue InvoiceDrafted InvoiceApproved InvoiceIssued PaymentAllocated
    RevenueRecognised AccountSettled
finance.confidential: EstimateCosted BudgetCosted ChangeCosted CostAccrued
    RevenueByCostRecognised PerformanceMeasured MarginMeasured
"""


@pytest.fixture(scope="module")
def of(api: ApiClient, engagements: Engagements) -> dict[str, Any]:
    """Return each service's view of the whole engagement at the end."""
    path = f"/engagements/{engagements.whole.engagement}"
    return {
        service: api.get(service, path, by="everybody")
        for service in ("sales", "legal", "delivery", "finance", "gateway")
    }


def amount(money: Any) -> Decimal:
    return Decimal(money["amount"])


def total(moneys: Any) -> Decimal:
    return sum((amount(money) for money in moneys), Decimal(0))


def test_every_command_leads_to_the_expected_stage(engagements: Engagements) -> None:
    expected, wanted, signatures = "", [], 0
    for act, _ in engagements.whole.stages:
        signatures += act == "legal/record-signature"
        expected = STAGE_AFTER.get(act, expected)
        if act == "legal/record-signature" and signatures == 2:
            expected = "mobilising"
        wanted.append((act, expected))

    assert engagements.whole.stages == wanted
    assert wanted[-1] == ("delivery/close-engagement", "closed")


def test_every_step_is_an_event(published: list[Recorded[Event]], engagements: Engagements) -> None:
    of_this = defaultdict(set)
    for each in published:
        if each.subject == engagements.whole.engagement:
            of_this[each.channel.name].add(type(each.event).__name__)
    lines = EVENTS_OF_A_LIFE.strip().replace("\n    ", " ").splitlines()
    for line in lines:
        channel, _, names = line.partition(": ")
        assert set(names.split()) - of_this[channel] == set()


def test_events_are_numbered_without_a_gap_by_channel_and_engagement(
    published: list[Recorded[Event]],
) -> None:
    numbers = defaultdict(list)
    for each in published:
        if each.channel.kind == "events":
            numbers[each.channel.name, each.subject].append(each.sequence)

    assert len(numbers) > 20
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())


def test_price_and_dates_agree_between_contract_budget_and_gateway(of: dict[str, Any]) -> None:
    budget, contract, shown = of["finance"]["budget"], of["legal"]["contract"], of["gateway"]
    amendments = of["gateway"]["legal"]["amendments"]
    more, less = (amount(amendments[name]["price_delta"]) for name in ("A-C-1", "A-C-2"))
    change, won = more + less, amount(of["sales"]["won"]["price"])

    assert less < 0 < more
    assert won + change == amount(budget["price"]) == amount(contract["price"])
    assert Decimal(shown["summary"]["price"]) == amount(shown["finance"]["budget"]["price"])
    assert Decimal(shown["summary"]["price"]) == won + change
    assert total(entry["amount"] for entry in budget["schedule"]) == won + change
    assert shown["summary"]["finish"] == contract["finishes_on"]
    assert contract["finishes_on"] == of["delivery"]["contract"]["promised_finish"]


def prices(lines: Any) -> dict[str, Decimal]:
    return {line["line"]: amount(line["price"]) for line in lines}


def test_lines_agree_and_add_up_in_every_department(of: dict[str, Any]) -> None:
    shown, deal = of["gateway"], of["sales"]["won"]
    agreed = prices(shown["legal"]["contract_lines"])

    assert agreed.keys() == {"work", "management", "testing", "support"}
    assert sum(prices(deal["lines"]).values()) == amount(deal["price"])
    for lines in (
        of["legal"]["contract"]["lines"],
        of["delivery"]["contract"]["lines"],
        of["finance"]["budget"]["lines"],
        shown["finance"]["budget"]["lines"],
    ):
        assert prices(lines) == agreed
    assert sum(agreed.values()) == amount(shown["finance"]["budget"]["price"])
    billed: defaultdict[str, Decimal] = defaultdict(Decimal)
    for invoice in shown["finance"]["invoices"].values():
        for line in invoice["lines"]:
            billed[line["line"]] += amount(line["amount"])
    assert 0 < billed["testing"] <= agreed["testing"]
    assert {**billed, "testing": agreed["testing"]} == agreed


def test_bills_and_payments_agree(of: dict[str, Any]) -> None:
    finance, shown = of["finance"], of["gateway"]["finance"]
    invoices = shown["invoices"].values()

    assert total(each["amount"] for each in invoices) == amount(finance["billed"])
    assert total(each["paid"] for each in invoices) == amount(finance["paid"])
    assert amount(finance["paid"]) == amount(finance["gross"])
    assert amount(finance["outstanding"]) == 0
    by_cost = of["gateway"]["confidential"]["revenue"]
    revenue = (*shown["revenue"].values(), *by_cost.values())
    assert total(each["event"] for each in revenue) == amount(finance["recognised"])
    assert by_cost.keys() == {"fixed"}
    assert shown["revenue"].keys() == {"testing", "support"}
    assert {each["number"] for each in finance["invoices"]} == {each["number"] for each in invoices}
    assert {each["number"] for each in of["sales"]["invoices"]} == {
        each["number"] for each in invoices
    }


def test_cost_earned_value_and_the_four_margins_agree(of: dict[str, Any]) -> None:
    finance, shown = of["finance"], of["gateway"]["confidential"]
    measured = finance["earned_value"]

    assert amount(shown["cost"]) == amount(finance["cost_to_date"]) > 0
    assert amount(shown["budget"]["event"]["cost"]) == amount(finance["budget_cost"])
    for figure in (
        "budget_at_completion",
        "planned_value",
        "earned_value",
        "actual_cost",
        "cost_performance_index",
        "schedule_performance_index",
        "estimate_at_completion",
    ):
        assert shown["performance"]["event"][figure] == measured[figure] is not None, figure
    for margin in ("margin_sold", "margin_billed", "margin_recognised", "margin_forecast"):
        ours, theirs = shown["margins"]["event"][margin], finance["margins"][margin]
        assert ours == theirs is not None, margin
        revenue, cost = amount(ours["revenue"]), amount(ours["cost"])
        assert Decimal(ours["margin"]) == ((revenue - cost) / revenue).quantize(Decimal("0.000001"))


def test_hours_deliverables_and_reviews_agree(of: dict[str, Any]) -> None:
    delivery, shown = of["delivery"], of["gateway"]["delivery"]

    assert Decimal(shown["approved_hours"]) == Decimal(delivery["time"]["approved_hours"]) > 0
    assert {name: each["status"] for name, each in shown["deliverables"].items()} == {
        each["deliverable"]: each["status"] for each in delivery["deliverables"]
    }
    assert {each["status"] for each in delivery["deliverables"]} == {"accepted"}
    assert delivery["deliverables"][0]["submission"] == 2, "one was rejected and submitted again"
    assert delivery["plan"]["changes"] == ["C-1", "C-2"]
    assert [each["status"] for each in delivery["changes"]] == ["implemented", "implemented"]
    assert Decimal(delivery["review"]["delivered_hours"]) == Decimal(shown["approved_hours"])
    assert of["gateway"]["stage"] == delivery["stage"] == "closed"
    assert of["sales"]["delivery"]["closed_on"] == delivery["closed"]["closed_on"]


def test_the_view_is_complete_and_as_fresh_as_the_topics(
    of: dict[str, Any], published: list[Recorded[Event]], engagements: Engagements
) -> None:
    last: Counter[str] = Counter()
    for each in published:
        if each.subject == engagements.whole.engagement and each.channel.kind == "events":
            last[each.channel.name] = max(last[each.channel.name], each.sequence)

    shown = of["gateway"]
    departments = {name: n for name, n in last.items() if not name.startswith("gateway")}
    freshness = {name: fresh["streamsequence"] for name, fresh in shown["freshness"].items()}
    assert shown["complete"]
    assert departments.items() <= freshness.items()


def test_the_timeline_contains_exactly_the_events_on_the_topics(
    api: ApiClient, platform: Platform, engagements: Engagements
) -> None:
    engagement = engagements.whole.engagement
    timeline = api.get("gateway", f"/engagements/{engagement}/timeline")
    of_this = {
        each.id: each
        for each in events(platform)
        if each.subject == engagement and each.channel.kind == "events"
    }

    assert {entry["id"] for entry in timeline} == of_this.keys()
    assert len(timeline) == len(of_this) > 100
    moments = [entry["occurred_at"] for entry in timeline]
    assert moments == sorted(moments)
    for entry in timeline:
        recorded = of_this[entry["id"]]
        assert entry["type"] == recorded.event.type
        assert entry["actor"] == recorded.actor
        assert entry["heard"] == dict(recorded.heard)
        assert entry["data"] == recorded.event.model_dump(mode="json")


def test_an_event_contains_what_its_author_had_heard(
    published: list[Recorded[Event]], engagements: Engagements
) -> None:
    of_this = [each for each in published if each.subject == engagements.whole.engagement]
    by_type = {type(each.event).__name__: each for each in of_this}
    signed, budget = by_type["SowSigned"], by_type["BudgetSet"]

    assert budget.heard["legal"] >= signed.sequence
    assert budget.actor == "finance"
    assert signed.actor == "carl"
    assert budget.occurred_at >= signed.occurred_at


@pytest.mark.usefixtures("engagements")
def test_the_portfolio_is_the_sum_of_its_engagements(api: ApiClient) -> None:
    rows = list(api.pages("gateway", "/engagements?limit=3&history=false", "items", "next"))
    of_finance, of_gateway = [], []
    for row in rows:
        path = f"/engagements/{row['engagement']}"
        answer = api.request("GET", "finance", path, by="fred")
        of_finance += [answer.json()] if answer.status_code == 200 else []
        of_gateway.append(api.get("gateway", path))
    portfolio = api.get("gateway", "/portfolio")

    assert portfolio["engagements"] == len(rows)
    stages = Counter(row["stage"] for row in rows)
    assert portfolio["by_stage"] == {stage: stages[stage] for stage in portfolio["by_stage"]}
    for mine in portfolio["currencies"]:
        theirs = [each for each in of_finance if each["currency"] == mine["currency"]]
        for figure in ("billed", "paid", "outstanding", "recognised"):
            expected = total(each[figure] for each in theirs if each[figure] is not None)
            assert Decimal(mine[figure]) == expected, figure
    for mine in portfolio["confidential"]:
        theirs = [each for each in of_finance if each["currency"] == mine["currency"]]
        costs = (each["cost_to_date"] for each in theirs if each["cost_to_date"] is not None)
        assert Decimal(mine["cost"]) == total(costs)
        of_currency = next(
            each for each in portfolio["currencies"] if each["currency"] == mine["currency"]
        )
        for figure in ("billed", "recognised"):
            margin = mine[f"margin_{figure}"]
            assert margin["without"] or margin["revenue"] == of_currency[figure], figure
        for margin in ("margin_forecast", "margin_by_trend"):
            known = [each["margins"][margin] for each in theirs if each["margins"]]
            known = [each for each in known if each is not None]
            assert Decimal(mine[margin]["revenue"]) == total(each["revenue"] for each in known)
            assert Decimal(mine[margin]["cost"]) == total(each["cost"] for each in known)
    hours = sum((Decimal(each["delivery"]["approved_hours"]) for each in of_gateway), Decimal(0))
    assert Decimal(portfolio["approved_hours"]) == hours > 0


def test_invoices_are_numbered_without_a_gap_across_all_engagements(
    published: list[Recorded[Event]],
) -> None:
    numbers: dict[str, list[int]] = defaultdict(list)
    for each in published:
        if isinstance(each.event, InvoiceIssued):
            series, _, number = each.event.number.rpartition("-")
            numbers[series].append(int(number))
            assert int(series.rpartition("-")[2]) == each.event.issued_on.year

    assert sum(len(found) for found in numbers.values()) > 5
    assert all(sorted(found) == [*range(1, len(found) + 1)] for found in numbers.values())
