"""Test how the gateway shows engagements that were under way before the platform."""

import asyncio
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

import httpx
import pytest

from contracts import delivery, finance, legal
from contracts.event import Event, Recorded
from contracts.money import Money
from contracts.reference import LedgerPublished
from contracts.values import Deliverable, RoleHours
from gateway.pages.department_panels import panels
from gateway.pages.engagement_page import stage_steps
from gateway.pages.names import Names
from gateway.portfolio.figures import build_portfolio, contribution
from gateway.portfolio.summary import summary
from gateway.rules import judge
from gateway.view.engagement_view import View
from testkit.scenario import RecordsOf
from tests.amounts import eur
from tests.in_process_gateway import InMemory, app_of, token
from tests.invoices import untaxed
from tests.unit.simulation import ENGAGEMENT
from tests.unit.test_interleaving import LAST_DAY, live, scenario, shown
from tests.weeks import approved

SOON = date(2025, 3, 20)
"""A day soon after the take-over."""
ANN = token("ann", "account-executive")
PARTS: dict[str, type[Event]] = {
    "legal": legal.EngagementImported,
    "delivery": delivery.EngagementImported,
    "finance": finance.EngagementImported,
}


@cache
def events() -> tuple[Recorded[Event], ...]:
    """Return the events of an engagement of the demo that all departments take over."""
    world = asyncio.run(live(scenario(incidents=frozenset({"under-way"}))))
    return tuple(each for each in world.events() if each.channel.kind == "events")


def without(*departments: str) -> tuple[Recorded[Event], ...]:
    left_out = tuple(PARTS[each] for each in departments)
    return tuple(
        replace(each, heard={}, record=None)
        for each in events()
        if not isinstance(each.event, left_out)
    )


def test_a_won_deal_that_no_department_took_over_is_closed() -> None:
    view = shown(without(*PARTS))
    assert (view.stage, view.taken_over) == ("closed", False)
    assert summary(view, {}).import_lacks == []


@pytest.mark.parametrize(
    ("missing", "stage"),
    [
        (("legal", "delivery"), "mobilising"),
        (("delivery", "finance"), "mobilising"),
        (("legal", "finance"), "delivering"),
        (("legal",), "delivering"),
        ((), "delivering"),
    ],
)
def test_the_import_is_incomplete_until_all_departments_took_over(
    missing: tuple[str, ...], stage: str
) -> None:
    view = shown(without(*missing))
    line = summary(view, {})
    assert (view.stage, line.imported, line.import_lacks) == (stage, True, list(missing))


def test_the_page_says_what_is_missing() -> None:
    assert "import incomplete: Legal, Finance" in page(without("legal", "finance"))
    assert "imported from crm" in page(without("legal", "finance"))
    assert "import incomplete" not in page(events())


def page(recorded: tuple[Recorded[Event], ...]) -> str:
    async def read() -> str:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app_of(InMemory(*recorded), None)),
            base_url="http://gateway",
            cookies={"concord": ANN},
        ) as client:
            answer = await client.get(f"/pages/engagements/{ENGAGEMENT}")
            assert answer.status_code == 200, answer.text
            return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))

    return asyncio.run(read())


def later(event: Event, name: str = "later") -> Recorded[Event]:
    """Return an event that Delivery published after it took its part over."""
    last = max(
        (each for each in events() if each.channel.name == "delivery"),
        key=lambda each: each.sequence,
    )
    sequence = last.sequence + 1
    return replace(last, id=name, sequence=sequence, event=event, heard={}, record=None)


def test_nothing_is_judged_until_all_departments_took_over() -> None:
    work = later(approved("T-1", date(2024, 11, 25), 8, person="erin", task="M-1"))
    for missing in (("legal",), ("delivery", "finance")):
        view = shown((*without(*missing), replace(work, sequence=1 + ("delivery" not in missing))))
        assert judge(view, SOON) == {}
    found = judge(shown((*without(), work)), SOON)
    assert found.keys() == {"work-before-signature"}
    assert "before 10 December 2024, when the contract begins" in (
        found["work-before-signature"].sentence
    )


