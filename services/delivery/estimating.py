"""Submit and endorse estimates."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from chassis.domain.commands import Command, Missing, Refused, gate
from chassis.domain.context import Context
from contracts.decimals import round_decimal
from contracts.delivery import EstimateEndorsed, EstimateSubmitted
from contracts.event import Event, Recorded
from contracts.reference import TemplatePublished
from contracts.values import (
    MOST_HOURS,
    AsNumber,
    Confidence,
    EstimateLine,
    Identifier,
    ItemLine,
    Percent,
    ShortText,
    Version,
)
from delivery.policies import require_open
from delivery.state import Engagement, decide


class SubmitEstimate(Command):
    """Submit the next version of the estimate that Sales requested.

    Without `lines`, the template's lines are used, their hours times `scale`. If no line is project
    management and the tier is not light, `no_project_management` must say why. `contingency` is in
    percent on top of all hours, `duration_days` in calendar days.
    """

    template: Identifier
    lines: Annotated[tuple[ItemLine, ...], Field(max_length=500)] = ()
    scale: Annotated[Decimal, Field(gt=0, le=100, allow_inf_nan=False)] = Decimal(1)
    contingency: Percent = Decimal(0)
    duration_days: Annotated[int, Field(ge=1, le=10_000), AsNumber]
    assumptions: Annotated[tuple[ShortText, ...], Field(max_length=100)] = ()
    confidence: Confidence = "medium"
    no_project_management: ShortText | None = None


class EndorseEstimate(Command):
    """Endorse the newest version of the estimate as the engagement's manager."""

    version: Version


def scaled(template: TemplatePublished, scale: Decimal) -> tuple[EstimateLine, ...]:
    """Return the template's lines, hours times `scale`, rounded to 0.01 hour."""
    return tuple(
        line.model_copy(update={"hours": round_decimal(line.hours * scale, 2)})
        for line in template.estimate
    )


def template_known(context: Context, template: str) -> Recorded[TemplatePublished]:
    """Return the newest version of a template.

    Raises Refused where the template is unknown.
    """
    record = context.reference_data.latest(TemplatePublished, template)
    if record is None:
        raise Refused("template-unknown", f"no template {template} is known")
    return record


@decide.on(SubmitEstimate)
def submit_estimate(
    state: Engagement, command: SubmitEstimate, context: Context
) -> Iterator[Event]:
    """Submit the estimate with the next version number, unless it equals the newest one.

    Raises Refused where the deal is won, Sales has requested no estimate, the template is unknown
    or gives too many hours, or the estimate has no hours or no project management.
    """
    require_open(state)
    if state.deal.won:
        raise Refused("deal-won", "the deal is won: request a change instead")
    if state.deal.requested is None:
        sentence = "Sales has not requested an estimate"
        gate("estimate-not-requested", [Missing("estimate-not-requested", sentence, "sales")])
    lines, made_from = command.lines, None
    if not lines:
        record = template_known(context, command.template)
        lines, made_from = scaled(record.event, command.scale), record.sequence
        if any(line.hours > MOST_HOURS for line in lines):
            raise Refused(
                "hours-beyond-limit",
                f"template {command.template} times {command.scale} has a line of more than"
                f" {MOST_HOURS:,} hours: choose a smaller scale",
            )
    if not any(line.hours for line in lines):
        raise Refused("estimate-empty", f"template {command.template} has no hours: give lines")
    newest = max(state.estimates, default=0)
    event = EstimateSubmitted(
        version=newest + 1,
        lines=lines,
        contingency=command.contingency,
        template=command.template,
        duration_days=command.duration_days,
        assumptions=(*command.assumptions, *_project_management_waiver(state, command, lines)),
        confidence=command.confidence,
        template_version=made_from,
    )
    if not newest or event.model_copy(update={"version": newest}) != (
        state.estimates[newest].submitted
    ):
        yield event


def _project_management_waiver(
    state: Engagement, command: SubmitEstimate, lines: tuple[EstimateLine, ...]
) -> Iterator[str]:
    if any(line.kind == "project-management" and line.hours for line in lines):
        return
    if command.no_project_management:
        yield f"No project management: {command.no_project_management}"[:200]
    elif state.tier is None or state.tier.tier != "light":
        raise Refused(
            "project-management-missing",
            "no line is project management: add one, choose tier light, or give a reason",
        )


@decide.on(EndorseEstimate)
def endorse_estimate(
    state: Engagement, command: EndorseEstimate, context: Context
) -> Iterator[Event]:
    """Record that the assigned manager endorsed the newest version of the estimate.

    Raises Refused where the caller is not the manager, or the version is unknown or superseded.
    """
    require_open(state)
    if state.manager is None:
        raise Refused("manager-not-assigned", "no manager is assigned to this engagement")
    if context.actor != state.manager.manager:
        raise Refused("caller-not-manager", f"{state.manager.manager} manages this engagement")
    estimate = state.estimates.get(command.version)
    if estimate is None:
        raise Refused("estimate-unknown", f"there is no estimate version {command.version}")
    newest = max(state.estimates)
    if command.version != newest:
        raise Refused(
            "estimate-superseded", f"estimate {command.version} is superseded by {newest}"
        )
    if estimate.endorsed_by != context.actor:
        yield EstimateEndorsed(version=command.version, manager=context.actor)
