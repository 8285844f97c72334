"""Work items of engagements of the demo: the command of each one ends it.

An item is tried a day after the first moment at which it is stated, by a person with its role. The
body of the command is one with which it was accepted at some moment, about the thing of the item.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from chassis.domain.commands import Refused
from chassis.domain.work_items import WorkItem
from contracts.channels import Department
from local.demo.driver import Body
from local.demo.reference_data import roles
from tests.unit.lived import Moment, fork, moments
from tests.unit.simulation import ENGAGEMENT, SentCommand, World

_PLACES = {"engagement": "engagements", "timesheet": "timesheets", "payment": "payments"}
_ROLES = roles()
_CONDITIONS = {"settle-account": {"account-not-settled"}}
"""Refusals that list what else is to be done before."""
_BEGINS = {"draft-plan", "request-change"}
"""Commands after which another one is to be given."""


@dataclass(frozen=True)
class Stated:
    """An item of a stream, and the moment at which it is stated."""

    moment: Moment
    stated_by: Department
    stream: str
    subject: str
    state: Any
    item: WorkItem

    @property
    def department(self) -> Department:
        """Return the department that takes the command of the item."""
        return self.item.kind.command_of or self.item.kind.department

    @property
    def by(self) -> str:
        """Return who owes the item, or else somebody with the role who may do it."""
        item = self.item
        if item.person in _ROLES:
            return item.person or ""
        may = (each for each, given in _ROLES.items() if item.kind.role in given)
        return next(each for each in may if each not in item.not_by)


def items(world: World, department: Department, stream: str, subject: str) -> Iterator[WorkItem]:
    """Yield the items of a stream."""
    known = world.departments[department].streams[f"{stream}:{subject}"]
    deciders = world.departments[department].service.all_deciders
    (decider,) = (each for each in deciders if each.kind == stream)
    for confidential in (False, True):
        yield from decider.work(known.state, confidential=confidential)


@cache
def stated() -> list[Stated]:
    """Return the items of all moments, each once."""
    found: list[Stated] = []
    known: set[tuple[object, ...]] = set()
    seen: set[int] = set()
    for moment in (each for several in moments().values() for each in several):
        for name, department in moment.world.departments.items():
            for stream in department.streams.values():
                if id(stream) in seen:  # moments share the streams that no command changed
                    continue
                seen.add(id(stream))
                kind, _, subject = stream.id.partition(":")
                for item in items(moment.world, name, kind, subject):
                    if (name, subject, item) not in known:
                        known.add((name, subject, item))
                        found.append(Stated(moment, name, kind, subject, stream.state, item))
    return found


# ---- bodies ----------------------------------------------------------------------------------


def _about(field: str) -> Callable[[Stated], Body]:
    return lambda one: {field: one.item.about}


def _week(one: Stated) -> Body:
    return {"person": one.item.about[:-11], "week": one.item.about[-10:]}


def _allocation(one: Stated) -> Body:
    """Return what the rest of a payment pays of the first invoice that is not paid.

    Without one there is nothing to allocate it to, and an accountant refunds it.
    """
    seen = one.moment.world.view("finance", ENGAGEMENT)["invoices"]
    rest = one.state.unallocated
    unpaid = (
        each
        for each in seen
        if float(each["outstanding"]["amount"]) > 0 and each["stage"] == "issued"
    )
    invoice = next(unpaid, None)
    if invoice is None:
        return {"items": []}
    owed = invoice["outstanding"]["amount"]
    amount = min(rest.amount, type(rest.amount)(owed))
    paid = {"amount": str(amount), "currency": rest.currency}
    return {"items": [{"engagement": ENGAGEMENT, "invoice": invoice["invoice"], "amount": paid}]}


def _answer(one: Stated) -> Body:
    """Return the best answer of a contact to a survey."""
    survey, contact = one.item.about.split("/")
    form = one.state.surveys.sent[survey]
    scores = {each.question: 5 for each in form.questions}
    recommend = None if form.kind == "csat" else 10
    names = {"survey": survey, "answered_by": contact}
    return {**names, "satisfaction": scores, "recommend": recommend}


def _held(one: Stated) -> Body:
    waiting = one.state.work.waiting
    held = [each.entry for each in waiting if each.held and each.held.line == one.item.about]
    return {"entries": held}


_FIELDS: dict[str, Callable[[Stated], Body]] = {
    "accept-deliverable": lambda one: {
        "deliverable": one.item.about,
        "submission": one.state.acceptance.submitted[one.item.about].submission,
    },
    "answer-question": _about("question"),
    "answer-survey": _answer,
    "allocate-payment": _allocation,
    "allocate-resource": _about("request"),
    "approve-change": _about("change"),
    "approve-expense": _about("expense"),
    "approve-invoice": _about("invoice"),
    "approve-time": _week,
    "assess-change": _about("change"),
    "baseline-plan": lambda one: {"version": one.state.planning.draft.version},
    "bill-time": lambda one: {"month": f"{one.item.due:%Y-%m}"},
    "close-raid-item": _about("item"),
    "meet-obligation": _about("obligation"),
    "reach-milestone": _about("milestone"),
    "receive-customer-input": _about("input"),
    "record-signature": lambda one: {"party": one.item.about.partition("/")[2]},
    "release-work": _held,
    "resolve-redline": _about("redline"),
    "review-amendment": _about("amendment"),
    "save-timesheet": lambda one: {"engagements": [{"engagement": one.item.about, "entries": []}]},
    "sign-amendment": _about("amendment"),
    "submit-deliverable": _about("deliverable"),
    "update-opportunity": lambda _: {"next_step": None},
}
"""Fields of a command that follow from the item."""


def body(one: Stated) -> Body:
    """Return the body of the command of an item, by one that was accepted at some moment."""
    command = one.item.kind.command
    accepted = [each.sent.body for each in moments().get((one.department, command), ())]
    about = one.item.about.split("/")
    like = [each for each in accepted if any(part in each.values() for part in about)]
    fields = _FIELDS.get(command, lambda _: {})(one)
    return {**next(iter([*like, *accepted]), {}), **fields}


# ---- tests -----------------------------------------------------------------------------------


def tried(one: Stated) -> str:
    """Return what is wrong after the command of an item; empty where it ends or begins it."""
    item, world = one.item, fork(one.moment.world)
    content = body(one)
    if item.kind.command == "allocate-payment" and not content.get("items"):
        return ""
    sent = SentCommand(
        one.department,
        one.subject,
        item.kind.command,
        content,
        one.by,
        one.moment.sent.at + timedelta(days=1),
        "tried",
        _PLACES[one.stream],
    )
    try:
        after = world.command(sent)
    except Refused as refusal:
        expected = _CONDITIONS.get(item.kind.command, ())
        return "" if refusal.code in expected else f"refused, {refusal.code}: {refusal}"
    if item.kind.command in _BEGINS:
        before = one.moment.world.departments[one.department].streams[after.id]
        return "" if after.number > before.number else "nothing happens"
    world.deliver_all()
    left = [*items(world, one.stated_by, one.stream, one.subject)]
    return "it is stated as before" if item in left else ""


def test_the_command_of_an_item_ends_it() -> None:
    here = [one for one in stated() if one.item.kind.stream is None]
    wrong = [f"{one.item}: {why}; {body(one)} by {one.by}" for one in here if (why := tried(one))]
    assert not wrong, "\n".join(wrong)
    assert len({one.item.kind for one in here}) > 40


def test_no_item_is_owed_since_a_day_to_come() -> None:
    for one in stated():
        assert one.item.since is not None, one.item
        assert one.item.since <= one.moment.sent.at.date(), one.item
