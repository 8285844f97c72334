"""Rules about work on days that no contract covers, and about the hours of a person's week.

Work is compared while it waits for approval, and before the signature also as far as it is approved
as billable. So a disconnect ends when the work is approved as cost, rejected or withdrawn, and when
what covers it is signed.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Literal

from contracts.counting import counted
from contracts.decimals import round_decimal
from contracts.early_start_caps import EarlyStartCaps
from contracts.holds import hold_of
from contracts.reference import Tolerances
from gateway.formatting import day, listed
from gateway.rules.billable_work import unpaid
from gateway.rules.early_starts import beyond_early_starts, caps_after, lacks_rate
from gateway.rules.expenses import of_expenses, waiting_expenses
from gateway.rules.hours import (
    Hours,
    billable,
    day_of,
    evidence,
    side_of,
    total_hours,
    waiting,
    worth,
)
from gateway.rules.planned_work import before_release, on_open_changes, outside_plan
from gateway.rules.rule import (
    EXPENSE_AS_COST,
    TIME_AS_COST,
    Disconnect,
    End,
    Rule,
    Rules,
    hours,
)
from gateway.rules.sides import side
from gateway.view.engagement_view import View
from gateway.view.sections.delivery.expenses import WaitingExpense
from gateway.view.sections.delivery.time_entries import WaitingWeek

rules = Rules()


@rules.register(
    "work-before-signature",
    title="Work before signature",
    owner="legal",
    command="record-signature",
    after_end=True,
)
def work_before_signature(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find work that neither a signed contract nor an early-start authorisation covers.

    A contract that is signed or was taken over covers work from its effective day. Before, hours
    are covered from the first day of an authorisation to its last, up to the caps in hours and in
    money. Expenses that wait are covered until a cap is spent. A kickoff needs a signature, or an
    authorisation that includes its day.
    """
    yield from _kickoff(rule, view)
    signed = view.legal.signed or view.legal.imported
    covers = view.legal.effective_on or date.max
    approved = [each for each in billable(view) if each.day < covers]
    submitted = [each for each in waiting(view) if each.day < covers]
    before = "the signature" if signed is None else f"{day(covers)}, when the contract begins"
    severity: Literal["warning", "serious"] = "serious" if signed is None else "warning"
    caps = caps_after(view, approved)
    spent = [
        each
        for each in waiting_expenses(view)
        if each.spent_on < covers and not caps.allow(each.spent_on)
    ]
    contract = side(
        "legal",
        f"signed from {day(covers)}" if signed else "not signed",
        signed.said if signed else None,
    )
    yield from of_expenses(
        rule,
        view,
        spent,
        f"are submitted for days before {before}, and no early-start authorisation covers them",
        (*(start.said for start in view.legal.early_starts), signed.said if signed else None),
        other=contract,
        end=_end(view, caps, spent[0]) if spent else EXPENSE_AS_COST,
        severity=severity,
    )
    starts, early = view.legal.early_starts, (*approved, *submitted)
    # Most views have none of these, and every rule is applied after each event.
    otherwise = _uncovered(view) if starts and submitted else frozenset[Hours]()
    beyond = list(beyond_early_starts(view, approved, submitted, otherwise))
    if not beyond:
        return
    worked = total_hours(early)
    covered = round_decimal(worked - total_hours(beyond), 2)
    authorised = (
        f"; the early-start authorisation covers {hours(covered)} of them."
        if starts
        else ", with no early-start authorisation."
    )
    unrated = sorted({each.role for each in beyond if each.billable and lacks_rate(view, each)})
    unknown = f" Its amount needs a bill rate of {listed(unrated)}." if unrated else ""
    yield rule.disconnect(
        f"{hours(worked)} were worked before {before}{authorised}{unknown}",
        (
            min(early, key=day_of).said,
            *(start.said for start in starts),
            signed.said if signed else None,
        ),
        sides=(
            side_of(early, "worked"),
            side("legal", f"{hours(covered)} covered by early starts", starts[-1].said)
            if starts and signed is None
            else contract,
        ),
        end=_end(view, caps, beyond[0]),
        exposure=view.price,
        at_stake=worth(view, beyond),
        severity=severity,
    )


def _kickoff(rule: Rule, view: View) -> Iterable[Disconnect]:
    """Find a kickoff while no contract is signed, unless an early start includes its day.

    Before the deal is won there is nothing to sign: Legal can authorise the early start.
    """
    held, won = view.delivery.kickoff, view.sales.won
    if held is None or view.over or view.legal.signed or view.legal.imported:
        return
    on, starts = held.event.held_on, [each.event for each in view.legal.early_starts]
    if any(each.starts_on <= on <= each.expires_on for each in starts):
        return
    lacks = "no contract is signed" if won is not None else "the deal is not won"
    yield rule.disconnect(
        f"The kickoff was held on {day(on)}; {lacks}, and no early-start authorisation includes "
        "that day.",
        (held.said, *(each.said for each in view.legal.early_starts), won.said if won else None),
        sides=(
            side("delivery", f"kickoff held on {day(on)}", held.said),
            side("legal", "not signed") if won is not None else side("sales", "deal not won"),
        ),
        about="kickoff",
        end=End("legal", "record-signature" if won is not None else "authorise-early-start"),
        exposure=view.price,
        severity="serious",
    )


def _uncovered(view: View) -> set[Hours]:
    """Return the hours that wait and that something else than a contract does not cover."""
    lines = (each for found in unpaid(view).values() for each in found)
    held = (each for each in waiting(view) if _hold_on(view, each.day))
    return {*lines, *held, *outside_plan(view), *on_open_changes(view), *before_release(view)}


