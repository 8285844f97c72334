"""Test that Delivery goes on with an engagement that was taken over while it was under way."""

from datetime import date
from typing import Any

import pytest

from contracts import legal
from contracts.delivery import (
    EngagementClosed,
    PirHeld,
    PlanBaselined,
    SolutionWentLive,
    TimeApproved,
)
from contracts.event import Event
from contracts.finance import EngagementImported as BalancesImported
from contracts.lines import ContractLine, LineRate
from contracts.values import RoleHours
from delivery.acceptance.decisions import AcceptDeliverable, SubmitDeliverable
from delivery.closing.decisions import CloseEngagement, GoLive
from delivery.engagement import Engagement
from delivery.importing.decisions import ImportEngagement
from delivery.kickoff.decisions import HoldKickoff
from delivery.service import ENGAGEMENT
from delivery.time_entries.decisions import ApproveTime
from testkit.scenario import Scenario, given, like
from tests.amounts import eur, hours, per_hour
from tests.unit.delivery.builders import (
    AMENDMENT_SIGNED,
    BASELINED,
    CHANGE_REQUESTED,
    HASH,
    ID,
    PEOPLE,
    SETTLED,
    SURVEY_SENT,
    TEMPLATE,
    TODAY,
    WEEK,
    entry,
    with_time,
)
from tests.unit.delivery.test_closing import PIR
from tests.unit.delivery.test_importing import BODY
from tests.unit.imported import IMPORTED

IMPORT = ImportEngagement.model_validate(BODY)
"""As of 31 March, with 160.5 hours; the design is accepted, the portal is not."""
APPROVE = ApproveTime(person="dev", week=WEEK)
WORK = ContractLine(
    line="work",
    title="Build",
    pricing="time-and-materials",
    price=eur(90_000),
    hours=(RoleHours(role="architect", hours=hours(600)),),
    rates=(
        LineRate(role="architect", rate=per_hour(100)),
        LineRate(role="architect", rate=per_hour(110), from_day=date(2026, 7, 1)),
    ),
    deliverables=("design", "portal"),
)
CONTRACT = legal.EngagementImported.model_validate(
    {
        "source": "crm",
        "external_id": "A1",
        "company": "our",
        "customer": "acme",
        "lines": [WORK],
        "price": eur(90_000),
        "signed_on": date(2025, 12, 15),
        "effective_on": date(2026, 1, 5),
        "starts_on": date(2026, 1, 5),
        "finishes_on": date(2026, 7, 31),
        "payment_terms_days": 30,
        "content_hash": HASH,
    }
)
BALANCES = BalancesImported.model_validate(
    {
        "source": "crm",
        "external_id": "A1",
        "as_of": "2026-03-31",
        "lines": [
            {
                "line": "work",
                "price": eur(90_000),
                "billed": eur(12_000),
                "paid": eur(12_000),
                "method": "as-invoiced",
                "recognised": eur(16_050),
            }
        ],
        "price": eur(90_000),
        "billed": eur(12_000),
        "paid": eur(12_000),
    }
)


def sold(*events: Event) -> Scenario[Engagement]:
    published = given(ENGAGEMENT, ID, records=[*PEOPLE, TEMPLATE]).uploaded(HASH)
    return published.consumed(IMPORTED, *events).on(TODAY)


def taken_over(*events: Event) -> Scenario[Engagement]:
    """Return an engagement that all departments took over as of 31 March."""
    return sold(CONTRACT, BALANCES, *events).after(IMPORT)


def missing(scenario: Scenario[Engagement], **fields: Any) -> set[tuple[str, str | None]]:
    """Return what is missing for an entry of eight hours on 6 April, and who owes it."""
    work = with_time(scenario, entry(1, line=None, **fields))
    (week,) = work.view["time"].waiting
    return {(each.code, each.owed_by) for one in week.entries for each in one.missing}


def test_time_is_approved_by_the_contract_that_was_taken_over() -> None:
    work = with_time(taken_over(), entry(1, line=None, task="build"))
    assert missing(taken_over(), task="build") == set()
    work.when(APPROVE).then(like(TimeApproved))
    view = taken_over().view["contract"]
    assert (view.price, view.signed_on, view.lines) == (
        eur(90_000),
        CONTRACT.signed_on,
        CONTRACT.scheduled_lines,
    )


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"day": date(2026, 3, 31)}, "time-taken-over"),
        ({"day": date(2026, 1, 2)}, "time-taken-over"),
        ({"role": "developer"}, "rates-missing"),
    ],
)
def test_hours_of_before_and_without_a_rate_are_not_covered(
    fields: dict[str, Any], code: str
) -> None:
    assert code in {each for each, _ in missing(taken_over(), **fields)}


