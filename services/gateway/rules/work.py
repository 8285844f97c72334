"""Rules about work that is done and that nothing covers: no signature, plan, change or rate.

Work is compared while it waits for approval, and as far as it is approved as billable. So a
disconnect ends when the work is approved as cost, rejected or withdrawn, and when what covers it is
signed or planned.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from contracts.billable_work import PayingLines, paying_line
from contracts.lines import HOURLY
from gateway.formatting import day
from gateway.rules.amounts import agreed_lines, price_of_lines, rate_of_lines, value_of_hours
from gateway.rules.rule import Disconnect, Rule, Rules, Tolerances, hours
from gateway.view.engagement_view import View
from gateway.view.sections.steps import Ref

rules = Rules()

_TASKS_WITHOUT_PLAN = frozenset({"initiation", "project-management"})
"""Tasks of every engagement, beside those of its plan."""


@dataclass(frozen=True, slots=True)
class _Hours:
    """Hours of a role on a day, and the event that contains them.

    The task is None where the hours are approved, which names the line of the task.
    """

    day: date
    role: str
    hours: Decimal
    said: Ref
    task: str | None = None
    line: str | None = None
    billable: bool = True


def _waiting(view: View) -> Iterator[_Hours]:
    """Yield the hours that wait for approval."""
    baseline = view.delivery.baseline
    lines: Mapping[str, str | None] = baseline.lines if baseline is not None else {}
    for week in view.delivery.waiting.values():
        for each in week.entries.values():
            line = lines.get(each.task)
            yield _Hours(each.day, each.role, each.hours, week.said, each.task, line, each.billable)


def _billable(view: View) -> Iterator[_Hours]:
    """Yield the approved billable hours by day, line and role."""
    for week in view.delivery.weeks.values():
        for on, by_role in week.billable_by_day.items():
            for key, number in by_role.items():
                line, _, role = key.partition("/")
                yield _Hours(on, role, number, week.first, line=line or None)


def _sum(found: Iterable[_Hours]) -> Decimal:
    return sum((each.hours for each in found), Decimal(0))


def _evidence(found: Iterable[_Hours]) -> list[Ref]:
    """Return the events that contain hours, each once, by the day of the work."""
    return list({each.said.event: each.said for each in sorted(found, key=_day)}.values())


def _day(found: _Hours) -> date:
    return found.day


@rules.register("work-before-signature", title="Work before signature", owner="legal")
def work_before_signature(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find hours that neither a signed contract nor an early-start authorisation covers.

    A contract that is signed or was taken over covers work from its effective day. Before, hours
    count as covered on days of an authorisation, up to the sum of the caps in hours. Caps in money
    are not compared.
    """
    signed = view.legal.signed or view.legal.imported
    covers = view.legal.effective_on or date.max
    early = [each for each in (*_waiting(view), *_billable(view)) if each.day < covers]
    if not early:
        return
    worked, starts = _sum(early), view.legal.early_starts
    covered = _sum(
        each
        for each in early
        if any(
            start.said.occurred_at.date() <= each.day <= start.event.expires_on for start in starts
        )
    )
    caps = [start.event.cap_hours for start in starts if start.event.cap_hours is not None]
    allowed_hours = min(covered, sum(caps, Decimal(0))) if caps else covered
    beyond = worked - allowed_hours
    if beyond <= 0:
        return
    first = min(early, key=_day)
    before = "the signature" if signed is None else f"{day(covers)}, when the contract begins"
    authorised = (
        f"; the early-start authorisation covers {hours(allowed_hours)} of them."
        if starts
        else ", with no early-start authorisation."
    )
    yield rule.disconnect(
        f"{hours(worked)} were worked before {before}{authorised}",
        (first.said, *(start.said for start in starts), signed.said if signed else None),
        owner="legal" if signed is None else "delivery",
        exposure=view.price,
        at_stake=value_of_hours([(beyond, rate_of_lines(agreed_lines(view), first.day))]),
        severity="serious" if signed is None else "warning",
    )


