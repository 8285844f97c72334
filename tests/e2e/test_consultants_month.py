"""Test a consultant's month over HTTP: what is recorded, who sees it, and how it is put right.

The engagement `running` has a fixed price and `metered` is paid by the hour; the work of both has
begun. Each test is about the weeks of one person, and asserts what every party sees of them.
"""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from local.demo.actors import Actors
from local.demo.driver import PlatformAccess
from local.demo.reference_data import BILL_RATES, COST_RATES, PERSON_COST_RATES, TEMPLATE
from local.demo.timesheets import sheet_id
from tests.e2e.conftest import ApiClient
from tests.e2e.desks import (
    SOON,
    Desks,
    View,
    decide,
    on,
    save,
    sheet,
    submit,
    task_of,
    worked,
)
from tests.e2e.scenarios import LAST_DAY, Engagements, monday
from tests.e2e.test_gateway import act_now
from tests.infrastructure import wait_until

FIRST, SECOND, THIRD, FOURTH = (monday(days) for days in (28, 21, 14, 7))
"""The Mondays of the month."""
BEFORE_THE_CONTRACT = monday(70)
PIXEL = b"\x89PNG\r\n\x1a\n receipt of a night in Lisbon"


@pytest.fixture
def desks(api: ApiClient, request: pytest.FixtureRequest) -> Desks:
    return Desks(api, request.node.name[:60])


@pytest.fixture
def running(engagements: Engagements) -> str:
    return engagements.running.engagement


@pytest.fixture
def metered(engagements: Engagements) -> str:
    return engagements.metered.engagement


# ---- what they see -----------------------------------------------------------------------------


def line_of(desks: Desks, person: str, week: date, name: str, by: str | None = None) -> View:
    """Return the line of an engagement or internal code in a person's sheet."""
    seen = desks.api.get("delivery", sheet(person, week), by=by or person)
    return next(each for each in seen["lines"] if name in {each["engagement"], each["code"]})


def statuses(line: View) -> list[str]:
    return [each["status"] for each in line["entries"]]


def ids(line: View) -> list[str]:
    return [each["entry"] for each in line["entries"]]


def uncovered(desks: Desks, person: str, week: date) -> dict[str, set[str]]:
    """Return what is missing by entry, as the person sees it in the sheet."""
    seen = desks.api.get("delivery", sheet(person, week), by=person)["uncovered"]
    return {each["entry"]: {one["code"] for one in each["missing"]} for each in seen}


def listed(desks: Desks, by: str, query: str = "") -> set[tuple[str, str]]:
    """Return person and week of the timesheets in a person's list."""
    path = f"/timesheets?limit=200{query}"
    found = desks.api.request("GET", "delivery", path, by=by).json()
    return {(each["person"], each["week"]) for each in found["rows"]}


def waiting(
    desks: Desks, engagement: str, person: str, week: date, by: str = "yuki"
) -> View | None:
    """Return a person's week that waits for approval, as a manager sees it; None without one."""
    seen = desks.seen("delivery", engagement, by=by)["time"]["waiting"]
    mine = (each for each in seen if (each["person"], each["week"]) == (person, str(week)))
    return next(mine, None)


def announced(desks: Desks, engagement: str, person: str) -> View | None:
    """Return the hours that wait for approval, as the gateway shows them; None without any."""
    found: dict[str, View] = desks.seen("gateway", engagement)["delivery"]["waiting"]
    return next((each for each in found.values() if each["person"] == person), None)


def approved_hours(desks: Desks, engagement: str) -> Decimal:
    """Return the approved hours, on which Delivery and the gateway must agree."""
    ours = Decimal(desks.seen("delivery", engagement)["time"]["approved_hours"])
    assert Decimal(desks.seen("gateway", engagement)["delivery"]["approved_hours"]) == ours
    return ours


def cost(desks: Desks, engagement: str) -> Decimal:
    """Return the cost to date, on which Finance and the gateway must agree; 0 before any."""
    ours = desks.seen("finance", engagement, by="fred")["cost_to_date"]
    assert desks.seen("gateway", engagement, by="vera")["confidential"]["cost"] == ours
    return Decimal(ours["amount"]) if ours else Decimal(0)


def unbilled(desks: Desks, engagement: str) -> dict[str, View]:
    """Return the works that Finance can bill, by the id of their entry."""
    works = desks.seen("finance", engagement, by="fred")["unbilled_work"]
    return {each["entry"]: each for each in works}


# ---- the month ---------------------------------------------------------------------------------


