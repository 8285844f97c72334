from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from contracts.delivery import EngagementClosed
from contracts.legal import EngagementTerminated
from contracts.sales import DealLost
from legal.ending.decisions import TerminateEngagement
from legal.engagement import Engagement
from testkit.scenario import Scenario
from tests.unit.legal.builders import SIGNING, TODAY, filed, opened, person, sent, signed

END = TerminateEngagement(reason="breach", comment="Three invoices unpaid.")


@pytest.mark.parametrize("scenario", [filed, sent, signed])
def test_an_engagement_is_terminated_once_with_day_and_person(
    scenario: Callable[[], Scenario[Engagement]],
):
    event = EngagementTerminated(
        reason="breach",
        comment="Three invoices unpaid.",
        terminated_on=TODAY,
        decided_by="carl",
    )
    over = scenario().when(END, by="carl").then(event)
    over.on(date(2026, 4, 1)).when(END, by="dora").then_nothing()
    over.when(TerminateEngagement(reason="mutual")).then_refused(
        "already-recorded", saying="breach"
    )


def test_an_engagement_without_a_file_or_already_over_is_not_terminated():
    opened().when(END).then_refused("file-not-open")
    signed().consumed(EngagementClosed(closed_on=TODAY)).when(END).then_refused(
        "engagement-over", saying="closed"
    )
    filed().consumed(DealLost(reason="price", lost_on=TODAY)).when(END).then_refused(
        "engagement-over"
    )


def test_a_termination_in_the_future_is_refused():
    tomorrow = END.model_copy(update={"terminated_on": date(2026, 3, 3)})
    signed().when(tomorrow).then_refused("date-in-future")
    # At 10:00 UTC the day has begun in the easternmost time zone.
    signed().on(datetime(2026, 3, 2, 10, tzinfo=UTC)).when(tomorrow).then_accepted()


def test_another_person_may_have_decided():
    command = END.model_copy(update={"decided_by": "vera", "terminated_on": date(2026, 2, 1)})
    signed().when(command, by="carl").then_refused("person-unknown", fields={"decided_by"})
    known = signed().knowing(*SIGNING, person("vera"))
    events = known.when(command, by="carl").events
    assert events == (
        EngagementTerminated(
            reason="breach",
            comment="Three invoices unpaid.",
            terminated_on=date(2026, 2, 1),
            decided_by="vera",
        ),
    )
