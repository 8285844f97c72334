"""Requests of operators about parked engagements, stored for the process that has the partition."""

from collections.abc import Callable
from dataclasses import dataclass

from chassis.eventstore.mongo import Collection, reaching


@dataclass(frozen=True, slots=True)
class Request:
    """A person's request to try an engagement again, after `action` on a record.

    `action` is ``retry``, ``skip`` or ``set-aside``; `published` is how many events the author has
    published, as the person looked it up.
    """

    engagement: str
    action: str
    by: str
    record: str = ""
    why: str = ""
    published: int | None = None
    id: str = ""


class ParkedRequestStore:
    """The stored requests of a department.

    Every method raises StoreAway where the store does not answer. `next_order` returns a number
    that is higher than all before it.
    """

    def __init__(self, documents: Collection, next_order: Callable[[], int]) -> None:
        self._documents = documents
        self._next_order = next_order

    async def add(self, request: Request) -> None:
        """Store a request for the process that has this engagement's partition."""
        order = self._next_order()
        document = {
            "_id": f"asked/{request.engagement}/{order}",
            "state": "asked",
            "engagement": request.engagement,
            "action": request.action,
            "record": request.record,
            "by": request.by,
            "why": request.why,
            "published": request.published,
            "order": order,
        }
        with reaching():
            await self._documents.insert_one(document)

    async def pending(self, is_mine: Callable[[str], bool]) -> list[Request]:
        """Return the stored requests for engagements of this process, in their order."""
        with reaching():
            found = self._documents.find({"state": "asked"}).sort("order", 1)
            documents = [each async for each in found if is_mine(each["engagement"])]
        return [
            Request(
                engagement=each["engagement"],
                action=each["action"],
                by=each["by"],
                record=each["record"],
                why=each["why"],
                published=each["published"],
                id=each["_id"],
            )
            for each in documents
        ]

    async def remove(self, request: Request) -> None:
        """Delete a request that was carried out or refused."""
        with reaching():
            await self._documents.delete_one({"_id": request.id})
