"""Define the events of prices and costs of changes."""

from contracts.channels import FINANCE, FINANCE_CONFIDENTIAL
from contracts.event import Event
from contracts.finance.costing import LineCosts
from contracts.lines import LineChanges
from contracts.money import ItemMoney, Money
from contracts.values import Identifier, Ratio


class ChangePriced(Event, channel=FINANCE, consumed_by=("sales", "delivery", "legal")):
    """The last assessment of a change was priced.

    Published by Finance once the budget is set. Hours are priced at the rate of the line on the
    day of the assessment, or at that of the rate card where the line has none.
    """

    change: Identifier
    """Id of the change within the engagement."""
    changes: LineChanges
    """The assessed changes of the lines with their prices."""
    price: ItemMoney
    """Sum of the price changes: the amount by which the price of the contract would change."""


class ChangeCosted(Event, channel=FINANCE_CONFIDENTIAL):
    """The cost of a priced or signed change was calculated.

    Published by Finance in confidence once the cost rates are known. The rates are those in force
    on the day (UTC) of the assessment.
    """

    change: Identifier
    """Id of the change within the engagement."""
    cost: Money
    """Cost to the company of the hours: the sum of the lines; negative for a cut of scope."""
    lines: LineCosts
    """Costs of the lines that the change touches."""
    margin: Ratio | None
    """(price - cost) / price, as a ratio; null where the price is zero."""
