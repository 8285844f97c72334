"""Check that the order of events does not matter, and that state and events can be stored."""

from datetime import date, timedelta
from decimal import Decimal

from contracts.delivery import (
    ChangeApproved,
    EstimateEndorsed,
    KickoffHeld,
    ManagerAssigned,
    SolutionWentLive,
)
from contracts.event import Event, Recorded, decode, encode
from contracts.legal import EarlyStartAuthorised
from contracts.sales import DealLost, DealReopened
from finance.engagement import Engagement
from finance.number_series.requests import TakeNumber
from finance.number_series.state import NumberSeries
from finance.revenue.decisions import RecogniseRevenue
from finance.service import ENGAGEMENT, NUMBER_SERIES
from finance.time_billing.decisions import BillTime
from testkit.scenario import Scenario, given, permutations_agree
from tests.amounts import eur
from tests.invoices import UNTAXED
from tests.unit.finance.builders import (
    ADDED,
    AMENDMENT,
    ASSESSED,
    BASELINED,
    CARD,
    COSTS,
    ESTIMATE,
    HOURLY_SOW,
    ID,
    MONDAY,
    OPENED,
    PROPOSED,
    SIGNED,
    SOW,
    SOW_SIGNED,
    TERMINATED,
    WON,
    accepted,
    allocate,
    amendment,
    contracted,
    drafts_and_invoices,
    expense,
    hearing,
    issued,
    line_rates,
    opened,
    progress,
    report,
    time,
)

NEW = given(ENGAGEMENT, ID, records=[*UNTAXED, CARD, COSTS])
WITH_RATES = amendment(ADDED.model_copy(update={"rates": line_rates(tester=90)}))
EARLY = EarlyStartAuthorised(
    cap_hours=Decimal(40), starts_on=date(2026, 3, 2), expires_on=date(2026, 3, 31), reason="Hurry."
)


def test_the_order_of_departments_does_not_matter_up_to_the_first_report():
    permutations_agree(
        NEW,
        OPENED,
        ManagerAssigned(manager="mara", assigned_on=date(2026, 2, 1)),
        ESTIMATE,
        EstimateEndorsed(version=1, manager="mara"),
        PROPOSED,
        WON,
        SOW,
        EARLY,
        SOW_SIGNED,
        BASELINED,
        KickoffHeld(held_on=MONDAY, attendees=("mara",)),
        time("a"),
        expense("x", eur(10)),
        progress("t1", 50),
        report(date(2026, 4, 12)),
        accepted("design"),
        examples=30,
    )


def test_the_order_of_departments_does_not_matter_for_a_change():
    taken_in = BASELINED.model_copy(update={"version": 2, "changes": ("CR-1",)})
    permutations_agree(
        NEW,
        OPENED,
        PROPOSED,
        SOW,
        SOW_SIGNED,
        AMENDMENT,
        ESTIMATE,
        ASSESSED,
        ChangeApproved(change="CR-1", approved_by="cleo", approved_on=date(2026, 4, 24)),
        taken_in,
        report(date(2026, 5, 4)),
        accepted("report"),
        SolutionWentLive(live_on=date(2026, 7, 1)),
        apart=timedelta(hours=1),
        examples=30,
    )


def test_the_order_of_departments_does_not_matter_for_an_end():
    lost = DealLost(reason="price", lost_on=SIGNED)
    permutations_agree(NEW, OPENED, ESTIMATE, lost)
    reopened = DealReopened(why="They asked again.", lost_on=SIGNED, reopened_on=SIGNED)
    permutations_agree(NEW, OPENED, ESTIMATE, lost, reopened)
    permutations_agree(
        NEW, OPENED, PROPOSED, HOURLY_SOW, SOW_SIGNED, ESTIMATE, time("a"), TERMINATED, examples=30
    )


def whole_life() -> Scenario[Engagement]:
    """Return a scenario of an hourly contract, from its advance to recognised revenue."""
    engagement = contracted(HOURLY_SOW)
    engagement = issued(engagement, "invoice-advance", "2026-00001", date(2026, 3, 23))
    engagement = hearing(engagement, BASELINED, time("a", hours="33.33"), expense("x", eur("9.99")))
    engagement = hearing(engagement, progress("t1", 33), report(date(2026, 4, 17)))
    engagement = hearing(engagement, ASSESSED, WITH_RATES, time("b", role="tester", hours="7.77"))
    engagement = engagement.on(date(2026, 5, 4)).after(BillTime(month="2026-04"))
    engagement = issued(engagement, "invoice-time-2026-04", "2026-00002", date(2026, 5, 4))
    for invoice in ("invoice-advance", "invoice-time-2026-04"):
        owed = drafts_and_invoices(engagement)[invoice].outstanding
        engagement = engagement.after(allocate(invoice, owed))
    for month in ("03", "04"):
        engagement = engagement.after(RecogniseRevenue(month=f"2026-{month}"))
    return engagement


def test_the_state_survives_serialisation():
    state = whole_life().state
    assert Engagement.model_validate_json(state.model_dump_json()) == state
    taken = given(NUMBER_SERIES, "us.invoice.2026").after(TakeNumber(on=date(2026, 5, 4)))
    assert NumberSeries.model_validate_json(taken.state.model_dump_json()) == taken.state


def test_every_published_event_can_be_parsed():
    published: list[Recorded[Event]] = []
    scenario = opened()
    for event in (ESTIMATE, PROPOSED, SOW, SOW_SIGNED, BASELINED, time("a", hours="33.33")):
        outcome = scenario.when_consumed(event)
        published += outcome.recorded
        scenario = outcome.after
    reported = (progress("t1", 33), report(date(2026, 4, 17)), ASSESSED, AMENDMENT)
    outcome = scenario.when_consumed(*reported)
    published += outcome.recorded
    assert len(published) > 10
    for recorded in published:
        assert decode(encode(recorded)).event == recorded.event


def test_a_reopened_deal_has_not_ended():
    lost = NEW.consumed(OPENED, DealLost(reason="price", lost_on=SIGNED))
    assert lost.view["ended"] == "lost"
    again = lost.consumed(DealReopened(why="Again.", lost_on=SIGNED, reopened_on=SIGNED))
    assert again.view["ended"] is None
    imported = NEW.consumed(DealReopened(why="Again.", lost_on=None, reopened_on=SIGNED))
    assert imported.view["ended"] is None
