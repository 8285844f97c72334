"""Papers that go to the customer: known by the hash of their content."""

from typing import Annotated, Self

from pydantic import StringConstraints, model_validator

from chassis.domain.decider import Command
from contracts.documents import content_hash
from contracts.values import ContentHash


class Paper(Command):
    """A command that sends content out: either the content itself, or its hash."""

    content: Annotated[str, StringConstraints(min_length=1, max_length=500_000)] | None = None
    content_hash: ContentHash | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.content is None) == (self.content_hash is None):
            raise ValueError("give either content or content_hash")
        return self

    def hashed(self, kind: str) -> ContentHash:
        """The hash as given, else of the content as a document of this kind."""
        return self.content_hash or content_hash(kind, {"content": self.content})
