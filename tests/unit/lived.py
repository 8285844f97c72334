"""Moments of simulated engagements, each with a command that was accepted at it."""

import asyncio
import copy
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from random import Random
from typing import Any

from chassis.domain.commands import Refused
from local.demo import lifecycle
from local.demo.closing import MonthEnds
from local.demo.driver import Body, CommandRefused
from local.demo.engagement_run import new_run
from local.demo.reference_data import CUSTOMERS, SIGNATORY
from tests.unit.simulation import (
    ENGAGEMENT,
    AnyStream,
    Department,
    InProcessActors,
    InProcessDriver,
    SentCommand,
    World,
    founded,
)
from tests.unit.test_interleaving import LAST_DAY, scenario

LIVES = {
    "whole": scenario(mistakes=True, obliged=True),
    "by the hour": scenario(shape="hourly", early_start=True),
    "paid late": scenario(days_late_paying=25, deliverables=("A", "B", "C"), reconsidered=True),
    "lines of all kinds": scenario(
        shape="mixed",
        cut=True,
        negotiated=True,
        below_floor=True,
        deliverables=("A", "B", "C"),
    ),
    "imported": scenario(incidents=frozenset({"under-way"})),
}


_STREAMS = {"engagements", "timesheets", "payments", "bank-accounts", "expenses", "ledgers"}
"""Paths of the streams that are no reference data."""


@dataclass(frozen=True)
class Moment:
    """Copy of a world before a command, and that command, which was accepted."""

    world: World
    sent: SentCommand

    def give(self, world: World, body: Mapping[str, Any], key: str) -> None:
        """Send the command with this body to a world.

        Raises Refused where a department refuses it, ValidationError where the body is invalid.
        """
        sent = replace(self.sent, body=dict(body), key=key)
        if sent.place not in _STREAMS:
            path = f"{sent.place}/{sent.subject}/{sent.command}"
            world.publish(sent.service, path, sent.body, sent.by)
        else:
            world.command(sent)


def fork(world: World) -> World:
    """Return an independent copy of a world."""
    other = copy.copy(world)
    other.departments = {}
    for name, department in world.departments.items():
        same = Department(department.service)
        same.streams, same.said = dict(department.streams), list(department.said)
        same.arriving = {channel: deque(events) for channel, events in department.arriving.items()}
        other.departments[name] = same
    other.reference_events = list(world.reference_events)
    other._references, other._told = list(world._references), set(world._told)
    other._carried_out = set(world._carried_out)
    other._numbers = copy.copy(world._numbers)
    return other


class Remembered(World):
    """World that records a moment for each accepted command."""

    def __init__(self, random: Random | None = None) -> None:
        super().__init__(random)
        self.moments: list[Moment] = []

    def command(self, sent: SentCommand) -> AnyStream:
        before = World(None)
        before.__dict__.update(fork(self).__dict__)
        stream = super().command(sent)
        del before.moments  # type: ignore[attr-defined]
        self.moments.append(Moment(before, sent))
        return stream


class Impatient(InProcessActors):
    """Actors that raise CommandRefused where 100 reads do not show the expected state."""

    async def look_until(
        self, service: str, by: str, seen: Callable[[dict[str, Any]], bool]
    ) -> dict[str, Any]:
        for _ in range(100):
            if seen(state := await self.look(service, by)):
                return state
        raise CommandRefused(f"{by} waited for {service} in vain")


async def lived(name: str, world: World) -> World:
    """Run one of `LIVES` in a world with reference data, and return the world.

    The scenario ends early where a command is refused or an actor reads an unexpected state; an
    error outside the demo is raised.
    """
    chosen = LIVES[name]
    driver = InProcessDriver(world, chosen.begins)
    driver.on_new_day.append(MonthEnds(driver, chosen.begins).close_due)
    try:
        await lifecycle.run_lifecycle(new_run(chosen, Impatient(driver, name), LAST_DAY))
    except CommandRefused:
        pass
    except Exception as error:
        # The demo may fail on an unexpected state; a service must not.
        if "/local/demo/" not in traceback.extract_tb(error.__traceback__)[-1].filename:
            raise
    world.deliver_all()
    return world


def _signed(statement: dict[str, Any] | None) -> Body | None:
    if statement is None or statement["signed_content"] is None:
        return None
    return {"content_hash": statement["signed_content"], "reason": "As agreed."}


