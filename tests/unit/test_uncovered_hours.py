"""Check that each reason why Delivery calls waiting hours uncovered is found by the gateway.

Both read the same events. What Delivery misses is computed by `delivery.coverage.uncovered`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from chassis.domain.decider import replay
from chassis.domain.stream import Stream
from contracts import delivery, finance, legal, sales
from contracts.event import Event, Recorded
from contracts.lines import ContractLine, LineScopeChange, PerformanceObligation
from contracts.values import PlannedTask
from delivery.coverage import with_missing
from delivery.service import ENGAGEMENT as DECIDER
from gateway.rules import Disconnect, judge
from tests.amounts import eur
from tests.builders import BRD_HASH, Life, line_change
from tests.unit.gateway.test_amended import amended
from tests.unit.gateway.test_contract_lines import SUPPORT, altered
from tests.unit.gateway.test_engagement_view import view_of
from tests.unit.gateway.test_taken_over import events as under_way
from tests.unit.gateway.test_taken_over import without
from tests.unit.test_interleaving import shown
from tests.weeks import rejected, submitted

EARLY = date(2026, 1, 19)
"""A Monday before the statement of work is signed, day 14."""
WEEK = date(2026, 3, 2)
"""A Monday on which the work is under way, day 56."""
SATURDAY = WEEK + timedelta(days=5)


def missing(events: Sequence[Recorded[Event]]) -> set[str]:
    """Return the codes of what Delivery misses for the hours that wait."""
    subject = next(each.subject for each in events)
    stream = Stream(DECIDER.stream(subject), DECIDER.initial(subject))
    for each in events:
        own = each.channel.department == DECIDER.department and each.channel.kind == "events"
        if own or DECIDER.subject_for(each) == subject:
            stream = replay(DECIDER, stream, [each], {}, {})
    return {
        lack.code
        for week in stream.state.time.waiting.values()
        for _, lacks in with_missing(stream.state, week.entries)
        for lack in lacks
    }


def found(life: Life) -> dict[str, Disconnect]:
    """Return what rules about work find after 100 days, by rule."""
    disconnects = judge(view_of(life.events), life.day(100)).values()
    return {each.rule: each for each in disconnects if each.rule.startswith("work-")}


@dataclass(frozen=True)
class Case:
    """Hours that miss something, by code, with the rule that finds them and what covers them."""

    name: str
    code: str
    rule: str
    life: Callable[[], Life]
    hours: delivery.TimeSubmitted
    departments: frozenset[str] = frozenset({"delivery"})
    """The departments whose events prove it."""
    covered_by: Callable[[Life], Life] | None = None


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


def _signed_change(life: Life) -> Life:
    return _requested(life).say(41, amended("C-1", life, 41, change=CHANGE))


def _released(life: Life) -> Life:
    assessed = delivery.ChangeAssessed(
        change="C-1", changes=(LineScopeChange(line="build"),), days=0, risk="None."
    )
    return life.say(
        62,
        assessed,
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
CARE = SUPPORT.model_copy(update={"line": "care", "title": "Care"})

CASES = [
    Case(
        "not signed",
        "sow-not-signed",
        "work-before-signature",
        Life().won,
        INITIATION,
    ),
    Case(
        "before the effective day",
        "date-before-contract",
        "work-before-signature",
        Life().signed,
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
        covered_by=None,
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
        Life().kicked_off,
        EXTRA,
        covered_by=lambda life: life.say(62, _planned(life, "extra")),
    ),
    Case(
        "no plan at all",
        "task-unknown",
        "work-outside-plan",
        Life().signed,
        BUILD,
        covered_by=lambda life: _requirements(life).say(62, life.plan(1)),
    ),
    Case(
        "a task that needs no plan, after the baseline",
        "task-unknown",
        "work-outside-plan",
        Life().kicked_off,
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
        Case(code, code, "work-on-unsigned-change", lambda: _requested(Life().kicked_off()), hours)
        for code, hours in [
            ("change-not-assessed", ON_CHANGE),
            ("change-not-priced", ON_CHANGE),
            ("change-not-approved", ON_CHANGE),
            ("amendment-not-signed", ON_CHANGE),
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


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_hours_that_delivery_calls_uncovered_are_a_disconnect_until_they_are_covered(
    case: Case,
) -> None:
    life = case.life()
    assert (missing(life.events), found(life)) == (set(), {})
    life.say(61, case.hours)
    assert case.code in missing(life.events)
    disconnect = found(life)[case.rule]
    assert disconnect.sentence.startswith("16 h ")
    assert disconnect.exposure is not None
    proof = {each.channel for each in disconnect.evidence}
    assert proof >= case.departments
    if case.covered_by is not None:
        life = case.covered_by(life)
    else:
        life.say(62, rejected(case.hours, "Not covered."))
    assert (missing(life.events), found(life)) == (set(), {})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_approved_as_cost_hours_are_neither_uncovered_nor_a_disconnect(case: Case) -> None:
    life = case.life().say(61, case.hours)
    as_cost = {"kind": "delivery", "billable": False}
    approved = delivery.TimeApproved(
        person=case.hours.person,
        week=case.hours.week,
        entries=tuple(
            delivery.ApprovedEntry.model_validate({**dict(each), **as_cost})
            for each in case.hours.entries
        ),
        why_not_billed="Paid by us.",
    )
    life.say(62, approved)
    assert (missing(life.events), found(life)) == (set(), {})


def test_every_reason_of_delivery_is_tested() -> None:
    """Check that no code of the gates of time is left out: the page is compared with the code."""
    gates = (Path(__file__).parents[2] / "docs" / "gates.md").read_text()
    functions = r"`delivery/(?:coverage|policies)\.py`"
    codes = set(re.findall(rf"^\| `([a-z-]+)` \|[^\n]*\| {functions} \|", gates, re.MULTILINE))
    in_take_over = {"engagement-not-imported", "time-taken-over"}
    assert codes - in_take_over == {case.code for case in CASES}


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
    known = [*_after(without(department), hours)]
    assert "engagement-not-imported" in missing(known)
    (one,) = (
        each
        for each in judge(shown(known), date(2025, 3, 20)).values()
        if each.finding.startswith("work-before-take-over.")
    )
    assert one.owner == department
    assert one.sentence == (
        f"16 h are submitted, and the engagement is not taken over by {department.capitalize()}."
    )


def test_hours_that_the_opening_balances_contain_are_a_disconnect() -> None:
    hours = submitted("T-1", date(2025, 1, 6), 16, person="erin", task="M-1")
    known = [*_after(under_way(), hours)]
    assert "time-taken-over" in missing(known)
    one = judge(shown(known), date(2025, 3, 20))["work-before-take-over.contained"]
    assert "which the totals that were taken over contain" in one.sentence
    gone = [*_after(under_way(), hours, rejected(hours, "In the balances."))]
    assert missing(gone) == set()
    assert "work-before-take-over.contained" not in judge(shown(gone), date(2025, 3, 20))
