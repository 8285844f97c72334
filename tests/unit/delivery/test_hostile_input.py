"""Test over HTTP what wrong time and expenses are answered: a refusal that names the field.

What no gate covers is recorded all the same.
"""

from collections.abc import Mapping
from datetime import timedelta

import httpx
import pytest

from contracts.reference import AccountPublished
from contracts.roles import Role
from tests.unit.delivery.builders import ID, WEEK
from tests.unit.delivery.test_stand_ins_over_http import SPENT
from tests.unit.delivery.test_time_over_http import (
    APPROVE,
    GHOST,
    NOW,
    OTHER,
    SHEET,
    Delivery,
    line,
    started,
)

MANAGER: Role = "engagement-manager"
ENTRY = "engagements[0].entries[0]"
HASH = f"sha256:{'f' * 64}"


def entries(name: str = ID, **fields: object) -> Mapping[str, object]:
    """Return a sheet with an entry of 8 hours; `fields` replace its own."""
    entry = {"day": str(WEEK), "task": "initiation", "role": "architect", "hours": "8"}
    return {"engagements": [{"engagement": name, "entries": [entry | fields]}]}


def internal(code: str, hours: str) -> Mapping[str, object]:
    return {"internal": [{"code": code, "entries": [{"day": str(WEEK), "hours": hours}]}]}


def fault(answer: httpx.Response) -> tuple[int, str, set[str]]:
    """Return status and code of a refusal, and the fields that it names."""
    problem = answer.json()
    named = (*problem.get("errors", ()), *problem.get("missing", ()))
    return answer.status_code, problem["code"], {each["field"] for each in named}


async def save(delivery: Delivery, body: Mapping[str, object], **more: object) -> httpx.Response:
    return await delivery.request(f"{SHEET}/save-timesheet", body, **more)  # type: ignore[arg-type]


async def submit(delivery: Delivery) -> httpx.Response:
    return await delivery.request(f"{SHEET}/submit-timesheet", {})


async def waiting(*lines: Mapping[str, object]) -> Delivery:
    """Return a service with a submitted timesheet."""
    delivery = await started()
    saved = await save(delivery, {"engagements": lines or (line(ID, "8"),)})
    assert saved.status_code == 200, saved.text
    assert (await submit(delivery)).status_code == 200
    return delivery


@pytest.mark.parametrize(
    ("body", "field"),
    [
        *(
            (entries(hours=hours), f"{ENTRY}.hours")
            for hours in ("NaN", "Infinity", "-8", "0", "0.001", "24.01", "25", "8,5", True, None)
        ),
        (entries(day="2026-02-30"), f"{ENTRY}.day"),
        (entries(task="a b"), f"{ENTRY}.task"),
        (entries(role="Architect!"), f"{ENTRY}.role"),
        (entries(note="\u202e8"), f"{ENTRY}.note"),
        (entries(billable="perhaps"), f"{ENTRY}.billable"),
        (entries(person="milo"), f"{ENTRY}.person"),
        (entries("E-1"), "engagements[0].engagement"),
        ({"engagements": [line(ID, "1"), line(ID, "2")]}, "engagements"),
        ({"engagements": [line(ID, *["0.01"] * 500)]}, "engagements[0].entries"),
        (internal("holiday", "8"), "internal[0].code"),
    ],
)
async def test_what_no_timesheet_can_have_is_invalid(
    body: Mapping[str, object], field: str
) -> None:
    answer = await save(await started(), body)
    assert fault(answer) == (422, "invalid-input", {field})


@pytest.mark.parametrize("days", [-1, 7])
async def test_a_day_outside_the_week_is_refused(days: int) -> None:
    answer = await save(await started(), entries(day=str(WEEK + timedelta(days=days))))
    assert fault(answer) == (409, "day-outside-week", {"engagements[0].entries[0].day"})
    tuesday = await (await started()).request("/timesheets/dev.2026-04-07/save-timesheet", {})
    assert fault(tuesday) == (422, "invalid-input", {"timesheet"})


async def test_a_day_is_recorded_once_it_has_begun_anywhere() -> None:
    """Record 13 April on 12 April, 10:00 UTC, when it begins at UTC+14; not an hour before.

    The customer's day, which others are judged by, begins many hours later.
    """
    acme = AccountPublished(account="acme", name="Acme", time_zone="America/Los_Angeles")
    tomorrow = NOW.date() + timedelta(days=1)
    sheet, spent = f"/timesheets/dev.{tomorrow}", {**SPENT, "spent_on": str(tomorrow)}
    for hours, expected in ((0, (409, "date-in-future")), (1, (200, None))):
        delivery = await started(acme, now=NOW + timedelta(hours=hours))
        await delivery.request(f"{sheet}/save-timesheet", entries(day=str(tomorrow)))
        for path, body in (
            (f"{sheet}/submit-timesheet", {}),
            (f"/engagements/{ID}/submit-expense", spent),
        ):
            answer = await delivery.request(path, body)
            assert (answer.status_code, answer.json().get("code")) == expected, path
            if hours == 0:
                assert fault(answer)[2] <= {"lines[0].draft[0].day", "spent_on"} != set()


