"""Read the files of a CRM export into valid rows, refused rows with their reasons, and notes.

Pure. A file is read in three steps: its text and records (`dialect`), the meaning of its columns
(`columns`), and what its cells write (`values`).
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Final

from chassis.domain.ids import comparable
from contracts.counting import counted
from contracts.money import Money
from contracts.values import AccountId, Value
from sales.accounts.decisions import IntroduceAccount
from sales.importing.accounts import read_accounts
from sales.importing.decisions import ImportOpportunity
from sales.importing.names import Names
from sales.importing.opportunities import Opportunities, columns_of, repeated_ids
from sales.importing.options import Kind, Options, Unusable
from sales.importing.owners import Owners
from sales.importing.table import BadRow, Refusal, Table, read_table
from sales.importing.values import Outcome

_MOST_NAMED: Final = 8


class Row(Value):
    """A valid row of an opportunity; `stage` is the word of the CRM."""

    file: str | None = None
    row: int
    stage: str
    opportunity: ImportOpportunity


class Total(Value):
    """The valid rows of one stage and currency, as a control; `stage` is the word of the CRM.

    `value` is their sum, and null for the rows without a value.
    """

    outcome: Outcome
    stage: str
    rows: int
    value: Money | None


class Export(Value):
    """The content of an export; `accounts` are those to publish, by their new id."""

    rows: int
    taken: tuple[Row, ...]
    refused: tuple[Refusal, ...]
    accounts: dict[AccountId, IntroduceAccount]
    account_names: dict[AccountId, str]
    """The names of all accounts that are published or named."""
    accounts_known: int
    totals: tuple[Total, ...]
    external_ids: frozenset[str]
    """The ids of all opportunities, also of refused rows."""
    columns: dict[str, str]
    """The column of each field of an imported opportunity, as the file names it."""
    notes: tuple[str, ...]


def read_export(
    files: Mapping[str, bytes],
    accounts: Mapping[AccountId, IntroduceAccount],
    products: Iterable[str],
    owners: Owners,
    *,
    source: str,
    today: date,
    options: Options,
) -> Export:
    """Return the content of the files of one export, by their names.

    `accounts` are the published accounts, by id. `products` are the correct product
    names, and may be empty. `owners` maps names of sellers to person ids. `source` names the CRM,
    and `today` is the last day on which a deal may have opened or ended. Raises Unusable where a
    file cannot be read, or there are neither opportunities nor accounts.
    """
    tables = _tables(files, options)
    listed = (each for table in _of("products", tables) for each in table.cells("product"))
    names = Names(accounts, (*products, *listed))
    regions = {
        comparable(cells["owner"]): cells["region"]
        for table in _of("teams", tables)
        for _, cells in table.rows
        if cells["owner"] and cells["region"]
    }
    refused = [
        refusal
        for table in tables
        for row, cells, reason in table.broken
        for refusal in table.refused(row, cells, ("row", reason))
    ]
    introduced: dict[AccountId, IntroduceAccount] = {}
    for table in tables:
        _note_columns(table, names)
    for table in _of("accounts", tables):
        introduced |= read_accounts(table, names, refused)
    taken: list[Row] = []
    columns: dict[str, str] = {}
    repeated = repeated_ids(_of("opportunities", tables))
    for table in _of("opportunities", tables):
        columns |= columns_of(table)
        try:
            rows = repeated.get(table.file, {})
            reader = Opportunities(table, names, owners, regions, options, source, today, rows)
        except Unusable as error:
            raise error.of(table.file) from None
        for row, cells in table.rows:
            try:
                opportunity = reader.read(row, cells)
            except BadRow as bad:
                refused += table.refused(row, cells, *bad.problems)
            else:
                stage = cells.get("stage") or cells.get("status") or ""
                taken.append(Row(file=table.file, row=row, stage=stage, opportunity=opportunity))
    new = {
        account: introduced.get(account) or IntroduceAccount(name=name)
        for account, name in names.named.items()
        if account not in names.published
    }
    return Export(
        rows=sum(
            len(table.rows) + len(table.broken)
            for table in tables
            if table.kind in {"opportunities", "accounts"}
        ),
        taken=tuple(taken),
        refused=tuple(sorted(refused, key=lambda each: (each.file or "", each.row))),
        accounts=new,
        account_names=names.named | {key: each.name for key, each in accounts.items()},
        accounts_known=len(names.named.keys() & names.published.keys()),
        totals=_totals(taken),
        external_ids=frozenset(
            key for table in _of("opportunities", tables) for key in _ids(table)
        ),
        columns=columns,
        notes=names.notes,
    )


def without_rows(export: Export, open_deals: Iterable[str], source: str) -> Export:
    """Return an export with a note on the open deals of earlier imports that it does not have.

    `open_deals` are the ids of all deals that are open in the CRM by its last import. An export
    without opportunities is returned as it is.
    """
    missing = sorted({*open_deals} - export.external_ids) if export.external_ids else []
    if not missing:
        return export
    more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
    note = (
        f"{counted(len(missing), 'deal')} of {source} that earlier imports had as open "
        f"{'is' if len(missing) == 1 else 'are'} not in this export, and not changed: "
        f"{', '.join(missing[:_MOST_NAMED])}{more}"
    )
    return export.model_copy(update={"notes": (*export.notes, note)})


def _ids(table: Table) -> Iterator[str]:
    yield from table.cells("external_id")
    for _, cells, _ in table.broken:
        if key := cells.get("external_id"):
            yield key


def _tables(files: Mapping[str, bytes], options: Options) -> list[Table]:
    """Return the files as tables; raises Unusable where they are no export."""
    if len(files) > 1 and options.kind:
        raise Unusable("the kind of a file is given for one file, not for several", "kind")
    tables = []
    for file, content in files.items():
        try:
            tables.append(read_table(file if len(files) > 1 else None, content, options))
        except Unusable as error:
            raise error.of(file if len(files) > 1 else None) from None
    known = {name for table in tables for name in table.header.every}
    for name in options.columns:
        if name not in known:
            raise Unusable(f"no first line has a column {name!r}", "columns")
    if not any(table.kind in {"opportunities", "accounts"} for table in tables):
        kinds = " and ".join(dict.fromkeys(table.kind for table in tables)) or "nothing"
        raise Unusable(f"there are {kinds}; send them together with the opportunities")
    return tables


def _of(kind: Kind, tables: Iterable[Table]) -> Iterable[Table]:
    return (table for table in tables if table.kind == kind)


def _note_columns(table: Table, names: Names) -> None:
    """Note the columns of a file that are not read, and its rows that are no records."""
    of = f"{table.file}: " if table.file else ""
    if table.header.ignored:
        names.note(table.header.row, f"{of}ignored columns: {', '.join(table.header.ignored)}")
    for row in table.left_out:
        names.note(row, f"{of}left out, a total or a remark at the end")


def _totals(taken: Iterable[Row]) -> tuple[Total, ...]:
    rows: dict[tuple[Outcome, str, str], list[Money | None]] = {}
    for row in taken:
        deal = row.opportunity
        stage = deal.outcome, row.stage
        currency = deal.value.currency if deal.value else ""
        rows.setdefault((*stage, currency), []).append(deal.value)
    return tuple(
        Total(
            outcome=outcome,
            stage=stage,
            rows=len(values),
            value=Money.total((each for each in values if each), currency) if currency else None,
        )
        for (outcome, stage, currency), values in sorted(rows.items())
    )
