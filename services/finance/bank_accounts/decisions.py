"""Take the statements of a bank account: each booked credit becomes a payment, once.

An entry is identified by its booking day, its reference, and its place among those that have the
same: two entries may be equal in every field. A statement may overlap others or come again. The
closing balance proves that every entry was taken, and that none was taken twice.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, Refused
from chassis.domain.context import Context
from chassis.domain.ids import derived
from chassis.domain.requests import Outcome
from chassis.domain.rules import past_day
from contracts.event import Event
from contracts.money import ItemMoney, Money
from contracts.values import Identifier, Version
from finance.bank_accounts.accounts import require_account_currency, require_bank_account
from finance.bank_accounts.events import (
    MOST_DETAILS,
    EntryTerms,
    NewPayment,
    StatementTaken,
    TakenEntry,
)
from finance.bank_accounts.state import BankAccount
from finance.payments.requests import BankAccountId, ReceivePayment, StatementLine
from finance.roles import ACCOUNTING

capability = Capability[BankAccount](__name__)
receiving = capability.request(ReceivePayment, of="payment")

MOST_ENTRIES = 1_000
"""Maximum number of entries of a statement."""


class Entry(EntryTerms):
    """Entry of a statement: one amount of the bank, which may hold several transactions."""

    status: Literal["booked", "preview"] = "booked"
    """`preview` for an amount that is not booked yet: it is shown, and is no payment."""


class TakeStatement(Command):
    """Take a statement of the bank account, as the bank sends it.

    Entries that were taken before, also from other statements, are not taken again. What is
    recognised as a repetition as a whole changes nothing.
    """

    statement: Identifier
    """Id that the bank gave to the statement."""
    number: Version | None = None
    """Number of the statement in the order of the bank; null where the bank gives none."""
    opening: ItemMoney
    """Balance before the first booked entry."""
    closing: ItemMoney
    """Balance after the last booked entry."""
    entries: Annotated[tuple[Entry, ...], Field(max_length=MOST_ENTRIES)] = ()
    """The entries, in the order of the bank."""


@dataclass(frozen=True, slots=True)
class _Placed:
    """A booked entry, and its place among those of the same reference and booking day."""

    entry: Entry
    place: int

    @property
    def amount(self) -> Money:
        details = self.entry.details
        return Money.total((each.amount for each in details), details[0].amount.currency)


@capability.decide(TakeStatement, by=ACCOUNTING, opens=True)
def take_statement(state: BankAccount, command: TakeStatement, context: Context) -> Iterable[Event]:
    """Take the new entries, and request a payment for each credit of them.

    Raises Refused where the bank account is unknown or has another currency, an entry was booked in
    the future, the statement has too many details, the balances differ, within the statement or
    from those of the statements before, or the amount of an entry that was taken differs.
    """
    account = require_bank_account(state.bank_account, None, context)
    require_account_currency(account, opening=command.opening, closing=command.closing)
    booked = [each for each in command.entries if each.status == "booked"]
    for each in command.entries:
        for detail in each.details:
            require_account_currency(account, entries=detail.amount)
    for each in booked:
        past_day("entries", each.booked_on, context)
    if sum(len(each.details) for each in command.entries) > MOST_DETAILS:
        raise Refused("statement-too-long", f"a statement has at most {MOST_DETAILS:,} details")
    new = _new(state, command, booked)
    if new is None:
        return
    payments = [each for placed in new for each in _payments(state.bank_account, placed)]
    previews = tuple(
        EntryTerms(**{name: getattr(each, name) for name in EntryTerms.model_fields})
        for each in command.entries
        if each.status == "preview" and not state.taken(each.entry, each.booked_on)
    )
    if not new and state.last and state.last.previews == previews:
        return
    yield StatementTaken(
        statement=command.statement,
        number=command.number,
        opening=command.opening,
        closing=command.closing,
        entries=tuple(
            TakenEntry(entry=each.entry.entry, booked_on=each.entry.booked_on, amount=each.amount)
            for each in new
        ),
        payments=tuple(
            NewPayment(payment=name, amount=each.amount, reference=each.reference)
            for name, each in payments
        ),
        previews=previews,
    )
    for name, receive in payments:
        yield receiving(name, receive, id="receive", item=name)


def _new(
    state: BankAccount, command: TakeStatement, booked: Sequence[Entry]
) -> Sequence[_Placed] | None:
    """Return the booked entries that were not taken before; None for an old statement.

    An entry is known by reference and booking day. Where balances or amounts do not agree with
    that, but the statement follows the last one by number and balance, all of its entries are new:
    some banks use a reference again. Raises Refused where the balances differ, or the amount of an
    entry that was taken.
    """
    placed = [*_placed(booked)]
    total = _sum(placed, command.opening)
    if total != command.closing:
        sentence = (
            f"closing: {command.opening} and the booked entries are {total}, not"
            f" {command.closing}: {command.closing - total} differs"
        )
        raise _differs("closing", sentence)
    before = state.closing
    new = [each for each in placed if _is_new(state, each)]
    if before is None:
        return new
    differing, expected = [*_differing(state, placed)], _sum(new, before)
    if not differing and expected == command.closing:
        return new
    follows = command.number is not None and command.number > state.number
    if follows and command.opening == before:
        return [
            _Placed(
                each.entry,
                each.place + len(state.taken(each.entry.entry, each.entry.booked_on)),
            )
            for each in placed
        ]
    if differing and (not follows or expected == command.closing):
        raise Refused("field-differs", "; ".join(each.sentence for each in differing), differing)
    if placed and not new and not follows and command.opening != before:
        return None
    sentence = (
        f"opening: the last balance is {before}; with the new entries it is {expected}, not"
        f" {command.closing}: {command.closing - expected} is missing between the statements"
    )
    raise _differs("opening", sentence)


def _differing(state: BankAccount, placed: Iterable[_Placed]) -> Iterator[Missing]:
    """Yield what differs from the entries that were taken."""
    for each in placed:
        entry = each.entry
        taken = state.taken(entry.entry, entry.booked_on)[each.place - 1 : each.place]
        for amount in taken:
            if amount != each.amount:
                sentence = (
                    f"entries: {entry.entry} of {entry.booked_on} was taken with {amount},"
                    f" not {each.amount}"
                )
                yield Missing("field-differs", sentence, field="entries")


def _differs(field: str, sentence: str) -> Refused:
    missing = Missing("statement-balance-differs", sentence, field=field)
    return Refused("statement-balance-differs", sentence, [missing])


def _placed(booked: Iterable[Entry]) -> Iterator[_Placed]:
    places: Counter[tuple[str, date]] = Counter()
    for each in booked:
        places[each.entry, each.booked_on] += 1
        yield _Placed(each, places[each.entry, each.booked_on])


def _is_new(state: BankAccount, placed: _Placed) -> bool:
    entry, first = placed.entry, state.kept_from
    if first is not None and entry.booked_on < first:
        return False
    return placed.place > len(state.taken(entry.entry, entry.booked_on))


def _sum(placed: Iterable[_Placed], opening: Money) -> Money:
    return Money.total((opening, *(each.amount for each in placed)), opening.currency)


def _payments(bank_account: str, placed: _Placed) -> Iterator[tuple[str, ReceivePayment]]:
    """Yield the credits of an entry with the id of the payment, made of their place."""
    entry = placed.entry
    for number, detail in enumerate(entry.details, 1):
        if detail.amount.amount > 0:
            line = StatementLine(
                entry=entry.entry, booked_on=entry.booked_on, place=placed.place, detail=number
            )
            place = f"{bank_account}/{line.booked_on}/{line.place}/{line.detail}/{line.entry}"
            yield (
                f"P-{derived(place)}",
                ReceivePayment(
                    **dict(detail),
                    bank_account=bank_account,
                    received_on=entry.booked_on,
                    line=line,
                ),
            )


@receiving.outcome
def received(
    state: BankAccount, outcome: Outcome[ReceivePayment], context: Context
) -> Iterable[Event]:
    """Conclude nothing: the payment is recorded, and its stream recognises a repetition."""
    return ()


class BankAccountFields(ViewModel):
    """A bank account: the last balance, and the last statement with its payments and previews."""

    bank_account: BankAccountId
    closing: Money | None
    statement: str | None
    number: int
    last_booked_on: date | None
    payments: tuple[NewPayment, ...]
    previews: tuple[EntryTerms, ...]


@capability.view
def bank_account_view(state: BankAccount) -> BankAccountFields:
    """Return the view of a bank account."""
    last = state.last
    return BankAccountFields(
        bank_account=state.bank_account,
        closing=state.closing,
        statement=last.statement if last else None,
        number=state.number,
        last_booked_on=state.last_booked_on,
        payments=last.payments if last else (),
        previews=last.previews if last else (),
    )
