"""Define the events of invoices and credit notes."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from contracts.channels import FINANCE
from contracts.event import Event
from contracts.finance.tax import CreditNoteDetails, InvoiceDetails, TaxTotals
from contracts.finance.works import (
    MOST_WORKS,
    BilledWorks,
    CreditedWork,
    CreditedWorks,
    ReversedWork,
)
from contracts.lines import BillingKind
from contracts.money import ItemMoney, Money, NotNegativeTotal, PositiveMoney, PositiveTotal, Rate
from contracts.values import (
    Conversion,
    Day,
    DistinctBy,
    ExactHours,
    Identifier,
    ProjectRole,
    ShortText,
    Value,
    YesNo,
)


class DayHours(Value):
    """Hours that are billed of a day."""

    day: Day
    """Day of the work."""
    hours: ExactHours
    """Hours of the day."""


class InvoiceLineTerms(Value):
    """Line of an invoice as stated by a person; role, hours and rate where it bills time."""

    description: ShortText
    """Text of the line."""
    line: Identifier
    """Id of the contract line."""
    amount: ItemMoney
    """Amount of the line without tax; negative where it lowers the invoice."""
    role: ProjectRole | None = None
    """Role whose time is billed; null where no time is."""
    hours: ExactHours | None = None
    """Hours that are billed; null where no time is."""
    rate: Rate | None = None
    """Bill rate per hour; null where no time is billed."""
    days: Annotated[tuple[DayHours, ...], Field(max_length=5_000), DistinctBy("day")] = ()
    """The hours by day; empty where no time is billed, or where an exception names no days."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.days and sum(each.hours for each in self.days) != self.hours:
            raise ValueError("the hours of the days must add up to hours")
        return self


class InvoiceLineContent(InvoiceLineTerms):
    """Line of an invoice before it is drafted: all but its id."""

    expense: Identifier | None = None
    """Id of the expense, where one that was converted is billed; null where it is another line."""
    conversion: Conversion | None = None
    """The conversion of the whole expense; null where the line bills none that was converted.

    The amount of the line is less where the contract line has less left to bill, or an earlier
    invoice bills a part.
    """
    works: BilledWorks = ()
    """Works that the line bills, which share its amount; empty where it bills no approved work.

    The works of an exception may come to less than its hours or amount.
    """
    written_down: PositiveTotal | None = None
    """Amount that an edit of the draft took off, and that is not billed; null where none did.

    Of time it is the difference to hours times rate.
    """

    @property
    def whole(self) -> Money:
        """Return the amount with what was written down of it."""
        return self.amount if self.written_down is None else self.amount + self.written_down


class InvoiceLine(InvoiceLineContent):
    """Line of an invoice."""

    invoice_line: Identifier
    """Id of the line, from the draft on; `line` is that of the contract line."""


InvoiceLines = Annotated[
    tuple[InvoiceLine, ...], Field(max_length=5_000), DistinctBy("invoice_line")
]
"""Lines of an invoice, at most 5,000."""


class InvoiceDraft(Value):
    """The content of an invoice, as it is drafted for a billing event."""

    invoice: Identifier
    """Id of the invoice, from draft to payment; not the invoice number."""
    billing_event: Identifier
    """Id of the billing event that is invoiced."""
    kind: BillingKind
    """The condition that made the amount due, as in the billing schedule."""
    lines: InvoiceLines
    """Lines of the invoice."""
    amount: PositiveMoney
    """Sum of the lines less `advance_drawn`."""
    advance_drawn: NotNegativeTotal
    """Part of the lines that is paid by an advance invoiced before (a contract liability)."""


class InvoiceDrafted(InvoiceDraft, Event, channel=FINANCE):
    """An invoice was drafted for a billing event; it has no number until it is approved.

    Published by Finance; again after an invoice was voided, under another id.
    """


