from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import delivery, finance, legal, sales
from contracts.event import Event, Recorded
from contracts.lines import changed_lines
from gateway.rules import judge
from gateway.view.engagement_view import View, apply_event, dump, load
from tests.builders import ENGAGEMENT, Life, euros, line_change

TODAY = date(2026, 4, 1)


def view_of(events: list[Recorded[Event]]) -> View:
    view = View(ENGAGEMENT)
    for recorded in events:
        apply_event(view, recorded)
    return view


@pytest.mark.parametrize(
    ("life", "stage"),
    [
        (Life().opened(), "opportunity"),
        (Life().proposed(), "proposal"),
        (Life().won(), "contracting"),
        (Life().signed(), "mobilising"),
        (Life().kicked_off(), "delivering"),
        (Life().accepted().say(150, delivery.SolutionWentLive(live_on=TODAY)), "closing"),
        (Life().closed(), "closed"),
        (Life().proposed().say(20, sales.DealLost(reason="price", lost_on=TODAY)), "lost"),
        (
            Life()
            .worked()
            .say(99, legal.EngagementTerminated(reason="mutual", terminated_on=TODAY)),
            "terminated",
        ),
    ],
)
def test_a_view_shows_the_stage_that_the_events_have_reached(life: Life, stage: str) -> None:
    assert view_of(life.events).stage == stage


def test_the_authorisation_that_ran_out_is_the_one_of_that_last_day() -> None:
    life = Life().won()
    for last in (30, 60):
        authorised = legal.EarlyStartAuthorised(
            cap_hours=Decimal(40), expires_on=life.day(last), reason="Date is fixed."
        )
        life.say(5, authorised)
    life.say(31, legal.EarlyStartExpired(expired_on=life.day(30)))
    section = view_of(life.events).legal
    assert [section.has_expired(start.event) for start in section.early_starts] == [True, False]


def test_a_deal_that_was_lost_before_its_import_is_lost() -> None:
    imported = sales.OpportunityImported(
        source="crm",
        external_id="OPP-1",
        account="acme",
        title="Portal",
        product="Integration",
        owner="ann",
        outcome="lost",
        pipeline_stage="proposing",
        opened_on=None,
        closed_on=TODAY,
        value=None,
    )
    view = view_of(Life().say(1, imported).events)
    assert (view.stage, view.sales.lost, view.sales.lost_on) == ("lost", None, TODAY)


def test_a_healthy_life_shows_what_each_department_said() -> None:
    view = view_of(Life().closed().events)

    assert view.price == euros(100_000)
    assert view.finance.billed("EUR") == euros(100_000)
    assert view.finance.outstanding("EUR") == euros(0)
    assert view.confidential.cost == euros(48_000)
    assert view.delivery.approved_hours == Decimal(600)
    assert view.delivery.deliverables["portal"].status == "accepted"
    assert view.causally_complete


def test_a_change_order_or_an_invoice_opens_a_settled_account_again() -> None:
    life = Life().closed()
    said = {type(each.event): each.event for each in life.events}
    said_budget = said[finance.BudgetSet]
    assert isinstance(said_budget, finance.BudgetSet)
    change = finance.BudgetAmended(
        change="CR-1",
        amendment="A-CR-1",
        price=euros(102_900),
        lines=changed_lines(life.lines(), [line_change("build", 2_900)]),
        obligations=said_budget.obligations,
        treatment="catch-up",
        why="The same portal.",
    )

    assert view_of(life.events).finance.settled is not None
    assert view_of(life.say(170, change).events).finance.settled is None
    life.say(171, said[finance.AccountSettled])
    assert view_of(life.events).finance.settled is not None
    assert view_of(life.say(172, said[finance.InvoiceIssued]).events).finance.settled is None


@given(st.data())
def test_topics_may_arrive_interleaved_in_any_way(data: st.DataObject) -> None:
    events = Life().closed().events
    queues: dict[str, list[Recorded[Event]]] = {}
    for recorded in events:
        queues.setdefault(recorded.channel.name, []).append(recorded)
    names = [name for name, queue in queues.items() for _ in queue]
    order = data.draw(st.permutations(names))
    heads = {name: iter(queue) for name, queue in queues.items()}

    assert dump(view_of([next(heads[name]) for name in order])) == dump(view_of(events))


def test_a_view_is_incomplete_while_something_its_events_rest_on_is_missing() -> None:
    events = Life().signed().events
    without_sales = [recorded for recorded in events if recorded.channel.name != "sales"]
    view = view_of(without_sales)

    assert not view.causally_complete
    assert view.missing().keys() == {"sales"}
    with pytest.raises(ValueError, match="causally complete"):
        judge(view, TODAY)


def test_a_view_survives_being_written_and_read() -> None:
    view = view_of(Life().closed().events)

    assert load(dump(view)) == view
