"""A department's answers show nothing of confidential channels to a caller without the role."""

from datetime import UTC, datetime
from itertools import count
from types import SimpleNamespace
from typing import Any, cast

import httpx

from chassis.application.command_handler import Answer, CommandHandler
from chassis.application.event_handler import StreamEventHandler
from chassis.application.repository import ContextFactory, Repository
from chassis.base.settings import LOCAL_ISSUER
from chassis.eventstore.journal import Journal
from chassis.eventstore.snapshots import Snapshots
from chassis.runtime.service import create_app
from chassis.web.auth import issue
from contracts.event import Event
from contracts.reference import Reference
from contracts.roles import Role
from finance.service import ENGAGEMENT, SERVICE
from testkit.matchers import RecordsOf, recorded_as
from tests.component.sample_app import SECRET, settings
from tests.unit.chassis.requests_in_memory import MemoryJournal, NoSnapshots, Shared
from tests.unit.finance.builders import CARD, COSTS, ESTIMATE, ID, OPENED, time

PATH = f"/engagements/{ID}"
STREAM = ENGAGEMENT.stream(ID)
NOW = datetime(2026, 4, 24, 9, tzinfo=UTC)
SEES: tuple[Role, ...] = ("confidential",)


class Documents(Shared):
    """The documents of a journal that answers at once."""

    async def turn(self) -> None: ...


class Finance:
    """The Finance service on a journal in memory."""

    def __init__(self) -> None:
        self._documents = Documents(ENGAGEMENT)
        self._ids = count(1)
        self._sequences = {"sales": count(1), "delivery": count(1)}
        self.waits_for = None
        self.requests = self
        self.as_of = SimpleNamespace(of_engagement=lambda _: None)
        self.restart(CARD)

    def restart(self, *records: Reference) -> None:
        """Start again with other reference data, and with nothing in the cache."""
        repository = Repository(
            [ENGAGEMENT],
            cast("Journal", MemoryJournal(self._documents)),
            cast("Snapshots", NoSnapshots(self._documents)),
            now=lambda: NOW,
        )
        contexts = ContextFactory(RecordsOf(records), lambda: NOW, lambda: f"e-{next(self._ids)}")
        self.commands = CommandHandler(repository, contexts)
        self._events = StreamEventHandler(repository, contexts)

    async def consume(self, *events: Event) -> None:
        for event in events:
            sequence = next(self._sequences[event.channel.name])
            recorded = recorded_as(event, ID, sequence, "ann", NOW, {})
            await self._events.handle_events(STREAM, [recorded])

    async def settle(self, answer: Answer) -> Answer:
        return answer

    def last_commit(self) -> tuple[int, set[str]]:
        """Return the number of the last commit and the channels of its events."""
        commit = self._documents.commits(STREAM)[-1]
        return commit.number, {each.channel for each in commit.events}

    async def request(
        self, *roles: Role, command: str = "", key: str = "k", **headers: str
    ) -> httpx.Response:
        """Read the engagement, or give a command without fields, as a caller with these roles."""
        app = create_app(SERVICE, settings())
        app.state.container = cast("Any", self)
        who = ("project-accountant", *roles)
        token = issue(SECRET, "petra", who, issuer=LOCAL_ISSUER, now=datetime.now(UTC))
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://finance", headers=headers
        ) as client:
            if command:
                return await client.post(f"{PATH}/{command}", json={})
            return await client.get(PATH)


async def costed_later() -> Finance:
    """Return Finance with an engagement whose last commit has confidential events only."""
    finance = Finance()
    await finance.consume(OPENED, ESTIMATE, time("a"))
    finance.restart(CARD, COSTS)
    await finance.request(command="catch-up", key="first")
    await finance.consume(time("b"))
    finance.restart(CARD)
    await finance.consume(time("c"))
    finance.restart(CARD, COSTS)
    before = finance.last_commit()[0]
    await finance.request("confidential", command="catch-up", key="second")
    assert finance.last_commit() == (before + 1, {"finance.confidential"})
    return finance


