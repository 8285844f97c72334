"""Read routes, parameters, bodies and roles from a service's OpenAPI document."""

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

Schema = Mapping[str, Any]
Place = tuple[str | int, ...]

ENGAGEMENT = "E-0D5R2K8WQ3V7X"
"""A valid id of an engagement that does not exist."""

WITHOUT_TOKEN = {"/live", "/ready", "/health", "/schemas/{name}.json"}
"""Paths that need no token."""

_NAME = "abc"
_DAY = (datetime.now(UTC) - timedelta(days=30)).date()
_MONDAY = _DAY - timedelta(days=_DAY.weekday())
_TEXTS = {
    r"^E-[0-9A-HJKMNP-TV-Z]{13}$": ENGAGEMENT,
    r"^[A-Z]{3}$": "EUR",
    r"^sha256:[0-9a-f]{64}$": "sha256:" + "a" * 64,
    r"^[0-9]{4}-(0[1-9]|1[0-2])$": f"{_DAY:%Y-%m}",
    r"^[^@\s]+@[^@\s]+$": "ann@example.com",
    r"^[A-Z]{2}$": "DE",
    r"^[A-Z0-9]{1,3}$": "BY",
    r"^[A-Z][A-Za-z0-9_+/-]*$": "Europe/Berlin",
    r"^[A-Z]{2}[A-Z0-9+*]{2,14}$": "DE136695976",
    r"^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$": "DE89370400440532013000",
    r"^[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?$": "DEUTDEFF",
    r"^([A-Z]{3})-([A-Z]{3})-([0-9]{4}-[0-9]{2}-[0-9]{2})$": f"EUR-USD-{_DAY}",
    r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}\.(invoice|credit-note)\.[0-9]{4}$": "abc.invoice.2026",
    r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}\.[1-9][0-9]{0,5}$": "abc.1",
    r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$": "example.com",
}


@dataclass(frozen=True)
class Route:
    """One operation: its path, query and header parameters, and the schema of its body."""

    service: str
    method: str
    path: str
    named: Schema
    roles: frozenset[str]
    body: Schema | None
    media: str | None
    parameters: Mapping[str, Mapping[str, Schema]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.method} {self.service}{self.path}"

    @property
    def headers(self) -> Mapping[str, Schema]:
        return self.parameters.get("header", {})

    @property
    def query(self) -> Mapping[str, Schema]:
        return self.parameters.get("query", {})

    @property
    def is_command(self) -> bool:
        return "idempotency-key" in self.headers

    def address(self, **instead: str) -> str:
        """Return the path with an id for each parameter."""
        ids = {name: str(example(schema)) for name, schema in self.named.items()} | instead
        return self.path.format(**ids)


