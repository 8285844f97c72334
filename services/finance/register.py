"""The register of invoices: one for the company, so that numbers follow each other without a gap.

It hears that a draft was approved and gives the next number of the year of issue, such as
2026-00042. An invoice that has its number gets no other, however often it is approved or heard of.
"""

from collections.abc import Iterable

from pydantic import Field

from chassis.domain.decider import Context, Decider, Decisions, Evolution
from contracts.event import Event, Recorded
from contracts.finance import InvoiceApproved, InvoiceNumbered
from contracts.values import Day, EngagementId, Identifier, Value

INVOICES = "invoices"
"""The one subject of this kind of stream."""


class Waiting(Value):
    """An approved invoice that has no number yet."""

    engagement: EngagementId
    invoice: Identifier
    issue_on: Day


class Register(Value):
    """How many numbers each year has given, to which invoices, and what still waits for one."""

    given: dict[int, int] = Field(default_factory=dict)
    numbered: frozenset[str] = frozenset()
    waiting: tuple[Waiting, ...] = ()


evolve: Evolution[Register] = Evolution()


@evolve.on(InvoiceApproved)
def _approved(state: Register, recorded: Recorded[InvoiceApproved]) -> Register:
    event = recorded.event
    asked = Waiting(engagement=recorded.subject, invoice=event.invoice, issue_on=event.issue_on)
    if _key(asked) in state.numbered or any(_key(one) == _key(asked) for one in state.waiting):
        return state
    return state.model_copy(update={"waiting": (*state.waiting, asked)})


@evolve.on(InvoiceNumbered)
def _numbered(state: Register, recorded: Recorded[InvoiceNumbered]) -> Register:
    event = recorded.event
    year, count = event.issue_on.year, int(event.number.rpartition("-")[2])
    key = f"{event.engagement}/{event.invoice}"
    return Register(
        given={**state.given, year: count},
        numbered=state.numbered | {key},
        waiting=tuple(one for one in state.waiting if _key(one) != key),
    )


def number(state: Register, context: Context) -> Iterable[Event]:
    """The first that waits gets the next number of its year."""
    for asked in state.waiting[:1]:
        year = asked.issue_on.year
        yield InvoiceNumbered(
            engagement=asked.engagement,
            invoice=asked.invoice,
            number=f"{year}-{state.given.get(year, 0) + 1:05}",
            issue_on=asked.issue_on,
        )


def _key(asked: Waiting) -> str:
    return f"{asked.engagement}/{asked.invoice}"


def _route(recorded: Recorded[Event]) -> str | None:
    return INVOICES if isinstance(recorded.event, InvoiceApproved) else None


REGISTER: Decider[Register] = Decider(
    department="finance",
    kind="invoice-register",
    initial=lambda _: Register(),
    evolve=evolve,
    decide=Decisions(),
    react=number,
    route=_route,
    gap_free=False,
)
