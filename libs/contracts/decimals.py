"""Round decimals by one policy, read them in plain notation, and write each one as one text."""

import re
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

Rounding = Literal["half-up", "half-even"]
"""Policy for a half: `half-up` rounds it away from zero, `half-even` to the even digit."""

_MODES: dict[Rounding, str] = {"half-up": ROUND_HALF_UP, "half-even": ROUND_HALF_EVEN}
ROUNDING: Rounding = "half-up"
"""The policy where no company's applies, and for calculated decimals that are no amounts."""


def as_decimal(number: Fraction) -> Decimal:
    """Return a fraction as a decimal, with the digits of the context where it has no end."""
    return Decimal(number.numerator) / number.denominator


def round_decimal(
    number: Decimal | Fraction, decimals: int, rounding: Rounding = ROUNDING
) -> Decimal:
    """Return a number rounded to a number of decimals."""
    exact = number if isinstance(number, Decimal) else as_decimal(number)
    return exact.quantize(Decimal(1).scaleb(-decimals), _MODES[rounding])


def canonical_decimal(number: Decimal) -> str:
    """Return the one text of a number: no exponent, no trailing zeros, no negative zero.

    Raises TypeError for a number that is not finite.
    """
    if not number.is_finite():
        raise TypeError(f"{number} has no canonical form")
    # Normalise first: the format alone would keep the trailing zeros of any exponent.
    text = f"{number.normalize():f}"
    return "0" if text == "-0" else text


def _pattern(decimals: int | None, *, signed: bool) -> str:
    """Return the pattern of canonical texts; None is any number of decimals.

    It has no look-ahead, which not every validator knows.
    """
    sign = "-?" if signed else ""
    last = "" if decimals is None else f"{{0,{decimals - 1}}}"
    fraction = rf"\.[0-9]{last or '*'}[1-9]"
    return rf"^(0|{sign}0{fraction}|{sign}[1-9][0-9]*({fraction})?)$"


_PLAIN = re.compile(r"-?[0-9]+(\.[0-9]+)?")
"""Pattern of the texts that are read as a number."""


def _plain(value: object) -> object:
    if isinstance(value, str) and not _PLAIN.fullmatch(value):
        # A ValueError becomes a validation error that names the field to the sender.
        raise ValueError(
            "must be written with the digits 0 to 9 and at most one point between them, such as"
            " 1250.5, without spaces, a plus sign or an exponent"
        )
    return value


class _Canonical:
    """Annotation of a decimal that JSON contains as `canonical_decimal`; last in `Annotated`."""

    def __get_pydantic_core_schema__(
        self, source: type[Decimal], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        written = core_schema.plain_serializer_function_ser_schema(
            canonical_decimal, return_schema=core_schema.str_schema(), when_used="json"
        )
        known: Any = {**handler(source), "serialization": written}
        return core_schema.no_info_before_validator_function(_plain, known)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        bounds: Any = schema
        while "schema" in bounds:  # of the decimal itself, below what validates the text
            bounds = bounds["schema"]
        bounds = {key: value for key, value in bounds.items() if key != "serialization"}
        written = handler(bounds)
        if handler.mode == "validation":  # zeros at both ends are accepted
            texts = [each for each in written["anyOf"] if each["type"] == "string"]
            for each in texts:
                each["pattern"] = f"^{_PLAIN.pattern}$"
            return written
        lowest = bounds.get("ge", bounds.get("gt"))
        signed = lowest is None or lowest < 0
        return {**written, "pattern": _pattern(bounds.get("decimal_places"), signed=signed)}


CANONICAL = _Canonical()
"""Annotation of every decimal type of the contracts."""
Number = Annotated[Decimal, CANONICAL]
"""Any decimal, written as `canonical_decimal` however it was calculated."""
