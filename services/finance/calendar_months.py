"""Compute with calendar months, written ``YYYY-MM``."""

from calendar import monthrange
from datetime import date, timedelta

from chassis.domain.commands import Refused, refused_field
from contracts.refusals import RefusalCode
from contracts.values import Month


def month_of(day: date) -> Month:
    """Return the month of a day."""
    return f"{day:%Y-%m}"


def first_of(month: Month) -> date:
    """Return the first day of a month."""
    return end_of(month).replace(day=1)


def end_of(month: Month) -> date:
    """Return the last day of a month."""
    year, number = int(month[:4]), int(month[5:])
    return date(year, number, monthrange(year, number)[1])


def after(month: Month) -> Month:
    """Return the next month."""
    return month_of(end_of(month) + timedelta(days=1))


def first_of_month(day: date, months: int) -> date:
    """Return the first day of the month that is a number of months after that of a day."""
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def months_between(first: date, last: date) -> int:
    """Return how many months the month of `last` is after that of `first`."""
    return (last.year - first.year) * 12 + last.month - first.month


def require_begun(month: Month, today: date) -> None:
    """Refuse a month that has not begun."""
    if month > month_of(today):
        raise refused_month("month-not-begun", f"{month} has not begun: today is {today}")


def require_over(month: Month, today: date) -> None:
    """Refuse a month that is not over."""
    if month >= month_of(today):
        raise refused_month("month-not-over", f"{month} is not over: today is {today}")


def refused_month(code: RefusalCode, sentence: str) -> Refused:
    """Return the refusal of the month that a command names in its field `month`."""
    sentence = f"month: {sentence}"
    return refused_field(code, "month", sentence)
