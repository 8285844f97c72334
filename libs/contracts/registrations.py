"""Define numbers that an authority or a bank gave: VAT ids, IBANs and BICs, without spaces.

Check digits are computed by the package `python-stdnum`. The JSON Schema names the kind of number
under the keyword `x-check-digits`.
"""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints
from stdnum import bic, get_cc_module, iban
from stdnum.eu.vat import MEMBER_STATES, is_valid


def _vat_id(number: str) -> str:
    prefix = number[:2].lower()
    if prefix in {*MEMBER_STATES, "el", "xi"}:
        known, valid = True, is_valid(number)
    else:
        module = get_cc_module(prefix, "vat")
        known, valid = module is not None, module is not None and module.is_valid(number)
    if known and not valid:
        raise ValueError("not a VAT id of this country: its form or a check digit is wrong")
    return number


def _iban(number: str) -> str:
    if not iban.is_valid(number):
        raise ValueError("not an IBAN: its form or a check digit is wrong")
    return number


def _bic(number: str) -> str:
    if not bic.is_valid(number):
        raise ValueError("not a BIC")
    return number


def _checked(kind: str, example: str) -> Any:
    return Field(json_schema_extra={"x-check-digits": kind}, examples=[example])


VatId = Annotated[
    str,
    StringConstraints(pattern="^[A-Z]{2}[A-Z0-9+*]{2,14}$", max_length=16),
    AfterValidator(_vat_id),
    _checked("vat", "DE136695976"),
]
"""VAT id with the prefix of its country (`EL` for Greece, `XI` for Northern Ireland).

Form and check digits are verified for the countries that python-stdnum knows, all of the EU among
them.
"""

Iban = Annotated[
    str,
    StringConstraints(pattern="^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$", max_length=34),
    AfterValidator(_iban),
    _checked("iban", "DE89370400440532013000"),
]
"""International bank account number (ISO 13616), with valid check digits."""

Bic = Annotated[
    str,
    StringConstraints(pattern="^[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?$", max_length=11),
    AfterValidator(_bic),
    Field(examples=["DEUTDEFF"]),
]
"""Business identifier code of a bank (ISO 9362)."""