def test_a_week_is_saved_in_parts_submitted_at_once_and_approved(
    desks: Desks, running: str, metered: str
) -> None:
    building, metering = (task_of(desks, each, "engineer") for each in (running, metered))
    before = {name: (cost(desks, name), approved_hours(desks, name)) for name in (running, metered)}
    monday_only = worked(FIRST, building, "6", note="Import of the ledgers")
    save(desks, "gita", FIRST, on(running, monday_only))
    tuesday = FIRST + timedelta(days=1)
    save(desks, "gita", FIRST, on(running, monday_only, worked(tuesday, building, "7.5")))
    save(desks, "gita", FIRST, on(metered, worked(FIRST + timedelta(days=2), metering, "8", None)))
    course = {"day": str(FIRST + timedelta(days=3)), "hours": "4", "note": "Course on ledgers"}
    save(desks, "gita", FIRST, {"internal": [{"code": "training", "entries": [course]}]})

    drafts = desks.api.get("delivery", sheet("gita", FIRST), by="gita")
    assert [len(each["draft"]) for each in drafts["lines"]] == [2, 1, 1]
    assert (drafts["revision"], drafts["hours"]) == (0, "0")
    assert waiting(desks, running, "gita", FIRST) is None, "a draft does not wait for approval"

    for _ in range(2):  # the same request again has no second effect
        submit(desks, "gita", FIRST, key="gita-submits-her-week")
    seen = desks.api.get("delivery", sheet("gita", FIRST), by="gita")
    assert (seen["revision"], seen["hours"]) == (1, "25.5")
    assert (seen["weekly_hours"], seen["beyond_weekly_hours"]) == ("40", "0")
    assert [statuses(each) for each in seen["lines"]] == [["waiting"] * 2, ["waiting"], ["waiting"]]
    assert seen["requests"] == [], "every engagement has answered"
    [by_allocation] = line_of(desks, "gita", FIRST, metered)["entries"]
    assert by_allocation["role"] == "engineer", "it follows from the task"
    for_manager = waiting(desks, running, "gita", FIRST)
    assert for_manager is not None
    assert (for_manager["hours"], for_manager["uncovered_hours"]) == ("13.5", "0")
    shown = announced(desks, running, "gita")
    assert shown is not None
    assert sum(Decimal(each["hours"]) for each in shown["entries"].values()) == Decimal("13.5")
    assert approved_hours(desks, running) == before[running][1]

    body = {"person": "gita", "week": str(FIRST)}
    items = [{"engagement": name, "command": body} for name in (running, metered, metered)]
    many = "/engagements/commands/approve-time"
    assert desks.refused("gita", "delivery", many, {"items": items})[:2] == (403, "not-allowed")
    done = desks.do("yuki", "delivery", many, {"items": items}, wait=0)["items"]
    assert [each["status"] for each in done] == [200, 200, 409]
    assert done[2]["problem"]["code"] == "time-not-waiting"
    assert [each["type"] for each in done[0]["events"]] == ["concord.delivery.time-approved.v1"]
    desks.do("paul", "delivery", f"{sheet('gita', FIRST)}/approve-internal-time")

    seen = desks.api.get("delivery", sheet("gita", FIRST), by="gita")
    assert {status for each in seen["lines"] for status in statuses(each)} == {"approved"}
    for name, hours in ((running, Decimal("13.5")), (metered, Decimal(8))):
        was, had = before[name]
        assert waiting(desks, name, "gita", FIRST) is None
        assert announced(desks, name, "gita") is None
        assert approved_hours(desks, name) == had + hours
        assert cost(desks, name) == was + hours * COST_RATES["engineer"]
        week = desks.seen("gateway", name)["delivery"]["weeks"][str(FIRST)]
        assert Decimal(week["billable"]) >= hours
    work = unbilled(desks, metered)[by_allocation["entry"]]
    assert (work["person"], work["on"]) == ("gita", str(FIRST + timedelta(days=2)))
    assert (work["role"], work["hours"]) == ("engineer", "8")
    assert Decimal(work["worth"]["amount"]) == 8 * BILL_RATES["engineer"]
    assert not unbilled(desks, running), "a fixed price is not billed by the hour"


def test_costs_of_the_hours_are_for_those_who_may_see_them(
    desks: Desks, running: str, metered: str
) -> None:
    for name in (running, metered):
        assert "cost_to_date" not in desks.seen("finance", name, given=("project-accountant",))
        assert desks.seen("gateway", name, by="yuki")["confidential"] is None
        assert "cost" not in desks.seen("delivery", name, by="yuki")["time"]


