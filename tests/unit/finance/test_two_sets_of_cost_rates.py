"""Check that nothing open depends on cost rates, except whether a price leaves the minimum margin.

The same commands and events are played with other cost rates, with a role that has none, and
without any: open events, views without the right to costs, rows and deadlines are the same.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from chassis.domain.commands import Command
from contracts.channels import CHANNELS
from contracts.delivery import ChangeApproved, EngagementClosed, ForecastMethodChosen
from contracts.event import Event, Recorded, encode
from contracts.lines import BillingItem, Retainer
from contracts.purchases import EstimatedPurchase, PlannedPurchase
from contracts.reference import CostRatesPublished, PurchaseCost, Reference
from finance.contract.decisions import ReviewSow
from finance.engagement import Engagement
from finance.invoices.decisions import ApproveInvoice
from finance.number_series.events import NumberTaken
from finance.pending.decisions import CatchUp
from finance.periods.requests import BookPeriod
from finance.service import BOOKED_WORKS, ENGAGEMENT
from finance.settlement.decisions import SettleAccount
from finance.time_billing.decisions import BillTime
from testkit.scenario import Outcome, Scenario, given
from tests.amounts import eur, usd
from tests.invoices import UNTAXED
from tests.unit.finance.builders import (
    AMENDMENT,
    BASELINED,
    CARD,
    COSTS,
    ESTIMATE,
    ESTIMATED,
    ID,
    OPENED,
    PROPOSED,
    SIGNED,
    SOW_SIGNED,
    WON,
    accepted,
    allocate,
    assessed,
    exchange,
    expense,
    fixed_line,
    hourly_line,
    line_rates,
    progress,
    rates,
    recognise,
    report,
    scope,
    sow_of,
    time,
    time_reversed,
)
from tests.unit.finance.month_streams import MonthStreams

CHEAP = COSTS.model_copy(
    update={
        "rates": rates(architect=1, developer="2.5", tester=3, project_manager=4),
        "purchases": (PurchaseCost(kind="licence", percent=Decimal(1)),),
        "floor": Decimal(10),
    }
)
DEAR = COSTS.model_copy(
    update={
        "rates": rates(architect=800, developer=500, tester=450, project_manager=1_000),
        "floor": Decimal(60),
    }
)
PARTIAL = COSTS.model_copy(update={"rates": rates(architect=80)})

BUYING = ESTIMATE.model_copy(
    update={
        "purchases": (
            EstimatedPurchase(title="Base", kind="licence", phase="Build", amount=eur(900)),
        )
    }
)
BOUGHT = (PlannedPurchase(kind="licence", amount=eur(900)),)
OFFERED = PROPOSED.model_copy(
    update={
        "lines": tuple(line.model_copy(update={"purchases": BOUGHT}) for line in PROPOSED.lines)
    }
)
MIXED = sow_of(
    fixed_line(purchases=BOUGHT),
    hourly_line(
        BillingItem(item="time", kind="time", amount=eur(6_000)),
        line="support",
        price=eur(6_000),
        rates=line_rates(developer=100),
        hours=(),
        deliverables=(),
    ),
    fixed_line(
        BillingItem(item="fees", kind="period", amount=eur(1_000)),
        line="care",
        pricing="retainer",
        price=eur(1_000),
        hours=(),
        deliverables=(),
        retainer=Retainer(fee=eur(500), periods=2, starts_on=date(2026, 4, 1)),
    ),
)

Step = Callable[[Scenario[Engagement]], Outcome[Engagement]]


def heard(*events: Event) -> Step:
    return lambda engagement: engagement.when_consumed(*events)


def told(command: Command, on: date | None = None) -> Step:
    return lambda engagement: (engagement.on(on) if on else engagement).when(command, by="petra")


def passed(deadline: str) -> Step:
    return lambda engagement: engagement.when_deadline(deadline)


def issue(
    invoice: str, number: str, on: date, issue_on: date | None = None
) -> tuple[Step, Step, Step]:
    taken = NumberTaken(number=int(number.rpartition("-")[2]), on=on)

    def numbered(engagement: Scenario[Engagement]) -> Outcome[Engagement]:
        return engagement.when_outcome(f"invoice.{invoice}", "1", taken)

    def paid(engagement: Scenario[Engagement]) -> Outcome[Engagement]:
        owed = engagement.state.billing.invoices[invoice].outstanding
        return engagement.when(allocate(invoice, owed), by="petra")

    return told(ApproveInvoice(invoice=invoice, issue_on=issue_on), on), numbered, paid


AUGUST = date(2026, 8, 3)
MAY_31 = date(2026, 5, 31)
"""Day of an invoice whose works leave with the booking of April: that of May contains it."""
RATE = exchange("1.25", ESTIMATED)
LIFE: tuple[Step, ...] = (
    heard(OPENED),
    heard(BUYING, OFFERED, WON, MIXED),
    told(ReviewSow(version=1, verdict="approved"), SIGNED),
    heard(SOW_SIGNED, BASELINED),
    told(CatchUp()),
    heard(time("a", role="architect", hours=40, line="work"), time("b", hours=20)),
    heard(
        expense("x", eur(50)),
        expense("y", usd(50)),
        time("c", role="tester", hours=3, billable=False),
        progress("t1", 50),
    ),
    heard(ForecastMethodChosen(method="cost-and-schedule", reason="We are late.")),
    heard(report(date(2026, 4, 20))),
    heard(assessed(scope(developer=20, tester=10), scope("support", developer=-5))),
    heard(
        ChangeApproved(change="CR-1", approved_by="cleo", approved_on=date(2026, 4, 24)), AMENDMENT
    ),
    told(recognise("03"), date(2026, 6, 1)),
    told(recognise("04")),
    told(recognise("05")),
    told(recognise("06")),
    told(BillTime(month="2026-04")),
    heard(accepted("design"), accepted("portal"), accepted("report")),
    passed("due-care-a1"),
    passed("due-fees-2026-04-a1"),
    passed("due-fees-2026-05-a1"),
    *issue("invoice-start", "2026-00001", AUGUST),
    *issue("invoice-design", "2026-00002", AUGUST),
    *issue("invoice-portal", "2026-00003", AUGUST),
    *issue("invoice-report", "2026-00004", AUGUST),
    *issue("invoice-care", "2026-00005", AUGUST),
    *issue("invoice-fees-2026-04", "2026-00006", AUGUST),
    *issue("invoice-fees-2026-05", "2026-00007", AUGUST),
    *issue("invoice-time-2026-04", "2026-00008", AUGUST, MAY_31),
    told(BookPeriod(company="us", month="2026-04")),
    told(BookPeriod(company="us", month="2026-04", accepted="Late.")),
    told(SettleAccount()),
    heard(EngagementClosed(closed_on=date(2026, 8, 4))),
    told(recognise("06"), date(2026, 10, 1)),
    told(recognise("07")),
    told(recognise("08")),
    told(CatchUp()),
    heard(time_reversed(time("b", hours=20))),
    told(BookPeriod(company="us", month="2026-08", accepted="Late.")),
)


EXCEPTIONS = {("estimate-priced", "floor"), ("proposal-reviewed", "floor")}
"""Open events, and the fields of them that depend on cost rates, as listed in `docs/access.md`."""


def without_floor(data: object) -> object:
    """Return JSON data with the floor, and whether it is unknown, replaced."""
    if isinstance(data, dict):
        return {
            name: "masked" if name == "floor" else without_floor(value)
            for name, value in data.items()
        }
    return [without_floor(each) for each in data] if isinstance(data, list) else data


def open_parts(costs: CostRatesPublished | None) -> Iterator[object]:
    """Yield what is open after each step of the life: events, refusal, view, row, deadlines."""
    records: list[Reference] = [*UNTAXED, CARD, RATE, *([costs] if costs else [])]
    engagement = given(ENGAGEMENT, ID, records=records).on(ESTIMATED)
    shown, months = ENGAGEMENT.views.model("Open"), MonthStreams()
    for step in LIFE:
        outcome = step(engagement)
        engagement = months.after(outcome.after)
        yield [each for each in map(open_event, outcome.published) if each]
        yield outcome.refusal and str(outcome.refusal)
        yield without_floor(shown(**ENGAGEMENT.views(engagement.state)).model_dump(mode="json"))
        yield ENGAGEMENT.rows(engagement.state)
        yield ENGAGEMENT.deadlines(engagement.state)
        yield {
            subject: (month.stream.open_number, BOOKED_WORKS.views(month.state))
            for subject, month in months.streams.items()
        }


def open_event(recorded: Recorded[Event]) -> object:
    """Return an open event as it is on the wire, without id and exceptions; None for any other one.

    What its author had processed is that of the open channels.
    """
    data = whole_event(recorded)
    if data is not None:
        for field in data["data"]:
            if (named(recorded), field) in EXCEPTIONS:
                data["data"][field] = "masked"
    return data


def named(recorded: Recorded[Event]) -> str:
    return recorded.event.type.split(".")[2]


def whole_event(recorded: Recorded[Event]) -> dict[str, Any] | None:
    """Return an open event as it is on the wire, without its id; None for any other one."""
    if recorded.channel.confidential:
        return None
    heard = {name: last for name, last in recorded.heard.items() if not CHANNELS[name].confidential}
    data: dict[str, Any] = json.loads(encode(replace(recorded, heard=heard)))
    del data["id"]
    return data


def differences(one: Iterable[object], other: Iterable[object]) -> list[tuple[object, object]]:
    return [pair for pair in zip(one, other, strict=True) if pair[0] != pair[1]]


@pytest.mark.parametrize("costs", [CHEAP, DEAR, PARTIAL, None])
def test_other_or_unknown_cost_rates_change_nothing_open(costs: CostRatesPublished | None):
    assert differences(open_parts(COSTS), open_parts(costs)) == []


def test_every_exception_depends_on_the_cost_rates():
    def open_fields(costs: CostRatesPublished | None) -> dict[tuple[str, str], list[object]]:
        engagement = given(
            ENGAGEMENT, ID, records=[*UNTAXED, CARD, RATE, *([costs] if costs else [])]
        )
        engagement, fields = engagement.on(ESTIMATED), defaultdict(list)
        for step in LIFE:
            outcome = step(engagement)
            engagement = outcome.after
            for recorded in outcome.published:
                for field, value in (whole_event(recorded) or {"data": {}})["data"].items():
                    fields[named(recorded), field].append(value)
        return fields

    known, unknown = open_fields(COSTS), open_fields(None)
    assert {place for place in known if known[place] != unknown[place]} == EXCEPTIONS


def test_the_life_publishes_most_events_and_ends_settled():
    engagement = given(ENGAGEMENT, ID, records=[*UNTAXED, CARD, RATE, COSTS]).on(ESTIMATED)
    published: dict[bool, set[str]] = {True: set(), False: set()}
    for step in LIFE:
        outcome = step(engagement)
        engagement = outcome.after
        for each in outcome.published:
            published[each.channel.confidential].add(type(each.event).__name__)
    assert published[True] == {
        "BudgetCosted",
        "ChangeCosted",
        "CostAccrued",
        "EstimateCosted",
        "LossProvided",
        "LossReleased",
        "MarginMeasured",
        "PerformanceMeasured",
        "PeriodCosted",
        "RevenueByCostRecognised",
    }
    assert len(published[False]) > 12
    engagement.then_view(stage="settled", recognised_to="2026-08")
