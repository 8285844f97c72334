"""Set and amend the budget of an engagement: the lines of the contract and their obligations.

The budget follows from the version of the statement of work that both parties signed, or from the
contract and the balances of an engagement that was taken over. A signed
amendment changes its lines. Amendments are applied in the order of their arrival; one that does not
fit the lines waits, and does not delay the others.
"""

from collections.abc import Iterable
from datetime import date

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context, ReferenceData
from chassis.domain.ids import derived_id
from contracts.decimals import Number
from contracts.event import Event
from contracts.finance import (
    BudgetAmended,
    BudgetSet,
    OpeningBalances,
    RevenueMethodChoice,
    RevenueMethodChosen,
    TreatmentChoice,
    TreatmentChosen,
)
from contracts.legal import AmendmentSigned
from contracts.lines import (
    BillingKind,
    ContractLine,
    ContractLineKind,
    LineRate,
    PerformanceObligation,
    Pricing,
    total_price,
)
from contracts.money import Money
from contracts.purchases import PlannedPurchase
from contracts.values import RevenueMethod
from contracts.vocabularies import Unlisted
from finance.billing.schedule import unused
from finance.budgeting.obligations import FIXED, METHODS, obligations_of
from finance.budgeting.schedule import amended_lines
from finance.budgeting.state import Budget, Entry
from finance.budgeting.treatments import (
    REASONS,
    chosen_treatment,
    misfit,
    only_adds,
    usual_treatment,
)
from finance.changes.pricing import price_of
from finance.companies.policy import rounding_on
from finance.engagement import Engagement
from finance.importing.balances import differences
from finance.policies import require_budget, require_running
from finance.roles import ACCOUNTING

capability = Capability[Engagement](__name__)


class ChooseRevenueMethod(RevenueMethodChoice, Command):
    """Choose the revenue method of an obligation before the budget is set; it is never switched.

    Without a choice, fixed lines are recognised cost-to-cost, lines by time and materials or at
    cost as invoiced, and retainers over time. Fixed lines can be recognised at acceptance instead.
    """


@capability.decide(ChooseRevenueMethod, by=ACCOUNTING)
def choose_revenue_method(
    state: Engagement, command: ChooseRevenueMethod, context: Context
) -> Iterable[Event]:
    """Record the method; the lines must be known and the budget not set.

    Raises Refused where the engagement is over, the budget is set, no statement of work is drafted,
    its last version has no such obligation, or the method does not fit the pricing.
    """
    budget, sows, chosen = state.budget, state.contract.sows, state.budgeting.chosen
    before = chosen.get(command.obligation)
    known = {each.obligation: each.method for each in budget.obligations} if budget else {}
    if command.method == (known.get(command.obligation) or (before and before.method)):
        return
    require_running(state)
    if budget is not None:
        raise Refused(
            "method-fixed",
            f"the budget was set with {known.get(command.obligation, 'other obligations')};"
            " a method is never switched",
        )
    if not sows:
        raise Refused("sow-unknown", "the method depends on the pricing: wait for Legal's draft")
    lines = sows[max(sows)].lines
    group = next(
        (each for each in obligations_of(lines, {}) if each.obligation == command.obligation), None
    )
    if group is None:
        raise Refused("obligation-unknown", f"the contract has no obligation {command.obligation}")
    pricing = next(line.pricing for line in lines if line.line == group.lines[0])
    if command.method not in METHODS[pricing]:
        raise Refused("method-does-not-fit", f"{command.method} does not fit {pricing}")
    yield RevenueMethodChosen(**dict(command))


class ChooseTreatment(TreatmentChoice, Command):
    """Choose how an amendment is accounted for, before it is in the budget.

    Without a choice, an amendment that only adds lines at the prices that Finance computed is a
    contract of its own, one that changes fixed lines a cumulative catch-up, and any other one
    prospective. The choice is made once the amendment is drafted: a signed one is in the budget as
    soon as it fits.
    """


