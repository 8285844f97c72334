from dataclasses import replace
from datetime import date

from chassis.domain.commands import Missing
from common.figures.backlog import Contract, backlog
from common.figures.figure import Dated
from tests.amounts import usd

WON, SIGNED, APRIL, MAY = (
    date(2026, 3, 2),
    date(2026, 3, 20),
    date(2026, 4, 30),
    date(2026, 5, 31),
)
NOT_MEASURED = Missing("revenue-not-measurable", "the revenue of April is not measured", "finance")
CONTRACT = Contract(
    signed=SIGNED,
    ended=None,
    booked=(Dated(WON, usd(100)), Dated(MAY, usd(-20))),
    recognised=(Dated(APRIL, usd(30)), Dated(MAY, usd(25))),
)


def test_the_backlog_is_what_is_booked_and_not_recognised_at_the_end_of_a_day() -> None:
    days = (date(2026, 3, 1), WON, APRIL, MAY)
    assert [backlog([CONTRACT], "USD", day).value for day in days] == [
        usd(0),
        usd(100),
        usd(70),
        usd(25),
    ]


def test_the_clean_backlog_has_only_contracts_that_are_signed() -> None:
    unsigned = replace(CONTRACT, signed=None)
    assert backlog([CONTRACT], "USD", WON, signed=True).value == usd(0)
    assert backlog([CONTRACT, unsigned], "USD", SIGNED, signed=True).value == usd(100)
    assert backlog([CONTRACT, unsigned], "USD", SIGNED).value == usd(200)


def test_an_engagement_that_ended_has_no_backlog_from_that_day_on() -> None:
    ended = replace(CONTRACT, ended=MAY)
    assert backlog([ended], "USD", APRIL).value == usd(70)
    assert backlog([ended], "USD", MAY).value == usd(0)


def test_the_backlog_is_unknown_while_revenue_is() -> None:
    unknown = replace(CONTRACT, recognised=(Dated(APRIL, NOT_MEASURED),))
    assert backlog([CONTRACT, unknown], "USD", SIGNED).value == usd(200)
    assert backlog([CONTRACT, unknown], "USD", APRIL).missing == (NOT_MEASURED,)
