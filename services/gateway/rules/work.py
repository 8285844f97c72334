"""Rules about work on days that no contract covers, and about the hours of a person's week.

Work is compared while it waits for approval, and before the signature also as far as it is approved
as billable. So a disconnect ends when the work is approved as cost, rejected or withdrawn, and when
what covers it is signed.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from contracts.counting import counted
from contracts.holds import hold_of
from gateway.formatting import day, listed
from gateway.rules.early_starts import beyond_early_starts, lacks_rate
from gateway.rules.hours import Hours, billable, day_of, evidence, total_hours, waiting, worth
from gateway.rules.rule import Disconnect, Rule, Rules, Tolerances, hours
from gateway.view.engagement_view import View
from gateway.view.sections.delivery.time_entries import WaitingWeek

rules = Rules()


@rules.register(
    "work-before-signature", title="Work before signature", owner="legal", after_end=True
)
def work_before_signature(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find hours that neither a signed contract nor an early-start authorisation covers.

    A contract that is signed or was taken over covers work from its effective day. Before, hours
    are covered from the first day of an authorisation to its last, up to the caps in hours and in
    money.
    """
    signed = view.legal.signed or view.legal.imported
    covers = view.legal.effective_on or date.max
    approved = [each for each in billable(view) if each.day < covers]
    submitted = [each for each in waiting(view) if each.day < covers]
    beyond = list(beyond_early_starts(view, approved, submitted))
    if not beyond:
        return
    starts, early = view.legal.early_starts, (*approved, *submitted)
    worked, lacking = total_hours(early), total_hours(beyond)
    before = "the signature" if signed is None else f"{day(covers)}, when the contract begins"
    authorised = (
        f"; the early-start authorisation covers {hours(worked - lacking)} of them."
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
        owner="legal" if signed is None else "delivery",
        exposure=view.price,
        at_stake=worth(view, beyond),
        severity="serious" if signed is None else "warning",
    )


@rules.register(
    "work-after-end", title="Work after the end of the contract", owner="legal", after_end=True
)
def work_after_end(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find hours that wait for approval, of days after the termination of the contract."""
    terminated = view.legal.terminated
    if terminated is None:
        return
    last = terminated.event.terminated_on
    found = [each for each in waiting(view) if each.day > last]
    if found:
        yield rule.disconnect(
            f"{hours(total_hours(found))} are submitted for days after {day(last)}, when the "
            "contract was terminated.",
            (terminated.said, *evidence(found)),
            exposure=view.price,
            at_stake=worth(view, found),
            severity="serious",
        )


@rules.register("work-on-hold", title="Work while on hold", owner="delivery", after_end=True)
def work_on_hold(rule: Rule, view: View, today: date, allowed: Tolerances) -> Iterable[Disconnect]:
    """Find hours that wait for approval, of days on which work is on hold, or was."""
    held, past = view.delivery.held, view.delivery.past_holds
    since = held.event.held_on if held else date.max
    by_hold: defaultdict[date, list[Hours]] = defaultdict(list)
    for each in waiting(view):
        hold = (since, None) if each.day >= since else hold_of(past, each.day)
        if hold is not None:
            by_hold[hold[0]].append(each)
    for first, found in by_hold.items():
        recorded = view.delivery.holds[first]
        days = (
            f"is on hold, since {day(first)}"
            if first == since
            else f"was on hold, from {day(first)} until it was resumed on {day(past[first])}"
        )
        yield rule.disconnect(
            f"{hours(total_hours(found))} are submitted for days on which the work {days}:"
            f" {recorded.event.reason}",
            (recorded.said, *evidence(found)),
            about=first.isoformat(),
            exposure=view.price,
            at_stake=worth(view, found),
        )


@rules.register(
    "hours-beyond-week", title="Hours beyond a person's week", owner="delivery", after_end=True
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
            about=str(monday),
        )
