"""Test the delivery service as a process, over HTTP, on a real Kafka and a real store."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from contracts.delivery import ResourceReleased
from contracts.event import Event
from tests.component.harness import (
    Running,
    World,
    accepted,
    asked_until,
    bearer,
    owed,
    refused,
    running,
    token,
)
from tests.infrastructure import KafkaServer, StoreServer
from tests.unit.delivery.builders import (
    AMENDMENT_DRAFTED,
    AMENDMENT_SIGNED,
    BUDGET,
    BUDGET_AMENDED,
    CHANGE_PRICED,
    OPENED,
    PRICED,
    PROPOSED,
    REQUESTED,
    SETTLED,
    SOW,
    SOW_SIGNED,
    TEMPLATE,
    TERMINATED,
    WON,
    contact,
)

TODAY = datetime.now(UTC).date()
MONDAY = TODAY - timedelta(days=TODAY.weekday())
PAST = TODAY - timedelta(days=30)
PAT = token("pat", "pmo-director", "operator")
MARA = token("mara", "engagement-manager")
DEV = token("dev", "consultant")
TYPES = [
    "manager-assigned",
    "estimate-submitted",
    "estimate-endorsed",
    "sow-reviewed",
    "plan-drafted",
    "brd-submitted",
    "brd-signed-off",
    "plan-baselined",
    "kickoff-held",
    "time-submitted",
    "time-approved",
    "time-submitted",
    "time-rejected",
    "task-progressed",
    "change-requested",
    "change-assessed",
    "change-approved",
    "plan-drafted",
    "plan-baselined",
    "change-implemented",
    "deliverable-submitted",
    "deliverable-rejected",
    "deliverable-submitted",
    "deliverable-accepted",
    "deliverable-submitted",
    "deliverable-accepted",
    "solution-went-live",
    "survey-sent",
    "survey-answered",
    "pir-held",
    "engagement-closed",
]


@pytest.fixture(scope="module")
def delivery(
    kafka: KafkaServer, store: StoreServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    with running("delivery", kafka, store, tmp_path_factory.mktemp("delivery")) as service:
        yield service


@pytest.fixture
async def world(delivery: Running) -> AsyncIterator[World]:
    async with delivery.world(by=MARA) as world:
        yield world


async def until_done(
    world: World, command: str, body: dict[str, Any], *, by: str
) -> dict[str, Any]:
    """Repeat a command until reference data that were just published have been consumed."""
    await world.view()
    answer = await asked_until(
        lambda: world.ask(command, body, by=by, wait=0), lambda answer: answer.status_code != 409
    )
    return accepted(answer)


async def erased(world: World, record: str) -> None:
    """Wait until the topic of reference data has the record's tombstone after its value."""
    values: list[bool] = []
    async with world.reading() as records:
        while values != [True, False]:
            each = await records.getone()
            if each.key == record.encode():
                values.append(each.value is not None)


async def publish(world: World) -> None:
    """Publish two people, a template and, as Sales, two contacts of the account."""
    for name, role in (("cleo", "signatory"), ("cy", "approver")):
        await world.say(contact(name, "acme", "sponsor", role), about=name)
    for person, roles in (("mara", ["engagement-manager", "architect"]), ("dev", ["architect"])):
        record = {"name": person.title(), "department": "delivery", "roles": roles}
        await world.do(f"/people/{person}/publish-person", record, by=PAT)
    web = TEMPLATE.model_dump(mode="json", exclude={"template", "effective_from"})
    await world.do("/templates/web/publish-template", web, by=PAT)


async def submit_week(world: World, person: str, by: str, entry: dict[str, Any]) -> None:
    """Save and submit a time entry on this week's timesheet of a person."""
    sheet = f"/timesheets/{person}.{MONDAY}"
    line = {"engagement": world.engagement, "entries": [entry]}
    await world.do(f"{sheet}/save-timesheet", {"engagements": [line]}, by=by)
    await world.do(f"{sheet}/submit-timesheet", by=by)


def signed_on(day: date) -> Event:
    return SOW_SIGNED.model_copy(update={"signed_on": day})


