"""Define the events of accounting periods."""

from contracts.channels import FINANCE, FINANCE_CONFIDENTIAL
from contracts.event import Event
from contracts.money import Money, NotNegativeTotal
from contracts.values import HoursDelta, Identifier, Margin, Month, Value, WorkCount


class BookedTotals(Value):
    """Totals of what Finance recorded about the engagement since its last booking.

    Entries of earlier days that came later are among them. Opening balances are not, except for
    `taken_over`.
    """

    billed: Money
    """Invoices issued, less invoices voided, without tax; negative where more was voided."""
    credited: NotNegativeTotal
    """Credit notes issued, without tax."""
    billed_gross: Money
    """Invoices issued, less invoices voided, with tax; negative where more was voided."""
    credited_gross: NotNegativeTotal
    """Credit notes issued, with tax."""
    paid: Money
    """Allocated to invoices, with tax and what banks kept, less what was taken back; any sign."""
    written_off: Money
    """Written off on invoices, with tax, less what was reversed; negative where more was."""
    taken_over: Money
    """Owed on invoices from before a take-over, with tax, less what corrections took away."""
    recognised: Money
    """Revenue recognised by methods that do not use cost."""
    hours: HoursDelta
    """Hours approved, less hours reversed; negative where more was reversed."""
    expenses: Money
    """Expenses approved, less expenses reversed. One in another currency counts once converted."""


class PeriodBooked(BookedTotals, Event, channel=FINANCE):
    """A month of the engagement was booked: it is closed for ever.

    Published by Finance, once for each month that the company closes. It contains the events of its
    channel before it, since the last booking, and of other departments those that `heard` names.
    What is recorded later, also of days in the month, is in the next booking.
    """

    company: Identifier
    """Id of the company that closes the month."""
    month: Month
    """Calendar month that was closed, as `YYYY-MM`."""
    receivables_before: Money
    """Owed by the customer at the last booking, with tax; zero before the first."""
    receivables: Money
    """Owed by the customer at the booking, with tax.

    `receivables_before` and `taken_over` and `billed_gross`, less `credited_gross`, `paid` and
    `written_off`.
    """
    unbilled: NotNegativeTotal
    """Worth at the booking of approved billable work, held or not, on no invoice and no draft.

    Hours are added by contract line, role and rate, and their worth is rounded once, as on an
    invoice. What exceeds a cap is in it.
    """
    unbilled_unknown: WorkCount
    """Number of such works that `unbilled` does not contain, because their worth is not known.

    No line pays for them, or more than one could; or the exchange rate of an expense is missing.
    """


class PeriodCosted(Event, channel=FINANCE_CONFIDENTIAL):
    """The cost of a month of the engagement was booked, together with the month.

    Published by Finance in confidence. It contains the events of its channel before it, since the
    last booking, and repeats the open revenue that the margin contains.
    """

    month: Month
    """Calendar month that was closed, as `YYYY-MM`."""
    cost: Money
    """Cost accrued, less cost reversed, since the last booking."""
    recognised_by_cost: Money
    """Revenue recognised in proportion to cost since the last booking."""
    recognised: Money
    """Revenue recognised by other methods since the last booking, as in `period-booked`."""
    margin: Margin | None
    """Margin of all this revenue; null where the cost of approved work was not known."""
