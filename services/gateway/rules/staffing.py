"""Rules about the people who are allocated to an engagement."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from chassis.domain.working_days import MONDAY_TO_FRIDAY, WorkingDays
from contracts.counting import counted
from contracts.decimals import round_decimal
from contracts.reference import Tolerances
from gateway.formatting import day
from gateway.rules.amounts import (
    agreed_lines,
    only_rate,
    price_of_lines,
    rate_of_work,
    value_of_hours,
)
from gateway.rules.rule import Disconnect, End, Rule, Rules, differs, hours
from gateway.rules.sides import side
from gateway.view.engagement_view import View
from gateway.view.sections.delivery.planning import Baseline
from gateway.view.sections.delivery.staffing import Allocation

rules = Rules()

_ZERO = Decimal(0)
RELEASE = End("delivery", "release-resource")


@dataclass(slots=True)
class _ToCome:
    """Hours of a role on the days after today: planned and allocated."""

    planned: Decimal = _ZERO
    allocated: Decimal = _ZERO
    lines: set[str | None] = field(default_factory=set)
    """The contract lines of the tasks of the role."""

    @property
    def more(self) -> Decimal:
        """Return how many more hours are allocated than planned; negative where fewer are."""
        return self.allocated - self.planned

    def differ(self, allowed: Tolerances) -> bool:
        """Return whether the hours differ by more than both tolerances of allocations."""
        return abs(self.more) > allowed.allocation_hours and differs(
            self.planned, self.allocated, allowed.allocation_percent
        )


@rules.register(
    "allocated-hours-differ",
    title="Hours allocated and planned",
    owner="delivery",
    command="allocate-resource",
)
def allocation(rule: Rule, view: View, today: date, allowed: Tolerances) -> Iterable[Disconnect]:
    """Compare by role the hours to come for which people are allocated with those planned.

    To come are the hours of the days after today. Tasks that are done have none any more.
    """
    baseline, allocated = view.delivery.baseline, view.delivery.allocated
    if baseline is None or allocated is None:
        return
    wrong = {
        role: each
        for role, each in _hours_to_come(view, baseline, today).items()
        if each.differ(allowed)
    }
    if not wrong:
        return
    on = baseline.said.occurred_at.date()
    lines = agreed_lines(view)
    yield rule.disconnect(
        "; ".join(
            f"{hours(each.planned)} of {role} are planned after today, people are allocated for "
            f"{hours(each.allocated)}"
            for role, each in wrong.items()
        )
        + ".",
        (baseline.said, allocated),
        sides=(
            side("delivery", _listed("planned", wrong), baseline.said),
            side("delivery", _listed("allocated", wrong), allocated),
        ),
        end=RELEASE if all(each.more > 0 for each in wrong.values()) else None,
        exposure=price_of_lines(view, {line for each in wrong.values() for line in each.lines}),
        at_stake=value_of_hours(
            (each.more, rate_of_work(view, _only(each.lines), role, on, lines))
            for role, each in wrong.items()
        ),
    )


def _listed(what: Literal["planned", "allocated"], found: Mapping[str, _ToCome]) -> str:
    """Return the hours of each role to come, such as `40 h of engineer planned`."""
    parts = (f"{hours(getattr(each, what))} of {role}" for role, each in found.items())
    return f"{'; '.join(parts)} {what}"


def _only(lines: set[str | None]) -> str | None:
    return next(iter(lines)) if len(lines) == 1 else None


def _hours_to_come(view: View, baseline: Baseline, today: date) -> dict[str, _ToCome]:
    """Return the hours on the days after a day by role, rounded to two decimals.

    The hours of a task are spread evenly over its working days. Those of an allocation follow the
    tasks of its role, since it does not say when its hours are worked: evenly where the role has no
    task meanwhile.
    """
    known = baseline.calendar
    days = WorkingDays.of(known.weekdays, known.days_off) if known else MONDAY_TO_FRIDAY
    plan = _Plan(baseline, days)
    tomorrow = today + timedelta(days=1)
    found: dict[str, _ToCome] = {}
    for task in baseline.tasks:
        of_role = found.setdefault(task.role, _ToCome())
        of_role.lines.add(task.line)
        if view.delivery.complete.get(task.task, _ZERO) < 100:
            share = _share(days, task.starts_on, task.finishes_on, tomorrow, task.finishes_on)
            of_role.planned += task.hours * share
    for each in view.delivery.allocations.values():
        of_role = found.setdefault(each.role, _ToCome())
        of_role.allocated += plan.to_come(each, tomorrow)
    for of_role in found.values():
        of_role.planned = round_decimal(of_role.planned, 2)
        of_role.allocated = round_decimal(of_role.allocated, 2)
    return found


@dataclass(frozen=True, slots=True)
class _Plan:
    """The hours that a baseline has for each role between two days."""

    baseline: Baseline
    days: WorkingDays

    def hours(self, role: str, first: date, last: date) -> Decimal:
        """Return the hours that are planned for a role from one day to another."""
        parts = (
            task.hours * _share(self.days, task.starts_on, task.finishes_on, first, last)
            for task in self.baseline.tasks
            if task.role == role
        )
        return sum(parts, _ZERO)

    def to_come(self, each: Allocation, tomorrow: date) -> Decimal:
        """Return the hours of an allocation from a day on, none after a release."""
        whole = self.hours(each.role, each.starts_on, each.finishes_on)
        if whole:
            first = max(tomorrow, each.starts_on)
            return each.hours * self.hours(each.role, first, each.last_on) / whole
        share = _share(self.days, each.starts_on, each.finishes_on, tomorrow, each.last_on)
        return each.hours * share


@rules.register(
    "allocated-beyond-hours",
    title="Allocated beyond a person's hours",
    owner="delivery",
    command="release-resource",
)
def beyond_hours(rule: Rule, view: View, today: date, allowed: Tolerances) -> Iterable[Disconnect]:
    """Find people whose allocations over all engagements exceed their hours, until those days end.

    At stake are the hours beyond, at most those of the person's allocations here.
    """
    lines = agreed_lines(view)
    for person, kept in view.delivery.workloads.items():
        beyond = kept.event.beyond
        if (
            beyond is None
            or beyond.finishes_on < today
            or not differs(beyond.available, beyond.allocated, allowed.person_percent)
        ):
            continue
        here = [
            each
            for key, each in view.delivery.allocations.items()
            if key.rpartition("/")[2] == person and each.starts_on <= each.last_on
        ]
        excess = beyond.allocated - beyond.available
        rates = {rate_of_work(view, None, each.role, today, lines) for each in here}
        mine = sum((each.hours for each in here), _ZERO)
        yield rule.disconnect(
            f"From {day(beyond.starts_on)} to {day(beyond.finishes_on)}, {person} is allocated for "
            f"{hours(beyond.allocated)} over {counted(beyond.engagements, 'engagement')}, and has "
            f"{hours(beyond.available)}.",
            (kept.said, view.delivery.allocated),
            sides=(
                side(
                    "delivery",
                    f"{hours(beyond.allocated)} of {person} allocated over "
                    f"{counted(beyond.engagements, 'engagement')}",
                    view.delivery.allocated,
                ),
                side("delivery", f"{hours(beyond.available)} available", kept.said),
            ),
            about=person,
            at_stake=value_of_hours([(min(excess, mine), only_rate(rates))]),
        )


def _share(
    days: WorkingDays, starts_on: date, finishes_on: date, first: date, last: date
) -> Decimal:
    """Return the share of a period's working days that is between two days, all included.

    A period without working days is at its last day.
    """
    first, last = max(first, starts_on), min(last, finishes_on)
    whole = days.between(starts_on, finishes_on)
    if whole:
        return Decimal(days.between(first, last)) / whole
    return Decimal(first <= finishes_on <= last)
