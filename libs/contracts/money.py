"""Define money: a decimal amount in a currency, never a float, never added across currencies.

An amount that a person enters (a rate, a payment, an entry of a schedule) has the bound of an item.
A calculated amount (a sum, a product, a difference) has the bound of a total, which no number of
items reaches.
"""

import decimal
from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

# Active ISO 4217 codes whose minor unit is not two digits; every other active code has two.
_MINOR_UNITS = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
}
_TWO_DIGITS = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD "
    "CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD "
    "GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD "
    "MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP "
    "PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS "
    "TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW"
)
MINOR_UNITS: dict[str, int] = _MINOR_UNITS | dict.fromkeys(_TWO_DIGITS.split(), 2)
"""Number of decimals of the minor unit, by active ISO 4217 currency code."""


def _known(code: str) -> str:
    if code not in MINOR_UNITS:
        raise ValueError("not an active ISO 4217 currency code, such as EUR or USD")
    return code


Currency = Annotated[
    str,
    Field(min_length=3, max_length=3, pattern="^[A-Z]{3}$", examples=["EUR"]),
    AfterValidator(_known),
]
"""Active ISO 4217 alphabetic currency code."""

DIGITS = 100
"""Precision of decimal arithmetic in every thread and task, in digits.

The largest intermediate result (three totals divided by two of the smallest amounts) has fewer, so
that sums and roundings of amounts and hours neither lose digits nor fail.
"""
decimal.DefaultContext.prec = DIGITS  # for threads that start later
decimal.getcontext().prec = DIGITS

BEYOND_ITEMS = Decimal(10) ** 14
"""Bound of an item: its absolute amount is less than this."""

Amount = Annotated[Decimal, Field(max_digits=30, decimal_places=4, allow_inf_nan=False)]
"""Amount of an item or a total, with up to four decimals."""


class CurrencyMismatch(ValueError):
    """An attempt to add, subtract or compare amounts in different currencies."""


class Money(BaseModel):
    """Amount of money in a currency."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    amount: Amount
    """Decimal number with up to four decimals, in units of the currency (not in minor units)."""
    currency: Currency
    """ISO 4217 code."""

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

    def __mul__(self, factor: Decimal | int) -> "Money":
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

    def rounded(self) -> "Money":
        """Return the amount rounded half-even to the currency's minor unit."""
        exponent = Decimal(1).scaleb(-MINOR_UNITS[self.currency])
        amount = self.amount.quantize(exponent, rounding=ROUND_HALF_EVEN)
        return Money.model_construct(amount=amount, currency=self.currency)


def beyond_an_item(field: str, bound: str, given: Decimal) -> ValidationError:
    """Return the validation error of a field whose value exceeds the bound of an item."""
    error = PydanticCustomError("beyond_an_item", "must be {bound}", {"bound": bound})
    details = InitErrorDetails(type=error, loc=(field,), input=given)
    return ValidationError.from_exception_data("item", [details])


def _item(money: Money) -> Money:
    if abs(money.amount) >= BEYOND_ITEMS:
        raise beyond_an_item("amount", f"less than {BEYOND_ITEMS:,}", money.amount)
    return money


def _not_negative(money: Money) -> Money:
    if money.amount < 0:
        raise ValueError("must not be negative")
    return money


def _positive(money: Money) -> Money:
    if money.amount <= 0:
        raise ValueError("must be more than zero")
    return money


_ITEM_BOUND: Any = Field(json_schema_extra={"x-amount-below": str(BEYOND_ITEMS)})

ItemMoney = Annotated[Money, AfterValidator(_item), _ITEM_BOUND]
"""Money with the bound of an item, positive, zero or negative."""
NotNegativeMoney = Annotated[ItemMoney, AfterValidator(_not_negative)]
PositiveMoney = Annotated[ItemMoney, AfterValidator(_positive)]

NotNegativeTotal = Annotated[Money, AfterValidator(_not_negative)]
PositiveTotal = Annotated[Money, AfterValidator(_positive)]
