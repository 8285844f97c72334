"""A waiver counts until its last day has passed; then the disconnect needs attention again."""

from datetime import date, timedelta

import pytest

from contracts import gateway, legal
from contracts.event import Event
from gateway.decider import ENGAGEMENT as DECIDER
from gateway.decider import EngagementDisconnects, PublishDisconnects, WaiveDisconnect, detected
from gateway.portfolio.figures import contribution
from gateway.projection.view_store import CachedView, row_of
from gateway.rules import judge
from testkit.scenario import Scenario, given
from tests.builders import ENGAGEMENT, Life
from tests.in_process_gateway import InMemory
from tests.portfolio_builder import company
from tests.unit.gateway.test_disconnects import findings
from tests.unit.gateway.test_engagement_view import view_of
from tests.unit.gateway.test_projector import InMemory as Store
from tests.unit.gateway.test_projector import begun
from tests.weeks import submitted

FINDING = "promised-finish-before-forecast"
TODAY = date(2026, 4, 20)
UNTIL = date(2026, 4, 30)
AFTER = UNTIL + timedelta(days=1)
WAIVER = WaiveDisconnect(finding=FINDING, why="Agreed.", until=UNTIL)


def late() -> Life:
    life = Life().worked(8)
    return life.say(95, life.report(9, 95, finish=180))


DETECTED = detected(findings(late())[FINDING])
PUBLISH = PublishDisconnects(disconnects=(DETECTED,))
WAIVED = gateway.DisconnectWaived(
    finding=FINDING, rule=FINDING, why="Agreed.", waived_by="vera", until=UNTIL
)
STILL_WAIVED = DETECTED.model_copy(update={"waived_until": UNTIL})


def waived() -> Scenario[EngagementDisconnects]:
    published = given(DECIDER, ENGAGEMENT).on(TODAY).when(PUBLISH).then(DETECTED)
    return published.when(WAIVER, by="vera").then(WAIVED)


def test_a_disconnect_is_published_again_once_its_waiver_has_run_out() -> None:
    last_day = waived().on(UNTIL).when(PUBLISH).then()
    ended = last_day.on(AFTER).when(PUBLISH).then(DETECTED)

    ended.when(PUBLISH).then()


def test_a_waiver_lasts_when_the_disconnect_changes() -> None:
    worse = DETECTED.model_copy(update={"severity": "warning"})
    still = worse.model_copy(update={"waived_until": UNTIL})

    changed = waived().when(PublishDisconnects(disconnects=(worse,))).then(still)
    changed.when(PublishDisconnects(disconnects=(worse,))).then()
    changed.on(AFTER).when(PublishDisconnects(disconnects=(worse,))).then(worse)


@pytest.mark.parametrize(
    "changed",
    [
        {"ends_with": "mia"},
        {"owner": "legal", "command": "draft-amendment"},
        {"sides": (DETECTED.sides[0], DETECTED.sides[0])},
    ],
)
def test_a_disconnect_is_published_again_when_sides_or_who_ends_it_change(
    changed: dict[str, object],
) -> None:
    other = DETECTED.model_copy(update=changed)
    published = given(DECIDER, ENGAGEMENT).when(PUBLISH).then(DETECTED)

    published.when(PublishDisconnects(disconnects=(other,))).then(other)


def test_a_waiver_needs_a_day_after_today() -> None:
    published = given(DECIDER, ENGAGEMENT).on(UNTIL).when(PUBLISH).then(DETECTED)

    published.when(WAIVER, by="vera").then_refused("waiver-not-in-future")
    published.on(UNTIL - timedelta(days=1)).when(WAIVER, by="vera").then(WAIVED)


def test_a_waiver_lasts_a_year_at_most() -> None:
    published = given(DECIDER, ENGAGEMENT).on(TODAY).when(PUBLISH).then(DETECTED)
    longest = WAIVER.model_copy(update={"until": TODAY + timedelta(days=366)})
    longer = WAIVER.model_copy(update={"until": TODAY + timedelta(days=367)})

    published.when(longest, by="vera").then_accepted()
    published.when(longer, by="vera").then_refused("waiver-too-long", saying="until")


def test_a_waiver_is_given_again_until_another_day_and_not_until_the_same() -> None:
    longer = WAIVER.model_copy(update={"until": AFTER})
    again = WAIVED.model_copy(update={"until": AFTER})

    waived().when(WAIVER, by="vera").then()
    waived().when(longer, by="vera").then(again).on(AFTER).when(PUBLISH).then()
    waived().on(AFTER).when(WAIVER, by="vera").then_refused("waiver-not-in-future")


def held(*events: Event, today: date) -> CachedView:
    """Return the projected engagement after these events of the gateway, judged on a day."""
    life = late().say(97, DETECTED, WAIVED, *events)
    view = view_of(life.events)
    return CachedView(view, 0, judge(view, today), today)


def test_a_disconnect_whose_waiver_has_run_out_counts_again_everywhere() -> None:
    for today, count in ((UNTIL, 0), (AFTER, 1)):
        cached = held(today=today)
        figures = contribution(cached.view, cached.disconnects.values(), cached.waived)
        row = row_of(cached)

        assert row.summary.disconnects == count
        assert (row.summary.attention > 0) == bool(count)
        assert len(row.waived) == 1 - count
        assert figures.get("disconnects.waived", 0) == 1 - count


def test_what_has_run_out_is_published_and_then_no_more() -> None:
    assert not held(today=UNTIL).unpublished
    assert held(today=AFTER).unpublished
    assert not held(DETECTED, today=AFTER).unpublished
    assert held(DETECTED, today=AFTER).view.waivers == {}
    assert [*held(STILL_WAIVED, today=UNTIL).view.waivers] == [FINDING]


async def test_a_list_has_a_waived_disconnect_among_the_open_ones_after_its_last_day() -> None:
    memory = InMemory(*company())
    (first, *_) = (await memory.disconnects({}, None, 9, confidential=False)).items
    until = memory.today + timedelta(days=1)
    command = WaiveDisconnect(finding=first.disconnect.finding, why="Agreed.", until=until)
    await memory.command("engagement", first.engagement, command, actor="vera", key="k")
    for days, number in ((1, 1), (2, 0)):
        memory.on(until + timedelta(days=days - 1))
        listed = await memory.disconnects({"waived": "true"}, None, 9, confidential=False)
        assert len(listed.items) == number


async def test_the_waiver_of_an_engagement_that_has_ended_runs_out() -> None:
    life = Life().kicked_off()
    life.say(60, legal.EngagementTerminated(reason="mutual", terminated_on=life.day(40)))
    life.say(61, submitted("T-1", life.week(4), 16))
    view = view_of(life.events)
    (found,) = judge(view, TODAY).values()
    life.say(62, detected(found))
    waiver = {"finding": found.finding, "rule": found.rule, "why": "Agreed.", "waived_by": "vera"}
    life.say(63, gateway.DisconnectWaived.model_validate({**waiver, "until": UNTIL}))
    projector = await begun(Store())
    projector.today = lambda: UNTIL
    await projector.process({ENGAGEMENT: life.events})
    cached = await projector.look(ENGAGEMENT)
    assert cached is not None
    assert (view.over, [*cached.waived], cached.unpublished) == (True, [found.finding], False)

    projector.today = lambda: AFTER
    assert projector.to_judge() == [ENGAGEMENT]
    await projector.judge_again([ENGAGEMENT])
    assert (cached.waived, cached.unpublished) == ({}, True)
