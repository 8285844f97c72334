"""Read the rows of accounts of an export."""

from typing import Final, Literal

from pydantic import ValidationError

from chassis.domain.ids import comparable
from contracts.places import country_named
from contracts.values import AccountId
from sales.accounts.decisions import IntroduceAccount
from sales.importing.names import Names
from sales.importing.table import Refusal, Table, clean_lines, sentence, short

_NOTED: Final[tuple[Literal["sector", "country", "parent"], ...]] = ("sector", "country", "parent")


def read_accounts(
    table: Table, names: Names, refused: list[Refusal]
) -> dict[AccountId, IntroduceAccount]:
    """Return the accounts of a file by id, and add the rows that are refused.

    What differs from a published account is noted, since an import changes none. A parent is the
    account with an equal name, in this file or published; it may be in a later row.
    A country is read by its code or its English name, and is left out otherwise. Rows with equal
    names are one account, the first of them.
    """
    valid: list[tuple[int, AccountId, dict[str, str | None]]] = []
    seen: dict[str, int] = {}
    for row, given in table.rows:
        problems: list[tuple[str, str]] = []
        cells = clean_lines(table, given, problems)
        name, column = cells["account"], table.name("account")
        if not name:
            problems.append((column, "is missing"))
        first = seen.setdefault(comparable(name), row)
        if name and first != row:
            problems.append((column, f"is already in row {first}"))
        if problems:
            refused += table.refused(row, given, *problems)
            continue
        account, known = names.account(row, name, column)
        if account is not None:
            names.use(account, known)
            values = {each: cells.get(each) or None for each in ("parent", "sector", "country")}
            valid.append((row, account, {"name": known, **values}))
    read: dict[AccountId, IntroduceAccount] = {}
    for row, account, values in valid:
        values |= {
            "parent": _parent(table, names, row, values["parent"]),
            "country": _country(table, names, row, values["country"]),
        }
        try:
            read[account] = IntroduceAccount.model_validate(values)
            _note_differences(table, names, row, account, read[account])
        except ValidationError as error:
            refused += table.refused(
                row, {}, *((str(each["loc"][0]), sentence(each["msg"])) for each in error.errors())
            )
    return _without_circles(table, names, read, {account: row for row, account, _ in valid})


def _note_differences(
    table: Table, names: Names, row: int, account: AccountId, given: IntroduceAccount
) -> None:
    """Note what the file has of a published account, and is otherwise here."""
    known = names.published.get(account)
    if known is None:
        return
    for column in _NOTED:
        new, old = getattr(given, column), getattr(known, column)
        if column == "parent":
            new, old = (names.name_of(each) if each else None for each in (new, old))
        if new and comparable(new) != comparable(old or ""):
            recorded = short(old) if old else "none"
            names.note(
                row,
                f"{table.name(column)} of {known.name}: {short(new)} in the file, {recorded} here; "
                f"not changed, see publish-account",
            )


def _parent(table: Table, names: Names, row: int, name: str | None) -> AccountId | None:
    parent = names.find(name) if name else None
    if name and parent is None:
        names.note(row, f"{table.name('parent')}: {short(name)} is no account here or in the file")
    return parent


def _country(table: Table, names: Names, row: int, name: str | None) -> str | None:
    code = country_named(name) if name else None
    if name and code is None:
        names.note(row, f"{table.name('country')}: {short(name)} is no country, and is left out")
    return code


def _without_circles(
    table: Table,
    names: Names,
    read: dict[AccountId, IntroduceAccount],
    rows: dict[AccountId, int],
) -> dict[AccountId, IntroduceAccount]:
    """Return the accounts without the parents by which one would be above itself."""
    kept = dict(read)
    for account in read:
        seen, above = {account}, kept[account].parent
        while above is not None and above not in seen:
            seen.add(above)
            above = kept[above].parent if above in kept else None
        if above is not None:
            kept[account] = kept[account].model_copy(update={"parent": None})
            column = table.name("parent")
            names.note(rows[account], f"{column}: is left out, the account would be above itself")
    return kept
