"""Hold approved work back from billing, release it, and write it down.

Each command names works of which no invoice and no draft bills the whole; it concerns the part that
is left. Held work waits: it is not billed, and the account is not settled. What is written down is
never billed and earns no revenue; its cost stays.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from contracts.event import Event
from contracts.finance import (
    Reasoned,
    WithheldWorkReversed,
    WorkHeld,
    WorkKind,
    WorkReleased,
    WorkWrittenDown,
)
from contracts.money import Money
from contracts.refusals import RefusalCode
from contracts.values import Day, ExactHours, PersonId, ProjectRole
from finance.details import sees_details
from finance.engagement import Engagement
from finance.policies import require_budget, require_open_account
from finance.roles import ACCOUNTING, CONTROLLING
from finance.time_billing.unbilled import can_be_billed, worth_of
from finance.withholding import work_items
from finance.withholding.by_line import Withholding, by_line
from finance.work.names import MOST_WORKS, WorkIds, keys_of
from finance.work.works import Withheld, Work

capability = Capability[Engagement](__name__)
capability.work(work_items.KINDS, work_items.items)


class _NamesWork(Command):
    """Name approved works; at least one."""

    entries: WorkIds = ()
    """Ids of time entries."""
    expenses: WorkIds = ()
    """Ids of expenses."""

    @property
    def keys(self) -> Iterable[str]:
        """Return the keys of the works, each once."""
        return keys_of(self.entries, self.expenses)


class HoldWork(_NamesWork, Reasoned):
    """Hold works back from billing, until they are released."""


class ReleaseWork(_NamesWork):
    """Release works that are held, so that they are billed again."""


class WriteDownWork(_NamesWork, Reasoned):
    """Write works down for good; those that are held are released first."""


@capability.decide(HoldWork, by=ACCOUNTING)
def hold_work(state: Engagement, command: HoldWork, context: Context) -> Iterable[Event]:
    """Record that the works are held, one event for each line.

    Works that are held for this reason already change nothing. Raises Refused where the account is
    settled, or a work is unknown, cannot be billed, is billed, written down, or held for another
    reason.
    """
    require_budget(state)
    require_open_account(state)
    works = _named(state, command)
    waiting = [each for each in works if not _repeats(each, each.held, command.why, "work-held")]
    yield from by_line(
        _unbilled(state, waiting, lambda work: work.free),
        lambda line, works, worth: WorkHeld(line=line, works=works, worth=worth, why=command.why),
        state.money,
    )


@capability.decide(ReleaseWork, by=ACCOUNTING)
def release_work(state: Engagement, command: ReleaseWork, context: Context) -> Iterable[Event]:
    """Record that the works can be billed again; works released before change nothing.

    Raises Refused where a work is unknown, or was never held.
    """
    works = _named(state, command)
    for work in works:
        if work.written_down and not work.left:
            raise Refused("work-written-down", f"{work.entry} is written down for good")
        if work.held is None and not work.released:
            raise Refused("work-not-held", f"{work.entry} is not held")
    yield from _released(state, works)


@capability.decide(WriteDownWork, by=CONTROLLING)
def write_down_work(state: Engagement, command: WriteDownWork, context: Context) -> Iterable[Event]:
    """Record that the works are never billed; those written down for this reason change nothing.

    Raises Refused where the account is settled, or a work is unknown, cannot be billed, is billed,
    or is written down for another reason.
    """
    require_budget(state)
    require_open_account(state)
    works = [
        each
        for each in _named(state, command)
        if not _repeats(each, each.written_down, command.why, "work-written-down")
    ]
    gone = _unbilled(state, works, lambda work: work.left)
    yield from _released(state, works)
    yield from by_line(
        gone,
        lambda line, works, worth: WorkWrittenDown(
            line=line, works=works, worth=worth, why=command.why
        ),
        state.money,
    )


def _named(state: Engagement, command: _NamesWork) -> list[Work]:
    """Return the works that a command names; raises Refused where it names none or unknown ones."""
    keys = tuple(command.keys)
    works = {key: work for key in keys if (work := state.work.known(key)) is not None}
    unknown = [key.partition(":")[2] for key in keys if key not in works]
    if unknown:
        raise Refused("work-unknown", f"no approved work is known as {', '.join(unknown)}")
    if not keys:
        raise Refused("work-unknown", "entries, expenses: name at least one work")
    return list(works.values())


def _repeats(work: Work, known: Withheld | None, why: str, code: RefusalCode) -> bool:
    """Return whether this was recorded before, and nothing is left that it does not concern.

    Raises Refused where it was for another reason.
    """
    if work.written_down and known is not work.written_down:
        raise Refused("work-written-down", f"{work.entry} is written down for good")
    if known is not None and known.why != why:
        raise Refused(code, f"why: {work.entry} is recorded with the reason {known.why!r}")
    return known is not None and work.free <= 0


def _unbilled(
    state: Engagement, works: Iterable[Work], part_of: Callable[[Work], Decimal]
) -> list[Withholding]:
    """Return parts of works with lines and worth; raises Refused where one cannot be billed."""
    found: list[Withholding] = []
    for work in works:
        if work.paid_by is None or not can_be_billed(work):
            raise Refused("work-not-billable", f"no line bills {work.entry} at a contracted rate")
        part = part_of(work)
        if part <= 0:
            raise Refused("work-billed", f"{work.entry} is on an invoice or a draft")
        found.append((work, work.paid_by, part, worth_of(state, work, part)))
    return found


def _withheld(work: Work, withheld: Withheld) -> Withholding:
    return work, withheld.line, withheld.of(work), withheld.worth


def _released(state: Engagement, works: Iterable[Work]) -> Iterable[Event]:
    yield from by_line(
        [_withheld(each, each.held) for each in works if each.held],
        lambda line, works, worth: WorkReleased(line=line, works=works, worth=worth),
        state.money,
    )


@capability.react
def withheld_work_reversed(state: Engagement, context: Context) -> Iterable[Event]:
    """Yield which works were held or written down when their approval was reversed."""
    found = [
        _withheld(work, withheld)
        for work in state.work.reversed.values()
        if (withheld := work.held or work.written_down) is not None
    ]
    if found:  # so that the currency is known
        yield from by_line(
            found,
            lambda line, works, worth: WithheldWorkReversed(line=line, works=works, worth=worth),
            state.money,
        )


class WorkView(ViewModel):
    """Approved work of a person on a day that is not billed; `why` where it is held.

    Of work that is billed, held or written down in part, `hours` and `worth` are those of the rest.
    """

    kind: WorkKind
    entry: str
    person: PersonId
    on: Day
    line: str
    role: ProjectRole | None
    hours: ExactHours
    worth: Money
    why: str | None


class WithheldLineView(ViewModel):
    """Worth of the works of a line that are held, and of those that are written down."""

    line: str
    held: Money
    written_down: Money


class WithholdingFields(ViewModel):
    """Unbilled and held works in the view of an engagement, and totals by line.

    The lists have the first 500 works in the order of approval, and none for readers who may not
    see the time and expenses of people; the numbers count all.
    """

    unbilled_work: list[WorkView]
    unbilled_works: int
    held_work: list[WorkView]
    held_works: int
    withheld: list[WithheldLineView]


@capability.view
def withholding_view(state: Engagement) -> WithholdingFields:
    """Return the works that are not billed, for the view of an engagement."""
    held: dict[str, Money] = {}
    withheld = [(work, work.held) for work in state.work.waiting if work.held]
    for _, each in withheld:
        held[each.line] = held.get(each.line, Money.zero(state.money)) + each.worth
    unbilled = [
        (work, work.paid_by)
        for work in state.work.waiting
        if work.paid_by and can_be_billed(work) and work.free > 0
    ]
    gone = state.work.written_down
    return WithholdingFields(
        unbilled_work=[
            _shown(work, line, work.free, worth_of(state, work, work.free), None)
            for work, line in unbilled[:MOST_WORKS]
        ],
        unbilled_works=len(unbilled),
        held_work=[
            _shown(work, each.line, each.of(work), each.worth, each.why)
            for work, each in withheld[:MOST_WORKS]
        ],
        held_works=len(withheld),
        withheld=[
            WithheldLineView(
                line=line,
                held=held.get(line, Money.zero(state.money)),
                written_down=gone.get(line, Money.zero(state.money)),
            )
            for line in dict.fromkeys((*held, *gone))
        ],
    )


def _shown(work: Work, line: str, part: Decimal, worth: Money, why: str | None) -> WorkView:
    return WorkView(
        kind=work.work_kind,
        entry=work.entry,
        person=work.person,
        on=work.on,
        line=line,
        role=work.role,
        hours=work.hours if work.role is None else part,
        worth=worth,
        why=why,
    )


@capability.narrow("unbilled_work")
@capability.narrow("held_work")
def works_of_reader(works: list[WorkView], state: Engagement, context: Context) -> list[WorkView]:
    """Return the works to those who may see the time and expenses of people."""
    return works if sees_details(context) else []
