"""Release the JSON Schemas of the events.

``python -m contracts.release`` writes one JSON Schema (2020-12) per event to ``schemas/``. It
refuses a change that would break a consumer or make a recorded event unreadable: a new field must
be optional with a default, words may be added to an open vocabulary (`x-extensible-enum`), and any
other change needs a new version of the event. With ``--check``
nothing is written.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

import contracts
from contracts.event import (
    EVENTS,
    LOCAL_SCHEMAS,
    Event,
    Undecodable,
    decode,
    encode,
    schema_address,
)
from contracts.vocabularies import OPEN_WORDS

CONTENT_TYPE = "application/schema+json"
FOLDER = Path(__file__).parent / "schemas"
EXAMPLES = Path(__file__).parent / "examples"
"""A whole CloudEvent of each event type, as `make examples` writes it."""
_NOT_COMPARED = frozenset({"title", "description", "examples", "x-consumed-by"})
_BOUNDS = {
    "ge": "x-minimum",
    "gt": "x-exclusive-minimum",
    "le": "x-maximum",
    "lt": "x-exclusive-maximum",
    "max_digits": "x-digits",
    "decimal_places": "x-decimal-places",
}


class OnTheWire(GenerateJsonSchema):
    """JSON Schema generator in which decimals are strings, with their bounds as `x-` keywords."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        """Return the schema of a decimal as a string."""
        written = super().decimal_schema(schema)
        bounds = {
            name: str(value)
            for bound, name in _BOUNDS.items()
            if (value := schema.get(bound)) is not None
        }
        return {**written, **bounds, "format": "decimal"}


def opened(part: Any) -> Any:
    """Return a schema without `additionalProperties: false`, so that new fields are allowed."""
    if isinstance(part, dict):
        return {
            name: opened(value)
            for name, value in part.items()
            if not (name == "additionalProperties" and value is False)
        }
    return [opened(value) for value in part] if isinstance(part, list) else part


def events() -> dict[str, type[Event]]:
    """Return the events of the contracts by type, in alphabetical order."""
    package = contracts.__name__ + "."
    return {
        name: EVENTS[name] for name in sorted(EVENTS) if EVENTS[name].__module__.startswith(package)
    }


def schema(event: type[Event], schemas_url: str = LOCAL_SCHEMAS) -> dict[str, Any]:
    """Return the JSON Schema of an event's data, the ``data`` attribute of its CloudEvent.

    Its `$id` is the address under `schemas_url` at which the installation serves it.
    Objects allow additional properties, since consumers must ignore fields that they do not know.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": schema_address(event, schemas_url),
        "x-channel": event.channel.name,
        "x-consumed-by": sorted(event.consumed_by),
        **opened(strict_schema(event)),
        **({"examples": [known["data"]]} if (known := example(event)) else {}),
    }


def strict_schema(event: type[Event]) -> dict[str, Any]:
    """Return the JSON Schema of an event's data without additional properties.

    What the services of this release publish conforms to it.
    """
    return event.model_json_schema(mode="serialization", schema_generator=OnTheWire)


def example(event: type[Event]) -> dict[str, Any] | None:
    """Return the example of an event type, a whole CloudEvent, or None where there is none."""
    file = EXAMPLES / f"{event.type}.json"
    if not file.is_file():
        return None
    known: dict[str, Any] = json.loads(file.read_text())
    return known


def example_fault(event: type[Event]) -> str | None:
    """Return why an event type has no example of this release, or None."""
    known = example(event)
    if known is None:
        return "there is no example"
    try:
        recorded = decode(json.dumps(known))
    except Undecodable as error:
        return str(error)
    written: dict[str, Any] = json.loads(encode(recorded))
    return None if written == known else "this release would publish it otherwise"


def text(event: type[Event], schemas_url: str = LOCAL_SCHEMAS) -> str:
    """Return the content of the schema's file; the same event always gives the same text."""
    return (
        json.dumps(schema(event, schemas_url), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    )


def released(folder: Path = FOLDER) -> dict[str, dict[str, Any]]:
    """Return all released schemas by the event's type."""
    return {file.stem: json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))}


