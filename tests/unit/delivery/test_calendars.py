"""Test that holiday calendars are published for countries whose holidays are known."""

from datetime import date

import pytest
from pydantic import ValidationError

from contracts.reference import CalendarPublished, DayOff
from delivery.calendars.decisions import PublishCalendar
from delivery.service import CALENDAR
from testkit.scenario import given, like

MUNICH = given(CALENDAR, "munich")
PUBLISH = PublishCalendar(
    name="Munich",
    country="DE",
    subdivision="BY",
    days_off=(DayOff(day=date(2026, 12, 24), title="Closure"),),
)


def test_a_calendar_is_published_whole() -> None:
    published = MUNICH.when(PUBLISH).then(
        CalendarPublished(
            calendar="munich",
            name="Munich",
            country="DE",
            subdivision="BY",
            weekdays=("monday", "tuesday", "wednesday", "thursday", "friday"),
            days_off=(DayOff(day=date(2026, 12, 24), title="Closure"),),
        )
    )
    published.when(PUBLISH).then_nothing()
    four = PUBLISH.model_copy(update={"weekdays": ("monday", "tuesday", "wednesday", "thursday")})
    published.when(four).then(like(CalendarPublished, weekdays=four.weekdays))


def test_a_calendar_without_a_country_has_no_public_holidays() -> None:
    MUNICH.when(PublishCalendar(name="Plain")).then(like(CalendarPublished, country=None))


@pytest.mark.parametrize(
    ("country", "subdivision", "field"),
    [("XX", None, "country"), ("DE", "XX", "subdivision"), (None, "BY", "country")],
)
def test_unknown_holidays_are_refused_by_field(
    country: str | None, subdivision: str | None, field: str
) -> None:
    command = PublishCalendar(name="Nowhere", country=country, subdivision=subdivision)
    MUNICH.when(command).then_refused("holidays-unknown", fields={field})


@pytest.mark.parametrize(
    "bad",
    [
        {"weekdays": []},
        {"weekdays": ["monday", "monday"]},
        {"weekdays": ["moonday"]},
        {"country": "Germany"},
        {"days_off": [{"day": "2026-12-24", "title": "Closure"}] * 2},
    ],
)
def test_invalid_calendars_are_refused_by_field(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PublishCalendar.model_validate({"name": "Munich", **bad})
