"""Check on random lives that the gateway shows the work that Finance shows, to the cent."""

import pytest

from chassis.domain.commands import Command
from contracts.event import Event
from contracts.finance import CreditNoteIssued
from contracts.money import Money
from gateway.view.approved_work import approved_work
from gateway.view.engagement_view import View, apply_event
from tests.builders import Life
from tests.unit.finance.builders import (
    ESTIMATE,
    ID,
    OPENED,
    PROPOSED,
    SIGNED,
    SOW_SIGNED,
    WON,
    opened,
)
from tests.unit.finance.test_random_work import ODD_RATES, RATES, Story


class Seen(Story):
    """A random story of an engagement whose events reach the gateway at once."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, ODD_RATES if seed % 2 else RATES)
        self.life, self.view = Life(ID), View(ID)
        self.parts = 0  # credit notes with works that are billed again in part
        sold = (ESTIMATE, PROPOSED, WON, self.sow)
        first = opened().when_consumed(*sold)
        signed = first.then_accepted().on(SIGNED).when_consumed(SOW_SIGNED)
        self.say(OPENED, *sold, *(each.event for each in first.published))
        self.say(SOW_SIGNED, *(each.event for each in signed.published))

    def say(self, *events: Event) -> None:
        """Let the gateway read events."""
        known = len(self.life.events)
        self.life.say(1, *events)
        for recorded in self.life.events[known:]:
            apply_event(self.view, recorded)

    def step(self) -> None:
        """Let something happen, and the gateway read what follows."""
        outcome = self.happens()
        for each in outcome.published:
            if isinstance(each.event, CreditNoteIssued):
                self.parts += any(work.given_back for work in each.event.works)
        self.say(*(each.event for each in outcome.published))
        self.engagement = outcome.after

    def time(self) -> Event:
        """Return approved time; Delivery has no billable entries in what it approves as cost."""
        return super().time().model_copy(update={"why_not_billed": None})

    def thing(self) -> Command | Event:
        """Return a random command, or an event of Delivery that the gateway reads first."""
        thing = super().thing()
        if isinstance(thing, Event):
            self.say(thing)
        return thing

    def in_finance(self) -> dict[str, tuple[Money, Money, Money]]:
        """Return the unbilled, held and written-down worth by line, as Finance shows it."""
        withheld = {each.line: each for each in self.engagement.view["withheld"]}
        found = {}
        for each in self.engagement.view["unbilled"]:
            nothing, other = Money.zero(each.unbilled.currency), withheld.get(each.line)
            held, written_down = (other.held, other.written_down) if other else (nothing, nothing)
            found[each.line] = each.unbilled, held, written_down
        return found


@pytest.mark.parametrize("seed", [3, 4, 5, 6, 10, 17, 19])
def test_the_gateway_shows_the_amounts_of_finance(seed: int) -> None:
    story = Seen(seed)
    for _ in range(60):
        story.step()
        shown = {
            each.line: (each.unbilled, each.held, each.written_down)
            for each in approved_work(story.view)
        }
        assert shown == story.in_finance()
    assert story.parts
