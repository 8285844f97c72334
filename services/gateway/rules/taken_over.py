"""Rules that compare what departments took over of an engagement under way.

They apply to imported engagements only: what happened before the platform was introduced is not
judged, but what is recorded about it must agree. What goes on is judged by the other rules, which
count what was taken over once.
"""

from collections.abc import Iterable, Mapping
from datetime import date

from contracts.channels import Department
from contracts.money import Money
from contracts.reference import Tolerances
from gateway.formatting import day, listed
from gateway.rules.amounts import difference, total
from gateway.rules.expenses import of_expenses, waiting_expenses
from gateway.rules.hours import evidence, side_of, total_hours, waiting, worth
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

rules = Rules()

_TAKING_OVER: tuple[Department, ...] = ("legal", "delivery", "finance")


@rules.register(
    "imported-balances-differ",
    title="Opening balances differ",
    owner="finance",
    command="import-engagement",
    imported=True,
)
def imported_balances_differ(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find opening balances whose lines or prices are not those of the contract taken over.

    Finance refuses them, but Legal may correct the contract afterwards.
    """
    contract, balances = view.legal.imported, view.finance.imported
    if contract is None or balances is None:
        return
    agreed = {line.line: line.price for line in contract.event.lines}
    opening = {each.line: each.price for each in balances.event.lines}
    names = [name for name in {**agreed, **opening} if agreed.get(name) != opening.get(name)]
    if not names:
        return
    sides = "; ".join(
        f"{name}: {agreed.get(name, 'no line')} in the contract of Legal, "
        f"{opening.get(name, 'no line')} in the balances of Finance"
        for name in names
    )
    yield rule.disconnect(
        f"Legal and Finance took over different prices: {sides}.",
        (contract.said, balances.said),
        sides=(
            side("legal", _by_line(agreed, names), contract.said),
            side("finance", _by_line(opening, names), balances.said),
        ),
        exposure=contract.event.price,
        at_stake=total(_apart(agreed.get(name), opening.get(name)) for name in names),
    )


@rules.register(
    "work-before-take-over",
    title="Work before the take-over",
    owner="delivery",
    command="reject-time",
    imported=True,
    after_end=True,
)
def work_before_take_over(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find work that waits until all departments took over, or that the balances contain.

    Work up to the day of the balances are in them: approved again, they would be billed twice.
    """
    submitted, lacks = list(waiting(view)), view.import_lacks
    next_one = next((each for each in _TAKING_OVER if each in lacks), None)
    end = End(next_one, "import-engagement") if next_one and not view.over else None
    absent = side(next_one or "legal", "not taken over")
    if submitted and lacks:
        yield rule.disconnect(
            f"{hours(total_hours(submitted))} are submitted, and the engagement is not taken over "
            f"by {listed(each.capitalize() for each in lacks)}.",
            (view.sales.opened, *evidence(submitted)),
            sides=(side_of(submitted), absent),
            about="lacks",
            end=end or TIME_AS_COST,
            exposure=view.price,
            at_stake=worth(view, submitted),
        )
    spent = waiting_expenses(view)
    if lacks:
        yield from of_expenses(
            rule,
            view,
            spent,
            "are submitted, and the engagement is not taken over by "
            f"{listed(each.capitalize() for each in lacks)}",
            (view.sales.opened,),
            other=absent,
            about="lacks",
            end=end or EXPENSE_AS_COST,
        )
    balances = [each for each in (view.delivery.imported, view.finance.imported) if each]
    last = max((each.event.as_of for each in balances), default=date.min)
    found = [each for each in submitted if each.day <= last]
    newest = max(balances, key=lambda each: each.event.as_of, default=None)
    contained = side(
        "finance" if newest is not None and newest is view.finance.imported else "delivery",
        f"totals to {day(last)} taken over",
        newest.said if newest is not None else None,
    )
    if found:
        yield rule.disconnect(
            f"{hours(total_hours(found))} are submitted for days to {day(last)}, which the totals "
            "that were taken over contain.",
            (*(each.said for each in balances), *evidence(found)),
            sides=(side_of(found), contained),
            about="contained",
            exposure=view.price,
            at_stake=worth(view, found),
        )
    yield from of_expenses(
        rule,
        view,
        (each for each in spent if each.spent_on <= last),
        f"are submitted for days to {day(last)}, which the totals that were taken over contain",
        (each.said for each in balances),
        other=contained,
        end=End("delivery", "reject-expense"),
        about="contained",
    )


def _by_line(prices: Mapping[str, Money], names: Iterable[str]) -> str:
    return "; ".join(f"{name}: {prices.get(name, 'no line')}" for name in names)


def _apart(agreed: Money | None, opening: Money | None) -> Money | None:
    """Return by how much two prices of a line differ; None where their currencies do."""
    if agreed is None or opening is None:
        return agreed or opening
    return difference(agreed, opening)


@rules.register(
    "imported-scope-differs",
    title="Scope taken over differs",
    owner="delivery",
    command="import-engagement",
    imported=True,
)
def imported_scope_differs(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find deliverables that the contract taken over pays for and that Delivery does not know.

    Once Delivery has baselined a plan, that is compared, with what the customer had accepted before
    the take-over: it need not be planned again. A contract whose lines name no deliverables is not
    compared.
    """
    contract, progress = view.legal.imported, view.delivery.imported
    baseline = view.delivery.baseline
    if contract is None:
        return
    taken_over = progress.event.deliverables if progress is not None else ()
    if baseline is not None:
        accepted = (each.deliverable for each in taken_over if each.accepted_on is not None)
        known, said = {*baseline.deliverables, *accepted}, baseline.said
        saying = "the baseline of Delivery does not contain"
    elif progress is not None:
        known, said = {each.deliverable for each in taken_over}, progress.said
        saying = "Delivery did not take over"
    else:
        return
    lines = [line for line in contract.event.lines if not known.issuperset(line.deliverables)]
    missing = dict.fromkeys(
        name for line in lines for name in line.deliverables if name not in known
    )
    if missing:
        yield rule.disconnect(
            f"The contract that Legal took over pays for {', '.join(missing)}, which {saying}.",
            (contract.said, said),
            sides=(
                side("legal", f"taken over with {', '.join(missing)}", contract.said),
                side("delivery", f"without {', '.join(missing)}", said),
            ),
            end=End("delivery", "baseline-plan") if baseline is not None else None,
            exposure=total(line.price for line in lines),
        )
