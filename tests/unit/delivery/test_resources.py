from datetime import date, timedelta
from functools import cache

import pytest
from pydantic import ValidationError

from contracts.delivery import ResourceAllocated, ResourceReleased, ResourceRequested
from contracts.reference import PersonPublished
from delivery.engagement import Engagement
from delivery.resources.decisions import AllocateResource, ReleaseResource, RequestResource
from testkit.scenario import Scenario, like, permutations_agree
from tests.amounts import hours
from tests.unit.delivery.builders import FINISH, LOST, START, TERMINATED, managed, signed

WANTED = ResourceRequested(
    request="RQ-1", role="architect", hours=hours(40), starts_on=START, finishes_on=FINISH
)
WANT = RequestResource.model_validate(dict(WANTED))
ALLOCATED = ResourceAllocated(
    request="RQ-1",
    person="dev",
    role="architect",
    hours=hours(40),
    starts_on=START,
    finishes_on=FINISH,
    commitment="soft",
)
GIVE = AllocateResource(request="RQ-1", person="dev")


@cache
def wanted() -> Scenario[Engagement]:
    return managed().published(WANTED)


@cache
def allocated() -> Scenario[Engagement]:
    return wanted().published(ALLOCATED)


def test_hours_of_a_role_are_requested() -> None:
    managed().when(WANT).then(WANTED).when(WANT).then_nothing()
    other = WANT.model_copy(update={"hours": hours(60)})
    wanted().when(other).then_refused("already-recorded")
    named = managed().when(WANT.model_copy(update={"request": None})).then(like(ResourceRequested))
    assert named.view["resources"][0].requested.request.startswith("RQ-")


def test_a_request_ends_after_it_starts() -> None:
    with pytest.raises(ValidationError, match="finishes_on must not be before"):
        RequestResource(role="architect", hours=hours(1), starts_on=FINISH, finishes_on=START)


def test_an_allocation_has_the_requests_hours_and_days() -> None:
    wanted().when(GIVE).then(ALLOCATED).when(GIVE).then_nothing()


def test_a_soft_allocation_becomes_hard_and_never_soft_again() -> None:
    hard = (
        allocated()
        .when(GIVE.model_copy(update={"commitment": "hard"}))
        .then(ALLOCATED.model_copy(update={"commitment": "hard"}))
    )
    hard.when(GIVE).then_refused("person-committed")


def test_people_who_cannot_be_allocated() -> None:
    managed().when(GIVE).then_refused("request-unknown")
    wanted().when(AllocateResource(request="RQ-1", person="who")).then_refused("person-unknown")
    customer = AllocateResource(request="RQ-1", person="cleo")
    wanted().when(customer).then_refused("person-unknown")
    backwards = GIVE.model_copy(update={"starts_on": date(2026, 12, 1)})
    wanted().when(backwards).then_refused("finish-before-start")


@pytest.mark.parametrize(
    ("joined", "left"), [(START + timedelta(days=1), None), (None, FINISH - timedelta(days=1))]
)
def test_a_person_is_with_the_company_for_the_whole_allocation(
    joined: date | None, left: date | None
) -> None:
    dev = PersonPublished(person="dev", name="Dev", department="delivery", joined=joined, left=left)
    refused = wanted().knowing(dev).when(GIVE)
    refused.then_refused("person-not-with-company", saying="dev is not with the company")
    covered = GIVE.model_copy(update={"starts_on": joined or START, "finishes_on": left or FINISH})
    wanted().knowing(dev).when(covered).then_accepted()


def test_an_allocation_reads_the_persons_record_of_its_days() -> None:
    leaving = PersonPublished(
        person="dev", name="Dev", department="delivery", left=START - timedelta(days=1)
    )
    staying = leaving.model_copy(update={"left": None})
    renewed = staying.model_copy(update={"effective_from": START})
    wanted().knowing(leaving, renewed).when(GIVE).then_accepted()
    before = GIVE.model_copy(update={"starts_on": START - timedelta(days=1)})
    wanted().knowing(leaving, renewed).when(before).then_accepted()
    planned = leaving.model_copy(update={"effective_from": START})
    refused = wanted().knowing(staying, planned).when(GIVE)
    refused.then_refused("person-not-with-company", saying=f"on {START}")


def test_a_person_is_released() -> None:
    let_go = ReleaseResource(request="RQ-1", person="dev")
    free = (
        allocated()
        .when(let_go)
        .then(ResourceReleased(request="RQ-1", person="dev", released_on=date(2026, 1, 5)))
    )
    free.when(let_go).then_nothing()
    free.on(date(2026, 1, 7)).when(let_go).then_nothing()
    managed().when(let_go).then_refused("request-unknown")


def test_a_release_on_another_day_or_of_a_person_who_was_not_allocated_is_refused() -> None:
    let_go = ReleaseResource(request="RQ-1", person="dev")
    free = allocated().after(let_go)
    other = let_go.model_copy(update={"released_on": date(2026, 1, 2)})
    free.when(other).then_refused("already-recorded", saying="released_on")
    wanted().when(let_go).then_refused("person-not-allocated", saying="dev")


@pytest.mark.parametrize(("over", "day"), [(LOST, "2026-03-02"), (TERMINATED, "2026-05-04")])
def test_everybody_is_released_when_the_engagement_is_over(over, day: str) -> None:
    both = allocated().published(ALLOCATED.model_copy(update={"person": "milo"}))
    free = both.when_consumed(over).then(
        ResourceReleased(request="RQ-1", person="dev", released_on=date.fromisoformat(day)),
        ResourceReleased(request="RQ-1", person="milo", released_on=date.fromisoformat(day)),
    )
    assert not free.view["resources"][0].allocated


def test_people_are_released_once_in_any_order_of_events() -> None:
    permutations_agree(signed(), WANTED, ALLOCATED, TERMINATED)
