"""Rules about work that neither plan, requirements nor a change order released.

Only work that waits for approval is compared: Delivery approves none of it as billable.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from contracts.channels import Department
from contracts.event import read_position
from contracts.gateway import Side
from contracts.lines import ContractLine, changed_lines
from contracts.reference import Tolerances
from gateway.formatting import day, listed
from gateway.rules.amounts import agreed_lines, price_of_lines
from gateway.rules.hours import Hours, evidence, side_of, total_hours, waiting, worth
from gateway.rules.rule import (
    TIME_AS_COST,
    Disconnect,
    End,
    Rule,
    Rules,
    hours,
)
from gateway.rules.sides import side
from gateway.view.engagement_view import View
from gateway.view.sections.steps import Ref

rules = Rules()

_TASKS_BEFORE_BASELINE = frozenset({"initiation", "project-management"})
"""Tasks that need no plan until the first baseline."""


def _change_of(view: View, each: Hours) -> str | None:
    """Return the change of hours: that of their task, or the one that they name as the task."""
    tasks, task = view.delivery.tasks, each.task or ""
    if task in tasks.lines:
        return tasks.changes.get(task)
    known = view.delivery.changes.get(task)
    return task if known is not None and known.requested is not None else None


def _by_change(view: View) -> dict[str, list[Hours]]:
    found: defaultdict[str, list[Hours]] = defaultdict(list)
    for each in waiting(view):
        change = _change_of(view, each)
        if change is not None:
            found[change].append(each)
    return found


def _signed_on(view: View, change: str) -> date:
    """Return the day on which the amendment of a change was signed; the last of all if it is not.

    Of several amendments it is the signed one.
    """
    amendment = view.legal.amendment_of(change)
    return (amendment.signed_on if amendment else None) or date.max


@rules.register(
    "work-on-unsigned-change",
    title="Work on an unsigned change",
    owner="legal",
    command="sign-amendment",
    after_end=True,
)
def work_on_unsigned_change(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find hours that wait for approval, of days before the amendment of their change is signed.

    They are on a task of the change, or name the change while the plan has no such task.
    """
    for change, submitted in _by_change(view).items():
        signed_on = _signed_on(view, change)
        found = [each for each in submitted if each.day < signed_on]
        if not found:
            continue
        amendment, known = view.legal.amendment_of(change), view.delivery.changes.get(change)
        signed = amendment is not None and amendment.signed is not None
        rejected = known.rejected if known is not None and not signed else None
        state = (
            "whose amendment was signed later"
            if signed
            else "which was rejected"
            if rejected
            else "whose amendment is not signed"
        )
        first_step = next((end for _, end in _not_agreed(view, change)), None)
        if first_step is None and amendment is None:
            first_step = End("legal", "draft-amendment")
        yield rule.disconnect(
            f"{hours(total_hours(found))} are submitted on change {change}, {state}.",
            (
                *evidence(found),
                (amendment.signed or amendment.drafted) if amendment else None,
                known.requested if known else None,
                rejected,
            ),
            sides=(
                side_of(found),
                side("legal", f"amendment to {change} signed", amendment.signed)
                if amendment and signed
                else side("delivery", f"change {change} rejected", rejected)
                if rejected
                else side("legal", f"amendment to {change} drafted, not signed", amendment.drafted)
                if amendment
                else side("legal", f"no amendment to {change} published"),
            ),
            about=change,
            end=TIME_AS_COST if signed or rejected or view.over else first_step,
            exposure=price_of_lines(view, [each.line for each in known.changes] if known else []),
            at_stake=worth(view, found, _lines_with(view, change)),
            severity="warning" if signed else "serious",
        )


def _lines_with(view: View, change: str) -> Sequence[ContractLine]:
    """Return the agreed lines as the price of a change would change them, if they still fit."""
    lines, priced = agreed_lines(view), view.finance.changes_priced.get(change)
    if priced is None:
        return lines
    try:
        return changed_lines(lines, priced.event.changes)
    except ValueError:
        return lines


