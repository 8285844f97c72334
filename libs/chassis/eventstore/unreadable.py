"""Streams that cannot be read: one error that names the place, said once to whoever operates."""

import logging
from typing import TypeVar

from chassis.base.failures import SaysNoValues

_log = logging.getLogger(__name__)
_said: set[str] = set()
_MOST_SAID = 10_000
T = TypeVar("T")


class UnreadableStream(SaysNoValues):
    """A stream cannot be read past a commit: its document, an event in it, or what comes of them.

    `why` names what is wrong, and nothing of what the commit says. `number` is 0 where its document
    does not name its place; `document` is the document's id then.
    """

    def __init__(self, stream: str, number: int, why: str, document: object = None) -> None:
        super().__init__(f"commit {number} of {stream} cannot be read: {why}")
        self.stream, self.number, self.why, self.document = stream, number, why, document


def say_once(unreadable: UnreadableStream) -> None:
    """Log which stream cannot be read, and why: once in this process, however often it is met."""
    said = str(unreadable)
    if said not in _said:
        if len(_said) >= _MOST_SAID:
            _said.clear()
        _said.add(said)
        _log.error("%s", said)


def field_of(kind: type[T], document: object, name: str) -> T:
    """Return a field of a document; raises ValueError where it is missing or something else."""
    value = document.get(name) if isinstance(document, dict) else None
    if not isinstance(value, kind):
        raise ValueError(f"{name}: must be of type {kind.__name__}")  # noqa: TRY004 - one kind
    return value
