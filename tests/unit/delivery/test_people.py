import pytest
from pydantic import ValidationError

from contracts.reference import PersonPublished
from delivery.people.decisions import PublishPerson
from delivery.service import PERSON
from testkit.scenario import given, like
from tests.unit.delivery.builders import hours

mara = given(PERSON, "mara")
PUBLISH = PublishPerson(
    name="Mara Mint",
    email="mara@example.com",
    department="delivery",
    roles=("engagement-manager",),
    manager="pat",
)


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
    with pytest.raises(ValidationError):
        PublishPerson.model_validate({"name": "Cleo", "department": "customer"})
    with pytest.raises(ValidationError):
        PublishPerson(name="Mara", email="nowhere", department="delivery")
