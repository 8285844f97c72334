"""Test that leave is recorded by the person, a manager above them or a director."""

from datetime import date

import pytest
from pydantic import ValidationError

from contracts.reference import LeavePeriod, LeavePublished, PersonPublished
from contracts.roles import Role
from delivery.leave.decisions import PublishLeave
from delivery.service import LEAVE
from testkit.scenario import given

PEOPLE = [
    PersonPublished(person="dev", name="Dev", department="delivery", manager="mara"),
    PersonPublished(person="mara", name="Mara", department="delivery", manager="pat"),
    PersonPublished(person="pat", name="Pat", department="delivery"),
]
DEV = given(LEAVE, "dev", records=PEOPLE)
JULY = LeavePeriod(first=date(2026, 7, 1), last=date(2026, 7, 14))
PUBLISH = PublishLeave(periods=(JULY,))
PUBLISHED = LeavePublished(person="dev", periods=(JULY,))


@pytest.mark.parametrize("by", ["dev", "mara", "pat"])
def test_the_person_and_the_managers_above_may_record_leave(by: str) -> None:
    DEV.when(PUBLISH, by=by).then(PUBLISHED).when(PUBLISH, by="dev").then_nothing()


@pytest.mark.parametrize("role", ["pmo-director", "operator"])
def test_a_keeper_of_records_may_record_leave(role: Role) -> None:
    DEV.when(PUBLISH, by="other", roles=[role]).then(PUBLISHED)


def test_others_may_not_record_leave() -> None:
    DEV.when(PUBLISH, by="other", roles=["engagement-manager"]).then_refused(
        "record-not-own-or-team"
    )
    mara = given(LEAVE, "mara", records=PEOPLE)
    mara.when(PUBLISH, by="dev").then_refused("record-not-own-or-team")
    given(LEAVE, "nil", records=PEOPLE).when(PUBLISH, by="nil").then_refused("person-unknown")


def test_managers_in_a_circle_do_not_delay_the_refusal() -> None:
    circle = [PEOPLE[0], PEOPLE[1].model_copy(update={"manager": "dev"})]
    scenario = given(LEAVE, "dev", records=circle)
    scenario.when(PUBLISH, by="other").then_refused("record-not-own-or-team")


@pytest.mark.parametrize(
    "periods",
    [
        [("2026-07-02", "2026-07-01")],
        [("2026-07-01", "2026-07-14"), ("2026-07-14", "2026-07-20")],
        [("2026-07-14", "2026-07-20"), ("2026-07-01", "2026-07-14")],
    ],
)
def test_periods_are_in_order_and_do_not_overlap(periods: list[tuple[str, str]]) -> None:
    with pytest.raises(ValidationError):
        PublishLeave.model_validate(
            {"periods": [{"first": first, "last": last} for first, last in periods]}
        )
