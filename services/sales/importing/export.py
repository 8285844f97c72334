"""Reading a CRM's export: rows that can be taken, rows that cannot with the reason, and notes.

Pure. The columns are those of a pipeline export (`COLUMNS`), days are written month/day/year.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from io import StringIO
from typing import Final, Literal

from pydantic import ValidationError

from contracts.sales import PipelineStage
from contracts.values import AccountId, Value
from sales.importing.naming import slug
from sales.importing.owners import Owners
from sales.importing.taking import ImportOpportunity

COLUMNS: Final = (
    "opportunity_id",
    "sales_agent",
    "product",
    "account",
    "deal_stage",
    "engage_date",
    "close_date",
    "close_value",
)

_STAGES: Final[dict[str, tuple[Literal["open", "won", "lost"], PipelineStage]]] = {
    "prospecting": ("open", "prospecting"),
    "engaging": ("open", "qualifying"),
    # The last stage that such an export knows before an end.
    "won": ("won", "qualifying"),
    "lost": ("lost", "qualifying"),
}
_NEEDED: Final = ("opportunity_id", "sales_agent", "product", "deal_stage")
COLUMN_OF: Final = {
    "external_id": "opportunity_id",
    "owner": "sales_agent",
    "title": "product",
    "outcome": "deal_stage",
    "pipeline_stage": "deal_stage",
    "opened_on": "engage_date",
    "closed_on": "close_date",
    "value": "close_value",
}
"""The column from which each field of an imported opportunity is read."""
_AMOUNT: Final = re.compile(r"[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d*)?")


class Unusable(ValueError):
    """The text is no such export at all; the message says why."""


class Row(Value):
    """A row that can be taken; rows count from 1, the header's, as a spreadsheet shows them."""

    row: int
    opportunity: ImportOpportunity


class Refusal(Value):
    """Why a row was not taken: the column, and what is wrong in it."""

    row: int
    opportunity_id: str | None
    field: str
    reason: str


class Export(Value):
    """What an export holds. `accounts` are those nobody knew yet, by the id they would get."""

    rows: int
    taken: tuple[Row, ...]
    refused: tuple[Refusal, ...]
    accounts: dict[AccountId, str]
    notes: tuple[str, ...]


def read_export(
    text: str,
    accounts: Mapping[AccountId, str],
    products: Iterable[str],
    owners: Owners,
    *,
    source: str,
    currency: str,
    today: date,
) -> Export:
    """Read an export; raises Unusable where it is none.

    `accounts` are the names of those that are known, by id. `products`, which may be empty, are the
    names as they should be. `owners` tell who owns what. `source` names the CRM;
    `currency` is that of all values.
    """
    reading = _Reading(accounts, products, owners, source, currency, today)
    taken: list[Row] = []
    refused: list[Refusal] = []
    rows = 0
    for number, cells in _rows(text, reading):
        rows += 1
        external_id = cells.get("opportunity_id", "")[:64] or None
        try:
            taken.append(Row(row=number, opportunity=reading.opportunity(number, cells)))
        except _Bad as bad:
            refused += [
                Refusal(row=number, opportunity_id=external_id, field=field, reason=reason)
                for field, reason in bad.problems
            ]
    return Export(
        rows=rows,
        taken=tuple(taken),
        refused=tuple(refused),
        accounts=reading.new_accounts,
        notes=tuple(f"{note} ({listed(where)})" for note, where in reading.notes.items()),
    )


class _Bad(Exception):
    """What is wrong with a row: columns and reasons."""

    def __init__(self, *problems: tuple[str, str]) -> None:
        super().__init__(problems)
        self.problems = problems


