"""A disconnect names what both sides state, who stated it, and who can end it with what command."""

import ast
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

import gateway.rules
from contracts import delivery, finance, sales
from contracts.event import EVENTS, Event, Recorded
from contracts.gateway import Side
from contracts.roles import ROLES, Role
from delivery.service import SERVICE as DELIVERY
from finance.service import SERVICE as FINANCE
from gateway.rules import RULES, Disconnect
from gateway.rules.people import GIVEN_BY, who_ends
from gateway.rules.sides import side
from gateway.view.sections.steps import day_field, ref
from legal.service import SERVICE as LEGAL
from sales.service import SERVICE as SALES
from tests.amounts import eur
from tests.builders import Life
from tests.unit.gateway.test_contract_lines import altered
from tests.unit.gateway.test_disconnects import findings, only
from tests.unit.gateway.test_engagement_view import view_of
from tests.weeks import submitted

COMMANDS: dict[tuple[str, str], tuple[Role, ...]] = {
    (service.name, entry.command.named()): entry.by or ()
    for service in (SALES, LEGAL, DELIVERY, FINANCE)
    for route in service.routes
    for entry in route.commands
}
"""Roles that may give each command of each department."""

TAKEN_BY: dict[tuple[str, str], str] = {
    (rule.owner, rule.end.command): rule.end.command_of for rule in RULES if rule.end.command_of
}
"""Department that takes the command, where it is not the owner."""

HOLDERS: dict[Role, tuple[Role, ...]] = {
    "account-executive": ("account-executive",),
    "engagement-manager": ("engagement-manager",),
    "contract-manager": ("contract-manager", "counsel"),
    "project-accountant": ("project-accountant", "controller"),
}
"""Roles that the person has whom `who_ends` names for a role."""


@pytest.mark.parametrize(
    ("owner", "command", "role"),
    [(*end, role) for end, role in GIVEN_BY.items()],
    ids=lambda each: each,
)
def test_who_ends_a_disconnect_may_give_the_command(owner: str, command: str, role: Role) -> None:
    by = COMMANDS[TAKEN_BY.get((owner, command), owner), command]
    assert {role, *HOLDERS.get(role, ())} <= {*by}


def test_a_person_is_named_for_no_other_role() -> None:
    life = Life().closed()

    assert {role for role in ROLES if who_ends(view_of(life.events), role)} <= {*HOLDERS}


@pytest.mark.parametrize("rule", [*RULES], ids=lambda rule: rule.id)
def test_the_command_that_ends_what_a_rule_finds_has_a_role(rule: gateway.rules.Rule) -> None:
    assert rule.end.role


def ends() -> set[tuple[str, str]]:
    """Return department and command of each `End` that the rules write out."""
    calls = (
        node
        for module in Path(gateway.rules.__file__).parent.glob("*.py")
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "End"
    )
    constants = (
        [each.value for each in call.args if isinstance(each, ast.Constant)] for call in calls
    )
    return {(str(one[0]), str(one[1])) for one in constants if len(one) == 2}


def test_each_other_command_that_a_rule_names_has_a_role() -> None:
    found = ends()
    assert len(found) > 10
    assert found <= {*GIVEN_BY}


