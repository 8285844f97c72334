"""Choose who works on which engagement of the demo, so that no one has more than a week's work.

The hours that each role will need in each week follow from the split of the estimate and from the
template of the plan. Each engagement takes the people of the role who have least to do then.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from math import ceil

from local.demo.reference_data import CONSULTANTS, PHASES, SPLIT

FULL_WEEK = 38
"""Planned hours of one person in a week; where more are needed, the next one helps."""


def people_for(hours: float) -> int:
    """Return how many people share the hours of a week."""
    return max(1, ceil(hours / FULL_WEEK))


class Staffing:
    """The people of the company, and the hours that they are asked for by week."""

    def __init__(self) -> None:
        self._busy: defaultdict[str, defaultdict[date, float]] = defaultdict(
            lambda: defaultdict(float)
        )

    def team(self, hours: int, begins: date, weeks: int) -> dict[str, tuple[str, ...]]:
        """Return the people by role for work that begins on a day, those first who are freest."""
        team = {}
        for role, by_week in needed(hours, begins, weeks).items():
            team[role] = order = self._by_load(role, by_week)
            for week, share in by_week.items():
                helpers = order[: people_for(share)]
                for each in helpers:
                    self._busy[each][week] += share / len(helpers)
        return team

    def _by_load(self, role: str, by_week: Mapping[date, float]) -> tuple[str, ...]:
        def load(person: str) -> tuple[float, float, str]:
            busy = self._busy[person]
            weeks = [busy[week] + min(hours, FULL_WEEK) for week, hours in by_week.items()]
            return sum(max(0.0, each - FULL_WEEK) ** 2 for each in weeks), sum(weeks), person

        return tuple(sorted((person for person, _, of in CONSULTANTS if of == role), key=load))


def needed(hours: int, begins: date, weeks: int) -> dict[str, dict[date, float]]:
    """Return the planned hours by role and Monday."""
    total = sum(share for _, _, share in SPLIT)
    found: dict[str, dict[date, float]] = {}
    for _, part, _, tasks in PHASES:
        days = round(weeks * 7 * part / 100)
        for _, role, share in tasks:
            of_role = hours * sum(each for _, of, each in SPLIT if of == role) / total
            by_week = found.setdefault(role, {})
            for on in (begins + timedelta(days=day) for day in range(days)):
                monday = on - timedelta(days=on.weekday())
                by_week[monday] = by_week.get(monday, 0.0) + of_role * share / 100 / days
        begins += timedelta(days=days)
    return found
