"""Publish the reference data that Delivery owns: people and templates.

Names of people are stored here only.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.decider import Decider, Decisions, Evolution
from contracts.event import Event, Recorded
from contracts.reference import PersonPublished, TemplatePhase, TemplatePublished
from contracts.values import AccountId, Day, Hours, ItemLine, PersonId, ProjectRole, ShortText
from delivery.state import Part

WHOLE = Decimal(100)


class PublishPerson(Command):
    """Publish the record of a person of the company or of a customer.

    The whole record is given, not only what changed. `available_hours` are per week.
    """

    effective_from: Day | None = None
    name: ShortText
    email: Annotated[str, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")] | None = None
    department: Literal["sales", "legal", "delivery", "finance", "executive", "customer"]
    roles: Annotated[tuple[ProjectRole, ...], Field(max_length=20)] = ()
    manager: PersonId | None = None
    account: AccountId | None = None
    available_hours: Hours = Decimal(40)


class PublishTemplate(Command):
    """Publish a template for a kind of work: its usual estimate, phases and tasks.

    The whole template is given, not only what changed. Shares are in percent and must add up to
    100: the phases' shares of the duration, and for each role the tasks' shares of its hours.
    """

    effective_from: Day | None = None
    name: ShortText
    estimate: Annotated[tuple[ItemLine, ...], Field(max_length=500)] = ()
    phases: Annotated[tuple[TemplatePhase, ...], Field(min_length=1, max_length=50)]


class Person(Part):
    """Newest version of a person's record."""

    person: str
    published: PersonPublished | None = None


class Template(Part):
    """Newest version of a template."""

    template: str
    published: TemplatePublished | None = None


evolve_person = Evolution[Person]()
decide_person = Decisions[Person]()
evolve_template = Evolution[Template]()
decide_template = Decisions[Template]()


@evolve_person.on(PersonPublished)
def _person(state: Person, recorded: Recorded[PersonPublished]) -> Person:
    return state.model_copy(update={"published": recorded.event})


@evolve_template.on(TemplatePublished)
def _template(state: Template, recorded: Recorded[TemplatePublished]) -> Template:
    return state.model_copy(update={"published": recorded.event})


@decide_person.on(PublishPerson)
def publish_person(state: Person, command: PublishPerson, context: Context) -> Iterator[Event]:
    """Publish the record if it changed.

    Raises Refused where a person who is not a customer's has an account, or where the person is
    their own manager.
    """
    if command.account is not None and command.department != "customer":
        raise Refused("person-not-customer", "only people of a customer belong to an account")
    if command.manager == state.person:
        raise Refused("manager-is-self", "a person cannot be their own manager")
    event = PersonPublished.model_validate({"person": state.person} | dict(command))
    if event != state.published:
        yield event


@decide_template.on(PublishTemplate)
def publish_template(
    state: Template, command: PublishTemplate, context: Context
) -> Iterator[Event]:
    """Publish the template if it changed.

    Raises Refused where shares do not add up to 100 %: plans made from it would lose days or hours.
    """
    if sum(phase.duration_share for phase in command.phases) != WHOLE:
        raise Refused("shares-do-not-add-up", "the phases' shares of the duration are not 100 %")
    shares: dict[str, Decimal] = {}
    for phase in command.phases:
        for task in phase.tasks:
            shares[task.role] = shares.get(task.role, Decimal(0)) + task.share
    for role, share in shares.items():
        if share != WHOLE:
            sentence = f"the tasks of {role} take {share} % of its hours, not 100 %"
            raise Refused("shares-do-not-add-up", sentence)
    event = TemplatePublished.model_validate({"template": state.template} | dict(command))
    if event != state.published:
        yield event


PERSON: Decider[Person] = Decider(
    department="delivery",
    kind="person",
    initial=lambda person: Person(person=person),
    evolve=evolve_person,
    decide=decide_person,
    opens=frozenset({PublishPerson}),
)

TEMPLATE: Decider[Template] = Decider(
    department="delivery",
    kind="template",
    initial=lambda template: Template(template=template),
    evolve=evolve_template,
    decide=decide_template,
    opens=frozenset({PublishTemplate}),
)


class PersonView(ViewModel):
    """Newest record of a person; None before the first one."""

    person: str
    record: PersonPublished | None


class TemplateView(ViewModel):
    """Newest record of a template; None before the first one."""

    template: str
    record: TemplatePublished | None


def person_view(state: Person) -> PersonView:
    """Return the view of a person."""
    return PersonView(person=state.person, record=state.published)


def template_view(state: Template) -> TemplateView:
    """Return the view of a template."""
    return TemplateView(template=state.template, record=state.published)
