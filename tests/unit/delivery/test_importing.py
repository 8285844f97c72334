"""Test that Delivery takes over baseline and progress of an engagement under way, once."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.delivery import EngagementImported
from contracts.legal import EngagementTerminated
from contracts.values import RoleHours
from delivery.engagement import Engagement
from delivery.importing.decisions import ImportEngagement
from delivery.service import ENGAGEMENT
from testkit.scenario import Scenario, given
from tests.unit.delivery.builders import BASELINED, ID, PEOPLE, TEMPLATE, TODAY
from tests.unit.imported import IMPORTED

OPPORTUNITY = IMPORTED.model_copy(update={"value": None})
BODY: dict[str, Any] = {
    "source": "crm",
    "external_id": "A1",
    "as_of": "2026-03-31",
    "baselined_on": "2026-01-12",
    "milestones": [
        {
            "milestone": "M-1",
            "title": "Design accepted",
            "due_on": "2026-02-27",
            "deliverables": ["design"],
            "reached_on": "2026-03-02",
        },
        {"milestone": "M-2", "title": "Live", "due_on": "2026-07-31"},
    ],
    "deliverables": [
        {"deliverable": "design", "title": "Design", "accepted_on": "2026-03-02"},
        {"deliverable": "portal", "title": "Portal"},
    ],
    "hours": [{"role": "architect", "hours": 120}, {"role": "developer", "hours": "40.5"}],
    "complete": 35,
}
IMPORT = ImportEngagement.model_validate(BODY)


def imported(**different: object) -> Scenario[Engagement]:
    """Return an engagement that Sales imported, as won unless `different` has another outcome."""
    event = OPPORTUNITY.model_copy(update=different)
    return given(ENGAGEMENT, ID, records=[*PEOPLE, TEMPLATE]).consumed(event).on(TODAY)


def test_baseline_and_progress_are_taken_over_once() -> None:
    event = EngagementImported(**dict(IMPORT))
    taken = imported().when(IMPORT).then(event)
    taken.then_view(imported=event, stage="delivering")
    assert ENGAGEMENT.rows(taken.state)["imported"] is True
    taken.when(IMPORT).then_nothing()


@pytest.mark.parametrize(
    ("field", "value"),
    [("complete", Decimal(36)), ("baselined_on", date(2026, 1, 13)), ("hours", ())],
)
def test_other_progress_is_refused_with_the_field(field: str, value: object) -> None:
    other = IMPORT.model_copy(update={field: value})
    imported().after(IMPORT).when(other).then_refused("already-recorded", fields={field})


def test_sales_imported_the_opportunity_as_won_from_this_record() -> None:
    given(ENGAGEMENT, ID).when(IMPORT).then_refused("opportunity-not-imported")
    imported(outcome="lost").when(IMPORT).then_refused("deal-not-won")
    imported(outcome="open").when(IMPORT).then_refused("deal-not-won")
    other = IMPORT.model_copy(update={"external_id": "A2"})
    imported().when(other).then_refused("source-differs", saying="external_id: ")


def test_roles_are_held_by_people_or_planned_by_templates() -> None:
    hours = (RoleHours(role="wizard", hours=Decimal(1)),)
    imported().when(IMPORT.model_copy(update={"hours": hours})).then_refused(
        "role-unknown", saying="hours: no person holds the role wizard"
    )
    bare = given(ENGAGEMENT, ID).consumed(OPPORTUNITY).on(TODAY)
    bare.when(IMPORT).then_refused("role-unknown", saying="architect, developer")


def test_progress_is_corrected_with_a_reason_until_a_plan_is_baselined() -> None:
    right = IMPORT.model_copy(update={"complete": Decimal(53)})
    correction = right.model_copy(update={"why": "Digits were swapped."})
    imported().when(correction).then_refused("engagement-not-imported", fields={"why"})
    taken = imported().after(IMPORT)
    event = EngagementImported(**dict(correction))
    corrected = taken.when(correction).then(event)
    corrected.then_view(imported=event).when(correction).then_nothing()
    corrected.when(right).then_nothing()
    corrected.when(IMPORT).then_refused("already-recorded", fields={"complete"})
    planned = taken.published(BASELINED)
    planned.when(correction).then_refused("plan-baselined", fields={"baselined_on"})
    planned.when(IMPORT).then_nothing()


def test_nothing_is_taken_over_once_a_plan_is_baselined_or_the_engagement_is_over() -> None:
    imported().published(BASELINED).when(IMPORT).then_refused("plan-baselined")
    ended = EngagementTerminated(terminated_on=TODAY, reason="insolvency")
    imported().consumed(ended).when(IMPORT).then_refused("engagement-over")


@pytest.mark.parametrize("complete", ["0.4", "0.0001", "0.9999"])
def test_progress_is_in_percent_and_no_share_of_one(complete: str) -> None:
    with pytest.raises(ValidationError, match="must be in percent, 0 or from 1 to 100"):
        ImportEngagement.model_validate({**BODY, "complete": complete})
    for percent in ("0", "1", "1.5", "100"):
        ImportEngagement.model_validate({**BODY, "complete": percent})


def test_progress_is_not_of_the_future() -> None:
    late = IMPORT.model_copy(update={"as_of": date(2026, 4, 20)})
    imported().when(late).then_refused("date-in-future", saying="as_of: ")


@pytest.mark.parametrize(
    ("changed", "saying"),
    [
        ({"baselined_on": "2026-04-01"}, "baselined_on\n  must not be after as_of, 2026-03-31"),
        (
            {"deliverables": [{**BODY["deliverables"][0], "accepted_on": "2026-04-01"}]},
            "deliverables\n  must not be after as_of",
        ),
        (
            {"milestones": [{**BODY["milestones"][0], "reached_on": "2026-04-01"}]},
            "milestones\n  must not be after as_of",
        ),
        ({"deliverables": []}, "milestones\n  design is no deliverable"),
        ({"hours": [{"role": "architect", "hours": -1}]}, "greater than or equal to 0"),
        ({"complete": 101}, "less than or equal to 100"),
        ({"hours": [BODY["hours"][0]] * 2}, "architect appears more than once"),
    ],
)
def test_contradictions_are_refused_with_the_field(changed: dict[str, Any], saying: str) -> None:
    with pytest.raises(ValidationError, match=saying):
        ImportEngagement.model_validate({**BODY, **changed})