def test_what_the_sheet_can_judge_is_refused_and_names_the_field(
    desks: Desks, running: str, metered: str
) -> None:
    task = task_of(desks, running, "engineer")
    path, tomorrow_week = sheet("henrik", SECOND), monday(-14)

    def saving(lines: View, by: str = "henrik", at: str = path) -> tuple[int, str, set[str]]:
        return desks.refused(by, "delivery", f"{at}/save-timesheet", lines)

    for hours in ("25", "NaN", "0", "-1", "7.125", "Infinity", True):
        status, code, named = saving(on(running, worked(SECOND, task, hours)))  # type: ignore[arg-type]
        assert (status, code) == (422, "invalid-input"), hours
        assert {each.rpartition(".")[2] for each in named} == {"hours"}, hours
    other_week = on(running, worked(FIRST, task, "8"))
    assert saving(other_week)[:2] == (409, "day-outside-week")
    assert "engagements[0].entries[0].day" in saving(other_week)[2]
    own = on(running, worked(SECOND, task, "8"))
    assert saving(own, by="emil")[:2] == (403, "timesheet-not-own")
    assert saving(own, at=f"/timesheets/henrik.{SECOND + timedelta(days=1)}")[0] == 422
    assert desks.refused("emil", "delivery", f"{path}/submit-timesheet")[0] in {403, 404}

    def submitting(lines: View, week: date = SECOND) -> tuple[int, str, set[str]]:
        save(desks, "henrik", week, lines)
        path = f"{sheet('henrik', week)}/submit-timesheet"
        status, code, named = desks.refused("henrik", "delivery", path)
        # The place of the entry in the view of the sheet.
        return (
            status,
            code,
            {re.sub(r"^lines\[[01]\]\.draft\[0\]", "entry", each) for each in named},
        )

    long = on(running, worked(SECOND, task, "16"))
    long["engagements"] += on(metered, worked(SECOND, task, "9"))["engagements"]
    assert submitting(long)[:2] == (409, "hours-beyond-day")
    assert "entry.hours" in submitting(long)[2]
    foreign = on(running, worked(SECOND, task, "8", "architect"))
    foreign["engagements"] += on(metered)["engagements"]
    assert submitting(foreign)[:2] == (409, "role-not-held")
    assert "entry.role" in submitting(foreign)[2]
    future = on(running, worked(tomorrow_week, task, "8"))
    assert submitting(future, tomorrow_week)[:2] == (409, "date-in-future")
    assert "entry.day" in submitting(future, tomorrow_week)[2]

    kept = line_of(desks, "henrik", SECOND, running)
    assert ([each["role"] for each in kept["draft"]], kept["entries"]) == (["architect"], [])
    for name in (running, metered):
        assert waiting(desks, name, "henrik", SECOND) is None
        assert announced(desks, name, "henrik") is None


def replanned(task: View, *changes: str) -> list[Callable[[Actors], Any]]:
    """Return the steps that baseline the plan with one more task."""

    async def draft(actors: Actors) -> None:
        plan = (await actors.look("delivery", "yuki"))["plan"]["draft"]
        await actors.act(
            "delivery",
            "draft-plan",
            "yuki",
            template=TEMPLATE,
            tasks=[*plan["tasks"], task],
            milestones=plan["milestones"],
            deliverables=plan["deliverables"],
            changes=list(changes),
        )

    async def baseline(actors: Actors) -> None:
        plan = (await actors.look("delivery", "yuki"))["plan"]["draft"]
        await actors.act("delivery", "baseline-plan", "yuki", version=plan["version"])

    return [draft, baseline]


def planned(task: str, day: date, hours: str, **more: Any) -> View:
    return {
        "task": task,
        "title": task.replace("-", " ").capitalize(),
        "phase": "Build",
        "starts_on": day.isoformat(),
        "finishes_on": (day + timedelta(days=6)).isoformat(),
        "hours": [{"role": "engineer", "hours": hours}],
        "line": "work",
        **more,
    }


def missing_of(found: View | None) -> set[str]:
    assert found is not None
    return {one["code"] for each in found["entries"] for one in each["missing"]}


