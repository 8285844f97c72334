"""Take the statements of a bank account: each booked credit becomes a payment, once.

An entry is identified by its booking day, its reference, and its place among those that have the
same: two entries may be equal in every field. A statement may overlap others or come again. The
closing balance proves that every entry was taken, and that none was taken twice. What is recorded
of an entry or a statement is not contradicted by a later one; a preview is not recorded.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, Refused, refused_field
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
from finance.bank_accounts.state import BankAccount, TakenStatement
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
    """A booked entry, its place among those of the same reference and booking day, the balance."""

    entry: Entry
    place: int
    balance: Money


@capability.decide(TakeStatement, by=ACCOUNTING, opens=True)
def take_statement(state: BankAccount, command: TakeStatement, context: Context) -> Iterable[Event]:
    """Take the new entries, and request a payment for each credit of them.

    Raises Refused where the bank account is unknown or has another currency, an entry was booked in
    the future, the statement has too many details, the balances differ, within the statement or
    from those of the statements before, or a field differs from what was recorded of the statement
    or of an entry.
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
        EntryTerms(**_terms(each))
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
            TakenEntry(**_terms(each.entry), balance=each.balance, statement=command.statement)
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


def _terms(entry: EntryTerms) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in EntryTerms.model_fields}


def _new(
    state: BankAccount, command: TakeStatement, booked: Sequence[Entry]
) -> Sequence[_Placed] | None:
    """Return the booked entries that were not taken before; None for an old statement.

    An entry is known by reference and booking day. Where balances or fields do not agree with that,
    but the statement follows the last one by number and balance, all of its entries are new: some
    banks use a reference again. Raises Refused where the balances differ, or a recorded field.
    """
    total = _sum(booked, command.opening)
    if total != command.closing:
        sentence = (
            f"closing: {command.opening} and the booked entries are {total}, not"
            f" {command.closing}: {command.closing - total} differs"
        )
        raise _differs("closing", sentence)
    known = state.statement(command.statement, command.number)
    new, differing = _compared(state, command, booked)
    moved = [*_other_days(state, command, new)] if known else []
    if known and (balances := [*_other_balances(known, command)]):
        _require_agreed([*differing, *moved, *balances])
    before = state.closing
    if before is None:
        return new
    expected = _sum((each.entry for each in new), before)
    agrees = expected == command.closing
    is_old = not new and bool(booked) and not known
    if not differing and agrees:
        _require_agreed([*_unknown_balances(state, command, booked)] if is_old else [])
        return new
    follows = command.number is not None and command.number > state.number
    if follows and command.opening == before:
        return [*_every(state, command.opening, booked)]
    if not follows or agrees:
        _require_agreed(differing)
    if not new and (known or (is_old and not follows and command.opening != before)):
        _require_agreed([*_unknown_balances(state, command, booked)] if is_old else [])
        return None
    _require_agreed(moved)
    sentence = (
        f"opening: the last balance is {before}; with the new entries it is {expected}, not"
        f" {command.closing}: {command.closing - expected} is missing between the statements"
    )
    raise _differs("opening", sentence)


def _require_agreed(differing: Sequence[Missing]) -> None:
    if differing:
        raise Refused("field-differs", "; ".join(each.sentence for each in differing), differing)


def _other_balances(known: TakenStatement, command: TakeStatement) -> Iterator[Missing]:
    """Yield the balances that differ from those recorded of the statement."""
    for field, old, new in (
        ("opening", known.opening, command.opening),
        ("closing", known.closing, command.closing),
    ):
        if old is not None and old != new:
            yield _contradicted(field, f"statement {command.statement}", old, new)


def _other_days(
    state: BankAccount, command: TakeStatement, new: Iterable[_Placed]
) -> Iterator[Missing]:
    """Yield the booking days of new entries whose reference the same statement had once before."""
    for each in new:
        entry = each.entry
        known = state.of_reference(entry.entry)
        if len(known) == 1 and known[0].statement == command.statement:
            name = f"entries[{_number(command, entry)}].booked_on"
            yield _other_entry(name, known[0], known[0].booked_on, entry.booked_on)


