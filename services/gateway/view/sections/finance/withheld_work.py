"""Keep approved work that is held back from billing or written down."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Protocol

from contracts import finance
from contracts.decimals import Number
from contracts.event import Recorded
from contracts.money import Money
from gateway.formatting import money
from gateway.view.sections.steps import PartSteps


@dataclass(frozen=True, slots=True)
class WithheldWork:
    """Approved work of a contract line that is not billed; an expense has no role and no hours."""

    line: str
    on: date
    role: str | None
    hours: Number | None
    worth: Money

    def __add__(self, other: "WithheldWork") -> "WithheldWork":
        """Return this work together with other work of the same line, role and day."""
        hours = None if self.hours is None else self.hours + (other.hours or Decimal(0))
        return replace(self, hours=hours, worth=self.worth + other.worth)

    def __neg__(self) -> "WithheldWork":
        """Return this work with negative hours and worth."""
        return replace(self, hours=None if self.hours is None else -self.hours, worth=-self.worth)


def _works(event: finance.WorkOfLine) -> dict[str, WithheldWork]:
    return {
        f"{each.kind}:{each.entry}": WithheldWork(
            event.line, each.on, each.role, each.hours, each.worth
        )
        for each in event.works
    }


class Fields(Protocol):
    """Fields of the section that these steps change."""

    held: dict[str, WithheldWork]
    written_down: dict[str, WithheldWork]


steps = PartSteps[Fields]()

steps.describe(
    finance.WorkHeld,
    lambda event, _: (
        f"Work over {money(event.worth)} on line {event.line} is held back from billing: "
        f"“{event.why}”"
    ),
)


@steps.on(finance.WorkHeld)
def _held(section: Fields, recorded: Recorded[finance.WorkHeld]) -> None:
    for key, work in _works(recorded.event).items():
        known = section.held.get(key)
        section.held[key] = work if known is None else known + work


steps.describe(
    finance.WorkReleased,
    lambda event, _: f"Held work over {money(event.worth)} on line {event.line} is released.",
)


@steps.on(finance.WorkReleased)
def _released(section: Fields, recorded: Recorded[finance.WorkReleased]) -> None:
    for key in _works(recorded.event):
        section.held.pop(key, None)


steps.describe(
    finance.WorkWrittenDown,
    lambda event, _: (
        f"Work over {money(event.worth)} on line {event.line} is written down: “{event.why}”"
    ),
)


@steps.on(finance.WorkWrittenDown)
def _written_down(section: Fields, recorded: Recorded[finance.WorkWrittenDown]) -> None:
    for each in _works(recorded.event).values():
        _write_down(section, each)


steps.describe(
    finance.WithheldWorkReversed,
    lambda event, _: (
        f"The approval of withheld work over {money(event.worth)} on line {event.line} was "
        "reversed."
    ),
)


@steps.on(finance.WithheldWorkReversed)
def _withheld_reversed(section: Fields, recorded: Recorded[finance.WithheldWorkReversed]) -> None:
    for key, work in _works(recorded.event).items():
        if section.held.pop(key, None) is None:
            _write_down(section, -work)


def _write_down(section: Fields, work: WithheldWork) -> None:
    """Add work to what is written down of its line, role and day; a reversed one is negative."""
    key = f"{work.line}/{work.role or ''}/{work.on}"
    known = section.written_down.get(key)
    total = work if known is None else known + work
    if total.worth.amount or total.hours:
        section.written_down[key] = total
    else:
        section.written_down.pop(key, None)
