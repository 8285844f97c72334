"""Test VAT ids, IBANs and BICs: form and check digits."""

import pytest
from pydantic import TypeAdapter, ValidationError

from contracts.registrations import Bic, Iban, VatId

KINDS = {
    "vat": TypeAdapter[str](VatId),
    "iban": TypeAdapter[str](Iban),
    "bic": TypeAdapter[str](Bic),
}


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("vat", "DE136695976"),
        ("vat", "EL094259216"),
        ("vat", "XI432525179"),
        ("vat", "GB980780684"),
        ("vat", "CHE107787577IVA"),
        ("vat", "US1234567"),  # a country without VAT ids: nothing is known about its numbers
        ("iban", "DE89370400440532013000"),
        ("iban", "NO9386011117947"),
        ("bic", "DEUTDEFF"),
        ("bic", "DEUTDEFF500"),
    ],
)
def test_valid_numbers_are_accepted(kind: str, number: str) -> None:
    assert KINDS[kind].validate_python(number) == number


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("vat", "DE136695977"),
        ("vat", "DE 136695976"),
        ("vat", "de136695976"),
        ("vat", "136695976"),
        ("vat", "GB980780685"),
        ("vat", "CHE107787578IVA"),
        ("iban", "DE88370400440532013000"),
        ("iban", "DE89 3704 0044 0532 0130 00"),
        ("iban", "XX89370400440532013000"),
        ("bic", "DEUTDEF"),
        ("bic", "deutdeff"),
    ],
)
def test_wrong_numbers_are_refused(kind: str, number: str) -> None:
    with pytest.raises(ValidationError):
        KINDS[kind].validate_python(number)
