"""Describe the booked months, and the account when it is settled or open again."""

from contracts import finance
from gateway.formatting import day, money, number
from gateway.view.sections.sentences import if_given
from gateway.view.sections.steps import PartSteps

steps = PartSteps[object]()


def _of_unknown_worth(works: int) -> str:
    return f", and the worth of {works} more is not known" if works else ""


steps.describe(
    finance.PeriodBooked,
    lambda event, _: (
        f"{event.month} booked: {money(event.billed)} billed, {money(event.credited)} credited, "
        f"{money(event.paid)} paid, {money(event.recognised)} recognised, "
        f"{number(event.hours)} h approved; {money(event.receivables)} with tax is owed, "
        f"{money(event.unbilled)} of work is unbilled"
        f"{_of_unknown_worth(event.unbilled_unknown)}."
    ),
)
steps.describe(
    finance.AccountSettled,
    lambda event, _: (
        f"Account settled on {day(event.settled_on)}: {money(event.billed)} billed without tax, "
        f"{money(event.paid)} paid and {money(event.written_off)} written off, with tax."
        f"{if_given(' Approved work over {} beyond caps is not billed', event.not_billed, money)}"
        f"{if_given(': “{}”', event.why_not_billed)}{'.' if event.not_billed else ''}"
    ),
)
steps.describe(
    finance.AccountReopened,
    lambda event, _: (
        f"The account settled on {day(event.settled_on)} is open again: {money(event.unbilled)} of "
        f"approved work can be billed, {money(event.to_credit)} has to be credited, "
        f"{money(event.outstanding)} is outstanding."
    ),
)
