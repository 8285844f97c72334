"""Find what the contract lets Finance bill, and what no invoice bills after some days."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from contracts.counting import counted
from contracts.lines import BillingItem
from contracts.money import Money
from contracts.reference import Tolerances
from gateway.formatting import day, words
from gateway.rules.amounts import price_of_lines
from gateway.rules.rule import Disconnect, End, Rule, Rules, midnight
from gateway.rules.sides import side
from gateway.view.engagement_view import View
from gateway.view.sections.steps import Ref

rules = Rules()


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry of the billing schedule that can be billed since a day, and is not.

    `accepted` are the acceptances of its deliverables, or none where it has another condition.
    `due` is the event of Finance that made it due, None where there is none. `state` is what
    Finance has of it, and `end` how it is billed.
    """

    name: str
    line: str
    kind: str
    amount: Money
    since: date
    accepted: tuple[Ref, ...]
    due: Ref | None
    state: str
    end: End
    is_drafted: bool = False


@rules.register(
    "accepted-not-billed", title="Accepted or due, not billed", owner="finance", command="catch-up"
)
def accepted_not_billed(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find entries of the billing schedule that are due, and that no invoice bills for some days.

    An entry on acceptance is due once all its deliverables are accepted, also where Finance has not
    published that it is. A draft may wait as many days again until it is issued.
    """
    for entry in (*_due(view), *_accepted(view)):
        waits = (today - entry.since).days
        most = allowed.billing_days * (2 if entry.is_drafted else 1)
        if waits <= most:
            continue
        last = max(entry.accepted, key=lambda said: said.streamsequence, default=None)
        yield rule.disconnect(
            f"{entry.amount} on line {entry.line} can be billed since {day(entry.since)}, "
            f"{counted(waits, 'day')} ago ({words(entry.kind)}): {entry.state}.",
            (*entry.accepted, entry.due, view.legal.agreed),
            sides=(
                side("delivery", f"accepted, worth {entry.amount}", last, on=entry.since)
                if last is not None
                else side(
                    "legal", f"{entry.amount} signed ({words(entry.kind)})", view.legal.agreed
                ),
                side("finance", entry.state, entry.due),
            ),
            about=entry.name,
            end=entry.end,
            since=midnight(entry.since + timedelta(days=most + 1)),
            days=waits,
            exposure=price_of_lines(view, [entry.line]),
            at_stake=entry.amount,
        )


def _due(view: View) -> Iterator[_Entry]:
    """Yield the entries that Finance published as due and has not invoiced.

    None can be billed before Finance has the budget: a contract that was taken over had entries due
    before.
    """
    budget = view.finance.budget
    since = budget.said.occurred_at.date() if budget is not None else date.min
    contracted = {(line, item.item): item for line, item in _on_acceptance(view)}
    for name, due in view.finance.billing.items():
        if due.invoiced or due.amount.amount <= 0:
            continue
        draft = next(
            (each for each in view.finance.drafts.values() if each.billing_event == name), None
        )
        if draft is None:
            state, command = "no draft or invoice published", "bill-outside-schedule"
        elif draft.held is not None:
            state, command = f"draft held: {draft.held}", "release-invoice"
        else:
            state, command = "draft not approved", "approve-invoice"
        item = contracted.get((due.line, due.item))
        accepted = _acceptances(view, item) if item is not None else None
        yield _Entry(
            name=name,
            line=due.line,
            kind=due.kind,
            amount=draft.amount if draft is not None else due.amount,
            since=max(due.due_on, since),
            accepted=accepted or (),
            due=due.said,
            state=state,
            end=End("finance", command),
            is_drafted=draft is not None,
        )


def _accepted(view: View) -> Iterator[_Entry]:
    """Yield the entries on acceptance whose deliverables are accepted, and that are not due."""
    known = {(each.line, each.item) for each in view.finance.billing.values()}
    reduced = _reductions(view)
    for line, item in _on_acceptance(view):
        accepted = _acceptances(view, item)
        amount = min(
            item.amount + reduced.get(item.item, Money.zero(item.amount.currency)),
            _unbilled(view, line),
        )
        if (line, item.item) in known or not accepted or amount.amount <= 0:
            continue
        accepted_on = max(said.day for said in accepted)
        yield _Entry(
            name=f"{line}.{item.item}",
            line=line,
            kind=item.kind,
            amount=amount,
            since=max(accepted_on, item.due_on or accepted_on),
            accepted=accepted,
            due=None,
            state="nothing published",
            end=End("finance", "catch-up"),
        )


def _on_acceptance(view: View) -> Iterator[tuple[str, BillingItem]]:
    """Yield line and entry of the contract's entries that are billed on acceptance."""
    for line in view.legal.contract_lines:
        for item in line.billing:
            if item.kind == "on-acceptance" and item.reduces is None:
                yield line.line, item


def _reductions(view: View) -> dict[str, Money]:
    """Return by how much discounts reduce entries, as negative amounts by the entry's id."""
    found: dict[str, Money] = {}
    for line in view.legal.contract_lines:
        for item in line.billing:
            if item.reduces is not None:
                known = found.get(item.reduces)
                found[item.reduces] = item.amount if known is None else known + item.amount
    return found


def _unbilled(view: View, name: str) -> Money:
    """Return the price of a line of the contract, less what is billed on it."""
    (line,) = (each for each in view.legal.contract_lines if each.line == name)
    currency = line.price.currency
    billed = (each.billed_on(name) for each in view.finance.live_invoices())
    before = view.finance.billed_before(currency, name)
    return line.price - Money.total(billed, currency) - before


def _acceptances(view: View, item: BillingItem) -> tuple[Ref, ...] | None:
    """Return the acceptances of the deliverables of an entry, or None where one is missing.

    What was accepted before a take-over was billed before it, unless the rest is accepted here. A
    deliverable that an amendment removed needs no acceptance.
    """
    descoped = view.legal.descoped()
    owed = [name for name in item.deliverables if name not in descoped]
    if not all(view.delivery.is_accepted(name) for name in owed):
        return None
    known = (view.delivery.deliverables.get(name) for name in owed)
    return tuple(each.said for each in known if each is not None)
