"""Read the rows of opportunities of an export: which deal each row is, as the CRM has it."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Final

from pydantic import TypeAdapter, ValidationError

from chassis.domain.ids import comparable
from contracts.decimals import canonical_decimal
from contracts.values import Text
from sales.importing.decisions import ImportOpportunity
from sales.importing.names import Names
from sales.importing.options import Column, Options, Unusable
from sales.importing.owners import Owners
from sales.importing.table import BadRow, Cells, Table, clean_lines, in_rows, sentence, short
from sales.importing.values import (
    SERIAL,
    Outcome,
    Stages,
    day_order,
    decimal_mark,
    is_serial,
    loss_reason,
    number,
    probabilities,
    read_currency,
    read_day,
    read_number,
)

_DAYS: Final[tuple[Column, ...]] = (
    "opened_on",
    "close_date",
    "closed_on",
    "won_on",
    "lost_on",
    "expected_close",
)
_AMOUNTS: Final[tuple[Column, ...]] = ("value", "won_value")
_CLOSING: Final[dict[Outcome, tuple[Column, ...]]] = {
    "won": ("won_on", "closed_on", "close_date"),
    "lost": ("lost_on", "closed_on", "close_date"),
    "open": (),
}
"""The columns with the day on which a deal was closed, the most specific first."""
_COLUMNS_OF: Final[dict[str, tuple[Column, ...]]] = {
    "external_id": ("external_id",),
    "account": ("account",),
    "title": ("title", "product"),
    "product": ("product",),
    "owner": ("owner",),
    "outcome": ("status", "stage"),
    "pipeline_stage": ("stage",),
    "opened_on": ("opened_on",),
    "closed_on": ("closed_on", "close_date", "won_on", "lost_on"),
    "expected_close": ("expected_close", "close_date"),
    "value": ("value", "won_value"),
    "probability": ("probability",),
    "loss_reason": ("loss_reason",),
    "loss_reason_text": ("loss_reason",),
    "region": ("region",),
}
"""The columns of each field of an imported opportunity."""
_MAY_BE_ABSENT: Final = (
    "account",
    "product",
    "pipeline_stage",
    "opened_on",
    "expected_close",
    "value",
    "probability",
    "loss_reason",
    "loss_reason_text",
    "region",
)
_TEXT: Final[TypeAdapter[str]] = TypeAdapter(Text)
_HUNDRED: Final = 100


def columns_of(table: Table) -> dict[str, str]:
    """Return the column of each field of an imported opportunity, as the file names it."""
    return {field: table.name(*columns) for field, columns in _COLUMNS_OF.items()}


def repeated_ids(tables: Iterable[Table]) -> dict[str | None, dict[int, str]]:
    """Return why rows are refused whose id another row has, by file, then by row.

    Rows with different contents are all refused; of equal ones, those after the first.
    """
    places: dict[str, list[tuple[str | None, int, Cells]]] = {}
    for table in tables:
        for row, cells in table.rows:
            if key := cells.get("external_id"):
                places.setdefault(key, []).append((table.file, row, cells))
    found: dict[str | None, dict[int, str]] = {}
    for those in places.values():
        differ = any(cells != those[0][2] for _, _, cells in those)
        for file, row, _ in those if differ else those[1:]:
            reason = f"is already in {_shown(those[:1])}"
            if differ:
                others = [each for each in those if each[:2] != (file, row)]
                reason = f"is in {_shown(others)}, too, with other contents"
            found.setdefault(file, {})[row] = reason
    return found


def _shown(places: Iterable[tuple[str | None, int, Cells]]) -> str:
    by_file: dict[str | None, list[int]] = {}
    for file, row, _ in places:
        by_file.setdefault(file, []).append(row)
    return " and ".join(
        f"{in_rows(rows)} of {file}" if file else in_rows(rows) for file, rows in by_file.items()
    )


class Opportunities:
    """A reader of the rows of one file of opportunities."""

    def __init__(
        self,
        table: Table,
        names: Names,
        owners: Owners,
        regions: Mapping[str, str],
        options: Options,
        source: str,
        today: date,
        repeated: Mapping[int, str],
    ) -> None:
        """Decide from all cells how the file writes days, numbers and stages.

        `regions` are those of sellers, by comparable name. `repeated` are the rows whose id is in
        another row, with the reason to refuse them. Raises Unusable where the cells leave
        that open, and where an amount has no currency.
        """
        self._table, self._names, self._owners = table, names, owners
        self._regions, self._source, self._today = regions, source, today
        self._order = day_order(table.cells(*_DAYS), table.others, options.day_order)
        self._decimals = decimal_mark(table.cells(*_AMOUNTS, "probability"), options.decimal)
        self._stages = Stages(
            ((cells.get("stage", ""), cells.get("status", "")) for _, cells in table.rows), options
        )
        self._probabilities = probabilities(
            table.cells("probability"),
            self._decimals,
            table.name("probability"),
            options.probability,
        )
        self._currency = options.currency
        self._require_currencies()
        self._repeated = repeated

    def _require_currencies(self) -> None:
        """Raise Unusable where amounts name no currency, or none may be in the given one."""
        without = [
            (row, number(cells[each]).possible)
            for row, cells in self._table.rows
            for each in _AMOUNTS
            if cells.get(each) and self._lacks_currency(cells, each)
        ]
        rows, given = in_rows([*dict.fromkeys(row for row, _ in without)]), self._currency
        if given is None and without:
            raise Unusable(
                f"no currency is named for the amounts in {rows}; name it", parameter="currency"
            )
        if without and all(possible and given not in possible for _, possible in without):
            raise Unusable(
                f"currency is given as {given}, and the amounts in {rows} have signs of others",
                parameter="currency",
            )

    def _lacks_currency(self, cells: Cells, column: Column) -> bool:
        """Return whether the currency of an amount is known by the parameter only."""
        named = cells.get("currency", "")
        return self._currency_of(cells, column, None) is None and not (
            named and read_currency(named) is None
        )

    def _currency_of(self, cells: Cells, column: Column, default: str | None) -> str | None:
        """Return the currency in its column, else beside the amount, else the default."""
        beside, text = number(cells[column]), cells.get("currency", "")
        named = read_currency(text) if text else None
        if text and named is None:
            return None
        possible = named.possible if named else None
        currencies = (named.currency if named else None, beside.currency, default)
        return next((each for each in currencies if each and each in (possible or {each})), None)

    def read(self, row: int, given: Cells) -> ImportOpportunity:
        """Return a row as a command; raises BadRow with all of its problems."""
        table, problems = self._table, list[tuple[str, str]]()
        cells = clean_lines(table, given, problems)
        problems += self._missing(row, cells)
        stage, status = cells.get("stage", ""), cells.get("status", "")
        read = self._stages.read(stage, status)
        if read is None and (stage or status):
            problems.append((table.name("status"), f"{short(status)} is not a known status"))
        days = {each: self._day(cells, each, problems) for each in _DAYS}
        value = self._money(cells, "value", problems)
        won_value = self._money(cells, "won_value", problems)
        probability = self._probability(cells, problems)
        reason = self._reason(cells, problems)
        if read is None or problems:
            raise BadRow(*problems)
        outcome, pipeline_stage = read
        closed_on = self._closed_on(row, outcome, days, problems)
        if problems:
            raise BadRow(*problems)
        if outcome == "won" and won_value is not None:
            value = won_value
        if outcome == "won" and value is None:
            self._note(row, f"{table.name(*_AMOUNTS)}: is missing, so the value remains unknown")
        product = self._names.product(row, cells.get("product", ""), table.name("product"))
        account, name = self._names.account(row, cells.get("account", ""), table.name("account"))
        owner, owner_known = self._owners.owner(cells["owner"])
        title = cells.get("title") or (f"{product} for {name}" if name else product or "")[:200]
        is_open, is_lost = outcome == "open", outcome == "lost"
        expected = days["expected_close"] or days["close_date"]
        command: dict[str, object] = {
            "source": self._source,
            "external_id": cells["external_id"],
            "account": account,
            "title": title,
            "product": product,
            "owner": owner,
            "outcome": outcome,
            "pipeline_stage": pipeline_stage,
            "opened_on": days["opened_on"],
            "closed_on": closed_on,
            "value": value,
            "expected_close": expected if is_open else None,
            "probability": probability if is_open else None,
            "loss_reason": self._loss(reason, status, stage) if is_lost else None,
            "loss_reason_text": reason if is_lost else None,
            "region": cells.get("region") or self._regions.get(comparable(cells["owner"])),
        }
        columns = table.header.places.keys()
        command["absent"] = tuple(
            field
            for field in _MAY_BE_ABSENT
            if command[field] is None and not columns & {*_COLUMNS_OF[field]}
        )
        try:
            opportunity = ImportOpportunity.model_validate(command)
        except ValidationError as error:
            named = columns_of(table)
            found = (
                (str(each["loc"][0]) if each["loc"] else "row", each) for each in error.errors()
            )
            raise BadRow(
                *((named.get(field, field), sentence(each["msg"])) for field, each in found)
            ) from None
        if is_open and probability is None and cells.get("probability"):
            name = table.name("probability")
            self._note(
                row,
                f"{name}: 1 is a share or a percentage, which the file does not tell, so it "
                f"remains unknown; the parameter probability tells it",
            )
        if not owner_known:
            agent = f"{table.name('owner')}: {short(cells['owner'])}"
            self._note(row, f"{agent} is not a known person; the owner is {owner}")
        self._names.use(account, name)
        return opportunity

    def _missing(self, row: int, cells: Cells) -> Iterator[tuple[str, str]]:
        table = self._table
        groups: tuple[tuple[Column, ...], ...] = (
            ("external_id",),
            ("owner",),
            ("title", "product"),
            ("stage", "status"),
        )
        for columns in groups:
            if not any(cells.get(each) for each in columns):
                yield table.name(*columns), "is missing"
        if reason := self._repeated.get(row):
            yield table.name("external_id"), reason

    def _day(self, cells: Cells, column: Column, problems: list[tuple[str, str]]) -> date | None:
        text = cells.get(column, "")
        day = read_day(text, self._order)
        if text and day is None:
            wanted = f"not a date, {self._order}, or year-month-day"
            reason = SERIAL if is_serial(text) else wanted
            problems.append((self._table.name(column), f"{short(text)} is {reason}"))
        return day

    def _money(
        self, cells: Cells, column: Column, problems: list[tuple[str, str]]
    ) -> dict[str, object] | None:
        text = cells.get(column, "")
        if not text:
            return None
        parts = number(text)
        name, named = self._table.name(column), cells.get("currency", "")
        amount = None if parts.percent else read_number(parts.digits, self._decimals)
        if amount is None:
            problems.append((name, f"{short(text)} is not a number"))
        elif parts.negative and amount:
            problems.append((name, f"{short(text)} is negative"))
        currency = self._currency_of(cells, column, self._currency)
        if currency is None:
            problems.append((self._table.name("currency"), f"{short(named)} is not a currency"))
        elif parts.possible is not None and currency not in parts.possible:
            problems.append((name, f"{short(text)} is not written so in {currency}"))
        return {"amount": amount, "currency": currency}

    def _probability(self, cells: Cells, problems: list[tuple[str, str]]) -> str | None:
        text = cells.get("probability", "")
        if not text:
            return None
        parts = number(text)
        read = read_number(parts.digits, self._decimals)
        if read == 1 and self._probabilities is None:
            return None
        is_share = self._probabilities == "share" and not parts.percent
        percent = None if read is None else read * _HUNDRED if is_share else read
        if percent is None or parts.negative or percent > _HUNDRED:
            problems.append((self._table.name("probability"), f"{short(text)} is no probability"))
            return None
        return canonical_decimal(round(percent, 4))

    def _reason(self, cells: Cells, problems: list[tuple[str, str]]) -> str | None:
        text = cells.get("loss_reason", "")
        try:
            return _TEXT.validate_python(text) if text else None
        except ValidationError as error:
            name = self._table.name("loss_reason")
            problems += [(name, sentence(each["msg"])) for each in error.errors()]
            return None

    def _loss(self, reason: str | None, status: str, stage: str) -> str | None:
        return loss_reason(reason or "") or loss_reason(status) or loss_reason(stage)

    def _closed_on(
        self,
        row: int,
        outcome: Outcome,
        days: Mapping[Column, date | None],
        problems: list[tuple[str, str]],
    ) -> date | None:
        """Return the day on which the deal ended, and add what contradicts it to the problems."""
        table, opened_on = self._table, days["opened_on"]
        if opened_on and opened_on > self._today:
            problems.append((table.name("opened_on"), f"{opened_on} is in the future"))
        if outcome == "open":
            return None
        columns = _CLOSING[outcome]
        column = next((each for each in columns if days[each]), columns[-1])
        name, day = table.name(column, *columns), days[column]
        if day is None:
            if outcome == "won":
                problems.append((name, "is missing, though the deal was won"))
            else:
                self._note(row, f"{name}: is missing, so the day of the loss remains unknown")
        elif day > self._today and outcome == "won":
            problems.append((name, f"{day} is in the future, though the deal was won"))
        elif day > self._today:
            self._note(row, f"{name}: is in the future, so the day of the loss remains unknown")
            return None
        elif opened_on and day < opened_on:
            problems.append((name, f"{day} is before the {table.name('opened_on')}, {opened_on}"))
        return day

    def _note(self, row: int, note: str) -> None:
        self._names.note(row, note)