def test_hours_of_before_count_once_against_the_budget() -> None:
    lines = taken_over_by_legal().lines
    assert lines[0].hours == ()
    planned = (RoleHours(role="engineer", hours=Decimal(100)),)
    with_hours = (lines[0].model_copy(update={"hours": planned}), *lines[1:])
    recorded = tuple(
        replace(each, event=each.event.model_copy(update={"lines": with_hours}))
        if isinstance(each.event, (legal.EngagementImported, finance.BudgetSet))
        else each
        for each in without()
    )
    assert judge(shown(recorded), SOON) == {}
    work = later(approved("T-1", date(2025, 3, 10), 40, person="erin", task="M-1"))
    found = judge(shown((*recorded, work)), SOON)
    assert "124 h are logged on a budget of 100 h" in found["beyond-budget.hours"].sentence


def test_invoices_of_before_count_once_against_the_price() -> None:
    view = shown(events())
    assert view.finance.billed_before("EUR") == eur(19_200)
    assert view.finance.billed_before("EUR", "care") == eur(3_600)
    assert view.delivery.is_accepted(
        next(each.deliverable for each in progress_taken_over() if each.accepted_on)
    )


def test_invoices_beyond_the_price_are_found_with_those_of_before() -> None:
    draft = next(each for each in events() if isinstance(each.event, finance.InvoiceDrafted))
    assert isinstance(draft.event, finance.InvoiceDrafted)
    last = max(
        (each for each in events() if each.channel.name == "finance"),
        key=lambda each: each.sequence,
    )
    issued = finance.InvoiceIssued(
        **{**dict(draft.event), **untaxed(draft.event.amount)},
        number="DE-1",
        issued_on=date(2025, 3, 18),
        due_on=date(2025, 4, 17),
    )
    sequence = last.sequence + 1
    invoice = replace(last, id="invoice", sequence=sequence, event=issued, heard={}, record=None)
    assert judge(shown((*without(), invoice)), SOON) == {}
    least = eur(19_200) + draft.event.amount - eur("0.01")
    lower = tuple(
        replace(each, event=each.event.model_copy(update={"price": least}))
        if isinstance(each.event, finance.BudgetSet)
        else each
        for each in without()
    )
    assert "beyond-budget.billing" in judge(shown((*lower, invoice)), SOON)


def progress_taken_over() -> tuple[delivery.ImportedDeliverable, ...]:
    imported = (each.event for each in events())
    return next(
        each.deliverables for each in imported if isinstance(each, delivery.EngagementImported)
    )


def test_a_late_forecast_is_compared_with_the_contract() -> None:
    report = delivery.StatusReportPublished(
        report=1,
        as_of=date(2025, 3, 12),
        scope="green",
        schedule="green",
        cost="green",
        narrative="Later.",
        forecast_finish=date(2026, 12, 31),
        estimate_to_complete=Decimal(10),
    )
    view = shown((*without(), later(report)))
    assert view.legal.contract_finish is not None
    assert judge(view, SOON).keys() == {"promised-finish-before-forecast"}


def changed(kind: type[Event], **fields: object) -> View:
    """Return the view in which a department took over its part with other content."""
    return shown(
        tuple(
            replace(each, event=each.event.model_copy(update=fields), heard={}, record=None)
            if isinstance(each.event, kind)
            else replace(each, heard={}, record=None)
            for each in events()
        )
    )


def taken_over_by_legal() -> legal.EngagementImported:
    return next(each.event for each in events() if isinstance(each.event, legal.EngagementImported))


