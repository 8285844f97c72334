"""Test commands on behalf of another person: who may give them, and under which header."""

from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from httpx import ASGITransport, AsyncClient

from chassis.application.command_handler import Answer
from chassis.domain.commands import Command, NotAllowed
from chassis.domain.context import Context
from chassis.domain.reference import Record
from chassis.domain.stand_ins import require_stand_in
from chassis.domain.stream import Stream
from chassis.web import problems, request
from chassis.web.auth import Caller, Guard
from chassis.web.problems import Problem
from chassis.web.reference_routes import ReferenceRoutes
from contracts.reference import LeavePublished, StandIn, StandInsPublished
from contracts.roles import COMPANY
from delivery.service import LEAVE
from testkit.matchers import RecordsOf

JULY_1, JULY_14 = date(2026, 7, 1), date(2026, 7, 14)
MARA = StandInsPublished(
    person="mara",
    stand_ins=(
        StandIn(stand_in="max", first=JULY_1, last=JULY_14, purpose="approvals"),
        StandIn(stand_in="dev", first=JULY_1, last=JULY_14, purpose="time"),
    ),
)


def acting(actor: str, person: str | None = "mara", day: date = JULY_1) -> Context:
    moment = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return Context(
        actor=actor,
        occurred_at=moment,
        recorded_at=moment,
        cause="test",
        reference_data=RecordsOf([MARA]),
        new_event_id=lambda: "event-1",
        on_behalf_of=person,
    )


def test_a_stand_in_acts_from_the_first_to_the_last_day() -> None:
    for day in (JULY_1, JULY_14):
        require_stand_in(acting("max", day=day), "approvals")
    for day in (date(2026, 6, 30), date(2026, 7, 15)):
        with pytest.raises(NotAllowed, match="not recorded as a stand-in of mara"):
            require_stand_in(acting("max", day=day), "approvals")


def test_a_stand_in_acts_for_one_person_and_purpose() -> None:
    require_stand_in(acting("dev"), "time")
    for refused in (acting("dev"), acting("other"), acting("max", "pat")):
        with pytest.raises(NotAllowed):
            require_stand_in(refused, "approvals")
    with pytest.raises(NotAllowed):
        require_stand_in(acting("max"), "time")


def test_a_record_is_in_force_from_its_day() -> None:
    later = MARA.model_copy(update={"stand_ins": (), "effective_from": date(2026, 7, 10)})
    withdrawn = RecordsOf([MARA, later])
    before = replace(acting("max", day=date(2026, 7, 9)), reference_data=withdrawn)
    require_stand_in(before, "approvals")
    after = replace(acting("max", day=date(2026, 7, 10)), reference_data=withdrawn)
    with pytest.raises(NotAllowed):
        require_stand_in(after, "approvals")


def test_a_person_acts_for_themselves_without_a_record() -> None:
    alone = acting("max", None)
    require_stand_in(alone, "approvals")
    assert (alone.acting_for, {*alone.acting}) == ("max", {"max"})
    both = acting("max")
    assert (both.acting_for, {*both.acting}) == ("mara", {"max", "mara"})


def test_a_caller_who_is_no_stand_in_is_forbidden() -> None:
    with pytest.raises(NotAllowed) as refused:
        require_stand_in(acting("other"), "approvals")
    answer = problems.translated(refused.value)
    assert (answer.status_code, answer.code) == (403, "stand-in-not-recorded")


def test_the_header_names_another_person() -> None:
    caller = Caller("max", frozenset())
    assert request.represented(None, caller) is None
    assert request.represented("mara", caller) == "mara"
    for wrong in ("", "max", "mara@example.com", "a b", "x" * 65):
        with pytest.raises(Problem) as refused:
            request.represented(wrong, caller)
        assert refused.value.status_code == 422


# ---- over HTTP --------------------------------------------------------------------------------


class Handler:
    """Command handler that accepts commands, unless the actor is no stand-in by `MARA`."""

    def __init__(self) -> None:
        self.seen: list[Context] = []

    async def command(self, kind: str, subject: str, command: Command, **given: Any) -> Answer:
        context = replace(
            acting(given["actor"], given["on_behalf_of"]),
            roles=given["roles"],
        )
        require_stand_in(context, "approvals")
        self.seen.append(context)
        return Answer(Stream(f"{kind}:{subject}", Record[LeavePublished](id=subject)), ())


class NoRequests:
    """Requests between streams, of which there are none."""

    async def settle(self, answer: Answer) -> Answer:
        return answer


class AnyToken:
    """Check of tokens that takes the token for the caller's id."""

    async def caller(self, token: str) -> Caller:
        return Caller(token, frozenset({"consultant"}))


async def test_the_header_reaches_the_decision_with_the_callers_roles() -> None:
    handler = Handler()
    app = FastAPI()
    app.state.container = SimpleNamespace(
        commands=handler, requests=NoRequests(), waits_for=None, reference_data=RecordsOf([])
    )
    app.state.tokens, app.state.body_limit, app.state.wait_limit = AnyToken(), 10_000, 0.0
    routes = ReferenceRoutes(LEAVE, path="leave", seen_by=COMPANY, listed=("person",))
    app.include_router(routes.router())
    problems.install(app)
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:

        async def send(caller: str, **headers: str) -> httpx.Response:
            sent = {"Authorization": f"Bearer {caller}", "Idempotency-Key": "k", **headers}
            return await client.post("/leave/dev/publish-leave", json={}, headers=sent)

        for_mara = {"Concord-On-Behalf-Of": "mara"}
        assert (await send("max")).status_code == 200
        assert (await send("max", **for_mara)).status_code == 200
        refused = await send("other", **for_mara)
    assert (refused.status_code, refused.json()["code"]) == (403, "stand-in-not-recorded")
    seen = [(each.actor, each.on_behalf_of, {*each.roles}) for each in handler.seen]
    assert seen == [("max", None, {"consultant"}), ("max", "mara", {"consultant"})]


async def test_a_stand_in_without_the_role_of_the_command_learns_that_they_need_it() -> None:
    async def refused(*headers: tuple[bytes, bytes]) -> str:
        app = SimpleNamespace(state=SimpleNamespace(tokens=AnyToken()))
        sent = [(b"authorization", b"Bearer max"), *headers]
        with pytest.raises(Problem) as problem:
            await Guard("pmo-director")(Request({"type": "http", "headers": sent, "app": app}))
        assert (problem.value.status_code, problem.value.code) == (403, "not-allowed")
        return problem.value.detail

    own = "this needs one of the roles pmo-director"
    assert await refused() == own
    acting = await refused((b"concord-on-behalf-of", b"mara"))
    assert acting == f"{own}; who acts on behalf of another person needs the role, too"
