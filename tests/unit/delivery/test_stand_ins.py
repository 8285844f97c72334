"""Test that stand-ins are recorded by the person, a manager above them or a director."""

from datetime import date

import pytest
from pydantic import ValidationError

from contracts.reference import PersonPublished, StandIn, StandInsPublished
from delivery.service import STAND_INS
from delivery.stand_ins.decisions import PublishStandIns
from testkit.scenario import given

PEOPLE = [
    PersonPublished(person="mara", name="Mara", department="delivery", manager="pat"),
    PersonPublished(person="pat", name="Pat", department="delivery"),
    PersonPublished(person="max", name="Max", department="delivery", left=date(2026, 7, 31)),
]
MARA = given(STAND_INS, "mara", records=PEOPLE)


def publish(stand_in: str = "max", last: date = date(2026, 7, 14)) -> PublishStandIns:
    entry = StandIn(stand_in=stand_in, first=date(2026, 7, 1), last=last, purpose="approvals")
    return PublishStandIns(stand_ins=(entry,))


@pytest.mark.parametrize("by", ["mara", "pat"])
def test_the_person_and_the_managers_above_may_record_stand_ins(by: str) -> None:
    published = MARA.when(publish(), by=by).then(
        StandInsPublished(person="mara", stand_ins=publish().stand_ins)
    )
    published.when(publish(), by=by).then_nothing()


def test_a_director_may_record_stand_ins_and_others_may_not() -> None:
    MARA.when(publish(), by="other", roles=["pmo-director"]).then_accepted()
    MARA.when(publish(), by="max", roles=["engagement-manager"]).then_refused(
        "record-not-own-or-team"
    )


def test_a_stand_in_is_another_person_who_is_with_the_company() -> None:
    MARA.when(publish("mara"), by="mara").then_refused("stand-in-is-self")
    MARA.when(publish("nil"), by="mara").then_refused("person-unknown")
    later = publish(last=date(2026, 8, 1))
    MARA.when(later, by="mara").then_refused("person-not-with-company")


def test_a_stand_in_is_judged_by_the_record_of_the_days() -> None:
    july = date(2026, 7, 1)
    renewed = PersonPublished(person="max", name="Max", department="delivery", effective_from=july)
    later = publish(last=date(2026, 8, 1))
    MARA.knowing(*PEOPLE, renewed).when(later, by="mara").then_accepted()
    leaving = renewed.model_copy(update={"left": date(2026, 7, 10)})
    MARA.knowing(*PEOPLE, leaving).when(publish(), by="mara").then_refused(
        "person-not-with-company", saying="2026-07-14"
    )


@pytest.mark.parametrize(
    "bad", [{"last": "2026-06-30"}, {"purpose": "signing"}, {"stand_in": "max@example.com"}]
)
def test_invalid_stand_ins_are_refused_by_field(bad: dict[str, object]) -> None:
    entry = {
        "stand_in": "max",
        "first": "2026-07-01",
        "last": "2026-07-14",
        "purpose": "time",
        **bad,
    }
    with pytest.raises(ValidationError):
        PublishStandIns.model_validate({"stand_ins": [entry]})
