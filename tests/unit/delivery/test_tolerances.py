"""Test who publishes the tolerances of a company, and from which day they are in force."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from pydantic import ValidationError

from contracts.reference import CompanyPublished, TolerancesPublished
from delivery.service import TOLERANCES
from delivery.tolerances.decisions import PublishTolerances
from testkit.scenario import given

COMPANY = CompanyPublished(
    company="west",
    legal_name="West Inc.",
    address="1 Main Street",
    country="US",
    base_currency="USD",
    time_zone="America/Los_Angeles",
)
WEST = given(TOLERANCES, "west", records=[COMPANY]).on(datetime(2026, 3, 3, 20, tzinfo=UTC))
WIDE = PublishTolerances(hours_percent=Decimal(25), silence_days=30)


def test_tolerances_are_in_force_from_the_day_of_their_publication() -> None:
    published = WEST.when(WIDE, by="paul").then(
        TolerancesPublished(
            tolerances="west",
            hours_percent=Decimal(25),
            silence_days=30,
            effective_from=date(2026, 3, 3),
        )
    )
    published.when(WIDE, by="paul").then_nothing()


def test_tolerances_are_not_published_for_an_unknown_company() -> None:
    given(TOLERANCES, "east", records=[COMPANY]).when(WIDE, by="paul").then_refused(
        "company-unknown", fields={"tolerances"}
    )


def test_only_the_pmo_director_publishes_tolerances() -> None:
    assert TOLERANCES.commands[PublishTolerances].by == ("pmo-director",)


@pytest.mark.parametrize(
    "bad",
    [
        {"hours_percent": "101"},
        {"index": "0"},
        {"index": "1.5"},
        {"silence_days": 0},
        {"report_grace_days": -1},
        {"margin_points": "-5"},
    ],
)
def test_a_tolerance_out_of_range_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PublishTolerances.model_validate(bad)