def test_hours_outside_the_plan_are_seen_at_once_and_covered_by_the_next_plan(
    desks: Desks, access: PlatformAccess, engagements: Engagements, running: str
) -> None:
    task = task_of(desks, running, "engineer")
    tuesday = SECOND + timedelta(days=1)
    entries = worked(SECOND, task, "5"), worked(tuesday, "data-cleaning", "3")
    submit(desks, "wanda", SECOND, on(running, *entries))

    assert statuses(line_of(desks, "wanda", SECOND, running)) == ["waiting"] * 2
    seen = waiting(desks, running, "wanda", SECOND)
    assert missing_of(seen) == {"task-unknown"}
    assert seen is not None
    assert Decimal(seen["uncovered_hours"]) == 3
    [found] = desks.disconnects(running, "work-outside-plan")
    assert "data-cleaning" in found["sentence"]
    [_, other] = ids(line_of(desks, "wanda", SECOND, running))
    assert uncovered(desks, "wanda", SECOND) == {other: {"task-unknown"}}
    path = f"/engagements/{running}/approve-time"
    body = {"person": "wanda", "week": str(SECOND), "entries": [other]}
    status, code, named = desks.refused("yuki", "delivery", path, body)
    assert (status, code) == (409, "time-not-covered")
    assert {"entries", "task-unknown"} <= named
    # The covered entries of the week do not wait for the others.
    decide(desks, "yuki", "approve-time", running, "wanda", SECOND)
    assert statuses(line_of(desks, "wanda", SECOND, running)) == ["approved", "waiting"]

    steps = replanned(planned("data-cleaning", SECOND, "8"))
    act_now(access, "cleaning", *steps, of=engagements.running, dated=LAST_DAY)
    assert missing_of(waiting(desks, running, "wanda", SECOND)) == set()
    assert uncovered(desks, "wanda", SECOND) == {}
    assert not desks.disconnects(running, "work-outside-plan")
    decide(desks, "yuki", "approve-time", running, "wanda", SECOND)
    assert statuses(line_of(desks, "wanda", SECOND, running)) == ["approved"] * 2


def agreed(change: str, sponsor: str) -> list[Callable[[Actors], Any]]:
    """Return the steps by which the customer agrees a change of the work, before it is signed."""

    def priced(seen: View) -> bool:
        return any(each["change"] == change and each["price"] for each in seen["changes"])

    def drafted(seen: View) -> bool:
        return any(each["change"] == change and each["amendment"] for each in seen["changes"])

    request = {"change": change, "requested_by": sponsor, "description": "A report by region."}
    scope = {"line": "work", "hours": [{"role": "engineer", "hours": "16"}]}
    return [
        lambda actors: actors.act("delivery", "request-change", "yuki", **request),
        lambda actors: actors.act(
            "delivery", "assess-change", "yuki", change=change, changes=[scope], days=0, risk="Low."
        ),
        lambda actors: actors.look_until("finance", "fred", priced),
        lambda actors: actors.act(
            "delivery", "approve-change", "yuki", change=change, approved_by=sponsor
        ),
        lambda actors: actors.look_until("legal", "carl", drafted),
    ]


def signed(change: str, sponsor: str) -> Callable[[Actors], Any]:
    """Return the step that records that both parties signed the amendment of a change."""

    async def sign(actors: Actors) -> None:
        seen = await actors.look("legal", "carl")
        amendment = next(each["amendment"] for each in seen["changes"] if each["change"] == change)
        await actors.act(
            "legal",
            "sign-amendment",
            "carl",
            amendment=amendment["amendment"],
            content_hash=amendment["content_hash"],
            signatories=[
                {"party": party, "person": person, "signed_on": LAST_DAY.isoformat()}
                for party, person in (("company", "vera"), ("customer", sponsor))
            ],
        )

    return sign


def test_hours_on_an_unsigned_change_are_covered_by_its_signature(
    desks: Desks, access: PlatformAccess, engagements: Engagements, running: str
) -> None:
    sponsor = access.ids["jonas"]
    task = planned("change-c-9", LAST_DAY, "16", change="C-9")
    steps = [*agreed("C-9", sponsor), *replanned(task, "C-9")]
    act_now(access, "agreed", *steps, of=engagements.running, dated=LAST_DAY)
    week = LAST_DAY - timedelta(days=LAST_DAY.weekday())
    submit(desks, "emil", week, on(running, worked(LAST_DAY, "change-c-9", "6")))

    [missing] = uncovered(desks, "emil", week).values()
    assert "amendment-not-signed" in missing
    assert missing == missing_of(waiting(desks, running, "emil", week))
    [found] = desks.disconnects(running, "work-on-unsigned-change")
    assert found["severity"] == "serious"
    path = f"/engagements/{running}/approve-time"
    body = {"person": "emil", "week": str(week)}
    assert desks.refused("yuki", "delivery", path, body)[1] == "time-not-covered"

    act_now(access, "signed", signed("C-9", sponsor), of=engagements.running, dated=LAST_DAY)
    assert missing_of(waiting(desks, running, "emil", week)) == set()
    assert uncovered(desks, "emil", week) == {}
    assert not desks.disconnects(running, "work-on-unsigned-change")
    decide(desks, "yuki", "approve-time", running, "emil", week)
    assert statuses(line_of(desks, "emil", week, running)) == ["approved"]


