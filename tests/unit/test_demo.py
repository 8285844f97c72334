"""Test the demo's portfolio: plausible, with every disconnect that the gates allow."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest

from local.demo.reference_data import CUSTOMERS
from local.demo.scenarios import Scenario, Trouble, scenarios
from tests.unit.played import EVERY, SEED, TODAY, played
from tests.unit.simulation import founded

FOUND: dict[Trouble, set[str]] = {
    "late": {
        "promised-finish-before-forecast",
        "status-greener-than-computed",
        "forecast-better-than-trend",
    },
    "deliverable-forgotten": {"deliverables-differ"},
    "overplanned": {"sold-hours-differ", "forecast-margin-below-sold"},
    "management-cut": {"project-management-differs"},
    "late-manager": {"no-manager-before-proposal"},
    "underallocated": {"allocated-hours-differ"},
    "sow-price": {"sow-price-differs"},
    "bill-rate": {"bill-rate-differs"},
    "billed-early": {"billed-before-acceptance"},
    "overrun": {
        "beyond-budget",
        "milestone-missed",
        "status-greener-than-computed",
        "forecast-better-than-trend",
        "forecast-margin-below-sold",
    },
    "silent": {"no-status-report"},
    "change-unfollowed": {"change-not-followed"},
    "loose-ends": {"closing-with-loose-ends"},
    "no-paper": {"next-step-overdue"},
    "slow-customer": {"next-step-overdue"},
    "begun-early": {"work-before-signature"},
}
"""The rules that find each trouble."""
SOMETIMES: dict[Trouble, set[str]] = {"late": {"status-greener-than-computed"}}
"""Rules among them that find it only where the schedule index is low enough, too."""


def test_the_readme_names_an_account_of_the_demo() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    world = asyncio.run(founded())
    assert f'"account": "{world.ids[CUSTOMERS[0].account]}"' in readme
    assert CUSTOMERS[0].name in readme


@pytest.mark.parametrize("seed", [1, SEED])
def test_every_trouble_occurs_on_whatever_day_the_demo_is_loaded(seed: int) -> None:
    for days in range(0, 400, 7):
        chosen = scenarios(TODAY + timedelta(days=days), seed)
        occurring = [trouble for scenario in chosen for trouble in scenario.troubles]
        assert sorted(occurring) == sorted(get_args(Trouble)), days
        assert sum(not scenario.troubles for scenario in chosen) >= 50


def test_a_smaller_demo_has_the_troubles_that_fit() -> None:
    assert len(scenarios(TODAY, SEED, 6)) == 6
    assert len(scenarios(TODAY, SEED, 1)) == 1


@pytest.mark.parametrize("scenario", EVERY, ids=lambda scenario: scenario.name)
def test_each_engagement_has_the_disconnects_of_its_troubles_and_no_other(
    scenario: Scenario,
) -> None:
    expected = set[str]().union(*(FOUND[trouble] for trouble in scenario.troubles))
    possible = set[str]().union(*(SOMETIMES.get(trouble, set()) for trouble in scenario.troubles))
    found = played(scenario).found
    assert found <= expected
    assert found >= expected - possible