async def test_an_engagement_goes_from_its_manager_to_its_close(world: World) -> None:
    refused(await world.ask("go-live", about="E-0000000000099", wait=0), 404, "unknown-stream")
    await publish(world)
    await world.say(OPENED, REQUESTED)
    await until_done(world, "assign-manager", {"manager": "mara"}, by=PAT)
    estimate = await until_done(
        world, "submit-estimate", {"template": "web", "duration_days": 100}, by=DEV
    )
    assert estimate["state"]["estimates"][0]["hours"] == "270"
    await world.do("endorse-estimate", {"version": 1})
    await world.say(PRICED, PROPOSED, WON, SOW)
    await world.do("review-sow", {"version": 1, "verdict": "approved"})

    kickoff = {"attendees": ["mara", "cleo"]}
    early = refused(await world.ask("hold-kickoff", kickoff, wait=0), 409, "work-not-released")
    assert owed(early) == {"sow-not-signed": "legal"}
    plan = {"template": "web", "starts_on": str(TODAY)}
    drafted = (await world.do("draft-plan", plan))["state"]["plan"]["draft"]["tasks"]
    tasks = {each["title"]: each["task"] for each in drafted}
    assert len(tasks) == 5
    # A command that comes too early is decided again when the events it needs are consumed.
    begun = asyncio.create_task(world.ask("submit-brd", {"content": "Orders come in."}))
    assert (await begun).status_code == 200
    await world.do("sign-off-brd", {"version": 1, "signed_by": "cleo"})
    await world.do("baseline-plan", {"version": 1})
    beginning = asyncio.create_task(world.ask("hold-kickoff", kickoff))
    await world.say(signed_on(PAST), BUDGET)
    assert (await beginning).status_code == 200

    task = tasks["Requirements"]
    hours = {"role": "architect", "task": task, "day": str(TODAY), "hours": "8.5"}
    week = {"week": str(MONDAY)}
    await submit_week(world, "dev", DEV, hours)
    await world.do("approve-time", {"person": "dev", **week})
    await submit_week(world, "mara", MARA, hours)
    assert [each["person"] for each in (await world.view())["time"]["waiting"]] == ["mara"]
    own = {"person": "mara", **week}
    refused(await world.ask("approve-time", own, wait=0), 409, "approver-is-author")
    await world.do("reject-time", {**own, "why": "Twice."}, by=PAT)
    coded = {"task": tasks["Code"], "complete": 10, "remaining_hours": 180}
    await world.do("progress-task", coded)

    await world.do("request-change", {"change": "CR-1", "requested_by": "cleo", "description": "."})
    assessed = await world.do(
        "assess-change",
        {"change": "CR-1", "days": 5, "risk": "Little."}
        | {
            "changes": [
                {
                    "line": "desk",
                    "deliverables_removed": ["design"],
                    "deliverables_added": [{"deliverable": "manual", "title": "The manual"}],
                }
            ]
        },
    )
    await world.say(
        CHANGE_PRICED,
        knowing={"delivery": assessed["position"]["delivery"]},
    )
    await world.do("approve-change", {"change": "CR-1", "approved_by": "cleo"})
    unbuilt = await world.ask("implement-change", {"change": "CR-1"}, wait=0)
    assert owed(refused(unbuilt, 409, "change-not-released")) == {
        "amendment-not-signed": "legal",
        "plan-not-rebaselined": "delivery",
        "budget-not-amended": "finance",
    }
    await world.say(
        AMENDMENT_DRAFTED,
        AMENDMENT_SIGNED.model_copy(update={"signed_on": PAST}),
        BUDGET_AMENDED,
    )
    await world.do("draft-plan", plan)
    await world.do("baseline-plan", {"version": 2, "changes": ["CR-1"]})
    await world.do("implement-change", {"change": "CR-1"})

    sent = await world.do("submit-deliverable", {"deliverable": "portal", "content": "1"}, by=DEV)
    (portal,) = (each for each in sent["state"]["deliverables"] if each["deliverable"] == "portal")
    place = f"/engagements/{world.engagement}/documents"
    kept = await world.get(f"{place}/{portal['content_hash']}")
    assert f"sha256:{sha256(kept.content).hexdigest()}" == portal["content_hash"]
    assert kept.json()["content"]["text"] == "1"
    unknown = {"deliverable": "portal", "content_hash": f"sha256:{'f' * 64}"}
    refused(await world.ask("submit-deliverable", unknown, by=DEV, wait=0), 409, "document-unknown")
    rejection = {"deliverable": "portal", "submission": 1, "rejected_by": "cleo", "why": "No."}
    await world.do("reject-deliverable", rejection)
    await world.do("submit-deliverable", {"deliverable": "portal", "content": "2"}, by=DEV)
    accept = {"submission": 2, "accepted_by": "cleo"}
    await world.do("accept-deliverable", {"deliverable": "portal"} | accept)
    await world.do("submit-deliverable", {"deliverable": "manual", "content": "1"}, by=DEV)
    await world.do("accept-deliverable", {"deliverable": "manual"} | accept | {"submission": 1})

    unfinished = await world.ask("close-engagement", wait=0)
    assert set(owed(refused(unfinished, 409, "engagement-not-closable"))) == {
        "account-not-settled",
        "pir-not-held",
        "survey-not-sent",
    }
    await world.do("go-live")
    await world.do("send-survey", {"survey": "S-1", "kind": "nps", "phase": "Build"})
    answer = {"survey": "S-1", "answered_by": "cleo", "recommend": 9}
    await world.do("answer-survey", answer)
    await world.do("hold-pir", {"went_well": ["The team"], "went_badly": []})
    closing = asyncio.create_task(world.ask("close-engagement"))
    await world.say(SETTLED)
    assert (await closing).json()["state"]["stage"] == "closed"

    view = await world.view()
    assert view["closed"]["sold_hours"] == "270"
    assert view["closed"]["delivered_hours"] == "8.5"
    published = await world.events(len(TYPES))
    assert [each.event.type for each in published] == [
        f"concord.delivery.{name}.v1" for name in TYPES
    ]
    assert [each.sequence for each in published] == list(range(1, len(TYPES) + 1))


