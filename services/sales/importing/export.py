"""Read a CRM export into valid rows, refused rows with their reasons, and notes.

Pure. The columns are those of a pipeline export (`COLUMNS`); dates are written month/day/year.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from io import StringIO
from typing import Final, Literal

from pydantic import TypeAdapter, ValidationError

from contracts.sales import PipelineStage
from contracts.values import AccountId, ShortText, Value
from sales.accounts.names import account_id, comparable
from sales.importing.decisions import ImportOpportunity
from sales.importing.owners import Owners

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
    # The export does not say at which stage the deal ended; this is its last open stage.
    "won": ("won", "qualifying"),
    "lost": ("lost", "qualifying"),
}
_TEXTS: Final = ("sales_agent", "product", "account")
_SHORT_TEXT: Final[TypeAdapter[str]] = TypeAdapter(ShortText)
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
"""The column of each field of an imported opportunity."""
_AMOUNT: Final = re.compile(r"[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d*)?")


class Unusable(ValueError):
    """An error: the text is not an export; the message gives the reason."""


class Row(Value):
    """A valid row; rows are numbered from 1, the header, as in a spreadsheet."""

    row: int
    opportunity: ImportOpportunity


class Refusal(Value):
    """A reason why a row was refused: the column, and what is wrong with it."""

    row: int
    opportunity_id: str | None
    field: str
    reason: str


class Export(Value):
    """The content of an export; `accounts` are names of accounts to publish, by their new id."""

    rows: int
    taken: tuple[Row, ...]
    refused: tuple[Refusal, ...]
    accounts: dict[AccountId, ShortText]
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
    """Return the content of an export; raises Unusable where the text is not an export.

    `accounts` are the names of the published accounts, by id. `products` are the correct product
    names, and may be empty. `owners` maps sales agents to person ids. `source` names the CRM,
    `currency` is that of all values, and `today` is the last day on which a deal may have opened or
    ended.
    """
    reader = _RowReader(accounts, products, owners, source, currency, today)
    taken: list[Row] = []
    refused: list[Refusal] = []
    rows = 0
    for number, cells in _rows(text, reader):
        rows += 1
        external_id = cells.get("opportunity_id", "")[:64] or None
        try:
            taken.append(Row(row=number, opportunity=reader.opportunity(number, cells)))
        except _BadRow as bad:
            refused += [
                Refusal(row=number, opportunity_id=external_id, field=field, reason=reason)
                for field, reason in bad.problems
            ]
    return Export(
        rows=rows,
        taken=tuple(taken),
        refused=tuple(refused),
        accounts=reader.new_accounts,
        notes=tuple(f"{note} ({listed(where)})" for note, where in reader.notes.items()),
    )


class _BadRow(Exception):
    """An error in a row, with the columns and reasons."""

    def __init__(self, *problems: tuple[str, str]) -> None:
        super().__init__(problems)
        self.problems = problems


class _RowReader:
    """A reader of the rows of one export; keeps the names and ids read so far, and the notes."""

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
        self._accounts = {comparable(name): (known, name) for known, name in accounts.items()}
        self._products = {_without_spaces(name): name for name in products}
        self._listed_products = frozenset(self._products)
        self._owners = owners
        self._seen: dict[str, int] = {}

    def opportunity(self, number: int, cells: Mapping[str, str]) -> ImportOpportunity:
        """Return the row as a command; raises _BadRow with all of its problems."""
        if "row" in cells:
            raise _BadRow(("row", cells["row"]))
        problems = [(column, "is missing") for column in _NEEDED if not cells[column]]
        problems += self._repeated_id(number, cells["opportunity_id"])
        cells = {**cells, **_texts(cells, problems)}
        stage = _STAGES.get(cells["deal_stage"].lower())
        if stage is None and cells["deal_stage"]:
            problems.append(("deal_stage", f"{_short(cells['deal_stage'])} is not a known stage"))
        opened_on = _day(cells, "engage_date", problems)
        closed_on = _day(cells, "close_date", problems)
        amount = _amount(cells, problems)
        if stage is None or problems:
            raise _BadRow(*problems)
        outcome, pipeline_stage = stage
        problems += self._contradictions(cells, outcome, opened_on, closed_on, amount)
        if problems:
            raise _BadRow(*problems)
        if outcome == "open" and closed_on is not None:
            self._note(number, "close_date: ignored, because the deal is open")
            closed_on = None
        if outcome == "lost":
            amount = None  # the export has the amount sold; the expected value is not known
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
            raise _BadRow(
                *((_column(e["loc"]), _sentence(e["msg"])) for e in error.errors())
            ) from None
        if not owner_known:
            agent = _short(cells["sales_agent"])
            self._note(number, f"sales_agent: {agent} is not a known person; the owner is {owner}")
        if account is not None and name is not None and comparable(name) not in self._accounts:
            self._accounts[comparable(name)] = account, name
            self.new_accounts[account] = name
        return read

    def _repeated_id(self, number: int, external_id: str) -> Iterable[tuple[str, str]]:
        first = self._seen.setdefault(external_id, number)
        if external_id and first != number:
            yield "opportunity_id", f"is already in row {first}"

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
            yield "close_date", f"{closed_on} is in the future, though the deal was {outcome}"
        if opened_on and opened_on > self.today:
            yield "engage_date", f"{opened_on} is in the future"
        if outcome == "won" and amount is None:
            yield "close_value", "is missing, though the deal was won"
        if outcome == "lost" and amount:
            yield "close_value", f"is {amount}, though the deal was lost"

    def _product(self, number: int, name: str) -> str:
        known = self._products.setdefault(_without_spaces(name), name)
        if known != name:
            self._note(number, f"product: {_short(name)} is read as {_short(known)}")
        if self._listed_products and _without_spaces(name) not in self._listed_products:
            self._note(number, f"product: {_short(name)} is not in the list of products")
        return known

    def _account(self, number: int, name: str) -> tuple[AccountId | None, str | None]:
        if not name:
            self._note(number, "account: is missing and remains unknown")
            return None, None
        known = self._accounts.get(comparable(name))
        if known is None:
            return account_id(name), name
        if known[1] != name:
            self._note(number, f"account: {_short(name)} is read as {_short(known[1])}")
        return known

    def _note(self, number: int, note: str) -> None:
        self.notes.setdefault(note, []).append(number)


def _rows(text: str, reader: _RowReader) -> Iterable[tuple[int, dict[str, str]]]:
    """Yield each row's number and trimmed cells by column; raises Unusable."""
    lines = csv.reader(StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        header = [name.strip().lower() for name in next(lines, [])]
        missing = [column for column in COLUMNS if column not in header]
        if missing:
            raise Unusable(
                f"the first line must name the columns; there is no {', '.join(missing)}"
            )
        if len(set(header)) < len(header):
            raise Unusable("the first line names a column twice")
        others = [column for column in header if column not in COLUMNS]
        if others:
            reader.notes[f"ignored columns: {', '.join(others)}"] = [1]
        for number, cells in enumerate(lines, start=2):
            if any(cell.strip() for cell in cells):
                yield number, _by_column(header, cells)
    except csv.Error as error:
        raise Unusable(f"line {lines.line_num} is not well-formed CSV: {error}") from None


def _by_column(header: list[str], cells: list[str]) -> dict[str, str]:
    """Return the cells by column; an error in the row as a whole is under the key `row`."""
    by_name = dict.fromkeys(COLUMNS, "")
    by_name |= {
        name: cell.strip() for name, cell in zip(header, cells, strict=False) if name in COLUMNS
    }
    if len(cells) != len(header):
        by_name["row"] = f"has {len(cells)} cells, but the first line has {len(header)}"
    return by_name


def _texts(cells: Mapping[str, str], problems: list[tuple[str, str]]) -> Mapping[str, str]:
    """Return the cells of the columns of text as clean text."""
    texts: dict[str, str] = {}
    for column in _TEXTS:
        try:
            texts[column] = cells[column] and _SHORT_TEXT.validate_python(cells[column])
        except ValidationError as error:
            problems += [(column, _sentence(each["msg"])) for each in error.errors()]
    return texts


def _day(cells: Mapping[str, str], column: str, problems: list[tuple[str, str]]) -> date | None:
    text = cells[column]
    if not text:
        return None
    try:
        return datetime.strptime(text, "%m/%d/%Y").date()  # noqa: DTZ007 -- a date has no zone
    except ValueError:
        problems.append((column, f"{_short(text)} is not a date as month/day/year"))
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
        problems.append(("close_value", f"{_short(text)} is not a number"))
    elif amount < 0:
        problems.append(("close_value", f"{_short(text)} is negative"))
    return amount


def _without_spaces(name: str) -> str:
    """Return a name without differences of case, width and spaces; no letter or sign is dropped."""
    return comparable(name).replace(" ", "")


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:39]}…")


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ")


def _column(place: tuple[int | str, ...]) -> str:
    name = str(place[0]) if place else "row"
    return COLUMN_OF.get(name, name)


def listed(rows: list[int]) -> str:
    """Return row numbers as text, at most the first eight of them."""
    shown = ", ".join(str(row) for row in rows[:8])
    more = f" and {len(rows) - 8} more" if len(rows) > 8 else ""
    return f"row{'s' if len(rows) > 1 else ''} {shown}{more}"
