"""Approved works: time entries and expenses, with what withholds them and what bills them."""

from datetime import date, timedelta
from decimal import Decimal
from typing import ClassVar

from pydantic import SerializerFunctionWrapHandler, model_serializer

from contracts.finance import CostKind, WorkKind
from contracts.money import Money, Rate
from contracts.values import (
    Conversion,
    Hours,
    Identifier,
    PersonId,
    ProjectRole,
    ShortText,
    Value,
    Week,
)

NOTHING = Decimal(0)


class Withheld(Value):
    """Why a work, or the part that no invoice billed, is not billed, and the line.

    `hours` and `worth` are those of the part; an expense has no hours. `on` is the day (UTC) when
    that was decided first.
    """

    line: Identifier
    why: ShortText
    hours: Decimal = NOTHING
    worth: Money
    on: date

    def of(self, work: "Work") -> Decimal:
        """Return the hours of the part, or the amount of an expense."""
        return self.worth.amount if work.role is None else self.hours

    def and_later(self, more: "Withheld") -> "Withheld":
        """Return the part together with what was decided later."""
        both = {"hours": self.hours + more.hours, "worth": self.worth + more.worth}
        return self.model_copy(update=both)


class _Compact(Value):
    """Base of values of which a state has thousands: in JSON, they leave out what is empty."""

    required: ClassVar[frozenset[str]] = frozenset()
    """Names of the fields without a default; the default of every other field is empty."""

    @classmethod
    def __pydantic_init_subclass__(cls, **_: object) -> None:
        fields = cls.model_fields.items()
        cls.required = frozenset(name for name, field in fields if field.is_required())

    @model_serializer(mode="wrap")
    def _without_defaults(self, written: SerializerFunctionWrapHandler) -> dict[str, object]:
        fields: dict[str, object] = written(self)
        return {name: value for name, value in fields.items() if value or name in self.required}


class Bill(_Compact):
    """Part of a work that a line of an invoice or a draft bills, or that was given back for good.

    `written_down` is what the line lowers the amount by. `to_credit` says that the invoice was
    approved when the work was reversed.
    """

    invoice: Identifier
    invoice_line: Identifier
    hours: Decimal
    amount: Money
    written_down: Money | None = None
    to_credit: bool = False


class EndedBill(_Compact):
    """Bill of an invoice that was voided, or credited to be billed again, on a day: `until`."""

    bill: Bill
    until: date