def test_the_later_day_of_delivery_and_finance_ends_the_balances() -> None:
    later = BALANCES.model_copy(update={"as_of": WEEK})
    assert missing(taken_over(later)) == {("time-taken-over", "delivery")}
    assert missing(taken_over(later), day=TODAY) == set()


def test_work_before_the_effective_day_is_not_covered() -> None:
    late = CONTRACT.model_copy(update={"effective_on": date(2026, 4, 7)})
    assert missing(taken_over(late)) == {("date-before-contract", "delivery")}


def test_time_waits_until_all_departments_took_over() -> None:
    waits = "engagement-not-imported"
    assert missing(sold(BALANCES).after(IMPORT)) == {(waits, "legal")}
    assert missing(sold(CONTRACT, BALANCES)) == {(waits, "delivery"), ("task-unknown", "delivery")}
    assert missing(sold(CONTRACT).after(IMPORT)) == {(waits, "finance")}


def test_tasks_are_not_judged_until_a_plan_is_baselined_here() -> None:
    assert missing(taken_over(), task="old-task") == set()
    planned = taken_over().published(_plan(TODAY))
    assert missing(planned, task="old-task") == set()  # before the day of the baseline
    assert missing(planned, task="old-task", day=TODAY) == {("task-unknown", "delivery")}
    changed = taken_over().published(CHANGE_REQUESTED)
    codes = {code for code, _ in missing(changed, task="CR-1")}
    assert {"change-not-approved", "amendment-not-signed"} <= codes


def _plan(on: date) -> PlanBaselined:
    return BASELINED.model_copy(update={"baselined_on": on})


def test_gates_of_the_past_are_not_judged() -> None:
    gates = taken_over().view["gates"]
    assert (gates.work, gates.implementation) == ((), ())
    taken_over().when(HoldKickoff(attendees=("dev",))).then_accepted()
    taken_over().when(GoLive()).then(SolutionWentLive(live_on=TODAY))
    sold(CONTRACT).when(GoLive()).then_refused("work-not-begun")


def test_what_was_accepted_before_is_not_submitted_again() -> None:
    shown = {each.deliverable: each.status for each in taken_over().view["deliverables"]}
    assert shown == {"design": "accepted", "portal": "owed"}
    again = SubmitDeliverable(deliverable="design", content_hash=HASH)
    taken_over().when(again).then_refused("deliverable-accepted")
    correction = IMPORT.model_copy(
        update={
            "why": "The design was not accepted.",
            "deliverables": tuple(
                each.model_copy(update={"accepted_on": None}) for each in IMPORT.deliverables
            ),
        }
    )
    taken_over().after(correction).when(again).then_accepted()


def test_an_engagement_that_was_taken_over_is_closed() -> None:
    work = with_time(taken_over(), entry(1, line=None)).after(APPROVE)
    portal = SubmitDeliverable(deliverable="portal", content_hash=HASH)
    done = work.after(portal).after(
        AcceptDeliverable(deliverable="portal", submission=1, accepted_by="cleo")
    )
    reviewed = done.after(GoLive()).when(PIR)
    reviewed.then(like(PirHeld, sold_hours=hours(600), delivered_hours=hours("168.5")))
    ready = reviewed.after.published(SURVEY_SENT)
    ready.when(CloseEngagement()).then_refused(
        "engagement-not-closable", missing={"account-not-settled"}
    )
    settled = ready.consumed(SETTLED)
    settled.when(CloseEngagement()).then(
        like(EngagementClosed, sold_hours=hours(600), delivered_hours=hours("168.5"))
    )


def test_amendments_change_the_contract_that_was_taken_over() -> None:
    line = AMENDMENT_SIGNED.changes[0].model_copy(update={"line": "work"})
    signed = AMENDMENT_SIGNED.model_copy(update={"changes": (line,)})
    amended = taken_over(signed)
    assert amended.view["contract"].price == eur(90_000) + line.price_delta