def test_hours_of_a_role_without_rate_are_approved_as_cost_by_the_pmo_director(
    desks: Desks, metered: str
) -> None:
    task = task_of(desks, metered, "engineer")
    before, hours = cost(desks, metered), approved_hours(desks, metered)
    submit(desks, "irina", SECOND, on(metered, worked(SECOND, task, "2", "consultant")))

    assert missing_of(waiting(desks, metered, "irina", SECOND)) == {"rates-missing"}
    assert [*uncovered(desks, "irina", SECOND).values()] == [{"rates-missing"}]
    [found] = desks.disconnects(metered, "work-without-rate")
    assert "consultant" in found["sentence"]
    path = f"/engagements/{metered}/approve-time-as-cost"
    body = {"person": "irina", "week": str(SECOND), "why_not_billed": "Advice was not sold."}
    assert desks.refused("max", "delivery", path, body)[:2] == (403, "not-allowed")
    desks.do("paul", "delivery", path, body)

    line = line_of(desks, "irina", SECOND, metered)
    assert [(each["status"], each["billable"]) for each in line["entries"]] == [("approved", False)]
    assert not desks.disconnects(metered, "work-without-rate")
    assert approved_hours(desks, metered) == hours + 2
    assert cost(desks, metered) == before + 2 * PERSON_COST_RATES["irina"]
    assert not unbilled(desks, metered).keys() & set(ids(line))
    assert not desks.seen("finance", metered, by="fred")["unassigned"]
    week = desks.seen("gateway", metered)["delivery"]["weeks"][str(SECOND)]
    assert Decimal(week["hours"]) - Decimal(week["billable"]) == 2


def test_hours_before_the_contract_are_rejected_and_entered_on_the_right_day(
    desks: Desks, metered: str
) -> None:
    submit(
        desks,
        "stefan",
        BEFORE_THE_CONTRACT,
        on(metered, worked(BEFORE_THE_CONTRACT, "initiation", "7")),
    )
    early = waiting(desks, metered, "stefan", BEFORE_THE_CONTRACT)
    assert missing_of(early) == {"date-before-contract"}
    assert desks.disconnects(metered, "work-before-signature")

    why = "The contract had not begun: is this of a later week?"
    decide(desks, "max", "reject-time", metered, "stefan", BEFORE_THE_CONTRACT, why=why)
    [back] = line_of(desks, "stefan", BEFORE_THE_CONTRACT, metered)["returned"]
    assert (back["how"], back["why"], back["hours"]) == ("rejected", why, "7")
    assert not desks.disconnects(metered, "work-before-signature")
    assert announced(desks, metered, "stefan") is None

    save(desks, "stefan", BEFORE_THE_CONTRACT, on(metered))
    assert (
        desks.api.get("delivery", sheet("stefan", BEFORE_THE_CONTRACT), by="stefan")["lines"] == []
    )
    submit(
        desks, "stefan", THIRD, on(metered, worked(THIRD, task_of(desks, metered, "engineer"), "7"))
    )
    decide(desks, "max", "approve-time", metered, "stefan", THIRD)
    assert statuses(line_of(desks, "stefan", THIRD, metered)) == ["approved"]


def withdraw(desks: Desks, person: str, week: date) -> Any:
    return desks.send(person, "delivery", f"{sheet(person, week)}/withdraw-timesheet", wait=0)


def test_a_submitted_week_is_withdrawn_and_submitted_again(desks: Desks, running: str) -> None:
    task = task_of(desks, running, "engineer")
    submit(desks, "nadia", THIRD, on(running, worked(THIRD, task, "9")))
    assert withdraw(desks, "nadia", THIRD).status_code == 200

    line = line_of(desks, "nadia", THIRD, running)
    assert ([each["hours"] for each in line["draft"]], line["entries"]) == (["9"], [])
    assert waiting(desks, running, "nadia", THIRD) is None
    assert announced(desks, running, "nadia") is None
    submit(desks, "nadia", THIRD, on(running, worked(THIRD, task, "7")))
    decide(desks, "yuki", "approve-time", running, "nadia", THIRD)
    late = withdraw(desks, "nadia", THIRD)
    assert (late.status_code, late.json()["code"]) == (409, "time-not-waiting")
    assert statuses(line_of(desks, "nadia", THIRD, running)) == ["approved"]