async def test_people_are_published_erased_and_released(world: World) -> None:
    await publish(world)
    await world.say(OPENED)
    await until_done(world, "assign-manager", {"manager": "mara"}, by=PAT)
    wanted = {"request": "RQ-1", "role": "architect", "hours": 40}
    await world.do(
        "request-resource", wanted | {"starts_on": str(TODAY), "finishes_on": str(TODAY)}
    )
    await until_done(world, "allocate-resource", {"request": "RQ-1", "person": "dev"}, by=MARA)
    await world.say(TERMINATED)
    assert (await world.view())["resources"][0]["allocated"] == []
    [released] = await world.events(of=ResourceReleased)
    assert released.actor == "delivery"

    headers = {**bearer(PAT), "Idempotency-Key": "erase"}
    assert (await world.client.delete("/people/dev", headers=headers)).status_code == 204
    assert (await world.get("/people/dev", by=PAT)).status_code == 404
    await erased(world, "person:dev@1")


async def test_commands_that_are_refused_change_nothing(world: World) -> None:
    await world.say(OPENED)
    before = await world.view()
    refused(await world.ask("assign-manager", {"manager": "mara"}), 403, "not-allowed")
    week = {"person": "dev", "week": str(MONDAY)}
    refused(await world.ask("approve-time", week, by=DEV), 403, "not-allowed")
    for wrong in (
        {},
        week | {"week": str(MONDAY + timedelta(days=1))},
        week | {"person": "a b"},
        week | {"entry": "T-1"},
    ):
        refused(await world.ask("approve-time", wrong), 422, "invalid-input")
    spent = {"description": "Train", "category": "travel", "spent_on": str(MONDAY)}
    for amount in ("-1", "NaN", "1e400", "0"):
        body = {**spent, "amount": {"amount": amount, "currency": "EUR"}}
        refused(await world.ask("submit-expense", body), 422, "invalid-input")
    request = {"role": "architect", "hours": 1, "starts_on": "2026-05-02"}
    backwards = request | {"finishes_on": "2026-05-01"}
    refused(await world.ask("request-resource", backwards), 422, "invalid-input")
    kickoff = {"attendees": ["mara"]}
    refused(await world.ask("hold-kickoff", kickoff, wait=0), 409, "work-not-released")
    assert await world.view() == before