class Work(_Compact):
    """Approved time, or an approved expense (which has an amount, but no role and no hours).

    `number` counts the works of the engagement in the order of approval, from 0. `line` is the
    contract line that Delivery's plan or the approval of an expense names, if any, `task` that of
    time. `conversion` is
    that of an expense in another currency than the engagement's, once its rate is known.
    `released` counts the releases up to its own, 0 if it was never held: released works are billed
    after the others of their day.

    `paid_by` is the line that bills it, with its `rate` of the day, or what an expense has `spent`
    in the engagement's currency (None while it is not converted); `is_unassigned` says that a line
    should, and none does. `costs` is the line that its cost belongs to. They follow from the
    budget.

    `ended` are bills that count no more: the booking of a month before their end contains them.
    """

    entry: Identifier
    person: PersonId
    kind: CostKind
    on: date
    billable: bool
    number: int
    line: Identifier | None = None
    task: Identifier | None = None
    role: ProjectRole | None = None
    hours: Hours = NOTHING
    amount: Money | None = None
    category: str | None = None
    cost: Money | None = None
    conversion: Conversion | None = None
    held: Withheld | None = None
    written_down: Withheld | None = None
    released: int = 0
    paid_by: Identifier | None = None
    rate: Rate | None = None
    spent: Decimal | None = None
    is_unassigned: bool = False
    costs: Identifier | None = None
    bills: tuple[Bill, ...] = ()
    ended: tuple[EndedBill, ...] = ()

    @property
    def work_kind(self) -> WorkKind:
        """Return whether it is time or an expense."""
        return "expense" if self.role is None else "time"

    @property
    def key(self) -> str:
        """Return its key among the approved works."""
        return f"{self.work_kind}:{self.entry}"

    @property
    def week(self) -> Week | None:
        """Return the Monday of the week of time; None for an expense."""
        return None if self.role is None else self.on - timedelta(days=self.on.weekday())

    @property
    def worth(self) -> Decimal | None:
        """Return the hours at the rate, not rounded, or what was spent; None while unknown."""
        return self.rate.amount * self.hours if self.rate is not None else self.spent

    @property
    def left(self) -> Decimal:
        """Return the hours, or the amount of an expense, that may still be billed, held or not.

        That is what no invoice and no draft bills, and what is not written down.
        """
        gone = self.written_down.of(self) if self.written_down else NOTHING
        if self.role is not None:
            return self.hours - sum(map(self.part_of, self.bills), NOTHING) - gone
        return (self.worth or NOTHING) - sum(map(self.part_of, self.bills), NOTHING) - gone

    def part_of(self, bill: Bill) -> Decimal:
        """Return what a bill takes: hours, or of an expense the amount with what it lowers."""
        if self.role is not None:
            return bill.hours
        lowered = bill.written_down.amount if bill.written_down else NOTHING
        return bill.amount.amount + lowered

    @property
    def free(self) -> Decimal:
        """Return what of that is not held."""
        return self.left - (self.held.of(self) if self.held else NOTHING)

    @property
    def worth_kept(self) -> Decimal:
        """Return what bills charge for it, and the worth of what is left, which is not rounded.

        What is written down is not in it, nor what is not known.
        """
        charged = sum((each.amount.amount for each in self.bills), NOTHING)
        if self.worth is None:
            return charged
        return charged + (self.left if self.rate is None else self.rate.amount * self.left)

    @property
    def is_open(self) -> bool:
        """Return whether a part of it may still be billed."""
        if not self.billable:
            return False
        if self.paid_by is None:
            return self.is_unassigned
        return self.worth is None or self.left > 0

    @property
    def is_pending(self) -> bool:
        """Return whether something has to follow if its approval is reversed, or it is billed."""
        withheld = self.held or self.written_down or self.conversion
        return self.cost is not None or withheld is not None or self.bills != ()

    def expense_in(self, currency: str) -> Money | None:
        """Return the amount of an expense; None for time, and while it is not converted."""
        amount = self.conversion.converted if self.conversion else self.amount
        return amount if amount is not None and amount.currency == currency else None

    def changed(self, **fields: object) -> "Work":
        """Return a copy with some fields replaced, unchecked."""
        return self.model_copy(update=fields)

    def billed_by(self, *bills: Bill) -> "Work":
        """Return the work with these bills in the place of those of the same lines of invoices."""
        new = {(each.invoice, each.invoice_line): each for each in bills}
        kept = [each for each in self.bills if (each.invoice, each.invoice_line) not in new]
        return self.changed(bills=(*kept, *new.values()))

    def without_bill(
        self,
        invoice: str,
        line: str | None = None,
        until: date | None = None,
        given_back: tuple[Decimal, Money] | None = None,
    ) -> "Work":
        """Return the work without what an invoice, or one line of it, bills of it.

        `until` is the day on which an issued invoice ceased to bill it; None for a draft. The hours
        and the amount that were `given_back` for good stay on the invoice.
        """
        kept, ended = list[Bill](), list(self.ended)
        for each in self.bills:
            if each.invoice != invoice or line not in {None, each.invoice_line}:
                kept.append(each)
                continue
            gone = each
            if given_back is not None:
                hours, amount = given_back
                stays = {"hours": hours, "amount": amount, "written_down": None}
                kept.append(each.model_copy(update=stays))
                less = {"hours": each.hours - hours, "amount": each.amount - amount}
                gone = each.model_copy(update=less)
            if until is not None:
                ended.append(EndedBill(bill=gone, until=until))
        return self.changed(bills=tuple(kept), ended=tuple(ended))
