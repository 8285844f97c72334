"""Check that the gateway shows the unbilled, held and written-down work that Finance shows."""

import asyncio
from functools import cache
from typing import Any

import pytest

from contracts.money import Money
from gateway.formatting import money
from gateway.pages.department_panels import panels
from gateway.pages.names import Names
from gateway.view.approved_work import approved_work
from gateway.view.engagement_view import View
from local.demo.pricing import TESTING
from testkit.scenario import RecordsOf
from tests.amounts import eur
from tests.unit.lived import Moment, Remembered, fork, lived
from tests.unit.simulation import ENGAGEMENT, SentCommand, World, founded
from tests.unit.test_interleaving import LAST_DAY, shown

Amounts = dict[str, tuple[Money, Money, Money]]
"""Unbilled, held and written-down worth by line."""
LABELS = ("Unbilled work", "Work held back", "Work written down")


@cache
def moments() -> tuple[Moment, ...]:
    """Return the commands that Finance accepted in a whole engagement."""
    world = Remembered()
    asyncio.run(founded(world=world))
    asyncio.run(lived("lines of all kinds", world))
    return tuple(
        each
        for each in world.moments
        if (each.sent.service, each.sent.place) == ("finance", "engagements")
    )


@cache
def seen() -> tuple[tuple[View, Amounts], ...]:
    """Return the gateway's view and Finance's amounts before each of these commands."""
    return tuple(map(looked_at, (fork(each.world) for each in moments())))


def looked_at(world: World) -> tuple[View, Amounts]:
    """Deliver all events, and return the gateway's view and Finance's amounts."""
    world.deliver_all()
    events = (each for each in world.events() if each.channel.kind == "events")
    return shown(events), in_finance(world.view("finance", ENGAGEMENT))


def in_finance(view: dict[str, Any]) -> Amounts:
    withheld = {each["line"]: each for each in view["withheld"]}
    amounts: Amounts = {}
    for each in view["unbilled"]:
        unbilled = Money.model_validate(each["unbilled"])
        known = withheld.get(each["line"], {})
        nothing = Money.zero(unbilled.currency)
        held, written_down = (
            Money.model_validate(known[name]) if known else nothing
            for name in ("held", "written_down")
        )
        amounts[each["line"]] = unbilled, held, written_down
    return amounts


def in_gateway(view: View) -> Amounts:
    works = approved_work(view)
    return {each.line: (each.unbilled, each.held, each.written_down) for each in works}


def test_the_gateway_shows_the_amounts_of_finance_at_every_moment() -> None:
    for view, amounts in seen():
        assert in_gateway(view) == amounts


def test_each_amount_is_above_zero_at_some_moment() -> None:
    for place in range(3):
        assert any(each[place].amount for view, _ in seen() for each in in_gateway(view).values())


@pytest.mark.parametrize(("spent", "currency"), [("120", "EUR"), ("133.20", "USD")])
def test_expenses_count_for_the_line_that_pays_them(spent: str, currency: str) -> None:
    moment = next(each for each in moments() if each.sent.command == "hold-work")
    world = fork(moment.world)
    amount = eur(120)  # at the demo's 1.11 dollars to a euro
    expense = {
        "category": "travel",
        "amount": {"amount": spent, "currency": currency},
        "description": "Train",
        "spent_on": "2025-04-28",
    }
    before = looked_at(world)[1][TESTING]
    at = moment.sent.at
    world.command(SentCommand("delivery", ENGAGEMENT, "submit-expense", expense, "gita", at, "x"))
    waiting = world.view("delivery", ENGAGEMENT)["expenses"]["waiting"]
    name = waiting[-1]["expense"]
    hold = {"expenses": [name], "why": "The receipt is missing."}
    for service, command, body, more in (
        ("delivery", "approve-expense", {"expense": name}, 0),
        ("finance", "hold-work", hold, 1),
        ("finance", "write-down-work", hold, 2),
    ):
        world.command(SentCommand(service, ENGAGEMENT, command, body, "dora", at, command))
        view, amounts = looked_at(world)
        expected = [each + amount if place == more else each for place, each in enumerate(before)]
        assert in_gateway(view) == amounts
        assert amounts[TESTING] == tuple(expected)


def test_the_panel_of_finance_shows_the_totals() -> None:
    for view, amounts in seen():
        found = panels(view, Names(RecordsOf([])), LAST_DAY, confidential=False)
        rows = next(each.rows for each in found if each.department == "finance")
        by_kind = zip(*amounts.values(), strict=True)
        totals = [Money.total(each, each[0].currency) for each in by_kind]
        assert {each.label: each.lines for each in rows if each.label in LABELS} == {
            label: (money(total),)
            for label, total in zip(LABELS, totals, strict=False)
            if total.amount
        }


def test_what_an_edit_takes_off_a_draft_is_written_down() -> None:
    billed = next(each for each in moments() if each.sent.command == "bill-time")
    world = fork(billed.world)
    world.command(billed.sent)
    drafts = world.view("finance", ENGAGEMENT)["invoices"]
    draft, line = next(
        (draft, line)
        for draft in drafts
        if draft["stage"] == "drafted"
        for line in draft["lines"]
        if line["line"] == TESTING and line["hours"]
    )
    amount = Money.model_validate(line["amount"])
    lower = {"invoice_line": line["invoice_line"], "amount": shown_as(amount - eur(10))}
    _, before = looked_at(world)
    for command, body in (
        ("edit-invoice", {"invoice": draft["invoice"], "why": "Agreed.", "lines": [lower]}),
        ("reject-invoice", {"invoice": draft["invoice"], "why": "Wrong."}),
    ):
        at = billed.sent.at
        world.command(SentCommand("finance", ENGAGEMENT, command, body, "dora", at, command))
        view, amounts = looked_at(world)
        assert in_gateway(view) == amounts
        less = eur(10) if command == "edit-invoice" else eur(0)
        assert amounts[TESTING][2] == before[TESTING][2] + less


def shown_as(amount: Money) -> dict[str, str]:
    return {"amount": str(amount.amount), "currency": amount.currency}
