"""Keep the billing entries that are due, and the drafts of invoices until they are issued."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from contracts import finance
from contracts.event import Recorded
from contracts.money import Money
from gateway.formatting import day, listed, money, words
from gateway.view.sections.finance.lines import (
    LINES_OF_PEOPLE,
    WORKS_OF_PEOPLE,
    BilledLine,
    InvoiceLine,
    lines_billed,
    lines_shown,
)
from gateway.view.sections.finance.reversed_work import ReversedWork
from gateway.view.sections.sentences import if_given
from gateway.view.sections.steps import PartSteps, Ref, ref


@dataclass(slots=True)
class Billable:
    """A billing entry that is due, and whether it was invoiced."""

    line: str
    item: str
    kind: str
    amount: Money
    due_on: date
    said: Ref
    invoiced: bool = False


@dataclass(slots=True)
class Draft:
    """The draft of an invoice, until it is issued, withdrawn or rejected.

    `held` is the reason for which it is held, `edited` that of its last edit by a person, or None.
    `amount` is without tax.
    """

    kind: str
    amount: Money
    lines: list[InvoiceLine]
    billed_lines: list[BilledLine]
    billing_event: str
    held: str | None = None
    edited: str | None = None


class Fields(Protocol):
    """Fields of the section that these steps change."""

    billing: dict[str, Billable]
    drafts: dict[str, Draft]
    reversed: dict[str, ReversedWork]


steps = PartSteps[Fields](ignored=[finance.InvoiceApproved])
steps.of_people(finance.InvoiceDrafted, hidden=LINES_OF_PEOPLE)
steps.of_people(finance.InvoiceEdited, hidden={**LINES_OF_PEOPLE, "removed": True})
steps.of_people(finance.DraftWithdrawn, finance.InvoiceRejected, hidden=WORKS_OF_PEOPLE)

steps.describe(
    finance.BillingEventDue,
    lambda event, names: (
        f"{money(event.amount)} may be invoiced ({words(event.kind)}) from {day(event.due_on)}"
        f"{if_given(', for {}', listed(map(names.title, event.deliverables)))}."
        f"{if_given(' Exception: “{}”', event.exception)}"
    ),
)


@steps.on(finance.BillingEventDue)
def _due(section: Fields, recorded: Recorded[finance.BillingEventDue]) -> None:
    event = recorded.event
    section.billing[event.billing_event] = Billable(
        event.line, event.item, event.kind, event.amount, event.due_on, ref(recorded)
    )


steps.describe(
    finance.InvoiceDrafted,
    lambda event, _: f"Invoice over {money(event.amount)} drafted ({words(event.kind)}).",
)


@steps.on(finance.InvoiceDrafted)
def _invoice_drafted(section: Fields, recorded: Recorded[finance.InvoiceDrafted]) -> None:
    event = recorded.event
    section.drafts[event.invoice] = _draft(event)
    due = section.billing.get(event.billing_event)
    if due is not None:
        due.invoiced = False  # it may have been, on an invoice that was voided


def _draft(event: finance.InvoiceDraft) -> Draft:
    return Draft(
        event.kind,
        event.amount,
        lines_shown(event.lines),
        lines_billed(event.lines),
        event.billing_event,
    )


steps.describe(
    finance.InvoiceHeld,
    lambda event, _: f"Draft {event.invoice} held: “{event.why}”",
)


@steps.on(finance.InvoiceHeld)
def _invoice_held(section: Fields, recorded: Recorded[finance.InvoiceHeld]) -> None:
    draft = section.drafts.get(recorded.event.invoice)
    if draft is not None:
        draft.held = recorded.event.why


steps.describe(
    finance.InvoiceReleased,
    lambda event, _: f"Draft {event.invoice} can be approved again.",
)


@steps.on(finance.InvoiceReleased)
def _invoice_released(section: Fields, recorded: Recorded[finance.InvoiceReleased]) -> None:
    draft = section.drafts.get(recorded.event.invoice)
    if draft is not None:
        draft.held = None


steps.describe(
    finance.InvoiceRejected,
    lambda event, _: f"Draft {event.invoice} over {money(event.amount)} rejected: “{event.why}”",
)


@steps.on(finance.InvoiceRejected)
def _invoice_rejected(section: Fields, recorded: Recorded[finance.InvoiceRejected]) -> None:
    event = recorded.event
    draft = section.drafts.pop(event.invoice, None)
    section.reversed.pop(event.invoice, None)
    if draft is not None and event.ends_event:
        section.billing.pop(draft.billing_event, None)


steps.describe(
    finance.InvoiceApproved,
    lambda event, _: (
        f"Invoice over {money(event.amount)} approved, to be issued on {day(event.issue_on)}."
    ),
)
steps.describe(
    finance.InvoiceEdited,
    lambda event, _: (
        f"Draft {event.invoice} changed to {money(event.amount)}{_written_down_by(event)}: "
        + ("the approval of work on it was reversed." if event.why is None else f"“{event.why}”")
    ),
)


@steps.on(finance.InvoiceEdited)
def _invoice_edited(section: Fields, recorded: Recorded[finance.InvoiceEdited]) -> None:
    event = recorded.event
    before = section.drafts.get(event.invoice)
    draft = section.drafts[event.invoice] = _draft(event)
    draft.held = before.held if before is not None else None
    draft.edited = event.why or (before.edited if before is not None else None)
    due = section.billing.get(event.billing_event)
    if due is not None and event.kind == "time":
        due.amount = event.amount


def _written_down_by(event: finance.InvoiceEdited) -> str:
    parts = [each.written_down for each in event.lines if each.written_down is not None]
    total = Money.total(parts, event.amount.currency)
    return f", {money(total)} written down" if total.amount else ""


steps.describe(
    finance.DraftWithdrawn,
    lambda event, _: (
        f"Draft {event.invoice} over {money(event.amount)} withdrawn: its billing entry changed or "
        "is no longer due, or the approval of work on it was reversed."
    ),
)


@steps.on(finance.DraftWithdrawn)
def _withdrawn(section: Fields, recorded: Recorded[finance.DraftWithdrawn]) -> None:
    section.reversed.pop(recorded.event.invoice, None)
    section.drafts.pop(recorded.event.invoice, None)
    section.billing.pop(recorded.event.billing_event, None)
