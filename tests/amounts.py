"""Amounts, rates and hours as tests write them."""

from decimal import Decimal

from contracts.money import Money, Rate


def eur(amount: Decimal | int | str, currency: str = "EUR") -> Money:
    return Money(amount=Decimal(amount), currency=currency)


def usd(amount: Decimal | int | str) -> Money:
    return eur(amount, "USD")


def per_hour(amount: Decimal | int | str, currency: str = "EUR") -> Rate:
    return Rate(amount=Decimal(amount), currency=currency)


def hours(number: int | str) -> Decimal:
    return Decimal(number)
