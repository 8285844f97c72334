"""Hash documents, so that a review, approval or signature identifies the content it is for."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from json import dumps
from typing import ClassVar, TypeVar

from pydantic import BaseModel

from contracts.decimals import canonical_decimal
from contracts.event import written
from contracts.values import (
    AccountId,
    ContentHash,
    EngagementId,
    Identifier,
    ShortText,
    Value,
    Version,
)

D = TypeVar("D", bound=BaseModel)


class BaseDocument(Value):
    """The document that another one is based on or changes."""

    title: ShortText
    """Title of the document."""
    content_hash: ContentHash
    """Hash of its content."""


class DocumentHead(Value):
    """Identity of a document beside its terms, so that no two documents have one hash.

    The content of an event that has it is kept by its hash, as a document of `document_kind`.
    """

    document_kind: ClassVar[str] = ""

    engagement: EngagementId
    """Engagement that the document belongs to."""
    company: Identifier
    """Id of the company that sells."""
    customer: AccountId
    """Id of the customer's organisation that is the party of the contract."""
    template: Identifier
    """Id of the template that the document is rendered by."""
    template_version: Version
    """Version of the template."""
    base: BaseDocument | None = None
    """The document that this one is based on or changes, such as a master services agreement.

    Null where there is none.
    """


STATEMENT_OF_WORK = "statement-of-work"
"""Kind of a document whose content is a SowDrafted."""

AMENDMENT = "amendment"
"""Kind of a document whose content is an AmendmentDrafted."""

OWN_HASH = "content_hash"
"""Field in which a document contains its own hash; it is excluded from the hash."""

UNSEALED: ContentHash = "sha256:" + "0" * 64
"""Placeholder in `content_hash` until `seal` sets the hash."""


def content_hash(kind: str, content: BaseModel | Mapping[str, object]) -> ContentHash:
    """Return the SHA-256 of a document's content; equal content always has the same hash.

    The hash is computed over the UTF-8 bytes of ``canonical({"content": content, "kind": kind})``:
    the kind of document (``statement-of-work``) and every field of the content except its own
    `content_hash`. So an event that contains its whole document can be verified by any consumer:
    ``content_hash(kind, event) == event.content_hash``. Raises TypeError as `canonical` does.
    """
    return hash_of(document_bytes(kind, content))


def hash_of(content: bytes) -> ContentHash:
    """Return the SHA-256 of bytes: ``sha256:`` and lower-case hexadecimal digits."""
    return f"sha256:{sha256(content).hexdigest()}"


def document_bytes(kind: str, content: BaseModel | Mapping[str, object]) -> bytes:
    """Return the bytes that `content_hash` is computed over; raises TypeError as `canonical`."""
    fields = {name: value for name, value in _fields(content).items() if name != OWN_HASH}
    return canonical({"kind": kind, "content": fields}).encode()


def seal(kind: str, document: D) -> D:
    """Return the document with the hash of its content set, replacing an earlier one."""
    return document.model_copy(update={OWN_HASH: content_hash(kind, document)})


def canonical(content: BaseModel | Mapping[str, object]) -> str:
    """Return the canonical JSON of a content: no spaces, keys sorted by code point, text unescaped.

    Fields that are None are left out, so that adding an optional field does not change existing
    hashes. Decimals are strings without exponent and trailing zeros (10.50 and 10.5 are the same
    price), days are ISO 8601, moments RFC 3339 in UTC with microseconds. Lists keep their order.
    Raises TypeError for values that have no canonical form: a float, a set, a key that is not a
    string, a number that is not finite.
    """
    return dumps(
        _json_value(content),
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
    )


def _fields(content: BaseModel | Mapping[str, object]) -> Mapping[str, object]:
    if isinstance(content, BaseModel):
        return {name: getattr(content, name) for name in type(content).model_fields}
    return content


def _json_value(value: object) -> object:
    match value:
        case None | bool() | int() | str():
            return value
        case Decimal():
            return canonical_decimal(value)
        case datetime():
            return written(value)
        case date():
            return value.isoformat()
        case BaseModel() | Mapping():
            return _json_object(_fields(value))
        case Sequence() if not isinstance(value, bytes | bytearray | memoryview):
            return [_json_value(part) for part in value]
        case _:
            raise TypeError(f"{type(value).__name__} has no canonical form")


def _json_object(fields: Mapping[str, object]) -> dict[str, object]:
    if not all(isinstance(name, str) for name in fields):
        raise TypeError("keys of a document must be strings")
    return {name: _json_value(value) for name, value in fields.items() if value is not None}