@rules.register("work-on-unsigned-change", title="Work on an unsigned change", owner="legal")
def work_on_unsigned_change(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find hours that wait for approval, of days before the amendment of their change is signed."""
    baseline = view.delivery.baseline
    if baseline is None or not baseline.tasks_of_changes:
        return
    by_change: defaultdict[str, list[_Hours]] = defaultdict(list)
    for each in _waiting(view):
        change = baseline.tasks_of_changes.get(each.task or "")
        if change is not None:
            amendment = view.legal.amendment_of(change)
            signed_on = amendment.signed_on if amendment is not None else None
            if signed_on is None or each.day < signed_on:
                by_change[change].append(each)
    for change, found in by_change.items():
        amendment, known = view.legal.amendment_of(change), view.delivery.changes.get(change)
        signed = amendment is not None and amendment.signed is not None
        state = "was signed later" if signed else "is not signed"
        yield rule.disconnect(
            f"{hours(_sum(found))} are submitted on change {change}, whose amendment {state}.",
            (*_evidence(found), (amendment.signed or amendment.drafted) if amendment else None),
            about=change,
            owner="delivery" if signed else "legal",
            exposure=price_of_lines(view, [each.line for each in known.changes] if known else []),
            at_stake=view.finance.price_of_change(change),
            severity="warning" if signed else "serious",
        )


@rules.register("work-outside-plan", title="Work outside the plan", owner="delivery")
def work_outside_plan(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find hours that wait for approval on tasks that the baseline does not have."""
    baseline = view.delivery.baseline
    if baseline is None:
        return
    planned = _TASKS_WITHOUT_PLAN | baseline.lines.keys()
    # Before its first baseline here, an engagement that was taken over had a plan without tasks.
    since = baseline.first.occurred_at.date() if view.delivery.imported else date.min
    found = [each for each in _waiting(view) if each.task not in planned and each.day >= since]
    if found:
        tasks = ", ".join(sorted({str(each.task) for each in found}))
        rate = rate_of_lines(agreed_lines(view), min(found, key=_day).day)
        yield rule.disconnect(
            f"{hours(_sum(found))} are submitted on tasks that are not in the plan: {tasks}.",
            (baseline.said, *_evidence(found)),
            exposure=view.price,
            at_stake=value_of_hours([(_sum(found), rate)]),
        )


@rules.register("hours-beyond-week", title="Hours beyond a person's week", owner="delivery")
def hours_beyond_week(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find time that waits for approval of people whose whole week exceeds their weekly hours.

    The whole week is that over all engagements and internal codes. The exposure is unknown: the
    hours may be right.
    """
    for week in view.delivery.waiting.values():
        if week.beyond_weekly_hours:
            yield rule.disconnect(
                f"The week of {day(week.week)} of {week.person} has "
                f"{hours(week.beyond_weekly_hours)} more, over all engagements, than the person "
                "works in a week.",
                (week.said,),
                about=f"{week.person}.{week.week}",
            )


@rules.register("work-without-rate", title="Work without a contract rate", owner="legal")
def work_without_rate(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find billable hours of roles for which the contract has no bill rate on the day.

    Only lines by time and materials or at cost need rates; hours of no such line are not compared.
    """
    lines = view.legal.contract_lines
    if not any(line.pricing in HOURLY for line in lines):
        return
    budget = view.finance.budget
    paying = budget.paying if budget is not None else PayingLines().after(lines)
    rated: dict[tuple[str | None, str, date], bool] = {}

    def has_rate(each: _Hours) -> bool:
        key = each.line, each.role, each.day
        if key not in rated:
            line = paying_line(lines, paying, *key)
            rated[key] = line is not None and (
                line.pricing not in HOURLY or line.rate_on(each.role, each.day) is not None
            )
        return rated[key]

    by_role: defaultdict[str, list[_Hours]] = defaultdict(list)
    for each in (*_waiting(view), *_billable(view)):
        if each.billable and not has_rate(each):
            by_role[each.role].append(each)
    for role, found in by_role.items():
        yield rule.disconnect(
            f"{hours(_sum(found))} of {role} are worked; the contract has no rate for the role.",
            (view.legal.agreed, *_evidence(found)),
            about=role,
            exposure=price_of_lines(view, [each.line for each in found]),
        )
