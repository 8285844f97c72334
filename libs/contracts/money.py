"""Define money and rates: decimals in a currency, never floats, never added across currencies.

An amount is whole in the minor unit of its currency (EUR 10.005 and JPY 0.5 are none), and a rate
per hour has up to four decimals. Hours x rate is an amount, rounded once, by a policy that the
caller names. An amount that a person enters (a payment, an entry of a schedule) has the bound of an
item. A calculated amount (a sum, a product, a difference) has the bound of a total, which no number
of items reaches.
"""

import decimal
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Final, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from contracts.currencies import MINOR_UNITS
from contracts.decimals import CANONICAL, Rounding, round_decimal


def _known(code: str) -> str:
    if code not in MINOR_UNITS:
        raise ValueError("not an ISO 4217 currency code, such as EUR or USD")
    return code


CURRENCY_CODE: Final = AfterValidator(_known)
"""Annotation of a field that is a currency's code."""

Currency = Annotated[
    str,
    Field(min_length=3, max_length=3, pattern="^[A-Z]{3}$", examples=["EUR"]),
    CURRENCY_CODE,
]
"""ISO 4217 alphabetic currency code, also of a withdrawn currency; commands are refused by day."""

DIGITS = 100
"""Precision of decimal arithmetic in every thread and task, in digits.

The largest intermediate result (three totals divided by two of the smallest amounts) has fewer, so
that sums and roundings of amounts and hours neither lose digits nor fail.
"""
decimal.DefaultContext.prec = DIGITS  # for threads that start later
decimal.getcontext().prec = DIGITS

BEYOND_ITEMS = Decimal(10) ** 14
"""Bound of an item: its absolute amount is less than this."""

Amount = Annotated[Decimal, Field(max_digits=30, decimal_places=3, allow_inf_nan=False), CANONICAL]
"""Amount of an item or a total; no minor unit has more than three decimals."""

RateAmount = Annotated[
    Decimal,
    Field(ge=0, lt=BEYOND_ITEMS, max_digits=18, decimal_places=4, allow_inf_nan=False),
    CANONICAL,
]
"""Amount per hour, with up to four decimals."""

_SMALLEST = {code: Decimal(1).scaleb(-decimals) for code, decimals in MINOR_UNITS.items()}


class CurrencyMismatch(ValueError):
    """An attempt to add, subtract or compare amounts in different currencies."""


class Money(BaseModel):
    """Amount of money in a currency, whole in its minor unit."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        json_schema_extra={"x-whole-minor-units": True},
    )

    amount: Amount
    """Decimal number in units of the currency (not in minor units).

    It has no more decimals than the currency's minor unit: 2 for EUR, 0 for JPY, 3 for KWD.
    """
    currency: Currency
    """ISO 4217 code."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.amount % _SMALLEST[self.currency]:
            decimals = MINOR_UNITS[self.currency]
            rule = f"{decimals} decimals at most" if decimals else "no decimals"
            raise invalid("amount", f"must have {rule} in {self.currency}", self.amount)
        return self

    @classmethod
    def nearest(cls, amount: Decimal | Fraction, currency: str, rounding: Rounding) -> "Money":
        """Return an amount rounded to the currency's minor unit by a policy."""
        rounded = round_decimal(amount, MINOR_UNITS[currency], rounding)
        return Money.model_construct(amount=rounded, currency=currency)

    @classmethod
    def zero(cls, currency: str) -> "Money":
        """Return the amount zero in a currency."""
        return Money.model_construct(amount=Decimal(0), currency=currency)

    @classmethod
    def total(cls, parts: Iterable["Money"], currency: str) -> "Money":
        """Return the sum of the parts.

        Raises CurrencyMismatch where a part is not in `currency`.
        """
        result = Money.zero(currency)
        for part in parts:
            result = result + part
        return result

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} cannot be combined with {other.currency}")

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money.model_construct(amount=self.amount + other.amount, currency=self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money.model_construct(amount=self.amount - other.amount, currency=self.currency)

    def __mul__(self, factor: int) -> "Money":
        return Money.model_construct(amount=self.amount * factor, currency=self.currency)

    def __neg__(self) -> "Money":
        return Money.model_construct(amount=-self.amount, currency=self.currency)

    def __lt__(self, other: "Money") -> bool:
        self._same(other)
        return self.amount < other.amount

    def __le__(self, other: "Money") -> bool:
        self._same(other)
        return self.amount <= other.amount

    def __str__(self) -> str:
        return f"{self.amount:,.{MINOR_UNITS[self.currency]}f} {self.currency}"


class Rate(BaseModel):
    """Rate per hour in a currency: what an hour is billed at or, in cost rates, what it costs."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    amount: RateAmount
    """Decimal number with up to four decimals, in units of the currency per hour."""
    currency: Currency
    """ISO 4217 code."""

    def for_hours(self, hours: Decimal | int, rounding: Rounding) -> Money:
        """Return the amount for a number of hours, rounded to the minor unit by a policy."""
        return Money.nearest(self.amount * hours, self.currency, rounding)

    def __str__(self) -> str:
        decimals = max(
            MINOR_UNITS[self.currency], -int(self.amount.normalize().as_tuple().exponent)
        )
        return f"{self.amount:,.{decimals}f} {self.currency}"

    def agrees(self, hours: Decimal, amount: Money) -> bool:
        """Tell whether an amount is hours x rate by any rounding: within half a minor unit."""
        difference = abs(self.amount * hours - amount.amount)
        return self.currency == amount.currency and difference * 2 <= _SMALLEST[self.currency]


def invalid(field: str, message: str, given: object) -> ValidationError:
    """Return the validation error of one field of a value; the message must not contain a brace."""
    error = PydanticCustomError("invalid_value", message)
    details = InitErrorDetails(type=error, loc=(field,), input=given)
    return ValidationError.from_exception_data("value", [details])


def _item(money: Money) -> Money:
    if abs(money.amount) >= BEYOND_ITEMS:
        raise invalid("amount", f"must be less than {BEYOND_ITEMS:,}", money.amount)
    return money


M = TypeVar("M", Money, Rate)


def _not_negative(money: Money) -> Money:
    if money.amount < 0:
        raise ValueError("must not be negative")
    return money


def _positive(value: M) -> M:
    if value.amount <= 0:
        raise ValueError("must be more than zero")
    return value


_ITEM_BOUND: Any = Field(json_schema_extra={"x-amount-below": str(BEYOND_ITEMS)})

ItemMoney = Annotated[Money, AfterValidator(_item), _ITEM_BOUND]
"""Money with the bound of an item, positive, zero or negative."""
NotNegativeMoney = Annotated[ItemMoney, AfterValidator(_not_negative)]
PositiveMoney = Annotated[ItemMoney, AfterValidator(_positive)]

NotNegativeTotal = Annotated[Money, AfterValidator(_not_negative)]
PositiveTotal = Annotated[Money, AfterValidator(_positive)]
PositiveRate = Annotated[Rate, AfterValidator(_positive)]