def breaks(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return the differences that break consumers or recorded events of the old schema."""
    return _differences("", old, new, old.get("$defs", {}), new.get("$defs", {}))


def _differences(
    at: str, old: Any, new: Any, old_defs: Mapping[str, Any], new_defs: Mapping[str, Any]
) -> list[str]:
    old, new = _resolved(old, old_defs), _resolved(new, new_defs)
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = enumerate(zip(old, new, strict=True))
        return [
            line
            for place, (before, after) in pairs
            for line in _differences(f"{at}[{place}]", before, after, old_defs, new_defs)
        ]
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return [] if old == new else [f"{at}: was {_short(old)}, is {_short(new)}"]
    lines: list[str] = []
    if "properties" in old and "properties" in new:
        lines += _fields(at, old, new)
    for name in sorted((old.keys() | new.keys()) - _NOT_COMPARED - {"$defs", "required"}):
        if name == "properties" and name in old and name in new:
            for field in sorted(old[name].keys() & new[name].keys()):
                lines += _differences(
                    f"{at}.{field}".lstrip("."),
                    old[name][field],
                    new[name][field],
                    old_defs,
                    new_defs,
                )
        elif name == OPEN_WORDS and name in old and name in new:
            removed = [word for word in old[name] if word not in new[name]]
            lines += [f"{at} {name}: {word} removed".strip() for word in removed]
        elif name in old and name in new:
            lines += _differences(f"{at} {name}".strip(), old[name], new[name], old_defs, new_defs)
        else:
            change = f"{name} removed" if name in old else f"{name} added: {_short(new[name])}"
            lines.append(f"{at or 'the event'}: {change}")
    return lines


def _fields(at: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    before, after = old["properties"], new["properties"]
    needed_before, needed_after = set(old.get("required", ())), set(new.get("required", ()))
    where = f"{at}." if at else ""
    return [
        *(f"{where}{name}: removed" for name in sorted(before.keys() - after.keys())),
        *(
            f"{where}{name}: new without a default"
            for name in sorted((after.keys() - before.keys()) & needed_after)
        ),
        *(
            f"{where}{name}: {'now required' if name in needed_after else 'now optional'}"
            for name in sorted((needed_before ^ needed_after) & before.keys() & after.keys())
        ),
    ]


def _resolved(part: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(part, dict) and "$ref" in part:
        rest = {name: value for name, value in part.items() if name != "$ref"}
        return {**definitions[part["$ref"].rpartition("/")[2]], **rest}
    return part


def _short(value: Any) -> str:
    written = json.dumps(value, sort_keys=True)
    return written if len(written) <= 60 else written[:57] + "..."


def check(folder: Path = FOLDER) -> tuple[list[str], list[str]]:
    """Return the breaking changes, and the types whose schemas are new or changed."""
    before, now = released(folder), events()
    breaking = [
        f"{name}: released, but removed from the contracts" for name in before if name not in now
    ]
    unreleased: list[str] = []
    for name, event in now.items():
        if name not in before:
            unreleased.append(name)
            continue
        breaking += [f"{name}: {line}" for line in breaks(before[name], schema(event))]
        if (folder / f"{name}.json").read_text() != text(event):
            unreleased.append(name)
    return breaking, unreleased


def main(arguments: list[str]) -> int:
    """Write new and changed schemas, or report why not; return the exit code."""
    breaking, unreleased = check()
    for line in breaking:
        sys.stderr.write(f"{line}\n")
    if breaking:
        sys.stderr.write("Define a new version of the event (version=2), and keep the old one.\n")
        return 1
    if "--check" in arguments:
        for name in unreleased:
            sys.stderr.write(f"{name}: not released yet (run make schemas)\n")
        return 1 if unreleased else 0
    FOLDER.mkdir(exist_ok=True)
    for name in unreleased:
        (FOLDER / f"{name}.json").write_text(text(events()[name]))
        sys.stdout.write(f"released {name}\n")
    sys.stdout.write(f"{len(events())} events, {len(unreleased)} schemas written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
