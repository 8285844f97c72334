"""The store of document contents by hash, in the department's database.

The bytes of a content are kept once, in chunks. Each engagement that has the content names it in a
document of its own, which is written last, so that a content is either whole or not there.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.eventstore.mongo import Document as StoreDocument
from chassis.eventstore.mongo import Store, put_absent, reaching
from contracts.documents import hash_of
from contracts.values import ContentHash, DocumentPurpose

CHUNK = 256 * 1024
"""Bytes of a chunk."""


@dataclass(frozen=True, slots=True)
class Content:
    """A content as it is put into the store; `name` is a file name, if it has one.

    With a `purpose` it is kept for each person who stores it, apart from what all readers see.
    """

    data: bytes
    media_type: str
    name: str | None = None
    purpose: DocumentPurpose | None = None

    @property
    def content_hash(self) -> ContentHash:
        """The hash of the bytes."""
        return hash_of(self.data)


@dataclass(frozen=True, slots=True)
class StoredContent:
    """The description of a content of an engagement; `stored_at` is UTC, `size` in bytes."""

    content_hash: ContentHash
    media_type: str
    name: str | None
    size: int
    stored_at: datetime
    stored_by: str
    purpose: DocumentPurpose | None = None


class DocumentStore:
    """The contents of a department's documents. All methods raise StoreAway."""

    def __init__(self, store: Store) -> None:
        self._documents = store.database["documents"]
        self._chunks = store.database["document-chunks"]

    async def prepare(self) -> None:
        """Create the index of the documents of an engagement."""
        with reaching():
            await self._documents.create_index([("engagement", 1)])

    async def put(
        self, engagement: str, contents: Sequence[Content], *, by: str, at: datetime
    ) -> None:
        """Keep contents for an engagement; one that it has already stays as it is.

        `by` is who stored them, `at` when (UTC).
        """
        chunks: list[StoreDocument] = []
        descriptions: list[StoreDocument] = []
        for content in contents:
            content_hash = content.content_hash
            chunks += [
                {"_id": f"{content_hash}/{start // CHUNK}", "data": content.data[start:][:CHUNK]}
                for start in range(0, len(content.data), CHUNK)
            ]
            descriptions.append(
                {
                    "_id": "/".join(
                        (engagement, content_hash, content.purpose, by)
                        if content.purpose
                        else (engagement, content_hash)
                    ),
                    "engagement": engagement,
                    "hash": content_hash,
                    "media_type": content.media_type,
                    "name": content.name,
                    "size": len(content.data),
                    "at": at,
                    "by": by,
                    "purpose": content.purpose,
                }
            )
        await put_absent(self._chunks, chunks)
        await put_absent(self._documents, descriptions)

    async def get(
        self, engagement: str, content_hash: str, may_read: Callable[[StoredContent], bool]
    ) -> tuple[StoredContent, bytes] | None:
        """Return a content of an engagement with its description, or None where none may be read.

        `may_read` is asked for each purpose and person for which the content is kept.
        """
        wanted = {"engagement": engagement, "hash": content_hash}
        with reaching():
            found = await self._documents.find(wanted).to_list(None)
        readable = [each for each in map(_described, found) if may_read(each)]
        return await self._whole(readable[0]) if readable else None

    async def _whole(self, known: StoredContent) -> tuple[StoredContent, bytes]:
        data = b""
        with reaching():
            for number in range(-(-known.size // CHUNK)):
                chunk = await self._chunks.find_one({"_id": f"{known.content_hash}/{number}"})
                data += chunk["data"] if chunk else b""
        return known, data

    async def all(self, engagement: str) -> list[StoredContent]:
        """Return the descriptions of all contents of an engagement, the oldest first."""
        with reaching():
            found = await self._documents.find({"engagement": engagement}).to_list(None)
        return [_described(each) for each in sorted(found, key=lambda each: each["at"])]

    async def missing(
        self,
        engagement: str,
        purposes: Mapping[str, DocumentPurpose | None],
        *,
        by: Collection[str],
    ) -> list[str]:
        """Return those of the hashes whose content the engagement does not have for its purpose.

        A content with a purpose counts only where one of the people `by` stored it.
        """
        absent: list[str] = []
        with reaching():
            for content_hash, purpose in purposes.items():
                wanted: StoreDocument = {"_id": f"{engagement}/{content_hash}"}
                if purpose is not None:
                    wanted = {
                        "engagement": engagement,
                        "hash": content_hash,
                        "purpose": purpose,
                        "by": {"$in": [*by]},
                    }
                if await self._documents.find_one(wanted, {"_id": 1}) is None:
                    absent.append(content_hash)
        return absent


def _described(found: StoreDocument) -> StoredContent:
    return StoredContent(
        content_hash=found["hash"],
        media_type=found["media_type"],
        name=found["name"],
        size=found["size"],
        stored_at=found["at"],
        stored_by=found["by"],
        purpose=found.get("purpose"),
    )
