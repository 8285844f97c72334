"""State of a number series: one counter, since the journal remembers who took a number."""

from datetime import date
from typing import Self

from chassis.domain.state import Part, on_event
from finance.number_series.events import NumberTaken


class NumberSeries(Part):
    """Count of the numbers taken, and the latest date of their documents."""

    used: int = 0
    latest: date | None = None

    @on_event
    def _taken(self, event: NumberTaken) -> Self:
        latest = max(event.on, self.latest or event.on)
        return self.updated(used=event.number, latest=latest)
