"""Submit and endorse estimates."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, Refused, gate
from chassis.domain.context import Context
from chassis.domain.rules import require_currency
from contracts.decimals import CANONICAL, round_decimal
from contracts.delivery import EstimateContent, EstimateEndorsed, EstimateLines, EstimateSubmitted
from contracts.event import Event
from contracts.money import Money
from contracts.reference import TemplatePublished
from contracts.sales import EstimateRequested
from contracts.values import (
    MOST_HOURS,
    ComputedPercent,
    Confidence,
    EstimateLine,
    JudgedPercent,
    PersonId,
    ShortText,
    TotalHours,
    Version,
)
from delivery.engagement import Engagement
from delivery.estimates import work_items
from delivery.estimates.state import Estimates, hours_of
from delivery.policies import known_template, require_open
from delivery.quantities import share
from delivery.roles import ENDORSERS, WORKERS

capability = Capability[Engagement](__name__)
capability.work(work_items.KINDS, work_items.items)


class SubmitEstimate(EstimateContent, Command):
    """Submit the next version of the estimate that Sales requested.

    Without `lines`, the template's lines are used, their hours times `scale`. If no line is project
    management and the tier is not light, `no_project_management` must say why. `contingency` is in
    percent on top of all hours, `duration_days` in calendar days. `purchases` are charged to the
    customer at their amounts: expected expenses as they will be spent, a licence at its list price.
    """

    lines: EstimateLines = ()
    """Hours by phase and role; those of the template where none are given."""
    scale: Annotated[Decimal, Field(gt=0, le=100, allow_inf_nan=False), CANONICAL] = Decimal(1)
    """Factor for the hours of the template."""
    contingency: JudgedPercent = Decimal(0)
    """Percent that is added to all hours."""
    assumptions: Annotated[tuple[ShortText, ...], Field(max_length=100)] = ()
    """Conditions under which the estimate holds."""
    confidence: Confidence = "medium"
    """Confidence of the author in the estimate."""
    no_project_management: ShortText | None = None
    """Reason why no line is project management."""


class EndorseEstimate(Command):
    """Endorse the newest version of the estimate as the engagement's manager."""

    version: Version


def scaled(template: TemplatePublished, scale: Decimal) -> tuple[EstimateLine, ...]:
    """Return the template's lines, hours times `scale`, rounded to 0.01 hour."""
    return tuple(
        line.model_copy(update={"hours": round_decimal(line.hours * scale, 2)})
        for line in template.estimate
    )


@capability.decide(SubmitEstimate, by=WORKERS)
def submit_estimate(
    state: Engagement, command: SubmitEstimate, context: Context
) -> Iterable[Event]:
    """Submit the estimate with the next version number, unless it equals the newest one.

    Raises Refused where the deal is won, Sales has requested no estimate, the template is unknown
    or gives too many hours, a purchase is in another currency than the engagement, or the estimate
    has neither hours nor purchases, or no project management.
    """
    require_open(state)
    if state.deal.won:
        raise Refused("deal-won", "the deal is won: request a change instead")
    if state.estimates.requested is None:
        sentence = "Sales has not requested an estimate"
        gate("estimate-not-requested", [Missing("estimate-not-requested", sentence, "sales")])
    lines, made_from = command.lines, None
    if not lines:
        record = known_template(context, command.template)
        lines, made_from = scaled(record.event, command.scale), record.sequence
        if any(line.hours > MOST_HOURS for line in lines):
            raise Refused(
                "hours-beyond-limit",
                f"template {command.template} times {command.scale} has a line of more than"
                f" {MOST_HOURS:,} hours: choose a smaller scale",
            )
    for purchase in command.purchases:
        require_currency(state.deal.currency, purchases=purchase.amount)
    if not any(line.hours for line in lines) and not command.purchases:
        source = "lines" if command.lines else f"template {command.template}"
        raise Refused("estimate-empty", f"{source}: no line has hours, and nothing is bought")
    waiver = _project_management_waiver(state, command, lines)
    newest = state.estimates.newest
    event = EstimateSubmitted(
        version=newest.version if newest else 1,
        lines=lines,
        purchases=command.purchases,
        contingency=command.contingency,
        template=command.template,
        duration_days=command.duration_days,
        assumptions=(*command.assumptions, *waiver),
        confidence=command.confidence,
        template_version=made_from,
    )
    if newest is None:
        yield event
    elif event != newest:
        yield event.model_copy(update={"version": event.version + 1})


def _project_management_waiver(
    state: Engagement, command: SubmitEstimate, lines: tuple[EstimateLine, ...]
) -> Iterator[str]:
    if any(line.kind == "project-management" and line.hours for line in lines):
        return
    if command.no_project_management:
        yield f"No project management: {command.no_project_management}"[:200]
    elif not state.management.is_light:
        raise Refused(
            "project-management-missing",
            "no line is project management: add one, choose tier light, or give a reason",
        )


@capability.decide(EndorseEstimate, by=ENDORSERS)
def endorse_estimate(
    state: Engagement, command: EndorseEstimate, context: Context
) -> Iterable[Event]:
    """Record that the assigned manager endorsed the newest version of the estimate.

    Raises Refused where the caller is not the manager, or the version is unknown or superseded.
    """
    require_open(state)
    assigned = state.management.manager
    if assigned is None:
        raise Refused("manager-not-assigned", "no manager is assigned to this engagement")
    if context.acting_for != assigned.manager:
        raise Refused("caller-not-manager", f"{assigned.manager} manages this engagement")
    version, estimates = command.version, state.estimates
    if version not in estimates.submitted:
        raise Refused("estimate-unknown", f"there is no estimate version {version}")
    newest = max(estimates.submitted)
    if version != newest:
        raise Refused("estimate-superseded", f"estimate {version} is superseded by {newest}")
    event = EstimateEndorsed(version=version, manager=assigned.manager)
    if event != estimates.endorsed.get(version):
        yield event


class EstimateView(ViewModel):
    """Version of the estimate, in hours; the share of project management is in percent."""

    version: Version
    submitted: EstimateSubmitted
    hours: TotalHours
    project_management_hours: TotalHours
    project_management_share: ComputedPercent | None
    endorsed_by: PersonId | None
    price: Money | None


class EstimateFields(ViewModel):
    """The requested and the submitted estimates in the view of an engagement."""

    requested: EstimateRequested | None
    estimates: tuple[EstimateView, ...]


@capability.view
def estimates_view(state: Engagement) -> EstimateFields:
    """Return the estimates for the view of an engagement."""
    estimates = state.estimates
    return EstimateFields(
        requested=estimates.requested,
        estimates=tuple(_view(estimates, each) for _, each in sorted(estimates.submitted.items())),
    )


def _view(estimates: Estimates, estimate: EstimateSubmitted) -> EstimateView:
    endorsed = estimates.endorsed.get(estimate.version)
    priced = estimates.priced.get(estimate.version)
    hours, managing = hours_of(estimate), hours_of(estimate, "project-management")
    return EstimateView(
        version=estimate.version,
        submitted=estimate,
        hours=hours,
        project_management_hours=managing,
        project_management_share=share(managing, hours),
        endorsed_by=endorsed.manager if endorsed else None,
        price=priced.price if priced else None,
    )
