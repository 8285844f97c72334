"""How Finance's own facts change what it knows of an engagement."""

from contracts import finance
from contracts.fact import Recorded
from contracts.values import RoleRate
from finance.state import (
    Assessment,
    Budget,
    Engagement,
    Event,
    Forecast,
    Invoice,
    Movement,
    Schedule,
    evolve,
    rates_of,
    with_invoice,
)


@evolve.on(finance.SowReviewed)
def _reviewed(state: Engagement, recorded: Recorded[finance.SowReviewed]) -> Engagement:
    fact = recorded.fact
    return state.model_copy(update={"reviews": {**state.reviews, fact.version: fact.verdict}})


@evolve.on(finance.EstimatePriced)
def _estimate_priced(state: Engagement, recorded: Recorded[finance.EstimatePriced]) -> Engagement:
    return _with_estimate(state, recorded.fact.estimate_version, price=recorded.fact.price)


@evolve.on(finance.EstimateCosted)
def _estimate_costed(state: Engagement, recorded: Recorded[finance.EstimateCosted]) -> Engagement:
    return _with_estimate(state, recorded.fact.estimate_version, cost=recorded.fact.cost)


@evolve.on(finance.ChangePriced)
def _change_priced(state: Engagement, recorded: Recorded[finance.ChangePriced]) -> Engagement:
    """No earlier assessment of a change waits for its price: a later one replaces it."""
    fact = recorded.fact
    last = [one for one in state.assessments if one.change == fact.change][-1]
    return _with_assessment(state, last, price=fact.price, priced=fact.lines)


@evolve.on(finance.ChangeCosted)
def _change_costed(state: Engagement, recorded: Recorded[finance.ChangeCosted]) -> Engagement:
    assessment = state.assessment(recorded.fact.change)
    return _with_assessment(state, assessment, cost=recorded.fact.cost) if assessment else state


@evolve.on(finance.RevenueMethodChosen)
def _method(state: Engagement, recorded: Recorded[finance.RevenueMethodChosen]) -> Engagement:
    return state.model_copy(update={"chosen_method": recorded.fact.method})


@evolve.on(finance.BudgetSet)
def _budget(state: Engagement, recorded: Recorded[finance.BudgetSet]) -> Engagement:
    fact = recorded.fact
    signed_on = state.signed_on or recorded.occurred_at.date()
    budget = Budget(
        signed_price=fact.price,
        price=fact.price,
        hours=fact.hours,
        revenue_method=fact.revenue_method,
        schedules=(Schedule(signed_on=signed_on, items=fact.billing_schedule),),
        rates=fact.rates,
    )
    return state.model_copy(update={"budget": budget})


@evolve.on(finance.BudgetCosted)
def _budget_costed(state: Engagement, recorded: Recorded[finance.BudgetCosted]) -> Engagement:
    budget = state.budget and state.budget.model_copy(update={"cost": recorded.fact.cost})
    return state.model_copy(update={"budget": budget})


@evolve.on(finance.BudgetAmended)
def _amended(state: Engagement, recorded: Recorded[finance.BudgetAmended]) -> Engagement:
    """The amendment's day dates what it adds; roles that are new come with the change's rates.

    It opens a settled account again: price and schedule are no longer those that were settled.
    """
    fact, budget = recorded.fact, state.budget
    if budget is None:
        return state
    signed_on = next(
        (one.signed_on for one in state.amendments if one.amendment == fact.amendment),
        recorded.occurred_at.date(),
    )
    assessment, contracted = state.assessment(fact.change), rates_of(budget.rates)
    added = {line.role: line.rate for line in (assessment.priced if assessment else ())}
    amended = budget.model_copy(
        update={
            "price": fact.price,
            "schedules": (
                *budget.schedules,
                Schedule(signed_on=signed_on, items=fact.billing_schedule),
            ),
            "rates": (
                *budget.rates,
                *(
                    RoleRate(role=role, rate=rate)
                    for role, rate in added.items()
                    if role not in contracted and rate.amount > 0
                ),
            ),
        }
    )
    news = {"budget": amended, "amended": (*state.amended, fact.amendment)}
    return _opened_again(state.model_copy(update=news))


