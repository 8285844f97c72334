"""Time and expenses of people are shown with details to whom they concern, and not to others."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, get_args

import httpx
import pytest
from pydantic import BaseModel

from chassis.web.auth import Caller
from contracts import delivery, finance
from contracts.event import EVENTS
from contracts.finance import BilledWork
from contracts.roles import ROLES, Role
from gateway import api
from gateway.api import DETAILS_SEEN_BY, reader_in
from gateway.pages.names import Names
from gateway.redaction import NOBODY, Reader
from gateway.view.engagement_view import PERSONAL, View, data_of, sentence_of
from gateway.view.sections.steps import Personal
from testkit.scenario import RecordsOf
from tests.amounts import eur
from tests.builders import ENGAGEMENT, Life
from tests.in_process_gateway import InMemory, api_of, app_of, token
from tests.weeks import approved, submitted

RECEIPT = "sha256:" + "7e" * 32
NAMES = Names(RecordsOf([]))
WEEK = date(2026, 3, 2)
PERSONAL_WORDS = (
    *("person", "people", "note", "receipt", "activity", "description", "comment", "email"),
    *("beyond_weekly_hours", "why_not_billed"),
)
"""Words in the names of fields that may tell something about a person."""

HARMLESS = {
    "who is planned, which everybody with a part in the engagement knows": {
        "resource-allocated person",
        "resource-released person",
        "workload-measured person",
    },
    "who owes something or signs, as the contract says": {
        "obligation-recorded person",
        "obligation-reopened person",
        "signature-declined person",
        "sow-signature-recorded signatory.person",
        "sow-signed signatories.person",
        "amendment-signed signatories.person",
    },
    "words of the customer, or about the contract": {
        "survey-answered comment",
        "deal-lost comment",
        "engagement-terminated comment",
        "account-settled why_not_billed",
        "redline-resolved note",
        "change-requested description",
        "customer-input-requested description",
    },
    "what is sold and billed, as the customer reads it": {
        "budget-set lines.billing.description",
        "budget-amended lines.billing.description",
        "change-priced changes.billing_added.description",
        "change-priced changes.billing_changed.description",
        "amendment-drafted changes.billing_added.description",
        "amendment-drafted changes.billing_changed.description",
        "amendment-signed changes.billing_added.description",
        "amendment-signed changes.billing_changed.description",
        "engagement-imported lines.billing.description",
        "sow-drafted lines.billing.description",
        "deal-won lines.billing.description",
        "proposal-drafted lines.billing.description",
        "invoice-drafted lines.description",
        "invoice-edited lines.description",
        "invoice-issued lines.description",
        "credit-note-issued credit_note",
        "invoice-approved tax.by_code.note",
        "invoice-issued tax.by_code.note",
        "credit-note-issued tax.by_code.note",
    },
}
"""Fields that every reader of the gateway may see although they have such a name, by the reason."""


def models_in(annotation: object) -> Iterator[type[BaseModel]]:
    """Yield the models that a field's type contains."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for each in get_args(annotation):
        yield from models_in(each)