def test_each_command_that_a_rule_chooses_has_a_role() -> None:
    written = {
        node.value
        for module in Path(gateway.rules.__file__).parent.glob("*.py")
        if module.name != "people.py"
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    commands = {command for _, command in COMMANDS}
    assert written & commands == {command for _, command in GIVEN_BY}


def test_a_manager_is_not_named_for_what_the_pmo_director_decides() -> None:
    held = delivery.EngagementPutOnHold(reason="No data.", held_on=date(2026, 2, 16))
    life = Life().kicked_off().say(60, held)
    life.say(61, submitted("T-1", date(2026, 2, 16), 8))
    (found,) = (each for each in findings(life, 62).values() if each.rule == "work-on-hold")

    assert found.command == "approve-time-as-cost"
    assert (found.role, found.ends_with) == ("pmo-director", None)


def told(found: Disconnect) -> list[tuple[str, str, str | None, date | None]]:
    return [(each.department, each.value, each.author, each.day) for each in found.sides]


def by(life: Life, kind: type[Event], actor: str, stands_for: str | None = None) -> Life:
    """Return the engagement with events of a type by a person, or by a stand-in."""
    life.events = [
        replace(each, actor=actor, on_behalf_of=stands_for)
        if isinstance(each.event, kind)
        else each
        for each in life.events
    ]
    return life


def test_both_sides_have_department_value_author_and_the_day_of_the_act() -> None:
    life = Life().worked(8)
    life.say(97, life.report(9, 95, finish=180))
    found = only(by(life, delivery.StatusReportPublished, "max"))

    assert told(found) == [
        ("legal", "finish on 4 June 2026", "ann", life.day(25)),
        ("delivery", "finish forecast for 4 July 2026", "max", life.day(95)),
    ]
    assert (found.owner, found.ends_with) == ("delivery", "max")
    assert found.command == "publish-status-report"


def test_an_amount_is_stated_with_its_currency() -> None:
    life = altered(Life().signed(), sales.DealWon, price=eur(90_000))
    found = findings(life, 27)["sow-price-differs"]

    assert [value for _, value, *_ in told(found)] == [
        "won at 90,000.00 EUR",
        "signed at 100,000.00 EUR",
    ]


def test_the_author_is_the_person_for_whom_a_stand_in_acted() -> None:
    life = Life().worked(8)
    life.say(97, life.report(9, 95, finish=180))
    found = only(by(life, delivery.StatusReportPublished, "paula", stands_for="max"))

    assert found.sides[1].author == "max"


def test_a_department_that_acted_without_a_person_is_no_author() -> None:
    life = Life().worked(8)
    life.say(97, life.report(9, 95, finish=180))

    assert only(by(life, delivery.StatusReportPublished, "delivery")).sides[1].author is None


def test_a_side_that_states_nothing_says_so() -> None:
    found = only(Life().proposed().without(delivery.ManagerAssigned), 12)

    assert told(found)[1] == ("delivery", "no manager assigned", None, None)
    assert (found.role, found.ends_with, found.command) == ("pmo-director", None, "assign-manager")


def test_work_names_its_first_day_and_not_who_did_it() -> None:
    life = Life().won()
    week = submitted("T-1", date(2026, 1, 12), 30, task="initiation")
    found = findings(by(life.say(17, week), delivery.TimeSubmitted, "eve"), 18)

    (disconnect,) = found.values()
    assert told(disconnect) == [
        ("delivery", "30 h worked", None, date(2026, 1, 12)),
        ("legal", "not signed", None, None),
    ]
    assert "'eve'" not in str(disconnect)


@pytest.mark.parametrize("finance_actor", ["fay", "fred"])
def test_counsel_and_accountant_are_who_stated_something_last(finance_actor: str) -> None:
    life = altered(Life().signed(), finance.BudgetSet, price=eur(90_000))
    life = by(by(life, finance.BudgetSet, "finance"), finance.SowReviewed, finance_actor)
    found = findings(life, 27)["budget-price-differs"]

    assert (found.owner, found.ends_with, found.command) == ("finance", finance_actor, "catch-up")


def test_a_long_value_is_cut_and_has_one_line() -> None:
    assert side("sales", f"a\n{'b ' * 300}").value.endswith("…")
    assert len(side("sales", "b" * 300).value) == 200
    assert side("sales", "on\ntwo lines") == Side(department="sales", value="on two lines")


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("concord.legal.sow-signed.v1", "signed_on"),
        ("concord.sales.deal-won.v1", "won_on"),
        ("concord.delivery.engagement-put-on-hold.v1", "held_on"),
        ("concord.delivery.kickoff-withdrawn.v1", "withdrawn_on"),
        ("concord.delivery.status-report-published.v1", "as_of"),
        ("concord.finance.budget-amended.v1", None),
        ("concord.sales.proposal-drafted.v1", None),
        ("concord.legal.amendment-drafted.v1", None),
    ],
)
def test_the_day_of_an_act_is_the_one_that_its_event_is_named_after(
    kind: str, field: str | None
) -> None:
    assert day_field(EVENTS[kind]) == field


def test_an_act_without_a_day_of_its_own_is_of_the_day_on_which_it_occurred() -> None:
    said: Recorded[Event] = Life().proposed().events[-2]

    assert ref(said).day == said.occurred_at.date()