def _unknown_balances(
    state: BankAccount, command: TakeStatement, booked: Sequence[Entry]
) -> Iterator[Missing]:
    """Yield the balances of an old statement that the account did not have then.

    It had those of its statements, and those before and after each of these entries. Nothing is
    known where an entry is not kept any more.
    """
    of_entries = [state.taken(each.entry, each.booked_on) for each in booked]
    if not all(of_entries):
        return
    taken = [one for each in of_entries for one in each]
    openings = [each.balance - each.amount for each in taken]
    closings = [each.balance for each in taken]
    stated = {
        *(each.opening for each in state.statements),
        *(each.closing for each in state.statements),
    }
    first, last = booked[0], booked[-1]
    if command.opening not in {*openings, *stated}:
        yield _contradicted(
            "opening", f"the balance before {_named(first)}", openings[0], command.opening
        )
    if command.closing not in {*closings, *stated}:
        yield _contradicted(
            "closing", f"the balance after {_named(last)}", closings[-1], command.closing
        )


def _number(command: TakeStatement, entry: Entry) -> int:
    """Return the index of an entry in the command, where equal ones are told apart."""
    return next(number for number, each in enumerate(command.entries) if each is entry)


def _contradicted(field: str, what: str, old: object, new: object) -> Missing:
    return Missing(
        "field-differs", f"{field}: {what} was recorded as {old}, not {new}", field=field
    )


def _other_entry(field: str, taken: TakenEntry, old: object, new: object) -> Missing:
    found = _contradicted(field, _named(taken), old, new)
    sentence = f"{found.sentence} (recorded from statement {taken.statement})"
    return replace(found, sentence=sentence)


def _named(entry: EntryTerms) -> str:
    return f"entry {entry.entry} of {entry.booked_on}"


def _compared(
    state: BankAccount, command: TakeStatement, booked: Sequence[Entry]
) -> tuple[Sequence[_Placed], Sequence[Missing]]:
    """Return the entries that were not taken, and what differs from those that were.

    Entries of the same reference and booking day are compared in any order. Older entries than
    those that are kept are taken for known.
    """
    new, differing = list[_Placed](), list[Missing]()
    left = {
        key: list(state.taken(*key)) for key in {(each.entry, each.booked_on) for each in booked}
    }
    others = list[_Placed]()
    for placed in _every(state, command.opening, booked):
        taken = left[placed.entry.entry, placed.entry.booked_on]
        same = next((each for each in taken if not any(_differences(each, placed.entry))), None)
        if same is not None:
            taken.remove(same)
        elif not (state.kept_from and placed.entry.booked_on < state.kept_from):
            others.append(placed)
    places = Counter[tuple[str, date]]()
    for placed in others:
        entry = placed.entry
        key = (entry.entry, entry.booked_on)
        if left[key]:
            known = left[key].pop(0)
            for field, old, given in _differences(known, entry):
                name = f"entries[{_number(command, entry)}].{field}"
                differing.append(_other_entry(name, known, old, given))
        else:
            places[key] += 1
            place = len(state.taken(*key)) + places[key]
            new.append(replace(placed, place=place))
    return new, differing


def _differences(taken: TakenEntry, entry: Entry) -> Iterator[tuple[str, object, object]]:
    """Yield the fields that contradict those recorded, with both values; none that is null."""
    if taken.value_on != entry.value_on:
        yield "value_on", taken.value_on, entry.value_on
    if len(taken.details) != len(entry.details):
        yield "details", _count(taken), _count(entry)
        return
    for number, (old, new) in enumerate(zip(taken.details, entry.details, strict=True)):
        for (field, known), (_, given) in zip(old, new, strict=True):
            if known is not None and given is not None and known != given:
                yield f"details[{number}].{field}", known, given


def _count(entry: EntryTerms) -> str:
    return f"{entry.amount} (details: {len(entry.details)})"


def _every(state: BankAccount, opening: Money, booked: Iterable[Entry]) -> Iterator[_Placed]:
    """Yield all entries as new ones, after those that were taken."""
    places, balance = Counter[tuple[str, date]](), opening
    for each in booked:
        key = (each.entry, each.booked_on)
        places[key] += 1
        balance = balance + each.amount
        yield _Placed(each, len(state.taken(*key)) + places[key], balance)


def _differs(field: str, sentence: str) -> Refused:
    return refused_field("statement-balance-differs", field, sentence)


def _sum(booked: Iterable[Entry], opening: Money) -> Money:
    return Money.total((opening, *(each.amount for each in booked)), opening.currency)


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
