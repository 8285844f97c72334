"""Test the gateway: lists, causal reads, live changes, disconnects, access, and a rebuild."""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from queue import Empty, Queue
from typing import Any

import httpx
import pytest
from pymongo import MongoClient

from contracts.event import write_position
from contracts.gateway import DisconnectDetected, DisconnectResolved, DisconnectWaived
from local.demo.actors import Actors
from local.demo.driver import Driver, PlatformAccess
from local.demo.reference_data import CUSTOMERS, SELLERS
from local.platform import DEPARTMENTS, Platform
from sales.accounts.names import account_id
from tests.e2e.conftest import ApiClient, events
from tests.e2e.scenarios import IN_A_MONTH, TODAY, Engagements, Observed
from tests.infrastructure import wait_until

NEXT_MONTH = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()

SOON = 30.0
"""Seconds within which the platform must show the effects of a command."""


def act_now(
    access: PlatformAccess,
    name: str,
    *steps: Callable[[Actors], Any],
    of: Actors,
    dated: date = TODAY,
) -> None:
    """Run commands of an engagement's people, one after the other; they are dated on a day."""

    async def run_steps() -> None:
        async with Driver(access, dated, name) as driver:
            actors = Actors(driver, name, of.engagement, of.position)
            for step in steps:
                await step(actors)
            of.position = actors.position

    asyncio.run(run_steps())


def opened(access: PlatformAccess, number: int) -> Actors:
    """Open a small engagement."""
    seller, customer = SELLERS[number % 3][0], CUSTOMERS[number % len(CUSTOMERS)]

    async def open_one() -> Actors:
        async with Driver(access, TODAY, "small") as driver:
            actors = Actors(driver, f"small-{number}")
            value = {"amount": str(1000 + 137 * (number % 4)), "currency": customer.currency}
            await actors.open(
                {
                    "account": account_id(customer.name),
                    "title": f"Small work {number % 5}",
                    "expected_value": value,
                    "expected_close": IN_A_MONTH.isoformat(),
                    "owner": seller,
                },
                seller,
            )
            return actors

    return asyncio.run(open_one())


@pytest.fixture(scope="module")
def small(access: PlatformAccess, engagements: Engagements, api: ApiClient) -> list[Actors]:
    """Open some small engagements, some of them with equal sort keys."""
    assert engagements.whole.engagement
    small_ones = [opened(access, number) for number in range(11)]
    for actors in small_ones:
        answer = api.request(
            "GET", "gateway", f"/engagements/{actors.engagement}", headers=after(actors.position)
        )
        assert answer.status_code == 200
    return small_ones


def after(position: dict[str, int], wait: int = 20) -> dict[str, str]:
    return {"Concord-After": write_position(position), "Prefer": f"wait={wait}"}


# ---- lists -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("sort", ["attention", "updated", "price", "finish", "title", "engagement"])
def test_a_list_contains_every_engagement_once_in_order(api: ApiClient, sort: str) -> None:
    def key(row: dict[str, Any]) -> Any:
        value = row[sort]
        match sort:
            case "price":
                return row["currency"] or "", Decimal(value or 0)
            case "finish":
                return value or date.max.isoformat()
            case "title":
                return value.casefold()
            case _:
                return value

    up = list(api.pages("gateway", f"/engagements?sort={sort}&limit=4", "items", "next"))
    down = list(api.pages("gateway", f"/engagements?sort=-{sort}&limit=7", "items", "next"))

    assert len(up) == api.get("gateway", "/portfolio")["engagements"] >= 18
    assert len({row["engagement"] for row in up}) == len(up)
    assert [row["engagement"] for row in down] == [row["engagement"] for row in up][::-1]
    assert [key(row) for row in up] == sorted(key(row) for row in up)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("stage", "opportunity"),
        ("stage", "closed"),
        ("owner", "ann"),
        ("manager", "noor"),
        ("currency", "USD"),
        ("account", account_id("Novamed Clinics")),
        ("tier", "light"),
        ("on_hold", "false"),
        ("imported", "false"),
    ],
)
def test_a_filter_returns_exactly_the_matching_rows(api: ApiClient, field: str, value: str) -> None:
    every = list(api.pages("gateway", "/engagements?limit=200", "items", "next"))
    some = list(api.pages("gateway", f"/engagements?limit=3&{field}={value}", "items", "next"))
    wanted = {row["engagement"] for row in every if str(row[field]).casefold() == value.casefold()}

    assert {row["engagement"] for row in some} == wanted
    assert len(some) == len(wanted) > 0
    assert len(some) < len(every) or field in {"on_hold", "imported"}


