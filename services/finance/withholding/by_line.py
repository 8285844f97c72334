"""Make the events of works that are withheld, one for each contract line."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from contracts.event import Event
from contracts.finance import UnbilledWork, WorkHeld
from contracts.money import Money
from finance.engagement import Engagement
from finance.time_billing.unbilled import worth_of
from finance.work.works import Work

E = TypeVar("E", bound=Event)

Worth = tuple[Work, str, Money]
"""A work, its line and its worth."""


def held(state: Engagement, works: Iterable[Work], why: str) -> Iterable[WorkHeld]:
    """Return that works which are taken off a draft are held, an event for each line."""
    found = [(each, each.paid_by, worth_of(state, each)) for each in works if each.paid_by]
    return by_line(
        found,
        lambda line, works, worth: WorkHeld(line=line, works=works, worth=worth, why=why),
        state.money,
    )


def by_line(
    found: Iterable[Worth],
    event: Callable[[str, tuple[UnbilledWork, ...], Money], E],
    currency: str,
) -> Iterable[E]:
    """Yield an event for each line."""
    lines: dict[str, list[UnbilledWork]] = {}
    for work, line, worth in found:
        named = UnbilledWork(
            kind=work.work_kind,
            entry=work.entry,
            on=work.on,
            role=work.role,
            hours=None if work.role is None else work.hours,
            worth=worth,
        )
        lines.setdefault(line, []).append(named)
    for line, works in lines.items():
        yield event(line, tuple(works), Money.total((each.worth for each in works), currency))
