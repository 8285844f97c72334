"""Find the person whose account a token names: the id that events have as their actor.

It is in the settings of the issuer, or in the record of a person, or the name of the account itself
if the settings say so. An account of one issuer says nothing about an account of another one with
the same name.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime

from chassis.base.token_issuers import ACTOR, TokenIssuer
from chassis.domain.context import ReferenceData
from chassis.domain.reference import known_on
from chassis.web.problems import Problem
from contracts.reference import PersonPublished

_ID = re.compile(ACTOR)
_NOT_AN_ID = (
    "the token's subject must be an id such as ann.archer, not an e-mail address: it is recorded"
    " permanently and must not identify a person by itself"
)
_INVALID = {"WWW-Authenticate": 'Bearer realm="concord", error="invalid_token"'}


def no_records() -> ReferenceData:
    """Raise Problem 503: the records of people are not known here."""
    raise Problem(503, "starting", "the records of people are not known yet")


class SignIns:
    """Ids by account, computed again when a record has changed or a day has begun (UTC)."""

    def __init__(self, people: Callable[[], ReferenceData]) -> None:
        self._people = people
        self._known: tuple[int, date] | None = None
        self._ids: Mapping[tuple[str, str], str] = {}

    def actor(self, issuer: TokenIssuer, account: str) -> str:
        """Return the id of the person or program with an account at an issuer.

        Raises Problem 401 where the name of the account has to be an id and is none, 403 where no
        person, or more than one, is on record with the account, and 503 while the records are not
        known.
        """
        if (named := issuer.ids.get(account)) is not None:
            return named
        if issuer.account_is == "id":
            if not _ID.fullmatch(account):
                raise Problem(401, "invalid-token", _NOT_AN_ID, headers=_INVALID)
            return account
        person = self._by_account().get((issuer.issuer, account))
        if person is None:
            detail = (
                f"no person is on record with the account {account} of {issuer.issuer}, or several"
                " are: the PMO or an operator publishes the record of the person in Delivery with"
                " the account in `sign_in`"
            )
            raise Problem(403, "sign-in-unknown", detail)
        return person

    def _by_account(self) -> Mapping[tuple[str, str], str]:
        records, today = self._people(), datetime.now(UTC).date()
        if self._known != (records.revision, today):
            self._ids = _ids(records, today)
            self._known = records.revision, today
        return self._ids


def _ids(records: ReferenceData, day: date) -> Mapping[tuple[str, str], str]:
    """Return the ids of people by account on a day, without accounts of more than one person."""
    found: dict[tuple[str, str], set[str]] = {}
    for each in records.all(PersonPublished):
        record = known_on(records, PersonPublished, each.event.person, day) or each
        for account in record.event.sign_in:
            found.setdefault((account.issuer, account.name), set()).add(record.event.person)
    return {account: people.pop() for account, people in found.items() if len(people) == 1}
