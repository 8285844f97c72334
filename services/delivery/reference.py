"""Reference data that Delivery keeps: people (names stand nowhere else) and templates."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.decider import Command, Context, Decider, Decisions, Evolution, Refused
from contracts.event import Event, Recorded
from contracts.reference import PersonPublished, TemplatePhase, TemplatePublished
from contracts.values import AccountId, Day, Hours, ItemLine, PersonId, ProjectRole, ShortText
from delivery.state import Part

WHOLE = Decimal(100)


class PublishPerson(Command):
    """Publish a person of the company or of a customer, or what changed about them, whole."""

    effective_from: Day | None = None
    name: ShortText
    email: Annotated[str, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")] | None = None
    department: Literal["sales", "legal", "delivery", "finance", "executive", "customer"]
    roles: Annotated[tuple[ProjectRole, ...], Field(max_length=20)] = ()
    manager: PersonId | None = None
    account: AccountId | None = None
    available_hours: Hours = Decimal(40)


class PublishTemplate(Command):
    """Publish a way of doing a kind of work, or what changed about it, whole.

    Shares are in percent: of the duration by phase, of each role's hours by task; each add up.
    """

    effective_from: Day | None = None
    name: ShortText
    estimate: Annotated[tuple[ItemLine, ...], Field(max_length=500)] = ()
    phases: Annotated[tuple[TemplatePhase, ...], Field(min_length=1, max_length=50)]


class Person(Part):
    """A person: the newest version of the record."""

    person: str
    published: PersonPublished | None = None


class Template(Part):
    """A template: the newest version of the record."""

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
    """A customer's person belongs to an account, anybody else to none."""
    if command.account is not None and command.department != "customer":
        raise Refused("not-the-customer", "only people of a customer belong to an account")
    if command.manager == state.person:
        raise Refused("own-manager", "nobody is their own manager")
    event = PersonPublished.model_validate({"person": state.person} | dict(command))
    if event != state.published:
        yield event


@decide_template.on(PublishTemplate)
def publish_template(
    state: Template, command: PublishTemplate, context: Context
) -> Iterator[Event]:
    """Shares that do not add up would lose days or hours in every plan made from it."""
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
    """The record of a person as it stands."""

    person: str
    record: PersonPublished | None


class TemplateView(ViewModel):
    """The record of a template as it stands."""

    template: str
    record: TemplatePublished | None


def person_view(state: Person) -> PersonView:
    """What the company sees of a person."""
    return PersonView(person=state.person, record=state.published)


def template_view(state: Template) -> TemplateView:
    """What the company sees of a template."""
    return TemplateView(template=state.template, record=state.published)