class InvoiceEdited(InvoiceDraft, Event, channel=FINANCE):
    """A draft invoice was edited: by a person, or because the approval of work was reversed.

    Published by Finance. The content is that of the whole draft after the edit. The billing event
    of time has the same amount then; that of another entry keeps its own, of which the lines write
    the difference down.
    """

    removed: BilledWorks = ()
    """Works that the draft billed before and does not bill any more, or in part only."""
    why: ShortText | None = None
    """Reason that a person gave; null where it follows from the reversal of an approval."""


class DraftWithdrawn(Event, channel=FINANCE):
    """A draft invoice and its billing event were withdrawn before approval.

    Published by Finance where an amendment reduced the entry of the billing schedule below what had
    become due: what is left of the entry becomes due again and is drafted anew. Also where the
    acceptance that had made it due was withdrawn: the next acceptance makes it due again. Also
    where the approval of work on it was reversed and the rest cannot be billed as it was drafted:
    the rest is unbilled again. The ids of the invoice and of the billing event may be used again
    then.
    """

    invoice: Identifier
    """Id of the invoice, from draft to payment; not the invoice number."""
    billing_event: Identifier
    """Id of the billing event that is invoiced."""
    amount: PositiveMoney
    """Amount of the withdrawn draft."""
    works: BilledWorks = ()
    """Works that the draft billed; they are unbilled again unless their approval was reversed."""


class DraftJudgement(Value):
    """The reason for which a draft invoice is held or rejected."""

    invoice: Identifier
    """Id of the draft."""
    why: ShortText
    """Reason for it."""


class InvoiceHeld(DraftJudgement, Event, channel=FINANCE):
    """A draft invoice was held; it is not approved until it is released. Published by Finance."""


class InvoiceReleased(Event, channel=FINANCE):
    """A draft invoice that was held can be approved again. Published by Finance."""

    invoice: Identifier
    """Id of the draft."""


class InvoiceRejected(DraftJudgement, Event, channel=FINANCE):
    """A draft invoice was rejected; it is never issued. Published by Finance.

    What it billed is due again: works are unbilled until time is billed again, and an entry of the
    billing schedule is drafted anew, under another id. An exception ends.
    """

    amount: PositiveMoney
    """Amount of the draft without tax."""
    ends_event: YesNo
    """True if the billing event ended with the draft; if not, it is drafted anew.

    True for time and expenses, for exceptions, and where an amendment reduced the entry of the
    billing schedule below what had become due.
    """
    works: BilledWorks = ()
    """Works that the draft billed; they are unbilled again unless their approval was reversed."""


class InvoiceApproved(Event, channel=FINANCE):
    """A draft invoice was approved; it is issued when it has its number.

    Published by Finance; again, maybe for another day, where no number could be given to the first
    approval.
    """

    invoice: Identifier
    """Id of the invoice, from draft to payment; not the invoice number."""
    amount: PositiveMoney
    """Amount of the invoice without tax."""
    tax: TaxTotals
    """Tax by tax code, and the amount with tax."""
    details: InvoiceDetails
    """Parties, service period, purchase order and bank account."""
    issue_on: Day
    """Invoice date."""


class InvoiceIssued(Event, channel=FINANCE, consumed_by=("delivery", "legal", "sales")):
    """An approved invoice was issued to the customer under its number. Published by Finance."""

    invoice: Identifier
    """Id of the invoice."""
    number: Identifier
    """Invoice number, such as `2026-00042`."""
    billing_event: Identifier
    """Id of the billing event that is invoiced."""
    kind: BillingKind
    """The condition that made the amount due, as in the billing schedule."""
    amount: PositiveMoney
    """Amount without tax: the sum of the lines less `advance_drawn`."""
    tax: TaxTotals
    """Tax by tax code, and the amount with tax, which is to be paid."""
    details: InvoiceDetails
    """Parties, service period, purchase order and bank account."""
    advance_drawn: NotNegativeTotal
    """Part of the lines that is paid by an advance invoiced before (a contract liability)."""
    deliverables: Annotated[tuple[Identifier, ...], Field(max_length=200)] = ()
    """Ids of the deliverables that the entry of the billing schedule names."""
    lines: InvoiceLines = ()
    """Lines of the invoice."""
    issued_on: Day
    """Invoice date."""
    due_on: Day
    """Last day for payment: the invoice date plus the contract's payment terms."""


