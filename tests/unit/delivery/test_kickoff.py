from datetime import date, timedelta
from functools import cache

import pytest
from pydantic import ValidationError

from contracts.delivery import KickoffHeld, KickoffWithdrawn, SolutionWentLive
from delivery.engagement import Engagement
from delivery.kickoff.decisions import HoldKickoff, WithdrawKickoff
from testkit.scenario import Scenario
from tests.amounts import hours
from tests.unit.delivery.builders import (
    EARLY_START,
    START,
    TERMINATED,
    entry,
    signed,
    with_time,
    won,
)

KICKOFF = HoldKickoff(held_on=START, attendees=("mara", "cleo"))
HELD = KickoffHeld(held_on=START, attendees=("mara", "cleo"))


@cache
def early() -> Scenario[Engagement]:
    return won().on(date(2026, 4, 8)).consumed(EARLY_START)


def test_the_kickoff_follows_the_signature() -> None:
    held = signed().when(KICKOFF).then(HELD)
    held.when(KICKOFF).then_nothing()
    held.when(HoldKickoff(attendees=("mara",))).then_refused("already-recorded")
    with pytest.raises(ValidationError):
        HoldKickoff(attendees=())


def test_without_a_signature_there_is_no_kickoff() -> None:
    unsigned = won().on(date(2026, 4, 8))
    unsigned.when(KICKOFF).then_refused(
        "work-not-released", missing=["sow-not-signed"], saying="is not signed"
    )


def test_a_kickoff_before_the_signature_is_refused() -> None:
    before = KICKOFF.model_copy(update={"held_on": date(2026, 3, 19)})
    signed().when(before).then_refused(
        "work-not-released", missing=["sow-not-signed"], saying="signed on 2026-03-20"
    )
    on_the_day = KICKOFF.model_copy(update={"held_on": date(2026, 3, 20)})
    signed().when(on_the_day).then_accepted()


def test_an_early_start_allows_the_kickoff_until_its_last_day() -> None:
    early().when(KICKOFF).then(HELD)
    early().on(date(2026, 4, 30)).when(KICKOFF).then(HELD)
    early().on(date(2026, 5, 1)).when(KICKOFF).then_refused(
        "work-not-released", missing=["early-start-expired"], saying="2026-04-30"
    )


def test_an_early_start_without_hours_left_allows_no_kickoff() -> None:
    days = (START + timedelta(days=number) for number in range(4))
    worked = (entry(number, day=day, hours=hours(20)) for number, day in enumerate(days))
    spent = with_time(early(), *worked, approved=True)
    spent.when(KICKOFF).then_refused("work-not-released", missing=["early-start-cap-spent"])


def test_there_is_no_kickoff_after_a_termination() -> None:
    before = TERMINATED.model_copy(update={"terminated_on": START - timedelta(days=1)})
    signed().consumed(before).when(KICKOFF).then_refused("engagement-over")
    # One that was held on the last day may be recorded later.
    last_day = TERMINATED.model_copy(update={"terminated_on": START})
    signed().consumed(last_day).when(KICKOFF).then_accepted()


def test_a_kickoff_recorded_by_mistake_is_withdrawn_and_recorded_again() -> None:
    withdraw = WithdrawKickoff(why="Another engagement's.")
    held = signed().after(KICKOFF)
    withdrawn = held.when(withdraw).then(
        KickoffWithdrawn(held_on=START, why="Another engagement's.", withdrawn_on=date(2026, 4, 8))
    )
    withdrawn.then_view(kickoff=None, stage="mobilising")
    withdrawn.when(withdraw).then_refused("kickoff-not-held")
    signed().when(withdraw).then_refused("kickoff-not-held")
    again = withdrawn.when(HoldKickoff(attendees=("milo",)))
    again.then(KickoffHeld(held_on=date(2026, 4, 8), attendees=("milo",)))
    early_day = withdraw.model_copy(update={"withdrawn_on": date(2026, 4, 5)})
    held.when(early_day).then_refused("date-before-record")
    future = withdraw.model_copy(update={"withdrawn_on": date(2026, 4, 20)})
    held.when(future).then_refused("date-in-future")


def test_a_kickoff_is_not_withdrawn_under_a_go_live() -> None:
    live = signed().after(KICKOFF).published(SolutionWentLive(live_on=date(2026, 4, 8)))
    live.when(WithdrawKickoff(why="Wrong.")).then_refused("solution-live")


def test_who_attends_is_on_record() -> None:
    kickoff = HoldKickoff(attendees=("mara", "cleo", "zzz"))
    signed().when(kickoff).then_refused("person-unknown", saying="attendees.2")
    signed().when(HoldKickoff(attendees=("mara", "cleo"))).then_accepted()
