"""State of a number series: one counter, since the journal remembers who took a number."""

from datetime import date
from typing import Self

from chassis.domain.state import Part, on_event
from finance.number_series.events import DayOrderSet, NumberTaken


class NumberSeries(Part):
    """Count of the numbers taken, the latest date of their documents, and whether order matters."""

    used: int = 0
    latest: date | None = None
    day_order: bool = False

    @on_event
    def _taken(self, event: NumberTaken) -> Self:
        latest = max(event.on, self.latest or event.on)
        return self.updated(used=event.number, latest=latest)

    @on_event
    def _order_set(self, event: DayOrderSet) -> Self:
        return self.updated(day_order=event.required)
