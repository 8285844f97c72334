"""Rules that compare what was promised to the customer with what Delivery plans and forecasts."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from contracts.counting import counted
from contracts.lines import LineScopeChange
from contracts.money import Rate
from contracts.reference import Tolerances
from gateway.formatting import day, listed
from gateway.rules.amounts import (
    agreed_lines,
    cost_of_delay,
    only_rate,
    price_of_deliverables,
    price_of_lines,
    value_of_hours,
)
from gateway.rules.rule import Disconnect, End, Rule, Rules, differs, hours
from gateway.rules.sides import of_agreement, of_titles, side
from gateway.view.engagement_view import View
from gateway.view.sections.delivery.planning import Baseline

rules = Rules()


@rules.register(
    "promised-finish-before-forecast",
    title="Promised before forecast",
    owner="delivery",
    command="publish-status-report",
)
def promised_finish(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find a forecast finish that is later than the finish in the contract, or else in the deal."""
    won, report = view.sales.won, view.delivery.report
    promised = view.legal.contract_finish or (won.event.finishes_on if won else None)
    if promised is None or report is None or view.delivery.live is not None:
        return
    late = (report.event.forecast_finish - promised).days
    if late > 0:
        yield rule.disconnect(
            f"The customer was promised {day(promised)}; Delivery now forecasts "
            f"{day(report.event.forecast_finish)}, {counted(late, 'day')} later.",
            (view.legal.agreed or (won.said if won else None), report.said),
            sides=(
                of_agreement(view, f"finish on {day(promised)}"),
                side(
                    "delivery",
                    f"finish forecast for {day(report.event.forecast_finish)}",
                    report.said,
                ),
            ),
            days=late,
            exposure=view.price,
            at_stake=cost_of_delay(view, late),
            severity="serious" if late > 14 else "warning",
            is_late=True,
        )


@rules.register(
    "deliverables-differ",
    title="Sold differs from planned",
    owner="delivery",
    command="baseline-plan",
)
def deliverables(rule: Rule, view: View, today: date, allowed: Tolerances) -> Iterable[Disconnect]:
    """Find deliverables that are sold and not planned, or planned and not sold."""
    won, baseline = view.sales.won, view.delivery.baseline
    if won is None or baseline is None:
        return
    sold = view.legal.contract_deliverables or won.event.deliverables
    planned = baseline.deliverables
    missing = sorted(set(sold) - set(planned))
    extra = sorted(set(planned) - set(sold))
    if not missing and not extra:
        return
    parts = []
    if missing:
        parts.append("sold but not planned: " + ", ".join(sold[item] for item in missing))
    if extra:
        parts.append("planned but not sold: " + ", ".join(planned[item] for item in extra))
    yield rule.disconnect(
        f"The contract and the plan name different deliverables; {'; '.join(parts)}.",
        (view.legal.agreed or won.said, baseline.said),
        sides=(
            of_agreement(view, of_titles(sold, planned, "sold")),
            side("delivery", of_titles(planned, sold, "planned"), baseline.said),
        ),
        exposure=price_of_deliverables(agreed_lines(view), [*missing, *extra], view.price),
        severity="serious" if missing else "warning",
    )


@dataclass(slots=True)
class _Hours:
    """Hours sold and planned for a role, or for project management."""

    sold: Decimal = Decimal(0)
    planned: Decimal = Decimal(0)
    reserve: Decimal = Decimal(0)
    """Contingency in the hours sold, which a plan need not use."""
    lines: set[str] = field(default_factory=set)
    """The agreed lines on which the hours are sold."""
    rates: set[Rate | None] = field(default_factory=set)
    """Their bill rates on the agreed lines; None is an unknown one."""

    @property
    def due(self) -> Decimal:
        """Return the hours to compare the plan with: those sold, less unused contingency."""
        return min(self.sold, max(self.planned, self.sold - self.reserve))

    @property
    def more(self) -> Decimal:
        """Return how many more hours are planned than are due; negative where fewer are."""
        return self.planned - self.due

    @property
    def value(self) -> tuple[Decimal, Rate | None]:
        """Return the difference in hours, and the bill rate if there is one for all of them."""
        return self.more, only_rate(self.rates)

    def differ(self, percent: Decimal) -> bool:
        """Return whether the planned hours differ from those due by more than a percentage."""
        return differs(self.due, self.planned, percent)


