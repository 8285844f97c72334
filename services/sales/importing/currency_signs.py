"""Define what stands for currencies in exports: codes, names and signs of the Unicode CLDR.

The signs of all locales are in `currency_signs.json`, since reading them from the package `babel`
takes seconds and 100 MiB; a test compares the file with the package, and writes it anew.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple
from unicodedata import category, normalize

from babel import localedata

from contracts.currencies import IN_USE, MINOR_UNITS

_OTHER_NAMES: Final = {"pound sterling": "GBP", "yen": "JPY"}
"""Names in common use that the CLDR does not have."""


class Named(NamedTuple):
    """The currencies that a text may stand for, and the one that it names.

    It names none where it is a sign of several, as `$` and `kr` are.
    """

    possible: frozenset[str]
    currency: str | None


def currency_named(text: str) -> Named | None:
    """Return the currencies of a code, a name or a sign, or None where it is none of them.

    Codes and names (English or German) are read in any case. A sign names the currency that the
    root of the CLDR gives it to (`£` GBP), else the only one in use. A single letter names none,
    since `5M` may be five million.
    """
    sign = plain_sign(text)
    code = sign.upper()
    if code in MINOR_UNITS:
        return Named(frozenset((code,)), code)
    letters = sign.removesuffix(".") if sign[-2:-1].isalpha() else sign
    if found := _signs().get(letters):
        return found
    name = _names().get(normalize("NFKC", text).strip().casefold())
    return Named(frozenset((name,)), name) if name else None


def plain_sign(text: str) -> str:
    """Return a sign in its compatible form, without spaces and marks of direction."""
    shown = normalize("NFKC", text)
    return "".join(each for each in shown if category(each) != "Cf" and not each.isspace())


@cache
def _signs() -> dict[str, Named]:
    table = json.loads(
        files("sales.importing").joinpath("currency_signs.json").read_text(encoding="utf-8")
    )
    root = localedata.load("root")["currency_symbols"]
    chosen = {plain_sign(sign).removesuffix("."): code for code, sign in root.items()}
    signs: dict[str, Named] = {}
    for sign, codes in table.items():
        in_use = [code for code in codes if IN_USE[code].last is None]
        only = in_use[0] if len(in_use) == 1 else None
        letter = len(sign) == 1 and sign.isascii() and sign.isalpha()
        signs[sign] = Named(frozenset(codes), None if letter else chosen.get(sign, only))
    return signs


@cache
def _names() -> dict[str, str]:
    names = dict(_OTHER_NAMES)
    for language in ("de", "en"):
        named = localedata.load(language, merge_inherited=False)["currency_names"]
        names |= {name.casefold(): code for code, name in named.items() if code in MINOR_UNITS}
    return names