@pytest.mark.usefixtures("small")
def test_the_departments_lists_contain_the_same_engagements(api: ApiClient) -> None:
    every = {row["engagement"] for row in api.pages("gateway", "/engagements", "items", "next")}

    def listed() -> bool:
        rows = list(
            api.pages(
                "sales", "/engagements?limit=5&sort=-expected_value_rounded", "rows", "cursor"
            )
        )
        return {row["id"] for row in rows} == every and len(rows) == len(every)

    wait_until(listed, limit=SOON)


# ---- own writes, live --------------------------------------------------------------------------


def test_a_client_reads_its_own_writes(
    api: ApiClient, access: PlatformAccess, engagements: Engagements
) -> None:
    actors = opened(access, 50)
    path = f"/engagements/{actors.engagement}"
    answer = api.request("GET", "gateway", path, headers=after(actors.position))
    future = api.request(
        "GET", "gateway", path, headers=after({**actors.position, "legal": 99}, wait=1)
    )

    assert answer.status_code == 200
    assert answer.headers["Preference-Applied"] == "wait=20"
    assert answer.json()["freshness"]["sales"]["streamsequence"] == actors.position["sales"]
    assert (future.status_code, future.json()["code"]) == (504, "not-processed-yet")
    unchanged = api.request(
        "GET", "gateway", path, headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert unchanged.status_code == 304


def test_an_unknown_engagement_is_not_found(api: ApiClient) -> None:
    for path in ("/engagements/E-0D5R2K8WQ3V7X", "/engagements/E-0D5R2K8WQ3V7X/timeline"):
        answer = api.request("GET", "gateway", path)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown-stream")


def read_stream(
    url: str, token: str, found: "Queue[dict[str, Any]]", here: threading.Event
) -> None:
    """Put the events of the live stream into a queue, up to that of "Small work 4" of Sam."""
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.stream("GET", f"{url}/changes", headers=headers, timeout=SOON) as stream:
        for line in stream.iter_lines():
            here.set()
            if line.startswith("data: "):
                event = json.loads(line.removeprefix("data: "))
                found.put(event)
                if event["title"] == "Small work 4" and event["owner"] == "sam":
                    return


def test_the_live_stream_shows_a_change_as_it_happens(
    api: ApiClient, access: PlatformAccess
) -> None:
    found: Queue[dict[str, Any]] = Queue()
    here = threading.Event()
    url = api.platform.layout.url("gateway")
    watching = threading.Thread(target=read_stream, args=(url, api.token("vera"), found, here))
    watching.start()
    assert here.wait(SOON)
    actors = opened(access, 74)

    def received() -> Iterator[dict[str, Any]]:
        while True:
            try:
                yield found.get(timeout=SOON)
            except Empty:
                return

    event = next(each for each in received() if each["engagement"] == actors.engagement)
    watching.join(SOON)
    assert (event["stage"], event["owner"]) == ("opportunity", "sam")
    assert not watching.is_alive()


# ---- disconnects -------------------------------------------------------------------------------

LATE = "promised-finish-before-forecast"


def report(forecast: date) -> Callable[[Actors], Any]:
    return lambda actors: actors.act(
        "delivery",
        "publish-status-report",
        "yuki",
        scope="green",
        schedule="green",
        cost="green",
        narrative="We wait for test data.",
        forecast_finish=forecast.isoformat(),
        estimate_to_complete="150",
    )


def open_disconnects(api: ApiClient, actors: Observed) -> dict[str, Any]:
    path = f"/disconnects?engagement={actors.engagement}"
    return {each["finding"]: each for each in api.pages("gateway", path, "items", "next")}


def announced(platform: Platform, actors: Observed) -> list[str]:
    """Return the types of the gateway's events on this disconnect, in order."""
    return [
        type(each.event).__name__
        for each in events(platform)
        if each.subject == actors.engagement
        and isinstance(each.event, DisconnectDetected | DisconnectWaived | DisconnectResolved)
        and each.event.finding == LATE
    ]


def departments_show(api: ApiClient, actors: Observed) -> list[tuple[str, str | None]]:
    """Return this disconnect's sentence and waiver as shown by each department."""
    shown = []
    for name in DEPARTMENTS:
        view = api.get(name, f"/engagements/{actors.engagement}")
        for each in view["disconnects"]:
            if each["detected"]["finding"] == LATE:
                waived = each["waived"]
                shown.append((each["detected"]["sentence"], waived["why"] if waived else None))
    return shown


def test_a_disconnect_is_detected_announced_waived_and_resolved(
    api: ApiClient, platform: Platform, access: PlatformAccess, engagements: Engagements
) -> None:
    actors = engagements.running
    view = api.get("gateway", f"/engagements/{actors.engagement}")
    promised = date.fromisoformat(view["summary"]["finish"])
    assert LATE not in open_disconnects(api, actors)

    act_now(access, "late", report(promised + timedelta(days=30)), of=actors)
    wait_until(lambda: LATE in open_disconnects(api, actors), limit=SOON)
    found = open_disconnects(api, actors)[LATE]
    assert found["days"] == 30
    assert found["severity"] == "serious"
    assert f"{promised.day} {promised:%B %Y}" in found["sentence"]
    kinds = {each["type"].split(".")[2] for each in found["evidence"]}
    # The consultant's month signs an amendment on this engagement.
    assert len(kinds & {"sow-signed", "amendment-signed"}) == 1
    assert kinds - {"sow-signed", "amendment-signed"} == {"status-report-published"}
    assert all(each["heard"] for each in found["evidence"]), "each event has its heard"

    wait_until(lambda: announced(platform, actors) == ["DisconnectDetected"], limit=SOON)
    everybody = [(found["sentence"], None)] * len(DEPARTMENTS)
    wait_until(lambda: departments_show(api, actors) == everybody, limit=SOON)
    before = api.get("gateway", "/portfolio")["disconnects"]
    answer = api.request(
        "POST",
        "gateway",
        f"/engagements/{actors.engagement}/waive-disconnect",
        body={
            "finding": LATE,
            "why": "The customer asked for the later date.",
            "until": NEXT_MONTH,
        },
        headers={"Idempotency-Key": "waive-late", "Prefer": "wait=10"},
    )
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["events"]) == 1
    wait_until(lambda: open_disconnects(api, actors)[LATE]["waived"] is not None, limit=SOON)
    waived = open_disconnects(api, actors)[LATE]["waived"]
    assert waived["why"] == "The customer asked for the later date."
    assert waived["waived_by"] == "vera"
    now = api.get("gateway", "/portfolio")["disconnects"]
    assert now["waived"] == before["waived"] + 1
    assert now["serious"] == before["serious"] - 1

    accepted = [(found["sentence"], waived["why"])] * len(DEPARTMENTS)
    wait_until(lambda: departments_show(api, actors) == accepted, limit=SOON)

    act_now(access, "in time again", report(promised), of=actors)
    wait_until(lambda: LATE not in open_disconnects(api, actors), limit=SOON)
    wait_until(
        lambda: (
            announced(platform, actors)
            == ["DisconnectDetected", "DisconnectWaived", "DisconnectResolved"]
        ),
        limit=SOON,
    )
    wait_until(lambda: not departments_show(api, actors), limit=SOON)


