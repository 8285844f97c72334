"""Compute the value of approved time and expenses, and what of it is not billed yet, per line.

On a line by time and materials or at cost, what was billed on signature or on a date is an advance:
time billed later draws it down, and nothing is invoiced while it covers everything. What exceeds
the cap of the line is shown, and never billed. What a person holds is not billed until its release.
Works are billed in the order of their days.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from functools import partial

from chassis.domain.ids import derived_id
from contracts import billable_work
from contracts.finance import (
    MOST_WORKS,
    BilledWork,
    BillingEventDue,
    DayHours,
    InvoiceDrafted,
    InvoiceLineContent,
    InvoiceLineTerms,
)
from contracts.lines import HOURLY, ContractLine
from contracts.money import Money, Rate
from contracts.values import LAST_DAY, Month
from finance.billing.schedule import discounts_on, draft, unused
from finance.billing.state import Invoice
from finance.budgeting.state import Budget, Entry
from finance.calendar_months import end_of, month_of
from finance.engagement import Engagement
from finance.work.works import Work

Part = tuple[Work, Decimal]
"""A work, and a part of it: hours, or the amount of an expense."""

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
    drawn = Money.total((one.drawn for one in live), state.money)
    return paid_ahead - min(paid_ahead, drawn)


def advances_left(state: Engagement) -> Money:
    """Return what is left of the advances on all lines."""
    lines = state.budget.hourly_lines if state.budget else ()
    return Money.total((advance_left(state, line.line) for line in lines), state.money)


def billable(state: Engagement, line: str, until: date = date.max) -> tuple[Work, ...]:
    """Return the works of a line, dated up to a day, that can be billed and are not, or in part.

    They are in the order of approval, released ones after the others. What is held is left out, and
    so are expenses that are not converted.
    """
    works = (
        work
        for work in state.work.waiting
        if work.paid_by == line and work.free > 0 and work.on <= until
    )
    return tuple(sorted(works, key=lambda each: (each.released, each.number)))


def unassigned(state: Engagement) -> tuple[Work, ...]:
    """Return the works that cannot be billed because no line pays for them, or it has no rate."""
    return tuple(work for work in state.work.waiting if work.is_unassigned and not work.held)


def can_be_billed(work: Work) -> bool:
    """Return whether a line bills the work: at a contracted rate, or as a converted expense."""
    return work.paid_by is not None and work.worth is not None


def worth_of(state: Engagement, work: Work, part: Decimal) -> Money:
    """Return the worth of a part of a work that can be billed, rounded by the budget's policy.

    The part is in hours, or is the amount of an expense.
    """
    exact = part if work.rate is None else work.rate.amount * part
    return Money.nearest(exact, state.money, state.rounding)


def worth_of_free(state: Engagement, works: Iterable[Work]) -> Money:
    """Return what lines would charge for what is left of works and not held."""
    return worth_of_parts(state, ((work, work.free) for work in works))


def worth_of_parts(state: Engagement, parts: Iterable[Part]) -> Money:
    """Return what lines would charge for parts of works, rounded by role and rate."""
    hours, spent = dict[tuple[str, Rate], dict[date, Decimal]](), Decimal(0)
    for work, part in parts:
        if work.role is None or work.rate is None:
            spent += part
        else:
            days = hours.setdefault((work.role, work.rate), {})
            days[work.on] = days.get(work.on, Decimal(0)) + part
    time = billable_work.worth_of_hours(hours, state.money, state.rounding)
    return time + Money(amount=spent, currency=state.money)


def unbilled_to(state: Engagement, month: Month) -> Money:
    """Return the worth of works to the end of a month that no invoice dated to its end bills.

    They are of all lines, held or not, where the worth is known; what is on a draft is left out.
    What invoices of later days charge for them is added as it is charged, so it is rounded by the
    invoice; what is left is rounded by line, role and rate. An invoice that was voided, or credited
    to be billed again, after the month still bills its works. This looks at each work that the
    engagement has of these months, and at its bills; those that moved to their month's stream are
    billed by the end of the next booking.
    """
    later = frozenset(
        name
        for name, each in state.billing.invoices.items()
        if each.number is not None and each.issue_on and each.issue_on > end_of(month)
    )
    of_line, charged = dict[str | None, list[Part]](), Money.zero(state.money)
    for work in state.work.to(month):
        if not can_be_billed(work):
            continue
        after = [each for each in work.bills if each.invoice in later]
        before = [
            each.bill
            for each in work.ended
            if each.until > end_of(month) and each.bill.invoice not in later
        ]
        left = work.left
        if before:  # a part may be billed anew, at another amount
            left += sum(map(work.part_of, after)) - sum(map(work.part_of, before))
        else:
            charged = charged + Money.total((each.amount for each in after), state.money)
        if left > 0:
            of_line.setdefault(work.paid_by, []).append((work, left))
    worths = (worth_of_parts(state, parts) for parts in of_line.values())
    return Money.total(worths, state.money) + charged


def of_unknown_worth(state: Engagement, month: Month) -> tuple[Work, ...]:
    """Return the works to the end of a month whose line, rate or conversion is not known.

    Before a budget that is all billable work, such as that of an early start.
    """
    if state.budget is None:
        return tuple(work for work in state.work.to(month) if work.billable)
    end = end_of(month)
    waiting = (work for work in state.work.waiting if work.on <= end)
    return tuple(work for work in waiting if not can_be_billed(work))


def beyond_cap(state: Engagement, budget: Budget, line: ContractLine) -> Money:
    """Return the value of a line's unbilled work that exceeds what the line may still bill."""
    room = _room(state, budget, line)
    waiting = worth_of_free(state, billable(state, line.line))
    return Money.zero(state.money) if room is None else waiting - min(waiting, room)


