"""Provide a store of documents in memory, with the keys of the real one."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from chassis.documents.store import Content, StoredContent
from contracts.values import DocumentPurpose


class MemoryDocuments:
    """Documents of engagements, each with a purpose kept for each person who stores it."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, str | None, str | None], tuple[StoredContent, bytes]] = {}

    async def put(
        self, engagement: str, contents: Sequence[Content], *, by: str, at: datetime
    ) -> None:
        for each in contents:
            name = each.content_hash
            described = StoredContent(
                name, each.media_type, each.name, len(each.data), at, by, each.purpose
            )
            key = (engagement, name, each.purpose, by if each.purpose else None)
            self._kept.setdefault(key, (described, each.data))

    async def get(
        self, engagement: str, content_hash: str, may_read: Callable[[StoredContent], bool]
    ) -> tuple[StoredContent, bytes] | None:
        found = (
            each
            for key, each in self._kept.items()
            if key[:2] == (engagement, content_hash) and may_read(each[0])
        )
        return next(found, None)

    async def all(self, engagement: str) -> list[StoredContent]:
        return [each for key, (each, _) in self._kept.items() if key[0] == engagement]

    async def missing(
        self,
        engagement: str,
        purposes: Mapping[str, DocumentPurpose | None],
        *,
        by: Collection[str],
    ) -> list[str]:
        return [
            name
            for name, purpose in purposes.items()
            if not any(
                (engagement, name, purpose, person if purpose else None) in self._kept
                for person in by
            )
        ]
