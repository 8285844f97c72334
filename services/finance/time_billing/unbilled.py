"""Compute the value of approved time and expenses, and what of it is not billed yet, per line.

On a line by time and materials or at cost, what was billed on signature or on a date is an advance:
time billed later draws it down, and nothing is invoiced while it covers everything. What exceeds
the cap of the line is shown, and never billed. What a person holds is not billed until its release.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import ROUND_FLOOR, Decimal

from chassis.domain.ids import derived_id
from contracts import billable_work
from contracts.billable_work import BilledHours, HoursByDay
from contracts.decimals import Rounding
from contracts.finance import BillingEventDue, DayHours, InvoiceDrafted, InvoiceLine
from contracts.lines import HOURLY, ContractLine
from contracts.money import Money, Rate
from contracts.values import Month
from finance.billing.schedule import discounts_on, draft, unused
from finance.budgeting.state import Budget, Entry
from finance.calendar_months import end_of
from finance.engagement import Engagement
from finance.time_billing.assignment import Assigned, LineWork, assigned
from finance.work.state import Work

ADVANCES = ("on-signature", "on-date")
"""Kinds of entries that are advances on a line by time and materials or at cost."""


def is_advance(budget: Budget, billing_event: BillingEventDue) -> bool:
    """Return whether a billing event is an advance that billed time draws down."""
    line = budget.line(billing_event.line)
    return line is not None and line.pricing in HOURLY and billing_event.kind in ADVANCES


def advance_left(state: Engagement, line: str) -> Money:
    """Return what was invoiced on a line in advance, not credited, and not drawn down yet."""
    nothing, budget, events = Money.zero(state.money), state.budget, state.billing.events
    if budget is None:
        return nothing
    live = state.billing.of_line(line)
    paid_ahead = Money.total(
        (
            one.amount - one.credited
            for one in live
            if one.stage == "issued" and is_advance(budget, events[one.billing_event])
        ),
        state.money,
    )
    drawn = Money.total((one.advance_drawn for one in live), state.money)
    return paid_ahead - min(paid_ahead, drawn)


def advances_left(state: Engagement) -> Money:
    """Return what is left of the advances on all lines."""
    lines = state.budget.hourly_lines if state.budget else ()
    return Money.total((advance_left(state, line.line) for line in lines), state.money)


def work_by_line(state: Engagement, budget: Budget) -> Assigned:
    """Return all approved billable work by line, without what is written down."""
    return assigned(budget, state.work.entries)


def billable_by_line(state: Engagement, budget: Budget) -> Assigned:
    """Return the approved billable work by line that is not held."""
    return assigned(budget, (each for each in state.work.entries if not each.held))


def unbilled_works(state: Engagement, budget: Budget) -> Mapping[str, tuple[Work, ContractLine]]:
    """Return the works that are wholly unbilled and not held, by key, with their lines.

    Invoices bill hours by role and day, and expenses by line. What they bill counts for works in
    the order of approval, then for released works in the order of their release.
    """
    left: dict[tuple[str, str | None, date | None], Decimal] = {}
    whole: set[str] = set()
    for name, of_line in billable_by_line(state, budget).lines.items():
        for (role, _), days in unbilled_hours(state, of_line).items():
            left |= {(name, role, on): hours for on, hours in days.items()}
        own, converted = _expenses_left(state, of_line, date.max)
        left[name, None, None] = own.amount
        whole |= {
            each for each, rest in converted.items() if rest == of_line.converted[each][1].converted
        }
    found: dict[str, tuple[Work, ContractLine]] = {}
    in_order = sorted(state.work.entries, key=lambda each: each.released)
    for work in reversed(in_order):
        line = billed_by(budget, work)
        if line is None or work.held:
            continue
        if work.conversion is not None:
            if work.entry in whole:
                found[work.key] = work, line
            continue
        amount = work.hours if work.amount is None else work.amount.amount
        key = line.line, work.role, None if work.role is None else work.on
        rest = left.get(key, Decimal(0))
        if amount <= rest:
            found[work.key] = work, line
        left[key] = rest - min(amount, rest)
    return dict(reversed(found.items()))


def billed_by(budget: Budget, work: Work) -> ContractLine | None:
    """Return the line that can bill a work, or None: not billable, on no such line, or no rate."""
    if not work.billable or work.written_down:
        return None
    line = budget.paying_line(work.line, work.role, work.on)
    if line is None or line.pricing not in HOURLY:
        return None
    if work.role is None:
        return line if work.expense_in(budget.currency) else None
    return line if line.rate_on(work.role, work.on) else None


def worth_of(budget: Budget, work: Work, line: ContractLine) -> Money:
    """Return the amount of an expense, or hours at the line's rate, rounded by the budget's policy.

    Raises ValueError where the line has no rate for it.
    """
    expense = work.expense_in(budget.currency)
    if expense is not None:
        return expense
    rate = line.rate_on(work.role, work.on) if work.role is not None else None
    if rate is None:
        raise ValueError(f"line {line.line} has no rate for {work.entry}")
    return rate.for_hours(work.hours, budget.rounding)


def unbilled_hours(
    state: Engagement, work: LineWork, until: date = date.max
) -> dict[tuple[str, Rate], dict[date, Decimal]]:
    """Return a line's approved billable hours by role, rate and day that no invoice bills yet.

    `until` is the last day of the work.
    """
    billed = (
        BilledHours(one.role, one.rate, one.hours, {each.day: each.hours for each in one.days})
        for one in _time_lines(state, work.line)
    )
    left = billable_work.unbilled_hours(work.hours, billed)
    return {
        key: waiting
        for key, days in left.items()
        if (waiting := {on: hours for on, hours in sorted(days.items()) if on <= until})
    }


def unbilled_expenses(state: Engagement, work: LineWork, until: date = date.max) -> Money:
    """Return a line's approved billable expenses, dated up to a day, that no invoice bills yet."""
    own, converted = _expenses_left(state, work, until)
    return own + Money.total(converted.values(), state.money)