@evolve.on(finance.CostAccrued)
def _accrued(state: Engagement, recorded: Recorded[finance.CostAccrued]) -> Engagement:
    fact = recorded.fact
    key = f"expense:{fact.entry}" if fact.role is None else f"time:{fact.entry}"
    costed = state.work[key].model_copy(update={"cost": fact.cost})
    return state.model_copy(
        update={"work": {**state.work, key: costed}, "cost_to_date": fact.cumulative}
    )


@evolve.on(finance.PerformanceMeasured)
def _performance(state: Engagement, recorded: Recorded[finance.PerformanceMeasured]) -> Engagement:
    """A cost at completion is that of the changes in the plan that the report was measured by."""
    fact, news = recorded.fact, dict[str, object](performance=recorded.fact)
    if fact.estimate_at_completion is not None:
        plan = next((one.baseline for one in state.reports if one.performance_due), None)
        forecast = Forecast(
            on=fact.as_of,
            amount=fact.estimate_at_completion,
            changes=plan.changes if plan else (),
        )
        news["forecasts"] = (*state.forecasts, forecast)
    return _measured(state.model_copy(update=news), "performance_due")


@evolve.on(finance.MarginMeasured)
def _margins(state: Engagement, recorded: Recorded[finance.MarginMeasured]) -> Engagement:
    """Reports are measured in their order; what is measured after the last is a final margin."""
    news: dict[str, object] = {"margins": recorded.fact}
    if not any(report.margin_due for report in state.reports):
        news["final_margin"] = len(state.recognised)
    return _measured(state.model_copy(update=news), "margin_due")


@evolve.on(finance.RevenueRecognised)
def _recognised(state: Engagement, recorded: Recorded[finance.RevenueRecognised]) -> Engagement:
    fact = recorded.fact
    return state.model_copy(
        update={"recognised": {**state.recognised, fact.month: fact.cumulative}}
    )


@evolve.on(finance.BillingEventDue)
def _due(state: Engagement, recorded: Recorded[finance.BillingEventDue]) -> Engagement:
    fact = recorded.fact
    event = Event(
        event=fact.billing_event,
        item=fact.item,
        kind=fact.kind,
        amount=fact.amount,
        due_on=fact.due_on,
        deliverables=fact.deliverables,
        exception=fact.exception,
    )
    return state.model_copy(update={"events": {**state.events, event.event: event}})


@evolve.on(finance.InvoiceDrafted)
def _drafted(state: Engagement, recorded: Recorded[finance.InvoiceDrafted]) -> Engagement:
    fact = recorded.fact
    invoice = Invoice(
        invoice=fact.invoice,
        event=fact.billing_event,
        kind=fact.kind,
        lines=fact.lines,
        amount=fact.amount,
        advance_drawn=fact.advance_drawn,
    )
    return state.model_copy(update={"invoices": {**state.invoices, invoice.invoice: invoice}})


@evolve.on(finance.DraftWithdrawn)
def _withdrawn(state: Engagement, recorded: Recorded[finance.DraftWithdrawn]) -> Engagement:
    fact = recorded.fact
    invoices = {name: one for name, one in state.invoices.items() if name != fact.invoice}
    return _without_event(state.model_copy(update={"invoices": invoices}), fact.billing_event)


@evolve.on(finance.InvoiceApproved)
def _approved(state: Engagement, recorded: Recorded[finance.InvoiceApproved]) -> Engagement:
    fact = recorded.fact
    return with_invoice(state, fact.invoice, stage="approved", issue_on=fact.issue_on)


@evolve.on(finance.InvoiceIssued)
def _issued(state: Engagement, recorded: Recorded[finance.InvoiceIssued]) -> Engagement:
    """What goes out after the account was settled has to be settled again."""
    fact = recorded.fact
    issued = with_invoice(
        state,
        fact.invoice,
        stage="issued",
        issue_on=fact.issued_on,
        due_on=fact.due_on,
    )
    return _opened_again(issued)