@capability.decide(ChooseTreatment, by=ACCOUNTING)
def choose_treatment(
    state: Engagement, command: ChooseTreatment, context: Context
) -> Iterable[Event]:
    """Record the treatment; the last one that is chosen before the amendment applies.

    Raises Refused where the engagement is over, there is no budget, Finance has not received the
    amendment, it is in the budget, or the treatment does not fit the lines that it changes.
    """
    name, chosen = command.amendment, TreatmentChosen(**dict(command))
    if state.budgeting.treatments.get(name) == chosen:
        return
    require_running(state)
    budget = require_budget(state)
    if name in state.budgeting.amended:
        applied = next(each for each in budget.history if each.amendment == name)
        raise Refused(
            "treatment-fixed",
            f"amendment {name} is in the budget, accounted for as {applied.treatment}",
        )
    signed = {each.amendment: each for each in state.budgeting.waiting}
    paper = signed.get(name) or state.contract.amendments.get(name)
    if paper is None:
        raise Refused("amendment-unknown", f"Finance has not received amendment {name}")
    if sentence := misfit(budget, paper.changes, command.treatment):
        raise Refused("treatment-does-not-fit", sentence)
    yield chosen


@capability.react
def set_budget(state: Engagement, context: Context) -> Iterable[Event]:
    """Set the budget once the statement of work is signed and known."""
    sow, signed_on, currency = state.contract.sow, state.contract.signed_on, state.currency
    if state.budget or sow is None or signed_on is None or currency != sow.price.currency:
        return
    if total_price(sow.lines, currency) != sow.price:
        return
    if any(isinstance(line.pricing, Unlisted) for line in sow.lines):
        return  # nothing that depends on the pricing is computed before a release that knows it
    yield BudgetSet(
        price=sow.price,
        lines=sow.lines,
        obligations=obligations_of(sow.lines, _fitting(state, sow.lines)),
        rounding=rounding_on(context.reference_data, sow.company, signed_on),
    )


def _fitting(state: Engagement, lines: tuple[ContractLine, ...]) -> dict[str, RevenueMethod]:
    """Return the chosen methods that still fit the lines; a later draft may have other ones."""
    pricing = {line.line: line.pricing for line in lines}
    return {
        each.obligation: choice.method
        for each in obligations_of(lines, {})
        if (choice := state.budgeting.chosen.get(each.obligation))
        and choice.method in METHODS[pricing[each.lines[0]]]
    }


@capability.react
def take_over_budget(state: Engagement, context: Context) -> Iterable[Event]:
    """Set the budget of an engagement under way from the contract and the balances taken over.

    It is set again when Legal corrects the contract, until it is amended. While the balances
    contradict the contract, nothing is set.
    """
    contract, balances = state.importing.contract, state.importing.taken_over
    if contract is None or balances is None or any(differences(contract, balances)):
        return
    lines = contract.scheduled_lines
    if any(isinstance(line.pricing, Unlisted) for line in lines) or state.budgeting.amended:
        return
    obligations = _obligations_before(lines, balances)
    budget = state.budget
    if budget and (budget.lines, budget.obligations) == (lines, obligations):
        return
    yield BudgetSet(
        price=contract.price,
        lines=lines,
        obligations=obligations,
        rounding=rounding_on(context.reference_data, contract.company, balances.as_of),
    )


def _obligations_before(
    lines: tuple[ContractLine, ...], balances: OpeningBalances
) -> tuple[PerformanceObligation, ...]:
    """Return the obligations with the methods by which revenue was recognised before.

    Fixed lines of another method than the first one are obligations of their own.
    """
    methods = {each.line: each.method for each in balances.lines}
    fixed = [line for line in lines if line.pricing == "fixed" and line.kind != "discount"]
    usual = methods[fixed[0].line] if fixed else METHODS["fixed"][0]
    others = tuple(
        PerformanceObligation(
            obligation=unused(line.line, {FIXED}), lines=(line.line,), method=methods[line.line]
        )
        for line in fixed
        if methods[line.line] != usual
    )
    return obligations_of(lines, {FIXED: usual}, others)


@capability.react
def amend_budget(state: Engagement, context: Context) -> Iterable[Event]:
    """Apply the first signed amendment that is not in the budget and fits its lines."""
    budget = state.budget
    if budget is None:
        return
    for amendment in state.budgeting.waiting:
        amended = _amended(state, budget, amendment)
        if amended and not _price_due(state, budget, amendment, context.reference_data):
            yield amended
            return