def _expenses_left(
    state: Engagement, work: LineWork, until: date
) -> tuple[Money, dict[str, Money]]:
    """Return the unbilled expenses up to a day: those that need no conversion, the others by id.

    What an exception bills without naming an expense counts for the former first.
    """
    billed, named = Money.zero(state.money), dict[str, Money]()
    for each in _time_lines(state, work.line):
        if each.expense is not None:
            before = named.get(each.expense, Money.zero(state.money))
            named[each.expense] = before + each.amount
        elif each.role is None:
            billed = billed + each.amount
    approved = Money.total((each for on, each in work.expenses.items() if on <= until), state.money)
    more = billed - min(billed, Money.total(work.expenses.values(), state.money))
    converted = dict[str, Money]()
    for name, (on, conversion) in work.converted.items():
        left = conversion.converted - named.get(name, Money.zero(state.money))
        taken = min(left, more)
        left, more = left - taken, more - taken
        if on <= until and left.amount > 0:
            converted[name] = left
    return approved - min(approved, billed), converted


def unbilled_worth(state: Engagement, work: LineWork) -> Money:
    """Return the value of a line's unbilled time and expenses, beyond the cap, too."""
    waiting = unbilled_hours(state, work)
    time = billable_work.worth_of_hours(waiting, state.money, state.rounding)
    return time + unbilled_expenses(state, work)


def beyond_cap(state: Engagement, budget: Budget, work: LineWork) -> Money:
    """Return the value of a line's unbilled work that exceeds what the line may still bill."""
    entries = time_entries(budget, work.line)
    if any(entry.unlimited for entry in entries):
        return Money.zero(state.money)
    room = advance_left(state, work.line.line)
    for entry in entries:
        room = room + remaining(state, entry)
    waiting = unbilled_worth(state, work)
    return waiting - min(waiting, room)


def time_entries(budget: Budget, line: ContractLine) -> tuple[Entry, ...]:
    """Return the entries of a line that bill time."""
    return budget.time_entries.get(line.line, ())


def remaining(state: Engagement, entry: Entry) -> Money:
    """Return what an entry may still charge for time, without what an advance pays."""
    invoices = (
        state.billing.charged(one) - one.advance_drawn
        for one in state.billing.of_item(entry.item.item)
    )
    rest = entry.item.amount - Money.total(invoices, state.money)
    return max(rest, Money.zero(state.money))