def test_only_an_open_disconnect_can_be_waived_and_only_with_the_role(
    api: ApiClient, engagements: Engagements
) -> None:
    path = f"/engagements/{engagements.whole.engagement}/waive-disconnect"
    body = {"finding": "nothing", "why": "Because.", "until": NEXT_MONTH}
    headers = {"Idempotency-Key": "waive-nothing"}
    nothing = api.request("POST", "gateway", path, body=body, headers=headers)
    nobody = api.request("POST", "gateway", path, body=body, headers=headers, by="emma")

    assert (nothing.status_code, nothing.json()["code"]) == (409, "disconnect-unknown")
    assert (nobody.status_code, nobody.json()["code"]) == (403, "not-allowed")


# ---- who may see what --------------------------------------------------------------------------


def test_costs_and_margins_need_the_confidential_role(
    api: ApiClient, engagements: Engagements
) -> None:
    path = f"/engagements/{engagements.whole.engagement}"
    may, may_not = (api.get("gateway", path, by=by) for by in ("vera", "emma"))

    assert may["confidential"]["cost"]["amount"]
    assert may_not["confidential"] is None
    assert not any("confidential" in channel for channel in may_not["freshness"])
    assert not any(each["confidential"] for each in may_not["disconnects"])
    assert api.get("gateway", "/portfolio", by="emma")["confidential"] is None
    timeline = api.get("gateway", f"{path}/timeline", by="emma")
    assert not any("confidential" in entry["channel"] for entry in timeline)
    assert any(
        "confidential" in entry["channel"] for entry in api.get("gateway", f"{path}/timeline")
    )
    ours = api.request("GET", "finance", path, given=("executive",)).json()
    theirs = api.get("finance", path)
    assert not {"cost_to_date", "margins", "earned_value", "budget_cost"} & ours.keys()
    assert theirs["margins"] is not None


