"""Define the events of expected losses."""

from contracts.channels import FINANCE_CONFIDENTIAL
from contracts.event import Event
from contracts.money import NotNegativeTotal
from contracts.values import Day, Identifier, Month, Value


class ExpectedLoss(Value):
    """The loss that a contract is expected to bring from a day on, and by how much it changed.

    Source: IAS 37.66-69. An amendment that is a contract of its own has a loss of its own.
    """

    amendment: Identifier | None
    """Id of the amendment that is a contract of its own; null for the contract itself."""
    month: Month
    """Calendar month in which the change counts, as `YYYY-MM`."""
    as_of: Day
    """Day to which cost and revenue are known: the end of a recognised month, or that of a report.

    It is before `month` where that month was booked before the change was measured.
    """
    cost_to_come: NotNegativeTotal | None
    """Expected cost at completion less the cost to that day.

    Null where it is not known: then the loss to this month stays what it was, and this change makes
    up for one of an earlier month.
    """
    revenue_to_come: NotNegativeTotal | None
    """Expected revenue at completion less the revenue recognised to that day, at least zero.

    Null where it, or the cost to come, is not known.
    """
    amount: NotNegativeTotal
    """Amount by which the expected loss changed; zero where only its parts did."""
    expected_loss: NotNegativeTotal
    """Cost to come less revenue to come, at least zero: the sum of the changes to this month."""
    asset_written_down: NotNegativeTotal
    """Part of the expected loss by which the contract asset is written down (IAS 37.69)."""
    provision: NotNegativeTotal
    """The rest of the expected loss, a liability."""


class LossProvided(ExpectedLoss, Event, channel=FINANCE_CONFIDENTIAL):
    """A contract is expected to bring a loss, or a larger one than before: `amount` is provided.

    Published by Finance in confidence, with the first recognised month or measured report that
    shows it.
    """


class LossReleased(ExpectedLoss, Event, channel=FINANCE_CONFIDENTIAL):
    """A part of an expected loss was released: its cost has come, or less loss is expected.

    Published by Finance in confidence. At the end of a contract, nothing is left.
    """