_BESIDE: dict[tuple[str, str], Callable[[dict[str, Any]], Body | None]] = {
    ("sales", "revise-proposal"): lambda _: {"version": 1, "reason": "Too dear."},
    ("sales", "lose-deal"): lambda _: {"reason": "price"},
    ("sales", "confirm-contract"): lambda seen: _signed(seen["contract"]["statement_of_work"]),
    ("legal", "open-file"): lambda _: {},
    ("legal", "terminate-engagement"): lambda _: {"reason": "mutual"},
    ("legal", "redline-sow"): lambda _: {
        "version": 1,
        "by": "customer",
        "clause": "Liability",
        "text": "Less.",
    },
    ("legal", "decline-signature"): lambda _: {
        "version": 1,
        "party": "company",
        "person": SIGNATORY,
        "why": "Not yet.",
    },
    ("legal", "draft-amendment"): lambda seen: next(
        ({"change": one["change"]} for one in seen["changes"]), None
    ),
    ("delivery", "raise-issue"): lambda _: {
        "item": "I-1",
        "title": "Access is missing",
        "severity": "high",
        "owner": "emma",
        "due_on": "2025-04-30",
    },
    ("delivery", "record-decision"): lambda _: {"title": "Cloud", "rationale": "Cheaper."},
    ("delivery", "choose-forecast-method"): lambda _: {
        "method": "as-planned",
        "reason": "The rest is as planned.",
    },
    ("delivery", "put-on-hold"): lambda _: {"reason": "Budget freeze."},
    ("delivery", "release-resource"): lambda seen: next(
        (
            {"request": one["requested"]["request"], "person": one["allocated"][0]["person"]}
            for one in seen["resources"]
            if one["allocated"]
        ),
        None,
    ),
    ("delivery", "reject-time"): lambda seen: _waiting(seen, {"why": "Wrong."}),
    ("delivery", "close-raid-item"): lambda seen: next(
        ({"item": one["item"], "resolution": "Over."} for one in seen["raid"]["open_risks"]), None
    ),
    ("delivery", "reject-change"): lambda seen: next(
        ({"change": one["change"], "why": "Too dear."} for one in seen["changes"]), None
    ),
    ("finance", "choose-revenue-method"): lambda _: {
        "obligation": "fixed",
        "method": "at-acceptance",
        "why": "It fits.",
    },
    ("finance", "choose-treatment"): lambda seen: next(
        (
            {"amendment": one["amendment"], "treatment": "prospective", "why": "Distinct."}
            for one in seen["amendments"]
        ),
        None,
    ),
    ("finance", "catch-up"): lambda _: {},
    ("finance", "bill-outside-schedule"): lambda seen: next(
        (
            {
                "item": one["item"],
                "lines": [{"description": "Ahead", "line": one["line"], "amount": one["left"]}],
                "reason": "Agreed.",
            }
            for one in (seen["budget"] or {"schedule": ()})["schedule"]
            if float(one["left"]["amount"]) > 0
        ),
        None,
    ),
    ("finance", "void-invoice"): lambda seen: _invoice(seen, {"why": "Wrong."}, paid=False),
    ("finance", "issue-credit-note"): lambda seen: _invoice(
        seen,
        {
            "intent": "give-back",
            "why": "Late.",
            "amount": {"amount": "10", "currency": "EUR"},
        },
        paid=True,
    ),
}
"""Commands that no scenario sends: functions from a department's view to the body, or None."""


