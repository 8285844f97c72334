"""Test that healthy engagements have no disconnect in any week of their lives."""

from datetime import timedelta

import pytest

from gateway.rules import judge
from gateway.view.engagement_view import View, apply_event
from tests.unit.simulation import ENGAGEMENT
from tests.year.lives import Life, lived
from tests.year.seeds import SEEDS

_WEEKS_AFTER = 8
"""Weeks after the last event in which the engagement is judged, too."""


def _found(life: Life) -> dict[str, str]:
    """Return all disconnects, open or confidential, of each Sunday: when they began, and what."""
    events, view, found = life.events, View(ENGAGEMENT), dict[str, str]()
    day = life.scenario.begins
    day += timedelta(days=6 - day.weekday())
    last = events[-1].recorded_at.date() + timedelta(weeks=_WEEKS_AFTER)
    place = 0
    while day <= last:
        while place < len(events) and events[place].recorded_at.date() <= day:
            apply_event(view, events[place])
            place += 1
        for each in judge(view, day).values():
            found.setdefault(each.finding, f"{day}: {each.sentence}")
        day += timedelta(weeks=1)
    assert place == len(events)
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_no_healthy_engagement_has_a_disconnect_in_any_week(seed: int) -> None:
    life = lived(seed)
    assert _found(life) == {}, f"seed {seed}: {life.scenario}"


def test_a_third_of_them_shrink_in_each_of_the_ways() -> None:
    drawn = [lived(seed).scenario for seed in range(20)]
    shrinking = {each.cut_of for each in drawn if each.cut}
    assert shrinking == {"deliverable", "hours", "price", "line"}
