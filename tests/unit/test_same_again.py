"""Test that a command is not accepted silently again after what it recorded has ended.

The same command again changes nothing as long as its record is in force. After the record was
closed, rejected, withdrawn or decided, it is refused, or recorded anew; a person would otherwise
wait for something that nothing follows from.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chassis.domain.commands import Refused
from local.demo.driver import Body
from local.demo.reference_data import CUSTOMERS, SIGNATORY
from tests.unit.lived import Moment, fork, moments
from tests.unit.simulation import World

View = dict[str, Any]
Ending = tuple[str, Callable[[Body, View], Body]]
"""A command that ends a record, and its body by that of the first command and the view then."""


def named(command: str, *names: str, **more: Any) -> Ending:
    """Return an ending that names the record as the first command does."""
    return command, lambda body, _: {**{name: body[name] for name in names}, **more}


def last_redline(outcome: str) -> Ending:
    def body(_: Body, view: View) -> Body:
        redline = view["statements_of_work"][-1]["redlines"][-1]["redline"]
        return {"redline": redline, "outcome": outcome, "note": "As agreed."}

    return "resolve-redline", body


def _newest(view: View) -> Body:
    return {"obligation": view["obligations"][-1]["recorded"]["obligation"]}


def obligation(command: str, **more: Any) -> Ending:
    return command, lambda _, view: {**_newest(view), **more}


def submission(command: str, by: str, **more: Any) -> Ending:
    def body(body: Body, view: View) -> Body:
        name = body["deliverable"]
        owed = next(each for each in view["deliverables"] if each["deliverable"] == name)
        contact = view["contact"]
        return {"deliverable": name, "submission": owed["submission"], by: contact, **more}

    return command, body


CLOSED = named("close-raid-item", "item", resolution="Over.")
ITEM_WITHDRAWN = named("withdraw-raid-item", "item", why="Wrong.")
CHANGE_REJECTED = named("reject-change", "change", why="Too dear.")
ENDINGS: dict[tuple[str, str], tuple[Ending, ...]] = {
    ("delivery", "raise-risk"): (CLOSED, ITEM_WITHDRAWN),
    ("delivery", "raise-issue"): (CLOSED, ITEM_WITHDRAWN),
    ("delivery", "raise-action"): (CLOSED, ITEM_WITHDRAWN),
    ("delivery", "raise-assumption"): (CLOSED, ITEM_WITHDRAWN),
    ("delivery", "update-risk"): (CLOSED, ITEM_WITHDRAWN),
    ("delivery", "update-issue"): (CLOSED, ITEM_WITHDRAWN),
    ("delivery", "update-action"): (CLOSED, ITEM_WITHDRAWN),
    ("delivery", "update-assumption"): (CLOSED, ITEM_WITHDRAWN),
    ("delivery", "record-decision"): (ITEM_WITHDRAWN,),
    ("delivery", "close-raid-item"): (named("reopen-raid-item", "item", why="Not yet."),),
    ("delivery", "request-change"): (CHANGE_REJECTED,),
    ("delivery", "assess-change"): (CHANGE_REJECTED,),
    ("delivery", "approve-change"): (CHANGE_REJECTED,),
    ("delivery", "request-customer-input"): (
        named("receive-customer-input", "input"),
        named("withdraw-customer-input", "input", why="Wrong."),
    ),
    ("delivery", "receive-customer-input"): (
        named("reopen-customer-input", "input", why="The wrong file."),
        named("withdraw-customer-input", "input", why="Wrong."),
    ),
    ("delivery", "record-customer-delay"): (
        named("withdraw-customer-delay", "delay", why="Wrong."),
    ),
    ("delivery", "submit-deliverable"): (
        submission("accept-deliverable", "accepted_by"),
        submission("reject-deliverable", "rejected_by", why="It is late."),
    ),
    ("delivery", "accept-deliverable"): (
        named("withdraw-acceptance", "deliverable", "submission", why="Wrong."),
    ),
    ("delivery", "submit-brd"): (
        ("sign-off-brd", lambda _, view: {"version": 1, "signed_by": view["contact"]}),
    ),
    ("delivery", "hold-kickoff"): (named("withdraw-kickoff", why="Wrong."),),
    ("delivery", "go-live"): (named("withdraw-go-live", why="Wrong."),),
    ("delivery", "reach-milestone"): (named("withdraw-milestone", "milestone", why="Wrong."),),
    ("delivery", "put-on-hold"): (named("resume"),),
    ("delivery", "allocate-resource"): (named("release-resource", "request", "person"),),
    ("legal", "redline-sow"): (last_redline("rejected"), last_redline("withdrawn")),
    ("legal", "send-sow"): (
        named("decline-signature", "version", party="company", person=SIGNATORY, why="No."),
    ),
    ("legal", "record-obligation"): (
        obligation("meet-obligation"),
        obligation("withdraw-obligation", why="Wrong."),
    ),
    ("legal", "meet-obligation"): (named("reopen-obligation", "obligation", why="Not yet."),),
    ("sales", "open-opportunity"): (named("lose-deal", reason="price"),),
    ("sales", "lose-deal"): (named("reopen-deal", why="They came back."),),
    ("sales", "draft-proposal"): (named("revise-proposal", version=1, reason="Too dear."),),
    ("sales", "submit-proposal"): (named("revise-proposal", "version", reason="Too dear."),),
    ("sales", "qualify-opportunity"): (named("lose-deal", reason="price"),),
    ("sales", "advance-opportunity"): (named("lose-deal", reason="price"),),
    ("sales", "request-estimate"): (named("lose-deal", reason="price"),),
    ("sales", "update-opportunity"): (named("lose-deal", reason="price"),),
    ("finance", "hold-invoice"): (
        named("release-invoice", "invoice"),
        named("reject-invoice", "invoice", why="Wrong."),
    ),
    ("finance", "bill-outside-schedule"): (
        (
            "reject-invoice",
            lambda _, view: {"invoice": view["invoices"][-1]["invoice"], "why": "Wrong."},
        ),
    ),
    ("finance", "hold-work"): (named("release-work", "entries"),),
    ("finance", "approve-invoice"): (named("void-invoice", "invoice", why="Wrong."),),
}
"""The commands that record something which another command of the department ends."""

OTHER: dict[str, frozenset[tuple[str, str]]] = {
    "it ends or takes back a record, and is in force until that is recorded anew": frozenset(
        {
            ("delivery", name)
            for name in (
                "approve-expense",
                "approve-expense-as-cost",
                "approve-time",
                "approve-time-as-cost",
                "close-engagement",
                "reject-change",
                "reject-deliverable",
                "reject-expense",
                "reject-time",
                "release-resource",
                "reopen-customer-input",
                "reopen-raid-item",
                "resume",
                "sign-off-brd",
                "withdraw-acceptance",
                "withdraw-customer-delay",
                "withdraw-customer-input",
                "withdraw-expense",
                "withdraw-go-live",
                "withdraw-kickoff",
                "withdraw-milestone",
                "withdraw-raid-item",
            )
        }
        | {
            ("finance", name)
            for name in (
                "reject-invoice",
                "release-invoice",
                "release-work",
                "reverse-write-off",
                "settle-account",
                "void-invoice",
                "write-down-work",
            )
        }
        | {
            ("legal", name)
            for name in (
                "approve-sow",
                "decline-signature",
                "record-signature",
                "reopen-obligation",
                "resolve-redline",
                "sign-amendment",
                "terminate-engagement",
                "withdraw-obligation",
            )
        }
        | {("sales", "reopen-deal"), ("sales", "revise-proposal"), ("sales", "win-deal")}
    ),
    "its record is in force until another one follows it": frozenset(
        {
            ("delivery", name)
            for name in (
                "answer-survey",
                "assign-manager",
                "baseline-plan",
                "choose-forecast-method",
                "choose-tier",
                "draft-plan",
                "endorse-estimate",
                "hold-pir",
                "implement-change",
                "import-engagement",
                "progress-task",
                "publish-status-report",
                "request-resource",
                "review-amendment",
                "review-sow",
                "send-survey",
                "submit-estimate",
            )
        }
        | {
            ("finance", name)
            for name in (
                "choose-revenue-method",
                "choose-treatment",
                "edit-invoice",
                "import-engagement",
                "recognise-revenue",
                "review-amendment",
                "review-sow",
            )
        }
        | {
            ("legal", name)
            for name in (
                "authorise-early-start",
                "draft-amendment",
                "draft-sow",
                "import-engagement",
                "open-file",
            )
        }
        | {
            ("sales", name)
            for name in (
                "adopt-opportunity",
                "approve-exception",
                "confirm-contract",
                "import-opportunity",
            )
        }
    ),
    "each time it records another one, or what is new": frozenset(
        {(name, "ask-question") for name in ("delivery", "finance", "legal", "sales")}
        | {(name, "answer-question") for name in ("delivery", "finance", "legal", "sales")}
        | {
            ("delivery", "submit-expense"),
            ("finance", "bill-time"),
            ("finance", "catch-up"),
            ("finance", "issue-credit-note"),
            ("finance", "write-off-invoice"),
        }
    ),
}
"""The other commands on engagements, by the reason why they are not tried here."""

MOST = 2
"""Moments at which an ending is tried."""
ON_ENGAGEMENTS = frozenset(
    kind
    for kind, found in moments().items()
    if any(each.sent.place == "engagements" for each in found)
)


def test_every_command_on_an_engagement_is_tried_or_has_a_reason() -> None:
    others = [kind for kinds in OTHER.values() for kind in kinds]
    assert sorted([*ENDINGS, *others]) == sorted(ON_ENGAGEMENTS)


def ended(moment: Moment, ending: Ending) -> World | None:
    """Return the world after the command and the ending; None where it cannot follow here."""
    command, body_of = ending
    world, sent = fork(moment.world), moment.sent
    try:
        moment.give(world, sent.body, "first")
        view = dict(world.view(sent.service, sent.subject))
        view["contact"] = world.ids[CUSTOMERS[0].sponsor[0]]
        body = body_of(sent.body, view)
        after = replace(moment, sent=replace(sent, command=command, by="carol", on_behalf_of=None))
        after.give(world, body, "ending")
    except (Refused, KeyError, StopIteration, IndexError):
        return None
    return world


@pytest.mark.parametrize(
    ("kind", "ending"),
    [
        pytest.param(kind, ending, id=f"{kind[0]}/{kind[1]} {ending[0]}")
        for kind, endings in ENDINGS.items()
        for ending in endings
    ],
)
def test_it_is_refused_or_recorded_anew_after_its_end(
    kind: tuple[str, str], ending: Ending
) -> None:
    tried = 0
    for moment in moments()[kind]:
        world = ended(moment, ending) if tried < MOST else None
        if world is None:
            continue
        tried += 1
        before = len(list(world.events()))
        try:
            moment.give(world, moment.sent.body, "again")
        except Refused:
            continue
        assert len(list(world.events())) > before, "accepted, and nothing is recorded"
    assert tried, f"no moment at which {ending[0]} follows"
