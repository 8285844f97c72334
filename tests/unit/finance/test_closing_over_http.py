"""A controller closes a month over HTTP, with bad input and requests that come twice."""

import csv
from collections.abc import Mapping
from datetime import UTC, date, datetime
from io import StringIO
from itertools import count
from types import SimpleNamespace
from typing import Any, cast

import httpx

from chassis.application.event_handler import StreamEventHandler
from chassis.base.settings import LOCAL_ISSUER
from chassis.runtime.service import create_app
from chassis.web.auth import issue
from contracts.event import Event
from contracts.reference import Reference
from contracts.roles import Role
from finance.service import ENGAGEMENT, LEDGER, LEDGER_GROUP, NUMBER_SERIES, SERVICE
from testkit.matchers import RecordsOf, recorded_as
from tests.accounts import ACCOUNTS
from tests.component.sample_app import SECRET, settings
from tests.invoices import SELLER
from tests.unit.chassis.requests_in_memory import Process, Shared
from tests.unit.finance.builders import COSTS, ID, OPENED, WON, exchange, time

OTHER = "E-0000000000002"
LEDGERS = "/ledgers/us"
NOW = datetime(2026, 6, 3, 9, tzinfo=UTC)
APRIL = {"month": "2026-04"}
SEEING: tuple[Role, ...] = ("controller", "confidential")


class Documents(Shared):
    """The documents of a journal that answers at once."""

    async def turn(self) -> None: ...


class Finance:
    """The Finance service on a journal in memory, with two engagements of one company."""

    def __init__(self, *more: Reference) -> None:
        shared = Documents(ENGAGEMENT, LEDGER, LEDGER_GROUP, NUMBER_SERIES)
        process = Process(shared, COSTS, SELLER, *more, now=NOW)
        self.waits_for = None
        self.commands, self.requests = process.commands, process.dispatcher
        self.reference_data = RecordsOf([COSTS, SELLER, *more])
        self.as_of = SimpleNamespace(of_engagement=lambda _: None, of_all=lambda: None)
        self._events: StreamEventHandler = process.events
        self._app = create_app(SERVICE, settings())
        self._app.state.container = cast("Any", self)
        self._keys = count(1)
        self._numbers: dict[tuple[str, str], int] = {}

    async def tell(self, name: str, *events: Event) -> None:
        for event in events:
            key = name, event.channel.name
            self._numbers[key] = self._numbers.get(key, 0) + 1
            recorded = recorded_as(event, name, self._numbers[key], "ann", NOW, {})
            await self._events.handle_events(f"engagement:{name}", [recorded])
        await self.settle()

    async def settle(self) -> None:
        """Carry out what is pending, as a running service does by itself."""
        for _ in range(3):
            for stream in (f"engagement:{ID}", f"engagement:{OTHER}"):
                await self.requests.finish(stream)
            for stream in ("ledger:us", "ledger-group:us.1"):
                await self.requests.finish(stream)

    async def request(
        self,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        by: str = "dora",
        roles: tuple[Role, ...] = ("controller",),
        key: str | None = None,
    ) -> httpx.Response:
        """Send a command, or read where there is no body."""
        token = issue(SECRET, by, roles, issuer=LOCAL_ISSUER, now=datetime.now(UTC))
        given = {
            "Authorization": f"Bearer {token}",
            "Idempotency-Key": key or f"k{next(self._keys)}",
        }
        transport = httpx.ASGITransport(app=self._app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://finance", headers=given
        ) as client:
            answer = await (client.get(path) if body is None else client.post(path, json=body))
        await self.settle()
        return answer


async def working() -> Finance:
    """Return a service with two engagements without a contract; the work of one has no cost."""
    finance = Finance(exchange("1.25", date(2026, 1, 2)))
    for name in (ID, OTHER):
        await finance.tell(name, OPENED, WON)
    await finance.tell(ID, time("a", hours=8, billable=False))
    await finance.tell(OTHER, time("b", "wizard", hours=2, billable=False))
    return finance