class Voiding(Value):
    """The reason for which an invoice is voided."""

    invoice: Identifier
    """Id of the invoice."""
    why: ShortText
    """Reason for voiding it."""


class InvoiceVoided(Voiding, Event, channel=FINANCE, consumed_by=("sales", "legal")):
    """An issued invoice was voided; its number is not used again. Published by Finance."""

    number: Identifier
    """Invoice number."""
    amount: PositiveMoney
    """Amount of the voided invoice without tax."""
    voided_on: Day
    """Day on which it was voided."""
    ends_event: YesNo
    """True if the billing event ended with the invoice; if not, it is drafted anew.

    True for exceptions, where an amendment reduced the entry of the billing schedule below what had
    become due, and where the approval of work on the invoice was reversed.
    """
    works: BilledWorks = ()
    """Works that the invoice billed; they are unbilled again unless their approval was reversed."""


CreditIntent = Literal["cancel-and-rebill", "give-back"]
"""Intent of a credit.

With `cancel-and-rebill`, what is credited can be billed again: works are unbilled, unless their
approval was reversed, and entries of the billing schedule are due again. With `give-back`, it is
credited for good and never billed again.
"""


class CreditedLine(Value):
    """Part of a line of an invoice that a credit note takes back."""

    invoice_line: Identifier
    """Id of the line of the invoice."""
    line: Identifier
    """Id of the contract line."""
    role: ProjectRole | None = None
    """Role whose time the line bills; null where it bills none."""
    amount: ItemMoney
    """Amount that is taken back, without tax; negative where the line lowers the invoice."""
    works: CreditedWorks = ()
    """Works of the line that it takes back, and which parts of them stay given back for good.

    They come to more than `amount` only where the approval of some was reversed and a part of the
    line was given back before: reversed works leave the invoice whole.
    """


class Credit(Value):
    """A credit on an invoice, and the reason for it."""

    invoice: Identifier
    """Id of the invoice."""
    intent: CreditIntent
    """Intent, which says if the amount can be billed again."""
    lines: Annotated[
        tuple[CreditedLine, ...],
        Field(min_length=1, max_length=5_000),
        DistinctBy("invoice_line"),
    ]
    """Amounts and works by line of the invoice."""
    amount: PositiveMoney
    """Amount that is given back, without tax: the sum of the lines less `advance_restored`."""
    advance_restored: NotNegativeTotal | None = None
    """Part of the lines that an advance had paid and that it covers again; null where none is."""
    tax: TaxTotals
    """Tax that is given back by the codes of the invoice, and the amount with tax."""
    details: CreditNoteDetails
    """Parties as on the invoice, and its number."""
    why: ShortText
    """Reason for the credit."""

    @property
    def works(self) -> tuple[CreditedWork, ...]:
        """Return the works of all lines."""
        return tuple(work for line in self.lines for work in line.works)


class BilledWorkReversed(Event, channel=FINANCE):
    """The approval of work was reversed that an approved or issued invoice bills.

    Published by Finance. A credit note that names the works (its intent is `cancel-and-rebill`), or
    the voiding of the invoice, ends it; until then the account cannot be settled.
    """

    invoice: Identifier
    """Id of the invoice."""
    works: Annotated[tuple[ReversedWork, ...], Field(min_length=1, max_length=MOST_WORKS)]
    """The works, with what the invoice bills for them."""
    amount: NotNegativeTotal
    """Sum of the works."""


class CreditNoteIssued(Credit, Event, channel=FINANCE, consumed_by=("sales", "legal")):
    """A credit note over part or all of an issued invoice was issued under its number.

    Published by Finance. Its intent says whether what it credits is billed again.
    """

    credit_note: Identifier
    """Id of the credit note."""
    number: Identifier
    """Number of the credit note, such as `CN-2026-00007`."""
    issued_on: Day
    """Date of the credit note."""
