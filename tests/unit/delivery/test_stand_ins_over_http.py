"""Test over HTTP that both halves of what a stand-in does name the stand-in and the person."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from contracts.reference import StandIn, StandInPurpose, StandInsPublished
from contracts.roles import Role
from tests.unit.delivery.builders import ID, WEEK
from tests.unit.delivery.test_time_over_http import APPROVE, NOW, SHEET, Delivery, line, started

ENGAGEMENT = f"/engagements/{ID}"
SPENT = {
    "amount": {"amount": "12.50", "currency": "EUR"},
    "description": "Train",
    "category": "travel",
    "spent_on": str(WEEK),
}


def stand_in(person: str, purpose: StandInPurpose, *, days: int = 0) -> StandInsPublished:
    """Return the record that milo stands in for a person today, or some days from today."""
    day = NOW.date() + timedelta(days=days)
    entry = StandIn(stand_in="milo", first=day, last=day, purpose=purpose)
    return StandInsPublished(person=person, stand_ins=(entry,))


async def instead(
    delivery: Delivery,
    person: str,
    path: str,
    body: Mapping[str, object],
    role: Role = "consultant",
) -> str | None:
    """Give a command by milo on behalf of a person; return the code of the refusal, or None."""
    answer = await delivery.request(path, body, by="milo", role=role, Concord_On_Behalf_Of=person)
    assert answer.status_code in {200, 403}, answer.text
    code: str | None = answer.json().get("code")
    return code


def commits(delivery: Delivery, stream: str) -> list[tuple[str, str | None, tuple[str, ...]]]:
    """Return who made the commits of a stream, on whose behalf, and their new events."""
    return [
        (
            each.actor,
            each.on_behalf_of,
            tuple(type(one.event).__name__ for one in each.new_events()),
        )
        for each in delivery.journal.commits(stream)
    ]


async def test_both_halves_of_a_submission_and_a_withdrawal_name_both() -> None:
    delivery = await started(stand_in("dev", "time"))
    for command, body in (
        ("save-timesheet", {"engagements": [line(ID, "8")]}),
        ("submit-timesheet", {}),
        ("withdraw-timesheet", {}),
    ):
        assert await instead(delivery, "dev", f"{SHEET}/{command}", body) is None
    taken = [each for each in commits(delivery, f"engagement:{ID}") if each[0] == "milo"]
    assert taken == [("milo", "dev", ("TimeSubmitted",)), ("milo", "dev", ("TimeWithdrawn",))]
    asked = [each[:2] for each in commits(delivery, SHEET[1:].replace("timesheets/", "timesheet:"))]
    assert set(asked) == {("milo", "dev"), ("delivery", None)}


@pytest.mark.parametrize(
    ("command", "more", "event"),
    [("approve-time", {}, "TimeApproved"), ("reject-time", {"why": "No."}, "TimeRejected")],
)
async def test_both_halves_of_a_decision_name_both(
    command: str, more: dict[str, str], event: str
) -> None:
    delivery = await started(stand_in("mara", "approvals"))
    await delivery.request(f"{SHEET}/save-timesheet", {"engagements": [line(ID, "8")]})
    await delivery.request(f"{SHEET}/submit-timesheet", {})
    path = f"{ENGAGEMENT}/{command}"
    assert await instead(delivery, "mara", path, {**APPROVE, **more}, "engagement-manager") is None
    decided = [each for each in commits(delivery, f"engagement:{ID}") if each[0] == "milo"]
    assert [(each[:2], each[2][0]) for each in decided] == [(("milo", "mara"), event)]
    noted = commits(delivery, f"timesheet:dev.{WEEK}")[-1]
    assert noted == ("milo", "mara", ("DecisionNoted",))


async def test_a_stand_in_submits_and_withdraws_expenses() -> None:
    delivery = await started(stand_in("dev", "time"))
    assert await instead(delivery, "dev", f"{ENGAGEMENT}/submit-expense", SPENT) is None
    seen = (await delivery.request(ENGAGEMENT)).json()["expenses"]["waiting"]
    assert [each["person"] for each in seen] == ["dev"]
    gone = {"expense": seen[0]["expense"]}
    other = await delivery.request(f"{ENGAGEMENT}/withdraw-expense", gone, by="milo")
    assert (other.status_code, other.json()["code"]) == (403, "expense-not-own")
    assert await instead(delivery, "dev", f"{ENGAGEMENT}/withdraw-expense", gone) is None
    ended = commits(delivery, f"engagement:{ID}")[-1]
    assert ended == ("milo", "dev", ("ExpenseWithdrawn",))


@pytest.mark.parametrize(
    "record",
    [
        stand_in("dev", "time", days=-1),
        stand_in("dev", "time", days=1),
        stand_in("dev", "approvals"),
        stand_in("mara", "time"),
    ],
)
async def test_nobody_acts_for_a_person_outside_the_days_or_the_purpose(
    record: StandInsPublished,
) -> None:
    delivery = await started(record)
    await delivery.request(f"{SHEET}/save-timesheet", {"engagements": [line(ID, "8")]})
    for path, body in (
        (f"{SHEET}/save-timesheet", {"engagements": [line(ID, "4")]}),
        (f"{SHEET}/submit-timesheet", {}),
        (f"{SHEET}/withdraw-timesheet", {}),
        (f"{ENGAGEMENT}/submit-expense", SPENT),
        (f"{ENGAGEMENT}/withdraw-expense", {"expense": "X-1"}),
    ):
        assert await instead(delivery, "dev", path, body) == "stand-in-not-recorded"
