"""The view of requests to other streams of the department whose outcome is not known yet."""

from collections.abc import Iterable
from datetime import datetime

from chassis.base.view_model import ViewModel
from chassis.domain.pending import Requested
from contracts.event import Recorded


class PendingRequestView(ViewModel):
    """A request to another stream of the department: what was asked of it, and since when (UTC).

    `id` and `item` name the request, `by` is the person whose command led to it, or the department.
    """

    id: str
    item: str
    stream: str
    command: str
    by: str
    since: datetime


def pending_views(
    requests: Iterable[Recorded[Requested]], *, confidential: bool
) -> list[PendingRequestView]:
    """Return the views of requests; the confidential ones for readers who may see them only."""
    return [
        PendingRequestView(
            id=each.event.id,
            item=each.event.item,
            stream=each.event.stream,
            command=each.event.command,
            by=each.actor,
            since=each.recorded_at,
        )
        for each in requests
        if confidential or not each.event.confidential
    ]
