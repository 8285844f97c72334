"""The error for a stream that cannot be read; it names the commit and is logged once."""

import logging
from typing import TypeVar

from chassis.base.failures import ValueFreeError

_log = logging.getLogger(__name__)
_logged: set[str] = set()
_MOST_LOGGED = 10_000
T = TypeVar("T")


class UnreadableStream(ValueFreeError):
    """A stream cannot be read from a commit on: document or event is invalid, or replay fails.

    `why` is the reason, without any content of the commit. `number` is 0 if the document has no
    valid stream and number; `document` is its id then.
    """

    def __init__(self, stream: str, number: int, why: str, document: object = None) -> None:
        super().__init__(f"commit {number} of {stream} cannot be read: {why}")
        self.stream, self.number, self.why, self.document = stream, number, why, document


def log_once(unreadable: UnreadableStream) -> None:
    """Log the stream and the reason, once in this process for each different error."""
    message = str(unreadable)
    if message not in _logged:
        if len(_logged) >= _MOST_LOGGED:
            _logged.clear()
        _logged.add(message)
        _log.error("%s", message)


def field_of(kind: type[T], document: object, name: str) -> T:
    """Return a field of a document; raises ValueError if it is missing or of another type."""
    value = document.get(name) if isinstance(document, dict) else None
    if not isinstance(value, kind):
        raise ValueError(f"{name}: must be of type {kind.__name__}")  # noqa: TRY004 - one kind
    return value
