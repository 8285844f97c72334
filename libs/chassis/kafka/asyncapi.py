"""The AsyncAPI 3 document of a service: the events that it publishes and consumes, also as HTML.

It is generated from the contracts and the deciders: each event with its JSON Schema, its channel
and topic, and the key of its records.
"""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from jinja2 import Environment, select_autoescape
from pydantic.json_schema import models_json_schema

from contracts import release
from contracts.channels import PARTITIONS, Channel, Department
from contracts.envelope import LARGEST_NUMBER
from contracts.event import CONTENT_TYPE, LOCAL_SCHEMAS, Event, schema_address

_KEYS = {
    "events": "The id of the engagement.",
    "reference": "`<kind>:<id>@<version>`; a record without a value is a tombstone: erased.",
}
_ENVELOPE: dict[str, Any] = {
    "type": "object",
    "description": "A CloudEvents 1.0 event in structured mode.",
    "required": [
        "specversion", "id", "source", "type", "subject", "time", "dataschema", "streamsequence",
        "causationid", "actor", "occurredat", "data",
    ],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "description": "UUIDv7; the same event always has the same id."},
        "source": {"type": "string", "description": "The department that published it."},
        "type": {"type": "string"},
        "subject": {"type": "string", "description": "Usually the id of an engagement."},
        "time": {"type": "string", "format": "date-time", "description": "When it was recorded."},
        "datacontenttype": {"const": "application/json"},
        "dataschema": {"type": "string", "format": "uri"},
        "streamsequence": {
            "type": "integer",
            "minimum": 1,
            "maximum": LARGEST_NUMBER,
            "description": "Numbers the channel's events about this subject, without a gap.",
        },
        "causationid": {"type": "string", "description": "The command or event that led to it."},
        "actor": {"type": "string", "description": "Who did it: a person's id or a department."},
        "onbehalfof": {
            "type": "string",
            "description": "Id of the person whom the actor acted for, as a stand-in.",
        },
        "occurredat": {"type": "string", "format": "date-time", "description": "When it happened."},
        "heard": {
            "type": "string",
            "description": "The last streamsequence that its author had processed, by other channel"
            " (on an open channel: by open channel); left out where there is none.",
            "examples": ["legal=4,sales=17"],
        },
        "traceparent": {"type": "string", "description": "W3C Trace Context; may be missing."},
    },
}  # fmt: skip


def published_by(department: Department) -> tuple[type[Event], ...]:
    """Return the types of event that a department publishes."""
    events = release.events().values()
    return tuple(event for event in events if event.channel.department == department)


def document(
    name: Department,
    title: str,
    consumed: Collection[type[Event]],
    prefix: str,
    schemas_url: str = LOCAL_SCHEMAS,
) -> dict[str, Any]:
    """Return the AsyncAPI 3 document of a department that consumes these types of event.

    `prefix` is that of the topics, `schemas_url` the address under which schemas are served.
    """
    published = published_by(name)
    events = sorted({*published, *consumed}, key=lambda event: event.type)
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
            "description": f"The events that {name} publishes, and those that it consumes.",
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {channel.name: _channel(channel, events, prefix) for channel in channels},
        "operations": {
            **_operations("publish", "send", published),
            **_operations("consume", "receive", consumed),
        },
        "components": {
            "messages": {
                event.type: _message(event, references[event, "serialization"], schemas_url)
                for event in events
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


def _message(event: type[Event], data: dict[str, Any], schemas_url: str) -> dict[str, Any]:
    summary = " ".join((event.__doc__ or "").split())
    key = {"type": "string", "description": _KEYS[event.channel.kind]}
    return {
        "name": event.type,
        "title": event.__name__,
        "summary": summary,
        "contentType": CONTENT_TYPE,
        "payload": {
            "allOf": [
                {"$ref": "#/components/schemas/Envelope"},
                {
                    "properties": {
                        "type": {"const": event.type},
                        "dataschema": {"const": schema_address(event, schemas_url)},
                        "data": data,
                    }
                },
            ]
        },
        **({"examples": [{"payload": known}]} if (known := release.example(event)) else {}),
        "bindings": {"kafka": {"key": key, "bindingVersion": "0.5.0"}},
    }


def page(document: dict[str, Any]) -> str:
    """Return the document as a self-contained HTML page."""
    return _PAGE.render(doc=document, fields=_fields)


def _fields(document: dict[str, Any], message: dict[str, Any]) -> list[dict[str, Any]]:
    schemas = document["components"]["schemas"]
    data = message["payload"]["allOf"][1]["properties"]["data"]
    schema = schemas[data["$ref"].rpartition("/")[2]]
    required = schema.get("required", ())
    return [
        {
            "name": name,
            "type": _type(field),
            "required": name in required,
            "default": field.get("default"),
        }
        for name, field in schema.get("properties", {}).items()
    ]


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or schema.get("const") or "any value")


_PAGE = Environment(autoescape=select_autoescape(default=True), trim_blocks=True).from_string(
    Path(__file__).with_suffix(".html").read_text()
)
