"""The timeline: every fact of an engagement as it came, in pages that never change once full."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from contracts.fact import Fact, Recorded, whole

PAGE = 32
"""Facts of one channel on a page."""


@dataclass(slots=True)
class Page:
    """Consecutive facts of one channel of one engagement; page 0 begins with sequence 1."""

    engagement: str
    channel: str
    number: int
    facts: list[bytes] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The page's name in the store."""
        return page_id(self.engagement, self.channel, self.number)

    @property
    def last(self) -> int:
        """The sequence of its last fact."""
        return self.number * PAGE + len(self.facts)


def page_id(engagement: str, channel: str, number: int) -> str:
    """The name of a page in the store."""
    return f"{engagement}/{channel}/{number}"


def page_of(sequence: int) -> int:
    """Which page of its channel a fact stands on."""
    return (sequence - 1) // PAGE


class OpenPages:
    """The last page of each channel of one engagement, and which of them are not yet written."""

    __slots__ = ("_engagement", "_pages", "_unwritten")

    def __init__(self, engagement: str, pages: Iterable[Page] = ()) -> None:
        self._engagement = engagement
        self._pages = {page.channel: page for page in pages}
        self._unwritten: dict[str, Page] = {}

    def add(self, recorded: Recorded[Fact]) -> None:
        """Put a fact on its page; the caller has seen to order and to repeats."""
        channel, number = recorded.fact.channel.name, page_of(recorded.sequence)
        page = self._pages.get(channel)
        if page is None or page.number != number:
            page = Page(self._engagement, channel, number)
            self._pages[channel] = page
        # A fact that a person skipped leaves its place empty.
        missing = recorded.sequence - 1 - page.last
        page.facts.extend([b""] * missing)
        page.facts.append(whole(recorded))
        self._unwritten[page.id] = page

    def unwritten(self) -> Iterator[Page]:
        """Pages that changed since they were last written."""
        yield from self._unwritten.values()

    def written(self) -> None:
        """All of them are in the store now."""
        self._unwritten.clear()
