"""Read days, amounts, percentages and stages as one file writes them.

Pure. How a file writes them is decided from all of its cells, never cell by cell, and is refused
with the parameter that decides it where the cells leave it open or contradict each other.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Final, Literal, NamedTuple, TypeVar

from contracts.counting import counted
from contracts.sales import LossReason, PipelineStage
from sales.importing.currency_signs import Named, currency_named
from sales.importing.options import (
    DayOrder,
    Decimals,
    Options,
    Parameter,
    PipelineWord,
    Probabilities,
    Unusable,
)

Form = TypeVar("Form", bound=str)
Outcome = Literal["open", "won", "lost"]

# ---- days ---------------------------------------------------------------------------------------

_CLOCK: Final = (
    r"(?:(?:T|,?\s+)\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:\s?[AaPp]\.?[Mm]\.?)?"
    r"(?:\s?(?:Z|UTC|GMT|[+-]\d{2}:?(?:\d{2})?))?)?"
)
_ISO: Final = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})" + _CLOCK)
_NUMBERS: Final = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|(?<!-)\d{2})" + _CLOCK)
_DAY_MONTH: Final = re.compile(
    r"(\d{1,2})[ .-]{1,2}([A-Za-z]{3,9})\.?[ ,-]{1,2}(\d{4}|\d{2})" + _CLOCK
)
_MONTH_DAY: Final = re.compile(r"([A-Za-z]{3,9})\.? (\d{1,2}),? (\d{4})" + _CLOCK)
_SERIAL: Final = re.compile(r"([0-9]{5})(?:[.,][0-9]+)?")
SERIAL: Final = (
    "the serial number of a day in a spreadsheet program; format the column as a date, yyyy-mm-dd, "
    "and save it as CSV again"
)
_MONTHS: Final = (
    "january february march april may june july august september october november december"
)


def day_order(cells: Iterable[str], others: Iterable[str], chosen: DayOrder | None) -> DayOrder:
    """Return the order of day and month in a file's dates written in numbers.

    `cells` are those of its columns of days; `others` are asked where these leave it open. Raises
    Unusable where all leave it open, where one cell is day first and another month first, where
    the chosen order is that of none of them, and where all days are serial numbers.
    """
    cells = tuple(cells)
    if cells and all(is_serial(cell) for cell in cells):
        raise Unusable(f"all days are like {cells[0]!r}, {SERIAL}")
    pairs = _pairs(cells)
    found = _orders(pairs)
    if chosen is not None:
        _require_among(chosen, found, "day-order")
        return chosen
    found = found or _orders(_pairs(others))
    if len(found) > 1:
        shown = " and ".join(repr(each) for each in found.values())
        raise Unusable(f"{shown} have different orders of day and month", parameter="day-order")
    doubtful = [
        cell for first, second, cell in pairs if max(first, second) <= 12 and first != second
    ]
    if not found and doubtful:
        raise Unusable(
            f"no date tells whether day or month comes first, as in {doubtful[0]!r}; say which",
            parameter="day-order",
        )
    return next(iter(found), "day-first")


def _require_among(chosen: Form, found: Mapping[Form, str], parameter: Parameter) -> None:
    """Raise Unusable where a parameter is not among what the cells of the file show, if any."""
    if found and chosen not in found:
        other, cell = next(iter(found.items()))
        raise Unusable(
            f"{parameter} is given as {chosen}, and the file has {cell!r}, which is {other}",
            parameter=parameter,
        )


def is_serial(cell: str) -> bool:
    """Return whether a cell is a number by which spreadsheet programs store a day (1982-2064)."""
    match = _SERIAL.fullmatch(cell)
    return match is not None and 30_000 <= int(match[1]) <= 60_000


def _pairs(cells: Iterable[str]) -> list[tuple[int, int, str]]:
    """Return the first two numbers of dates whose order is not known, with the cell."""
    matches = ((_NUMBERS.fullmatch(cell), cell) for cell in cells)
    return [
        (int(match[1]), int(match[3]), cell) for match, cell in matches if match and match[2] != "."
    ]


def _orders(pairs: Iterable[tuple[int, int, str]]) -> dict[DayOrder, str]:
    """Return the orders of the dates that can be read in one order only, each with a cell."""
    found: dict[DayOrder, str] = {}
    for first, second, cell in pairs:
        if 12 < first <= 31 and 1 <= second <= 12:
            found.setdefault("day-first", cell)
        elif 12 < second <= 31 and 1 <= first <= 12:
            found.setdefault("month-first", cell)
    return found


def read_day(text: str, order: DayOrder) -> date | None:
    """Return the day as it is written, in any time zone of its clock; None where it is none.

    A year of two digits is one from 2000 on; after a dash it is none (`26-04-13`). A date
    with dots is day first in any file.
    """
    if match := _ISO.fullmatch(text):
        return _date(match[1], match[3], match[4])
    if match := _NUMBERS.fullmatch(text):
        day, month = match[1], match[3]
        if order == "month-first" and match[2] != ".":
            day, month = month, day
        return _date(match[4], month, day)
    if match := _DAY_MONTH.fullmatch(text):
        return _date(match[3], _month(match[2]), match[1])
    if match := _MONTH_DAY.fullmatch(text):
        return _date(match[3], _month(match[1]), match[2])
    return None


def _month(name: str) -> int:
    """Return the number of an English month; 0 where the word is none."""
    names = (
        number for number, each in enumerate(_MONTHS.split(), 1) if each.startswith(name.lower())
    )
    return next(names, 0)


def _date(year: str, month: str | int, day: str) -> date | None:
    try:
        return date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))
    except ValueError:
        return None


# ---- numbers ------------------------------------------------------------------------------------

_SPACES: Final = re.compile("[\\s\u00a0\u202f'\u2019]")
"""Signs that divide thousands and never decimals."""
_NUMBER: Final = re.compile(r"(?P<before>[^0-9]*)(?P<digits>[0-9].*?)(?P<after>[^0-9]*)", re.DOTALL)
_GROUPED: Final = re.compile(r"\d{1,3}(?:(?P<mark>[.,])\d{2,3})(?:(?P=mark)\d{2,3})*")
_NAME_AND_CODE: Final = re.compile(r"([A-Z]{3}) - .*|.*\(([A-Z]{3})\)")


class Number(NamedTuple):
    """A number as text without signs that divide thousands by a space, and what is beside it.

    `possible` are the currencies that a code, name or sign beside it may stand for, and None where
    there is none; `currency` is the one that it names.
    """

    digits: str
    negative: bool
    currency: str | None
    possible: frozenset[str] | None
    percent: bool


def number(text: str) -> Number:
    """Return the parts of a cell with a number: `(1.000,50 €)` is negative, and in EUR.

    A cell with other words beside the number has itself as digits, which are no number; a letter
    after the number is such a word, since `5M` may be five million.
    """
    bare = text.strip()
    in_brackets = bare.startswith("(") and bare.endswith(")")
    bare = bare.removeprefix("(").removesuffix(")") if in_brackets else bare
    percent = bare.endswith("%")
    match = _NUMBER.fullmatch(bare.removesuffix("%"))
    if match is None:
        return Number(text, in_brackets, None, None, percent)
    before, digits, after = match["before"].rstrip(), match["digits"], match["after"].lstrip()
    if before.endswith((".", ",")) and currency_named(before.lstrip("+-\u2212 ")) is None:
        before, digits = before[:-1], f"{before[-1]}{digits}"
    if after.startswith((".", ",")):
        digits, after = f"{digits}{after[0]}", after[1:]
    minus = before.startswith(("-", "\u2212")) or before.endswith(("-", "\u2212"))
    named = [currency_named(each) for each in (before.strip("+-\u2212 "), after.strip()) if each]
    known = [each for each in named if each is not None]
    unit = len(after) == 1 and after.isascii()
    if unit or len(known) < len(named):
        return Number(text, in_brackets or minus, None, None, percent)
    possible = frozenset.intersection(*(each.possible for each in known)) if known else None
    names = {each.currency for each in known if each.currency in (possible or ())}
    return Number(
        _SPACES.sub("", digits),
        in_brackets or minus,
        next(iter(names), None),
        possible,
        percent,
    )


def decimal_mark(cells: Iterable[str], chosen: Decimals | None) -> Decimals:
    """Return which sign is before the decimals in all numbers of a file.

    Raises Unusable where the cells leave it open (`1,234`), where they contradict each other
    (`1,234` and `20,5`), and where none has the chosen sign, but some have the other one.
    """
    found: dict[Decimals, str] = {}
    doubtful: dict[Decimals, str] = {}
    few: dict[Decimals, str] = {}
    for cell in cells:
        digits = number(cell).digits
        if not re.fullmatch(r"[\d.,]+", digits):
            continue
        mark = _mark(digits)
        if mark == "doubtful":
            doubtful.setdefault("point" if "." in digits else "comma", cell)
        elif mark is not None and read_number(digits, mark) is not None:
            found.setdefault(mark, cell)
            if 1 <= len(digits.rpartition("." if mark == "point" else ",")[2]) <= 2:
                few.setdefault(mark, cell)
    if chosen is not None:
        _require_among(chosen, found, "decimal")
        return chosen
    for mark, cell in few.items():
        if mark in doubtful:
            raise Unusable(
                f"{doubtful[mark]!r} and {cell!r} have three decimals and fewer, or different "
                f"decimal signs",
                parameter="decimal",
            )
    if len(found) > 1:
        shown = " and ".join(repr(each) for each in found.values())
        raise Unusable(f"{shown} have different decimal signs", parameter="decimal")
    if not found and doubtful:
        raise Unusable(
            f"no number tells whether a comma or a point is before the decimals, as in "
            f"{next(iter(doubtful.values()))!r}; say point or comma",
            parameter="decimal",
        )
    return next(iter(found), "point")


def _mark(digits: str) -> Decimals | Literal["doubtful"] | None:
    """Return the decimal sign that a number shows; None where it has neither comma nor point."""
    points, commas = digits.count("."), digits.count(",")
    if not points and not commas:
        return None
    if points and commas:
        return "point" if digits.rfind(".") > digits.rfind(",") else "comma"
    if points > 1 or commas > 1:
        return "comma" if points else "point"
    before, _, after = digits.replace(",", ".").partition(".")
    if len(after) == 3 and 1 <= len(before) <= 3 and not before.startswith("0"):
        return "doubtful"
    return "point" if points else "comma"


def read_number(digits: str, decimals: Decimals) -> Decimal | None:
    """Return the number that digits write; None where they write none."""
    thousands, mark = (",", ".") if decimals == "point" else (".", ",")
    whole, _, rest = digits.partition(mark)
    grouped = _GROUPED.fullmatch(whole)
    if thousands in whole and not (grouped and len(whole.rpartition(thousands)[2]) == 3):
        return None
    plain = whole.replace(thousands, "")
    if not (plain + rest).isascii() or not (plain + rest).isdigit() or len(plain + rest) > 60:
        return None
    return Decimal(f"{plain or 0}.{rest or 0}")


def read_currency(text: str) -> Named | None:
    """Return what a cell of currencies names by a code, a name or a sign, or None."""
    match = _NAME_AND_CODE.fullmatch(text)
    code = next(filter(None, match.groups()), None) if match else None
    return currency_named(code or text)


def probabilities(
    cells: Iterable[str], decimals: Decimals, column: str, chosen: Probabilities | None
) -> Probabilities | None:
    """Return whether a column of probabilities has shares of one or percentages.

    None where its cells leave that open: all are 0 or 1. Raises Unusable where some are shares and
    others percentages, and where shares are chosen and all are percentages.
    """
    if chosen is None and "%" in column:
        return "percent"
    found: dict[Probabilities, str] = {}
    one = False
    for cell in cells:
        parts = number(cell)
        read = read_number(parts.digits, decimals)
        if read is None:
            continue
        if parts.percent or read > 1:
            found.setdefault("percent", cell)
        elif 0 < read < 1:
            found.setdefault("share", cell)
        one = one or read == 1
    if chosen is not None:
        if chosen == "share":
            _require_among(chosen, found, "probability")
        return chosen
    if len(found) > 1:
        shown = " and ".join(repr(each) for each in found.values())
        raise Unusable(
            f"{column}: {shown} are a percentage and a share of one; say which the column has",
            parameter="probability",
        )
    return next(iter(found), None if one else "percent")


# ---- stages -------------------------------------------------------------------------------------

_STAGES: Final[dict[PipelineWord, str]] = {
    "prospecting": "prospecting prospect new lead leadin appointmentscheduled contactmade",
    "qualifying": "qualifying qualification qualified qualify qualifiedtobuy engaging discovery "
    "needsanalysis valueproposition iddecisionmakers identifydecisionmakers perceptionanalysis "
    "decisionmakerboughtin presentationscheduled demoscheduled develop",
    "proposing": "proposing proposal propose proposalmade proposalsent proposalpricequote quote "
    "quotesent",
    "negotiating": "negotiating negotiation negotiationsstarted negotiationreview contractsent "
    "close commit",
    "won": "won closedwon dealwon closewon",
    "lost": "lost closedlost deallost closelost closedlosttocompetition losttocompetition",
}
_WORDS: Final = {word: stage for stage, words in _STAGES.items() for word in words.split()}
_PIPELINE: Final[dict[str, PipelineStage]] = {
    "prospecting": "prospecting",
    "qualifying": "qualifying",
    "proposing": "proposing",
    "negotiating": "negotiating",
}
_OUTCOMES: Final[dict[str, Outcome]] = {
    "open": "open",
    "inprogress": "open",
    "onhold": "open",
    "active": "open",
    "won": "won",
    "closedwon": "won",
    "lost": "lost",
    "closedlost": "lost",
    "canceled": "lost",
    "cancelled": "lost",
    "outsold": "lost",
}
_REASONS: Final[dict[str, LossReason]] = {
    "price": "price",
    "pricing": "price",
    "tooexpensive": "price",
    "scope": "scope",
    "timing": "timing",
    "badtiming": "timing",
    "competitor": "competitor",
    "competition": "competitor",
    "losttocompetitor": "competitor",
    "losttocompetition": "competitor",
    "closedlosttocompetition": "competitor",
    "outsold": "competitor",
    "nodecision": "no-decision",
    "nodecisionnonresponsive": "no-decision",
    "withdrawn": "withdrawn",
}
"""Our words for reasons of a loss, by folded words of a CRM."""


class Stages:
    """Meanings of the stages of a file, from all of its rows."""

    def __init__(self, rows: Iterable[tuple[str, str]], options: Options) -> None:
        """Read the stages and statuses of the rows.

        A column of statuses without any known status is of something else, and says nothing. Raises
        Unusable for stages that are not known, of rows that the status does not end.
        """
        rows = tuple(rows)
        self._chosen = {folded(word): stage for word, stage in options.stages.items()}
        self._has_status = any(folded(status) in _OUTCOMES for _, status in rows)
        unknown: dict[str, int] = {}
        for stage, status in rows:
            read = self.read(stage, status)
            if stage and self._word(stage) is None and read is not None and read[0] == "open":
                unknown[stage] = unknown.get(stage, 0) + 1
        if unknown:
            shown = ", ".join(
                f"{each[:40]!r} ({counted(number, 'row')})"
                for each, number in [*unknown.items()][:20]
            )
            raise Unusable(f"not known as stages: {shown}; say what they mean", parameter="stages")

    def read(self, stage: str, status: str) -> tuple[Outcome, PipelineStage | None] | None:
        """Return the outcome of a row and its stage in the pipeline, where that is known.

        The status decides, else the stage. None where it has neither, or an unknown status.
        """
        word = self._word(stage)
        outcome = _OUTCOMES.get(folded(status))
        if not status or not self._has_status:
            ended: Outcome = "won" if word == "won" else "lost" if word == "lost" else "open"
            outcome = ended if stage else None
        return None if outcome is None else (outcome, _PIPELINE.get(word or ""))

    def _word(self, stage: str) -> PipelineWord | Outcome | None:
        word = self._chosen.get(folded(stage)) or _WORDS.get(_stage(stage))
        return word or _OUTCOMES.get(folded(stage))


def loss_reason(text: str) -> LossReason | None:
    """Return our word for the reason of a loss in the words of a CRM, or None."""
    return _REASONS.get(folded(text))


def folded(word: str) -> str:
    """Return a word without differences of case, spaces and signs."""
    return "".join(filter(str.isalnum, word.casefold()))


def _stage(word: str) -> str:
    """Return a folded stage without its number (`2-Develop`) and its pipeline (`New (Sales)`)."""
    return folded(re.sub(r"\s*\([^()]*\)$", "", word)).lstrip("0123456789")
