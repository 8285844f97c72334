"""What is confidential shows to nobody else: not by a waiver, and not by what stands around it."""

from chassis.testing import Scenario, given
from contracts import gateway
from gateway.findings import ENGAGEMENT, AnnounceFindings, Announcements, WaiveDisconnect, found_now
from tests.life import Life
from tests.lives import green_in_the_red, named
from tests.unit.gateway.test_disconnects import findings

SECRET = "forecast-margin-below-sold"


def announced() -> Scenario[Announcements]:
    life = green_in_the_red(Life(named(1)))
    found = tuple(found_now(each) for each in findings(life).values())
    assert {each.finding for each in found if each.confidential} >= {SECRET}
    outcome = given(ENGAGEMENT, life.engagement).when(AnnounceFindings(findings=found))
    return outcome.then(*outcome.facts)


def test_who_may_not_see_a_disconnect_is_refused_as_if_it_did_not_stand() -> None:
    waiver = WaiveDisconnect(finding=SECRET, why="So be it.")
    nowhere = given(ENGAGEMENT, named(1)).when(waiver.given_by(confidential=False), by="eve")
    hidden = announced().when(waiver.given_by(confidential=False), by="eve")

    hidden.then_refused("no-such-disconnect")
    assert str(hidden.refusal) == str(nowhere.refusal)
    assert announced().when(waiver, by="eve").refusal, "who is not said to see it does not"


def test_who_may_see_it_waives_it() -> None:
    waiver = WaiveDisconnect(finding=SECRET, why="So be it.").given_by(confidential=True)

    (waived,) = announced().when(waiver, by="vera").facts

    assert isinstance(waived, gateway.ConfidentialDisconnectWaived)
