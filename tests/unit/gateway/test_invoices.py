"""Test what the pages show of drafts, invoices and credit notes, line by line."""

from decimal import Decimal
from typing import Any

from contracts import finance
from gateway.pages.department_panels import panels
from gateway.pages.invoices import Bill, BillLine, bills
from gateway.pages.names import Names
from gateway.view.engagement_view import sentence_of
from gateway.view.sections.finance.invoices import CreditedLine
from gateway.view.sections.finance.lines import InvoiceLine
from testkit.matchers import RecordsOf
from tests.amounts import eur, per_hour
from tests.builders import ENGAGEMENT, Life
from tests.in_process_gateway import InMemory
from tests.invoices import taxes, untaxed, untaxed_credit
from tests.unit.gateway.test_contract_lines import hourly
from tests.unit.gateway.test_engagement_view import view_of
from tests.unit.gateway.test_pages import browser, text_of
from tests.unit.gateway.test_reversed_work import INVOICE, billed, credited_works

NAMES = Names(RecordsOf([]), {"support": "Support", "work": "Portal"})


def shown(life: Life) -> dict[str, Bill]:
    found, older = bills(view_of(life.events), NAMES)
    assert older == 0
    return {each.title: each for each in found}


def credited(life: Life, **line: Any) -> Life:
    """Return the engagement after a credit note of 1,600 EUR on the invoice over its time."""
    content = untaxed_credit(eur(1_600), "2026-00007", line="support", role="engineer", **line)
    note = finance.CreditNoteIssued(
        credit_note="CN-1",
        number="CN-2026-00001",
        invoice=INVOICE,
        **content,
        why="Wrong task.",
        issued_on=life.day(72),
    )
    return life.say(72, note)


def drafted(life: Life, kind: type[finance.InvoiceDraft] = finance.InvoiceDrafted) -> Any:
    """Return a draft over 36 of 40 hours' worth; an edit of it states its reason."""
    line = finance.InvoiceLine(
        invoice_line="L-1",
        description="Time",
        line="support",
        amount=eur(3_600),
        role="engineer",
        hours=Decimal(40),
        rate=per_hour(100),
        written_down=eur(400),
    )
    content: dict[str, Any] = {
        "invoice": "draft-7",
        "billing_event": "due-8",
        "kind": "time",
        "amount": eur(3_600),
        "advance_drawn": eur(0),
        "lines": (line,),
    }
    if kind is finance.InvoiceEdited:
        content["why"] = "As agreed."
    return kind(**content)


def test_the_view_has_lines_with_their_ids_and_tax_codes() -> None:
    [line] = view_of(billed().events).finance.invoices[INVOICE].lines
    assert line == InvoiceLine(
        "L-1", "support", "Time", "engineer", Decimal(40), eur(4_000), None, None
    )
    life = hourly()
    taxed = billed().events[-1].event
    assert isinstance(taxed, finance.InvoiceIssued)
    of_code = taxes(eur(4_000), eur(760)).by_code[0].model_copy(update={"lines": ("support",)})
    tax = taxes(eur(4_000), eur(760)).model_copy(update={"by_code": (of_code,)})
    life.say(61, taxed.model_copy(update={"tax": tax}))
    [line] = view_of(life.events).finance.invoices[INVOICE].lines
    assert line.tax_code == "DE-standard"
    [bill] = shown(life).values()
    assert bill.lines == (
        BillLine("Time", "Support · engineer · 40 h · L-1", "4,000 EUR", "", "DE-standard"),
    )
    assert bill.notes[:2] == ("4,000 EUR without tax", "4,760 EUR with tax")


