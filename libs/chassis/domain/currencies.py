"""Require that the currencies of a command are in use on its day."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel

from chassis.domain.commands import Command, Missing, gate
from chassis.domain.context import Context
from contracts.currencies import IN_USE
from contracts.money import CURRENCY_CODE


def require_in_use(command: Command, state: object, context: Context) -> None:
    """Refuse a command that brings in a currency which is not in use, with the field that names it.

    A currency has to be in use today or on an earlier day that the command names. One that the
    state of the stream has already may still be used, so that what is recorded in it can be
    corrected and ended.
    """
    named = dict(_named(command, ""))
    given = (each for each in named.values() if isinstance(each, date))
    days = [context.today, *(each for each in given if each < context.today)]
    unused = {
        field: code
        for field, code in named.items()
        if isinstance(code, str) and not any(day in IN_USE[code] for day in days)
    }
    known = set(dict(_named(state, "")).values()) if unused else set()
    gate(
        "currency-not-in-use",
        (
            Missing(
                "currency-not-in-use",
                f"{field}: {code} is in use {_in_words(code)}, not on {context.today}",
                field=field,
            )
            for field, code in unused.items()
            if code not in known
        ),
    )


def _in_words(code: str) -> str:
    first, last = IN_USE[code]
    return f"from {first}" if last is None else f"until {last}"


def _named(value: object, path: str) -> Iterator[tuple[str, str | date]]:
    """Yield the currencies and days within a value, by path."""
    if isinstance(value, BaseModel):
        codes = _code_fields(type(value))
        for name, each in value:
            if name in codes and isinstance(each, str):
                yield f"{path}{name}", each
            else:
                yield from _named(each, f"{path}{name}.")
    elif isinstance(value, date) and not isinstance(value, datetime):
        yield path.removesuffix("."), value
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from _named(each, f"{path}{name}.")
    elif isinstance(value, tuple | list | frozenset):
        for number, each in enumerate(value):
            yield from _named(each, f"{path}{number}.")
    elif is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            yield from _named(getattr(value, each.name), f"{path}{each.name}.")


@cache
def _code_fields(kind: type[BaseModel]) -> frozenset[str]:
    """Return the names of the fields of a model that are a currency's code."""
    return frozenset(
        name
        for name, field in kind.model_fields.items()
        for annotation in (field, *get_args(field.annotation))
        if CURRENCY_CODE in _metadata(annotation)
    )


def _metadata(annotation: Any) -> tuple[object, ...]:
    return (*getattr(annotation, "metadata", ()), *getattr(annotation, "__metadata__", ()))
