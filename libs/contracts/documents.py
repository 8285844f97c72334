"""Documents that people review, approve and sign: the hash that says which content they saw."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from json import dumps
from typing import TypeVar

from pydantic import BaseModel

from contracts.event import written
from contracts.values import ContentHash

D = TypeVar("D", bound=BaseModel)

STATEMENT_OF_WORK = "statement-of-work"
"""Kind of document whose content is a SowDrafted."""

AMENDMENT = "amendment"
"""Kind of document whose content is an AmendmentDrafted."""

OWN_HASH = "content_hash"
"""The field in which a document carries its own hash; it is no part of what is hashed."""

UNSEALED: ContentHash = "sha256:" + "0" * 64
"""Stands in `content_hash` until `seal` puts the hash there."""


def content_hash(kind: str, content: BaseModel | Mapping[str, object]) -> ContentHash:
    """SHA-256 of a document's content, so that equal content has one hash wherever it is taken.

    Hashed are the UTF-8 bytes of ``canonical({"content": content, "kind": kind})``: the kind of
    document (``statement-of-work``) together with every field of the content but its own
    `content_hash`. An event that carries its document whole can therefore be checked by anybody:
    ``content_hash(kind, event) == event.content_hash``. Raises TypeError as `canonical` does.
    """
    fields = {name: value for name, value in _fields(content).items() if name != OWN_HASH}
    text = canonical({"kind": kind, "content": fields})
    return f"sha256:{sha256(text.encode()).hexdigest()}"


def seal(kind: str, document: D) -> D:
    """The document with the hash of its content in it, whatever stood there before."""
    return document.model_copy(update={OWN_HASH: content_hash(kind, document)})


def canonical(content: BaseModel | Mapping[str, object]) -> str:
    """The one JSON text of a content: no spaces, keys sorted by code point, text as it is.

    Fields without a value (None) are left out, so that an optional field that is added later
    leaves older hashes alone. Decimals are strings with neither exponent nor trailing zeros (10.50
    and 10.5 are the same price), days are ISO 8601, moments RFC 3339 in UTC to the microsecond.
    Lists keep their order. Raises TypeError for anything with more than one way to be written: a
    float, a set, a key that is not a text.
    """
    return dumps(
        _plain(content),
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
    )


def _fields(content: BaseModel | Mapping[str, object]) -> Mapping[str, object]:
    if isinstance(content, BaseModel):
        return {name: getattr(content, name) for name in type(content).model_fields}
    return content


def _plain(value: object) -> object:
    match value:
        case None | bool() | int() | str():
            return value
        case Decimal():
            return _written(value)
        case datetime():
            return written(value)
        case date():
            return value.isoformat()
        case BaseModel() | Mapping():
            return _object(_fields(value))
        case Sequence() if not isinstance(value, bytes | bytearray | memoryview):
            return [_plain(part) for part in value]
        case _:
            raise TypeError(f"{type(value).__name__} has no canonical form")


def _object(fields: Mapping[str, object]) -> dict[str, object]:
    if not all(isinstance(name, str) for name in fields):
        raise TypeError("keys of a document must be texts")
    return {name: _plain(value) for name, value in fields.items() if value is not None}


def _written(number: Decimal) -> str:
    if not number.is_finite():
        raise TypeError(f"{number} has no canonical form")
    # Normalised first: a nought may be written with any number of digits behind the point.
    text = f"{number.normalize():f}"
    return "0" if text == "-0" else text
