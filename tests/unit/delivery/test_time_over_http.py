"""Time and expenses over HTTP: answers show what became of them; one request decides for many."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import count
from types import SimpleNamespace
from typing import Any, cast

import httpx
from fastapi import FastAPI

from chassis.application.command_handler import Answer
from chassis.application.event_handler import StreamEventHandler
from chassis.base.settings import LOCAL_ISSUER
from chassis.eventstore.paging import Page, Row
from chassis.eventstore.snapshots import Known
from chassis.runtime.service import create_app
from chassis.web.auth import issue
from contracts.delivery import MOST_TASKS
from contracts.reference import Reference
from contracts.roles import Role
from delivery.service import ENGAGEMENT, EXPENSE, SERVICE, TIMESHEET
from delivery.time_entries.decisions import ApproveTime
from testkit.matchers import RecordsOf, recorded_as
from tests.component.sample_app import SECRET, settings
from tests.unit.chassis.documents_in_memory import MemoryDocuments
from tests.unit.chassis.requests_in_memory import Process, Shared
from tests.unit.delivery.builders import (
    BASELINED,
    ID,
    OPENED,
    PEOPLE,
    SOW,
    SOW_SIGNED,
    WEEK,
    WON,
    released,
)

OTHER, GHOST = "E-0000000000002", "E-0000000000003"
SHEET = f"/timesheets/dev.{WEEK}"
NOW = datetime(2026, 4, 12, 9, tzinfo=UTC)
APPROVE = {"person": "dev", "week": str(WEEK)}


class Documents(Shared):
    """The documents of a journal that answers at once."""

    async def turn(self) -> None: ...


class Lists:
    """The lists of the streams in a journal, as they are now."""

    def __init__(self, journal: Shared) -> None:
        self._journal = journal

    async def page(
        self,
        kind: str,
        *,
        filters: Mapping[str, Sequence[object]],
        any_of: Mapping[str, Sequence[object]] | None = None,
        **_: object,
    ) -> Page:
        """Return all rows of a kind that match, in the order of their subjects."""
        names = sorted({each["stream"] for each in self._journal.documents})
        decider = self._journal.deciders[kind]
        found = []
        for subject in (each.partition(":")[2] for each in names if each.startswith(f"{kind}:")):
            row = decider.rows(self._journal.known(kind, subject).stream.state)
            limits = any_of.items() if any_of else ()
            if all(row[field] in values for field, values in filters.items()) and (
                not any_of or any(row[field] in values for field, values in limits)
            ):
                found.append(Row(subject, row))
        return Page(tuple(found), None)


@cache
def application() -> FastAPI:
    """Return the application, which all tests share: making its routes takes long."""
    return create_app(SERVICE, settings())


class Delivery:
    """The Delivery service on a journal in memory, with two engagements under contract."""

    def __init__(self, *records: Reference, now: datetime = NOW) -> None:
        known = (*PEOPLE, *records)
        self.journal = Documents(ENGAGEMENT, EXPENSE, TIMESHEET)
        self.documents = MemoryDocuments()
        process = Process(self.journal, *known, now=now, documents=self.documents)
        self.waits_for = None
        self.commands = process.commands
        self.requests: Any = process.dispatcher
        self.reference_data = RecordsOf(known)
        self.as_of = SimpleNamespace(
            of_engagement=lambda _: None, of_all=lambda: None, of_lists=lambda: None
        )
        self.views = Lists(self.journal)
        self._events: StreamEventHandler = process.events
        self._keys = count(1)

    async def open(self, name: str) -> None:
        numbers = {"sales": count(1), "legal": count(1)}
        for event in (OPENED, WON, SOW, SOW_SIGNED):
            sequence = next(numbers[event.channel.name])
            recorded = recorded_as(event, name, sequence, "ann", NOW, {})
            await self._events.handle_events(f"engagement:{name}", [recorded])

    async def upload(
        self, path: str, content: bytes, *, by: str = "dev", role: Role = "consultant"
    ) -> str:
        """Upload a file; return its hash."""
        answer = await self.request(path, content, by=by, role=role, Content_Type="image/png")
        assert answer.status_code == 201, answer.text
        content_hash: str = answer.json()["content_hash"]
        return content_hash

    async def request(
        self,
        path: str,
        body: Mapping[str, object] | bytes | None = None,
        *,
        by: str = "dev",
        role: Role = "consultant",
        key: str | None = None,
        **headers: str,
    ) -> httpx.Response:
        """Send a command or a file, or read where there is no body."""
        app = application()
        app.state.container = cast("Any", self)
        token = issue(SECRET, by, (role,), issuer=LOCAL_ISSUER, now=datetime.now(UTC))
        given = {
            "Authorization": f"Bearer {token}",
            "Idempotency-Key": key or f"k{next(self._keys)}",
        }
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://delivery", headers=given
        ) as client:
            if isinstance(body, bytes):
                return await client.post(path, content=body)
            return await (client.get(path) if body is None else client.post(path, json=body))


async def started(*records: Reference, now: datetime = NOW) -> Delivery:
    delivery = Delivery(*records, now=now)
    for name in (ID, OTHER):
        await delivery.open(name)
    return delivery


def line(name: str, *hours: str, task: str = "initiation") -> dict[str, object]:
    entries = [
        {"day": str(WEEK), "task": task, "role": "architect", "hours": each} for each in hours
    ]
    return {"engagement": name, "entries": entries}


async def submitted(*lines: Mapping[str, object]) -> Delivery:
    """Return a service with a submitted timesheet."""
    delivery = await started()
    saved = await delivery.request(f"{SHEET}/save-timesheet", {"engagements": lines})
    assert saved.status_code == 200, saved.text
    return delivery


async def test_the_answer_to_a_submission_shows_what_engagements_answered() -> None:
    delivery = await submitted(line(ID, "8"), line(GHOST, "2"))

    answers = [
        await delivery.request(f"{SHEET}/submit-timesheet", {}, key="s", Prefer=prefer)
        for prefer in ("", "return=representation", "return=minimal", "return=representation")
    ]

    short, whole = answers[0].json(), answers[1].json()
    assert [(each["stream"], each["outcome"]) for each in short["requests"]] == [
        (f"engagement:{ID}", "done"),
        (f"engagement:{GHOST}", "refused"),
    ]
    assert short["requests"][0]["refusal"] is None
    assert short["requests"][1]["refusal"]["code"] == "unknown-stream"
    taken, refused = whole["state"]["lines"]
    assert [each["status"] for each in taken["entries"]] == ["waiting"]
    assert (refused["refusal"]["code"], len(refused["draft"])) == ("unknown-stream", 1)
    assert whole["state"]["requests"] == []

    # A repeated request is answered with the same, as far as it asks for the same.
    assert short == {name: value for name, value in whole.items() if name != "state"}
    assert (answers[2].content, answers[3].content) == (answers[0].content, answers[1].content)
    assert [each.headers.get("Preference-Applied") for each in answers] == [
        None,
        "return=representation",
        "return=minimal",
        "return=representation",
    ]
    assert len({each.headers["ETag"] for each in answers}) == 1
    assert [each.headers.get("Idempotency-Replayed") for each in answers] == [None, *["true"] * 3]


def planned(tasks: int) -> Known:
    """Return the engagement in delivery with a plan of a number of tasks: `t1`, `t2` and so on."""
    (example, *_) = BASELINED.tasks
    some = tuple(example.model_copy(update={"task": f"t{each + 1}"}) for each in range(tasks))
    plan = BASELINED.model_copy(update={"version": 2, "tasks": some})
    return Known(released().published(plan).stream, open=True)


async def test_an_answer_is_as_small_with_a_large_plan() -> None:
    body = {"task": "t1", "complete": 10, "remaining_hours": 20}
    sizes = {}
    for tasks in (10, 1_000):
        delivery = Delivery()
        delivery.commands.repository.cache(planned(tasks))
        for prefer in ("return=minimal", "return=representation"):
            path = f"/engagements/{ID}/progress-task"
            answer = await delivery.request(path, body, key="p", Prefer=prefer)
            assert answer.status_code == 200, answer.text
            sizes[tasks, prefer] = len(answer.content)
    assert sizes[10, "return=minimal"] == sizes[1_000, "return=minimal"] < 1_000
    assert sizes[1_000, "return=representation"] > 100_000 > sizes[10, "return=representation"]


async def test_a_plan_has_as_many_tasks_over_http_as_by_the_contract() -> None:
    delivery = Delivery()
    delivery.commands.repository.cache(planned(10))
    (example, *_) = BASELINED.model_dump(mode="json")["tasks"]

    async def draft(tasks: int) -> httpx.Response:
        plan = [{**example, "task": f"t{each}"} for each in range(tasks)]
        return await delivery.request(
            f"/engagements/{ID}/draft-plan",
            {"template": "web", "tasks": plan},
            by="mara",
            role="engagement-manager",
        )

    assert (await draft(MOST_TASKS)).status_code == 200
    too_many = await draft(MOST_TASKS + 1)
    assert (too_many.status_code, too_many.json()["code"]) == (422, "invalid-input")


async def test_a_request_without_an_outcome_is_answered_as_pending() -> None:
    delivery = await submitted(line(ID, "8"))

    async def leave(answer: Answer) -> Answer:
        return answer

    delivery.requests = SimpleNamespace(settle=leave)
    answer = await delivery.request(f"{SHEET}/submit-timesheet", {})
    assert [(each["outcome"], each["refusal"]) for each in answer.json()["requests"]] == [
        ("pending", None)
    ]


async def test_the_time_of_many_engagements_is_approved_in_one_request() -> None:
    delivery = await submitted(line(ID, "8"), line(OTHER, "4", "2"))
    await delivery.request(f"{SHEET}/submit-timesheet", {})
    items = [{"engagement": name, "command": APPROVE} for name in (ID, GHOST, OTHER, ID)]

    async def approve(by: str = "mara", role: Role = "engagement-manager") -> httpx.Response:
        path = "/engagements/commands/approve-time"
        return await delivery.request(path, {"items": items}, by=by, role=role, key="all")

    assert (await approve(role="consultant")).status_code == 403
    own = await approve(by="dev")
    assert [each["status"] for each in own.json()["items"]] == [409, 404, 409, 409]
    answer = await approve()
    done = answer.json()["items"]
    assert [each["id"] for each in done] == [ID, GHOST, OTHER, ID]
    assert [each["status"] for each in done] == [200, 404, 200, 409]
    assert [each["problem"] and each["problem"]["code"] for each in done] == [
        None,
        "unknown-stream",
        None,
        "time-not-waiting",
    ]
    assert [event["type"] for event in done[2]["events"]] == ["concord.delivery.time-approved.v1"]
    [noted] = done[2]["requests"]
    assert (noted["command"], noted["outcome"]) == ("note-decision", "done")
    assert done[2]["position"]["delivery"] == done[2]["events"][-1]["streamsequence"]
    assert (done[1]["position"], done[1]["requests"]) == ({}, [])
    sheet = (await delivery.request(SHEET)).json()
    assert {each["status"] for one in sheet["lines"] for each in one["entries"]} == {"approved"}
    # The same request again has no second effect.
    again = (await approve()).json()["items"]
    assert [{**each, "problem": None} for each in again] == [
        {**each, "problem": None} for each in done
    ]


async def test_a_request_for_many_is_refused_whole_where_it_cannot_be_read() -> None:
    delivery = await started()
    path = "/engagements/commands/approve-time"
    for items in (
        [],
        [{"engagement": "commands", "command": APPROVE}],
        [{"engagement": ID, "command": {**APPROVE, "week": "2026-04-07"}}],
        [{"engagement": ID, "command": APPROVE, "more": 1}],
        [{"engagement": ID, "command": APPROVE}] * 201,
    ):
        answer = await delivery.request(
            path, {"items": items}, by="mara", role="engagement-manager"
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")
    one = {"items": [{"engagement": ID, "command": APPROVE}]}
    stale = await delivery.request(path, one, by="mara", role="engagement-manager", If_Match='"1"')
    assert (stale.status_code, stale.json()["errors"][0]["field"]) == (422, "If-Match")


async def test_an_approved_expense_is_reversed_in_its_own_stream() -> None:
    delivery = await started()
    spent = {
        "amount": {"amount": "12.50", "currency": "EUR"},
        "description": "Train",
        "category": "travel",
        "spent_on": str(WEEK),
    }
    submitted = await delivery.request(
        f"/engagements/{ID}/submit-expense", spent, Prefer="return=representation"
    )
    [waiting] = submitted.json()["state"]["expenses"]["waiting"]

    async def manage(path: str, body: Mapping[str, object]) -> list[dict[str, Any]]:
        answer = await delivery.request(path, body, by="mara", role="engagement-manager")
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["requests"]
        return found

    expense = f"/expenses/{ID}.{waiting['expense']}"
    assert (await delivery.request(expense)).status_code == 404
    approve = {"expense": waiting["expense"]}
    [kept] = await manage(f"/engagements/{ID}/approve-expense", approve)
    assert (kept["command"], kept["outcome"]) == ("keep-expense", "done")
    approved = (await delivery.request(expense)).json()
    assert (approved["status"], approved["expense"]["person"]) == ("approved", "dev")
    [back] = await manage(f"{expense}/reverse-expense", {"why": "Twice."})
    assert (back["command"], back["outcome"]) == ("take-back-expense", "done")
    reversed_one = (await delivery.request(expense)).json()
    assert (reversed_one["status"], reversed_one["why"]) == ("reversed", "Twice.")
    seen = (await delivery.request(f"/engagements/{ID}", role="engagement-manager")).json()
    assert seen["expenses"] == {"waiting": [], "waiting_number": 0, "approved": []}


async def test_a_timesheet_is_read_by_the_person_and_managers() -> None:
    delivery = await submitted(line(ID, "8"))
    assert (await delivery.request(SHEET)).json()["person"] == "dev"
    assert (await delivery.request(SHEET, by="mara", role="engagement-manager")).status_code == 200
    for path in (SHEET, f"/timesheets/mara.{WEEK}"):
        hidden = await delivery.request(path, by="milo")
        assert (hidden.status_code, hidden.json()["code"]) == (403, "timesheet-not-own")
    assert (await delivery.request(f"/timesheets/milo.{WEEK}", by="milo")).status_code == 404
    assert (await delivery.request("/timesheets/dev.2026-04-07")).status_code == 422
    foreign = await delivery.request(f"{SHEET}/submit-timesheet", {}, by="milo")
    assert (foreign.status_code, foreign.json()["code"]) == (403, "timesheet-not-own")


async def test_a_timesheet_shows_which_entries_nothing_covers_now() -> None:
    delivery = await submitted(line(ID, "8"), line(OTHER, "4", task="unheard-of"), line(GHOST, "1"))
    assert (await delivery.request(SHEET)).json()["uncovered"] == [], "drafts are not judged"
    whole = "return=representation"
    answer = await delivery.request(f"{SHEET}/submit-timesheet", {}, Prefer=whole)

    [uncovered] = answer.json()["state"]["uncovered"]
    assert (uncovered["engagement"], uncovered["day"], uncovered["hours"]) == (
        OTHER,
        str(WEEK),
        "4",
    )
    assert [each["code"] for each in uncovered["missing"]] == ["task-unknown"]
    seen = await delivery.request(SHEET)
    assert seen.json()["uncovered"] == [uncovered]
    # It changes without an event of the sheet, so the number of the sheet does not identify it.
    again = await delivery.request(SHEET, If_None_Match=seen.headers["ETag"])
    assert again.status_code == 200
    rejection = {**APPROVE, "why": "What is it?"}
    path = f"/engagements/{OTHER}/reject-time"
    await delivery.request(path, rejection, by="mara", role="engagement-manager")
    assert (await delivery.request(SHEET)).json()["uncovered"] == []


async def test_the_list_of_timesheets_has_those_that_a_person_may_see() -> None:
    delivery = await submitted(line(ID, "8"))
    line_of_milo = {"engagements": [line(ID, "4")]}
    await delivery.request(f"/timesheets/milo.{WEEK}/save-timesheet", line_of_milo, by="milo")

    async def listed(query: str = "", by: str = "dev", role: Role = "consultant") -> list[str]:
        answer = await delivery.request(f"/timesheets{query}", by=by, role=role)
        assert answer.status_code == 200, answer.text
        return [each["person"] for each in answer.json()["rows"]]

    manager: Role = "engagement-manager"
    assert await listed() == ["dev"]
    assert await listed(by="milo") == ["milo"]
    assert await listed("?person=milo") == []
    assert await listed("?person=dev&person=milo") == ["dev"]
    assert await listed("?is_waiting=true") == []
    assert await listed(by="mara", role=manager) == ["dev", "milo"]
    assert await listed("?person=dev", by="mara", role=manager) == ["dev"]
    refused = await delivery.request("/timesheets?persn=dev")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "persn")
    assert (await delivery.request("/timesheets", role="counsel")).status_code == 403


async def test_the_view_of_an_engagement_shows_whose_time_a_person_may_see() -> None:
    entries = [each for task in ("initiation", "t-9") for each in entries_of(task)]
    delivery = await submitted({"engagement": ID, "entries": entries})
    await delivery.request(f"{SHEET}/submit-timesheet", {})
    for by, role, whose in (
        ("dev", "consultant", ["dev"]),
        ("milo", "consultant", []),
        ("vera", "executive", []),
        ("mara", "engagement-manager", ["dev"]),
        ("vera", "vp-engagement-management", ["dev"]),
    ):
        view = (await delivery.request(f"/engagements/{ID}", by=by, role=role)).json()  # type: ignore[arg-type]
        seen = view["time"]
        assert [each["person"] for each in seen["waiting"]] == whose, (by, role)
        assert seen["waiting_hours"] == "8"
        items = [each for each in view["work"] if each["code"] == "time-waiting"]
        assert [each["owed_to"]["person"] for each in items] == whose, (by, role)
        unknown = [each["sentence"] for each in view["work"] if each["code"] == "task-unknown"]
        assert [each.partition(":")[0] for each in unknown] == [
            f"4 hours of {each} cannot be billed" for each in whose
        ], (by, role)
        [gate] = (each for each in view["gates"]["closing"] if each["code"] == "time-waiting")
        named = "8 hours of dev" if whose else "time of others"
        assert gate["sentence"] == f"2 time entries wait for approval: {named}", (by, role)


def entries_of(task: str) -> list[object]:
    return cast("list[object]", line(ID, "4", task=task)["entries"])


async def test_a_withdrawal_that_is_overtaken_in_part_says_what_came_back() -> None:
    delivery = await submitted(line(ID, "5", "3"))
    await delivery.request(f"{SHEET}/submit-timesheet", {})
    [sheet_line] = (await delivery.request(SHEET)).json()["lines"]
    first, second = (each["entry"] for each in sheet_line["entries"])
    # The engagement approves one entry, and the timesheet does not know it yet.
    approve = ApproveTime(person="dev", week=WEEK, entries=(first,))
    await delivery.commands.command("engagement", ID, approve, actor="mara", key="a")

    answers = [await delivery.request(f"{SHEET}/withdraw-timesheet", {}, key="w") for _ in range(2)]

    [outcome] = answers[0].json()["requests"]
    assert (outcome["outcome"], outcome["refusal"]) == ("done-in-part", None)
    assert outcome["in_part"] == (
        f"drafts again: {second} of {WEEK};"
        f" not withdrawn: {first} of {WEEK}, which was approved or rejected before"
    )
    assert answers[1].content == answers[0].content
    other = await submitted(line(ID, "5", "3"))
    await other.request(f"{SHEET}/submit-timesheet", {})
    whole = await other.request(f"{SHEET}/withdraw-timesheet", {})
    assert [(each["outcome"], each["in_part"]) for each in whole.json()["requests"]] == [
        ("done", None)
    ]
