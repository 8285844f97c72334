"""Make the events of works that are withheld, one for each contract line."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import TypeVar

from contracts.event import Event
from contracts.finance import UnbilledWork, WorkHeld
from contracts.money import Money
from finance.engagement import Engagement
from finance.time_billing.unbilled import worth_of
from finance.work.works import Work

E = TypeVar("E", bound=Event)

Withholding = tuple[Work, str, Decimal, Money]
"""A work, its line, the hours of a part of it, or the amount of an expense, and their worth."""


def held(state: Engagement, works: Iterable[Work], why: str) -> Iterable[WorkHeld]:
    """Return that what is left of works is held, an event for each line."""
    return by_line(
        [
            (each, each.paid_by, each.free, worth_of(state, each, each.free))
            for each in works
            if each.paid_by
        ],
        lambda line, works, worth: WorkHeld(line=line, works=works, worth=worth, why=why),
        state.money,
    )


def by_line(
    found: Iterable[Withholding],
    event: Callable[[str, tuple[UnbilledWork, ...], Money], E],
    currency: str,
) -> Iterable[E]:
    """Yield an event for each line."""
    lines: dict[str, list[UnbilledWork]] = {}
    for work, line, part, worth in found:
        named = UnbilledWork(
            kind=work.work_kind,
            entry=work.entry,
            on=work.on,
            role=work.role,
            hours=None if work.role is None else part,
            worth=worth,
        )
        lines.setdefault(line, []).append(named)
    for line, works in lines.items():
        yield event(line, tuple(works), Money.total((each.worth for each in works), currency))
