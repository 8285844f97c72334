"""The portfolio that is played in: believable, with every disconnect that gates leave room for."""

import asyncio
from datetime import date, timedelta
from typing import get_args

import pytest

from gateway.disconnects import judge
from gateway.engagement_view import View
from local.play import life
from local.play.plots import Plot, Trouble, plots
from local.play.selling import scene
from tests.unit.simulation import PureCast, PureStage, founded
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
"""The disconnect by which each trouble shows."""


def lived(plot: Plot) -> View:
    """The engagement as the gateway shows it today."""

    async def whole() -> View:
        world = await founded()
        stage = PureStage(world, plot.begins)
        last_day = TODAY - timedelta(days=1)
        await life.live(scene(plot, PureCast(stage, plot.name), last_day))
        world.deliver_all()
        return shown(event for event in world.events() if event.channel.kind == "events")

    return asyncio.run(whole())


def found_in(plot: Plot) -> set[str]:
    return {finding.rule for finding in judge(lived(plot), TODAY).values()}


@pytest.mark.parametrize("seed", [1, SEED])
def test_every_trouble_befalls_somebody_on_whatever_day_it_is_played(seed: int) -> None:
    for days in range(0, 400, 7):
        told = plots(TODAY + timedelta(days=days), seed)
        befell = [trouble for plot in told for trouble in plot.troubles]
        assert sorted(befell) == sorted(get_args(Trouble)), days
        assert sum(not plot.troubles for plot in told) >= 50


def test_a_smaller_company_has_what_troubles_it_has_room_for() -> None:
    assert len(plots(TODAY, SEED, 6)) == 6
    assert len(plots(TODAY, SEED, 1)) == 1


@pytest.mark.parametrize(
    "plot",
    [plot for plot in plots(TODAY, SEED) if plot.troubles],
    ids=lambda plot: "-and-".join(sorted(plot.troubles)),
)
def test_every_trouble_shows_as_its_disconnect(plot: Plot) -> None:
    assert {FOUND[trouble] for trouble in plot.troubles} <= found_in(plot)


def test_reports_that_stay_green_and_margins_that_go_are_among_them() -> None:
    found = [found_in(plot) for plot in plots(TODAY, SEED) if plot.troubles & {"overrun"}]
    found += [found_in(plot) for plot in plots(TODAY, SEED) if plot.troubles & {"overplanned"}]
    assert {"green-against-figures", "forecast-margin-below-sold"} <= set.union(*found)


def test_nothing_is_found_in_healthy_engagements() -> None:
    under_way = [plot for plot in plots(TODAY, SEED)[30:] if not plot.troubles]
    assert {plot.title: found_in(plot) for plot in under_way} == {
        plot.title: set() for plot in under_way
    }
