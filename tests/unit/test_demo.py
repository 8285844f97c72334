"""Test the demo's portfolio: plausible, with every disconnect that the gates allow."""

import asyncio
from datetime import date, timedelta
from pathlib import Path
from typing import get_args

import pytest

from gateway.rules import judge
from gateway.view.engagement_view import View
from local.demo import lifecycle
from local.demo.engagement_run import new_run
from local.demo.reference_data import CUSTOMERS
from local.demo.scenarios import Scenario, Trouble, scenarios
from tests.unit.simulation import InProcessActors, InProcessDriver, founded
from tests.unit.test_interleaving import shown

TODAY = date(2026, 6, 1)
SEED = 2026
FOUND: dict[Trouble, str] = {
    "late": "promised-finish-before-forecast",
    "deliverable-forgotten": "deliverables-differ",
    "overplanned": "sold-hours-differ",
    "management-cut": "project-management-differs",
    "late-manager": "no-manager-before-proposal",
    "underallocated": "allocated-hours-differ",
    "sow-price": "sow-price-differs",
    "bill-rate": "bill-rate-differs",
    "billed-early": "billed-before-acceptance",
    "overrun": "beyond-budget",
    "silent": "no-status-report",
    "change-unfollowed": "change-not-followed",
    "loose-ends": "closing-with-loose-ends",
    "no-paper": "next-step-overdue",
    "slow-customer": "next-step-overdue",
    "begun-early": "work-before-signature",
}
"""The disconnect that each trouble causes."""


def lived(scenario: Scenario) -> View:
    """Run a scenario, and return the gateway's view of its engagement today."""

    async def whole() -> View:
        world = await founded()
        driver = InProcessDriver(world, scenario.begins)
        last_day = TODAY - timedelta(days=1)
        await lifecycle.run_lifecycle(
            new_run(scenario, InProcessActors(driver, scenario.name), last_day)
        )
        world.deliver_all()
        return shown(event for event in world.events() if event.channel.kind == "events")

    return asyncio.run(whole())


def found_in(scenario: Scenario) -> set[str]:
    return {finding.rule for finding in judge(lived(scenario), TODAY).values()}


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


@pytest.mark.parametrize(
    "scenario",
    [scenario for scenario in scenarios(TODAY, SEED) if scenario.troubles],
    ids=lambda scenario: "-and-".join(sorted(scenario.troubles)),
)
def test_every_trouble_shows_as_its_disconnect(scenario: Scenario) -> None:
    assert {FOUND[trouble] for trouble in scenario.troubles} <= found_in(scenario)


def test_green_reports_against_figures_and_falling_margins_are_found() -> None:
    found = [
        found_in(scenario) for scenario in scenarios(TODAY, SEED) if scenario.troubles & {"overrun"}
    ]
    found += [
        found_in(scenario)
        for scenario in scenarios(TODAY, SEED)
        if scenario.troubles & {"overplanned"}
    ]
    assert {"green-against-figures", "forecast-margin-below-sold"} <= set.union(*found)


def test_nothing_is_found_in_healthy_engagements() -> None:
    under_way = [scenario for scenario in scenarios(TODAY, SEED)[30:] if not scenario.troubles]
    assert {scenario.title: found_in(scenario) for scenario in under_way} == {
        scenario.title: set() for scenario in under_way
    }
