"""Number invoices: one register for the company, so that numbers have no gaps.

It processes the approval of a draft and assigns the next number of the year of issue, such as
2026-00042. An invoice gets one number only, however often its approval is repeated or processed.
"""

from collections.abc import Iterable

from pydantic import Field

from chassis.domain.context import Context
from chassis.domain.decider import Decider, Decisions, Evolution
from contracts.event import Event, Recorded
from contracts.finance import InvoiceApproved, InvoiceNumbered
from contracts.values import Day, EngagementId, Identifier, Value

INVOICES = "invoices"
"""Subject of the only stream of this kind."""


class Waiting(Value):
    """Approved invoice that has no number yet."""

    engagement: EngagementId
    invoice: Identifier
    issue_on: Day


class Register(Value):
    """Count of used numbers by year, the numbered invoices, and those to be numbered."""

    given: dict[int, int] = Field(default_factory=dict)
    numbered: frozenset[str] = frozenset()
    waiting: tuple[Waiting, ...] = ()


evolve: Evolution[Register] = Evolution()


@evolve.on(InvoiceApproved)
def _approved(state: Register, recorded: Recorded[InvoiceApproved]) -> Register:
    event = recorded.event
    approved = Waiting(engagement=recorded.subject, invoice=event.invoice, issue_on=event.issue_on)
    if _key(approved) in state.numbered or any(
        _key(one) == _key(approved) for one in state.waiting
    ):
        return state
    return state.model_copy(update={"waiting": (*state.waiting, approved)})


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
    """Assign the next number of its year to the first waiting invoice."""
    for approved in state.waiting[:1]:
        year = approved.issue_on.year
        yield InvoiceNumbered(
            engagement=approved.engagement,
            invoice=approved.invoice,
            number=f"{year}-{state.given.get(year, 0) + 1:05}",
            issue_on=approved.issue_on,
        )


def _key(approved: Waiting) -> str:
    return f"{approved.engagement}/{approved.invoice}"


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
