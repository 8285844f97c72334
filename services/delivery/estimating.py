"""Estimating: what the work would take, and which manager stands behind it."""

from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated

from pydantic import Field

from chassis.domain.decider import Command, Context, Missing, Refused, gate
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
from delivery.gates import standing
from delivery.state import Engagement, decide

CENT = Decimal("0.01")


class SubmitEstimate(Command):
    """Answer Sales with what the work would take, as the next version of the estimate.

    Without `lines` they are the template's own, times `scale`. Managing the work is a part of it:
    where no line is project management (and the tier is not light), say why. Contingency is in
    percent on top of all hours, duration in calendar days.
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
    """Stand behind the newest version of the estimate, as the engagement's manager."""

    version: Version


def scaled(template: TemplatePublished, scale: Decimal) -> tuple[EstimateLine, ...]:
    """The template's lines with their hours times `scale`, to a hundredth of an hour."""
    return tuple(
        line.model_copy(update={"hours": (line.hours * scale).quantize(CENT, ROUND_HALF_EVEN)})
        for line in template.estimate
    )


def template_known(context: Context, template: str) -> Recorded[TemplatePublished]:
    """The newest version of a template; refused where none is known."""
    record = context.records.latest(TemplatePublished, template)
    if record is None:
        raise Refused("unknown-template", f"no template {template} is known")
    return record


@decide.on(SubmitEstimate)
def submit_estimate(
    state: Engagement, command: SubmitEstimate, context: Context
) -> Iterator[Event]:
    """Versions count up; a deal that is won rests on the estimate it was won with."""
    standing(state)
    if state.deal.won:
        raise Refused("already-sold", "the deal is won: what comes now is a change")
    if state.deal.requested is None:
        sentence = "Sales has not asked for an estimate"
        gate("estimate-not-requested", [Missing("estimate-requested", sentence, "sales")])
    lines, made_from = command.lines, None
    if not lines:
        record = template_known(context, command.template)
        lines, made_from = scaled(record.event, command.scale), record.sequence
        if any(line.hours > MOST_HOURS for line in lines):
            raise Refused(
                "too-many-hours",
                f"template {command.template} times {command.scale} has a line of more than"
                f" {MOST_HOURS:,} hours: choose a smaller scale",
            )
    if not any(line.hours for line in lines):
        raise Refused("empty-estimate", f"template {command.template} has no hours: give lines")
    newest = max(state.estimates, default=0)
    event = EstimateSubmitted(
        version=newest + 1,
        lines=lines,
        contingency=command.contingency,
        template=command.template,
        duration_days=command.duration_days,
        assumptions=(*command.assumptions, *_why_unmanaged(state, command, lines)),
        confidence=command.confidence,
        template_version=made_from,
    )
    if not newest or event.model_copy(update={"version": newest}) != (
        state.estimates[newest].submitted
    ):
        yield event


def _why_unmanaged(
    state: Engagement, command: SubmitEstimate, lines: tuple[EstimateLine, ...]
) -> Iterator[str]:
    if any(line.kind == "project-management" and line.hours for line in lines):
        return
    if command.no_project_management:
        yield f"No project management: {command.no_project_management}"[:200]
    elif state.tier is None or state.tier.tier != "light":
        raise Refused(
            "no-project-management",
            "no line is project management: add one, choose tier light, or say why there is none",
        )


@decide.on(EndorseEstimate)
def endorse_estimate(
    state: Engagement, command: EndorseEstimate, context: Context
) -> Iterator[Event]:
    """Only the assigned manager can, and only what is not superseded."""
    standing(state)
    if state.manager is None:
        raise Refused("no-manager", "nobody manages this engagement yet")
    if context.actor != state.manager.manager:
        raise Refused("not-the-manager", f"{state.manager.manager} manages this engagement")
    estimate = state.estimates.get(command.version)
    if estimate is None:
        raise Refused("unknown-estimate", f"there is no estimate version {command.version}")
    newest = max(state.estimates)
    if command.version != newest:
        raise Refused("superseded", f"estimate {command.version} is superseded by {newest}")
    if estimate.endorsed_by != context.actor:
        yield EstimateEndorsed(version=command.version, manager=context.actor)
