"""Documents: contents that are kept by their hash beside the events that name it.

A decision yields `DocumentKept.of(...)` with the event that has the hash. The content of an event
that is a whole document (see `contracts.documents.DocumentHead`) is kept without that.
"""

from collections.abc import Container, Iterable, Mapping
from functools import cache
from typing import Any, Self, get_args

from pydantic import Field, model_validator

from chassis.domain.commands import Command, Missing, gate
from chassis.domain.context import Context
from chassis.domain.internal import Internal
from contracts.documents import DocumentHead, document_bytes, hash_of
from contracts.event import Event, Recorded
from contracts.values import ContentHash, DocumentHash, DocumentPurpose, DocumentText, NamesDocument

CANONICAL_JSON = "application/json"
"""Media type of a content that `contracts.documents.document_bytes` wrote."""


class DocumentKept(Internal):
    """The content of a document is kept under its hash."""

    content_hash: ContentHash
    """Hash of the content."""
    # Kept in the store of documents; the journal has the hash alone.
    data: bytes = Field(b"", exclude=True, repr=False)

    def __eq__(self, other: object) -> bool:
        # By the hash alone: the event is read back from the journal without the data.
        return isinstance(other, DocumentKept) and self.content_hash == other.content_hash

    def __hash__(self) -> int:
        return hash(self.content_hash)

    @classmethod
    def of(cls, kind: str, content: Mapping[str, Any]) -> Self:
        """Return the event for a content of a kind of document; raises TypeError as `canonical`."""
        data = document_bytes(kind, content)
        return cls(content_hash=hash_of(data), data=data)


class DocumentCommand(Command):
    """Command that sends a document: its text, or the hash of a file that was uploaded before."""

    content: DocumentText | None = None
    """Text of the document; null where its hash is given."""
    content_hash: DocumentHash | None = None
    """Hash of a file that was uploaded before; null where the text is given."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.content is None) == (self.content_hash is None):
            raise ValueError("give either content or content_hash")
        return self


def named_documents(command: Command) -> dict[str, ContentHash]:
    """Return the hashes of documents that a command names, by field."""
    named = ((field, getattr(command, field)) for field in _document_fields(type(command)))
    return {field: content_hash for field, content_hash in named if content_hash is not None}


def purposes_of(command: Command) -> dict[ContentHash, DocumentPurpose | None]:
    """Return the purposes for which the documents that a command names must be kept, by hash."""
    fields = _document_fields(type(command))
    return {each: fields[field] for field, each in named_documents(command).items()}


@cache
def _document_fields(kind: type[Command]) -> Mapping[str, DocumentPurpose | None]:
    return {
        name: known.purpose
        for name, field in kind.model_fields.items()
        for annotation in (field, *get_args(field.annotation))
        for known in (
            *getattr(annotation, "metadata", ()),
            *getattr(annotation, "__metadata__", ()),
        )
        if isinstance(known, NamesDocument)
    }


def require_documents(
    command: Command, published: Container[str], subject: str, context: Context
) -> None:
    """Refuse a command that names a document which is not known, with the field that names it.

    Known are those in the context and, without a purpose, those `published`. A file with a purpose
    that another person uploaded is refused as one that no person uploaded.
    """
    fields = _document_fields(type(command))
    gate(
        "document-unknown",
        (
            Missing(
                "document-unknown",
                f"{field}: {_why_unknown(fields[field], content_hash, subject, context)}",
                field=field,
            )
            for field, content_hash in named_documents(command).items()
            if content_hash not in context.documents
            and (fields[field] is not None or content_hash not in published)
        ),
    )


def _why_unknown(
    purpose: DocumentPurpose | None, content_hash: str, subject: str, context: Context
) -> str:
    if purpose is None:
        return f"this department has no document {content_hash} of {subject}; upload it first"
    people = " or ".join(sorted(context.acting))
    return (
        f"no {purpose} {content_hash} of {subject} was uploaded by {people}; upload the file with"
        f" the parameter purpose={purpose} first"
    )


def contents_of(events: Iterable[Recorded[Event]]) -> tuple[bytes, ...]:
    """Return the contents to be kept for events of a commit."""
    return tuple(data for recorded in events if (data := _content(recorded.event)) is not None)


def _content(event: object) -> bytes | None:
    if isinstance(event, DocumentKept):
        return event.data or None
    if isinstance(event, DocumentHead):
        return document_bytes(event.document_kind, event)
    return None