def _hold_on(view: View, on: date) -> date | None:
    """Return the first day of the hold of a day, or None."""
    held, hold = view.delivery.held, hold_of(view.delivery.past_holds, on)
    if held is not None and on >= held.event.held_on:
        return held.event.held_on
    return hold and hold[0]


def _end(view: View, caps: EarlyStartCaps, first: Hours | WaitingExpense) -> End:
    """Return who can cover early work, of which `first` is the first, or approve it as cost.

    `caps` are what approved hours leave of early starts.
    Finance can while it has not priced the estimate that has the roles without a bill rate.
    """
    as_cost = EXPENSE_AS_COST if isinstance(first, WaitingExpense) else TIME_AS_COST
    if view.over or view.legal.signed or view.legal.imported:
        return as_cost
    on = first.spent_on if isinstance(first, WaitingExpense) else first.day
    unrated = caps.unrated(on)
    if isinstance(first, Hours) and first.billable and lacks_rate(view, first):
        unrated.add(first.role)
    if not unrated:
        signs = "authorise-early-start" if view.legal.early_starts else "record-signature"
        return End("legal", signs)
    newest = max(view.delivery.estimates.values(), key=lambda each: each.version, default=None)
    waits = newest is not None and newest.version not in view.finance.priced
    priced = newest and waits and unrated.issubset(newest.roles)
    return End("finance", "publish-rate-card") if priced else as_cost


@rules.register(
    "work-after-end",
    title="Work after the end of the contract",
    owner="delivery",
    command="approve-time-as-cost",
    after_end=True,
)
def work_after_end(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find work that waits for approval, of days after the termination of the contract.

    It can be approved as cost, or rejected.
    """
    terminated = view.legal.terminated
    if terminated is None:
        return
    last = terminated.event.terminated_on
    end = side("legal", f"terminated on {day(last)}", terminated.said)
    found = [each for each in waiting(view) if each.day > last]
    if found:
        yield rule.disconnect(
            f"{hours(total_hours(found))} are submitted for days after {day(last)}, when the "
            "contract was terminated.",
            (terminated.said, *evidence(found)),
            sides=(side_of(found), end),
            exposure=view.price,
            at_stake=worth(view, found),
            severity="serious",
        )
    yield from of_expenses(
        rule,
        view,
        (each for each in waiting_expenses(view) if each.spent_on > last),
        f"are submitted for days after {day(last)}, when the contract was terminated",
        (terminated.said,),
        other=end,
        severity="serious",
    )


@rules.register(
    "work-on-hold",
    title="Work while on hold",
    owner="delivery",
    command="approve-time-as-cost",
    after_end=True,
)
def work_on_hold(rule: Rule, view: View, today: date, allowed: Tolerances) -> Iterable[Disconnect]:
    """Find work that waits for approval, of days on which work is on hold, or was."""
    held, past = view.delivery.held, view.delivery.past_holds
    since = held.event.held_on if held else date.max
    worked: defaultdict[date | None, list[Hours]] = defaultdict(list)
    for each in waiting(view):
        worked[_hold_on(view, each.day)].append(each)
    spent: defaultdict[date | None, list[WaitingExpense]] = defaultdict(list)
    for expense in waiting_expenses(view):
        spent[_hold_on(view, expense.spent_on)].append(expense)
    for first in sorted(each for each in {*worked, *spent} if each):
        recorded, found = view.delivery.holds[first], worked[first]
        days = (
            f"is on hold, since {day(first)}"
            if first == since
            else f"was on hold, from {day(first)} until it was resumed on {day(past[first])}"
        )
        why = f"are submitted for days on which the work {days}"
        hold = side("delivery", f"the work {days}", recorded.said)
        if found:
            yield rule.disconnect(
                f"{hours(total_hours(found))} {why}: {recorded.event.reason}",
                (recorded.said, *evidence(found)),
                sides=(side_of(found), hold),
                about=first.isoformat(),
                exposure=view.price,
                at_stake=worth(view, found),
            )
        yield from of_expenses(
            rule, view, spent[first], why, (recorded.said,), other=hold, about=first.isoformat()
        )


@rules.register(
    "hours-beyond-week",
    title="Hours beyond a person's week",
    owner="delivery",
    command="reject-time",
    after_end=True,
)
def hours_beyond_week(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find time that waits for approval of people whose whole week exceeds their weekly hours.

    The whole week is that over all engagements and internal codes. The exposure is unknown: the
    hours may be right. Who the people are is in the evidence, for readers who may see it.
    """
    weeks: defaultdict[date, list[WaitingWeek]] = defaultdict(list)
    for week in view.delivery.waiting.values():
        if week.beyond_weekly_hours:
            weeks[week.week].append(week)
    for monday, found in weeks.items():
        people = counted(len(found), "person has", "people have")
        beyond = sum((each.beyond_weekly_hours or Decimal(0) for each in found), Decimal(0))
        yield rule.disconnect(
            f"In the week of {day(monday)}, {people} {hours(beyond)} more, over all engagements, "
            "than they work in a week.",
            (each.said for each in found),
            sides=(
                side("delivery", f"{hours(_submitted(found))} submitted here", on=monday),
                side("delivery", f"{hours(beyond)} beyond the weekly hours", on=monday),
            ),
            about=str(monday),
        )


def _submitted(weeks: Iterable[WaitingWeek]) -> Decimal:
    entries = (entry for week in weeks for entry in week.entries.values())
    return sum((entry.hours for entry in entries), Decimal(0))