def _compared(view: View, baseline: Baseline) -> tuple[dict[str, _Hours], _Hours] | None:
    """Return hours by role without project management, and those of project management, or None.

    Sold are the hours of the signed contract, else of the deal, with the changes that the plan
    includes, as they were signed or else assessed. The line that a task names tells whether it is
    project management; without a line, the task's kind of work does.
    """
    won, sow = view.sales.won, view.legal.signed_sow
    if won is None:
        return None
    lines = sow.event.lines if sow is not None else won.event.lines
    kinds = {line.line: line.kind for line in lines}
    by_role: dict[str, _Hours] = {}
    management = _Hours()

    def hours_of(line: str | None, kind: str, role: str) -> _Hours:
        managed = kinds.get(line, kind) if line is not None else kind
        return management if managed == "project-management" else by_role.setdefault(role, _Hours())

    agreed = {line.line: line for line in agreed_lines(view)}
    on = baseline.said.occurred_at.date()

    def sell(line: str, kind: str, role: str, amount: Decimal) -> None:
        compared, known = hours_of(line, kind, role), agreed.get(line)
        compared.sold += amount
        compared.lines.add(line)
        compared.rates.add(known.rate_on(role, on) if known else None)

    for line in lines:
        for part in line.hours:
            sell(line.line, line.kind, part.role, part.hours)
    _add_reserves(view, by_role, management)  # before changes, which have no contingency
    for change in _changes_in(view, baseline):
        if change.new is not None:
            kinds[change.line] = change.new.kind
        for delta in change.hours:
            sell(change.line, "services", delta.role, delta.hours)
    for work in baseline.work:
        hours_of(work.line, work.kind, work.role).planned += work.hours
    return by_role, management


def _changes_in(view: View, baseline: Baseline) -> Iterator[LineScopeChange]:
    """Yield the changes of lines that a plan includes, as signed or else as assessed."""
    for name in baseline.changes:
        amendment, change = view.legal.amendment_of(name), view.delivery.changes.get(name)
        if amendment is not None and amendment.signed is not None:
            yield from amendment.changes
        elif change is not None:
            yield from change.changes


def _add_reserves(view: View, by_role: Mapping[str, _Hours], management: _Hours) -> None:
    proposal = view.won_proposal
    estimate = view.delivery.estimates.get(proposal.estimate_version) if proposal else None
    if estimate is None:
        return
    percent = estimate.contingency / 100
    management.reserve = _reserve(management.sold, estimate.project_management_hours, percent)
    for role, compared in by_role.items():
        compared.reserve = _reserve(compared.sold, estimate.work.get(role, Decimal(0)), percent)


