"""Test that the command of each item about uncovered work ends the item, if it is accepted."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from chassis.domain.commands import Command
from chassis.domain.work_items import WorkItem
from contracts.delivery import (
    BrdSignedOff,
    BrdSubmitted,
    ChangeRejected,
    EngagementPutOnHold,
    TierChosen,
)
from contracts.event import Event
from contracts.lines import LineChange, LineRate, NewLine
from delivery.changes.decisions import ApproveChange, AssessChange, RequestChange
from delivery.engagement import Engagement
from delivery.expenses.decisions import RejectExpense
from delivery.expenses.work_items import CONDITIONS as OF_EXPENSES
from delivery.planning.decisions import BaselinePlan
from delivery.requirements.decisions import SignOffBrd
from delivery.time_entries.decisions import RejectTime
from delivery.time_entries.work_items import CONDITIONS as OF_TIME
from testkit.scenario import Scenario
from tests.amounts import eur, per_hour
from tests.unit.delivery.builders import (
    AMENDMENT_DRAFTED,
    AMENDMENT_SIGNED,
    BASELINED,
    BUDGET_AMENDED,
    CHANGE_ASSESSED,
    CHANGE_PRICED,
    DRAFTED,
    EARLY_START,
    HASH,
    PRICED,
    REBASELINED,
    SOW,
    SOW_SIGNED,
    START,
    TASKS,
    TERMINATED,
    TODAY,
    WEEK,
    change_approved,
    change_assessed,
    change_priced,
    change_ready,
    change_rebaselined,
    change_requested,
    change_signed,
    entry,
    estimated,
    kicked_off,
    released,
    signed,
    with_time,
    won,
)
from tests.unit.delivery.test_expenses import AS_COST as EXPENSE_AS_COST
from tests.unit.delivery.test_expenses import spent
from tests.unit.delivery.test_taken_over import BALANCES, CONTRACT, IMPORT, sold, taken_over
from tests.unit.delivery.test_time_entries import AS_COST, contracted, hourly, initial, unsigned

Given = Callable[[], Scenario[Engagement]]
Step = Callable[[Scenario[Engagement]], Scenario[Engagement]]

BEFORE = date(2026, 3, 30)
"""A Monday before the contract takes effect."""
ENDED = TERMINATED.model_copy(update={"terminated_on": WEEK})
HELD = EngagementPutOnHold(held_on=START, reason="Strike.")
IN_MONEY = EARLY_START.model_copy(update={"cap_hours": None, "cap_amount": eur(2_000)})
SHORT = EARLY_START.model_copy(update={"cap_hours": 4})
OVER = EARLY_START.model_copy(update={"expires_on": date(2026, 4, 3)})
LATER = EARLY_START.model_copy(update={"starts_on": TODAY})
LIGHT = TierChosen(tier="light", proposed="light", reason="Small.")
RATE = LineRate(role="architect", rate=per_hour(100))
REJECTED = ChangeRejected(change="CR-1", why="Dear.", rejected_on=TODAY)
TRAVEL = AMENDMENT_SIGNED.model_copy(
    update={
        "changes": (
            LineChange(
                line="travel",
                new=NewLine(title="Travel", pricing="at-cost"),
                price_delta=eur(2_000),
            ),
        )
    }
)


def given(*commands: Command, by: str = "mara") -> Step:
    """Return the step that gives accepted commands of Delivery."""

    def step(scenario: Scenario[Engagement]) -> Scenario[Engagement]:
        for command in commands:
            scenario = scenario.after(command, by=by)
        return scenario

    return step


def heard(*events: Event) -> Step:
    """Return the step that consumes what the command of another department publishes."""
    return lambda scenario: scenario.consumed(*events, knowing=scenario.stream.position)


def timed(scenario: Given, **fields: Any) -> Given:
    return lambda: with_time(scenario(), entry(1, **fields))


def early(scenario: Given, day: date = WEEK, **fields: Any) -> Given:
    return lambda: with_time(scenario(), initial(1, day, **fields))


def building(scenario: Given) -> Given:
    return timed(scenario, task="build", role="developer", day=TODAY)


def on_change(scenario: Given, day: date = TODAY) -> Given:
    return timed(scenario, task="CR-1", role="developer", line=None, day=day)


def paid(scenario: Given, day: date = WEEK, **fields: Any) -> Given:
    return lambda: spent(scenario(), spent_on=day, **fields)


def planned(**fields: Any) -> Scenario[Engagement]:
    """Return a released engagement whose baseline has one more task."""
    task = TASKS[0].model_copy(update={"task": "extra", **fields})
    plan = {"version": 2, "tasks": (*TASKS, task), "baselined_on": TODAY}
    return released().published(BASELINED.model_copy(update=plan))


def replanned(scenario: Scenario[Engagement]) -> Scenario[Engagement]:
    """Return an engagement after a draft with the missing task and its line was baselined."""
    extra = [
        TASKS[0].model_copy(update={"task": name, "line": "desk"}) for name in ("extra", "any")
    ]
    plan = DRAFTED.model_copy(update={"version": 3, "tasks": (*TASKS, *extra)})
    return scenario.published(plan).after(BaselinePlan(version=3), by="mara")


def requirements_submitted() -> Scenario[Engagement]:
    plan = BASELINED.model_copy(update={"baselined_on": START})
    submitted = BrdSubmitted(version=1, content_hash=HASH)
    return kicked_off().published(submitted, DRAFTED, plan)


def signed_off() -> Scenario[Engagement]:
    """Return an engagement whose requirements were signed off before its plan was baselined."""
    sign_off = BrdSignedOff(version=1, content_hash=HASH, signed_by="cleo", signed_on=START)
    submitted = BrdSubmitted(version=1, content_hash=HASH)
    return kicked_off().published(submitted, sign_off, DRAFTED, BASELINED)


def with_rate(scenario: Scenario[Engagement]) -> Scenario[Engagement]:
    """Return an engagement after a change was requested, and signed with a rate for the role."""
    request = RequestChange(change="CR-1", requested_by="cleo", description="A rate.")
    rated = LineChange(line="desk", rates=(RATE,), price_delta=eur(0))
    signed_change = AMENDMENT_SIGNED.model_copy(update={"changes": (rated,)})
    return scenario.after(request, by="ann").consumed(signed_change)


def several() -> Scenario[Engagement]:
    return contracted(hourly(RATE), hourly(RATE, line="more"))


@dataclass(frozen=True)
class Case:
    """Work that waits for a condition, its command, and what follows the command."""

    code: str
    owed_by: str
    command: str
    waits: Given
    ended: Step


TIME_AS_COST = given(AS_COST, by="olga")
COST = given(EXPENSE_AS_COST, by="olga")
ON_TIME = [
    Case(
        "engagement-not-imported",
        "legal",
        "import-engagement",
        timed(lambda: sold(BALANCES).after(IMPORT), line=None),
        heard(CONTRACT),
    ),
    Case(
        "engagement-not-imported",
        "delivery",
        "import-engagement",
        timed(lambda: sold(CONTRACT, BALANCES), line=None),
        given(IMPORT, by="olga"),
    ),
    Case(
        "engagement-not-imported",
        "finance",
        "import-engagement",
        timed(lambda: sold(CONTRACT).after(IMPORT), line=None),
        heard(BALANCES),
    ),
    Case(
        "time-taken-over",
        "delivery",
        "reject-time",
        timed(lambda: taken_over(BALANCES.model_copy(update={"as_of": WEEK})), line=None),
        given(RejectTime(person="dev", week=WEEK, why="In the balances.")),
    ),
    Case(
        "engagement-on-hold",
        "delivery",
        "approve-time-as-cost",
        timed(lambda: released().published(HELD)),
        TIME_AS_COST,
    ),
    Case("sow-not-signed", "legal", "record-signature", early(unsigned), heard(SOW, SOW_SIGNED)),
    Case(
        "date-before-early-start",
        "legal",
        "authorise-early-start",
        early(lambda: unsigned().consumed(LATER)),
        heard(EARLY_START),
    ),
    Case(
        "early-start-expired",
        "legal",
        "authorise-early-start",
        early(lambda: unsigned().consumed(OVER)),
        heard(EARLY_START),
    ),
    Case(
        "early-start-cap-spent",
        "legal",
        "authorise-early-start",
        early(lambda: unsigned().consumed(SHORT)),
        heard(EARLY_START),
    ),
    Case(
        "rates-missing",
        "finance",
        "publish-rate-card",
        early(lambda: estimated().on(TODAY).consumed(IN_MONEY), role="developer"),
        heard(PRICED),
    ),
    Case(
        "rates-missing",
        "delivery",
        "approve-time-as-cost",
        early(lambda: unsigned().consumed(IN_MONEY)),
        TIME_AS_COST,
    ),
    Case(
        "rates-missing",
        "sales",
        "request-change",
        timed(lambda: contracted(hourly(LineRate(role="developer", rate=per_hour(100))))),
        with_rate,
    ),
    Case(
        "date-before-contract",
        "delivery",
        "approve-time-as-cost",
        lambda: with_time(signed(), initial(1, BEFORE)),
        given(AS_COST.model_copy(update={"week": BEFORE}), by="olga"),
    ),
    Case(
        "engagement-over",
        "delivery",
        "approve-time-as-cost",
        timed(lambda: released().consumed(ENDED), day=TODAY),
        TIME_AS_COST,
    ),
    Case(
        "line-unknown",
        "delivery",
        "draft-plan",
        timed(lambda: planned(line="nowhere"), task="extra"),
        replanned,
    ),
    Case("line-not-named", "delivery", "draft-plan", timed(several, task="any"), replanned),
    Case("task-unknown", "delivery", "draft-plan", timed(released, task="extra"), replanned),
    Case(
        "plan-not-baselined",
        "delivery",
        "baseline-plan",
        building(lambda: kicked_off().published(DRAFTED)),
        given(BaselinePlan(version=1, baselined_on=START)),
    ),
    Case(
        "date-before-baseline",
        "delivery",
        "approve-time-as-cost",
        timed(signed_off, task="build", role="developer", day=START),
        TIME_AS_COST,
    ),
    Case(
        "brd-not-signed-off",
        "legal",
        "record-signature",
        building(lambda: won().on(TODAY).published(LIGHT, DRAFTED, BASELINED)),
        heard(SOW, SOW_SIGNED),
    ),
    Case(
        "brd-not-signed-off",
        "delivery",
        "sign-off-brd",
        building(requirements_submitted),
        given(SignOffBrd(version=1, signed_by="cleo", signed_on=START), by="cleo"),
    ),
    Case(
        "date-before-sign-off",
        "delivery",
        "approve-time-as-cost",
        timed(released, task="build", role="developer", day=START),
        TIME_AS_COST,
    ),
    Case(
        "change-rejected",
        "delivery",
        "approve-time-as-cost",
        on_change(lambda: change_approved().published(REJECTED)),
        TIME_AS_COST,
    ),
    Case(
        "change-not-assessed",
        "delivery",
        "assess-change",
        on_change(change_requested),
        given(AssessChange(**dict(CHANGE_ASSESSED))),
    ),
    Case(
        "change-not-priced", "finance", "catch-up", on_change(change_assessed), heard(CHANGE_PRICED)
    ),
    Case(
        "change-not-approved",
        "delivery",
        "approve-change",
        on_change(change_priced),
        given(ApproveChange(change="CR-1", approved_by="cleo"), by="cleo"),
    ),
    Case(
        "amendment-not-signed",
        "legal",
        "sign-amendment",
        on_change(change_approved),
        heard(AMENDMENT_DRAFTED, AMENDMENT_SIGNED),
    ),
    Case(
        "date-before-amendment",
        "delivery",
        "approve-time-as-cost",
        on_change(change_ready, START),
        TIME_AS_COST,
    ),
    Case(
        "plan-not-rebaselined",
        "delivery",
        "baseline-plan",
        on_change(
            lambda: change_signed().published(
                DRAFTED.model_copy(update={"version": 2, "changes": REBASELINED.changes})
            )
        ),
        given(BaselinePlan(version=2)),
    ),
    Case(
        "budget-not-amended",
        "finance",
        "catch-up",
        on_change(change_rebaselined),
        heard(BUDGET_AMENDED),
    ),
]
ON_EXPENSES = [
    Case(
        "engagement-not-imported",
        "legal",
        "import-engagement",
        paid(lambda: sold(BALANCES).after(IMPORT)),
        heard(CONTRACT),
    ),
    Case(
        "engagement-not-imported",
        "delivery",
        "import-engagement",
        paid(lambda: sold(CONTRACT, BALANCES)),
        given(IMPORT, by="olga"),
    ),
    Case(
        "engagement-not-imported",
        "finance",
        "import-engagement",
        paid(lambda: sold(CONTRACT).after(IMPORT)),
        heard(BALANCES),
    ),
    Case(
        "time-taken-over",
        "delivery",
        "reject-expense",
        paid(lambda: taken_over(BALANCES.model_copy(update={"as_of": WEEK}))),
        given(RejectExpense(expense="X-1", why="In the balances.")),
    ),
    Case(
        "engagement-on-hold",
        "delivery",
        "approve-expense-as-cost",
        paid(lambda: released().published(HELD)),
        COST,
    ),
    Case("sow-not-signed", "legal", "record-signature", paid(unsigned), heard(SOW, SOW_SIGNED)),
    Case(
        "date-before-early-start",
        "legal",
        "authorise-early-start",
        paid(lambda: unsigned().consumed(LATER)),
        heard(EARLY_START),
    ),
    Case(
        "early-start-expired",
        "legal",
        "authorise-early-start",
        paid(lambda: unsigned().consumed(OVER)),
        heard(EARLY_START),
    ),
    Case(
        "early-start-cap-spent",
        "legal",
        "authorise-early-start",
        paid(lambda: with_time(unsigned().consumed(SHORT), initial(1, START, 4), approved=True)),
        heard(EARLY_START),
    ),
    Case(
        "rates-missing",
        "finance",
        "publish-rate-card",
        paid(
            lambda: with_time(
                estimated().on(TODAY).consumed(IN_MONEY),
                initial(1, START, role="developer"),
                approved=True,
            )
        ),
        heard(PRICED),
    ),
    Case(
        "rates-missing",
        "delivery",
        "approve-expense-as-cost",
        paid(lambda: with_time(unsigned().consumed(IN_MONEY), initial(1, START), approved=True)),
        COST,
    ),
    Case(
        "date-before-contract",
        "delivery",
        "approve-expense-as-cost",
        paid(signed, BEFORE),
        COST,
    ),
    Case(
        "date-before-amendment",
        "delivery",
        "approve-expense-as-cost",
        paid(lambda: released().consumed(TRAVEL), START, line="travel"),
        COST,
    ),
    Case(
        "engagement-over",
        "delivery",
        "approve-expense-as-cost",
        paid(lambda: released().consumed(ENDED), TODAY),
        COST,
    ),
    Case(
        "line-unknown",
        "delivery",
        "reject-expense",
        paid(released, line="cruise"),
        given(RejectExpense(expense="X-1", why="Another line.")),
    ),
]
CASES = [*ON_TIME, *ON_EXPENSES]


def uncovered(scenario: Scenario[Engagement]) -> list[WorkItem]:
    """Return the items about what waits and cannot be billed."""
    return [each for each in scenario.work if each.about in {"time", "expenses"}]


def commands(scenario: Scenario[Engagement], case: Case) -> list[str]:
    """Return the commands of the items of a case."""
    return [
        each.kind.command
        for each in uncovered(scenario)
        if (each.kind.code, each.kind.department) == (case.code, case.owed_by)
    ]


def named(case: Case) -> str:
    return f"{case.code}-{case.owed_by}-{case.command}"


@pytest.mark.parametrize("case", CASES, ids=named)
def test_the_command_of_an_item_about_uncovered_work_ends_it(case: Case) -> None:
    waits = case.waits()
    assert commands(waits, case) == [case.command]
    assert commands(case.ended(waits), case) == []


@pytest.mark.parametrize("case", ON_TIME, ids=named)
def test_after_the_end_uncovered_time_waits_for_what_is_still_possible(case: Case) -> None:
    [item] = uncovered(case.waits().consumed(ENDED))
    rejected = case.code == "time-taken-over"
    assert item.kind.command == ("reject-time" if rejected else "approve-time-as-cost")
    assert item.sentence.split()[0] == "8"


@pytest.mark.parametrize("case", ON_EXPENSES, ids=named)
def test_after_the_end_an_uncovered_expense_waits_for_what_is_still_possible(case: Case) -> None:
    [item] = uncovered(case.waits().consumed(ENDED))
    rejected = case.code in {"time-taken-over", "line-unknown"}
    assert item.kind.command == ("reject-expense" if rejected else "approve-expense-as-cost")


def test_work_that_only_approval_as_cost_ends_is_one_item() -> None:
    held = on_change(lambda: change_requested().published(HELD), START)()
    early_on_hold = paid(lambda: unsigned().published(HELD), line="cruise")()
    for waits in (held, early_on_hold):
        [item] = uncovered(waits)
        assert item.kind.code == "engagement-on-hold"
        assert item.kind.command.endswith("-as-cost")


def test_work_that_the_balances_contain_is_rejected_also_where_more_is_missing() -> None:
    contained = taken_over(BALANCES.model_copy(update={"as_of": WEEK})).published(HELD)
    for waits in (timed(lambda: contained, line=None)(), paid(lambda: contained)()):
        [item] = uncovered(waits)
        assert item.kind.command.startswith("reject-")


def test_independent_conditions_keep_an_item_each() -> None:
    waits = building(lambda: kicked_off().published(DRAFTED))()
    codes = {each.kind.code for each in uncovered(waits)}
    assert codes == {"brd-not-signed-off", "plan-not-baselined"}


def test_every_condition_is_tested() -> None:
    for cases, conditions in ((ON_TIME, OF_TIME), (ON_EXPENSES, OF_EXPENSES)):
        assert {(case.code, case.owed_by) for case in cases} == {*conditions}
