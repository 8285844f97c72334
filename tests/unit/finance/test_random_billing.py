"""Check random billing of a fixed price: each line's price is to come, billed or given back.

To come, drafted, billed (net of credit notes) and given back for good add up to the amount of each
entry of the schedule, and so to the price of the line. What is due is drafted at once.
"""

from collections.abc import Callable, Iterable
from datetime import date
from random import Random

import pytest

from chassis.domain.commands import Command
from contracts.delivery import AcceptanceWithdrawn
from contracts.event import Event
from contracts.finance import CreditedLine, InvoiceLine, InvoiceLineTerms
from contracts.money import Money
from finance.billing.decisions import BillOutsideSchedule
from finance.billing.state import Invoice
from finance.drafts.decisions import EditInvoice
from finance.engagement import Engagement
from finance.invoices.credits import LineCredit
from finance.invoices.decisions import (
    ApproveInvoice,
    HoldInvoice,
    IssueCreditNote,
    RejectInvoice,
    VoidInvoice,
)
from finance.number_series.events import NumberTaken
from finance.service import ENGAGEMENT
from testkit.scenario import Outcome, Scenario
from tests.amounts import eur
from tests.unit.finance.builders import (
    TERMINATED,
    accepted,
    amendment,
    contracted,
    fixed_line,
    line_change,
    sow_of,
)
from tests.unit.finance.test_billing import retainer

END = date(2026, 12, 31)


class Story:
    """Random events and commands on a contract with a fixed line and a retainer."""

    def __init__(self, seed: int) -> None:
        self.random, self.number, self.is_over = Random(seed), 0, False
        self.engagement = contracted(sow_of(fixed_line(), retainer())).on(END)

    def happens(self) -> Outcome[Engagement]:
        """Return the outcome of a random event or command."""
        self.number += 1
        engagement, random = self.engagement, self.random
        if engagement.stream.requests and random.random() < 0.6:
            asked, item = random.choice(sorted(engagement.stream.requests)).split("/")
            return engagement.when_outcome(asked, item, NumberTaken(number=self.number, on=END))
        names = [each.name for each in ENGAGEMENT.deadlines(engagement.state)]
        due = [each for each in names if each.startswith("due-")]
        if due and random.random() < 0.2:
            return engagement.when_deadline(random.choice(due))
        choices: list[Callable[[], Event | Command | None]] = [
            *(self.acceptance,) * 2,
            *(self.approve,) * 3,
            *(self.edit,) * 2,
            *(self.credit,) * 3,
            self.early,
            self.other,
        ]
        thing = random.choice(choices)() or self.acceptance()
        if isinstance(thing, Command):
            return engagement.when(thing, by=random.choice(("cora", "dora")))
        return engagement.when_consumed(thing)

    def acceptance(self) -> Event:
        name = self.random.choice(("design", "portal"))
        if name in self.engagement.state.progress.accepted and self.random.random() < 0.5:
            return AcceptanceWithdrawn(
                deliverable=name,
                submission=1,
                accepted_on=self.engagement.state.progress.accepted[name],
                why="A mistake.",
                withdrawn_on=END,
            )
        return accepted(name)

    def drafts(self) -> list[str]:
        live = self.engagement.state.billing.live
        return [each.invoice for each in live if each.stage == "drafted"]

    def approve(self) -> Command | None:
        drafts = self.drafts()
        return ApproveInvoice(invoice=self.random.choice(drafts)) if drafts else None

    def edit(self) -> Command | None:
        drafts = self.drafts()
        if not drafts:
            return None
        draft = self.engagement.state.billing.invoices[self.random.choice(drafts)]
        line = self.random.choice(draft.lines)
        amount = eur(int(line.whole.amount * self.random.randint(2, 10) / 10))
        edit = {"invoice_line": line.invoice_line, "amount": amount}
        return EditInvoice.model_validate(
            {"invoice": draft.invoice, "why": "As agreed.", "lines": [edit]}
        )

    def credit(self) -> Command | None:
        issued, random = self.engagement.state.billing.issued, self.random
        if not issued:
            return None
        invoice = random.choice(issued)
        line, amount = random.choice(invoice.lines), eur(random.randint(1, 3_000))
        ways: list[dict[str, object]] = [
            {},
            {"amount": amount},
            {"lines": (LineCredit(invoice_line=line.invoice_line, amount=amount),)},
        ]
        intent = random.choice(("cancel-and-rebill", "give-back"))
        fields = {"invoice": invoice.invoice, "intent": intent, "why": "Wrong."}
        return IssueCreditNote.model_validate({**fields, **random.choice(ways)})

    def early(self) -> Command:
        terms = InvoiceLineTerms(
            description="A part", line="work", amount=eur(self.random.randint(1, 2_000))
        )
        item = self.random.choice(("design", "portal"))
        return BillOutsideSchedule(item=item, lines=(terms,), reason="Asked for.")

    def other(self) -> Command | Event:
        random = self.random
        invoices = [*self.engagement.state.billing.invoices]
        name = random.choice(invoices) if invoices else "none"
        things: list[Command | Event] = [
            VoidInvoice(invoice=name, why="Wrong."),
            RejectInvoice(invoice=name, why="Wrong."),
            HoldInvoice(invoice=name, why="Disputed."),
            amendment(
                line_change(random.randint(1, 900), line=random.choice(("work", "care"))),
                change=f"CR-{self.number}",
            ),
        ]
        if self.number > 50 and not self.is_over:
            self.is_over = True
            return TERMINATED
        return random.choice(things)


