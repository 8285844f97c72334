"""Batch accounting: every consumed record was processed, ignored, parked or set aside."""

from dataclasses import dataclass

from opentelemetry import metrics

from chassis.base.failures import ValueFreeError

_meter = metrics.get_meter("concord.listener")
_records = _meter.create_counter(
    "concord.listener.records", description="records consumed, by outcome"
)
_unaccounted = _meter.create_counter(
    "concord.listener.unaccounted", description="records consumed whose outcome is unknown"
)


class Unaccounted(ValueFreeError):
    """The outcome of some consumed records is unknown: nothing is committed."""


@dataclass(slots=True)
class BatchAccount:
    """The number of records by outcome, of a batch or of all batches of a process.

    `taken` were processed, now or before; `ignored` are events that no stream here processes, and
    tombstones.
    """

    consumed: int = 0
    taken: int = 0
    ignored: int = 0
    parked: int = 0
    aside: int = 0
    aside_open: int = 0
    """Records set aside that came on open channels; the number of others is confidential."""

    @property
    def unaccounted(self) -> int:
        """The number of records that are missing, or counted twice (negative)."""
        return self.consumed - self.taken - self.ignored - self.parked - self.aside

    def refuse_difference(self, consumed: int) -> None:
        """Raise Unaccounted unless this number was consumed and all are accounted for."""
        if self.consumed != consumed or self.unaccounted:
            raise Unaccounted(f"of {consumed} records consumed, {self} are accounted for")

    def __iadd__(self, other: "BatchAccount") -> "BatchAccount":
        self.consumed += other.consumed
        self.taken += other.taken
        self.ignored += other.ignored
        self.parked += other.parked
        self.aside += other.aside
        self.aside_open += other.aside_open
        return self

    def measure(self, group: str) -> None:
        """Add the counts to the metrics of a consumer group."""
        for outcome in ("taken", "ignored", "parked", "aside"):
            if count := getattr(self, outcome):
                _records.add(count, {"group": group, "outcome": outcome})


def count_unaccounted(group: str, count: int) -> None:
    """Add to the metric of records that are not accounted for, which has an alarm."""
    _unaccounted.add(count, {"group": group})