def fields_of(model: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of each field of a model and of the models in it."""
    for name, field in model.model_fields.items():
        yield (*above, name)
        for inner in models_in(field.annotation):
            yield from fields_of(inner, (*above, name))


def reaches(paths: object, path: tuple[str, ...]) -> bool:
    """Return whether fields, as pydantic names them, contain a field."""
    if not path or not isinstance(paths, Mapping):
        return paths is True
    inner = paths.get(path[0])
    if isinstance(inner, Mapping) and "__all__" in inner:
        inner = inner["__all__"]
    return reaches(inner, path[1:]) or inner is True


def is_shown_to_all(personal: Personal, path: tuple[str, ...]) -> bool:
    """Return whether a reader sees a field who sees no details."""
    if personal.shown is not None:
        return reaches(personal.shown, path)
    return not any(reaches(personal.hidden, path[:end]) for end in range(1, len(path) + 1))


def test_every_field_that_may_tell_about_a_person_is_declared_or_known_to_be_harmless() -> None:
    shown = {
        f"{kind.type.split('.')[2]} {'.'.join(path)}"
        for kind in EVENTS.values()
        if kind.channel.kind == "events"
        for path in fields_of(kind)
        if any(word in path[-1] for word in PERSONAL_WORDS)
        and is_shown_to_all(PERSONAL.get(kind, Personal()), path)
    }
    assert shown == set().union(*HARMLESS.values())


@pytest.mark.parametrize("kind", PERSONAL, ids=lambda kind: kind.type)
def test_a_declaration_names_fields_that_the_event_has(kind: type[BaseModel]) -> None:
    """Check that no field is misspelt, and that those of a common declaration exist somewhere."""
    known = {path for each in PERSONAL for path in fields_of(each)}

    def named(paths: object, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
        if isinstance(paths, Mapping):
            for name, inner in paths.items():
                path = above if name == "__all__" else (*above, name)
                yield path
                yield from named(inner, path)

    personal = PERSONAL[kind]  # type: ignore[index]
    assert {*named(personal.shown), *named(personal.hidden)} - {()} <= known


SUBMITTED = submitted("T-1", WEEK, 16, person="zoe").model_copy(
    update={
        "entries": tuple(
            each.model_copy(update={"note": "Repaired the ledger of Ms Secret."})
            for each in submitted("T-1", WEEK, 16, person="zoe").entries
        )
    }
)
SPENT: dict[str, Any] = {
    "expense": "X-1",
    "person": "zoe",
    "amount": eur("123.45"),
    "description": "Night with Ms Secret",
    "category": "accommodation",
    "spent_on": WEEK,
    "receipt": RECEIPT,
}
EXPENSE = delivery.ExpenseSubmitted.model_validate(SPENT)
SECRETS = ("secret", "zoe", RECEIPT, "123.45", "t-1.0", "x-1")


@pytest.mark.parametrize(
    ("who", "sees"),
    [
        *((("olga", role), role in DETAILS_SEEN_BY) for role in ROLES),
        (("zoe", "executive"), True),
        (("max", "engagement-manager"), True),
        (("mia", "engagement-manager"), False),
        (("max", "executive"), False),
    ],
)
def test_details_are_shown_to_whom_they_concern(who: tuple[str, Role], sees: bool) -> None:
    view = View(ENGAGEMENT)
    view.delivery.manager = "max"
    reader = reader_in(Caller(who[0], frozenset({who[1]})), view)
    assert reader.sees_details_of("zoe") is sees
    for event in (SUBMITTED, EXPENSE):
        assert (data_of(event, reader) == event.model_dump(mode="json")) is sees
        assert ("zoe" in sentence_of(event, NAMES, reader).lower()) is sees


def test_other_readers_see_hours_by_role_and_no_person() -> None:
    assert (
        sentence_of(SUBMITTED, NAMES) == "16 h as engineer in the week of 2 March 2026 submitted."
    )
    data = data_of(SUBMITTED, NOBODY)
    assert data.keys() == {"week", "entries"}
    assert all(each.keys() == {"role", "hours", "billable"} for each in data["entries"])
    assert sentence_of(EXPENSE, NAMES) == "Billable expense submitted."
    assert data_of(EXPENSE, NOBODY) == {"billable": True, "line": None}


def test_the_works_of_an_invoice_name_no_person_to_other_readers() -> None:
    work = BilledWork(
        kind="time", entry="T-1.0", on=WEEK, person="zoe", hours=Decimal(2), amount=eur(200)
    )
    event = finance.DraftWithdrawn(
        invoice="I-1", billing_event="B-1", amount=eur(200), works=(work,)
    )
    assert data_of(event, NOBODY) == {
        "invoice": "I-1",
        "billing_event": "B-1",
        "amount": {"amount": "200", "currency": "EUR"},
    }
    accountant = Reader("petra", everyone=True)
    assert data_of(event, accountant)["works"][0]["person"] == "zoe"


# ---- answers and pages -----------------------------------------------------------------------


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> InMemory:
    life = Life().kicked_off().say(60, SUBMITTED, EXPENSE)
    by_zoe = [replace(each, actor="zoe", cause="zoe/1") for each in life.events[-2:]]
    life.say(61, approved("T-2", WEEK, 8, person="zoe"))
    folded = InMemory(*life.events[:-3], *by_zoe, life.events[-1])
    monkeypatch.setattr(api, "get_queries", lambda _: folded)
    return folded


async def answers(gateway: InMemory, who: str) -> Mapping[str, httpx.Response]:
    """Return what the gateway answers about the engagement, by path."""
    found: dict[str, httpx.Response] = {}
    path = f"/engagements/{ENGAGEMENT}"
    for served, places in (
        (api_of(), (path, f"{path}/timeline", "/engagements", "/disconnects", "/portfolio")),
        (app_of(gateway), ("/", f"/pages{path}?events=all", "/pages/disconnects")),
    ):
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=served),
            base_url="http://127.0.0.1",
            headers={"Authorization": f"Bearer {who}"},
            cookies={"concord": who},
        ) as client:
            found |= {place: await client.get(place) for place in places}
    assert {each.status_code for each in found.values()} == {200}
    return found


@pytest.mark.parametrize("role", [role for role in api.SEEN_BY if role not in DETAILS_SEEN_BY])
async def test_no_answer_and_no_page_tells_other_readers_whose_time_and_expenses_they_are(
    gateway: InMemory,
    role: Any,
) -> None:
    for place, answer in (await answers(gateway, token("olga", role))).items():
        assert [word for word in SECRETS if word in answer.text.lower()] == [], place


async def test_those_whom_they_concern_see_them_in_view_timeline_and_page(
    gateway: InMemory,
) -> None:
    for who in (token("zoe", "executive"), token("petra", "controller")):
        found = await answers(gateway, who)
        view = found[f"/engagements/{ENGAGEMENT}"].json()["delivery"]
        assert view["waiting_expenses"]["X-1"]["person"] == "zoe"
        assert list(view["waiting"]) == [f"zoe/{WEEK}"]
        entries = found[f"/engagements/{ENGAGEMENT}/timeline"].json()
        (spent,) = (each for each in entries if ".expense-submitted." in each["type"])
        assert (spent["actor"], spent["withheld"]) == ("zoe", False)
        assert spent["data"]["description"] == "Night with Ms Secret"
        assert "Night with Ms Secret" in found[f"/pages/engagements/{ENGAGEMENT}?events=all"].text


async def test_an_event_of_another_person_is_marked_and_has_no_author(gateway: InMemory) -> None:
    found = await answers(gateway, token("olga", "executive"))
    view = found[f"/engagements/{ENGAGEMENT}"].json()["delivery"]
    assert (view["waiting"], view["waiting_expenses"]) == ({}, {})
    withheld = [
        each for each in found[f"/engagements/{ENGAGEMENT}/timeline"].json() if each["withheld"]
    ]
    assert {each["type"].split(".")[2] for each in withheld} == {
        "time-submitted",
        "time-approved",
        "expense-submitted",
    }
    assert {(each["actor"], each["cause"]) for each in withheld} == {(None, None)}
    assert "author not shown" in found[f"/pages/engagements/{ENGAGEMENT}?events=all"].text