@rules.register(
    "sold-hours-differ",
    title="Hours sold and planned",
    owner="delivery",
    command="baseline-plan",
)
def sold_hours(rule: Rule, view: View, today: date, allowed: Tolerances) -> Iterable[Disconnect]:
    """Compare the hours sold with the hours in the baseline, by role.

    Project management is compared by another rule. A plan may use all, some or none of the
    contingency that was sold. A contract that names no hours is not compared.
    """
    won, baseline = view.sales.won, view.delivery.baseline
    found = _compared(view, baseline) if baseline is not None else None
    if won is None or baseline is None or found is None:
        return
    by_role, management = found
    sold = sum((each.sold for each in by_role.values()), management.sold)
    wrong = {role: each for role, each in by_role.items() if each.differ(allowed.hours_percent)}
    if not sold or not wrong:
        return
    more = sum((each.more for each in wrong.values()), Decimal(0))
    parts = (
        f"{hours(each.sold)} of {role} were sold, {_of_them(each.reserve)}"
        f"the baseline plans {hours(each.planned)}"
        for role, each in wrong.items()
    )
    yield rule.disconnect(
        f"{'; '.join(parts)}: "
        f"{'more work than is paid for' if more > 0 else 'less work than the customer pays for'}.",
        (view.legal.agreed or won.said, baseline.said),
        sides=(
            of_agreement(
                view, f"sold: {listed(f'{hours(e.sold)} of {role}' for role, e in wrong.items())}"
            ),
            side(
                "delivery",
                f"planned: {listed(f'{hours(e.planned)} of {role}' for role, e in wrong.items())}",
                baseline.said,
            ),
        ),
        exposure=price_of_lines(view, {line for each in wrong.values() for line in each.lines}),
        at_stake=value_of_hours(each.value for each in wrong.values()),
        severity="serious" if more > 0 else "warning",
    )


@rules.register(
    "project-management-differs",
    title="Project management sold and planned",
    owner="delivery",
    command="baseline-plan",
)
def project_management(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Compare the hours of project management in the contract with those in the baseline."""
    won, baseline = view.sales.won, view.delivery.baseline
    found = _compared(view, baseline) if baseline is not None else None
    if won is None or baseline is None or found is None:
        return
    _, management = found
    if management.differ(allowed.project_management_percent):
        yield rule.disconnect(
            f"The contract sells {hours(management.sold)} of project management, "
            f"{_of_them(management.reserve)}the baseline plans {hours(management.planned)}.",
            (view.legal.agreed or won.said, baseline.said),
            sides=(
                of_agreement(view, f"{hours(management.sold)} of project management sold"),
                side(
                    "delivery",
                    f"{hours(management.planned)} of project management planned",
                    baseline.said,
                ),
            ),
            exposure=price_of_lines(view, management.lines),
            at_stake=value_of_hours([management.value]),
        )


def _reserve(sold: Decimal, estimated: Decimal, percent: Decimal) -> Decimal:
    """Return how many of the hours sold are contingency: those beyond the estimate, at most it."""
    return min(estimated * percent, max(Decimal(0), sold - estimated))


def _of_them(reserve: Decimal) -> str:
    return f"{hours(reserve)} of them contingency; " if reserve else ""


def _end_of_late_manager(view: View) -> End:
    if view.sales.won is None:
        return End("sales", "revise-proposal")
    return End("delivery", "baseline-plan")


@rules.register(
    "no-manager-before-proposal",
    title="No manager before the proposal",
    owner="delivery",
    command="assign-manager",
)
def no_manager(rule: Rule, view: View, today: date, allowed: Tolerances) -> Iterable[Disconnect]:
    """Find a proposal that was drafted before Delivery assigned an engagement manager.

    It ends with a new version, which is drafted after that. Once the deal is won, it ends with the
    baseline, by which the manager has planned what was sold.
    """
    proposal = view.sales.latest_proposal
    if proposal is None or (view.sales.won is not None and view.delivery.baseline is not None):
        return
    assigned = view.delivery.manager_first_assigned
    if assigned is None:
        sentence = "A proposal was drafted and no engagement manager is assigned."
    elif assigned.occurred_at > proposal.said.occurred_at:
        drafted, later = day(proposal.said.occurred_at), day(assigned.occurred_at)
        when = "later on the same day" if later == drafted else f"on {later}"
        sentence = (
            f"The proposal was drafted on {drafted}, before an engagement manager was assigned "
            f"{when}."
        )
    else:
        return
    yield rule.disconnect(
        sentence,
        (proposal.said, assigned),
        sides=(
            side("sales", f"proposal drafted for {proposal.price}", proposal.said),
            side("delivery", "manager assigned" if assigned else "no manager assigned", assigned),
        ),
        end=None if assigned is None else _end_of_late_manager(view),
        exposure=proposal.price,
        severity="serious" if assigned is None else "warning",
    )