@evolve.on(finance.InvoiceVoided)
def _voided(state: Engagement, recorded: Recorded[finance.InvoiceVoided]) -> Engagement:
    """Its billing event ends or stays as was decided then; before that was said, exceptions end."""
    fact = recorded.fact
    event = state.events[state.invoices[fact.invoice].event]
    voided = with_invoice(state, fact.invoice, stage="voided", overdue=False)
    ends = event.exception is not None if fact.ends_event is None else fact.ends_event
    return _without_event(voided, event.event) if ends else voided


@evolve.on(finance.CreditNoteIssued)
def _credited(state: Engagement, recorded: Recorded[finance.CreditNoteIssued]) -> Engagement:
    fact = recorded.fact
    return _moved(state, fact.invoice, "credits", Movement(on=fact.issued_on, amount=fact.amount))


@evolve.on(finance.PaymentReceived)
def _paid(state: Engagement, recorded: Recorded[finance.PaymentReceived]) -> Engagement:
    fact = recorded.fact
    return _moved(
        state, fact.invoice, "payments", Movement(on=fact.received_on, amount=fact.amount)
    )


@evolve.on(finance.RefundPaid)
def _refunded(state: Engagement, recorded: Recorded[finance.RefundPaid]) -> Engagement:
    fact = recorded.fact
    return _moved(state, fact.invoice, "refunds", Movement(on=fact.paid_on, amount=fact.amount))


@evolve.on(finance.PaymentOverdue)
def _overdue(state: Engagement, recorded: Recorded[finance.PaymentOverdue]) -> Engagement:
    return with_invoice(state, recorded.fact.invoice, overdue=True)


@evolve.on(finance.AccountSettled)
def _settled(state: Engagement, recorded: Recorded[finance.AccountSettled]) -> Engagement:
    """How much billable work was known tells whether it was settled in the knowledge of all."""
    settled = {"settled_on": recorded.fact.settled_on, "settled_knowing": state.billable_works}
    return _opened_again(state).model_copy(update=settled)


@evolve.on(finance.AccountReopened)
def _reopened(state: Engagement, recorded: Recorded[finance.AccountReopened]) -> Engagement:
    return _opened_again(state)


def _opened_again(state: Engagement) -> Engagement:
    """The account is not settled, or no longer; what is settled anew is measured anew."""
    news = {"settled_on": None, "settled_knowing": 0, "final_margin": None}
    return state.model_copy(update=news)


def _with_estimate(state: Engagement, version: int, **news: object) -> Engagement:
    estimate = state.estimates[version].model_copy(update=news)
    return state.model_copy(update={"estimates": {**state.estimates, version: estimate}})


def _with_assessment(state: Engagement, changed: Assessment, **news: object) -> Engagement:
    assessments = (
        one.model_copy(update=news) if one is changed else one for one in state.assessments
    )
    return state.model_copy(update={"assessments": tuple(assessments)})


def _measured(state: Engagement, what: str) -> Engagement:
    """The first report of which this is due is measured; measured ones are forgotten."""
    for index, report in enumerate(state.reports):
        if getattr(report, what):
            reports = list(state.reports)
            reports[index] = report.model_copy(update={what: False})
            left = tuple(one for one in reports if one.performance_due or one.margin_due)
            return state.model_copy(update={"reports": left})
    return state


def _without_event(state: Engagement, event: str) -> Engagement:
    events = {name: one for name, one in state.events.items() if name != event}
    return state.model_copy(update={"events": events})


def _moved(state: Engagement, invoice: str, way: str, movement: Movement) -> Engagement:
    before: tuple[Movement, ...] = getattr(state.invoices[invoice], way)
    after = with_invoice(state, invoice, **{way: (*before, movement)})
    if after.invoices[invoice].outstanding.amount > 0:
        return after
    return with_invoice(after, invoice, overdue=False)
