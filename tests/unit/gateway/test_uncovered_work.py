"""Test which work is found uncovered, and that a disconnect ends with what it is about."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from contracts import delivery, finance, legal, sales
from contracts.delivery import TimeSubmitted
from contracts.event import Event
from contracts.lines import ContractLine, LineRate
from contracts.money import Money
from contracts.purchases import PlannedPurchase
from contracts.values import PlannedTask
from gateway.rules.rule import Disconnect
from gateway.view.engagement_view import dump
from tests.amounts import eur, per_hour
from tests.builders import Life
from tests.unit.gateway.test_amended import amended
from tests.unit.gateway.test_contract_lines import SUPPORT, altered
from tests.unit.gateway.test_disconnects import evidence, findings
from tests.unit.gateway.test_engagement_view import view_of
from tests.weeks import approved, entries, rejected, reversal, submitted, withdrawn

EARLY = date(2026, 1, 19)
"""A Monday before the statement of work is signed."""


def of_rule(life: Life, days: int, rule: str) -> Disconnect | None:
    """Return what a rule finds after a number of days, or None."""
    found = [each for each in findings(life, days).values() if each.rule == rule]
    assert len(found) <= 1
    return found[0] if found else None


def ends(event: TimeSubmitted, how: str) -> Event:
    """Return the event that decides submitted hours."""
    name, week = "T-1", event.week
    hours = sum((each.hours for each in event.entries), Decimal(0))
    task = event.entries[0].task
    match how:
        case "withdrawn":
            return withdrawn(event)
        case "rejected":
            return rejected(event, "Not on this engagement.")
        case _:
            return approved(
                name, week, hours, task=task, billable=False, why_not_billed="Paid by us."
            )


@pytest.mark.parametrize("how", ["withdrawn", "rejected", "approved as cost"])
@pytest.mark.parametrize(
    ("rule", "task", "week"),
    [
        ("work-before-signature", "initiation", EARLY),
        ("work-outside-plan", "unheard-of", date(2026, 3, 2)),
    ],
)
def test_uncovered_hours_are_found_until_they_are_decided(
    how: str, rule: str, task: str, week: date
) -> None:
    life = Life().won() if rule == "work-before-signature" else Life().kicked_off()
    days = (week - life.begins).days + 5
    hours = submitted("T-1", week, 16, task=task)
    found = of_rule(life.say(days, hours), days, rule)
    assert found is not None
    assert found.sentence.startswith("16 h ")
    assert "time-submitted" in evidence(found)

    assert of_rule(life.say(days + 1, ends(hours, how)), days + 1, rule) is None
    assert view_of(life.events).delivery.waiting == {}


def test_hours_before_the_signature_are_covered_from_the_effective_day() -> None:
    hours = submitted("T-1", EARLY, 16, task="initiation")
    for effective, found in ((EARLY, False), (EARLY + timedelta(days=1), True)):
        life = altered(Life().signed(), legal.SowDrafted, effective_on=effective)
        life.say(28, hours)
        assert (of_rule(life, 28, "work-before-signature") is not None) is found


def test_hours_beyond_the_cap_of_an_early_start_are_found_before_they_are_approved() -> None:
    life = Life().won()
    start = {
        "cap_hours": 10,
        "starts_on": life.day(5),
        "expires_on": life.day(40),
        "reason": "Urgent.",
    }
    life.say(5, legal.EarlyStartAuthorised.model_validate(start))
    assert (
        of_rule(
            life.say(16, submitted("T-1", EARLY, 8, task="initiation")), 16, "work-before-signature"
        )
        is None
    )
    found = of_rule(
        life.say(17, submitted("T-1", EARLY, 16, task="initiation")), 17, "work-before-signature"
    )
    assert found is not None
    assert found.sentence == (
        "16 h were worked before the signature; the early-start authorisation covers 10 h of them."
    )


def test_hours_on_the_tasks_of_a_change_are_uncovered_until_its_amendment_is_signed() -> None:
    life = Life().worked(8)
    plan = life.plan(2, "C-1")
    more = PlannedTask.model_validate(
        {**dict(plan.tasks[0]), "task": "extra", "change": "C-1", "hours": ()}
    )
    life.say(94, plan.model_copy(update={"tasks": (*plan.tasks, more)}))
    life.say(95, submitted("T-x", life.week(8), 12, task="extra"))
    found = of_rule(life, 95, "work-on-unsigned-change")
    assert found is not None
    assert found.finding == "work-on-unsigned-change.C-1"
    assert found.sentence == ("12 h are submitted on change C-1, whose amendment is not signed.")
    monday = (life.week(8) - life.begins).days
    later = of_rule(life.say(96, amended("C-1", life, monday + 2)), 96, "work-on-unsigned-change")
    assert later is not None
    assert later.owner == "delivery"
    assert later.sentence == "4.8 h are submitted on change C-1, whose amendment was signed later."
    life.say(97, amended("C-1", life, monday))
    assert of_rule(life, 97, "work-on-unsigned-change") is None


def test_billable_hours_of_a_role_without_a_contract_rate() -> None:
    life = Life().kicked_off()
    rates = (LineRate(role="engineer", rate=per_hour(100)),)
    for kind in (sales.DealWon, legal.SowDrafted, finance.BudgetSet):
        lines = (*life.lines(), SUPPORT.model_copy(update={"rates": rates}))
        life = altered(life, kind, lines=lines, price=eur(110_000))
    week, rule = life.week(2), "work-without-rate"
    # No line has the role "developr"; the baseline's task names a line at a fixed price.
    life.say(60, submitted("T-1", week, 8, role="engineer", task="unknown"))
    life.say(60, submitted("T-2", week, 8, person="max", role="developr"))
    assert of_rule(life, 60, rule) is None
    hours = submitted("T-3", week, 8, person="ann", role="developr", task="project-management")
    found = of_rule(life.say(60, hours), 60, rule)
    assert found is not None
    assert found.finding == "work-without-rate.developr"
    assert found.owner == "sales"

    work = approved("T-3", week, 8, person="ann", role="developr", task="project-management")
    assert of_rule(life.say(61, work), 61, rule) is not None
    assert of_rule(life.say(62, reversal(work, "Wrong role.", life.day(62))), 62, rule) is None


@pytest.mark.parametrize("how", ["withdrawn", "rejected", "approved as cost"])
def test_hours_beyond_a_persons_week_are_found_until_they_are_decided(how: str) -> None:
    life, rule = Life().kicked_off(), "hours-beyond-week"
    hours = submitted("T-1", life.week(2), 30)
    assert of_rule(life.say(60, hours), 60, rule) is None
    long = hours.model_copy(update={"beyond_weekly_hours": Decimal("2.5"), "revision": 2})
    found = of_rule(life.say(61, long), 61, rule)
    assert found is not None
    assert found.finding == f"hours-beyond-week.{life.week(2)}"
    assert found.sentence.endswith(
        ", 1 person has 2.5 h more, over all engagements, than they work in a week."
    )
    assert (found.owner, found.exposure, evidence(found)) == (
        "delivery",
        None,
        ["time-submitted"],
    )
    assert of_rule(life.say(62, ends(long, how)), 62, rule) is None


def test_a_reversal_takes_an_approval_out_of_every_figure() -> None:
    life = Life().worked(8)
    before = view_of(life.events).delivery
    work = approved("T-x", life.week(8), 30, line="build", kind="project-management")
    after = view_of(life.say(95, work).events).delivery
    assert after.approved_hours == before.approved_hours + 30
    life.say(96, reversal(work, "Another engagement.", life.day(96)))
    reversed_ = view_of(life.events).delivery
    for figure in ("approved_hours", "project_management_hours", "hours_by_line", "weeks"):
        assert getattr(reversed_, figure) == getattr(before, figure), figure


def test_an_expense_counts_while_it_is_approved_and_not_reversed() -> None:
    life = Life().kicked_off()
    spent = {
        "expense": "X-1",
        "person": "eve",
        "amount": eur(120),
        "description": "Train",
        "category": "travel",
        "spent_on": life.day(40),
    }
    correction = {"why": "Twice.", "reversed_on": life.day(43)}
    submission = delivery.ExpenseSubmitted.model_validate(spent)
    section = view_of(life.say(40, submission).events).delivery
    (waiting,) = section.waiting_expenses.items()
    assert (waiting[0], waiting[1].person, waiting[1].amount) == ("X-1", "eve", eur(120))
    assert section.billable_expenses == {}
    life.say(41, delivery.ExpenseApproved.model_validate(spent))
    section = view_of(life.events).delivery
    assert (section.waiting_expenses, section.billable_expenses) == (
        {},
        {"/2026-02-14/EUR": eur(120)},
    )
    life.say(43, delivery.ExpenseReversed.model_validate({**spent, **correction}))
    assert view_of(life.events).delivery.billable_expenses == {}

    for ended in (
        delivery.ExpenseRejected.model_validate({**spent, "why": "Private."}),
        delivery.ExpenseWithdrawn.model_validate(spent),
    ):
        gone = Life().kicked_off().say(40, submission).say(41, ended)
        section = view_of(gone.events).delivery
        assert (section.waiting_expenses, section.billable_expenses) == ({}, {})


def _expense(number: int, **fields: object) -> delivery.ExpenseApproved:
    spent = {
        "expense": f"X-{number}",
        "person": "eve",
        "amount": eur(120),
        "description": "Train",
        "category": "travel",
        "spent_on": date(2026, 2, 16),
        **fields,
    }
    return delivery.ExpenseApproved.model_validate(spent)


TRAVEL = SUPPORT.model_copy(
    update={"line": "travel", "kind": "expenses", "hours": (), "rates": (), "pricing": "at-cost"}
)
WITH_PURCHASES = (
    Life()
    .lines()[0]
    .model_copy(update={"purchases": (PlannedPurchase(kind="expenses", amount=eur(1_000)),)})
)


@pytest.mark.parametrize(
    ("lines", "line", "why"),
    [
        ((), None, "the price of the contract contains no expenses and bills none"),
        ((), "build", "the price of line build contains no expenses and bills none"),
        ((), "nowhere", "the contract has no line nowhere"),
        ((SUPPORT, TRAVEL), "build", "the price of line build contains no expenses and bills none"),
        (
            (SUPPORT, SUPPORT.model_copy(update={"line": "care"})),
            None,
            "they name no line, and none or several could bill them",
        ),
        ((SUPPORT, TRAVEL), None, None),
        ((SUPPORT,), None, None),
        ((SUPPORT,), "support", None),
        ((WITH_PURCHASES,), None, None),
        ((WITH_PURCHASES,), "build", None),
    ],
)
def test_a_billable_expense_that_no_line_bills_and_no_price_contains(
    lines: tuple[ContractLine, ...], line: str | None, why: str | None
) -> None:
    life = Life().kicked_off()
    known = {each.line: each for each in (*life.lines(), *lines)}
    life = altered(life, finance.BudgetSet, lines=tuple(known.values()))
    abroad = _expense(2, line=line, amount=Money(amount=Decimal(50), currency="USD"))
    own = _expense(3, line=line, billable=False)
    life.say(50, _expense(1, line=line), abroad, own)
    found = of_rule(life, 51, "expense-not-billed")
    if why is None:
        assert found is None
        return
    assert found is not None
    assert found.sentence == (
        f"Expenses of 120.00 EUR and 50.00 USD are approved as billable; {why}."
    )
    assert (found.owner, found.at_stake) == ("delivery", None)
    assert evidence(found) == ["expense-approved", "budget-set"]
    for each in (_expense(1, line=line), abroad):
        spent = {name: getattr(each, name) for name in delivery.Expense.model_fields}
        fields = {**spent, "why": "Paid by the price.", "reversed_on": life.day(52)}
        assert of_rule(life, 52, "expense-not-billed") is not None
        life.say(52, delivery.ExpenseReversed.model_validate(fields))
    assert of_rule(life, 53, "expense-not-billed") is None


def test_the_view_does_not_grow_with_the_number_of_entries() -> None:
    """Check that many people on the same days need no more of the view than one."""

    def size(people: int) -> int:
        life = Life().kicked_off()
        for number in range(people):
            name = f"p-{number}"
            hours = submitted(f"T-{name}", life.week(2), 40, person=name)
            work = approved(f"T-{name}", life.week(2), 40, person=name, line="build")
            life.say(60, hours, work)
        return len(dump(view_of(life.events)))

    assert size(100) - size(10) < 100


def test_a_second_submission_replaces_what_waits() -> None:
    life = Life().kicked_off().say(60, submitted("T-1", date(2026, 3, 2), 40))
    life.say(61, submitted("T-2", date(2026, 3, 2), 16, revision=2))
    section = view_of(life.events).delivery
    assert section.waiting_hours == 16
    (week,) = section.waiting.values()
    assert list(week.entries) == [each.entry for each in entries("T-2", date(2026, 3, 2), 16)]
