"""State of the documents that departments know from events."""

from typing import Self

from chassis.domain.state import Part, on_event
from contracts.legal import AmendmentDrafted, SowDrafted
from contracts.values import ContentHash


class Documents(Part):
    """The hashes of all versions of statements of work and amendments, sorted.

    In Legal, amendments are drafted in the order in which events of the others arrive.
    """

    published: tuple[ContentHash, ...] = ()

    @on_event
    def _drafted(self, event: SowDrafted | AmendmentDrafted) -> Self:
        return self.updated(published=tuple(sorted({*self.published, event.content_hash})))
