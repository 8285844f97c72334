"""Test that disconnects are found by the tolerances of the company that sells, on each day."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest

from contracts.channels import PARTITIONS
from contracts.event import Event, Recorded
from contracts.reference import Reference, TolerancesPublished
from gateway.projection.projector import Projector
from gateway.projection.tolerances import CompanyTolerances
from gateway.publisher import DisconnectPublisher
from gateway.view.engagement_view import View
from testkit.scenario import RecordsOf
from tests.builders import ENGAGEMENT, Life
from tests.unit.gateway.test_disconnects import rebaselined
from tests.unit.gateway.test_engagement_view import view_of
from tests.unit.gateway.test_projector import InMemory

LIFE = rebaselined(Life().kicked_off(), hours=912)  # 14 % more than the 800 h that are sold
TODAY = LIFE.day(45)
WIDE = TolerancesPublished(tolerances="our", hours_percent=Decimal(15))


class Gateway:
    """A projector and its publisher, with tolerances that are published while they run."""

    def __init__(self, store: InMemory, *records: Reference, today: date = TODAY) -> None:
        self.records = RecordsOf(records)
        self.projector = Projector(store, lambda: self.today, CompanyTolerances(self))
        self.today = today

        async def nothing() -> None: ...

        self._publisher = DisconnectPublisher(
            self.projector, cast("Any", None), lambda: True, nothing
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self.records, name)

    async def assigned(self) -> "Gateway":
        await self.projector.assigned(frozenset(range(PARTITIONS)))
        return self

    async def found(self, events: list[Recorded[Event]] | None = None) -> list[str]:
        """Return the disconnects after events, or else after a round of the publisher."""
        if events is not None:
            assert await self.projector.process({ENGAGEMENT: events}) == {}
        else:
            await self._publisher._judge_again()
        cached = await self.projector.look(ENGAGEMENT)
        assert cached is not None
        assert await self.projector.flush(now=True)
        return [*cached.disconnects]


async def test_more_hours_than_sold_are_accepted_where_the_company_tolerates_them() -> None:
    store = InMemory()
    assert await (await Gateway(store).assigned()).found(LIFE.events) == ["sold-hours-differ"]
    assert await (await Gateway(InMemory(), WIDE).assigned()).found(LIFE.events) == []
    other = WIDE.model_copy(update={"tolerances": "other"})
    gateway = await Gateway(InMemory(), other).assigned()
    assert await gateway.found(LIFE.events) == ["sold-hours-differ"]


async def test_disconnects_are_found_again_when_tolerances_are_published() -> None:
    store = InMemory()
    gateway = await Gateway(store).assigned()
    assert await gateway.found(LIFE.events) == ["sold-hours-differ"]
    before = store.documents[ENGAGEMENT]["number"]

    gateway.records = RecordsOf([WIDE])
    assert await gateway.found() == []
    assert store.documents[ENGAGEMENT]["number"] > before  # else the store keeps the old document
    gateway.records = RecordsOf([WIDE, WIDE.model_copy(update={"hours_percent": Decimal(12)})])
    assert await gateway.found() == ["sold-hours-differ"]


async def test_tolerances_that_were_published_while_no_worker_ran_are_applied() -> None:
    store = InMemory()
    await (await Gateway(store).assigned()).found(LIFE.events)

    assert await (await Gateway(store, WIDE).assigned()).found() == []


async def test_tolerances_of_a_later_day_are_applied_from_that_day_on() -> None:
    later = WIDE.model_copy(update={"effective_from": TODAY + timedelta(days=1)})
    gateway = await Gateway(InMemory(), later).assigned()
    assert await gateway.found(LIFE.events) == ["sold-hours-differ"]

    gateway.today = TODAY + timedelta(days=1)
    assert await gateway.found() == []


@pytest.mark.parametrize(
    ("view", "allowed"),
    [
        (View(ENGAGEMENT), Decimal(10)),  # no company is known
        (view_of(LIFE.events), Decimal(15)),
    ],
)
def test_an_engagement_without_a_company_has_the_defaults(view: View, allowed: Decimal) -> None:
    tolerances = CompanyTolerances(RecordsOf([WIDE])).on(view, TODAY)
    assert tolerances.hours_percent == allowed
