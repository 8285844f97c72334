"""Define the events of accounting periods."""

from typing import Annotated

from pydantic import Field

from contracts.channels import FINANCE, FINANCE_CONFIDENTIAL
from contracts.event import Event
from contracts.money import Money, NotNegativeTotal
from contracts.values import HoursDelta, Identifier, Margin, Month, Value, WorkCount


class BookedTotals(Value):
    """Totals of what Finance recorded about the engagement and has not booked, to a month's end.

    Entries count by their days. Those of days in months that are booked are among them, since they
    came later. Opening balances are not, except for `taken_over`.
    """

    billed: Money
    """Invoices issued (`issued_on`), less invoices voided (`voided_on`), without tax; any sign."""
    credited: NotNegativeTotal
    """Credit notes issued (`issued_on`), without tax."""
    billed_gross: Money
    """Invoices issued, less invoices voided, with tax; any sign. Days as of `billed`."""
    credited_gross: NotNegativeTotal
    """Credit notes issued (`issued_on`), with tax."""
    paid: Money
    """Allocated to invoices, with tax and what banks kept, less what was taken back; any sign.

    The days are `received_on` and `deallocated_on`.
    """
    written_off: Money
    """Written off on invoices, with tax, less what was reversed; any sign.

    The days are `written_off_on` and `reversed_on`.
    """
    taken_over: Money
    """Owed on invoices from before a take-over, with tax, less what corrections took away.

    The day is `as_of`.
    """
    recognised: Money
    """Revenue recognised by methods that do not use cost, by its month."""
    hours: HoursDelta
    """Hours approved, less hours reversed, both by the day of each entry; any sign."""
    expenses: Money
    """Expenses approved, less expenses reversed, both by the day on which they were spent.

    One in another currency counts once converted.
    """


class PeriodBooked(BookedTotals, Event, channel=FINANCE):
    """A month of the engagement was booked: it is closed for ever.

    Published by Finance, once for each month that the company closes. An entry is in the booking of
    the month of its day or, where that was booked before the entry was recorded, in the next one.
    So a booking contains the entries whose day is at most the last day of the month, that came
    before it, and that no booking contains: of its own channel those with a lower
    `streamsequence`, of other departments those that `heard` names. Entries of later days wait for
    their month.
    """

    company: Identifier
    """Id of the company that closes the month."""
    month: Month
    """Calendar month that was closed, as `YYYY-MM`."""
    receivables_before: Money
    """Owed by the customer at the last booking, with tax; zero before the first."""
    receivables: Money
    """Owed by the customer by documents dated to the end of the month, with tax.

    `receivables_before` and `taken_over` and `billed_gross`, less `credited_gross`, `paid` and
    `written_off`.
    """
    unbilled: NotNegativeTotal
    """Worth of approved billable work of days to the end of the month, held or not, not billed.

    No draft bills it, and no invoice dated to the end of the month. Voidings, and credit notes with
    the intent `cancel-and-rebill`, count by their days. Work is approved, reversed, drafted or
    written down as it was at the booking. Work on later invoices is worth what they charge. Other
    hours are added by contract line, role and rate, and their worth is rounded once, as on an
    invoice. What exceeds a cap is in it.
    """
    unbilled_unknown: WorkCount
    """Number of such works that `unbilled` does not contain, because their worth is not known.

    No line pays for them, or more than one could; or the exchange rate of an expense is missing.
    """


class ContractBalance(Value):
    """The revenue and the billing of a contract to the end of a month, without tax.

    Opening balances are contained. Source: IFRS 15.105-107.
    """

    amendment: Identifier | None
    """Id of the amendment that is a contract of its own; null for the contract itself."""
    recognised: Money | None
    """Revenue to that day; null where that of an obligation is not recognised to the month."""
    billed: Money
    """Invoices less credit notes, both to that day."""
    contract_asset: NotNegativeTotal | None
    """Recognised less billed, at least zero; null where `recognised` is."""
    contract_liability: NotNegativeTotal | None
    """Billed less recognised, at least zero; null where `recognised` is."""


class PeriodCosted(Event, channel=FINANCE_CONFIDENTIAL):
    """The cost of a month of the engagement was booked, together with the month.

    Published by Finance in confidence. It contains the events of its channel by the same rule as
    `period-booked`: those before it of days to the end of the month that no booking contains. It
    repeats the open revenue that the margin contains.
    """

    month: Month
    """Calendar month that was closed, as `YYYY-MM`."""
    cost: Money
    """Cost accrued, less cost reversed, both by the day of each of their entries."""
    recognised_by_cost: Money
    """Revenue recognised in proportion to cost, by its month."""
    recognised: Money
    """Revenue recognised by other methods, as in `period-booked`."""
    loss: Money
    """Expected losses provided, less those released, by the month of the change."""
    contracts: Annotated[tuple[ContractBalance, ...], Field(max_length=200)]
    """Revenue and billing of each contract to the end of the month."""
    uncosted: WorkCount
    """Number of approved works of days to the end of the month whose cost is not known.

    Their cost is in a later booking.
    """
    margin: Margin | None
    """Margin of all this revenue over `cost` and `loss`.

    Null where the cost of approved work of days to the end of the month was not known.
    """
