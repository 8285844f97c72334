"""Accounts: every record that was consumed was processed, parked or set aside."""

from dataclasses import dataclass

from opentelemetry import metrics

from chassis.base.failures import ValueFreeError

_meter = metrics.get_meter("concord.listener")
_records = _meter.create_counter(
    "concord.listener.records", description="records consumed, by what became of them"
)
_unaccounted = _meter.create_counter(
    "concord.listener.unaccounted", description="records of which it is unknown what became of them"
)


class Unaccounted(ValueFreeError):
    """Records were consumed of which it is unknown what became of them: nothing is committed."""


@dataclass(slots=True)
class BatchAccount:
    """What became of the records of a batch, or of all batches of a process.

    `taken` were taken in, now or before; `ignored` are of no concern here.
    """

    consumed: int = 0
    taken: int = 0
    ignored: int = 0
    parked: int = 0
    aside: int = 0
    aside_open: int = 0
    """Those set aside that came on open channels: of others the number is confidential."""

    @property
    def unaccounted(self) -> int:
        """How many records are missing, or counted twice (negative)."""
        return self.consumed - self.taken - self.ignored - self.parked - self.aside

    def refuse_difference(self, consumed: int) -> None:
        """Raise Unaccounted unless exactly so many records were consumed and all accounted for."""
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
        """Count it in the metrics of a consumer group."""
        for outcome in ("taken", "ignored", "parked", "aside"):
            if count := getattr(self, outcome):
                _records.add(count, {"group": group, "outcome": outcome})


def count_unaccounted(group: str, count: int) -> None:
    """Count records that are not accounted for in the metric that an alarm is set on."""
    _unaccounted.add(count, {"group": group})