def first_beyond_cap(state: Engagement, budget: Budget, line: ContractLine) -> date | None:
    """Return the day of the first work that the cap of a line leaves unbilled, or None.

    Works are billed in the order of their release, then of their approval.
    """
    room, worth = _room(state, budget, line), Decimal(0)
    for work in billable(state, line.line) if room is not None else ():
        worth += work.free if work.rate is None else work.rate.amount * work.free
        if room is not None and worth > room.amount:
            return work.on
    return None


def _room(state: Engagement, budget: Budget, line: ContractLine) -> Money | None:
    """Return what a line may still bill for time and expenses; None where nothing limits it."""
    entries = time_entries(budget, line)
    if any(entry.unlimited for entry in entries):
        return None
    rests = (remaining(state, entry) for entry in entries)
    return Money.total((advance_left(state, line.line), *rests), state.money)


def time_entries(budget: Budget, line: ContractLine) -> tuple[Entry, ...]:
    """Return the entries of a line that bill time."""
    return budget.time_entries.get(line.line, ())


def remaining(state: Engagement, entry: Entry) -> Money:
    """Return what an entry may still charge for time, without what an advance pays."""
    invoices = (
        state.billing.charged(one) - one.drawn - given_back_of_reversed(state, one)
        for one in state.billing.of_item(entry.item.item)
    )
    rest = entry.item.amount - Money.total(invoices, state.money)
    rest = rest - state.billing.charged_before(entry.item.item, state.money)
    return max(rest, Money.zero(state.money))


def given_back_of_reversed(state: Engagement, invoice: Invoice) -> Money:
    """Return what was given back for good of works whose approval was reversed since.

    An invoice with such works has less left to credit than it bills for them.
    """
    billed: dict[str, Money] = {}
    named, back = Money.zero(state.money), invoice.given_back_works
    pending = {
        each.key
        for note in invoice.credits_approved
        if note.intent == "cancel-and-rebill"
        for each in note.works
    }
    for work in state.work.reversed.values():
        for bill in work.bills if work.key not in pending else ():
            if bill.invoice != invoice.invoice:
                continue
            if (bill.invoice_line, work.key) in back:
                named = named + bill.amount
            else:
                known = billed.get(bill.invoice_line, Money.zero(state.money))
                billed[bill.invoice_line] = known + bill.amount
    left = (
        (invoice.left_of(line), billed[line.invoice_line])
        for line in invoice.lines
        if line.invoice_line in billed
    )
    shared = (of_works - min(rest, of_works) for rest, of_works in left)
    return named + Money.total(shared, state.money)


