"""Check records against each other, the day and what is published, before anything is sent."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from difflib import get_close_matches

from contracts.lines import ContractLine
from local.take_over.reading import Engagement, Problem
from local.take_over.records import DEPARTMENTS, Balances, Contract, Progress, Sale


def check(
    engagements: Iterable[Engagement],
    accounts: Mapping[str, str],
    companies: Collection[str],
    today: date,
    *,
    incomplete: bool = False,
) -> Iterator[Problem]:
    """Yield what is wrong. `today` is the last day on which something may have happened.

    `accounts` are the names of the published accounts by id, `companies` the ids of the companies
    that sell. With `incomplete`, a department may have no record of an engagement yet.
    """
    for each in engagements:
        if not incomplete:
            yield from _missing(each)
        yield from _in_future(each, today)
        yield from _unknown(each, accounts, companies)
        yield from _contradictions(each)


def _missing(engagement: Engagement) -> Iterator[Problem]:
    for department in DEPARTMENTS:
        if department not in engagement.places:
            place = next(iter(engagement.places.values()))
            sentence = (
                f"there is no record of {department} for {engagement.external_id}: add it, or"
                " allow that it comes later (--incomplete)"
            )
            yield Problem(place, "external_id", sentence)


def _in_future(engagement: Engagement, today: date) -> Iterator[Problem]:
    for department, record in engagement.records.items():
        days: dict[str, date | None] = {}
        if isinstance(record, Sale):
            days = {"opened_on": record.opened_on, "won_on": record.won_on}
        elif isinstance(record, Contract):
            days = {"signed_on": record.signed_on}
        else:
            days = {"as_of": record.as_of}
        for field, day in days.items():
            if day is not None and day > today:
                sentence = f"must not be after today, {today}, and is {day}"
                yield Problem(engagement.places[department], field, sentence)


def _unknown(
    engagement: Engagement, accounts: Mapping[str, str], companies: Collection[str]
) -> Iterator[Problem]:
    """Yield accounts and companies that are not published."""
    sale, contract = engagement.records.get("sales"), engagement.records.get("legal")
    known = {*accounts, *accounts.values()}
    if isinstance(sale, Sale) and sale.account not in known:
        sentence = f"no account {sale.account} is published in Sales{_like(sale.account, known)}"
        yield Problem(engagement.places["sales"], "account", sentence)
    if isinstance(contract, Contract):
        place = engagement.places["legal"]
        parties = [("customer", contract.customer)]
        parties += [
            (f"lines.{number}.bill_to", line.bill_to)
            for number, line in enumerate(contract.lines)
            if line.bill_to is not None
        ]
        for field, account in parties:
            if account not in accounts:
                sentence = f"no account has the id {account}{_like(account, accounts)}"
                yield Problem(place, field, sentence)
        if contract.company not in companies:
            sentence = (
                f"no company has the id {contract.company}{_like(contract.company, companies)}"
            )
            yield Problem(place, "company", sentence)


def _like(name: str, known: Collection[str]) -> str:
    found = get_close_matches(name, sorted(known), n=3)
    return f"; did you mean {' or '.join(found)}?" if found else "; publish it first"


def _contradictions(engagement: Engagement) -> Iterator[Problem]:
    """Yield what the records of two departments contradict each other in."""
    sale, contract = engagement.records.get("sales"), engagement.records.get("legal")
    progress, balances = engagement.records.get("delivery"), engagement.records.get("finance")
    if not isinstance(contract, Contract):
        return
    if isinstance(sale, Sale) and sale.value.currency != contract.price.currency:
        sentence = f"must be in the currency of the contract, {contract.price.currency}"
        yield Problem(engagement.places["sales"], "value", sentence)
    if isinstance(progress, Progress):
        yield from _deliverables(engagement, contract, progress)
    if isinstance(balances, Balances):
        yield from _balances(engagement, contract, balances)


def _deliverables(
    engagement: Engagement, contract: Contract, progress: Progress
) -> Iterator[Problem]:
    taken_over = {each.deliverable for each in progress.deliverables}
    missing = [each for each in contract.named_deliverables if each not in taken_over]
    if missing:
        sentence = f"{', '.join(missing)} is missing: the contract names it"
        yield Problem(engagement.places["delivery"], "deliverables", sentence)


def _balances(engagement: Engagement, contract: Contract, balances: Balances) -> Iterator[Problem]:
    place = engagement.places["finance"]
    agreed: dict[str, ContractLine] = {line.line: line for line in contract.lines}
    for number, balance in enumerate(balances.lines):
        line = agreed.pop(balance.line, None)
        where = f"lines.{number}"
        if line is None:
            names = ", ".join(each.line for each in contract.lines)
            sentence = f"the contract has no line {balance.line}, only {names}"
            yield Problem(place, f"{where}.line", sentence)
        elif line.price != balance.price:
            sentence = f"must be the price in the contract, {line.price}, and is {balance.price}"
            yield Problem(place, f"{where}.price", sentence)
        elif not line.estimated and abs(balance.billed.amount) > abs(line.price.amount):
            sentence = f"must not be more than the price, {line.price}, and is {balance.billed}"
            yield Problem(place, f"{where}.billed", sentence)
    if agreed:
        sentence = f"{', '.join(agreed)} is missing: the contract has it"
        yield Problem(place, "lines", sentence)
    begins = min(contract.signed_on, contract.effective_on)
    if balances.as_of < begins:
        sentence = f"must not be before the contract, which begins on {begins}"
        yield Problem(place, "as_of", sentence)
