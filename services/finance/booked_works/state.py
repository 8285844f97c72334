"""State of the works of a booked month."""

from typing import Self

from chassis.domain.state import Part, on_event
from finance.booked_works.events import CostsKnown, WorksGivenBack, WorksTaken
from finance.work.works import Work


class BookedWorks(Part):
    """The works of an engagement and month that its own stream does not have, by their keys."""

    works: dict[str, Work] = {}

    @on_event
    def _taken(self, event: WorksTaken) -> Self:
        return self.updated(works={**self.works, **{each.key: each for each in event.works}})

    @on_event
    def _costs_known(self, event: CostsKnown) -> Self:
        costed = {
            each.work: known.changed(cost=each.cost)
            for each in event.costs
            if (known := self.works.get(each.work)) is not None and known.number == each.number
        }
        return self.updated(works={**self.works, **costed})

    @on_event
    def _given_back(self, event: WorksGivenBack) -> Self:
        gone = {each.key for each in event.works}
        left = {key: each for key, each in self.works.items() if key not in gone}
        return self.updated(works=left)