def test_balances_differ_from_a_contract_that_was_corrected_later() -> None:
    assert judge(shown(events()), SOON) == {}
    work, care = taken_over_by_legal().lines
    dearer = work.model_copy(update={"price": work.price + eur(100)})
    extra = work.model_copy(update={"line": "extra", "price": eur(7)})
    for lines, at_stake, saying in (
        ((dearer, care), eur(100), "work: 31,300.00 EUR in the contract of Legal, 31,200.00 EUR"),
        ((work, care, extra), eur(7), "extra: 7.00 EUR in the contract of Legal, no line in"),
        ((work,), care.price, "care: no line in the contract of Legal, 14,400.00 EUR in the"),
    ):
        (found,) = judge(changed(legal.EngagementImported, lines=lines), SOON).values()
        assert (found.finding, found.owner) == ("imported-balances-differ", "finance")
        price = Money.total((each.price for each in lines), "EUR")
        exposure = min(taken_over_by_legal().price, price)
        assert (found.at_stake, found.exposure) == (at_stake, exposure)
        assert saying in found.sentence
    titled = (work.model_copy(update={"title": "Other"}), care)
    assert judge(changed(legal.EngagementImported, lines=titled), SOON) == {}


def test_delivery_takes_over_every_deliverable_that_the_contract_pays_for() -> None:
    work = taken_over_by_legal().lines[0]
    last = work.deliverables[-1]
    progress = next(
        each.event for each in events() if isinstance(each.event, delivery.EngagementImported)
    )
    fewer = tuple(each for each in progress.deliverables if each.deliverable != last)
    view = changed(delivery.EngagementImported, deliverables=fewer)
    (found,) = judge(view, SOON).values()
    assert (found.finding, found.owner) == ("imported-scope-differs", "delivery")
    assert (found.at_stake, found.exposure) == (None, work.price)
    assert f"pays for {last}, which Delivery did not take over" in found.sentence


def baselined(
    recorded: tuple[Recorded[Event], ...], *deliverables: delivery.ImportedDeliverable
) -> View:
    """Return the view in which Delivery then baselined a plan of these deliverables."""
    plan = delivery.PlanBaselined(
        version=1,
        milestones=(),
        tasks=(),
        deliverables=tuple(
            Deliverable(deliverable=each.deliverable, title=each.title) for each in deliverables
        ),
        baselined_on=SOON,
    )
    last = next(each for each in events() if isinstance(each.event, PARTS["delivery"]))
    event = replace(last, id="plan", sequence=last.sequence + 1, event=plan, heard={}, record=None)
    return shown((*recorded, event))


def test_a_baseline_takes_the_place_of_the_scope_that_was_taken_over() -> None:
    progress = next(
        each.event for each in events() if isinstance(each.event, delivery.EngagementImported)
    )
    first, last = progress.deliverables
    assert (first.accepted_on is None, last.accepted_on is None) == (False, True)
    fewer = tuple(
        replace(each, event=each.event.model_copy(update={"deliverables": (first,)}))
        if isinstance(each.event, delivery.EngagementImported)
        else each
        for each in without()
    )
    assert judge(shown(fewer), SOON).keys() == {"imported-scope-differs"}
    assert judge(baselined(fewer, first, last), SOON) == {}
    # The first one was accepted before, and need not be planned again.
    assert judge(baselined(fewer, last), SOON) == {}
    view = baselined(without(), first)
    (found,) = judge(view, SOON).values()
    assert f"pays for {last.deliverable}, which the baseline of Delivery does" in found.sentence
    assert view.delivery.baseline is not None
    assert view.delivery.baseline.said in found.evidence


def test_delivery_that_baselined_a_plan_has_nothing_to_take_over() -> None:
    progress = next(
        each.event for each in events() if isinstance(each.event, delivery.EngagementImported)
    )
    view = baselined(without("delivery"), *progress.deliverables)
    assert (view.stage, summary(view, {}).import_lacks) == ("delivering", [])
    assert judge(view, SOON) == {}
    fewer = baselined(without("delivery"), progress.deliverables[0])
    assert judge(fewer, SOON).keys() == {"imported-scope-differs"}
    # A plan alone takes nothing over.
    alone = baselined(without(*PARTS), *progress.deliverables)
    assert (alone.stage, alone.taken_over) == ("closed", False)