def _first_week(seen: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the entries of the first person's week that waits for approval."""
    return [one["submitted"] for week in seen["time"]["waiting"][:1] for one in week["entries"]]


def _waiting(seen: dict[str, Any], body: Body) -> Body | None:
    weeks = seen["time"]["waiting"]
    return {"person": weeks[0]["person"], "week": weeks[0]["week"], **body} if weeks else None


def _invoice(seen: dict[str, Any], body: Body, *, paid: bool) -> Body | None:
    issued = (
        one
        for one in seen["invoices"]
        if one["stage"] == "issued" and (float(one["outstanding"]["amount"]) == 0) is paid
    )
    return next(({"invoice": one["invoice"], **body} for one in issued), None)


@cache
def moments() -> dict[tuple[str, str], list[Moment]]:
    """Return the moments of all lives, by department and command."""
    found: dict[tuple[str, str], list[Moment]] = {}
    for name in LIVES:
        world = Remembered()
        asyncio.run(founded(world=world))
        asyncio.run(lived(name, world))
        for moment in world.moments:
            found.setdefault((moment.sent.service, moment.sent.command), []).append(moment)
        others = (_beside, _spent, _internal, _uncovered, _matched, _taken_back, _written_off)
        for beside in (each for other in others for each in other(world.moments)):
            found.setdefault((beside.sent.service, beside.sent.command), []).append(beside)
    for moment in _after_an_import():
        found.setdefault((moment.sent.service, moment.sent.command), []).append(moment)
    return found


def _beside(lived: list[Moment]) -> list[Moment]:
    """Return up to three moments for each command of `_BESIDE`, and for those that follow it."""
    found = []
    for (service, command), body_of in _BESIDE.items():
        accepted = 0
        for moment in lived:
            if accepted == 3 or moment.sent.place != "engagements" or moment.world is None:
                continue
            world = moment.world
            department = world.departments[service]  # type: ignore[index]
            if f"engagement:{ENGAGEMENT}" not in department.streams:
                continue
            body = body_of(world.view(service, ENGAGEMENT))
            if body is None:
                continue
            at = moment.sent.at
            one = Moment(
                world, SentCommand(service, ENGAGEMENT, command, body, "carol", at, "beside")
            )
            after = fork(world)
            try:
                one.give(after, body, "beside")
            except Refused:
                continue
            accepted += 1
            found.append(one)
            found += _then(after, one)
    return found


def _spent(lived: list[Moment]) -> list[Moment]:
    """Return the moments of expenses beside the first timesheet that is submitted."""
    moment = _submission(lived)
    if moment is None:
        return []
    spent = {
        "amount": {"amount": "120", "currency": "USD"},
        "description": "Train",
        "category": "travel",
        "spent_on": moment.sent.subject[-10:],
    }
    sent = replace(moment.sent, place="engagements", subject=ENGAGEMENT)
    manager = replace(sent, by="carol")
    submitted = _in_order(moment.world, *[(sent, "submit-expense", spent)] * 3)
    world = fork(submitted[-1].world)
    submitted[-1].give(world, spent, "submit-expense-2")
    waiting = world.view("delivery", ENGAGEMENT)["expenses"]["waiting"]
    approved, rejected, withdrawn = (each["expense"] for each in waiting)
    kept = replace(manager, place="expenses", subject=f"{ENGAGEMENT}.{approved}")
    before = {**spent, "spent_on": "2025-01-02", "billable": True}
    early, after = _in_order(world, (sent, "submit-expense", before)), fork(world)
    early[0].give(after, before, "submit-early")
    for each in after.view("delivery", ENGAGEMENT)["expenses"]["waiting"]:
        if each["missing"]:
            as_cost = {"expense": each["expense"], "why_not_billed": "Before the contract."}
            early += _in_order(after, (manager, "approve-expense-as-cost", as_cost))
    return (
        submitted
        + early
        + _in_order(
            world,
            (sent, "withdraw-expense", {"expense": withdrawn}),
            (manager, "approve-expense", {"expense": approved}),
            (manager, "reject-expense", {"expense": rejected, "why": "No receipt."}),
            (kept, "reverse-expense", {"why": "Twice."}),
        )
    )


def _internal(lived: list[Moment]) -> list[Moment]:
    """Return the moments of internal time on the first timesheet that is submitted."""
    moment = _submission(lived)
    if moment is None:
        return []
    sent, manager = moment.sent, replace(moment.sent, by="carol")
    entries = [{"day": sent.subject[-10:], "hours": "0.5"}]
    found: list[Moment] = []
    for decision, body in (("approve", {}), ("reject", {"why": "Not agreed."})):
        found += _in_order(
            moment.world,
            (sent, "save-timesheet", {"internal": [{"code": "training", "entries": entries}]}),
            (sent, "submit-timesheet", {}),
            (manager, f"{decision}-internal-time", body),
        )
    return found


def _uncovered(lived: list[Moment]) -> list[Moment]:
    """Return the moments of time on a task that the plan has not, up to its approval as cost."""
    moment = _submission(lived)
    if moment is None:
        return []
    sent, manager = moment.sent, replace(moment.sent, by="carol")
    lines = moment.world.view("delivery", sent.subject, "timesheets")["lines"]
    drafted = next((line for line in lines if line["engagement"] == ENGAGEMENT), None)
    if drafted is None:
        return []
    entry = {"day": sent.subject[-10:], "task": "elsewhere", "hours": "0.5"}
    entries = [{**entry, "role": drafted["draft"][0]["role"]}]
    line = {"engagement": ENGAGEMENT, "entries": entries}
    submitted = _in_order(
        moment.world,
        (sent, "save-timesheet", {"engagements": [line]}),
        (sent, "submit-timesheet", {}),
    )
    world = fork(submitted[-1].world)
    submitted[-1].give(world, {}, "submit-elsewhere")
    named = [one["entry"] for one in _first_week(world.view("delivery", ENGAGEMENT))]
    person, _, monday = sent.subject.rpartition(".")
    week = {"person": person, "week": monday, "entries": named, "why_not_billed": "Ours."}
    director = replace(manager, place="engagements", subject=ENGAGEMENT)
    return submitted + _in_order(world, (director, "approve-time-as-cost", week))


def _matched(lived: list[Moment]) -> list[Moment]:
    """Return the moments of a payment by hand that the next payment of a statement is matched with.

    Empty where no payment arrives.
    """
    moment = next((each for each in lived if each.sent.command == "assign-account"), None)
    if moment is None:
        return []
    name = moment.sent.subject
    arrived = moment.world.view("finance", name, "payments")
    body = {field: arrived[field] for field in ("bank_account", "amount", "received_on")}
    by_hand = replace(moment.sent, subject="P-0000000000001")
    return _in_order(
        moment.world,
        (by_hand, "record-payment", body),
        (by_hand, "match-payment", {"payment": name}),
    )


def _written_off(lived: list[Moment]) -> list[Moment]:
    """Return the moments at which the first invoice that is to be paid is written off, and back."""
    moment = next((each for each in lived if each.sent.command == "allocate-payment"), None)
    if moment is None:
        return []
    lost = replace(moment.sent, place="engagements", subject=ENGAGEMENT, by="dora")
    invoice = moment.sent.body["items"][0]["invoice"]
    terms = {"invoice": invoice, "amount": moment.sent.body["items"][0]["amount"]}
    [off] = _in_order(moment.world, (lost, "write-off-invoice", {**terms, "why": "Insolvent."}))
    world = fork(off.world)
    off.give(world, off.sent.body, "written-off")
    name = world.view("finance", ENGAGEMENT)["write_offs"][-1]["write_off"]
    back = {"write_off": name, "why": "The customer pays after all."}
    return [off, *_in_order(world, (lost, "reverse-write-off", back))]


def _taken_back(lived: list[Moment]) -> list[Moment]:
    """Return the moments at which the first allocation is taken back, and its payment refunded."""
    moment = next((each for each in lived if each.sent.command == "allocate-payment"), None)
    if moment is None:
        return []
    world = fork(moment.world)
    moment.give(world, moment.sent.body, "allocated")
    parts = world.view("finance", moment.sent.subject, "payments")["allocations"]
    back = {"allocations": [each["allocation"] for each in parts], "why": "Wrong invoice."}
    amount = {"amount": "10", "currency": parts[0]["amount"]["currency"]}
    return _in_order(
        world,
        (moment.sent, "deallocate-payment", back),
        (moment.sent, "refund-payment", {"amount": amount}),
    )


def _submission(lived: list[Moment]) -> Moment | None:
    """Return the first moment at which a timesheet of a past day is submitted, or None."""
    return next(
        (
            each
            for each in lived
            if each.sent.command == "submit-timesheet"
            and each.sent.subject[-10:] <= each.sent.at.date().isoformat()
        ),
        None,
    )


def _in_order(world: World, *steps: tuple[SentCommand, str, Body]) -> list[Moment]:
    """Return the moments of commands that follow one another, each sent like another command."""
    found: list[Moment] = []
    for like, command, body in steps:
        moment = Moment(world, replace(like, command=command, body=body, on_behalf_of=None))
        world = fork(world)
        moment.give(world, body, f"{command}-{len(found)}")
        found.append(moment)
    return found


def _then(after: World, moment: Moment) -> list[Moment]:
    """Return the moment of the command that this one makes possible; empty if there is none."""
    bodies: dict[str, tuple[str, Body]] = {
        "put-on-hold": ("resume", {}),
    }
    if moment.sent.command == "redline-sow":
        redline = after.view("legal", ENGAGEMENT)["statements_of_work"][-1]["redlines"][-1]
        resolution = {"redline": redline["redline"], "outcome": "rejected", "note": "As it is."}
        bodies["redline-sow"] = ("resolve-redline", resolution)
    if moment.sent.command not in bodies:
        return []
    command, body = bodies[moment.sent.command]
    sent = replace(moment.sent, subject=ENGAGEMENT, command=command, body=body, by="carol")
    next_one = Moment(after, replace(sent, on_behalf_of=None))
    try:
        next_one.give(fork(after), body, "then")
    except Refused:
        return []
    return [next_one]


def _after_an_import() -> list[Moment]:
    """Return the moments of an opportunity that is imported from a CRM and then adopted."""
    world = asyncio.run(founded())
    at = datetime(2025, 3, 3, 9, tzinfo=UTC)
    imported = Moment(
        world,
        SentCommand("sales", ENGAGEMENT, "import-opportunity", _IMPORTED, "carol", at, "import"),
    )
    after = fork(world)
    imported.give(after, _IMPORTED, "import")
    adopt: Body = {"account": world.ids[CUSTOMERS[0].account], "expected_close": "2025-06-01"}
    adopted = Moment(
        after, SentCommand("sales", ENGAGEMENT, "adopt-opportunity", adopt, "ann", at, "adopt")
    )
    adopted.give(fork(after), adopt, "adopt")
    return [imported, adopted]


_IMPORTED: Body = {
    "source": "crm",
    "external_id": "1",
    "account": None,
    "title": "Portal",
    "product": "GTX",
    "owner": "ann",
    "outcome": "open",
    "pipeline_stage": "negotiating",
    "opened_on": "2025-02-03",
    "closed_on": None,
    "value": {"amount": "1000", "currency": "EUR"},
}