def test_of_a_withdrawal_and_an_approval_at_the_same_time_the_first_counts(
    desks: Desks, running: str
) -> None:
    task = task_of(desks, running, "engineer")
    before = approved_hours(desks, running)
    submit(desks, "lotte", FOURTH, on(running, worked(FOURTH, task, "8")))
    path = f"/engagements/{running}/approve-time"
    body = {"person": "lotte", "week": str(FOURTH)}
    with ThreadPoolExecutor(2) as both:
        withdrawn = both.submit(withdraw, desks, "lotte", FOURTH)
        approved = both.submit(desks.send, "yuki", "delivery", path, body)
    assert withdrawn.result().status_code in {200, 409}, withdrawn.result().text
    assert approved.result().status_code in {200, 409}, approved.result().text

    line = line_of(desks, "lotte", FOURTH, running)
    assert not line["is_pending"]
    won = approved.result().status_code == 200
    assert statuses(line) == (["approved"] if won else [])
    assert len(line["draft"]) == (0 if won else 1)
    assert approved_hours(desks, running) == before + (8 if won else 0)
    assert announced(desks, running, "lotte") is None


def test_approved_time_is_reversed_and_entered_again(desks: Desks, metered: str) -> None:
    task = task_of(desks, metered, "engineer")
    before, hours = cost(desks, metered), approved_hours(desks, metered)
    submit(desks, "lotte", THIRD, on(metered, worked(THIRD, task, "8"), worked(THIRD, task, "1")))
    decide(desks, "max", "approve-time", metered, "lotte", THIRD)
    wrong, right = ids(line_of(desks, "lotte", THIRD, metered))
    assert {wrong, right} <= unbilled(desks, metered).keys()
    assert cost(desks, metered) == before + 9 * COST_RATES["engineer"]

    why = "Eight hours were of another customer."
    body = {"entries": [wrong], "why": why}
    path = f"{sheet('lotte', THIRD)}/reverse-time"
    assert desks.refused("lotte", "delivery", path, body)[:2] == (403, "not-allowed")
    for _ in range(2):
        desks.do("max", "delivery", path, body, key="max-reverses")
    assert desks.refused("max", "delivery", path, body)[:2] == (409, "entry-not-approved")

    line = line_of(desks, "lotte", THIRD, metered)
    assert (ids(line), statuses(line)) == ([right], ["approved"])
    [back] = line["returned"]
    assert (back["entry"], back["how"], back["why"]) == (wrong, "reversed", why)
    assert wrong not in unbilled(desks, metered)
    assert cost(desks, metered) == before + COST_RATES["engineer"]
    assert approved_hours(desks, metered) == hours + 1

    submit(desks, "lotte", THIRD, on(metered, worked(THIRD, task, "3")))
    decide(desks, "max", "approve-time", metered, "lotte", THIRD)
    line = line_of(desks, "lotte", THIRD, metered)
    assert (len(line["returned"]), statuses(line)) == (0, ["approved"] * 2)
    assert cost(desks, metered) == before + 4 * COST_RATES["engineer"]
    assert approved_hours(desks, metered) == hours + 4


