"""Check random approvals, reversals, edits, billing and credit notes: the sum of all works holds.

Unbilled, held, drafted, billed (net of credit notes), written down and given back for good add up
to the worth of the approved work.

Rates and hours are whole, so that no amount is rounded and the sums are equal to the cent.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest

from chassis.domain.commands import Command
from contracts.delivery import ApprovedEntry, ExpenseApproved, TimeApproved
from contracts.event import Event, decode, encode
from contracts.finance import (
    BilledWork,
    CostAccrued,
    CostReversed,
    CreditedLine,
    CreditNoteIssued,
    InvoiceLine,
)
from contracts.lines import BillingItem
from contracts.money import Money
from finance.drafts.decisions import EditInvoice
from finance.engagement import Engagement
from finance.invoices.credits import LineCredit
from finance.invoices.decisions import (
    ApproveInvoice,
    IssueCreditNote,
    RejectInvoice,
    VoidInvoice,
)
from finance.number_series.events import NumberTaken
from finance.revenue.earned import earned_to
from finance.service import ENGAGEMENT
from finance.settlement.decisions import SettleAccount
from finance.time_billing.decisions import BillTime
from finance.withholding.decisions import HoldWork, ReleaseWork, WriteDownWork
from testkit.scenario import Outcome
from tests.amounts import eur
from tests.unit.finance.builders import (
    MONDAY,
    allocate,
    amendment,
    contracted,
    expense,
    expense_reversed,
    hourly_line,
    line_change,
    line_rates,
    recognise,
    sow_of,
    time_reversed,
    week_of,
)

END = date(2026, 12, 31)
RATES = {"architect": 140, "developer": 100}
ODD_RATES = {"architect": "140.07", "developer": "100.0333"}
COST = {"architect": 80, "developer": 50, "tester": 45}


@dataclass
class Approved:
    """Work that Delivery approved and did not reverse, by id."""

    times: dict[str, TimeApproved] = field(default_factory=dict)
    expenses: dict[str, ExpenseApproved] = field(default_factory=dict)

    @property
    def worth(self) -> int:
        """Return what the works are worth at contracted rates; a tester has none."""
        time = sum(
            RATES.get(each.role, 0) * int(each.hours)
            for one in self.times.values()
            for each in one.entries
            if each.billable and one.why_not_billed is None
        )
        return time + sum(int(each.amount.amount) for each in self.billed_on)

    @property
    def billed_on(self) -> list[ExpenseApproved]:
        return [each for each in self.expenses.values() if each.billable]

    @property
    def cost(self) -> int:
        time = sum(
            COST[each.role] * int(each.hours) for one in self.times.values() for each in one.entries
        )
        return time + sum(int(each.amount.amount) for each in self.expenses.values())


class Story:
    """Random events and commands on a contract by time and materials, with or without a cap."""

    def __init__(self, seed: int, rates: Mapping[str, int | str] = RATES) -> None:
        self.random, self.part = Random(seed), Decimal(1) if rates is RATES else Decimal("0.25")
        self.approved, self.number = Approved(), 0
        self.notes: dict[str, CreditNoteIssued] = {}
        terms = self.random.choice(
            ((20_000, {"estimated": True}), (6_000, {}), (6_000, {"estimated": True}))
        )
        price, more = terms
        items = [BillingItem(item="time", kind="time", amount=eur(price))]
        if self.random.random() < 0.4:
            items = [
                BillingItem(item="advance", kind="on-signature", amount=eur(2_000)),
                BillingItem(item="time", kind="time", amount=eur(price - 2_000)),
            ]
        line = hourly_line(*items, price=eur(price), rates=line_rates(**rates), **more)
        self.sow = sow_of(line)
        self.engagement = contracted(self.sow).on(END)

    def happens(self) -> Outcome[Engagement]:
        """Return the outcome of a random event or command."""
        self.number += 1
        if self.engagement.stream.requests and self.random.random() < 0.6:
            asked, item = self.random.choice(sorted(self.engagement.stream.requests)).split("/")
            taken = NumberTaken(number=self.number, on=END)
            return self.engagement.when_outcome(asked, item, taken)
        thing = self.thing()
        if isinstance(thing, Command):
            return self.engagement.when(thing)
        return self.engagement.when_consumed(thing)

    def finishes(self) -> Outcome[Engagement]:
        """Return the outcome of a step after which more of the work is on issued invoices."""
        state = self.engagement.state
        if self.engagement.stream.requests:
            asked, item = min(self.engagement.stream.requests).split("/")
            self.number += 1
            return self.engagement.when_outcome(
                asked, item, NumberTaken(number=self.number, on=END)
            )
        held = tuple(each.entry for each in state.work.waiting if each.held)
        if held:
            return self.engagement.when(ReleaseWork(entries=held))
        thing = self.credit() or self.approve() or BillTime(month="2026-07")
        return self.engagement.when(thing)

    def thing(self) -> Command | Event:
        """Return a random command, or an event of Delivery."""
        choices: list[Callable[[], Event | Command | None]] = [
            *(self.time,) * 3,
            self.expense,
            *(self.reverse_time,) * 2,
            self.reverse_expense,
            *(self.bill,) * 2,
            *(self.approve,) * 3,
            *(self.credit,) * 2,
            *(self.cancel,) * 2,
            *(self.cancel_rest,) * 2,
            *(self.edit,) * 2,
            *(self.command,) * 4,
        ]
        return self.random.choice(choices)() or self.time()

    def time(self) -> Event:
        day = MONDAY + timedelta(days=7 * self.random.randint(0, 12))
        entries = tuple(
            ApprovedEntry(
                entry=f"t{self.number}-{nth}",
                day=day + timedelta(days=self.random.randint(0, 6)),
                task="t2",
                role=self.random.choice(("architect", "developer", "developer", "tester")),
                hours=self.random.randint(1, 24) * self.part,
                billable=self.random.random() < 0.9,
            )
            for nth in range(self.random.randint(1, 5))
        )
        approved = TimeApproved(
            person="dev",
            week=week_of(day),
            entries=entries,
            why_not_billed="Early." if self.random.random() < 0.1 else None,
        )
        self.approved.times[entries[0].entry] = approved
        return approved

    def expense(self) -> Event:
        spent = expense(
            f"x{self.number}",
            eur(self.random.randint(1, 900)),
            MONDAY + timedelta(days=self.random.randint(0, 90)),
            billable=self.random.random() < 0.8,
        )
        self.approved.expenses[spent.expense] = spent
        return spent

    def reverse_time(self) -> Event | None:
        if not self.approved.times:
            return None
        name = self.random.choice(sorted(self.approved.times))
        approved = self.approved.times.pop(name)
        names = [each.entry for each in approved.entries if self.random.random() < 0.6]
        gone = time_reversed(approved, *(names or [approved.entries[0].entry]))
        kept = tuple(each for each in approved.entries if each not in gone.entries)
        if kept:
            self.approved.times[name] = approved.model_copy(update={"entries": kept})
        return gone

    def reverse_expense(self) -> Event | None:
        if not self.approved.expenses:
            return None
        name = self.random.choice(sorted(self.approved.expenses))
        return expense_reversed(self.approved.expenses.pop(name))

    def bill(self) -> Command:
        return BillTime(month=f"2026-{self.random.randint(4, 7):02}")

    def approve(self) -> Command | None:
        invoices = self.engagement.state.billing.invoices.values()
        drafts = [each.invoice for each in invoices if each.stage == "drafted"]
        return ApproveInvoice(invoice=self.random.choice(drafts)) if drafts else None

    def credit(self) -> Command | None:
        """Return a credit note over reversed works of an issued invoice."""
        owed = {
            name: works
            for name, works in self.engagement.state.work.to_credit().items()
            if self.engagement.state.billing.invoices[name].stage == "issued"
        }
        if not owed:
            return None
        name = self.random.choice(sorted(owed))
        works = owed[name] if self.random.random() < 0.5 else owed[name][:1]
        return IssueCreditNote(
            intent="cancel-and-rebill",
            invoice=name,
            entries=tuple(each.entry for each in works if each.kind == "time"),
            expenses=tuple(each.entry for each in works if each.kind == "expense"),
            why="Wrong week.",
        )

    def cancel(self) -> Command | None:
        """Return a credit note over lines, works or a part of an issued invoice."""
        state, random = self.engagement.state, self.random
        if not state.billing.issued:
            return None
        invoice = random.choice(state.billing.issued)
        works = state.work.billed_on(invoice.invoice)
        some = random.sample(works, min(len(works), 2))
        line = random.choice(invoice.lines)
        amount = random.choice((None, eur(random.randint(1, 200))))
        ways: list[dict[str, object]] = [
            {"lines": (LineCredit(invoice_line=line.invoice_line, amount=amount),)},
            {
                "entries": tuple(each.entry for each in some if each.kind == "time"),
                "expenses": tuple(each.entry for each in some if each.kind == "expense"),
            },
            {},
        ]
        intent = random.choice(("cancel-and-rebill", "cancel-and-rebill", "give-back"))
        fields = {"invoice": invoice.invoice, "intent": intent, "why": "Wrong."}
        return IssueCreditNote.model_validate({**fields, **random.choice(ways)})

    def cancel_rest(self) -> Command | None:
        """Return the give-back of a part of a line, or the cancellation of what it left."""
        billing, random = self.engagement.state.billing, self.random
        lines = [
            (invoice, line, left)
            for invoice in billing.issued
            if invoice.kind == "time"
            for line in invoice.lines
            if (left := invoice.left_of(line)).amount > 1 and not invoice.credits_approved
        ]
        if not lines:
            return None
        invoice, line, left = random.choice(lines)
        intent, amount = "cancel-and-rebill", None
        if left == line.amount:
            share = left.amount * random.randint(1, 99) / 100
            intent, amount = "give-back", Money.nearest(share, "EUR", "half-up")
        named = LineCredit(invoice_line=line.invoice_line, amount=amount)
        return IssueCreditNote.model_validate(
            {"invoice": invoice.invoice, "intent": intent, "why": "Wrong.", "lines": (named,)}
        )

    def edit(self) -> Command | None:
        """Return the edit of a draft: works taken off or held, fewer hours, a lower amount."""
        state, random = self.engagement.state, self.random
        drafts = [each for each in state.billing.live if each.stage == "drafted"]
        if not drafts:
            return None
        draft = random.choice(drafts)
        works = state.work.billed_on(draft.invoice)
        line = random.choice(draft.lines)
        less: dict[str, object] = {
            "amount": eur(int(line.whole.amount * random.randint(3, 10) / 10))
        }
        if line.hours is not None and random.random() < 0.5:
            less = {"hours": line.hours - random.randint(0, 5)} if line.hours > 5 else {}
        edits: list[dict[str, object]] = [
            {"lines": [{"invoice_line": line.invoice_line, **less}]},
        ]
        if works:
            work = random.choice(works)
            named = "entries" if work.kind == "time" else "expenses"
            edits.append({named: (work.entry,), "hold": random.random() < 0.4})
        edit = {"invoice": draft.invoice, "why": "As agreed.", **random.choice(edits)}
        return EditInvoice.model_validate(edit)

    def command(self) -> Command | Event:
        state, random = self.engagement.state, self.random
        works = [each.entry for each in state.work.every if each.role is not None]
        names = tuple(random.sample(works, min(len(works), 2))) or ("none",)
        commands: list[Command | Event] = [
            HoldWork(entries=names, why="Disputed."),
            ReleaseWork(entries=names),
            WriteDownWork(entries=names, why="Goodwill."),
            SettleAccount(),
            recognise(f"{random.randint(3, 9):02}"),
        ]
        if random.random() < 0.1:
            commands.append(amendment(line_change(500), change=f"CR-{self.number}"))
        for invoice in state.billing.invoices.values():
            commands += [
                VoidInvoice(invoice=invoice.invoice, why="Wrong."),
                RejectInvoice(invoice=invoice.invoice, why="Wrong."),
                IssueCreditNote(
                    intent="give-back",
                    invoice=invoice.invoice,
                    amount=eur(random.randint(1, 300)),
                    why="Late.",
                ),
                allocate(invoice.invoice, eur(random.randint(1, 300))),
            ]
        return random.choice(commands)


def require_each_work_in_one_place(story: Story) -> None:
    """Require that all that is approved and not reversed adds up, and nothing else is anywhere."""
    approved, state, view = story.approved, story.engagement.state, story.engagement.view
    [line] = view["unbilled"]
    withheld = view["withheld"]
    held = Money.total((each.held for each in withheld), "EUR")
    written_down = Money.total((each.written_down for each in withheld), "EUR")
    bills, given_back, owed, still_owed = eur(0), eur(0), eur(0), eur(0)
    for invoice in state.billing.live:
        if invoice.kind == "time":
            charged = of(invoice.lines)
            assert charged == invoice.amount + invoice.advance_drawn
            issued = [story.notes[note.credit_note] for note in invoice.credits]
            cancelled = [each for each in issued if each.intent == "cancel-and-rebill"]
            back = [each for each in invoice.notes if each.intent == "give-back"]
            given = Money.total((of(note.lines) for note in back), "EUR")
            twice = Money.total((of(note.works) - of(note.lines) for note in cancelled), "EUR")
            taken_off = Money.total((of(note.works) for note in cancelled), "EUR")
            assert of(state.work.billed_on(invoice.invoice)) == charged - taken_off
            bills = bills + charged - given - Money.total((of(e.lines) for e in cancelled), "EUR")
            given_back = given_back + given - twice
            # What counts against the cap is what is billed, and given back of works that are left.
            net = charged - given - Money.total((of(e.lines) for e in cancelled), "EUR")
            if not state.billing.invoices[invoice.invoice].credits_approved:
                assert state.billing.charged(invoice) == net + given - twice
    for name, works_owed in state.work.to_credit().items():
        owed = owed + of(works_owed)
        on_lines: dict[str, Money] = {}
        for work in state.work.reversed.values():
            for bill in (each for each in work.bills if each.invoice == name):
                known = on_lines.get(bill.invoice_line, eur(0))
                on_lines[bill.invoice_line] = known + bill.amount
        for each in state.billing.invoices[name].lines:
            of_line = on_lines.get(each.invoice_line, eur(0))
            left = state.billing.invoices[name].left_of(each)
            still_owed = still_owed + min(left, of_line)
    waiting = line.unbilled + held
    if worked_out(story) and not line.beyond_cap.amount:
        assert earned(story) == max(bills + waiting - still_owed, eur(0))
    worth = eur(approved.worth)
    parts = line.unbilled, held, bills, written_down, given_back, -owed
    assert Money.total(parts, "EUR") == worth, parts
    assert (state.work.cost_to_date or eur(0)) == eur(approved.cost)
    assert state.work.totals.cost_to(date.max) == approved.cost
    drafts = [each.invoice for each in state.billing.live if each.stage == "drafted"]
    assert not state.work.to_credit().keys() & set(drafts)
    capped = state.budget is not None and state.budget.lines[0].cap
    if capped and state.budget:
        charged = Money.total(
            (state.billing.charged(each) - each.drawn for each in state.billing.live), "EUR"
        )
        assert charged <= state.budget.price


def earned(story: Story) -> Money:
    """Return the revenue of all work."""
    state = story.engagement.state
    assert state.budget is not None
    found = earned_to(state, state.budget, state.budget.obligations[0], END)
    assert found is not None
    return found


def worked_out(story: Story) -> bool:
    """Return whether no credit note waits for its number, and nothing limits held work."""
    state = story.engagement.state
    assert state.budget is not None
    pending = any(each.credits_approved for each in state.billing.live)
    capped = state.budget.lines[0].cap is not None and story.approved.worth > 6_000
    return not pending and not capped


def of(parts: Iterable[InvoiceLine | CreditedLine | BilledWork]) -> Money:
    return Money.total((each.amount for each in parts), "EUR")


@pytest.mark.parametrize("seed", range(16))
def test_each_work_is_unbilled_withheld_drafted_or_billed(seed: int) -> None:
    story, totals = Story(seed), eur(0)
    for _ in range(50):
        outcome = story.happens()
        for recorded in outcome.published:
            if isinstance(recorded.event, CreditNoteIssued):
                story.notes[recorded.event.credit_note] = recorded.event
            assert decode(encode(recorded)).event == recorded.event
            if isinstance(recorded.event, CostAccrued):
                totals = totals + recorded.event.cost
            if isinstance(recorded.event, CostReversed):
                totals = totals - recorded.event.cost
            if isinstance(recorded.event, CostAccrued | CostReversed):
                assert recorded.event.cumulative == totals
        story.engagement = outcome.after
        require_each_work_in_one_place(story)


def is_all_billed(story: Story) -> bool:
    """Return whether all approved work is on issued invoices, and nothing else is billed."""
    state, view = story.engagement.state, story.engagement.view
    [line] = view["unbilled"]
    pending = any(each.credits_approved or each.stage != "issued" for each in state.billing.live)
    held = any(each.held.amount for each in view["withheld"])
    left = line.unbilled.amount or line.advance_left.amount
    return not (pending or held or left or state.work.to_credit())


def test_what_is_recognised_is_what_is_billed_once_all_work_is() -> None:
    """Check that no contract asset or liability of a cent is left (IFRS 15.105)."""
    compared = set[int]()
    for seed in range(16):
        story = Story(seed, ODD_RATES)
        for number in range(50):
            story.engagement = story.happens().after if number < 30 else story.finishes().after
            state = story.engagement.state
            if is_all_billed(story) and state.billing.issued:
                assert earned(story) == state.billing.billed("EUR", END)
                compared.add(seed)
    assert len(compared) > 8


@pytest.mark.parametrize("seed", range(3))
def test_totals_and_works_are_those_of_a_state_that_is_read_again(seed: int) -> None:
    story = Story(seed)
    for _ in range(40):
        story.engagement = story.happens().after
    state = story.engagement.state
    again = type(state).model_validate_json(state.model_dump_json())
    assert again == state
    assert ENGAGEMENT.views(again) == ENGAGEMENT.views(state)
    whole = state.work.totals_at(state.work.number - 1)
    assert whole.cost_to(date.max) <= state.work.totals.cost_to(date.max)