def _price_due(
    state: Engagement, budget: Budget, amendment: AmendmentSigned, records: ReferenceData
) -> bool:
    """Return whether the treatment depends on a price that is not recorded yet."""
    if state.changes.priced(amendment.change) or not only_adds(amendment.changes):
        return False
    if chosen_treatment(state, budget, amendment) is not None:
        return False
    if amendment.change not in state.changes.names:
        return True
    assessment = state.changes.in_force(amendment.change)
    return price_of(state, assessment, budget, records) is not None


def _amended(state: Engagement, budget: Budget, amendment: AmendmentSigned) -> BudgetAmended | None:
    """Return the budget with an amendment; None where the amendment does not fit the lines.

    None also where this release does not know the pricing of a new line.
    """
    if any(each.new and isinstance(each.new.pricing, Unlisted) for each in amendment.changes):
        return None
    billing, currency = state.billing, budget.currency
    chosen = chosen_treatment(state, budget, amendment)
    treatment = chosen.treatment if chosen else usual_treatment(state, budget, amendment)
    fixed = derived_id(FIXED, amendment.amendment) if treatment == "separate" else FIXED
    try:
        lines = amended_lines(
            budget.lines,
            amendment,
            invoiced=lambda item: billing.invoiced_on_item(item, currency),
            given_back=lambda item: billing.given_back_on_item(item, currency),
        )
        return BudgetAmended(
            change=amendment.change,
            amendment=amendment.amendment,
            price=total_price(lines, currency),
            lines=lines,
            obligations=obligations_of(lines, {}, budget.obligations, fixed),
            signed_on=amendment.signed_on,
            unnamed_work_from=max(amendment.signed_on, state.budgeting.undecided_from),
            treatment=treatment,
            why=chosen.why if chosen else REASONS[treatment],
        )
    except ValueError:
        return None


class EntryView(ViewModel):
    """Entry of the billing schedule of a line, with the amounts that fell due and that are left.

    Amounts are after discounts.
    """

    line: str
    item: str
    kind: BillingKind
    description: str
    amount: Money
    due: Money
    left: Money
    due_on: date | None


class LineView(ViewModel):
    """Line of the contract."""

    line: str
    title: str
    kind: ContractLineKind
    pricing: Pricing
    price: Money
    estimated: bool
    hours: dict[str, Number]
    purchases: tuple[PlannedPurchase, ...]
    rates: list[LineRate]


class BudgetView(ViewModel):
    """Budget of the contract, with its amendments."""

    signed_price: Money
    price: Money
    lines: list[LineView]
    obligations: list[PerformanceObligation]
    schedule: list[EntryView]


class BudgetFields(ViewModel):
    """The budget in the view of an engagement."""

    budget: BudgetView | None


@capability.view
def budget_view(state: Engagement) -> BudgetFields:
    """Return the budget for the view of an engagement."""
    budget = state.budget
    if budget is None:
        return BudgetFields(budget=None)
    return BudgetFields(
        budget=BudgetView(
            signed_price=budget.signed_price,
            price=budget.price,
            lines=[
                LineView(
                    line=line.line,
                    title=line.title,
                    kind=line.kind,
                    pricing=line.pricing,
                    price=line.price,
                    estimated=line.estimated,
                    hours={each.role: each.hours for each in line.hours},
                    purchases=line.planned_purchases,
                    rates=list(line.rates),
                )
                for line in budget.lines
            ],
            obligations=list(budget.obligations),
            schedule=[_entry(state, entry) for entry in budget.entries],
        )
    )


def _entry(state: Engagement, entry: Entry) -> EntryView:
    due = state.billing.due_on_item(entry.item.item, state.money)
    return EntryView(
        line=entry.line.line,
        item=entry.item.item,
        kind=entry.item.kind,
        description=entry.item.description,
        amount=entry.amount,
        due=due,
        left=entry.amount - min(entry.amount, due),
        due_on=entry.item.due_on,
    )