async def month(finance: Finance, *roles: Role) -> dict[str, Any]:
    answer = await finance.request(LEDGERS, roles=("controller", *roles))
    found: dict[str, Any] = answer.json()["months"][-1]
    return found


async def test_a_controller_closes_a_month() -> None:
    finance = await working()
    started = await finance.request(f"{LEDGERS}/start-closing", APRIL)
    assert started.status_code == 200, started.text
    assert (await month(finance))["open"] == {}
    ledger = (await finance.request(LEDGERS, roles=SEEING)).json()
    assert ledger["open_in_confidence"] == {"1": 1}
    group = (await finance.request("/ledger-groups/us.1", roles=SEEING)).json()
    assert group["engagements"] == [ID, OTHER]
    assert (group["open_items"], [*group["confidential_open_items"]]) == ({}, [OTHER])
    [item] = group["confidential_open_items"][OTHER]["items"]
    sentence = "2 h of wizard on 2026-04-06 (b) have no cost"
    assert item == {"code": "work-uncosted", "sentence": sentence, "owed_by": "finance"}

    refused = await finance.request(f"{LEDGERS}/close-period", APRIL, roles=SEEING)
    assert (refused.status_code, refused.json()["code"]) == (409, "month-items-open")
    body = {**APRIL, "accept": "The rate of the wizard is agreed next month."}
    for _ in range(2):  # the same request again has no second effect
        answer = await finance.request(f"{LEDGERS}/close-period", body, roles=SEEING, key="close")
        assert answer.status_code == 200, answer.text

    closed = await month(finance)
    assert (closed["status"], closed["booked"], closed["accepted"]) == ("closed", 2, [])
    ledger = (await finance.request(LEDGERS, roles=SEEING)).json()
    assert ledger["accepted_in_confidence"] == {"2026-04": [body["accept"]]}
    assert [(each["currency"], each["hours"]) for each in closed["totals"]] == [("EUR", "10")]
    seen = await finance.request(f"/engagements/{OTHER}", roles=SEEING)
    (booked,) = seen.json()["periods"]
    assert (booked["month"], booked["hours"]) == ("2026-04", "2")
    assert seen.json()["periods_costed"][0]["margin"] is None

    # A late entry does not change what is closed.
    await finance.tell(ID, time("late", hours=4, day=date(2026, 4, 7), billable=False))
    assert await month(finance) == closed
    may = {"month": "2026-05"}
    await finance.request(f"{LEDGERS}/start-closing", may)
    await finance.request(f"{LEDGERS}/close-period", may)
    assert [(each["bookings"], each["hours"]) for each in (await month(finance))["totals"]] == [
        (2, "4")
    ]
    assert (await finance.request(LEDGERS)).json()["months"][0] == closed


async def test_the_postings_of_a_closed_month_are_released_once() -> None:
    finance = Finance(ACCOUNTS)
    for name in (ID, OTHER):
        await finance.tell(name, OPENED, WON)
        await finance.tell(name, time("a", hours=8, billable=False))
    export, path = f"{LEDGERS}/export-postings", f"{LEDGERS}/postings/2026-04"
    early = await finance.request(export, APRIL)
    assert (early.status_code, early.json()["code"]) == (409, "month-not-closed")
    await finance.request(f"{LEDGERS}/start-closing", APRIL)
    await finance.request(f"{LEDGERS}/close-period", APRIL)
    unreleased = await finance.request(path, roles=SEEING)
    assert (unreleased.status_code, unreleased.json()["code"]) == (404, "postings-not-exported")
    for by in ("dora", "carl"):
        assert (await finance.request(export, APRIL, by=by)).status_code == 200
    assert (await finance.request(LEDGERS)).json()["exported_by"] == {"2026-04": "dora"}
    assert (await finance.request(path)).status_code == 403, "costs are confidential"

    answer = await finance.request(path, roles=SEEING)
    assert answer.headers["content-type"].startswith("text/csv")
    rows = [*csv.DictReader(StringIO(answer.text))]
    assert [(each["engagement"], each["account"], each["debit"]) for each in rows] == [
        (ID, "cost", "400"),
        (ID, "cost-clearing", ""),
        (OTHER, "cost", "400"),
        (OTHER, "cost-clearing", ""),
    ]
    assert {each["base_debit"] for each in rows} == {""}, "no exchange rate is known"
    await finance.tell(ID, time("late", hours=4, day=date(2026, 4, 7), billable=False))
    assert (await finance.request(path, roles=SEEING)).text == answer.text


