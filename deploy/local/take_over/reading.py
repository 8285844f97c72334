"""Read files into records, each with its place; what cannot be read is a problem with its place.

A file is a JSON object: `source`, the name of the system that the engagements come from, and a list
of records for one or more departments. A folder contains such files. Amounts are decimal numbers
as text, and days are ISO 8601.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Never

from pydantic import ValidationError

from local.take_over.records import DEPARTMENTS, RECORDS, Contract, Department, Record

_FIELDS = ("source", *DEPARTMENTS)


@dataclass(frozen=True, slots=True)
class Place:
    """A record in a file: its number counts the records of the department in the file from 1."""

    file: str
    department: Department | None = None
    number: int = 0
    external_id: str = ""

    def __str__(self) -> str:
        if self.department is None:
            return self.file
        known = f" ({self.external_id})" if self.external_id else ""
        return f"{self.file}: {self.department} {self.number}{known}"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong in a file: where, in which field, and what would be right."""

    place: Place
    field: str
    sentence: str

    def __str__(self) -> str:
        where = f", {self.field}" if self.field else ""
        return f"{self.place}{where}: {self.sentence}"


@dataclass(frozen=True, slots=True)
class Given:
    """The fields of a record as a file has them, with its source."""

    place: Place
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Engagement:
    """Records of the files for an engagement, by department; a place without a record is wrong."""

    source: str
    external_id: str
    records: dict[Department, Record] = field(default_factory=dict)
    places: dict[Department, Place] = field(default_factory=dict)


def files_of(path: Path) -> tuple[Path, ...]:
    """Return the file, or the JSON files of a folder by name; raises OSError without any."""
    if not path.is_dir():
        return (path,)
    found = tuple(sorted(path.glob("*.json")))
    if not found:
        raise FileNotFoundError(f"the folder {path} has no file with the ending .json")
    return found


def read(path: Path, problems: list[Problem]) -> Iterator[Given]:
    """Yield the records of a file, and add what cannot be read to the problems.

    Raises OSError where the file cannot be read.
    """
    place = Place(path.name)
    try:
        content = json.loads(
            path.read_bytes().decode("utf-8-sig"),
            parse_float=Decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_unrepeated,
        )
    except UnicodeDecodeError as error:
        problems.append(Problem(place, "", f"byte {error.start} is not UTF-8"))
        return
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        problems.append(Problem(place, where, f"this is not JSON: {error.msg}"))
        return
    except (ValueError, RecursionError) as error:
        problems.append(Problem(place, "", f"this cannot be read as JSON: {error}"))
        return
    yield from _records(place, content, problems)


def _refuse_constant(text: str) -> Never:
    raise ValueError(f"{text} is no number: give a decimal number as text, such as 1250.00")


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"the field {', '.join(repeated)} is given twice")
    return found


def _records(place: Place, content: object, problems: list[Problem]) -> Iterator[Given]:
    if not isinstance(content, dict):
        expected = f"must be a JSON object with {', '.join(_FIELDS)}"
        problems.append(Problem(place, "", expected))
        return
    problems += (
        Problem(place, name, f"is no field: use {', '.join(_FIELDS)}")
        for name in content
        if name not in _FIELDS
    )
    if not content.keys() & {*DEPARTMENTS}:
        sentence = f"no department has records: give a list for {', '.join(DEPARTMENTS)}"
        problems.append(Problem(place, "", sentence))
    for department in DEPARTMENTS:
        records = content.get(department, [])
        if not isinstance(records, list):
            problems.append(Problem(place, department, "must be a list of records"))
            continue
        for number, fields in enumerate(records, start=1):
            if not isinstance(fields, dict):
                where = Place(place.file, department, number)
                problems.append(Problem(where, "", "must be a JSON object"))
                continue
            source = {"source": content["source"]} if "source" in content else {}
            name = fields.get("external_id")
            known = name if isinstance(name, str) else ""
            yield Given(Place(place.file, department, number, known), {**source, **fields})


def engagements_of(
    given: Iterable[Given], accounts: Mapping[str, str], problems: list[Problem]
) -> list[Engagement]:
    """Return the engagements in the order of the files, and add what is wrong to the problems.

    `accounts` are the names of the published accounts by id. A contract that names no customer has
    the account of its sale.
    """
    found: dict[tuple[str, str], Engagement] = {}
    ids = {name: account for account, name in accounts.items()} | {each: each for each in accounts}
    every = tuple(given)
    sold = {
        _key(each.fields): ids.get(str(each.fields.get("account")))
        for each in every
        if each.place.department == "sales"
    }
    for each in every:
        record, key, department = (
            _record(each, sold, problems),
            _key(each.fields),
            each.place.department,
        )
        if department is None:
            continue
        engagement = found.setdefault(key, Engagement(*key))
        first = engagement.places.setdefault(department, each.place)
        if first is not each.place:
            sentence = f"{key[1]} is the id of another record, {first}: remove one"
            problems.append(Problem(each.place, "external_id", sentence))
        elif record is not None:
            engagement.records[department] = record
    return list(found.values())


def _key(fields: Mapping[str, Any]) -> tuple[str, str]:
    return str(fields.get("source")), str(fields.get("external_id"))


def _record(
    given: Given, sold: Mapping[tuple[str, str], str | None], problems: list[Problem]
) -> Record | None:
    """Return a record; add every field that is wrong to the problems and return None."""
    department = given.place.department
    if department is None:
        return None
    kind, fields = RECORDS[department], dict(given.fields)
    customer = sold.get(_key(fields)) if kind is Contract else None
    if customer is not None:
        fields.setdefault("customer", customer)
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        for each in error.errors(include_url=False):
            if each["loc"] == ("customer",) and _key(fields) in sold:
                continue  # the account of the sale is wrong
            path = ".".join(str(part) for part in each["loc"])
            problems.append(Problem(given.place, path, _sentence(each)))
        return None


def _sentence(error: Mapping[str, Any]) -> str:
    sentence = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "missing":
        return "is missing"
    if error["type"] == "extra_forbidden":
        return "is no field of this record"
    shown = repr(error["input"]) if isinstance(error["input"], str | int | Decimal) else ""
    return f"{sentence}, not {shown[:80]}" if shown else sentence