async def test_a_reader_without_the_role_sees_no_confidential_channel_in_positions() -> None:
    finance = await costed_later()
    hidden, known = await finance.request(), await finance.request("confidential")
    assert (
        known.headers["Concord-Position"] == "delivery=4,finance=1,finance.confidential=4,sales=1"
    )
    assert hidden.headers["Concord-Position"] == "delivery=4,finance=1,sales=1"


async def test_confidential_commits_do_not_change_the_etag_of_other_readers() -> None:
    finance = await costed_later()
    before = {role: await finance.request(*role) for role in ((), SEES)}
    finance.restart(CARD)
    await finance.consume(time("d"))
    later = await finance.request()
    finance.restart(CARD, COSTS)

    answer = await finance.request("confidential", command="catch-up", key="third")

    assert {each["channel"] for each in answer.json()["events"]} == {"finance.confidential"}
    assert later.headers["ETag"] != before[()].headers["ETag"]
    after = await finance.request()
    assert (after.headers["ETag"], after.text) == (later.headers["ETag"], later.text)
    known = await finance.request("confidential")
    assert known.headers["ETag"] == f'"{answer.json()["number"]}"'
    assert int(known.headers["ETag"][1:-1]) > int(after.headers["ETag"][1:-1])
    finance.restart(CARD, COSTS)
    assert (await finance.request()).headers["ETag"] == after.headers["ETag"], "after a replay"


async def test_the_answer_to_a_command_has_only_what_the_caller_may_see() -> None:
    finance = await costed_later()
    finance.restart(CARD)
    await finance.consume(time("d"))
    read = await finance.request()
    finance.restart(CARD, COSTS)

    for wanted in ("minimal", "representation"):  # the second one repeats the request
        answer = await finance.request(command="catch-up", key="third", Prefer=f"return={wanted}")
        assert (
            answer.json().get("state") == {"minimal": None, "representation": read.json()}[wanted]
        )
        assert answer.json()["events"] == []
        assert answer.json()["position"] == {"delivery": 5, "finance": 1, "sales": 1}
        assert answer.json()["number"] == int(read.headers["ETag"][1:-1])
        assert answer.headers["ETag"] == read.headers["ETag"]
        assert "confidential" not in answer.text + answer.headers["Concord-Position"]
    assert finance.last_commit()[1] == {"finance.confidential"}


async def test_if_match_accepts_the_number_that_the_caller_was_given() -> None:
    finance = await costed_later()
    number = {role: (await finance.request(*role)).headers["ETag"] for role in ((), SEES)}
    assert number[()] != number[SEES]
    for role in ((), SEES):
        other = number[() if role else SEES]
        right = await finance.request(*role, command="catch-up", If_Match=number[role])
        wrong = await finance.request(*role, command="catch-up", If_Match=other)
        assert (right.status_code, wrong.status_code) == (200, 412)
        shown = wrong.json()["detail"]
        assert f"at {number[role][1:-1]}, not at {other[1:-1]}" in shown


async def test_a_request_without_the_role_does_not_wait_for_confidential_events() -> None:
    finance = await costed_later()
    after = {"Concord_After": "finance.confidential=999", "Prefer": "wait=1"}
    for command in ("", "catch-up"):
        assert (await finance.request(command=command, **after)).status_code == 200
        assert (await finance.request(*SEES, command=command, **after)).status_code == 504


async def test_a_snapshot_keeps_both_numbers() -> None:
    finance = await costed_later()
    known = await finance.commands.repository.current(STREAM)
    assert (known.stream.number, known.stream.open_number) == (7, 5)
    snapshots = Snapshots(cast("Any", None), {"engagement": ENGAGEMENT})
    read = snapshots.read(snapshots.document(known)).stream
    assert (read.number, read.open_number) == (7, 5)
