"""Compute what no gate covers: what is missing before work may be approved as billable.

True hours and expenses are always recorded. Whether they are covered is computed from the state
whenever it is read, so it changes when the contract is signed, the plan is baselined or a change is
agreed.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from chassis.domain.commands import Missing
from contracts.counting import counted
from contracts.decimals import ROUNDING
from contracts.delivery import Expense, TimeEntry
from contracts.early_start_caps import EarlyStartCap, EarlyStartCaps
from contracts.lines import HOURLY
from contracts.money import Money, Rate
from delivery.engagement import Engagement
from delivery.policies import change_not_released, not_implementable, on_hold
from delivery.quantities import ZERO
from delivery.time_entries.state import HoursByRole

TASKS_BEFORE_BASELINE = frozenset({"initiation", "project-management"})
"""Tasks that need no plan until the first baseline."""


def uncovered(
    state: Engagement, entry: TimeEntry, before: Iterable[TimeEntry] = ()
) -> tuple[Missing, ...]:
    """Return what is missing before an entry may be approved as billable: nothing if covered.

    `before` are entries that are approved first: they use up the caps of early starts, too.
    """
    hours = {entry.role: entry.hours} if entry.billable else {}
    return (
        *_before_take_over(state, entry.day),
        *_outside_contract(state, entry.day, hours, before),
        *_outside_plan(state, entry),
        *_without_rate(state, entry),
    )


def uncovered_expense(state: Engagement, expense: Expense) -> tuple[Missing, ...]:
    """Return what is missing before an expense may be approved as billable: nothing if covered.

    It is judged as time of its day is. It has no hours, so it uses up no cap of an early start, and
    no task, so of the plan and of changes it needs only the contract line that it names. Nothing is
    missing where it is not billable.
    """
    if not expense.billable:
        return ()
    return (
        *_before_take_over(state, expense.spent_on),
        *_outside_contract(state, expense.spent_on, {}),
        *_without_line(state, expense),
    )


def covered(state: Engagement, entries: Iterable[TimeEntry]) -> Iterator[TimeEntry]:
    """Yield the entries that may be approved as billable together, those of earlier days first."""
    found: list[TimeEntry] = []
    for entry in in_order(entries):
        if not uncovered(state, entry, found):
            found.append(entry)
            yield entry


def with_missing(
    state: Engagement, entries: Iterable[TimeEntry]
) -> Iterator[tuple[TimeEntry, tuple[Missing, ...]]]:
    """Yield the entries in order with what is missing if those before are approved, if covered."""
    before: list[TimeEntry] = []
    for entry in in_order(entries):
        missing = uncovered(state, entry, before)
        if not missing:
            before.append(entry)
        yield entry, missing


def waiting_with_missing(state: Engagement) -> Iterator[tuple[TimeEntry, tuple[Missing, ...]]]:
    """Yield the entries of all people that wait, in order, with what is missing for each."""
    weeks = state.time.waiting.values()
    return with_missing(state, (each for week in weeks for each in week.entries))


def in_order(entries: Iterable[TimeEntry]) -> list[TimeEntry]:
    """Return entries by day, and by id within a day: the order in which they use up a cap."""
    return sorted(entries, key=lambda each: (each.day, each.entry))


def _before_take_over(state: Engagement, day: date) -> Iterator[Missing]:
    """Yield what is missing before work on an engagement that was under way can be approved.

    Work up to the day of the balances is in them: approved again, it would be billed twice.
    """
    if not state.was_under_way:
        return
    importing, planned = state.importing, state.planning.baseline is not None
    if state.contract.imported is None:
        sentence = "Legal has not taken over the contract"
        yield Missing("engagement-not-imported", sentence, "legal")
    if importing.taken_over is None and not planned:
        sentence = "Delivery has not taken over baseline and hours to date"
        yield Missing("engagement-not-imported", sentence, "delivery")
    if importing.balances_to is None:
        sentence = "Finance has not taken over the balances, which include the work to a day"
        yield Missing("engagement-not-imported", sentence, "finance")
    included_to = importing.included_to
    if included_to is not None and day <= included_to:
        sentence = f"the totals that were taken over include the work to {included_to}"
        yield Missing("time-taken-over", sentence, "delivery")


def _outside_contract(
    state: Engagement, day: date, hours: HoursByRole, before: Iterable[TimeEntry] = ()
) -> Iterator[Missing]:
    """Yield what is missing in contract or early starts for work on a day (gate 3)."""
    terminated = state.contract.terminated
    if terminated and day > terminated.terminated_on:
        sentence = f"the contract ended on {terminated.terminated_on}, before {day}"
        yield Missing("engagement-over", sentence, "delivery")
    yield from on_hold(state, day)
    waits_for_contract = state.was_under_way and state.contract.imported is None
    if not _is_in_contract(state, day) and not waits_for_contract:
        missing, since = outside_early_start(state, day, hours, before), state.time.covered_from
        if missing and since:
            # No early start can be authorised after the signature.
            also = f", and {missing.sentence}" if state.contract.early_starts else ""
            sentence = f"the contract covers work from {since}, after {day}{also}"
            yield Missing("date-before-contract", sentence, "delivery")
        elif missing:
            yield missing


def not_begun(state: Engagement, day: date, today: date) -> Missing | None:
    """Return what is missing before the work may begin on a day (gate 3), or None.

    The contract allows it from its signature on. Until then an early start does, if its last day
    has not passed (`today`, the business day).
    """
    signed_on, until = state.contract.signed_on, state.contract.early_start_until
    if signed_on and signed_on <= day:
        return None
    if until is None:
        sentence = (
            f"the statement of work was signed on {signed_on}, after this work ({day})"
            if signed_on
            else "the statement of work is not signed, and no early start is authorised"
        )
        return Missing("sow-not-signed", sentence, "legal")
    if until < (day if signed_on else max(day, today)):
        sentence = f"the early start was authorised until {until}, and nothing was signed by then"
        return Missing("early-start-expired", sentence, "legal")
    return outside_early_start(state, day, {})


def hours_outside_contract(state: Engagement) -> Decimal:
    """Return the hours, waiting or approved, of days that no signed contract covers."""
    waiting = (
        each.hours
        for week in state.time.waiting.values()
        for each in week.entries
        if not _is_in_contract(state, each.day)
    )
    return sum(waiting, sum(state.time.outside_contract().values(), ZERO))


def _is_in_contract(state: Engagement, day: date) -> bool:
    since = state.time.covered_from
    return since is not None and since <= day


def outside_early_start(
    state: Engagement, day: date, hours: HoursByRole, before: Iterable[TimeEntry] = ()
) -> Missing | None:
    """Return what is missing in early starts for hours of a day that no contract covers, or None.

    Only those whose days include it cover it, and only up to their caps; an early start that is
    used up covers no work at all.
    """
    starts = state.contract.early_starts
    if not starts:
        sentence = "the statement of work is not signed, and no early start is authorised"
        return Missing("sow-not-signed", sentence, "legal")
    later = [start.starts_on for start in starts if start.starts_on > day]
    if not any(start.starts_on <= day <= start.expires_on for start in starts):
        if later:
            sentence = f"the early start was authorised from {min(later)}, after {day}"
            return Missing("date-before-early-start", sentence, "legal")
        until = max(start.expires_on for start in starts)
        sentence = f"the early start was authorised until {until}, before {day}"
        return Missing("early-start-expired", sentence, "legal")
    caps = _caps_after(state, before)
    if not hours:
        return None if caps.allow(day) else _beyond_caps(state, caps, day)
    for role, number in hours.items():
        if not caps.take_whole(day, role, number, _bill_rate(state, role, day)):
            return _beyond_caps(state, caps, day, role, number)
    return None


def _caps_after(state: Engagement, before: Iterable[TimeEntry]) -> EarlyStartCaps:
    """Return what approved hours, and then the billable ones of `before`, leave of early starts."""
    caps = EarlyStartCaps(state.contract.early_starts)
    for on, by_role in sorted(state.time.before_contract.items()):
        for role, number in by_role.items():
            caps.take(on, role, number, _bill_rate(state, role, on))
    for each in before:
        if each.billable and not _is_in_contract(state, each.day):
            caps.take(each.day, each.role, each.hours, _bill_rate(state, each.role, each.day))
    return caps


def _beyond_caps(
    state: Engagement,
    caps: EarlyStartCaps,
    day: date,
    role: str | None = None,
    hours: Decimal = ZERO,
) -> Missing:
    """Return what is missing for work of a day that the caps of early starts do not cover."""
    rate = _bill_rate(state, role, day) if role else None
    unrated = caps.unrated(day, role, rate)
    if unrated:
        priced_later = {line.role for line in state.estimates.to_price}
        currencies = sorted({each.currency for each in caps.of(day) if each.currency})
        sentence = (
            f"the early start is limited to an amount in {', '.join(currencies)}, and"
            f" {', '.join(sorted(unrated))} has no bill rate in it"
        )
        return Missing(
            "rates-missing", sentence, "finance" if priced_later >= unrated else "delivery"
        )
    left = " and ".join(map(_left, caps.of(day)))
    worth = f" ({_worth(hours, rate)})" if rate else ""
    needed = f", and this work takes {counted(hours, 'hour')}{worth}" if hours else ""
    return Missing("early-start-cap-spent", f"early starts leave {left} for {day}{needed}", "legal")


def _left(cap: EarlyStartCap) -> str:
    hours = None if cap.hours_left is None else counted(cap.hours_left, "hour")
    amount = None if cap.amount_left is None else str(cap.amount_left)
    return " or ".join(filter(None, (hours, amount)))


def _worth(hours: Decimal, rate: Rate) -> Money:
    return Money.nearest(hours * rate.amount, rate.currency, ROUNDING)


def _bill_rate(state: Engagement, role: str, day: date) -> Rate | None:
    """Return the rate of the first line that has one, else of the newest priced estimate."""
    agreed = (line.rate_on(role, day) for line in state.lines)
    priced = state.estimates.priced
    newest = priced[max(priced)].lines if priced else ()
    estimated = (line.rate for line in newest if line.role == role)
    return next((rate for rate in (*agreed, *estimated) if rate is not None), None)


def _outside_plan(state: Engagement, entry: TimeEntry) -> Iterator[Missing]:
    """Yield what is missing in the plan (gates 4 and 6) for a task on a day.

    The baseline of an engagement that was taken over has no tasks: until Delivery baselines a plan
    here, it has every task but those of changes.
    """
    planned = state.planning.task(entry.task)
    if planned is None:
        first = state.planning.first_baselined_on
        taken_over = state.importing.taken_over is not None
        if taken_over and (first is None or entry.day < first):
            if entry.task in state.changes.requested:
                yield from change_not_released(state, entry.task, entry.day)
        elif entry.task in state.changes.requested:
            yield from change_not_released(state, entry.task, entry.day)
        elif entry.task not in TASKS_BEFORE_BASELINE or (first and entry.day > first):
            plan = "the baseline" if first else "the plan"
            yield Missing("task-unknown", f"task {entry.task} is not in {plan}", "delivery")
        return
    if planned.implementation:
        yield from not_implementable(state, entry.day)
    if planned.change is not None:
        yield from change_not_released(state, planned.change, entry.day)


def _without_rate(state: Engagement, entry: TimeEntry) -> Iterator[Missing]:
    """Yield what is missing for a bill rate of billable time: a contract line, a rate on the day.

    Time on a line with a fixed price needs no rate. Where the task names no line, those count that
    were signed by the day: what was worked before belongs to the earlier terms.
    """
    planned = state.planning.task(entry.task)
    named = planned.line if planned else None
    lines = state.lines if named else state.lines_of(entry.day)
    if not entry.billable or not lines:
        return
    paying = [each for each in lines if named in {None, each.line}]
    if not paying:
        sentence = f"the contract has no line {named}, which the plan names for {entry.task}"
        yield Missing("line-unknown", sentence, "delivery")
    hourly = [
        each for each in paying if each.pricing in HOURLY and (named or each.hours or each.rates)
    ]
    rated = [each for each in hourly if each.rate_on(entry.role, entry.day)]
    if hourly and not rated:
        sentence = f"the contract has no rate for the role {entry.role} on {entry.day}"
        yield Missing("rates-missing", sentence, "sales")
    elif len(rated) > 1:
        several = ", ".join(each.line for each in rated)
        sentence = f"the plan names no line for {entry.task}, and each of {several} could pay it"
        yield Missing("line-not-named", sentence, "delivery")


def _without_line(state: Engagement, expense: Expense) -> Iterator[Missing]:
    """Yield what is missing where an expense names a line that the contract had not by its day."""
    named = expense.line
    if named is None or named in {each.line for each in state.lines_of(expense.spent_on)}:
        return
    amendments = state.contract.amendments.values()
    adding = [each for each in amendments if any(named == one.line for one in each.changes)]
    if adding and named in {each.line for each in state.lines}:
        first = adding[0]
        sentence = (
            f"amendment {first.amendment}, which adds the line {named}, was signed on"
            f" {first.signed_on}, after {expense.spent_on}"
        )
        yield Missing("date-before-amendment", sentence, "delivery")
    else:
        sentence = f"the contract has no line {named}, which the expense names"
        yield Missing("line-unknown", sentence, "delivery")