class _Reading:
    """What the rows of one export share: names met so far, ids met so far, and notes."""

    def __init__(
        self,
        accounts: Mapping[AccountId, str],
        products: Iterable[str],
        owners: Owners,
        source: str,
        currency: str,
        today: date,
    ) -> None:
        self.source, self.currency, self.today = source, currency, today
        self.notes: dict[str, list[int]] = {}
        self.new_accounts: dict[AccountId, str] = {}
        self._accounts = {slug(name): (known, name) for known, name in accounts.items()}
        self._products = {_squeezed(name): name for name in products}
        self._listed_products = frozenset(self._products)
        self._owners = owners
        self._seen: dict[str, int] = {}

    def opportunity(self, number: int, cells: Mapping[str, str]) -> ImportOpportunity:
        """The row as a command; raises _Bad with all that is wrong with it."""
        if "row" in cells:
            raise _Bad(("row", cells["row"]))
        problems = [(column, "is missing") for column in _NEEDED if not cells[column]]
        problems += self._met_before(number, cells["opportunity_id"])
        stage = _STAGES.get(cells["deal_stage"].lower())
        if stage is None and cells["deal_stage"]:
            problems.append(("deal_stage", f"{_short(cells['deal_stage'])} is no stage known here"))
        opened_on = _day(cells, "engage_date", problems)
        closed_on = _day(cells, "close_date", problems)
        amount = _amount(cells, problems)
        if stage is None or problems:
            raise _Bad(*problems)
        outcome, pipeline_stage = stage
        problems += self._contradictions(cells, outcome, opened_on, closed_on, amount)
        if problems:
            raise _Bad(*problems)
        if outcome == "open" and closed_on is not None:
            self._note(number, "close_date: is left out, since the deal is open")
            closed_on = None
        if outcome == "lost":
            amount = None  # nothing was sold; what it would have been worth is not known
        product = self._product(number, cells["product"])
        account, name = self._account(number, cells["account"])
        owner, owner_known = self._owners.owner(cells["sales_agent"])
        command = {
            "source": self.source,
            "external_id": cells["opportunity_id"],
            "account": account,
            "title": (f"{product} for {name}" if name else product)[:200],
            "product": product,
            "owner": owner,
            "outcome": outcome,
            "pipeline_stage": pipeline_stage,
            "opened_on": opened_on,
            "closed_on": closed_on,
            "value": None if amount is None else {"amount": amount, "currency": self.currency},
        }
        try:
            read = ImportOpportunity.model_validate(command)
        except ValidationError as error:
            raise _Bad(
                *((_column(e["loc"]), _sentence(e["msg"])) for e in error.errors())
            ) from None
        if not owner_known:
            agent = _short(cells["sales_agent"])
            self._note(number, f"sales_agent: {agent} is nobody known here, and is {owner}")
        if account is not None and name is not None and slug(name) not in self._accounts:
            self._accounts[slug(name)] = account, name
            self.new_accounts[account] = name
        return read

    def _met_before(self, number: int, external_id: str) -> Iterable[tuple[str, str]]:
        first = self._seen.setdefault(external_id, number)
        if external_id and first != number:
            yield "opportunity_id", f"stands in row {first} already"

    def _contradictions(
        self,
        cells: Mapping[str, str],
        outcome: str,
        opened_on: date | None,
        closed_on: date | None,
        amount: Decimal | None,
    ) -> Iterable[tuple[str, str]]:
        if outcome != "open":
            if not cells["account"]:
                yield "account", f"is missing, though the deal was {outcome}"
            if closed_on is None:
                yield "close_date", f"is missing, though the deal was {outcome}"
        if closed_on and opened_on and closed_on < opened_on:
            yield "close_date", f"{closed_on} is before the engage_date, {opened_on}"
        if outcome != "open" and closed_on and closed_on > self.today:
            yield "close_date", f"{closed_on} is yet to come, though the deal was {outcome}"
        if opened_on and opened_on > self.today:
            yield "engage_date", f"{opened_on} is yet to come"
        if outcome == "won" and amount is None:
            yield "close_value", "is missing, though the deal was won"
        if outcome == "lost" and amount:
            yield "close_value", f"is {amount}, though the deal was lost"

    def _product(self, number: int, name: str) -> str:
        spelled = self._products.setdefault(_squeezed(name), name)
        if spelled != name:
            self._note(number, f"product: {_short(name)} is read as {_short(spelled)}")
        if self._listed_products and _squeezed(name) not in self._listed_products:
            self._note(number, f"product: {_short(name)} is not in the list of products")
        return spelled

    def _account(self, number: int, name: str) -> tuple[AccountId | None, str | None]:
        if not name:
            self._note(number, "account: is missing, and stays unknown")
            return None, None
        known = self._accounts.get(slug(name))
        if known is None:
            return slug(name), name
        if known[1] != name:
            self._note(number, f"account: {_short(name)} is read as {_short(known[1])}")
        return known

    def _note(self, number: int, note: str) -> None:
        self.notes.setdefault(note, []).append(number)


def _rows(text: str, reading: _Reading) -> Iterable[tuple[int, dict[str, str]]]:
    """The rows with their numbers, cells by column and trimmed; raises Unusable."""
    reader = csv.reader(StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        absent = [column for column in COLUMNS if column not in header]
        if absent:
            raise Unusable(f"the first line must name the columns; there is no {', '.join(absent)}")
        if len(set(header)) < len(header):
            raise Unusable("the first line names a column twice")
        others = [column for column in header if column not in COLUMNS]
        if others:
            reading.notes[f"columns that are not read: {', '.join(others)}"] = [1]
        for number, cells in enumerate(reader, start=2):
            if any(cell.strip() for cell in cells):
                yield number, _by_column(header, cells)
    except csv.Error as error:
        raise Unusable(f"line {reader.line_num} is not well-formed CSV: {error}") from None


def _by_column(header: list[str], cells: list[str]) -> dict[str, str]:
    """The cells by column; under `row`, which is no column, what is wrong with the row itself."""
    named = dict.fromkeys(COLUMNS, "")
    named |= {
        name: cell.strip() for name, cell in zip(header, cells, strict=False) if name in COLUMNS
    }
    if len(cells) != len(header):
        named["row"] = f"has {len(cells)} cells where the first line has {len(header)}"
    return named


def _day(cells: Mapping[str, str], column: str, problems: list[tuple[str, str]]) -> date | None:
    text = cells[column]
    if not text:
        return None
    try:
        return datetime.strptime(text, "%m/%d/%Y").date()  # noqa: DTZ007 -- a date has no zone
    except ValueError:
        problems.append((column, f"{_short(text)} is no day, written month/day/year"))
        return None


def _amount(cells: Mapping[str, str], problems: list[tuple[str, str]]) -> Decimal | None:
    text = cells["close_value"]
    if not text:
        return None
    try:
        amount = Decimal(text.replace(",", "")) if _AMOUNT.fullmatch(text) else None
    except InvalidOperation:
        amount = None
    if amount is None:
        problems.append(("close_value", f"{_short(text)} is no number"))
    elif amount < 0:
        problems.append(("close_value", f"{_short(text)} is negative"))
    return amount


def _squeezed(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:39]}…")


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ")


def _column(place: tuple[int | str, ...]) -> str:
    name = str(place[0]) if place else "row"
    return COLUMN_OF.get(name, name)


def listed(rows: list[int]) -> str:
    """Row numbers in words, the first few of many."""
    shown = ", ".join(str(row) for row in rows[:8])
    more = f" and {len(rows) - 8} more" if len(rows) > 8 else ""
    return f"row{'s' if len(rows) > 1 else ''} {shown}{more}"
