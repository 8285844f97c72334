import pytest
from pydantic import ValidationError

from contracts.reference import PersonPublished
from delivery.reference import PERSON, TEMPLATE, PublishPerson, PublishTemplate
from testkit.scenario import given, like
from tests.unit.delivery.life import TEMPLATE as WEB
from tests.unit.delivery.life import hours

mara = given(PERSON, "mara")
web = given(TEMPLATE, "web")
PUBLISH = PublishPerson(
    name="Mara Mint",
    email="mara@example.com",
    department="delivery",
    roles=("engagement-manager",),
    manager="pat",
)
WEB_COMMAND = PublishTemplate(name=WEB.name, estimate=WEB.estimate, phases=WEB.phases)


def test_an_unchanged_person_is_not_published_again() -> None:
    published = mara.when(PUBLISH).then(
        PersonPublished(
            person="mara",
            name="Mara Mint",
            email="mara@example.com",
            department="delivery",
            roles=("engagement-manager",),
            manager="pat",
            available_hours=hours(40),
        )
    )
    published.when(PUBLISH).then_nothing()
    moved = PUBLISH.model_copy(update={"manager": "pia"})
    published.when(moved).then(like(PersonPublished, manager="pia", name="Mara Mint"))


def test_contradictory_records_of_people_are_refused() -> None:
    mara.when(PUBLISH.model_copy(update={"manager": "mara"})).then_refused("manager-is-self")
    mara.when(PUBLISH.model_copy(update={"account": "acme"})).then_refused("person-not-customer")
    with pytest.raises(ValidationError):
        PublishPerson(name="Mara", email="nowhere", department="delivery")


def test_an_unchanged_template_is_not_published_again() -> None:
    web.when(WEB_COMMAND).then(WEB).when(WEB_COMMAND).then_nothing()


def test_a_templates_shares_add_up() -> None:
    analysis, build = WEB.phases
    short = build.model_copy(update={"duration_share": hours(70)})
    web.when(WEB_COMMAND.model_copy(update={"phases": (analysis, short)})).then_refused(
        "shares-do-not-add-up", saying="duration"
    )
    idle = build.model_copy(update={"tasks": build.tasks[:1]})
    web.when(WEB_COMMAND.model_copy(update={"phases": (analysis, idle)})).then_refused(
        "shares-do-not-add-up", saying="project-manager take 40 %"
    )