def time_billed(
    state: Engagement, budget: Budget, line: ContractLine, month: Month, today: date
) -> Iterable[BillingEventDue | InvoiceDrafted]:
    """Yield a billing event and a draft for each entry that bills some of a line's work.

    A draft bills at most 5,000 works.
    """
    advance, invoices = advance_left(state, line.line), state.billing.invoices
    waiting = [(work, work.free) for work in billable(state, line.line, end_of(month))]
    for entry in time_entries(budget, line):
        room = None if entry.unlimited else remaining(state, entry) + advance
        lines = _lines(state, line.line, waiting[:MOST_WORKS], room, month)
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
        waiting = _rest(waiting, lines)


def _rest(waiting: Iterable[Part], lines: Iterable[InvoiceLineContent]) -> list[Part]:
    """Return what is left of works after the lines of a draft."""
    taken = dict[str, Decimal]()
    for each in (work for line in lines for work in line.works):
        part = each.amount.amount if each.hours is None else each.hours
        taken[each.key] = taken.get(each.key, Decimal(0)) + part
    left = ((work, rest - taken.get(work.key, Decimal(0))) for work, rest in waiting)
    return [(work, rest) for work, rest in left if rest > 0]


def billable_now(state: Engagement, budget: Budget, line: ContractLine) -> Money:
    """Return what could be billed now for a line's approved work, beyond its advance."""
    drafts = time_billed(state, budget, line, month_of(LAST_DAY), LAST_DAY)
    return Money.total(
        (each.amount for each in drafts if isinstance(each, InvoiceDrafted)), state.money
    )


def _lines(
    state: Engagement,
    line: str,
    waiting: Iterable[Part],
    room: Money | None,
    month: Month,
) -> tuple[InvoiceLineContent, ...]:
    """Return invoice lines for hours by role and rate, then expenses, up to the amount `room`.

    Each expense that was converted has a line of its own, with its rate.
    """
    lines, time = list[InvoiceLineContent](), dict[tuple[str, Rate], list[Part]]()
    own, converted = list[Part](), list[Part]()
    for work, left in waiting:
        if work.role is not None and work.rate is not None:
            time.setdefault((work.role, work.rate), []).append((work, left))
        else:
            (own if work.conversion is None else converted).append((work, left))
    for (role, rate), of_rate in time.items():
        hours = sum((left for _, left in of_rate), Decimal(0))
        amount = rate.for_hours(hours, state.rounding)
        if room is not None and room < amount:
            hours = (room.amount / rate.amount).quantize(Decimal("0.01"), ROUND_FLOOR)
            amount = rate.for_hours(hours, state.rounding)
        if amount.amount <= 0:
            continue
        by_day = sorted(of_rate, key=lambda each: each[0].on)
        works = time_parts(by_day, hours, partial(rate.for_hours, rounding=state.rounding))
        lines.append(
            InvoiceLineContent(
                description=f"{role}, approved time to {month}",
                line=line,
                amount=amount,
                role=role,
                hours=hours,
                rate=rate,
                days=days_of(works),
                works=works,
            )
        )
        room = room and room - amount
    for text, expenses in (
        (f"Expenses to {month}", own),
        *((_text(each[0]), [each]) for each in converted),
    ):
        works = expense_parts(expenses, room, state.money)
        if not works:
            continue
        conversion = expenses[0][0].conversion
        amount = Money.total((each.amount for each in works), state.money)
        lines.append(
            InvoiceLineContent(
                description=text,
                line=line,
                amount=amount,
                expense=expenses[0][0].entry if conversion else None,
                conversion=conversion,
                works=works,
            )
        )
        room = room and room - amount
    return tuple(lines)


