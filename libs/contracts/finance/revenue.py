"""Define the events of recognised revenue."""

from contracts.channels import FINANCE, FINANCE_CONFIDENTIAL
from contracts.event import Event
from contracts.money import Money
from contracts.values import Identifier, Month, RevenueMethod, Value


class RevenueOfMonth(Value):
    """The revenue of an obligation in a month."""

    month: Month
    """Calendar month, as `YYYY-MM`."""
    obligation: Identifier
    """Id of the performance obligation."""
    method: RevenueMethod
    """Method by which revenue is recognised (IFRS 15)."""
    amount: Money
    """Revenue of the month; negative where earlier revenue is corrected (cumulative catch-up)."""
    cumulative: Money
    """Revenue of the obligation recognised to the end of the month, without opening balances."""


class RevenueRecognised(RevenueOfMonth, Event, channel=FINANCE):
    """The revenue of an obligation in a month was recognised by a method that does not use cost.

    Published by Finance, month after month.
    """


class RevenueByCostRecognised(RevenueOfMonth, Event, channel=FINANCE_CONFIDENTIAL):
    """The revenue of an obligation in a month was recognised in proportion to its cost.

    Published by Finance in confidence, month after month, since it reveals the cost.
    """
