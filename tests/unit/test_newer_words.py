"""Services accept words that a newer release added to an open vocabulary, and name what waits.

Lives of the demo are played while other departments' events contain such a word.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from chassis.domain.commands import NotRecordable
from contracts import release
from contracts.event import Event, Recorded, decode, encode
from contracts.vocabularies import OPEN_WORDS
from finance.pending.missing import waiting
from gateway.pages.department_panels import panels
from gateway.pages.names import Names
from gateway.view.engagement_view import sentence_of
from local.demo.driver import CommandRefused
from testkit.scenario import RecordsOf
from tests.unit.lived import lived
from tests.unit.simulation import ENGAGEMENT, AnyStream, Department, SentCommand, World, founded
from tests.unit.test_extremes import check_gateway
from tests.unit.test_interleaving import LAST_DAY, shown

NEW = "of-a-newer-release"


def words_of(kind: type[Event]) -> set[tuple[str, ...]]:
    """Return the open vocabularies of an event type, each by its listed words."""
    return {tuple(node[OPEN_WORDS]) for node in _nodes(release.schema(kind))}


def _nodes(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        if OPEN_WORDS in schema:
            yield schema
        schema = [*schema.values()]
    if isinstance(schema, list):
        for each in schema:
            yield from _nodes(each)


def with_new_words(data: Any, schema: Any, words: tuple[str, ...], definitions: Any) -> Any:
    """Return data in which each word of a vocabulary is one that is not listed."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    if schema.get(OPEN_WORDS) == [*words]:
        return NEW if data is not None else None
    for option in schema.get("anyOf", ()):
        data = with_new_words(data, option, words, definitions) if data is not None else None
    if isinstance(data, dict) and "properties" in schema:
        return {
            name: with_new_words(each, schema["properties"].get(name, {}), words, definitions)
            for name, each in data.items()
        }
    if isinstance(data, list) and "items" in schema:
        return [with_new_words(each, schema["items"], words, definitions) for each in data]
    return data


def newer(recorded: Recorded[Event], words: tuple[str, ...]) -> Recorded[Event]:
    """Return an event as a newer release would have published it."""
    kind = type(recorded.event)
    if words not in words_of(kind):
        return recorded
    record = orjson.loads(encode(recorded))
    schema = release.schema(kind)
    record["data"] = with_new_words(record["data"], schema, words, schema.get("$defs", {}))
    return decode(orjson.dumps(record))


class NewerWorld(World):
    """World in which departments consume events of a newer release from the others."""

    def __init__(self, words: tuple[str, ...], is_newer: Callable[[type[Event]], bool]) -> None:
        super().__init__()
        self._words, self._is_newer = words, is_newer

    def _arrive(self, department: Department, recorded: Recorded[Event]) -> None:
        super()._arrive(department, self.newer(recorded))

    def command(self, sent: SentCommand) -> AnyStream:
        try:
            return super().command(sent)
        except NotRecordable as error:
            raise AssertionError(f"{sent.command} leads to an event that is not valid") from error
        except ValidationError as error:  # an actor repeats a word in a command
            raise CommandRefused(f"{sent.by}: {sent.command}: {error}") from error

    def newer(self, recorded: Recorded[Event]) -> Recorded[Event]:
        return newer(recorded, self._words) if self._is_newer(type(recorded.event)) else recorded


def live(life: str, words: tuple[str, ...], is_newer: Callable[[type[Event]], bool]) -> NewerWorld:
    """Run a life, and show its events to the gateway; fails where a service fails."""
    world = NewerWorld(words, is_newer)
    asyncio.run(founded(world=world))
    asyncio.run(lived(life, world))
    seen = [world.newer(each) for each in world.events() if each.channel.kind == "events"]
    for recorded in seen:
        assert decode(encode(recorded)) == recorded
    check_gateway(seen)
    view, names = shown(seen), Names(RecordsOf([]))
    assert all(sentence_of(each.event, names) for each in seen)
    assert panels(view, names, LAST_DAY, confidential=True)
    return world


VOCABULARIES = sorted({words for kind in release.events().values() for words in words_of(kind)})
BILLING = next(words for words in VOCABULARIES if "on-acceptance" in words)


def test_these_vocabularies_are_open() -> None:
    assert sorted(words[0] for words in VOCABULARIES) == [
        "account-executive",
        "below-floor",
        "convenience",
        "cost-to-cost",
        "delivery",
        "delivery",
        "domestic",
        "expenses",
        "fixed",
        "nda",
        "on-signature",
        "price",
        "prospecting",
        "sales",
        "sales",
        "separate",
        "services",
        "sponsor",
        "travel",
    ]


@pytest.mark.parametrize("words", VOCABULARIES, ids=lambda words: f"{words[0]}, {words[-1]}")
def test_no_service_fails_on_a_word_that_it_does_not_know(words: tuple[str, ...]) -> None:
    live("whole", words, lambda _: True)


def test_no_service_fails_on_a_word_in_a_contract_by_the_hour() -> None:
    live("by the hour", BILLING, lambda _: True)


@pytest.mark.parametrize(
    "name", [name for name, kind in release.events().items() if BILLING in words_of(kind)]
)
def test_a_fifth_billing_kind_passes_through_all_services(name: str) -> None:
    live("whole", BILLING, lambda kind: kind.type == name)


def test_finance_names_what_it_cannot_compute() -> None:
    def named(words: tuple[str, ...]) -> set[str]:
        world = live("whole", words, lambda kind: kind.channel.department == "legal")
        finance = world.departments["finance"]
        state = finance.stream(finance.routes("engagements").decider, ENGAGEMENT).state
        return {each.code for each in waiting(state)}

    assert "billing-kind-unknown" in named(BILLING)
    assert "pricing-unknown" in named(next(each for each in VOCABULARIES if "retainer" in each))
