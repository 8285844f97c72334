from datetime import date

import pytest

from contracts.delivery import EngagementClosed
from contracts.legal import EngagementTerminated
from contracts.sales import DealLost
from legal.state import Engagement
from legal.terminating import TerminateEngagement
from testkit.scenario import Scenario
from tests.unit.legal.papers import TODAY, filed, heard_of, sent, signed

END = TerminateEngagement(reason="breach", comment="Three invoices unpaid.")


@pytest.mark.parametrize("scenario", [filed, sent, signed])
def test_an_engagement_is_terminated_once_with_day_and_person(scenario: Scenario[Engagement]):
    event = EngagementTerminated(
        reason="breach",
        comment="Three invoices unpaid.",
        terminated_on=TODAY,
        decided_by="carl",
    )
    over = scenario.when(END, by="carl").then(event)
    over.on(date(2026, 4, 1)).when(END, by="dora").then_nothing()
    over.when(TerminateEngagement(reason="mutual")).then_refused(
        "already-recorded", saying="breach"
    )


def test_an_engagement_without_a_file_or_already_over_is_not_terminated():
    heard_of.when(END).then_refused("file-not-open")
    signed.consumed(EngagementClosed(closed_on=TODAY)).when(END).then_refused(
        "engagement-over", saying="closed"
    )
    filed.consumed(DealLost(reason="price", lost_on=TODAY)).when(END).then_refused(
        "engagement-over"
    )


def test_a_termination_in_the_future_is_refused():
    tomorrow = END.model_copy(update={"terminated_on": date(2026, 3, 3)})
    signed.when(tomorrow).then_refused("date-in-future")


def test_another_person_may_have_decided():
    command = END.model_copy(update={"decided_by": "vera", "terminated_on": date(2026, 2, 1)})
    events = signed.when(command, by="carl").events
    assert events == (
        EngagementTerminated(
            reason="breach",
            comment="Three invoices unpaid.",
            terminated_on=date(2026, 2, 1),
            decided_by="vera",
        ),
    )