@rules.register(
    "work-on-unreleased-change",
    title="Work on a change that is not released",
    owner="delivery",
    command="baseline-plan",
    after_end=True,
)
def work_on_unreleased_change(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find hours that wait on a signed change that a department has not released (gate 6).

    The change has to be assessed, priced as it was last assessed, approved, and in plan and budget.
    """
    baseline, budget = view.delivery.baseline, view.finance.budget
    for change, submitted in _by_change(view).items():
        signed_on = _signed_on(view, change)
        found = [each for each in submitted if each.day >= signed_on]
        lacks = dict(_unreleased(view, change)) if found else {}
        if not lacks:
            continue
        amendment, known = view.legal.amendment_of(change), view.delivery.changes.get(change)
        yield rule.disconnect(
            f"{hours(total_hours(found))} are submitted on change {change}, which {listed(lacks)}.",
            (
                *evidence(found),
                amendment.signed if amendment else None,
                baseline.said if baseline else None,
                budget.said if budget else None,
            ),
            sides=(
                side_of(found),
                side(next(iter(lacks.values())).owner, f"change {change} {next(iter(lacks))}"),
            ),
            about=change,
            end=TIME_AS_COST if view.over else next(iter(lacks.values())),
            exposure=price_of_lines(view, [each.line for each in known.changes] if known else []),
            at_stake=worth(view, found),
        )


def _not_agreed(view: View, change: str) -> Iterator[tuple[str, End]]:
    """Yield what a change needs before its amendment is signed, and who does it."""
    known, priced = view.delivery.changes.get(change), view.finance.changes_priced.get(change)
    assessed = known.assessed if known else None
    if assessed is None:
        yield "is not assessed", End("delivery", "assess-change")
    heard = read_position(priced.said.heard).get("delivery", 0) if priced else -1
    if assessed is None or heard < assessed.streamsequence:
        yield "is not priced as it was last assessed", End("finance", "catch-up")
    if known is None or known.approved is None:
        yield "is not approved by the customer", End("delivery", "approve-change")


def _unreleased(view: View, change: str) -> Iterator[tuple[str, End]]:
    """Yield what a change is not yet, and who does it."""
    yield from _not_agreed(view, change)
    baseline, budget = view.delivery.baseline, view.finance.budget
    if baseline is None or change not in baseline.changes:
        yield "is not in the baseline", End("delivery", "baseline-plan")
    if budget is None or change not in budget.amended_for:
        yield "is not in the budget", End("finance", "catch-up")


@rules.register(
    "work-outside-plan",
    title="Work outside the plan",
    owner="delivery",
    command="draft-plan",
    after_end=True,
)
def work_outside_plan(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find hours that wait for approval on tasks that the plan does not have.

    Initiation and project management need no plan until the first baseline.
    """
    baseline, found = view.delivery.baseline, outside_plan(view)
    if found:
        names = ", ".join(sorted({str(each.task) for each in found}))
        yield rule.disconnect(
            f"{hours(total_hours(found))} are submitted on tasks that are not in the plan: "
            f"{names}.",
            (baseline.said if baseline else view.delivery.plan_drafted, *evidence(found)),
            sides=(
                side_of(found, f"on {names}"),
                side("delivery", f"no task {names} in the plan", _plan(view)),
            ),
            end=TIME_AS_COST if view.over else None,
            exposure=view.price,
            at_stake=worth(view, found),
        )


def _plan(view: View) -> Ref | None:
    """Return the baseline, or the last draft while there is none."""
    baseline = view.delivery.baseline
    return baseline.said if baseline is not None else view.delivery.plan_drafted


def outside_plan(view: View) -> list[Hours]:
    """Return the hours that wait for approval on tasks that the plan does not have."""
    baseline, tasks = view.delivery.baseline, view.delivery.tasks
    first = baseline.first_on if baseline is not None else date.max
    # Before its first baseline here, an engagement that was taken over had a plan without tasks.
    since = first if view.delivery.imported else date.min
    return [
        each
        for each in waiting(view)
        if each.task not in tasks.lines
        and _change_of(view, each) is None
        and each.day >= since
        and (each.task not in _TASKS_BEFORE_BASELINE or each.day > first)
    ]


def on_open_changes(view: View) -> list[Hours]:
    """Return the hours that wait for approval on changes that are not signed or not released."""
    found: list[Hours] = []
    for change, submitted in _by_change(view).items():
        signed_on, lacks = _signed_on(view, change), dict(_unreleased(view, change))
        found += [each for each in submitted if lacks or each.day < signed_on]
    return found


@rules.register(
    "work-before-release",
    title="Implementation before its release",
    owner="delivery",
    command="approve-time-as-cost",
    after_end=True,
)
def work_before_release(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find hours that wait on implementation before requirements and baseline (gate 4).

    In tier light, the signed statement of work contains the requirements, from the effective day of
    the contract on if that is earlier. Those of an engagement that was taken over are not judged.
    """
    baseline, release, found = view.delivery.baseline, _release(view), before_release(view)
    if not found:
        return
    first = min(each.day for each in found)
    by_contract = release.by_contract
    what = "statement of work is signed" if by_contract else "requirements are signed off"
    lacks = [
        *([f"the {what}"] if first < release.ready else []),
        *(["the plan is baselined"] if first < release.planned else []),
    ]
    yield rule.disconnect(
        f"{hours(total_hours(found))} of implementation, from {day(first)} on, are submitted for "
        f"days before {listed(lacks)}.",
        (
            *evidence(found),
            *sorted(release.signatures, key=lambda said: said.occurred_at),
            baseline.said if baseline else view.delivery.plan_drafted,
        ),
        sides=(
            side_of(found, "of implementation submitted"),
            _released(view, release, by_contract),
        ),
        end=_releases(view, release),
        exposure=price_of_lines(view, [each.line for each in found]),
        at_stake=worth(view, found),
    )


@dataclass(frozen=True, slots=True)
class _Release:
    """The days from which implementation is released, and the signatures that release it.

    Requirements are there from `ready` on, the baseline from `planned` on.
    """

    signatures: Mapping[Ref, date]
    ready: date
    planned: date
    by_contract: bool
    waits_for_contract: bool


def _release(view: View) -> _Release:
    baseline, imported = view.delivery.baseline, view.delivery.imported
    light, signed = view.delivery.tier == "light", view.legal.signed or view.legal.imported
    signatures = {each.said: each.event.signed_on for each in view.delivery.requirements.values()}
    first_document = min(signatures.values(), default=date.max)
    if light and signed is not None:
        since = min(signed.event.signed_on, view.legal.effective_on or date.max)
        signatures[signed.said] = since
    ready = date.min if imported else min(signatures.values(), default=date.max)
    planned = baseline.first_on if baseline is not None else date.max
    return _Release(
        signatures=signatures,
        ready=ready,
        planned=imported.event.baselined_on if imported is not None else planned,
        by_contract=light and (ready < first_document or ready == date.max),
        waits_for_contract=light and ready == date.max,
    )


def _released(view: View, release: _Release, by_contract: bool) -> Side:
    """Return from which day on implementation is released, or what it waits for."""
    department: Department = "legal" if by_contract else "delivery"
    if date.max in (release.ready, release.planned):
        return side(department if release.ready == date.max else "delivery", "not released")
    last = max(release.ready, release.planned)
    signed = max(release.signatures, key=lambda said: said.occurred_at, default=None)
    if last == release.planned and release.planned > release.ready:
        return side("delivery", f"baselined on {day(last)}", _plan(view), on=last)
    return side(department, f"released from {day(last)}", signed, on=last)


def _releases(view: View, release: _Release) -> End:
    """Return who releases implementation, or approves it as cost where that is in the past."""
    if view.over or date.max not in (release.ready, release.planned):
        return TIME_AS_COST
    if release.ready < date.max:
        return End("delivery", "baseline-plan")
    if release.waits_for_contract:
        return End("legal", "record-signature")
    return End("delivery", "sign-off-brd")


def before_release(view: View) -> list[Hours]:
    """Return the hours that wait on implementation of days before its release."""
    tasks, release = view.delivery.tasks, _release(view)
    return [
        each
        for each in waiting(view)
        if each.task in tasks.lines
        and each.task not in tasks.preparing
        and (each.day < release.ready or each.day < release.planned)
    ]
