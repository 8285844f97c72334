"""Publish templates for kinds of work, from which estimates and plans are made."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from chassis.domain.capability import Capability
from chassis.domain.commands import Refused
from chassis.domain.context import Context
from chassis.domain.reference import Publish, Record, next_version
from contracts.event import Event
from contracts.reference import TemplateDetails, TemplatePublished
from delivery.planning.scheduling import milestone_id, task_id
from delivery.roles import MANAGERS

capability = Capability[Record[TemplatePublished]](__name__)

WHOLE = Decimal(100)


class PublishTemplate(TemplateDetails, Publish):
    """Publish a template for a kind of work: its usual estimate, phases and tasks.

    The whole template is given, not only what changed. Shares are in percent and must add up to
    100: the phases' shares of the duration, and for each role the tasks' shares of its hours.
    Phases and tasks with keys keep their identity, and so the progress of plans that are drafted
    again, when they are renamed or moved; those without a key are known by their names.
    """


@capability.decide(PublishTemplate, by=MANAGERS, opens=True)
def publish_template(
    state: Record[TemplatePublished], command: PublishTemplate, context: Context
) -> Iterable[Event]:
    """Publish the next version of the template, unless it equals the one in force.

    Raises Refused where shares do not add up to 100 %, since plans made from it would lose days or
    hours, and where two phases or two tasks have one key, or no key and one name, since what is
    planned from them could not be told apart.
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
    template = TemplatePublished(template=state.id, **dict(command))
    _require_distinct(
        "phase", ((each.phase, milestone_id(template, each)) for each in template.phases)
    )
    _require_distinct(
        "task",
        (
            (f"{task.title} of {phase.phase}", task_id(template, phase, task))
            for phase in template.phases
            for task in phase.tasks
        ),
    )
    yield from next_version(state, command, context)


def _require_distinct(what: str, named: Iterable[tuple[str, str]]) -> None:
    known: dict[str, str] = {}
    for name, identity in named:
        if identity in known:
            sentence = f"{what} {name} has the key or the name of {what} {known[identity]}"
            raise Refused("keys-not-distinct", f"{sentence}: give each a key of its own")
        known[identity] = name