def routes(service: str, document: Mapping[str, Any]) -> Iterator[Route]:
    """Yield every operation that needs a token."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if path in WITHOUT_TOKEN:
                continue
            parameters: dict[str, dict[str, Schema]] = {}
            for each in operation.get("parameters", []):
                schema = resolved(each["schema"], document)
                parameters.setdefault(each["in"], {})[each["name"]] = schema
            content = operation.get("requestBody", {}).get("content", {})
            media = next(iter(content), None)
            named = re.search(r"^For: (.+)\.$", operation.get("description", ""), re.MULTILINE)
            yield Route(
                service=service,
                method=method.upper(),
                path=path,
                named=parameters.get("path", {}),
                roles=frozenset(named[1].split(", ") if named else ()),
                body=resolved(content[media]["schema"], document) if media else None,
                media=media,
                parameters=parameters,
            )


def resolved(schema: Any, document: Mapping[str, Any]) -> Any:
    """Return the schema with every `$ref` resolved."""
    if isinstance(schema, list):
        return [resolved(each, document) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        target: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return resolved({**target, **{k: v for k, v in schema.items() if k != "$ref"}}, document)
    return {name: resolved(each, document) for name, each in schema.items()}


def kinds(schema: Schema) -> dict[str, Schema]:
    """Return the alternatives of a schema by JSON type, without null."""
    choices = schema.get("anyOf") or schema.get("oneOf") or [schema]
    return {each["type"]: each for each in choices if each.get("type", "null") != "null"}


def is_decimal(schema: Schema) -> bool:
    return {"number", "string"} <= kinds(schema).keys()


def item(schema: Schema) -> Schema:
    """Return the schema of a list's items, or of a tuple's if all are the same."""
    found: Schema = schema.get("items") or schema["prefixItems"][0]
    return found


def example(schema: Schema) -> Any:
    """Return a valid value; of an object, with required fields only."""
    for name in ("const", "default"):
        if schema.get(name) is not None and schema[name] != []:
            return schema[name]
    if "enum" in schema:
        return schema["enum"][0]
    kind, known = next(iter(kinds(schema).items()), ("null", schema))
    match kind:
        case "object":
            properties = known.get("properties", {})
            if not properties and known.get("minProperties"):
                values = known.get("patternProperties") or {"": known["additionalProperties"]}
                return {_NAME: example(next(iter(values.values())))}
            return {name: example(properties[name]) for name in known.get("required", ())}
        case "array":
            return [example(item(known))] * known.get("minItems", 0)
        case "integer" | "number":
            return max(1, int(known.get("minimum", 1)))
        case "boolean":
            return True
        case "string":
            return _text(known)
        case _:
            return None


def whole(schema: Schema) -> Any:
    """Return a valid value with every field, and one item in every list."""
    if "enum" in schema or "const" in schema:
        return example(schema)
    kind, known = next(iter(kinds(schema).items()), ("null", schema))
    if kind == "object" and "properties" in known:
        return {name: whole(each) for name, each in known["properties"].items()}
    if kind == "array":
        return [whole(item(known))] * max(1, known.get("minItems", 1))
    return example(schema)


def fields(schema: Schema, place: Place = ()) -> Iterator[tuple[Place, Schema]]:
    """Yield every field of a body, also nested ones, with its place in `whole`."""
    known = kinds(schema)
    if "object" in known:
        for name, each in known["object"].get("properties", {}).items():
            yield (*place, name), each
            yield from fields(each, (*place, name))
    elif "array" in known:
        yield (*place, 0), item(known["array"])
        yield from fields(item(known["array"]), (*place, 0))


def objects(schema: Schema, place: Place = ()) -> Iterator[tuple[Place, Schema]]:
    """Yield every object with fields in a body, the body itself first."""
    known = kinds(schema)
    if "properties" in known.get("object", {}):
        yield place, known["object"]
        for name, each in known["object"]["properties"].items():
            yield from objects(each, (*place, name))
    elif "array" in known:
        yield from objects(item(known["array"]), (*place, 0))


def put(body: Any, place: Place, value: Any) -> Any:
    """Return the body with another value at a place."""
    if not place:
        return value
    changed = copy.deepcopy(body)
    *way, last = place
    target = changed
    for step in way:
        target = target[step]
    target[last] = value
    return changed


def without(body: Any, place: Place) -> Any:
    """Return the body without the field at a place."""
    changed = copy.deepcopy(body)
    *way, last = place
    target = changed
    for step in way:
        target = target[step]
    del target[last]
    return changed


def written(place: Place) -> str:
    """Return a place as problem details name it: ``lines[0].hours``."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return text.removeprefix(".")


def _text(schema: Schema) -> str:
    if schema.get("format") == "date":
        return _MONDAY.isoformat()
    if schema.get("format") == "date-time":
        return f"{_MONDAY}T09:00:00Z"
    pattern = schema.get("pattern", "")
    if pattern in _TEXTS:
        return _TEXTS[pattern]
    if not re.search(pattern, _NAME):
        example: str = schema["examples"][0]
        return example
    return _NAME
