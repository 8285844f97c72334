"""Identify documents for the customer by the hash of their content."""

from typing import Self

from pydantic import model_validator

from chassis.domain.commands import Command
from contracts.documents import content_hash
from contracts.values import ContentHash, DocumentText


class DocumentCommand(Command):
    """Command that sends a document: either its content or the content's hash."""

    content: DocumentText | None = None
    content_hash: ContentHash | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.content is None) == (self.content_hash is None):
            raise ValueError("give either content or content_hash")
        return self

    def hashed(self, kind: str) -> ContentHash:
        """Return the hash as given, or that of the content as a document of this kind."""
        return self.content_hash or content_hash(kind, {"content": self.content})
