"""Every text of an event or a command, and every decimal of an event, has a contracts' type.

Whole numbers, days and booleans of commands have one, too: the type of the library alone would take
texts for them, and any day or number.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from pydantic import BaseModel

from chassis.base.view_model import ViewModel
from chassis.domain.commands import Command
from chassis.domain.deadlines import DeadlinePassed
from contracts import text
from contracts.channels import DEPARTMENTS
from contracts.decimals import canonical_decimal
from contracts.event import EVENTS
from contracts.values import Day, Moment, Version, YesNo
from finance.booked_works.requests import TakeWorks

for department in DEPARTMENTS:
    import_module(f"{department}.service")


_OWN_VALUES = {DeadlinePassed, TakeWorks}
"""Commands of the deadline scheduler, and of a stream that hands on what it has read itself."""


def views(base: type[ViewModel] = ViewModel) -> Iterator[type[ViewModel]]:
    for each in base.__subclasses__():
        if each.__module__.split(".")[0] in {*DEPARTMENTS, "common", "chassis"}:
            yield each
        yield from views(each)


def commands(base: type[Command] = Command) -> Iterator[type[Command]]:
    for each in base.__subclasses__():
        if each not in _OWN_VALUES and each.__module__.split(".")[0] in {*DEPARTMENTS, "common"}:
            yield each
        yield from commands(each)


def unchecked(schema: Any, at: str = "", checked: str = "") -> Iterator[str]:
    """Yield the places of texts and decimals without a type in a schema of pydantic.

    `checked` says what a schema around this one does to it.
    """
    if isinstance(schema, Mapping):
        kind = schema.get("type")
        if kind == "str" and not schema.get("pattern") and checked != "clean":
            yield f"{at}: text"
        written = schema.get("serialization", {}).get("function")
        if kind == "decimal" and written is not canonical_decimal:
            yield f"{at}: decimal"
        cleans = kind == "function-before" and (
            schema["function"]["function"].__module__ == text.__name__
        )
        for name, part in schema.items():
            if name not in {"serialization", "metadata"}:
                inside = at if name in {"schema", "fields"} else f"{at}.{name}"
                yield from unchecked(part, inside, "clean" if cleans else "")
    elif isinstance(schema, Sequence) and not isinstance(schema, str):
        for part in schema:
            yield from unchecked(part, at, checked)


_CHECKED = {"int": "_a_number", "date": "_in_range", "datetime": "_moment_in_range"}
"""Function that the type of the contracts has around a type of the library."""


def coerced(schema: Any, at: str = "", around: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield the places of whole numbers, days, moments and booleans without a type of contracts.

    `around` are the names of the functions that validate the same value.
    """
    if isinstance(schema, Mapping):
        kind = schema.get("type")
        kind = kind if isinstance(kind, str) else ""  # a field may have the name `type`
        if kind == "bool" and not schema.get("strict"):
            yield f"{at}: bool"
        if kind in _CHECKED and _CHECKED[kind] not in around:
            yield f"{at}: {kind}"
        if kind.startswith("function"):
            around |= {getattr(schema["function"]["function"], "__name__", "")}
        elif kind in {"tuple", "list", "dict", "model", "model-fields"}:
            around = frozenset()
        for name, part in schema.items():
            if name not in {"serialization", "metadata"}:
                inside = at if name in {"schema", "fields"} else f"{at}.{name}"
                yield from coerced(part, inside, around)
    elif isinstance(schema, Sequence) and not isinstance(schema, str):
        for part in schema:
            yield from coerced(part, at, around)


PUBLISHED = [event for event in EVENTS.values() if event.__module__.startswith("contracts.")]
COMMANDS = sorted(set(commands()), key=lambda each: each.__qualname__)


VIEWS = sorted(set(views()), key=lambda each: each.__qualname__)


def test_commands_of_all_departments_are_found() -> None:
    assert {kind.__module__.split(".")[0] for kind in COMMANDS} == {*DEPARTMENTS, "common"}


@pytest.mark.parametrize("kind", PUBLISHED, ids=lambda kind: kind.__name__)
def test_no_text_and_no_decimal_of_an_event_is_left_unchecked(kind: type[BaseModel]) -> None:
    assert list(unchecked(kind.__pydantic_core_schema__)) == []


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
def test_no_text_and_no_decimal_of_a_command_is_left_unchecked(kind: type[BaseModel]) -> None:
    assert list(unchecked(kind.__pydantic_core_schema__)) == []


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
def test_no_number_day_or_boolean_of_a_command_is_left_unchecked(kind: type[BaseModel]) -> None:
    assert list(coerced(kind.__pydantic_core_schema__)) == []


@pytest.mark.parametrize("kind", VIEWS, ids=lambda kind: kind.__qualname__)
def test_each_decimal_of_an_answer_is_written_in_one_way(kind: type[BaseModel]) -> None:
    found = unchecked(kind.__pydantic_core_schema__)
    assert [place for place in found if place.endswith("decimal")] == []


def test_bare_numbers_days_and_booleans_are_found() -> None:
    class Bare(BaseModel):
        agreed: bool | None
        days: tuple[date, ...]
        count: int
        at: datetime

    class Typed(BaseModel):
        agreed: YesNo | None
        days: tuple[Day, ...]
        count: Version
        at: Moment

    assert list(coerced(Bare.__pydantic_core_schema__)) == [
        ".agreed: bool",
        ".days.items_schema: date",
        ".count: int",
        ".at: datetime",
    ]
    assert list(coerced(Typed.__pydantic_core_schema__)) == []


def test_bare_types_are_found() -> None:
    class Bare(BaseModel):
        name: str
        notes: tuple[str, ...] = ()
        hours: Decimal

    assert list(unchecked(Bare.__pydantic_core_schema__)) == [
        ".name: text",
        ".notes.items_schema: text",
        ".hours: decimal",
    ]