async def test_more_than_24_hours_of_a_day_are_refused_over_all_lines() -> None:
    delivery = await started()
    both = {"engagements": [line(ID, "13"), line(OTHER, "12")]}
    assert (await save(delivery, both)).status_code == 200, "a draft may be wrong"
    assert fault(await submit(delivery)) == (409, "hours-beyond-day", {"lines[0].draft[0].hours"})
    await save(delivery, {"engagements": [line(OTHER, "11")]})
    assert (await submit(delivery)).status_code == 200
    await save(delivery, internal("training", "0.01"))
    assert fault(await submit(delivery)) == (409, "hours-beyond-day", {"lines[2].draft[0].hours"})


async def test_a_role_that_the_person_does_not_hold_is_refused() -> None:
    delivery = await started()
    await save(delivery, entries(role="developer"))
    assert fault(await submit(delivery)) == (409, "role-not-held", {"lines[0].draft[0].role"})
    await save(delivery, entries(role=None))
    [asked] = (await submit(delivery)).json()["requests"]
    assert (asked["outcome"], asked["refusal"]["code"]) == ("refused", "field-missing")
    assert asked["refusal"]["detail"].startswith("entries[0].role: ")


async def test_what_nothing_covers_is_recorded_and_shown() -> None:
    delivery = await waiting(
        line(ID, *["0.01"] * 200, task="unheard-of"),
        line(OTHER, *["0.01"] * 200, task="CR-9"),
        line(GHOST, *["0.01"] * 100),
    )
    seen = (await delivery.request(SHEET)).json()
    known, other, unknown = seen["lines"]
    assert [len(each["entries"]) for each in (known, other, unknown)] == [200, 200, 0]
    assert (unknown["refusal"]["code"], len(unknown["draft"])) == ("unknown-stream", 100)
    assert len(seen["uncovered"]) == 400
    assert {one["code"] for each in seen["uncovered"] for one in each["missing"]} == {
        "task-unknown"
    }
    approved = await delivery.request(
        f"/engagements/{ID}/approve-time", APPROVE, by="mara", role=MANAGER
    )
    assert fault(approved) == (409, "time-not-covered", {"entries"})


async def test_nobody_touches_the_sheet_of_another_person() -> None:
    delivery = await waiting()
    for command, body in (
        ("save-timesheet", entries()),
        ("submit-timesheet", {}),
        ("withdraw-timesheet", {}),
    ):
        for by, role in (("milo", "consultant"), ("mara", MANAGER)):
            path = f"{SHEET}/{command}"
            answer = await delivery.request(path, body, by=by, role=role)  # type: ignore[arg-type]
            assert fault(answer)[:2] == (403, "timesheet-not-own"), (command, by)
    for command in ("approve-internal-time", "reject-internal-time", "reverse-time"):
        answer = await delivery.request(f"{SHEET}/{command}", {})
        assert fault(answer)[0] == 403


async def test_a_decision_names_only_what_waits() -> None:
    delivery = await waiting()
    nothing = {"entries": ["T-nothing"]}
    why = {**nothing, "why": "No."}
    for path, body in (
        (f"/engagements/{ID}/approve-time", {**APPROVE, **nothing}),
        (f"/engagements/{ID}/reject-time", {**APPROVE, **why}),
        (f"{SHEET}/approve-internal-time", nothing),
        (f"{SHEET}/reject-internal-time", why),
    ):
        answer = await delivery.request(path, body, by="mara", role=MANAGER)
        assert fault(answer) == (409, "time-not-waiting", {"entries"}), path
    for field, name in (("engagements", GHOST), ("internal", "leave")):
        answer = await delivery.request(f"{SHEET}/withdraw-timesheet", {field: [name]})
        assert fault(answer) == (409, "time-not-waiting", {field})
    assert (await delivery.request(f"{SHEET}/withdraw-timesheet", {})).status_code == 200
    again = await delivery.request(f"{SHEET}/withdraw-timesheet", {})
    assert fault(again)[:2] == (409, "time-not-waiting")
    late = await delivery.request(
        f"/engagements/{ID}/approve-time", APPROVE, by="mara", role=MANAGER
    )
    assert fault(late)[:2] == (409, "time-not-waiting"), "an approval after the withdrawal"


