"""Tell whether two names are those of one account, and derive the id of a new account."""

from chassis.domain.ids import comparable, derived
from contracts.values import AccountId

PREFIX = "A"
"""Beginning of the ids of accounts."""


def account_id(name: str) -> AccountId:
    """Return the id of the account that is recorded under a name.

    It is derived from the comparable name, so that two processes that record one name at the same
    time open one stream. It does not change when the account is renamed.
    """
    return f"{PREFIX}-{derived(comparable(name))}"