def time_billed(
    state: Engagement,
    budget: Budget,
    work: LineWork,
    month: Month,
    today: date,
) -> Iterable[BillingEventDue | InvoiceDrafted]:
    """Yield a billing event and a draft for each entry that bills some of a line's work."""
    line = work.line
    advance, invoices = advance_left(state, line.line), state.billing.invoices
    hours = unbilled_hours(state, work, end_of(month))
    expenses, converted = _expenses_left(state, work, end_of(month))
    for entry in time_entries(budget, line):
        room = None if entry.unlimited else remaining(state, entry) + advance
        lines = _lines(work, hours, (expenses, converted), room, month, state.rounding)
        gross = Money.total((each.amount for each in lines), state.money)
        drawn = min(advance, gross)
        discounts = discounts_on(state, entry, gross - drawn)
        amount = gross - drawn + Money.total((each.amount for each in discounts), state.money)
        if gross <= drawn or amount.amount <= 0:
            continue
        billing_event = BillingEventDue(
            billing_event=unused(
                derived_id("due", entry.item.item, month), state.billing.event_ids
            ),
            line=line.line,
            item=entry.item.item,
            kind="time",
            amount=amount,
            due_on=min(end_of(month), today),
        )
        yield billing_event
        yield draft(billing_event, (*lines, *discounts), drawn, invoices)
        advance = advance - drawn
        for each in lines:
            if each.expense is not None:
                converted[each.expense] = converted[each.expense] - each.amount
            elif each.role is None:
                expenses = expenses - each.amount
            elif each.rate is not None:
                for part in each.days:
                    hours[each.role, each.rate][part.day] -= part.hours


def _earliest(days: Mapping[date, Decimal], hours: Decimal) -> tuple[DayHours, ...]:
    """Return hours by day, the earliest days first."""
    taken: list[DayHours] = []
    for on, left in days.items():
        part = min(left, hours)
        if part > 0:
            taken.append(DayHours(day=on, hours=part))
            hours -= part
    return tuple(taken)


def _time_lines(state: Engagement, line: ContractLine) -> Iterable[InvoiceLine]:
    return (
        each
        for one in state.billing.of_line(line.line)
        if one.kind == "time"
        for each in one.lines
        if each.line == line.line
    )


def _lines(
    work: LineWork,
    hours: HoursByDay,
    expenses: tuple[Money, Mapping[str, Money]],
    room: Money | None,
    month: Month,
    rounding: Rounding,
) -> tuple[InvoiceLine, ...]:
    """Return invoice lines for hours by role and rate, then expenses, up to the amount `room`.

    Each expense that was converted has a line of its own, with its rate.
    """
    line, (own, converted), lines = work.line.line, expenses, list[InvoiceLine]()
    for (role, rate), days in hours.items():
        waiting = taken = sum(days.values(), Decimal(0))
        if room is not None:
            fitting = (room.amount / rate.amount).quantize(Decimal("0.01"), ROUND_FLOOR)
            taken = min(waiting, fitting)
        amount = rate.for_hours(taken, rounding)
        if amount.amount <= 0 or (room is not None and room < amount):
            continue
        lines.append(
            InvoiceLine(
                description=f"{role}, approved time to {month}",
                line=line,
                amount=amount,
                role=role,
                hours=taken,
                rate=rate,
                days=_earliest(days, taken),
            )
        )
        room = room and room - amount
    amount = own if room is None else min(own, room)
    if amount.amount > 0:
        lines.append(InvoiceLine(description=f"Expenses to {month}", line=line, amount=amount))
        room = room and room - amount
    for name, left in converted.items():
        on, conversion = work.converted[name]
        amount = left if room is None else min(left, room)
        if amount.amount > 0:
            lines.append(
                InvoiceLine(
                    description=f"Expense of {conversion.amount} on {on}",
                    line=line,
                    amount=amount,
                    expense=name,
                    conversion=conversion,
                )
            )
            room = room and room - amount
    return tuple(lines)
