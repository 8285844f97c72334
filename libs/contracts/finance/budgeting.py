"""Define the events of budgets."""

from typing import Annotated

from pydantic import Field

from contracts.channels import FINANCE, FINANCE_CONFIDENTIAL
from contracts.decimals import ROUNDING, Rounding
from contracts.event import Event
from contracts.finance.costing import LineCosts
from contracts.lines import ContractLines, PerformanceObligation, Treatment
from contracts.money import NotNegativeTotal, PositiveTotal
from contracts.values import Day, DistinctBy, Identifier, Margin, RevenueMethod, ShortText, Value


class RevenueMethodChoice(Value):
    """A method by which the revenue of an obligation is recognised, and the reason for it."""

    obligation: Identifier
    """Id of the obligation: `fixed` for all fixed lines together, else that of its line."""
    method: RevenueMethod
    """Method by which revenue is recognised (IFRS 15)."""
    why: ShortText
    """Reason for the choice."""


class RevenueMethodChosen(RevenueMethodChoice, Event, channel=FINANCE):
    """A revenue method was chosen before the budget is set, and applies in place of the usual one.

    Published by Finance. It takes effect with the budget and is not changed afterwards.
    """


class TreatmentChoice(Value):
    """A choice of how an amendment is accounted for, and the reason for it."""

    amendment: Identifier
    """Id of the amendment within the engagement."""
    treatment: Treatment
    """Accounting treatment of the amendment."""
    why: ShortText
    """Reason for the choice."""


class TreatmentChosen(TreatmentChoice, Event, channel=FINANCE):
    """A treatment of an amendment was chosen, and applies in place of the usual one.

    Published by Finance. It takes effect with the amended budget, where it fits what was signed.
    """


class BudgetSet(Event, channel=FINANCE, consumed_by=("delivery",)):
    """The budget was set from the signed statement of work. Published by Finance."""

    price: PositiveTotal
    """Price of the contract: the sum of the lines."""
    lines: ContractLines
    """Lines of the contract with prices, hours and billing schedules."""
    obligations: Annotated[
        tuple[PerformanceObligation, ...],
        Field(min_length=1, max_length=200),
        DistinctBy("obligation"),
    ]
    """Groups of lines whose revenue is measured together; each line is in one of them."""
    rounding: Rounding = ROUNDING
    """Policy for half a minor unit: the company's on the day of the signature, for good."""


class BudgetAmended(Event, channel=FINANCE, consumed_by=("delivery", "legal")):
    """A signed amendment was applied to the budget and the billing schedule.

    Published by Finance, for one amendment after the other in the order in which Finance received
    them.
    """

    change: Identifier
    """Id of the change within the engagement."""
    amendment: Identifier
    """Id of the amendment within the engagement."""
    price: NotNegativeTotal
    """Price of the contract after the amendment: the sum of the lines."""
    lines: ContractLines
    """All lines after the amendment, with prices, hours and billing schedules."""
    obligations: Annotated[
        tuple[PerformanceObligation, ...],
        Field(min_length=1, max_length=200),
        DistinctBy("obligation"),
    ]
    """All obligations after the amendment."""
    signed_on: Day
    """Day of the amendment's signature."""
    unnamed_work_from: Day
    """First day of work on which added lines and rates count for work that names no line.

    It is the day of the signature, or the day after the last one of which work was billed, held or
    written down before. On earlier days since the signature they count only where no earlier line
    pays.
    """
    treatment: Treatment
    """Accounting treatment of the amendment."""
    why: ShortText
    """Reason for the treatment."""


class BudgetCosted(Event, channel=FINANCE_CONFIDENTIAL):
    """The cost of the budget was calculated at the cost rates in force on the day of signature.

    Published by Finance in confidence once the cost rates are known. Amendments are not included.
    """

    cost: NotNegativeTotal
    """Cost to the company: the sum of the lines."""
    lines: LineCosts
    """Cost of the hours of each line; a line at cost without hours costs its price."""
    margin_sold: Margin
    """Margin of the signed price over this cost."""
