"""Find the accounts and products that the rows of an export name, and collect notes about rows."""

from collections.abc import Iterable, Mapping

from chassis.domain.ids import comparable
from contracts.values import AccountId
from sales.accounts.decisions import IntroduceAccount
from sales.accounts.names import account_id
from sales.importing.table import in_rows, short


class Names:
    """The accounts and products known so far, and the notes on rows.

    `accounts` are the published accounts, by id. `products` are the correct product
    names, and may be empty.
    """

    def __init__(
        self, accounts: Mapping[AccountId, IntroduceAccount], products: Iterable[str]
    ) -> None:
        self._known = {
            comparable(each.name): (account, each.name) for account, each in accounts.items()
        }
        self._products = {_without_spaces(name): name for name in products}
        self._listed = frozenset(self._products)
        self._notes: dict[str, list[int]] = {}
        self.published = accounts
        self.named: dict[AccountId, str] = {}
        """The accounts that rows name, by id, in the spelling that was read first."""

    def product(self, row: int, name: str, column: str) -> str | None:
        """Return a product in its known spelling, or None for an empty name."""
        if not name:
            return None
        known = self._products.setdefault(_without_spaces(name), name)
        if known != name:
            self.note(row, f"{column}: {short(name)} is read as {short(known)}")
        if self._listed and _without_spaces(name) not in self._listed:
            self.note(row, f"{column}: {short(name)} is not in the list of products")
        return known

    def account(
        self, row: int, name: str, column: str
    ) -> tuple[AccountId, str] | tuple[None, None]:
        """Return the id of an account and its known spelling."""
        if not name:
            self.note(row, f"{column}: is missing and remains unknown")
            return None, None
        known = self._known.get(comparable(name))
        if known is None:
            return account_id(name), name
        if known[1] != name:
            self.note(row, f"{column}: {short(name)} is read as {short(known[1])}")
        return known

    def find(self, name: str) -> AccountId | None:
        """Return the id of an account that is known by a name, or None."""
        known = self._known.get(comparable(name))
        return known[0] if known else None

    def name_of(self, account: AccountId) -> str:
        """Return the name of an account that is known or named; its id where there is none."""
        known = self.published.get(account)
        return known.name if known else self.named.get(account, account)

    def use(self, account: AccountId | None, name: str | None) -> None:
        """Keep an account that a valid row names."""
        if account is not None and name is not None:
            self._known.setdefault(comparable(name), (account, name))
            self.named.setdefault(account, name)

    def note(self, row: int, note: str) -> None:
        """Note something about a row; equal notes are listed once, with all their rows."""
        self._notes.setdefault(note, []).append(row)

    @property
    def notes(self) -> tuple[str, ...]:
        """Return the notes with the numbers of their rows."""
        return tuple(f"{note} ({in_rows(rows)})" for note, rows in self._notes.items())


def _without_spaces(name: str) -> str:
    """Return a name without differences of case, width and spaces; no letter or sign is dropped."""
    return comparable(name).replace(" ", "")
