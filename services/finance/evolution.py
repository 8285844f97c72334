"""Apply Finance's own events to the state, one step per event type."""

from contracts import finance
from contracts.event import Recorded
from contracts.values import RoleRate
from finance.state import (
    Assessment,
    BillingEvent,
    Budget,
    Engagement,
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
    event = recorded.event
    return state.model_copy(update={"reviews": {**state.reviews, event.version: event.verdict}})


@evolve.on(finance.EstimatePriced)
def _estimate_priced(state: Engagement, recorded: Recorded[finance.EstimatePriced]) -> Engagement:
    return _with_estimate(state, recorded.event.estimate_version, price=recorded.event.price)


@evolve.on(finance.EstimateCosted)
def _estimate_costed(state: Engagement, recorded: Recorded[finance.EstimateCosted]) -> Engagement:
    return _with_estimate(state, recorded.event.estimate_version, cost=recorded.event.cost)


@evolve.on(finance.ChangePriced)
def _change_priced(state: Engagement, recorded: Recorded[finance.ChangePriced]) -> Engagement:
    """Price the change's last assessment; earlier ones without a price are already replaced."""
    event = recorded.event
    last = [one for one in state.assessments if one.change == event.change][-1]
    return _with_assessment(state, last, price=event.price, priced=event.lines)


@evolve.on(finance.ChangeCosted)
def _change_costed(state: Engagement, recorded: Recorded[finance.ChangeCosted]) -> Engagement:
    assessment = state.assessment(recorded.event.change)
    return _with_assessment(state, assessment, cost=recorded.event.cost) if assessment else state


@evolve.on(finance.RevenueMethodChosen)
def _method(state: Engagement, recorded: Recorded[finance.RevenueMethodChosen]) -> Engagement:
    return state.model_copy(update={"chosen_method": recorded.event.method})


@evolve.on(finance.BudgetSet)
def _budget(state: Engagement, recorded: Recorded[finance.BudgetSet]) -> Engagement:
    event = recorded.event
    signed_on = state.signed_on or recorded.occurred_at.date()
    budget = Budget(
        signed_price=event.price,
        price=event.price,
        hours=event.hours,
        revenue_method=event.revenue_method,
        schedules=(Schedule(signed_on=signed_on, items=event.billing_schedule),),
        rates=event.rates,
    )
    return state.model_copy(update={"budget": budget})


@evolve.on(finance.BudgetCosted)
def _budget_costed(state: Engagement, recorded: Recorded[finance.BudgetCosted]) -> Engagement:
    budget = state.budget and state.budget.model_copy(update={"cost": recorded.event.cost})
    return state.model_copy(update={"budget": budget})


@evolve.on(finance.BudgetAmended)
def _amended(state: Engagement, recorded: Recorded[finance.BudgetAmended]) -> Engagement:
    """Apply the amendment's price and schedule, dated by its signature.

    Roles without a contracted rate get the rate at which the change was priced. A settled account
    is reopened, since its price and schedule are no longer those that were settled.
    """
    event, budget = recorded.event, state.budget
    if budget is None:
        return state
    signed_on = next(
        (one.signed_on for one in state.amendments if one.amendment == event.amendment),
        recorded.occurred_at.date(),
    )
    assessment, contracted = state.assessment(event.change), rates_of(budget.rates)
    added = {line.role: line.rate for line in (assessment.priced if assessment else ())}
    amended = budget.model_copy(
        update={
            "price": event.price,
            "schedules": (
                *budget.schedules,
                Schedule(signed_on=signed_on, items=event.billing_schedule),
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
    update = {"budget": amended, "amended": (*state.amended, event.amendment)}
    return _unsettled(state.model_copy(update=update))


@evolve.on(finance.CostAccrued)
def _accrued(state: Engagement, recorded: Recorded[finance.CostAccrued]) -> Engagement:
    event = recorded.event
    key = f"expense:{event.entry}" if event.role is None else f"time:{event.entry}"
    costed = state.work[key].model_copy(update={"cost": event.cost})
    return state.model_copy(
        update={"work": {**state.work, key: costed}, "cost_to_date": event.cumulative}
    )


@evolve.on(finance.PerformanceMeasured)
def _performance(state: Engagement, recorded: Recorded[finance.PerformanceMeasured]) -> Engagement:
    """Store the measured performance.

    The estimate at completion belongs to the changes in the plan by which the report was measured.
    """
    event, update = recorded.event, dict[str, object](performance=recorded.event)
    if event.estimate_at_completion is not None:
        plan = next((one.baseline for one in state.reports if one.performance_due), None)
        forecast = Forecast(
            on=event.as_of,
            amount=event.estimate_at_completion,
            changes=plan.changes if plan else (),
        )
        update["forecasts"] = (*state.forecasts, forecast)
    return _measured(state.model_copy(update=update), "performance_due")


@evolve.on(finance.MarginMeasured)
def _margins(state: Engagement, recorded: Recorded[finance.MarginMeasured]) -> Engagement:
    """Store the measured margins; a margin measured after all reports is the final one."""
    update: dict[str, object] = {"margins": recorded.event}
    if not any(report.margin_due for report in state.reports):
        update["final_margin"] = len(state.recognised)
    return _measured(state.model_copy(update=update), "margin_due")


@evolve.on(finance.RevenueRecognised)
def _recognised(state: Engagement, recorded: Recorded[finance.RevenueRecognised]) -> Engagement:
    event = recorded.event
    return state.model_copy(
        update={"recognised": {**state.recognised, event.month: event.cumulative}}
    )


@evolve.on(finance.BillingEventDue)
def _due(state: Engagement, recorded: Recorded[finance.BillingEventDue]) -> Engagement:
    event = recorded.event
    billing_event = BillingEvent(
        billing_event=event.billing_event,
        item=event.item,
        kind=event.kind,
        amount=event.amount,
        due_on=event.due_on,
        deliverables=event.deliverables,
        exception=event.exception,
    )
    return state.model_copy(
        update={
            "billing_events": {**state.billing_events, billing_event.billing_event: billing_event}
        }
    )


@evolve.on(finance.InvoiceDrafted)
def _drafted(state: Engagement, recorded: Recorded[finance.InvoiceDrafted]) -> Engagement:
    event = recorded.event
    invoice = Invoice(
        invoice=event.invoice,
        billing_event=event.billing_event,
        kind=event.kind,
        lines=event.lines,
        amount=event.amount,
        advance_drawn=event.advance_drawn,
    )
    return state.model_copy(update={"invoices": {**state.invoices, invoice.invoice: invoice}})


@evolve.on(finance.DraftWithdrawn)
def _withdrawn(state: Engagement, recorded: Recorded[finance.DraftWithdrawn]) -> Engagement:
    event = recorded.event
    invoices = {name: one for name, one in state.invoices.items() if name != event.invoice}
    return _without_event(state.model_copy(update={"invoices": invoices}), event.billing_event)


@evolve.on(finance.InvoiceApproved)
def _approved(state: Engagement, recorded: Recorded[finance.InvoiceApproved]) -> Engagement:
    event = recorded.event
    return with_invoice(state, event.invoice, stage="approved", issue_on=event.issue_on)


@evolve.on(finance.InvoiceIssued)
def _issued(state: Engagement, recorded: Recorded[finance.InvoiceIssued]) -> Engagement:
    """Mark the invoice as issued, and reopen the account: it has to be settled again."""
    event = recorded.event
    issued = with_invoice(
        state,
        event.invoice,
        stage="issued",
        issue_on=event.issued_on,
        due_on=event.due_on,
    )
    return _unsettled(issued)


@evolve.on(finance.InvoiceVoided)
def _voided(state: Engagement, recorded: Recorded[finance.InvoiceVoided]) -> Engagement:
    """Void the invoice, and remove its billing event if `ends_event` says so.

    For events without `ends_event`, the billing event is removed where it was an exception.
    """
    event = recorded.event
    billing_event = state.billing_events[state.invoices[event.invoice].billing_event]
    voided = with_invoice(state, event.invoice, stage="voided", overdue=False)
    ends = billing_event.exception is not None if event.ends_event is None else event.ends_event
    return _without_event(voided, billing_event.billing_event) if ends else voided


@evolve.on(finance.CreditNoteIssued)
def _credited(state: Engagement, recorded: Recorded[finance.CreditNoteIssued]) -> Engagement:
    event = recorded.event
    return _with_movement(
        state, event.invoice, "credits", Movement(on=event.issued_on, amount=event.amount)
    )


@evolve.on(finance.PaymentReceived)
def _paid(state: Engagement, recorded: Recorded[finance.PaymentReceived]) -> Engagement:
    event = recorded.event
    return _with_movement(
        state, event.invoice, "payments", Movement(on=event.received_on, amount=event.amount)
    )


@evolve.on(finance.RefundPaid)
def _refunded(state: Engagement, recorded: Recorded[finance.RefundPaid]) -> Engagement:
    event = recorded.event
    return _with_movement(
        state, event.invoice, "refunds", Movement(on=event.paid_on, amount=event.amount)
    )


@evolve.on(finance.PaymentOverdue)
def _overdue(state: Engagement, recorded: Recorded[finance.PaymentOverdue]) -> Engagement:
    return with_invoice(state, recorded.event.invoice, overdue=True)


@evolve.on(finance.AccountSettled)
def _settled(state: Engagement, recorded: Recorded[finance.AccountSettled]) -> Engagement:
    """Store the settlement, and the number of entries of billable work that were known."""
    settled = {"settled_on": recorded.event.settled_on, "settled_works": state.billable_works}
    return _unsettled(state).model_copy(update=settled)


@evolve.on(finance.AccountReopened)
def _reopened(state: Engagement, recorded: Recorded[finance.AccountReopened]) -> Engagement:
    return _unsettled(state)


def _unsettled(state: Engagement) -> Engagement:
    """Return the state with the account open; a new settlement leads to a new final margin."""
    update = {"settled_on": None, "settled_works": 0, "final_margin": None}
    return state.model_copy(update=update)


def _with_estimate(state: Engagement, version: int, **update: object) -> Engagement:
    estimate = state.estimates[version].model_copy(update=update)
    return state.model_copy(update={"estimates": {**state.estimates, version: estimate}})


def _with_assessment(state: Engagement, changed: Assessment, **update: object) -> Engagement:
    assessments = (
        one.model_copy(update=update) if one is changed else one for one in state.assessments
    )
    return state.model_copy(update={"assessments": tuple(assessments)})


def _measured(state: Engagement, flag: str) -> Engagement:
    """Clear a flag of the first report that has it, and drop reports that are fully measured."""
    for index, report in enumerate(state.reports):
        if getattr(report, flag):
            reports = list(state.reports)
            reports[index] = report.model_copy(update={flag: False})
            left = tuple(one for one in reports if one.performance_due or one.margin_due)
            return state.model_copy(update={"reports": left})
    return state


def _without_event(state: Engagement, billing_event: str) -> Engagement:
    billing_events = {
        name: one for name, one in state.billing_events.items() if name != billing_event
    }
    return state.model_copy(update={"billing_events": billing_events})


def _with_movement(state: Engagement, invoice: str, field: str, movement: Movement) -> Engagement:
    before: tuple[Movement, ...] = getattr(state.invoices[invoice], field)
    after = with_invoice(state, invoice, **{field: (*before, movement)})
    if after.invoices[invoice].outstanding.amount > 0:
        return after
    return with_invoice(after, invoice, overdue=False)
