"""State of the approved work: time and expenses, their cost, and the invoices that bill them.

What grows with the work is kept by month, so that a change copies one month and not everything.
Sums over the work are running totals by line and day.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Self, TypeVar

from chassis.domain.state import KeepDay, Part, on_event
from contracts.decimals import ROUNDING
from contracts.delivery import ExpenseApproved, ExpenseReversed, TimeApproved, TimeReversed
from contracts.event import Recorded
from contracts.finance import (
    BilledWork,
    BilledWorkReversed,
    CostAccrued,
    CostedWork,
    CostOfWeek,
    CostReversed,
    CreditedWork,
    CreditNoteIssued,
    DraftWithdrawn,
    ExpenseConversionReversed,
    InvoiceDrafted,
    InvoiceEdited,
    InvoiceLine,
    InvoiceRejected,
    InvoiceVoided,
    UnbilledWork,
    WithheldWorkReversed,
    WorkHeld,
    WorkOfLine,
    WorkReleased,
    WorkWrittenDown,
)
from contracts.money import Money
from contracts.values import (
    Identifier,
    Month,
    Value,
)
from finance.calendar_months import month_of
from finance.moved_works.events import WorksLeft
from finance.work.works import NOTHING, Bill, Withheld, Work

ByDay = dict[date, Decimal]
ByLine = dict[str, ByDay]
"""Amounts by line and day; work on no line is under the empty text."""
Change = tuple["Work | None", "Work | None"]
"""A work before and after; None where it is new, or gone."""


class Totals(Value):
    """Running totals of works by line and day: worth by the line that pays, cost by its own.

    `worth` is what invoices and drafts charge and the worth of what they do not bill. It contains
    `spent`, the expenses, and is without what is written down; `cost` is without `bought`, the cost
    of expenses, and `tasks` is `cost` by task. Amounts are in the engagement's currency and not
    rounded, but for what is charged.
    """

    worth: ByLine = {}
    spent: ByLine = {}
    cost: ByLine = {}
    bought: ByLine = {}
    tasks: ByLine = {}

    def after(self, changes: Iterable[Change]) -> "Totals":
        """Return the totals after works changed."""
        added: dict[str, ByLine] = {}
        for before, after in changes:
            for work, sign in ((before, -1), (after, 1)):
                for name, line, amount in _amounts(work) if work is not None else ():
                    of_day = added.setdefault(name, {}).setdefault(line, {})
                    day = work.on if work is not None else date.min
                    of_day[day] = of_day.get(day, NOTHING) + sign * amount
        if not added:
            return self
        return self.model_copy(
            update={name: _sum(getattr(self, name), more) for name, more in added.items()}
        )

    def worth_of(self, line: str, until: date = date.max) -> Decimal:
        """Return the worth of the work of a line to a day."""
        return _to(self.worth, until, (line,))

    def spent_on(self, line: str) -> Decimal:
        """Return the expenses of a line."""
        return _to(self.spent, date.max, (line,))

    def cost_to(self, until: date, lines: Container[str] | None = None) -> Decimal:
        """Return the accrued cost of work of some lines, or of all, dated up to a day."""
        return self.time_to(until, lines) + self.bought_to(until, lines)

    def cost_of_tasks_to(self, until: date, tasks: Container[str]) -> Decimal:
        """Return the accrued cost of time on some tasks, dated up to a day."""
        return _to(self.tasks, until, tasks)

    def time_to(self, until: date, lines: Container[str] | None = None) -> Decimal:
        """Return the accrued cost of time of some lines, or of all, dated up to a day."""
        return _to(self.cost, until, lines)

    def bought_to(self, until: date, lines: Container[str] | None = None) -> Decimal:
        """Return the accrued cost of expenses of some lines, or of all, dated up to a day."""
        return _to(self.bought, until, lines)


def _amounts(work: Work) -> Iterator[tuple[str, str, Decimal]]:
    """Yield the total, the line and the amount that a work adds."""
    is_expense = work.role is None
    if work.paid_by is not None and work.billable and work.worth_kept:
        yield "worth", work.paid_by, work.worth_kept
        if is_expense:
            yield "spent", work.paid_by, work.worth_kept
    if work.cost is not None:
        yield "bought" if is_expense else "cost", work.costs or "", work.cost.amount
        if work.task is not None:
            yield "tasks", work.task, work.cost.amount


def _sum(known: ByLine, more: ByLine) -> ByLine:
    total = dict(known)
    for line, days in more.items():
        of_line = total[line] = dict(total.get(line, {}))
        for day, amount in days.items():
            of_line[day] = of_line.get(day, NOTHING) + amount
            if not of_line[day]:  # equal works have equal totals: without zeros
                del of_line[day]
        if not of_line:
            del total[line]
    return total


def _to(amounts: ByLine, until: date, lines: Container[str] | None) -> Decimal:
    days = (each for line, each in amounts.items() if lines is None or line in lines)
    return sum((amount for each in days for on, amount in each.items() if on <= until), NOTHING)


class Ahead(Value):
    """Hours, or an amount, that an exception bills beyond the work that was approved then.

    `amount` is that of all that is `left`.
    """

    invoice: Identifier
    invoice_line: Identifier
    left: Decimal
    amount: Money


class Copy(Value):
    """Copy of a work that moved, which figures computed from cost still need. Confidential.

    `is_told` says that the stream of its month knows its cost.
    """

    work: Work
    is_told: bool = False


A = TypeVar("A", bound="ApprovedWork")


class ApprovedWork(Part):
    """Approved work, its accrued cost, and what is reversed and not settled yet.

    Works of booked months may have moved to streams of their own; the totals contain all works.

    Works are under their month and key. `open` may still be billed, `done` not any more. Keys are
    ``time:`` or ``expense:`` and the id, since an entry and an expense may have one id. `uncosted`
    has the months of works without a cost, moved ones among them. `copies` are of moved works: of
    those whose cost was not known, and of those that a report to be measured does not contain. They
    are as the totals contain them. `reversed` are works whose approval was reversed, while
    their accrued cost, their conversion or what withholds them is not reversed, or an invoice bills
    them; they are under key and number, since what was approved again may be reversed again.
    `written_down` is the worth by line. `ahead` is by line and role, such as ``work/developer``
    (``work/`` for expenses).
    """

    open: dict[Month, dict[str, Work]] = {}
    done: dict[Month, dict[str, Work]] = {}
    reversed: dict[str, Work] = {}
    to_credit_on: Annotated[dict[str, date], KeepDay((BilledWorkReversed,), "invoice")] = {}
    uncosted: dict[str, Month] = {}
    copies: dict[str, Copy] = {}
    totals: Totals = Totals()
    ahead: dict[str, tuple[Ahead, ...]] = {}
    written_down: dict[Identifier, Money] = {}
    cost_to_date: Money | None = None
    number: int = 0
    releases: int = 0

    @on_event
    def _time_reversed(self, event: TimeReversed) -> Self:
        return self._without(self.known(f"time:{each.entry}", each.day) for each in event.entries)

    @on_event
    def _expense_reversed(self, event: ExpenseReversed) -> Self:
        return self._without([self.known(f"expense:{event.expense}", event.spent_on)])

    @on_event
    def _accrued(self, event: CostAccrued) -> Self:
        costed, moved = list[Change](), list[Work]()
        for key, each in _costs(event):
            work = self.known(key, each.day)
            if work is not None:
                costed.append((work, work.changed(cost=each.cost)))
            elif key in self.copies:
                moved.append(self.copies[key].work.changed(cost=each.cost))
        costed_here = self.with_works(costed).updated(cost_to_date=event.cumulative)
        return costed_here.costed_elsewhere(moved) if moved else costed_here

    @on_event
    def _cost_reversed(self, event: CostReversed) -> Self:
        keys = {key for key, _ in _costs(event)}
        reversed_ = self._reversed_after(keys, lambda work: work.changed(cost=None))
        return self.updated(reversed=reversed_, cost_to_date=event.cumulative)

    @on_event
    def _held(self, recorded: Recorded[WorkHeld]) -> Self:
        return self._marked(
            recorded.event,
            lambda work, part: {"held": _withheld(recorded, part, work.held)},
        )

    @on_event
    def _released(self, event: WorkReleased) -> Self:
        count = self.releases + 1
        released = self._marked(event, lambda *_: {"held": None, "released": count})
        return released.updated(releases=count)

    @on_event
    def _written_down(self, recorded: Recorded[WorkWrittenDown]) -> Self:
        event = recorded.event
        marked = self._marked(
            event,
            lambda work, part: {"written_down": _withheld(recorded, part, work.written_down)},
        )
        return marked.with_written_down(event.line, event.worth)

    @on_event
    def _drafted(self, event: InvoiceDrafted) -> Self:
        if event.kind != "time":
            return self
        billed = self.with_bills(event.invoice, event.lines)
        return billed.updated(ahead=_with_ahead(self.ahead, event.invoice, event.lines))

    @on_event
    def _edited(self, event: InvoiceEdited) -> Self:
        """Replace what the draft bills; its lines name all works that are left on it."""
        if event.kind != "time":
            return self
        after = self.without_bills(event.invoice, self.billed_on(event.invoice))
        after = after.without_ahead(event.invoice).with_bills(event.invoice, event.lines)
        return after.updated(ahead=_with_ahead(after.ahead, event.invoice, event.lines))

    @on_event
    def _dropped(self, event: DraftWithdrawn | InvoiceRejected | InvoiceVoided) -> Self:
        until = event.voided_on if isinstance(event, InvoiceVoided) else None
        dropped = self.without_bills(event.invoice, event.works, until=until)
        return dropped.without_ahead(event.invoice)

    @on_event
    def _withheld_reversed(self, event: WithheldWorkReversed) -> Self:
        keys = {f"{each.kind}:{each.entry}" for each in event.works}
        left = self._reversed_after(keys, lambda work: work.changed(held=None, written_down=None))
        return self.updated(reversed=left)

    @on_event
    def _conversion_reversed(self, event: ExpenseConversionReversed) -> Self:
        keys = {f"expense:{event.expense}"}
        left = self._reversed_after(keys, lambda work: work.changed(conversion=None))
        return self.updated(reversed=left)

    @on_event
    def _credited(self, event: CreditNoteIssued) -> Self:
        """Take what is billed again off the invoice; a line that is taken back whole bills no more.

        Such a line of an exception may have billed ahead: it comes to more than its works.
        """
        if event.intent != "cancel-and-rebill":
            return self
        after = self
        for line in event.lines:
            after = after.without_bills(
                event.invoice, line.works, line.invoice_line, event.issued_on
            )
            if line.amount > Money.total(
                (each.amount for each in line.works), line.amount.currency
            ):
                after = after.without_ahead(event.invoice, line.invoice_line)
        return after

    @on_event
    def _to_credit(self, event: BilledWorkReversed) -> Self:
        def noted(work: Work) -> Work:
            bills = [
                each.model_copy(
                    update={"to_credit": each.to_credit or each.invoice == event.invoice}
                )
                for each in work.bills
            ]
            return work.changed(bills=tuple(bills))

        return self.updated(reversed=self._reversed_after(_keys(event.works), noted))

    def known(self, key: str, on: date | None = None) -> Work | None:
        """Return an approved work that is not reversed, or None; `on` is its day, if known."""
        months = (month_of(on),) if on is not None else (*self.open, *self.done)
        for month in months:
            found = self.open.get(month, {}).get(key) or self.done.get(month, {}).get(key)
            if found is not None:
                return found
        return None

    @property
    def every(self) -> Iterator[Work]:
        """Yield all works that are not reversed, in no particular order."""
        for months in (self.open, self.done):
            for works in months.values():
                yield from works.values()

    def to(self, month: Month) -> Iterator[Work]:
        """Yield the works of a month and of those before, in no particular order."""
        for months in (self.open, self.done):
            for name, works in months.items():
                if name <= month:
                    yield from works.values()

    @cached_property
    def waiting(self) -> tuple[Work, ...]:
        """Return the works that may still be billed, in the order of approval."""
        works = [work for month in self.open.values() for work in month.values()]
        return tuple(sorted(works, key=lambda each: each.number))

    @cached_property
    def without_cost(self) -> tuple[Work, ...]:
        """Return the works whose cost is not accrued, in the order of approval."""
        works = (
            self.open.get(month, {}).get(key)
            or self.done.get(month, {}).get(key)
            or self.copies[key].work
            for key, month in self.uncosted.items()
        )
        return tuple(sorted(works, key=lambda each: each.number))

    def is_costed(
        self, count: int | None = None, *, until: date = date.max, with_expenses: bool = True
    ) -> bool:
        """Return whether the cost of all works is accrued: of the first `count`, up to a day."""
        return not any(
            (count is None or work.number < count)
            and work.on <= until
            and (with_expenses or work.role is not None)
            for work in self.without_cost
        )

    def totals_at(self, count: int) -> Totals:
        """Return the totals of the first `count` works that were approved, by their cost of now.

        Those that were approved later must all be here, or have copies.
        """
        if count >= self.number:
            return self.totals
        every = (*self.every, *(each.work for each in self.copies.values()))
        return self.totals.after((work, None) for work in every if work.number >= count)

    def unconverted(self, currency: str) -> tuple[tuple[Work, Money], ...]:
        """Return the expenses in another currency that are not converted, with their amounts."""
        return tuple(
            (work, work.amount)
            for work in self.without_cost
            if work.amount is not None and work.expense_in(currency) is None
        )

    def billed_on(self, invoice: str) -> tuple[BilledWork, ...]:
        """Return the works that an invoice or a draft bills, reversed ones included."""
        return tuple(billed_work(work, each) for work, each in self.bills_of(invoice))

    def bills_of(self, invoice: str) -> tuple[tuple[Work, Bill], ...]:
        """Return the works on an invoice or a draft with their bills, in the order of approval."""
        works = (*self.every, *self.reversed.values())
        return tuple(
            (work, each)
            for work in sorted(works, key=lambda each: each.number)
            for each in work.bills
            if each.invoice == invoice
        )

    def to_credit(self) -> Mapping[str, tuple[BilledWork, ...]]:
        """Return the reversed works that invoices and drafts bill, by invoice."""
        found: dict[str, list[BilledWork]] = {}
        for work in sorted(self.reversed.values(), key=lambda each: each.number):
            for each in work.bills:
                found.setdefault(each.invoice, []).append(billed_work(work, each))
        return {invoice: tuple(works) for invoice, works in found.items()}

    @cached_property
    def reversed_keys(self) -> frozenset[str]:
        """Return the keys of the reversed works of which something has to follow."""
        return frozenset(work.key for work in self.reversed.values())

    def approved(self, event: TimeApproved | ExpenseApproved) -> tuple[Work, ...]:
        """Return the works of an approval, as they are before the budget assigns them to lines."""
        if isinstance(event, ExpenseApproved):
            return (
                Work(
                    entry=event.expense,
                    person=event.person,
                    kind="expense",
                    on=event.spent_on,
                    billable=event.billable,
                    number=self.number,
                    line=event.line,
                    amount=event.amount,
                    category=event.category,
                ),
            )
        return tuple(
            Work(
                entry=each.entry,
                person=event.person,
                kind=each.kind,
                on=each.day,
                billable=each.billable and event.why_not_billed is None,
                number=number,
                line=each.line,
                task=each.task,
                role=each.role,
                hours=each.hours,
            )
            for number, each in enumerate(event.entries, start=self.number)
        )

    def assigned(self, changes: Iterable[Change]) -> Self:
        """Return the part with works that the budget assigns to lines, new ones among them.

        What an exception bills ahead of an approval bills them first.
        """
        every, ahead = list[Change](), self.ahead
        for before, work in changes:
            after = work
            if ahead and work is not None and not work.bills:
                after, ahead = _taking(work, ahead)
            every.append((before, after))
        new = sum(before is None for before, _ in every)
        return self.with_works(every).updated(number=self.number + new, ahead=ahead)

    def with_works(self, changes: Iterable[Change]) -> Self:
        """Return the part with works as they are after changes."""
        every = tuple(changes)
        if not every:
            return self
        months = {True: dict(self.open), False: dict(self.done)}
        copied, uncosted = set[tuple[bool, str]](), dict(self.uncosted)

        def place(work: Work) -> dict[str, Work]:
            of, month = months[work.is_open], month_of(work.on)
            if (work.is_open, month) not in copied:
                copied.add((work.is_open, month))
                of[month] = dict(of.get(month, {}))
            return of[month]

        for before, after in every:
            if before is not None and (after is None or before.is_open != after.is_open):
                place(before).pop(before.key, None)
            if after is not None:
                place(after)[after.key] = after
            if after is not None and after.cost is None:
                uncosted[after.key] = month_of(after.on)
            elif before is not None:
                uncosted.pop(before.key, None)
        return self.updated(
            written_down=_lowered(self.written_down, every),
            open={month: works for month, works in months[True].items() if works},
            done={month: works for month, works in months[False].items() if works},
            uncosted=uncosted,
            totals=self.totals.after(every),
        )

    def moved_out(self, event: WorksLeft, measured: int) -> Self:
        """Return the part without works that moved to another stream; totals contain them.

        All reports that are to be measured contain the first `measured` works.
        """
        gone, month = set(event.works), event.month
        left = {key: work for key, work in self.done[month].items() if key not in gone}
        others = {name: works for name, works in self.done.items() if name != month}
        copies = {
            key: Copy(work=self.done[month][key], is_told=key not in event.uncosted)
            for key in event.works
            if key in event.uncosted or self.done[month][key].number >= measured
        }
        return self.updated(
            done={**others, month: left} if left else others, copies={**self.copies, **copies}
        )

    def costed_elsewhere(self, works: Iterable[Work]) -> Self:
        """Return the part with the costs of moved works."""
        known = {work.key: work for work in works}
        copies = {key: Copy(work=work) for key, work in known.items()}
        changes = ((self.copies[key].work, work) for key, work in known.items())
        return self.updated(
            copies={**self.copies, **copies},
            uncosted={key: month for key, month in self.uncosted.items() if key not in known},
            totals=self.totals.after(changes),
        )

    def told(self, keys: Iterable[str]) -> Self:
        """Return the part after the streams of their months noted the costs of works."""
        told = {
            key: self.copies[key].model_copy(update={"is_told": True})
            for key in keys
            if key in self.copies
        }
        return self.updated(copies={**self.copies, **told})

    def without_copies(self, measured: int) -> Self:
        """Return the part without the copies that nothing needs; `measured`: see `moved_out`."""
        copies = {
            key: each
            for key, each in self.copies.items()
            if not each.is_told or each.work.number >= measured
        }
        return self.updated(copies=copies) if len(copies) < len(self.copies) else self

    def returned(self, works: Iterable[Work]) -> tuple[Self, tuple[Work, ...]]:
        """Return the part without the copies of works that are back, and these works.

        Their costs may have become known meanwhile.
        """
        every = tuple(
            self.copies[work.key].work if work.key in self.copies else work for work in works
        )
        back = {work.key for work in every}
        copies = {key: each for key, each in self.copies.items() if key not in back}
        return self.updated(copies=copies), every

    def reversed_elsewhere(self, works: Iterable[Work]) -> Self:
        """Return the part after the reversal of works that had moved to another stream."""
        part, gone = self.returned(works)
        keys = {work.key for work in gone}
        changes: tuple[Change, ...] = tuple((work, None) for work in gone)
        changed = part.updated(
            totals=self.totals.after(changes),
            uncosted={key: month for key, month in self.uncosted.items() if key not in keys},
            written_down=_lowered(self.written_down, changes),
        )
        return _after_reversal(changed, gone)

    def _without(self, works: Iterable[Work | None]) -> Self:
        """Return the part without works; those with a cost, or on an invoice, are reversed."""
        gone = [work for work in works if work is not None]
        return _after_reversal(self.with_works((work, None) for work in gone), gone)

    def with_written_down(self, line: str, worth: Money) -> Self:
        """Return the part with more worth of a line written down, or less."""
        before = self.written_down.get(line, Money.zero(worth.currency))
        return self.updated(written_down={**self.written_down, line: before + worth})

    def _marked(
        self, event: WorkOfLine, fields: Callable[[Work, UnbilledWork], dict[str, object]]
    ) -> Self:
        return self.with_works(
            (work, work.changed(**fields(work, each)))
            for each in event.works
            if (work := self.known(f"{each.kind}:{each.entry}", each.on)) is not None
        )

    def with_bills(self, invoice: str, lines: Iterable[InvoiceLine]) -> Self:
        """Return the part with what the lines of a draft bill."""
        changed: dict[str, tuple[Work, list[Bill]]] = {}
        for line, each in ((one, work) for one in lines for work in one.works):
            key = each.key
            work = self.known(key, each.on)
            if work is not None:
                bill = Bill(
                    invoice=invoice,
                    invoice_line=line.invoice_line,
                    hours=each.hours or NOTHING,
                    amount=each.amount,
                    written_down=each.written_down,
                )
                changed.setdefault(key, (work, []))[1].append(bill)
        return self.with_works((work, work.billed_by(*bills)) for work, bills in changed.values())

    def without_ahead(self, invoice: str, line: str | None = None) -> Self:
        """Return the part without what an invoice, or a line of it, bills ahead of approvals."""
        kept = {
            key: tuple(
                each
                for each in of_key
                if each.invoice != invoice or line not in {None, each.invoice_line}
            )
            for key, of_key in self.ahead.items()
        }
        return self.updated(ahead={key: left for key, left in kept.items() if left})

    def without_bills(
        self,
        invoice: str,
        works: Iterable[BilledWork],
        line: str | None = None,
        until: date | None = None,
    ) -> Self:
        """Return the part without what an invoice, or a line of it, bills of some works.

        What a credit note says to stay given back for good stays on the invoice.
        `until` is the day on which an issued invoice ceased to bill them; None for a draft.
        """
        named = {each.key: each for each in works}
        if not named:
            return self
        changed = [
            (work, work.without_bill(invoice, line, until, _given_back(each)))
            for each in named.values()
            if (work := self.known(each.key, each.on)) is not None
        ]
        left = self._reversed_after(
            named,
            lambda work: work.without_bill(invoice, line, given_back=_given_back(named[work.key])),
        )
        return self.with_works(changed).updated(reversed=left)

    def _reversed_after(
        self, keys: Container[str], change: Callable[[Work], Work]
    ) -> dict[str, Work]:
        """Return the reversed works after a change of some, without those that are settled."""
        changed = {
            name: change(work) if work.key in keys else work for name, work in self.reversed.items()
        }
        return {name: work for name, work in changed.items() if work.is_pending}


def _after_reversal(part: A, gone: Iterable[Work]) -> A:
    """Return the part with reversed works of which something has to follow."""
    kept = dict[str, Work]()
    for work in gone:
        if work.is_pending:
            kept[f"{work.key}/{work.number}"] = work
        if work.written_down is not None:
            part = part.with_written_down(work.written_down.line, -work.written_down.worth)
    return part.updated(reversed={**part.reversed, **kept})


def _withheld(
    recorded: Recorded[WorkHeld] | Recorded[WorkWrittenDown],
    part: UnbilledWork,
    before: Withheld | None,
) -> Withheld:
    event, on, hours = recorded.event, recorded.occurred_at.date(), part.hours or NOTHING
    new = Withheld(line=event.line, why=event.why, hours=hours, worth=part.worth, on=on)
    return before.and_later(new) if before else new


def _lowered(known: Mapping[str, Money], changes: Iterable[Change]) -> dict[str, Money]:
    """Return what is written down by line after changes of what invoices write down of works."""
    after = dict(known)
    for before, now in changes:
        for work, sign in ((before, -1), (now, 1)):
            for bill in work.bills if work is not None else ():
                if bill.written_down is not None and work is not None and work.paid_by is not None:
                    nothing = Money.zero(bill.amount.currency)
                    less = bill.written_down if sign > 0 else -bill.written_down
                    after[work.paid_by] = after.get(work.paid_by, nothing) + less
    return after


def _costs(event: CostOfWeek) -> Iterator[tuple[str, CostedWork]]:
    for each in event.entries:
        yield f"{'expense' if each.role is None else 'time'}:{each.entry}", each


def _keys(works: Iterable[BilledWork]) -> set[str]:
    return {each.key for each in works}


def _given_back(work: BilledWork) -> tuple[Decimal, Money] | None:
    """Return the hours and the amount of a work that stay given back for good, or None."""
    if not isinstance(work, CreditedWork) or work.given_back is None:
        return None
    return work.given_back_hours or NOTHING, work.given_back


def billed_work(work: Work, bill: Bill) -> BilledWork:
    """Return the part of a work that a bill contains, as events name it."""
    return BilledWork(
        kind=work.work_kind,
        entry=work.entry,
        on=work.on,
        person=work.person,
        hours=None if work.role is None else bill.hours,
        amount=bill.amount,
        written_down=bill.written_down,
    )


def _with_ahead(
    known: Mapping[str, tuple[Ahead, ...]], invoice: str, lines: Iterable[InvoiceLine]
) -> dict[str, tuple[Ahead, ...]]:
    """Return what exceptions bill ahead of approvals, with that of the lines of a draft."""
    ahead = dict(known)
    for line in lines:
        named = Money.total((each.amount for each in line.works), line.amount.currency)
        rest = line.amount - named
        left = rest.amount
        if line.role is not None:
            taken = sum((each.hours or NOTHING for each in line.works), NOTHING)
            left = (line.hours or NOTHING) - taken
        if left > 0 and rest.amount > 0:
            key = f"{line.line}/{line.role or ''}"
            more = Ahead(invoice=invoice, invoice_line=line.invoice_line, left=left, amount=rest)
            ahead[key] = (*ahead.get(key, ()), more)
    return ahead


def _taking(
    work: Work, ahead: dict[str, tuple[Ahead, ...]]
) -> tuple[Work, dict[str, tuple[Ahead, ...]]]:
    """Return a work with what was billed ahead for it, and what of that is left."""
    key = f"{work.paid_by}/{work.role or ''}"
    if not work.is_open or work.paid_by is None or key not in ahead:
        return work, ahead
    left = list[Ahead]()
    for each in ahead[key]:
        part = min(each.left, work.free)
        if part <= 0:
            left.append(each)
            continue
        amount = each.amount
        if part < each.left:
            share = each.amount.amount * part / each.left
            amount = Money.nearest(share, each.amount.currency, ROUNDING)
            rest = {"left": each.left - part, "amount": each.amount - amount}
            left.append(each.model_copy(update=rest))
        hours = part if work.role is not None else NOTHING
        work = work.billed_by(
            Bill(invoice=each.invoice, invoice_line=each.invoice_line, hours=hours, amount=amount)
        )
    return work, {
        **{name: each for name, each in ahead.items() if name != key},
        **({key: tuple(left)} if left else {}),
    }
