"""Test records of people: published whole, in a hierarchy, with the company for some time."""

from datetime import date

import pytest
from pydantic import ValidationError

from contracts.reference import CalendarPublished, PersonPublished, SignIn
from delivery.people.decisions import PublishPerson
from delivery.service import PERSON
from testkit.scenario import given, like
from tests.amounts import hours

PAT = PersonPublished(person="pat", name="Pat", department="delivery")
PIA = PersonPublished(person="pia", name="Pia", department="delivery", manager="mara")
LOGIN = SignIn(issuer="https://login.example/realms/concord", name="m.mint")
MUNICH = CalendarPublished(calendar="munich", name="Munich", country="DE", subdivision="BY")
mara = given(PERSON, "mara", records=[PAT, PIA, MUNICH])
PUBLISH = PublishPerson(
    name="Mara Mint",
    email="mara@example.com",
    department="delivery",
    roles=("engagement-manager",),
    skills=("Kafka", "Workshops"),
    grade="senior",
    cost_centre="CC-200",
    manager="pat",
    calendar="munich",
    joined=date(2020, 1, 1),
)


def test_an_unchanged_person_is_not_published_again() -> None:
    published = mara.when(PUBLISH).then(
        PersonPublished(
            person="mara",
            name="Mara Mint",
            email="mara@example.com",
            department="delivery",
            roles=("engagement-manager",),
            skills=("Kafka", "Workshops"),
            grade="senior",
            cost_centre="CC-200",
            manager="pat",
            calendar="munich",
            weekly_hours=hours(40),
            joined=date(2020, 1, 1),
        )
    )
    published.when(PUBLISH).then_nothing()
    leaving = PUBLISH.model_copy(update={"left": date(2026, 6, 30)})
    published.when(leaving).then(like(PersonPublished, left=date(2026, 6, 30), name="Mara Mint"))


def test_contradictory_records_of_people_are_refused() -> None:
    for bad in (
        {"email": "nowhere"},
        {"department": "customer"},
        {"skills": ["Kafka", "Kafka"]},
        {"weekly_hours": "-1"},
        {"sign_in": [LOGIN.model_dump()] * 2},
        {"sign_in": [{"issuer": "login.example", "name": "mara"}]},
        {"sign_in": [{"issuer": LOGIN.issuer, "name": ""}]},
        {"joined": "2026-02-01", "left": "2026-01-31"},
    ):
        with pytest.raises(ValidationError):
            PublishPerson.model_validate({"name": "Mara", "department": "delivery", **bad})


def test_an_account_at_an_identity_provider_belongs_to_one_person() -> None:
    signing_in = PUBLISH.model_copy(update={"sign_in": (LOGIN,)})
    mara.when(signing_in).then(like(PersonPublished, sign_in=(LOGIN,)))
    other = PAT.model_copy(update={"sign_in": (LOGIN,)})
    taken = given(PERSON, "mara", records=[other, PIA, MUNICH]).when(signing_in)
    taken.then_refused("sign-in-taken", fields={"sign_in"})
    elsewhere = LOGIN.model_copy(update={"issuer": "https://partner.example"})
    other = PAT.model_copy(update={"sign_in": (elsewhere,)})
    fine = given(PERSON, "mara", records=[other, PIA, MUNICH]).when(signing_in)
    fine.then(like(PersonPublished, person="mara", sign_in=(LOGIN,)))


@pytest.mark.parametrize("manager", ["mara", "pia"])
def test_no_person_is_a_manager_above_themselves(manager: str) -> None:
    mara.when(PUBLISH.model_copy(update={"manager": manager})).then_refused("manager-is-self")


def test_what_a_record_names_is_on_record() -> None:
    unknown = mara.when(PUBLISH.model_copy(update={"manager": "nil"}))
    unknown.then_refused("person-unknown", fields={"manager"})
    unknown = mara.when(PUBLISH.model_copy(update={"calendar": "nil"}))
    unknown.then_refused("calendar-unknown", fields={"calendar"})


def test_a_person_is_with_the_company_from_the_first_to_the_last_day() -> None:
    joined, left = date(2026, 2, 1), date(2026, 6, 30)
    known = PAT.model_copy(update={"joined": joined, "left": left})
    days = [date(2026, 1, 31), joined, left, date(2026, 7, 1)]
    assert [known.works_on(day) for day in days] == [False, True, True, False]
    assert all(PAT.works_on(day) for day in days)