def test_a_credit_note_shows_lines_works_and_what_follows() -> None:
    life = credited(billed(), works=credited_works())
    [note] = view_of(life.events).finance.invoices[INVOICE].credit_notes
    assert note.lines == [
        CreditedLine("L-1", "support", "engineer", eur(1_600), works=2, hours=Decimal(16))
    ]
    [bill, _] = shown(life).values()
    assert bill.title == "Credit note CN-2026-00001 on invoice 2026-00007"
    assert bill.notes[-1] == "to be billed again: “Wrong task.”"
    assert bill.lines == (
        BillLine(
            "Time",
            "Support · engineer · 2 entries · 16 h · L-1",
            "\N{MINUS SIGN}1,600 EUR",
            "",
            "",
        ),
    )
    given = shown(credited(billed()))["Credit note CN-2026-00001 on invoice 2026-00007"]
    assert given.notes[-1] == "given back for good: “Wrong task.”"
    assert given.lines[0].detail == "Support · engineer · L-1"


def test_what_is_billed_by_line_is_without_credits_and_advances() -> None:
    life = credited(billed())
    every = panels(view_of(life.events), NAMES, life.day(80), confidential=False)
    (rows,) = (panel.rows for panel in every if panel.department == "finance")
    by_label = {row.label: row.lines for row in rows}
    assert by_label["Billed by line"][-1].startswith("Support: 2,400 EUR of ")
    assert by_label["Invoices"][0].startswith("2026-00007: 4,000 EUR, 1,600 EUR credited, ")

    invoice = view_of(billed().events).finance.invoices[INVOICE]
    invoice.amount, invoice.advance_drawn, invoice.line = eur(1_000), eur(3_000), "support"
    assert invoice.billed_on("support") == eur(1_000)
    assert invoice.billed_on("another") == eur(0), "the advance is on one line"


def test_an_edited_draft_shows_what_is_written_down_and_why() -> None:
    life = hourly()
    life.say(61, drafted(life)).say(62, drafted(life, finance.InvoiceEdited))
    draft = shown(life)["Draft, time"]
    assert draft.notes == ("draft-7", "3,600 EUR without tax", "edited: “As agreed.”")
    assert draft.lines[0].written_down == "400 EUR"
    text = sentence_of(life.events[-1].event, NAMES)
    assert text == "Draft draft-7 changed to 3,600 EUR, 400 EUR written down: “As agreed.”"
    held = finance.InvoiceHeld(invoice="draft-7", why="Disputed.")
    life.say(63, held).say(64, drafted(life, finance.InvoiceEdited))
    assert shown(life)["Draft, time"].notes[-1] == "held: “Disputed.”"


def test_the_latest_documents_and_lines_are_shown_and_the_others_counted() -> None:
    life = hourly()
    lines = tuple(
        finance.InvoiceLine(
            invoice_line=f"L-{number}", description="Services", line="support", amount=eur(10)
        )
        for number in range(25)
    )
    for number in range(1, 15):
        invoice = finance.InvoiceIssued(
            invoice=f"I-{number}",
            number=f"2026-{number:05}",
            billing_event=f"due-{number}",
            kind="period",
            **untaxed(eur(250)),
            advance_drawn=eur(0),
            lines=lines,
            issued_on=life.day(60 + number),
            due_on=life.day(120),
        )
        life.say(60 + number, invoice)
    found, older = bills(view_of(life.events), NAMES)
    assert (len(found), older) == (12, 2)
    assert [each.title for each in found[:2]] == ["Invoice 2026-00014", "Invoice 2026-00013"]
    assert (len(found[0].lines), found[0].more) == (20, 5)


async def test_the_page_of_an_engagement_shows_invoices_and_credit_notes() -> None:
    life = credited(billed(), works=credited_works())
    gateway = InMemory(*life.events)
    async with browser(gateway) as vera:
        page = await vera.get(f"/pages/engagements/{ENGAGEMENT}")
    text = text_of(page)
    assert "Credit note CN-2026-00001 on invoice 2026-00007 1,600 EUR without tax" in text
    assert "engineer · 2 entries · 16 h · L-1" in text
    assert "to be billed again: “Wrong task.”" in text