def test_an_expense_with_its_receipt_is_approved_rejected_and_reversed(
    desks: Desks, running: str
) -> None:
    before = cost(desks, running)
    documents = f"/engagements/{running}/documents"
    receipt = {"Content-Type": "image/png"}
    uploaded = [
        desks.api.request(
            "POST",
            "delivery",
            f"{documents}?name=hotel.png&purpose=receipt",
            by="lena",
            content=PIXEL,
            headers=receipt,
        )
        for _ in range(2)
    ]
    assert [each.status_code for each in uploaded] == [201, 201], uploaded[0].text
    [content_hash] = {each.json()["content_hash"] for each in uploaded}
    kept = desks.api.request("GET", "delivery", f"{documents}/{content_hash}", by="yuki")
    assert (kept.content, kept.headers["Content-Type"]) == (PIXEL, "image/png")

    hotel = {
        "amount": {"amount": "110", "currency": "USD"},
        "description": "Hotel in Lisbon, one night",
        "category": "accommodation",
        "spent_on": THIRD.isoformat(),
        "receipt": content_hash,
        "billable": False,
    }
    path = f"/engagements/{running}"
    for wrong, code in (
        ({"receipt": "sha256:" + "0" * 64}, "document-unknown"),
        ({"spent_on": str(monday(-14))}, "date-in-future"),
        ({"line": "lunch"}, "line-unknown"),
    ):
        found = desks.refused("lena", "delivery", f"{path}/submit-expense", {**hotel, **wrong})
        assert found[1] == code
        assert next(iter(wrong)) in found[2]
    for amount in ("0", "-1", "NaN", "1.005"):
        money = {"amount": amount, "currency": "USD"}
        body = {**hotel, "amount": money}
        assert desks.refused("lena", "delivery", f"{path}/submit-expense", body)[0] == 422
    for _ in range(2):
        desks.do("lena", "delivery", f"{path}/submit-expense", hotel, key="lena-spends")

    def waiting_ones(by: str = "lena") -> list[View]:
        every = desks.seen("delivery", running, by=by)["expenses"]["waiting"]
        return [each for each in every if each["person"] == "lena"]

    def decided(expense: View) -> tuple[str, str | None]:
        """Return what became of an expense, and why, as the person sees it."""
        name = f"{running}.{expense['expense']}"
        found = desks.api.get("delivery", f"/expenses/{name}", by="lena")
        return found["status"], found["why"]

    [seen] = waiting_ones(by="yuki")
    assert (seen["receipt"], seen["category"]) == (content_hash, "accommodation")
    expense = {"expense": seen["expense"]}
    assert expense["expense"] in desks.seen("gateway", running)["delivery"]["waiting_expenses"]
    assert desks.refused("lena", "delivery", f"{path}/approve-expense", expense)[0] == 403

    why = "The receipt is of another night."
    desks.do("yuki", "delivery", f"{path}/reject-expense", {**expense, "why": why})
    assert waiting_ones() == []
    assert decided(expense) == ("rejected", why)
    assert cost(desks, running) == before
    desks.do("lena", "delivery", f"{path}/submit-expense", hotel)
    [again] = waiting_ones()
    corrected = {"expense": again["expense"]}
    desks.do("yuki", "delivery", f"{path}/approve-expense", corrected)
    assert decided(corrected) == ("approved", None)
    spent = cost(desks, running) - before
    assert Decimal(95) < spent < Decimal(105), "110 dollars are about 100 euro"

    reversing = f"/expenses/{running}.{again['expense']}/reverse-expense"
    wrong_one = {"why": "The customer paid the hotel."}
    assert desks.refused("lena", "delivery", reversing, wrong_one)[0] == 403
    desks.do("yuki", "delivery", reversing, wrong_one)
    assert desks.refused("yuki", "delivery", reversing, wrong_one)[1] == "expense-not-approved"
    assert decided(corrected) == ("reversed", wrong_one["why"])
    assert cost(desks, running) == before

    desks.do("lena", "delivery", f"{path}/submit-expense", hotel)
    [last] = waiting_ones()
    withdrawn, withdraw = {"expense": last["expense"]}, f"{path}/withdraw-expense"
    assert desks.refused("milan", "delivery", withdraw, withdrawn)[:2] == (403, "expense-not-own")
    desks.do("lena", "delivery", withdraw, withdrawn)
    assert waiting_ones() == []
    late = desks.refused("yuki", "delivery", f"{path}/approve-expense", withdrawn)
    assert late[:2] == (409, "expense-not-waiting")

    def outcomes(by: str) -> set[str]:
        rows = desks.api.get("delivery", f"/expenses?engagement={running}&person=lena", by=by)
        return {each["status"] for each in rows["rows"]}

    for by in ("lena", "yuki", "paul", "fred"):
        wait_until(lambda by=by: outcomes(by) == {"rejected", "reversed"}, limit=SOON)  # type: ignore[misc]
    assert (outcomes("milan"), outcomes("max")) == (set(), set())
    one = f"/expenses/{running}.{again['expense']}"
    hidden = desks.api.request("GET", "delivery", one, by="milan")
    assert (hidden.status_code, hidden.json()["code"]) == (404, "unknown-stream")


