"""Publish templates for kinds of work, from which estimates and plans are made."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from contracts.event import Event
from contracts.reference import TemplateDetails, TemplatePublished
from contracts.values import Day
from delivery.roles import MANAGERS
from delivery.templates.state import Template

capability = Capability[Template](__name__)

WHOLE = Decimal(100)


class PublishTemplate(TemplateDetails, Command):
    """Publish a template for a kind of work: its usual estimate, phases and tasks.

    The whole template is given, not only what changed. Shares are in percent and must add up to
    100: the phases' shares of the duration, and for each role the tasks' shares of its hours.
    """

    effective_from: Day | None = None


@capability.decide(PublishTemplate, by=MANAGERS, opens=True)
def publish_template(
    state: Template, command: PublishTemplate, context: Context
) -> Iterable[Event]:
    """Publish the next version of the template, unless it equals the last one.

    Raises Refused where shares do not add up to 100 %: plans made from it would lose days or hours.
    """
    if sum(phase.duration_share for phase in command.phases) != WHOLE:
        raise Refused("shares-do-not-add-up", "the phases' shares of the duration are not 100 %")
    shares: defaultdict[str, Decimal] = defaultdict(Decimal)
    for task in (task for phase in command.phases for task in phase.tasks):
        shares[task.role] += task.share
    for role, share in shares.items():
        if share != WHOLE:
            sentence = f"the tasks of {role} take {share} % of its hours, not 100 %"
            raise Refused("shares-do-not-add-up", sentence)
    event = TemplatePublished(template=state.template, **dict(command))
    if event != state.published:
        yield event


class TemplateView(ViewModel):
    """Newest record of a template; None before the first one."""

    template: str
    record: TemplatePublished | None


@capability.view
def template_view(state: Template) -> TemplateView:
    """Return the view of a template for all staff."""
    return TemplateView(template=state.template, record=state.published)
