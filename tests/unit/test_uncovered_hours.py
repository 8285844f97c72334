"""Check that each reason why Delivery calls waiting work uncovered is found by the gateway.

Both read the same events. What Delivery misses for hours and expenses is computed by
`delivery.coverage`. The department that owns a disconnect is the one that owes Delivery's work item
for the same reason.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from chassis.domain.decider import replay
from chassis.domain.stream import Stream
from contracts import delivery, finance, legal, sales
from contracts.event import Event, Recorded
from contracts.lines import ContractLine, LineScopeChange, PerformanceObligation
from contracts.money import Money
from contracts.values import PlannedTask
from delivery.coverage import uncovered_expense, with_missing
from delivery.engagement import Engagement
from delivery.expenses.work_items import CONDITIONS
from delivery.expenses.work_items import items as expense_items
from delivery.service import ENGAGEMENT as DECIDER
from delivery.time_entries.work_items import items as time_items
from gateway.rules import Disconnect, judge
from tests.amounts import eur
from tests.builders import BRD_HASH, Life, line_change
from tests.unit.gateway.test_amended import amended
from tests.unit.gateway.test_contract_lines import SUPPORT, altered
from tests.unit.gateway.test_engagement_view import view_of
from tests.unit.gateway.test_taken_over import events as under_way
from tests.unit.gateway.test_taken_over import without
from tests.unit.test_interleaving import shown
from tests.weeks import approved, rejected, submitted

EARLY = date(2026, 1, 19)
"""A Monday before the statement of work is signed, day 14."""
WEEK = date(2026, 3, 2)
"""A Monday on which the work is under way, day 56."""
SATURDAY = WEEK + timedelta(days=5)


def _state(events: Sequence[Recorded[Event]]) -> Engagement:
    """Return the state of Delivery."""
    subject = next(each.subject for each in events)
    stream = Stream(DECIDER.stream(subject), DECIDER.initial(subject))
    for each in events:
        own = each.channel.department == DECIDER.department and each.channel.kind == "events"
        if own or DECIDER.subject_for(each) == subject:
            stream = replay(DECIDER, stream, [each], {}, {})
    return stream.state


def missing(events: Sequence[Recorded[Event]]) -> set[str]:
    """Return the codes of what Delivery misses for the hours and expenses that wait."""
    state = _state(events)
    of_hours = (
        lack.code
        for week in state.time.waiting.values()
        for _, lacks in with_missing(state, week.entries)
        for lack in lacks
    )
    of_expenses = (
        lack.code
        for waiting in state.expenses.waiting.values()
        for lack in uncovered_expense(state, waiting.submitted)
    )
    return {*of_hours, *of_expenses}


def owners(events: Sequence[Recorded[Event]]) -> dict[str, str]:
    """Return the department that owes each work item about work that nothing covers, by code."""
    state = _state(events)
    return {
        item.kind.code: item.kind.department
        for item in (*time_items(state), *expense_items(state))
        if item.about in {"time", "expenses"}
    }


def found(life: Life) -> dict[str, Disconnect]:
    """Return what rules about work find after 100 days, by rule."""
    disconnects = judge(view_of(life.events), life.day(100)).values()
    return {each.rule: each for each in disconnects if each.rule.startswith("work-")}


@dataclass(frozen=True)
class Case:
    """Work that misses something, by code, with the rule that finds it and what covers it."""

    name: str
    code: str
    rule: str
    life: Callable[[], Life]
    work: delivery.TimeSubmitted | delivery.ExpenseSubmitted
    departments: frozenset[str] = frozenset({"delivery"})
    """The departments whose events prove it."""
    covered_by: Callable[[Life], Life] | None = None
    owned_by: str = ""
    """The reason of the owner, where the disconnect is about several; by default the code."""


def _early(life: Life, *starts: dict[str, object]) -> Life:
    for start in starts:
        event = {
            "reason": "Urgent.",
            "starts_on": life.day(5),
            "expires_on": life.day(40),
            **start,
        }
        life.say(5, legal.EarlyStartAuthorised.model_validate(event))
    return life


def _planned(life: Life, task: str, **fields: object) -> delivery.PlanBaselined:
    """Return the plan with one more task."""
    plan = life.plan(2)
    more = {**dict(plan.tasks[0]), "task": task, "hours": (), **fields}
    return plan.model_copy(update={"tasks": (*plan.tasks, PlannedTask.model_validate(more))})


def _drafted(life: Life) -> Life:
    """Return a signed engagement whose plan is a draft."""
    plan = life.plan(1).model_dump(exclude={"baselined_on", "changes"})
    return life.say(30, delivery.PlanDrafted.model_validate({**plan, "template": "web"}))


def _requirements(life: Life) -> Life:
    return life.say(
        30,
        delivery.BrdSignedOff(
            version=1, content_hash=BRD_HASH, signed_by="cora", signed_on=life.day(31)
        ),
    )


def _with_lines(life: Life, *lines: ContractLine) -> Life:
    """Return the engagement with more contract lines."""
    for kind in (sales.DealWon, legal.SowDrafted, finance.BudgetSet):
        life = altered(life, kind, lines=(*life.lines(), *lines))
    return life


def _requested(life: Life) -> Life:
    return life.say(
        40,
        delivery.ChangeRequested(
            change="C-1", requested_by="cora", description="More.", requested_on=life.day(40)
        ),
    )


CHANGE = line_change("build", 1_000)
ASSESSED = delivery.ChangeAssessed(
    change="C-1", changes=(LineScopeChange(line="build"),), days=0, risk="None."
)


def _signed_change(life: Life) -> Life:
    return _requested(life).say(41, amended("C-1", life, 41, change=CHANGE))


def _released(life: Life) -> Life:
    return life.say(
        62,
        ASSESSED,
        finance.ChangePriced(change="C-1", changes=(CHANGE,), price=eur(1_000)),
        delivery.ChangeApproved(change="C-1", approved_by="cora", approved_on=life.day(62)),
        life.plan(2, "C-1"),
        finance.BudgetAmended(
            amendment="A-C-1",
            change="C-1",
            price=eur(101_000),
            lines=(life.lines()[0].model_copy(update={"price": eur(81_000)}), life.lines()[1]),
            obligations=(
                PerformanceObligation(
                    obligation="fixed", lines=("build", "manage"), method="cost-to-cost"
                ),
            ),
            signed_on=life.day(41),
            unnamed_work_from=life.day(41),
            treatment="catch-up",
            why="Same scope.",
        ),
    )


DESIGN = submitted("T-1", EARLY, 16, task="initiation", role="designer")
INITIATION = submitted("T-1", EARLY, 16, task="initiation")
BUILD = submitted("T-1", WEEK, 16)
EXTRA = submitted("T-1", WEEK, 16, task="extra")
ON_CHANGE = submitted("T-1", WEEK, 16, task="C-1")
TRAVEL = SUPPORT.model_copy(
    update={"line": "travel", "kind": "expenses", "hours": (), "rates": (), "pricing": "at-cost"}
)
CARE = SUPPORT.model_copy(update={"line": "care", "title": "Care"})

CASES = [
    Case(
        "not signed",
        "sow-not-signed",
        "work-before-signature",
        lambda: Life().won(),
        INITIATION,
    ),
    Case(
        "before the effective day",
        "date-before-contract",
        "work-before-signature",
        lambda: Life().signed(),
        INITIATION,
        frozenset({"delivery", "legal"}),
    ),
    Case(
        "of a deal that is lost",
        "sow-not-signed",
        "work-before-signature",
        lambda: (
            Life()
            .proposed()
            .say(13, sales.DealLost(reason="price", lost_on=EARLY - timedelta(days=1)))
        ),
        INITIATION,
        owned_by="engagement-over",
    ),
    Case(
        "early start expired",
        "early-start-expired",
        "work-before-signature",
        lambda: _early(Life().won(), {"cap_hours": 99, "expires_on": EARLY - timedelta(days=1)}),
        INITIATION,
        frozenset({"delivery", "legal"}),
        lambda life: _early(life, {"cap_hours": 16}),
    ),
    Case(
        "early start that begins later",
        "date-before-early-start",
        "work-before-signature",
        lambda: _early(Life().won(), {"cap_hours": 99, "starts_on": EARLY + timedelta(days=1)}),
        INITIATION,
        frozenset({"delivery", "legal"}),
        lambda life: _early(life, {"cap_hours": 4, "starts_on": EARLY}),
    ),
    Case(
        "cap spent before another early start",
        "early-start-cap-spent",
        "work-before-signature",
        lambda: _early(
            Life().won(),
            {"cap_hours": 10},
            {"cap_hours": 99, "starts_on": EARLY + timedelta(days=5)},
        ),
        INITIATION,
        frozenset({"delivery", "legal"}),
        lambda life: _early(life, {"cap_hours": 6}),
    ),
    Case(
        "cap in hours spent",
        "early-start-cap-spent",
        "work-before-signature",
        lambda: _early(Life().won(), {"cap_hours": 10}),
        INITIATION,
        frozenset({"delivery", "legal"}),
        lambda life: _early(life, {"cap_hours": 6}),
    ),
    Case(
        "cap in money spent",
        "early-start-cap-spent",
        "work-before-signature",
        lambda: _early(Life().won(), {"cap_amount": eur(1_599)}),
        INITIATION,
        frozenset({"delivery", "legal"}),
        lambda life: _early(life, {"cap_amount": eur(1)}),
    ),
    Case(
        "cap of an early start that has ended",
        "early-start-cap-spent",
        "work-before-signature",
        lambda: _early(
            Life().won(),
            {"cap_hours": 99, "expires_on": EARLY - timedelta(days=1)},
            {"cap_hours": 10},
        ),
        INITIATION,
        frozenset({"delivery", "legal"}),
        lambda life: _early(life, {"cap_hours": 6}),
    ),
    Case(
        "cap in money and no rate",
        "rates-missing",
        "work-before-signature",
        lambda: _early(Life().won(), {"cap_amount": eur(9_999)}),
        DESIGN,
        frozenset({"delivery", "legal"}),
    ),
    Case(
        "after the end",
        "engagement-over",
        "work-after-end",
        lambda: (
            Life()
            .kicked_off()
            .say(
                55,
                legal.EngagementTerminated(reason="mutual", terminated_on=WEEK - timedelta(days=1)),
            )
        ),
        BUILD,
        frozenset({"delivery", "legal"}),
    ),
    Case(
        "on hold",
        "engagement-on-hold",
        "work-on-hold",
        lambda: (
            Life()
            .kicked_off()
            .say(
                55,
                delivery.EngagementPutOnHold(reason="No data.", held_on=WEEK - timedelta(days=1)),
            )
        ),
        BUILD,
        covered_by=lambda life: life.say(62, delivery.EngagementResumed(resumed_on=WEEK)),
    ),
    Case(
        "of a hold that has ended",
        "engagement-on-hold",
        "work-on-hold",
        lambda: (
            Life()
            .kicked_off()
            .say(
                55,
                delivery.EngagementPutOnHold(reason="No data.", held_on=WEEK - timedelta(days=1)),
                delivery.EngagementResumed(resumed_on=SATURDAY),
            )
        ),
        BUILD,
    ),
    Case(
        "task unknown",
        "task-unknown",
        "work-outside-plan",
        lambda: Life().kicked_off(),
        EXTRA,
        covered_by=lambda life: life.say(62, _planned(life, "extra")),
    ),
    Case(
        "no plan at all",
        "task-unknown",
        "work-outside-plan",
        lambda: Life().signed(),
        BUILD,
        covered_by=lambda life: _requirements(life).say(62, life.plan(1)),
    ),
    Case(
        "a task that needs no plan, after the baseline",
        "task-unknown",
        "work-outside-plan",
        lambda: Life().kicked_off(),
        submitted("T-1", WEEK, 16, task="initiation"),
        covered_by=lambda life: life.say(62, _planned(life, "initiation")),
    ),
    Case(
        "requirements not signed off",
        "brd-not-signed-off",
        "work-before-release",
        lambda: Life().kicked_off().without(delivery.BrdSignedOff),
        BUILD,
        covered_by=_requirements,
    ),
    Case(
        "requirements signed off after the work",
        "date-before-sign-off",
        "work-before-release",
        lambda: altered(Life().kicked_off(), delivery.BrdSignedOff, signed_on=SATURDAY),
        BUILD,
        covered_by=_requirements,
    ),
    Case(
        "plan drafted",
        "plan-not-baselined",
        "work-before-release",
        lambda: _requirements(_drafted(Life().signed())),
        BUILD,
        covered_by=lambda life: life.say(62, life.plan(1)),
    ),
    Case(
        "plan baselined after the work",
        "date-before-baseline",
        "work-before-release",
        lambda: altered(Life().kicked_off(), delivery.PlanBaselined, baselined_on=SATURDAY),
        BUILD,
    ),
    *(
        Case(
            code,
            code,
            "work-on-unsigned-change",
            lambda: _requested(Life().kicked_off()),
            ON_CHANGE,
            owned_by="change-not-assessed",
        )
        for code in [
            "change-not-assessed",
            "change-not-priced",
            "change-not-approved",
            "amendment-not-signed",
        ]
    ),
    Case(
        "amendment not signed, of a task",
        "amendment-not-signed",
        "work-on-unsigned-change",
        lambda: _requested(Life().kicked_off()).say(
            41, _planned(Life(), "extra", change="C-1").model_copy(update={"changes": ("C-1",)})
        ),
        EXTRA,
        owned_by="change-not-assessed",
    ),
    Case(
        "amendment signed after the work",
        "date-before-amendment",
        "work-on-unsigned-change",
        lambda: _requested(Life().kicked_off()).say(41, amended("C-1", Life(), 100, change=CHANGE)),
        ON_CHANGE,
        frozenset({"delivery", "legal"}),
    ),
    Case(
        "change rejected",
        "change-rejected",
        "work-on-unsigned-change",
        lambda: _requested(Life().kicked_off()).say(
            41,
            delivery.ChangeRejected(
                change="C-1",
                why="Dear.",
                rejected_on=Life().day(41),
            ),
        ),
        ON_CHANGE,
    ),
    *(
        Case(
            f"{code} after the signature",
            code,
            "work-on-unreleased-change",
            lambda: _signed_change(Life().kicked_off()),
            ON_CHANGE,
            frozenset({"delivery", "legal", "finance"}),
            _released,
            owned_by="change-not-assessed",
        )
        for code in [
            "change-not-assessed",
            "change-not-priced",
            "change-not-approved",
            "plan-not-rebaselined",
            "budget-not-amended",
        ]
    ),
    Case(
        "line unknown",
        "line-unknown",
        "work-without-line",
        lambda: Life().kicked_off().say(41, _planned(Life(), "extra", line="nowhere")),
        EXTRA,
        frozenset({"delivery", "legal"}),
        lambda life: life.say(62, _planned(life, "extra")),
    ),
    Case(
        "role without a rate",
        "rates-missing",
        "work-without-rate",
        lambda: _with_lines(
            Life().kicked_off().say(41, _planned(Life(), "extra", line="support")), SUPPORT
        ),
        submitted("T-1", WEEK, 16, task="extra", role="designer"),
        frozenset({"delivery", "legal"}),
    ),
    Case(
        "several lines could pay",
        "line-not-named",
        "work-without-line",
        lambda: _with_lines(
            Life().kicked_off().say(41, _planned(Life(), "extra", line=None)), SUPPORT, CARE
        ),
        EXTRA,
        frozenset({"delivery", "legal"}),
        lambda life: life.say(62, _planned(life, "extra", line="care")),
    ),
]


def _spent(day: date, line: str | None = None) -> delivery.ExpenseSubmitted:
    return delivery.ExpenseSubmitted(
        expense="X-1",
        person="eve",
        amount=eur(120),
        description="Train.",
        category="travel",
        spent_on=day,
        line=line,
    )


def _worked(life: Life, hours: int, role: str = "engineer") -> Life:
    life.say(6, submitted("T-0", EARLY, hours, task="initiation", role=role))
    return life.say(6, approved("T-0", EARLY, hours, task="initiation", role=role))


EARLY_TRAIN = _spent(EARLY)
TRAIN = _spent(WEEK)

EXPENSES = [
    Case(
        "not signed", "sow-not-signed", "work-before-signature", lambda: Life().won(), EARLY_TRAIN
    ),
    Case(
        "before the effective day",
        "date-before-contract",
        "work-before-signature",
        lambda: Life().signed(),
        EARLY_TRAIN,
        frozenset({"delivery", "legal"}),
    ),
    Case(
        "early start expired",
        "early-start-expired",
        "work-before-signature",
        lambda: _early(Life().won(), {"cap_hours": 99, "expires_on": EARLY - timedelta(days=1)}),
        EARLY_TRAIN,
        frozenset({"delivery", "legal"}),
        lambda life: _early(life, {"cap_hours": 16}),
    ),
    Case(
        "early start that begins later",
        "date-before-early-start",
        "work-before-signature",
        lambda: _early(Life().won(), {"cap_hours": 99, "starts_on": EARLY + timedelta(days=1)}),
        EARLY_TRAIN,
        frozenset({"delivery", "legal"}),
        lambda life: _early(life, {"cap_hours": 4, "starts_on": EARLY}),
    ),
    Case(
        "cap in hours spent",
        "early-start-cap-spent",
        "work-before-signature",
        lambda: _worked(_early(Life().won(), {"cap_hours": 10}), 10),
        EARLY_TRAIN,
        frozenset({"delivery", "legal"}),
        lambda life: _early(life, {"cap_hours": 6}),
    ),
    Case(
        "cap in money spent",
        "early-start-cap-spent",
        "work-before-signature",
        lambda: _worked(_early(Life().won(), {"cap_amount": eur(1_000)}), 10),
        EARLY_TRAIN,
        frozenset({"delivery", "legal"}),
        lambda life: _early(life, {"cap_amount": eur(1)}),
    ),
    Case(
        "after the end",
        "engagement-over",
        "work-after-end",
        lambda: (
            Life()
            .kicked_off()
            .say(
                55,
                legal.EngagementTerminated(reason="mutual", terminated_on=WEEK - timedelta(days=1)),
            )
        ),
        TRAIN,
        frozenset({"delivery", "legal"}),
    ),
    Case(
        "on hold",
        "engagement-on-hold",
        "work-on-hold",
        lambda: (
            Life()
            .kicked_off()
            .say(
                55,
                delivery.EngagementPutOnHold(reason="No data.", held_on=WEEK - timedelta(days=1)),
            )
        ),
        TRAIN,
    ),
    Case(
        "on hold, and resumed",
        "engagement-on-hold",
        "work-on-hold",
        lambda: (
            Life()
            .kicked_off()
            .say(
                55,
                delivery.EngagementPutOnHold(reason="No data.", held_on=WEEK - timedelta(days=1)),
                delivery.EngagementResumed(resumed_on=WEEK + timedelta(days=1)),
            )
        ),
        TRAIN,
    ),
    Case(
        "line unknown",
        "line-unknown",
        "work-without-line",
        lambda: Life().kicked_off(),
        _spent(WEEK, "nowhere"),
        frozenset({"delivery", "legal"}),
    ),
    Case(
        "line of an amendment that was signed later",
        "date-before-amendment",
        "work-without-line",
        lambda: _released(
            _requested(Life().kicked_off()).say(
                41,
                amended(
                    "C-1",
                    Life(),
                    41,
                    change=line_change("travel", 1_000).model_copy(update={"new": TRAVEL}),
                ),
            )
        ),
        _spent(date(2026, 2, 9), "travel"),
        frozenset({"delivery", "legal"}),
    ),
]
CASES += EXPENSES


def _ended(work: delivery.TimeSubmitted | delivery.ExpenseSubmitted) -> Event:
    if isinstance(work, delivery.TimeSubmitted):
        return rejected(work, "Not covered.")
    return delivery.ExpenseRejected(**dict(work), why="Not covered.")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{type(case.work).type}: {case.name}")
def test_work_that_delivery_calls_uncovered_is_a_disconnect_until_it_is_covered(
    case: Case,
) -> None:
    life = case.life()
    assert (missing(life.events), found(life)) == (set(), {})
    life.say(61, case.work)
    assert case.code in missing(life.events)
    disconnect = found(life)[case.rule]
    if isinstance(case.work, delivery.ExpenseSubmitted):
        assert disconnect.sentence.startswith("Expenses of 120.00 EUR ")
        assert disconnect.at_stake == case.work.amount
        assert "eve" not in disconnect.sentence + disconnect.finding
    else:
        assert disconnect.sentence.startswith("16 h ")
    assert disconnect.exposure is not None
    assert disconnect.owner == owners(life.events)[case.owned_by or case.code]
    proof = {each.channel for each in disconnect.evidence}
    assert proof >= case.departments
    if case.covered_by is not None:
        life = case.covered_by(life)
    else:
        life.say(62, _ended(case.work))
    assert (missing(life.events), found(life)) == (set(), {})


TERMINATED = legal.EngagementTerminated(reason="mutual", terminated_on=SATURDAY)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{type(case.work).type}: {case.name}")
def test_after_the_end_delivery_owns_each_disconnect_about_work_as_its_item(case: Case) -> None:
    life = case.life().say(61, case.work).say(63, TERMINATED)
    assert {*owners(life.events).values()} <= {"delivery"}
    assert {each.owner for each in found(life).values()} <= {*owners(life.events).values()}


def test_work_on_a_change_is_owned_by_who_takes_its_next_step() -> None:
    life = _requested(Life().kicked_off()).say(61, ON_CHANGE)
    steps = (
        ("delivery", ASSESSED),
        ("finance", finance.ChangePriced(change="C-1", changes=(CHANGE,), price=eur(1_000))),
        (
            "delivery",
            delivery.ChangeApproved(change="C-1", approved_by="cora", approved_on=life.day(62)),
        ),
        ("legal", amended("C-1", life, 41, change=CHANGE)),
    )
    for owner, step in steps:
        assert found(life)["work-on-unsigned-change"].owner == owner
        assert {*owners(life.events).values()} == {owner}
        life.say(62, step)


def test_work_on_a_rejected_change_is_said_to_be_on_one() -> None:
    why = delivery.ChangeRejected(change="C-1", why="Dear.", rejected_on=Life().day(41))
    life = _requested(Life().kicked_off()).say(41, why).say(61, ON_CHANGE)
    sentence = found(life)["work-on-unsigned-change"].sentence
    assert sentence == "16 h are submitted on change C-1, which was rejected."


def test_in_tier_light_the_statement_of_work_is_named_instead_of_the_requirements() -> None:
    light = delivery.TierChosen(tier="light", proposed="light", reason="Small.")
    signed = altered(Life().kicked_off(), legal.SowSigned, signed_on=SATURDAY)
    for begun, late in (
        (signed, {}),
        (
            altered(signed, legal.SowDrafted, effective_on=SATURDAY),
            {
                "work-before-release": "16 h of implementation, from 2 March 2026 on, are submitted"
                " for days before the statement of work is signed."
            },
        ),
    ):
        life = begun.without(delivery.BrdSignedOff).say(56, light).say(61, BUILD)
        rules = {name: each.sentence for name, each in found(life).items()}
        rules.pop("work-before-signature", None)
        assert rules == late
        assert ("date-before-sign-off" in missing(life.events)) == bool(late)


def _as_cost(work: delivery.TimeSubmitted | delivery.ExpenseSubmitted) -> Event:
    why = {"why_not_billed": "Paid by us."}
    if isinstance(work, delivery.ExpenseSubmitted):
        return delivery.ExpenseApproved.model_validate({**dict(work), "billable": False, **why})
    entries = [{**dict(each), "kind": "delivery", "billable": False} for each in work.entries]
    return delivery.TimeApproved.model_validate(
        {"person": work.person, "week": work.week, "entries": entries, **why}
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{type(case.work).type}: {case.name}")
def test_work_approved_as_cost_is_neither_uncovered_nor_a_disconnect(case: Case) -> None:
    life = case.life().say(61, case.work).say(62, _as_cost(case.work))
    assert (missing(life.events), found(life)) == (set(), {})


def test_every_reason_of_delivery_is_tested() -> None:
    """Check that no code of the gates of time is left out: the page is compared with the code."""
    gates = (Path(__file__).parents[2] / "docs" / "gates.md").read_text()
    functions = r"`delivery/(?:coverage|policies)\.py`"
    codes = set(re.findall(rf"^\| `([a-z-]+)` \|[^\n]*\| {functions} \|", gates, re.MULTILINE))
    in_take_over = {"engagement-not-imported", "time-taken-over"}
    assert codes - in_take_over == {case.code for case in CASES}
    of_expenses = {code for code, _ in CONDITIONS}
    by_rates = {"rates-missing"}
    assert of_expenses - in_take_over - by_rates == {case.code for case in EXPENSES}


def test_expenses_under_a_cap_in_money_need_the_rates_of_approved_hours() -> None:
    life = _worked(_early(Life().won(), {"cap_hours": 99}), 10, "designer")
    life.say(61, EARLY_TRAIN)
    _early(life, {"cap_amount": eur(9_999)})
    assert (missing(life.events), found(life)) == (set(), {})
    life = _worked(_early(Life().won(), {"cap_amount": eur(9_999)}), 10, "designer")
    life.say(61, EARLY_TRAIN)
    assert missing(life.events) == {"rates-missing"}
    one = judge(view_of(life.events), life.day(100))["work-before-signature.expenses.EUR"]
    assert one.at_stake == eur(120)
    assert one.owner == owners(life.events)["rates-missing"] == "delivery"


def test_work_that_is_uncovered_for_another_reason_uses_up_no_early_start() -> None:
    life = _early(Life().won(), {"cap_hours": 10})
    life.say(61, submitted("T-1", EARLY, 6, task="nowhere"))
    life.say(61, submitted("T-2", EARLY, 8, task="initiation", person="eva"))
    assert missing(life.events) == {"task-unknown"}
    assert found(life).keys() == {"work-outside-plan"}
    life.say(61, submitted("T-2", EARLY, 12, task="initiation", person="eva"))
    assert missing(life.events) == {"task-unknown", "early-start-cap-spent"}
    # 2 of the 12 h, and 0.8 h of Friday on the unknown task, for which nothing is left by then.
    assert found(life)["work-before-signature"].at_stake == eur(280)


def test_a_further_early_start_takes_no_coverage_away() -> None:
    week_after = EARLY + timedelta(weeks=1)
    life = _worked(_early(Life().won(), {"cap_hours": 40}), 8)
    life.say(61, submitted("T-1", week_after, 2, task="initiation"), EARLY_TRAIN)
    assert (missing(life.events), found(life)) == (set(), {})
    _early(life, {"cap_amount": eur(300), "starts_on": week_after})
    assert (missing(life.events), found(life)) == (set(), {})


def test_expenses_in_several_currencies_are_a_disconnect_each() -> None:
    dollars = Money(amount=Decimal(50), currency="USD")
    other = EARLY_TRAIN.model_copy(update={"expense": "X-2", "amount": dollars})
    life = Life().won().say(61, EARLY_TRAIN, other)
    life.say(61, EARLY_TRAIN.model_copy(update={"expense": "X-3", "billable": False}))
    disconnects = judge(view_of(life.events), life.day(100))
    why = "are submitted for days before the signature, and no early-start authorisation covers"
    assert {
        name: (each.sentence, each.at_stake)
        for name, each in disconnects.items()
        if name.startswith("work-")
    } == {
        f"work-before-signature.expenses.{amount.currency}": (
            f"Expenses of {amount} {why} them.",
            amount,
        )
        for amount in (eur(120), dollars)
    }


def test_a_work_item_names_three_roles_without_a_rate_and_counts_the_others() -> None:
    planned = _planned(Life(), "extra", line="support")
    life = _with_lines(Life().kicked_off().say(41, planned), SUPPORT)
    roles = ("analyst", "architect", "designer", "tester", "writer")
    for role in roles:
        life.say(61, submitted(role, WEEK, 1, person=role, task="extra", role=role))
        (item,) = time_items(_state(life.events))
        named = [each for each in roles if f"role {each}" in item.sentence]
        assert named == [*roles[: roles.index(role) + 1]][:3]
    assert item.sentence.endswith("; and 2 more reasons")


def _after(recorded: Iterable[Recorded[Event]], *events: Event) -> Iterator[Recorded[Event]]:
    """Yield recorded events, and then events of Delivery."""
    known = tuple(recorded)
    yield from known
    last = max((each.sequence for each in known if each.channel.name == "delivery"), default=0)
    for number, event in enumerate(events, last + 1):
        yield replace(
            known[-1],
            id=f"more-{number}",
            sequence=number,
            event=event,
            heard={},
            record=None,
        )


@pytest.mark.parametrize("department", ["legal", "delivery", "finance"])
def test_hours_before_every_department_took_over_are_a_disconnect(department: str) -> None:
    hours = submitted("T-1", date(2025, 3, 10), 16, person="erin", task="M-1")
    known = [*_after(without(department), hours, _spent(date(2025, 3, 10)))]
    assert "engagement-not-imported" in missing(known)
    disconnects = {
        each.sentence: each
        for each in judge(shown(known), date(2025, 3, 20)).values()
        if each.finding.startswith("work-before-take-over.")
    }
    why = f"are submitted, and the engagement is not taken over by {department.capitalize()}."
    assert disconnects.keys() == {f"16 h {why}", f"Expenses of 120.00 EUR {why}"}
    owned_by = owners(known)["engagement-not-imported"]
    assert {each.owner for each in disconnects.values()} == {department} == {owned_by}


def test_hours_that_the_opening_balances_contain_are_a_disconnect() -> None:
    hours = submitted("T-1", date(2025, 1, 6), 16, person="erin", task="M-1")
    train = _spent(date(2025, 1, 6))
    known = [*_after(under_way(), hours, train)]
    assert "time-taken-over" in missing(known)
    rule = "work-before-take-over.contained"
    disconnects = judge(shown(known), date(2025, 3, 20))
    for one in (disconnects[rule], disconnects[f"{rule}.expenses.EUR"]):
        assert "which the totals that were taken over contain" in one.sentence
        assert one.owner == owners(known)["time-taken-over"]
    gone = [*_after(under_way(), hours, train, _ended(hours), _ended(train))]
    assert missing(gone) == set()
    assert not any(name.startswith(rule) for name in judge(shown(gone), date(2025, 3, 20)))
