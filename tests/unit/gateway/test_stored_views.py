"""Test that a view is the same bytes for the same events, however often it was stored meanwhile."""

import asyncio
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache

import pytest

from chassis.eventstore.mongo import Document
from contracts import finance, legal, sales
from contracts.event import Event, Recorded, decode, encode
from contracts.values import Deliverable, PricedLine
from gateway.portfolio.figures import contribution
from gateway.projection.view_store import CachedView, _document
from gateway.view.engagement_view import View, apply_event, dump, load
from tests.amounts import eur, per_hour
from tests.builders import Life
from tests.portfolio_builder import company
from tests.unit.lived import LIVES, lived
from tests.unit.simulation import founded
from tests.weeks import approved, costed

Events = list[Recorded[Event]]


@cache
def published() -> dict[str, Events]:
    """Return the events of engagements by a name: a portfolio, and lives played with commands.

    They are as the gateway reads them from records.
    """
    found: dict[str, Events] = {}
    for recorded in company():
        found.setdefault(recorded.subject, []).append(decode(encode(recorded)))
    managed = approved("managed", date(2026, 2, 9), 1, kind="project-management")
    half = costed(managed, "0.5", "0.5")
    with_cents = Life().worked().say(99, half).say(100, half)
    found["with cents"] = [decode(encode(each)) for each in with_cents.events]
    for name in LIVES:
        world = asyncio.run(lived(name, asyncio.run(founded())))
        for recorded in sorted(world.events(), key=lambda each: each.recorded_at):
            if recorded.subject.startswith("E-"):
                found.setdefault(f"{name}: {recorded.subject}", []).append(decode(encode(recorded)))
    return found


def applied(view: View, events: Events) -> View:
    for recorded in events:
        apply_event(view, recorded)
    return view


def whole(events: Events) -> bytes:
    return dump(applied(View(events[0].subject), events))


def test_a_view_that_was_loaded_is_stored_as_the_same_bytes() -> None:
    for name, events in published().items():
        stored = whole(events)
        assert dump(load(stored)) == stored, name


@pytest.mark.parametrize("part", [0.25, 0.5, 0.75])
def test_a_view_that_was_stored_meanwhile_is_the_same_bytes(part: float) -> None:
    for name, events in published().items():
        cut = int(len(events) * part)
        before = dump(applied(View(events[0].subject), events[:cut]))
        assert dump(applied(load(before), events[cut:])) == whole(events), name


def document(view: View) -> Document:
    return _document(CachedView(view, 0, figures=contribution(view, ())))


def test_the_document_of_an_engagement_is_the_same_after_its_view_was_loaded() -> None:
    for name, events in published().items():
        view = applied(View(events[0].subject), events)
        assert document(load(dump(view))) == document(view), name


def test_the_order_in_which_an_author_had_processed_channels_does_not_matter() -> None:
    for name, events in published().items():
        turned = [replace(each, heard=dict(reversed(list(each.heard.items())))) for each in events]
        assert whole(turned) == whole(events), name


def test_a_view_keeps_no_document_with_long_lists_whole() -> None:
    text = "x" * 4_000
    life = Life().signed()
    (drafted,) = (each.event for each in life.events if isinstance(each.event, legal.SowDrafted))
    (won,) = (each.event for each in life.events if isinstance(each.event, sales.DealWon))
    long = tuple(
        Deliverable(deliverable=f"d{number}", title="Title", acceptance_criteria=text)
        for number in range(200)
    )
    line = PricedLine(role="engineer", hours=Decimal(1), rate=per_hour(1), amount=eur(1))
    life.say(40, won.model_copy(update={"deliverables": long}))
    for version in range(2, 7):
        life.say(40, drafted.model_copy(update={"version": version, "deliverables": long}))
        priced = finance.EstimatePriced(
            estimate_version=version,
            rate_card="standard",
            rate_card_version=1,
            lines=(line,) * 200,
            price=eur(200),
            project_management_share=Decimal(0),
            floor="above",
        )
        life.say(40, priced)
    assert len(whole(life.events)) < 60_000