def _text(work: Work) -> str:
    """Return the text of the line of a converted expense, such as `Travel of 80.00 USD on ...`."""
    what = "Expense" if work.category in {None, "other"} else f"{work.category}".capitalize()
    return f"{what} of {work.amount} on {work.on}"


def time_parts(
    waiting: Iterable[Part], hours: Decimal, amount_of: Callable[[Decimal], Money]
) -> tuple[BilledWork, ...]:
    """Return the works whose hours a line bills, with their parts of its amount.

    `amount_of` returns the rounded amount of a number of hours. The parts add up to that of all,
    which is rounded once.
    """
    parts, billed, total = list[BilledWork](), Decimal(0), amount_of(Decimal(0))
    for work, left in waiting:
        part = min(left, hours - billed)
        if part <= 0:
            continue
        billed += part
        before, total = total, amount_of(billed)
        amount = total - before
        parts.append(
            BilledWork(
                kind="time",
                entry=work.entry,
                on=work.on,
                person=work.person,
                hours=part,
                amount=amount,
            )
        )
    return tuple(parts)


def expense_parts(
    waiting: Iterable[Part], room: Money | None, currency: str
) -> tuple[BilledWork, ...]:
    """Return the expenses that a line bills, up to the amount `room`."""
    parts = list[BilledWork]()
    for work, left in waiting:
        part = Money(amount=left, currency=currency)
        part = part if room is None else min(part, room)
        if part.amount > 0:
            billed = BilledWork(
                kind="expense", entry=work.entry, on=work.on, person=work.person, amount=part
            )
            parts.append(billed)
            room = room and room - part
    return tuple(parts)


def with_works_of_exception(
    state: Engagement, lines: Iterable[InvoiceLineTerms]
) -> Iterator[InvoiceLineContent]:
    """Yield the lines of an exception with the approved works that they bill, each work once."""
    before: list[InvoiceLineContent] = []
    for terms in lines:
        every = [(work, work.free) for work in billable(state, terms.line)]
        works = _works_of_exception(state, terms, _rest(every, before))
        line = InvoiceLineContent(**{**dict(terms), "works": works})
        before.append(line)
        yield line


def _works_of_exception(
    state: Engagement, terms: InvoiceLineTerms, every: Iterable[Part]
) -> tuple[BilledWork, ...]:
    """Return the works that a line of an exception bills: the first, or of its days.

    They share its amount in proportion to their hours.
    """
    waiting = [(work, left) for work, left in every if work.role == terms.role]
    if terms.role is None:
        return expense_parts(waiting, terms.amount, state.money)
    hours = terms.hours or Decimal(0)
    if not hours or terms.amount.amount <= 0:
        return ()
    if terms.days:
        waiting = list(_of_days(waiting, terms.days))

    def amount_of(part: Decimal) -> Money:
        return Money.nearest(terms.amount.amount * part / hours, state.money, state.rounding)

    return time_parts(waiting, hours, amount_of)


def _of_days(waiting: Iterable[Part], days: Iterable[DayHours]) -> Iterator[Part]:
    """Yield works with what a line bills of them that names its hours by day."""
    hours = {each.day: each.hours for each in days}
    for work, left in waiting:
        part = min(left, hours.get(work.on, Decimal(0)))
        if part > 0:
            hours[work.on] -= part
            yield work, part


def days_of(works: Iterable[BilledWork]) -> tuple[DayHours, ...]:
    """Return the hours of billed works by day."""
    days = dict[date, Decimal]()
    for each in works:
        days[each.on] = days.get(each.on, Decimal(0)) + (each.hours or Decimal(0))
    return tuple(DayHours(day=day, hours=hours) for day, hours in sorted(days.items()))