def test_a_stand_in_records_the_week_and_both_names_are_kept(
    desks: Desks, running: str, api: ApiClient
) -> None:
    task = task_of(desks, running, "tester")
    lines = on(running, worked(FOURTH, task, "5", "tester"))
    path = f"{sheet('nina', FOURTH)}/save-timesheet"
    instead: dict[str, Any] = {"by": "tilda", "for_person": "nina"}
    assert desks.refused("tilda", "delivery", path, lines, for_person="nina")[:2] == (
        403,
        "stand-in-not-recorded",
    )
    away = {"first": str(monday(35)), "last": str(monday(-35)), "purpose": "time"}
    body = {"stand_ins": [{"stand_in": "tilda", **away}]}
    desks.do("nina", "delivery", "/stand-ins/nina/publish-stand-ins", body)

    submit(desks, "nina", FOURTH, lines, **instead)
    assert statuses(line_of(desks, "nina", FOURTH, running, by="tilda")) == ["waiting"]
    decide(desks, "yuki", "approve-time", running, "nina", FOURTH)

    def by_whom() -> list[tuple[str, str, str | None]]:
        return [
            (each["type"].split(".")[2], each["actor"], each["on_behalf_of"])
            for each in api.get("gateway", f"/engagements/{running}/timeline")
            if "time-" in each["type"] and each["data"]["person"] == "nina"
        ]

    wait_until(lambda: len(by_whom()) == 2, limit=SOON)
    assert by_whom() == [
        ("time-submitted", "tilda", "nina"),
        ("time-approved", "yuki", None),
    ]
    hidden = api.request("GET", "delivery", sheet("nina", FOURTH), by="milan")
    assert (hidden.status_code, hidden.json()["code"]) == (403, "timesheet-not-own")


def test_everybody_finds_the_weeks_that_they_may_see(
    desks: Desks, metered: str, api: ApiClient
) -> None:
    task = task_of(desks, metered, "tester")
    before = listed(desks, "emil")
    save(desks, "milan", THIRD, on(metered, worked(THIRD, task, "4", "tester")))
    submit(desks, "milan", FOURTH, on(metered, worked(FOURTH, task, "6", "tester")))
    weeks = {("milan", str(THIRD)), ("milan", str(FOURTH))}

    wait_until(lambda: listed(desks, "milan") == weeks, limit=SOON)
    for manager in ("max", "paul"):
        wait_until(lambda by=manager: weeks <= listed(desks, by), limit=SOON)  # type: ignore[misc]
    assert listed(desks, "paul", f"&person=milan&week={FOURTH}") == {("milan", str(FOURTH))}
    assert listed(desks, "milan", "&is_waiting=true") == {("milan", str(FOURTH))}
    assert listed(desks, "milan", "&is_drafted=true") == {("milan", str(THIRD))}
    assert listed(desks, "emil") == before, "of other people, a consultant sees none"
    assert listed(desks, "emil", "&person=milan") == set()
    [row] = [
        each
        for each in api.get("delivery", "/timesheets?person=milan", by="milan")["rows"]
        if each["week"] == str(FOURTH)
    ]
    assert (row["id"], row["hours"], row["beyond_weekly_hours"]) == (
        sheet_id("milan", FOURTH),
        "6",
        "0",
    )
    assert api.request("GET", "delivery", "/timesheets", by="carl").status_code == 403


def test_a_week_that_is_too_long_is_recorded_and_asks_the_managers(
    desks: Desks, running: str, metered: str
) -> None:
    task = {name: task_of(desks, name, "engineer") for name in (running, metered)}

    def week_of(hours: dict[str, str]) -> View:
        days = [THIRD + timedelta(days=number) for number in range(5)]
        lines = {
            name: on(name, *(worked(day, task[name], each) for day in days))
            for name, each in hours.items()
        }
        return {"engagements": [line["engagements"][0] for line in lines.values()]}

    submit(desks, "henrik", THIRD, week_of({running: "6"}))
    submit(desks, "henrik", THIRD, week_of({metered: "3"}))
    seen = desks.api.get("delivery", sheet("henrik", THIRD), by="henrik")
    assert (seen["hours"], seen["beyond_weekly_hours"]) == ("45", "5")
    # The first engagement shows, too, that the second one made the week too long.
    for name in (running, metered):
        asked = waiting(desks, name, "henrik", THIRD)
        assert asked is not None
        assert asked["beyond_weekly_hours"] == "5"
        assert len(desks.disconnects(name, "hours-beyond-week")) == 1
    decide(desks, "yuki", "approve-time", running, "henrik", THIRD)
    decide(desks, "max", "approve-time", metered, "henrik", THIRD)
    for name in (running, metered):
        assert not desks.disconnects(name, "hours-beyond-week")