async def test_an_entry_is_corrected_once_and_on_a_day_that_is_possible() -> None:
    delivery = await waiting()
    await delivery.request(f"/engagements/{ID}/approve-time", APPROVE, by="mara", role=MANAGER)
    [seen] = (await delivery.request(SHEET)).json()["lines"]
    assert [each["status"] for each in seen["entries"]] == ["approved"]
    body = {"entries": [each["entry"] for each in seen["entries"]], "why": "Wrong."}
    withdrawal = await delivery.request(f"{SHEET}/withdraw-timesheet", {"engagements": [ID]})
    assert fault(withdrawal) == (409, "time-not-waiting", {"engagements"}), "it was approved first"

    async def reverse(by: str = "mara", **more: object) -> httpx.Response:
        path = f"{SHEET}/reverse-time"
        return await delivery.request(path, {**body, **more}, by=by, role=MANAGER)

    for day, code in (("2026-04-01", "date-before-record"), ("2026-05-01", "date-in-future")):
        assert fault(await reverse(reversed_on=day)) == (409, code, {"reversed_on"})
    unknown = fault(await reverse(entries=["T-nothing"]))
    assert unknown == (409, "entry-not-approved", {"entries"})
    assert fault(await reverse(by="dev"))[:2] == (409, "approver-is-author")
    assert (await reverse()).status_code == 200
    assert fault(await reverse()) == (409, "entry-not-approved", {"entries"})


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"amount": {"amount": "1.005", "currency": "EUR"}}, "amount.amount"),
        ({"amount": {"amount": "1.5", "currency": "JPY"}}, "amount.amount"),
        ({"amount": {"amount": "NaN", "currency": "EUR"}}, "amount.amount"),
        ({"amount": {"amount": "1e31", "currency": "EUR"}}, "amount.amount"),
        ({"amount": {"amount": "-5", "currency": "EUR"}}, "amount"),
        ({"amount": {"amount": "0", "currency": "EUR"}}, "amount"),
        ({"amount": {"amount": "5", "currency": "XYZ"}}, "amount.currency"),
        ({"amount": {"amount": "5", "currency": "euro"}}, "amount.currency"),
        ({"amount": "5"}, "amount"),
        ({"receipt": "receipt.pdf"}, "receipt"),
        ({"category": "Travel!"}, "category"),
        ({"description": ""}, "description"),
        ({"person": "milo"}, "person"),
    ],
)
async def test_what_no_expense_can_have_is_invalid(wrong: Mapping[str, object], field: str) -> None:
    delivery = await started()
    answer = await delivery.request(f"/engagements/{ID}/submit-expense", {**SPENT, **wrong})
    assert fault(answer) == (422, "invalid-input", {field})


@pytest.mark.parametrize(
    ("wrong", "code", "field"),
    [
        ({"receipt": HASH}, "document-unknown", "receipt"),
        ({"spent_on": "2026-04-14"}, "date-in-future", "spent_on"),
        ({"line": "cruise"}, "line-unknown", "line"),
        ({"expense": "X-nothing"}, "expense-not-waiting", "expense"),
    ],
)
async def test_an_expense_names_only_what_is_known(
    wrong: Mapping[str, object], code: str, field: str
) -> None:
    delivery = await started()
    answer = await delivery.request(f"/engagements/{ID}/submit-expense", {**SPENT, **wrong})
    assert fault(answer) == (409, code, {field})
    gone = await delivery.request(f"/engagements/{GHOST}/submit-expense", SPENT)
    assert fault(gone)[:2] == (404, "unknown-stream")


async def test_nobody_decides_on_their_own_expense_or_changes_that_of_another() -> None:
    delivery = await started()
    path = f"/engagements/{ID}"
    await delivery.request(f"{path}/submit-expense", SPENT)
    [seen] = (await delivery.request(path)).json()["expenses"]["waiting"]
    named = {"expense": seen["expense"]}
    for command, body in (
        ("submit-expense", {**SPENT, **named}),
        ("withdraw-expense", named),
    ):
        answer = await delivery.request(f"{path}/{command}", body, by="milo")
        assert fault(answer)[:2] == (403, "expense-not-own"), command
    for command, body in (
        ("approve-expense", named),
        ("reject-expense", {**named, "why": "No."}),
    ):
        answer = await delivery.request(f"{path}/{command}", body, role=MANAGER)
        assert fault(answer)[:2] == (409, "approver-is-author"), command
        assert fault(await delivery.request(f"{path}/{command}", body))[0] == 403
    assert (await delivery.request(f"{path}/withdraw-expense", named)).status_code == 200
    late = await delivery.request(f"{path}/approve-expense", named, by="mara", role=MANAGER)
    assert fault(late) == (409, "expense-not-waiting", {"expense"})
    again = await delivery.request(f"{path}/withdraw-expense", named)
    assert (again.status_code, again.json()["events"]) == (200, [])


@pytest.mark.parametrize("hours", ["+3", " 3", "3 ", "1e1"])
async def test_hours_are_read_in_plain_notation(hours: str) -> None:
    answer = await save(await started(), {"engagements": [line(ID, hours)]})
    assert fault(answer) == (422, "invalid-input", {"engagements[0].entries[0].hours"})
    assert "with the digits 0 to 9" in answer.json()["detail"]