def of(parts: Iterable[InvoiceLine | CreditedLine]) -> Money:
    return Money.total((each.amount for each in parts), "EUR")


def is_cancelled(invoice: Invoice, line: InvoiceLine) -> bool:
    """Return whether the rest of a line was credited to be billed again."""
    credits_ = [
        (note.intent, each.amount)
        for note in invoice.notes
        for each in note.lines
        if each.invoice_line == line.invoice_line
    ]
    back = Money.total((amount for _, amount in credits_), "EUR")
    return back == line.amount and [intent for intent, _ in credits_][-1:] == ["cancel-and-rebill"]


def require_the_price_of_each_entry(engagement: Scenario[Engagement]) -> None:
    state = engagement.state
    assert state.budget is not None
    assert [each.billed for each in state.budget.lines] == [
        each.price for each in state.budget.lines
    ]
    for entry in state.budget.entries:
        item, drafted, billed, given_back = entry.item.item, eur(0), eur(0), eur(0)
        for invoice in state.billing.of_item(item):
            back = [each for each in invoice.notes if each.intent == "give-back"]
            lowered = Money.total(
                (e.whole - e.amount for e in invoice.lines if not is_cancelled(invoice, e)), "EUR"
            )
            given_back = given_back + lowered + Money.total((of(n.lines) for n in back), "EUR")
            net = of(invoice.lines) - Money.total((of(n.lines) for n in invoice.notes), "EUR")
            assert net == invoice.left
            if invoice.stage == "drafted":
                drafted = drafted + net
            else:
                billed = billed + net
        to_come = entry.amount - state.billing.due_on_item(item, "EUR")
        assert to_come.amount >= 0
        assert to_come + drafted + billed + given_back == entry.amount, (
            item,
            to_come,
            drafted,
            billed,
            given_back,
        )
        wanted = dict.fromkeys(entry.item.deliverables)
        is_accepted = wanted and all(each in state.progress.accepted for each in wanted)
        if entry.item.kind == "on-signature" or is_accepted:
            assert to_come == eur(0)


@pytest.mark.parametrize("seed", range(12))
def test_a_fixed_price_is_to_come_drafted_billed_or_given_back(seed: int) -> None:
    story = Story(seed)
    for _ in range(60):
        story.engagement = story.happens().after
        require_the_price_of_each_entry(story.engagement)