def test_a_customer_reads_nothing_of_the_company(api: ApiClient, engagements: Engagements) -> None:
    whole = engagements.whole.engagement
    paths = ("/engagements", f"/engagements/{whole}", f"/engagements/{whole}/timeline")
    for path in (*paths, "/portfolio", "/disconnects", "/changes"):
        answer = api.request("GET", "gateway", path, given=("customer",))
        assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed"), path
    for service in ("sales", "legal", "delivery", "finance"):
        answer = api.request("GET", service, f"/engagements/{whole}", given=("customer",))
        assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed"), service


# ---- rebuilt -----------------------------------------------------------------------------------


def unified(platform: Platform) -> dict[str, dict[str, Any]]:
    """Return the gateway's view documents from its store."""
    with MongoClient[dict[str, Any]](platform.stores["gateway"].url) as client:
        return {each["_id"]: each for each in client["gateway"]["unified"].find()}


def at_rest(platform: Platform, documents: dict[str, dict[str, Any]]) -> bool:
    """Return whether the views contain all events, and all their findings are announced."""
    published: dict[str, dict[str, int]] = {}
    for each in events(platform):
        if each.channel.kind == "events":
            channels = published.setdefault(each.subject, {})
            channels[each.channel.name] = max(each.sequence, channels.get(each.channel.name, 0))
    written, findings, announced = {}, {}, {}
    for name, document in documents.items():
        view = json.loads(document["view"])
        fresh = view["freshness"]
        written[name] = {channel: each["streamsequence"] for channel, each in fresh.items()}
        findings[name] = json.loads(document["findings"]).keys()
        announced[name] = (
            view["gateway"]["announced"].keys() | view["gateway_confidential"]["announced"].keys()
        )
    return written == published and announced == findings


@pytest.mark.usefixtures("small")
def test_views_rebuilt_from_the_topics_are_identical(
    api: ApiClient, platform: Platform, engagements: Engagements
) -> None:
    wait_until(lambda: at_rest(platform, unified(platform)), limit=SOON, pause=0.5)
    before, portfolio = unified(platform), api.get("gateway", "/portfolio")
    path = f"/engagements/{engagements.whole.engagement}"
    shown, timeline = api.get("gateway", path), api.get("gateway", f"{path}/timeline")
    with MongoClient[dict[str, Any]](platform.stores["gateway"].url) as client:
        client["gateway"]["unified"].update_many({}, {"$set": {"lived_through": True}})
    subprocess.run(
        [sys.executable, "-m", "gateway.rebuild"],
        env=platform.environment("gateway"),
        check=True,
        capture_output=True,
        timeout=60,
    )

    wait_until(lambda: unified(platform) == before, limit=90, pause=0.2)
    assert at_rest(platform, before), "no event is left to publish"
    wait_until(lambda: bool(api.get("gateway", "/portfolio") == portfolio), limit=SOON)
    assert api.get("gateway", path) == shown
    assert api.get("gateway", f"{path}/timeline") == timeline