async def test_postings_need_the_accounts_of_the_company() -> None:
    finance = await working()
    await finance.request(f"{LEDGERS}/start-closing", APRIL)
    await finance.request(f"{LEDGERS}/close-period", APRIL)
    refused = await finance.request(f"{LEDGERS}/export-postings", APRIL)
    assert (refused.status_code, refused.json()["code"]) == (409, "account-mapping-missing")


async def test_costs_of_closed_months_need_the_right_to_see_them() -> None:
    finance = await working()
    await finance.request(f"{LEDGERS}/start-closing", APRIL)
    closed = await finance.request(f"{LEDGERS}/close-period", APRIL)
    assert closed.status_code == 200, "nothing tells that a cost is missing"
    assert "costs" not in (await finance.request(LEDGERS)).json()
    for path in ("/ledger-groups/us.1", LEDGERS, f"/engagements/{OTHER}"):
        assert "wizard" not in (await finance.request(path)).text
    answer = await finance.request(LEDGERS, roles=SEEING)
    (cost,) = answer.json()["costs"]["2026-04"]
    assert cost["cost"] == {"amount": "400", "currency": "EUR"}


async def test_bad_input_changes_nothing() -> None:
    finance = await working()
    before = (await finance.request(LEDGERS)).json()
    for command, body in (
        ("start-closing", {}),
        ("start-closing", {"month": "2026-13"}),
        ("start-closing", {"month": "2026-4"}),
        ("start-closing", {"month": 202604}),
        ("start-closing", {"month": "3000-01"}),
        ("start-closing", {**APRIL, "accept": "Why."}),
        ("close-period", {**APRIL, "accept": ""}),
        ("close-period", {**APRIL, "accept": "a\u0000b"}),
        ("close-period", {**APRIL, "accept": "x" * 201}),
        ("reopen-period", APRIL),
    ):
        answer = await finance.request(f"{LEDGERS}/{command}", body)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input"), body
    for command, body, code in (
        ("start-closing", {"month": "2026-06"}, "month-not-over"),
        ("close-period", APRIL, "month-not-closing"),
        ("reopen-period", {**APRIL, "why": "Why."}, "month-not-closing"),
    ):
        answer = await finance.request(f"{LEDGERS}/{command}", body)
        assert (answer.status_code, answer.json()["code"]) == (409, code)
    nobody = await finance.request("/ledgers/nobody/start-closing", APRIL)
    assert nobody.status_code == 404
    assert (await finance.request("/ledger-groups/us.2")).status_code == 404
    assert (await finance.request("/ledger-groups/us")).status_code == 422
    assert (await finance.request(LEDGERS)).json() == before


async def test_a_controller_closes_months_and_accountants_see_what_is_missing() -> None:
    finance = await working()
    roles: tuple[Role, ...] = ("project-accountant",)
    for command in ("start-closing", "close-period"):
        answer = await finance.request(f"{LEDGERS}/{command}", APRIL, roles=roles)
        assert answer.status_code == 403
    for path in (LEDGERS, "/ledger-groups/us.1"):
        assert (await finance.request(path, roles=roles)).status_code == 200
        assert (await finance.request(path, roles=("account-executive",))).status_code == 403
    for command in ("register-engagement", "note-group", "book-period"):
        assert (await finance.request(f"{LEDGERS}/{command}", {})).status_code == 404
