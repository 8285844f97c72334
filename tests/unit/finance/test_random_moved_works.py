"""Check random lives of an engagement against one whose works never leave it.

Both get the same events and commands. What moves is carried out late, in any order, but before the
next command, so that both know the same then.
"""

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from chassis.domain.commands import Command, Refused
from contracts.reference import CostRatesPublished
from finance.moved_works import decisions as moved_works
from finance.moved_works.events import CorrectionBegun
from finance.number_series.events import NumberTaken
from finance.periods.requests import BookPeriod
from finance.service import ENGAGEMENT
from finance.work.works import Work
from testkit.scenario import Outcome
from tests.unit.finance.builders import COSTS, rates
from tests.unit.finance.month_streams import MonthStreams, asked_of_months
from tests.unit.finance.test_random_work import END, Story

SOME_COSTS = COSTS.model_copy(update={"rates": rates(architect=80)})
WITHOUT_MOVING = replace(
    ENGAGEMENT,
    capabilities=tuple(
        each for each in ENGAGEMENT.capabilities if each is not moved_works.capability
    ),
)


class Twins(Story):
    """A random story of an engagement, and of its twin that keeps all works."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.twin = replace(self.engagement, decider=WITHOUT_MOVING)
        self.months = MonthStreams()
        self.moved, self.rates = 0, Random(seed)

    def step(self) -> None:
        self.number += 1
        if self.rates.random() < 0.15:
            self._publish(self.rates.choice((COSTS, SOME_COSTS)))
        thing = self._booking() if self.random.random() < 0.12 else self.thing()
        if self.twin.stream.requests and self.random.random() < 0.6:
            self._number()
        elif isinstance(thing, Command):
            self._settle()
            one, other = self.engagement.when(thing), self.twin.when(thing)
            begun = [each for each in one.events if isinstance(each, CorrectionBegun)]
            if not begun:
                assert _code(one.refusal) == _code(other.refusal), thing
            self._went_on(one, other)
            for each in begun:  # what is wrong is recorded once the works are back
                refused = each.invoice in self.engagement.state.moved_works.refused
                assert refused == (other.refusal is not None), thing
        else:
            one, other = self.engagement.when_consumed(thing), self.twin.when_consumed(thing)
            self.engagement, self.twin = one.after, other.after
            self._carry_out_some()

    def _publish(self, costs: CostRatesPublished) -> None:
        """Publish other cost rates: a role may have none, or has one from now on."""
        self._settle()
        self.engagement, self.twin = self.engagement.knowing(costs), self.twin.knowing(costs)

    def _booking(self) -> Command:
        month = f"2026-{self.random.randint(4, 8):02}"
        return BookPeriod(company="us", month=month, accepted="Late.")

    def _number(self) -> None:
        self._settle()
        name, item = self.random.choice(sorted(self.twin.stream.requests)).split("/")
        taken = NumberTaken(number=self.number, on=END)
        self._went_on(
            self.engagement.when_outcome(name, item, taken),
            self.twin.when_outcome(name, item, taken),
        )

    def _carry_out_some(self) -> None:
        asked = asked_of_months(self.engagement)
        while asked and self.random.random() < 0.4:
            self._carry_out(self.random.choice(asked))
            asked = asked_of_months(self.engagement)

    def _carry_out(self, asked: Any) -> None:
        self.engagement = self.months.carried_out(self.engagement, asked)
        self.moved += asked.command == "take-works"

    def _settle(self) -> None:
        """Carry out all requests; ids of things follow from the number of steps of the twin."""
        while asked := asked_of_months(self.engagement):
            self._carry_out(self.random.choice(asked))
        self.engagement = replace(self.engagement, steps=self.twin.steps)

    def _went_on(self, one: Outcome[Any], other: Outcome[Any]) -> None:
        self.engagement, self.twin = one.after, other.after
        self._settle()
        self.require_equal()

    def require_equal(self) -> None:
        state, twin = self.engagement.state, self.twin.state
        assert _all(self, state.work.done) == twin.work.done
        kept = {"work": twin.work.updated(done={}), "moved_works": twin.moved_works}
        work = state.work.updated(done={}, copies={})
        state = state.updated(work=work, moved_works=twin.moved_works)
        assert state.work == twin.work.updated(done={})
        assert state == twin.updated(**kept)
        hidden = {"moved_months", "corrections"}
        shown = {name: each for name, each in self.engagement.view.items() if name not in hidden}
        assert shown == self.twin.view


def _all(story: Twins, done: dict[str, dict[str, Work]]) -> dict[str, dict[str, Work]]:
    """Return the works that the engagement and its months have; each is in one place."""
    every = {month: dict(works) for month, works in done.items()}
    for subject, stream in story.months.streams.items():
        of_month = every.setdefault(subject.rpartition(".")[2], {})
        assert not of_month.keys() & stream.state.works.keys()
        of_month |= stream.state.works
    return {month: works for month, works in every.items() if works}


def _code(refusal: Refused | None) -> str | None:
    return refusal.code if refusal else None


@pytest.mark.parametrize("seed", range(10))
def test_an_engagement_is_the_same_whether_its_works_move_or_not(seed: int) -> None:
    story = Twins(seed)
    for _ in range(70):
        story.step()
    story._settle()
    story.require_equal()
    assert story.moved
    costs = [work.cost for works in _all(story, {}).values() for work in works.values()]
    assert None not in costs or not story.engagement.state.work.is_costed()