def test_price_finish_and_stages_are_those_of_the_contract() -> None:
    view = shown(events())
    assert view.legal.imported is not None
    contract = view.legal.imported.event
    assert view.price == contract.price
    assert summary(view, {}).finish == contract.finishes_on
    begun = {each.stage: each.on for each in stage_steps(view)}
    assert begun["mobilising"] == contract.signed_on
    assert view.delivery.imported is not None
    assert begun["delivering"] == view.delivery.imported.event.baselined_on


def test_a_retainer_that_was_taken_over_is_billed_by_its_months() -> None:
    view = shown(events())
    (care,) = [each for each in view.legal.contract_lines if each.line == "care"]
    # An amendment changes this entry with the fee, as Legal drafts it.
    assert [item.kind for item in care.billing] == ["period"]


def test_balances_are_apart_from_all_other_amounts_of_the_portfolio() -> None:
    view = shown(events())
    assert view.finance.imported is not None
    balances = view.finance.imported.event
    portfolio = build_portfolio(contribution(view, []), LAST_DAY, None, with_confidential=True)
    (of_currency,) = portfolio.currencies
    known = dict(of_currency).items()
    amounts = {name: value for name, value in known if value and name != "currency"}
    assert not any(amounts.pop("imported_history").values())
    amounts.pop("pipeline")
    left = balances.price.amount - 3_600 - 15_600  # what was recognised before, also by cost
    assert amounts == {
        "backlog": left,
        "backlog_clean": left,
        "imported_price": balances.price.amount,
        "imported_billed": balances.billed.amount,
        "imported_paid": balances.paid.amount,
        "outstanding": 3_900,
        "overdue": 3_900,
    }
    assert portfolio.confidential is not None
    assert portfolio.confidential[0].cost == 0


def rows(view: View, *, confidential: bool) -> dict[str, tuple[str, ...]]:
    found = panels(view, Names(RecordsOf([])), LAST_DAY, confidential=confidential)
    return {f"{one.department}: {row.label}": row.lines for one in found for row in one.rows}


def test_panels_show_what_each_department_took_over() -> None:
    view = shown(events())
    seen: dict[str, Any] = rows(view, confidential=False)
    assert seen["legal: Contract taken over"][0] == "45,600 EUR, signed 3 Dec 2024"
    assert seen["delivery: Taken over"] == (
        "as of 2 Mar 2025, baseline of 20 Dec 2024",
        "84 h, 40% done",
        "1 of 2 milestones reached",
        "1 of 2 deliverables accepted",
    )
    assert seen["finance: Taken over"][1:] == (
        "19,200 EUR of 45,600 EUR billed",
        "11,400 EUR paid, without tax",
        "3,600 EUR recognised",
    )
    assert seen["finance: Invoices from before"] == (
        "R/2024/0117: 7,800 EUR of 15,600 EUR with tax open then, overdue since 20 Feb 2025",
    )
    assert seen["finance: Outstanding, with tax"] == ("3,900 EUR",)
    assert "finance: Cost taken over" not in seen
    costs = rows(view, confidential=True)["finance: Cost taken over"]
    assert costs == ("9,360 EUR", "15,600 EUR recognised")


def test_the_months_of_the_company_in_the_contract_are_shown() -> None:
    view = shown(events())
    assert view.company == "concord-de"
    ledger = LedgerPublished(ledger="concord-de", closed_to="2025-02", closing=None)
    names = Names(RecordsOf([ledger]))
    rows = {
        row.label: row.lines
        for panel in panels(view, names, LAST_DAY, confidential=False)
        for row in panel.rows
    }
    assert rows["Months of the company"] == ("closed to 2025-02",)


def test_the_price_of_finance_is_contracted_before_legal_takes_over() -> None:
    view = shown(without("legal", "delivery"))
    assert view.company is None
    assert view.price is not None
    assert view.currency == view.price.currency
    assert "EUR contracted" in page(without("legal", "delivery"))


def test_open_events_contain_no_revenue_by_cost() -> None:
    for recorded in events():
        if isinstance(recorded.event, finance.EngagementImported):
            known = {each.method: each.recognised for each in recorded.event.lines}
            assert known == {
                "cost-to-cost": None,
                "over-time": Money.model_validate({"amount": 3_600, "currency": "EUR"}),
            }
