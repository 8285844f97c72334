"""Compare the signs of currencies with the Unicode CLDR; ``python -m`` this module renews them."""

import json
from collections import defaultdict
from pathlib import Path

import pytest
from babel import localedata

from contracts.currencies import MINOR_UNITS
from sales.importing import currency_signs
from sales.importing.currency_signs import currency_named, plain_sign

TABLE = Path(currency_signs.__file__).with_suffix(".json")


def signs_of_all_locales() -> dict[str, list[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for locale in ("root", *localedata.locale_identifiers()):
        own = localedata.load(locale, merge_inherited=False)
        for code, symbol in own.get("currency_symbols", {}).items():
            sign = plain_sign(symbol).removesuffix(".")
            if code in MINOR_UNITS and sign and sign not in MINOR_UNITS:
                found[sign].add(code)
    return {sign: sorted(codes) for sign, codes in sorted(found.items())}


def test_the_signs_are_those_of_all_locales() -> None:
    assert json.loads(TABLE.read_text(encoding="utf-8")) == signs_of_all_locales()


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("US$", "USD"),
        ("$\u00a0US", "USD"),
        ("zł", "PLN"),
        ("Kč", "CZK"),
        ("R$", "BRL"),
        ("£", "GBP"),
        ("₹", "INR"),
        ("usd", "USD"),
        ("Euro", "EUR"),
        ("Schweizer Franken", "CHF"),
        ("\u200eCN¥\u200e", "CNY"),
    ],
)
def test_a_sign_a_code_or_a_name_names_its_currency(text: str, currency: str) -> None:
    named = currency_named(text)
    assert named is not None
    assert named.currency == currency


@pytest.mark.parametrize(
    ("sign", "some", "other"),
    [
        ("$", {"USD", "CAD", "AUD", "MXN"}, "EUR"),
        ("￥", {"JPY", "CNY"}, "USD"),
        ("kr.", {"SEK", "NOK", "DKK", "ISK"}, "EUR"),
        ("R", {"ZAR"}, "EUR"),
    ],
)
def test_a_sign_of_several_currencies_names_none(sign: str, some: set[str], other: str) -> None:
    named = currency_named(sign)
    assert named is not None
    assert named.currency is None
    assert some <= named.possible
    assert other not in named.possible


if __name__ == "__main__":
    TABLE.write_text(
        json.dumps(signs_of_all_locales(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
