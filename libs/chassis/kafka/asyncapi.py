"""What a service says and hears on Kafka, as an AsyncAPI 3 document and as a page for people.

It is made from the contracts and the deciders: a message for every event with its JSON Schema, the
channel and topic it travels on, and the record's key.
"""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from jinja2 import Environment, select_autoescape
from pydantic.json_schema import models_json_schema

from contracts import release
from contracts.channels import PARTITIONS, Channel, Department
from contracts.event import CONTENT_TYPE, Event

_KEYS = {
    "events": "The id of the engagement.",
    "register": "The id of the engagement that is told.",
    "reference": "`<kind>:<id>@<version>`; a record without a value says that it was erased.",
}
_ENVELOPE: dict[str, Any] = {
    "type": "object",
    "description": "A CloudEvents 1.0 event in structured mode.",
    "required": [
        "specversion", "id", "source", "type", "subject", "time", "dataschema", "sequence",
        "causationid", "actor", "occurredat", "heard", "data",
    ],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "description": "UUIDv7; the same event always has the same id."},
        "source": {"type": "string", "description": "Which department says it."},
        "type": {"type": "string"},
        "subject": {"type": "string", "description": "What it is about: an engagement, as a rule."},
        "time": {"type": "string", "format": "date-time", "description": "When it was recorded."},
        "datacontenttype": {"const": "application/json"},
        "dataschema": {"type": "string", "format": "uri"},
        "sequence": {
            "type": "integer",
            "minimum": 1,
            "description": "Counts the channel's events about this subject, without a gap.",
        },
        "causationid": {"type": "string", "description": "The command or event that led to it."},
        "actor": {"type": "string", "description": "Who did it: a person's id or a department."},
        "occurredat": {"type": "string", "format": "date-time", "description": "When it happened."},
        "heard": {
            "type": "string",
            "description": "How far its author had heard each other channel about this subject.",
            "examples": ["legal=4,sales=17"],
        },
        "traceparent": {"type": "string", "description": "W3C Trace Context."},
    },
}  # fmt: skip


def said_by(department: Department) -> tuple[type[Event], ...]:
    """The events that a department says."""
    known = release.events().values()
    return tuple(event for event in known if event.channel.department == department)


def document(
    name: Department, title: str, heard: Collection[type[Event]], prefix: str
) -> dict[str, Any]:
    """The AsyncAPI 3 document of a service that says its department's events and hears these."""
    said = said_by(name)
    events = sorted({*said, *heard}, key=lambda event: event.type)
    channels = sorted({event.channel for event in events}, key=lambda channel: channel.name)
    references, definitions = models_json_schema(
        [(event, "serialization") for event in events],
        ref_template="#/components/schemas/{model}",
        schema_generator=release.OnTheWire,
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": f"{title}: events",
            "version": "1",
            "description": f"What {name} says to the other departments, and what it hears of them.",
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {channel.name: _channel(channel, events, prefix) for channel in channels},
        "operations": {
            **_operations("say", "send", said),
            **_operations("hear", "receive", heard),
        },
        "components": {
            "messages": {
                event.type: _message(event, references[event, "serialization"]) for event in events
            },
            "schemas": {
                "Envelope": _ENVELOPE,
                **release.opened(definitions.get("$defs", {})),
            },
        },
    }


def _channel(channel: Channel, events: Iterable[type[Event]], prefix: str) -> dict[str, Any]:
    return {
        "address": channel.topic(prefix),
        "description": f"{channel.department}: {channel.kind}"
        + (", confidential" if channel.confidential else ""),
        "messages": {
            event.type: {"$ref": f"#/components/messages/{event.type}"}
            for event in events
            if event.channel == channel
        },
        "bindings": {
            "kafka": {
                "topic": channel.topic(prefix),
                "partitions": PARTITIONS,
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operations(verb: str, action: str, events: Collection[type[Event]]) -> dict[str, Any]:
    names = sorted({event.channel.name for event in events})
    return {
        f"{verb}-{name}": {
            "action": action,
            "channel": {"$ref": f"#/channels/{name}"},
            "messages": [
                {"$ref": f"#/channels/{name}/messages/{event.type}"}
                for event in sorted(events, key=lambda event: event.type)
                if event.channel.name == name
            ],
        }
        for name in names
    }


def _message(event: type[Event], data: dict[str, Any]) -> dict[str, Any]:
    words = " ".join((event.__doc__ or "").split())
    key = {"type": "string", "description": _KEYS[event.channel.kind]}
    return {
        "name": event.type,
        "title": event.__name__,
        "summary": words,
        "contentType": CONTENT_TYPE,
        "payload": {
            "allOf": [
                {"$ref": "#/components/schemas/Envelope"},
                {"properties": {"type": {"const": event.type}, "data": data}},
            ]
        },
        "bindings": {"kafka": {"key": key, "bindingVersion": "0.5.0"}},
    }


def page(written: dict[str, Any]) -> str:
    """The document as one HTML page that needs nothing else."""
    return _PAGE.render(doc=written, fields=_fields)


def _fields(written: dict[str, Any], message: dict[str, Any]) -> list[dict[str, Any]]:
    schemas = written["components"]["schemas"]
    data = message["payload"]["allOf"][1]["properties"]["data"]
    schema = schemas[data["$ref"].rpartition("/")[2]]
    needed = schema.get("required", ())
    return [
        {
            "name": name,
            "type": _kind(part),
            "needed": name in needed,
            "default": part.get("default"),
        }
        for name, part in schema.get("properties", {}).items()
    ]


def _kind(part: dict[str, Any]) -> str:
    if "$ref" in part:
        return str(part["$ref"]).rpartition("/")[2]
    if "anyOf" in part:
        return " or ".join(_kind(each) for each in part["anyOf"])
    if "enum" in part:
        return ", ".join(map(str, part["enum"]))
    if part.get("type") == "array":
        return f"list of {_kind(part.get('items', {}))}"
    return str(part.get("format") or part.get("type") or part.get("const") or "anything")


_PAGE = Environment(autoescape=select_autoescape(default=True), trim_blocks=True).from_string(
    Path(__file__).with_suffix(".html").read_text()
)
