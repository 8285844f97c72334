"""Test the time report of an invoice over HTTP: its works with their persons and hours."""

from decimal import Decimal
from typing import Any

from contracts.delivery import TimeReversed
from tests.amounts import eur
from tests.invoices import UNTAXED
from tests.unit.finance.builders import (
    CARD,
    ESTIMATE,
    HOURLY_SOW,
    ID,
    OPENED,
    PROPOSED,
    SOW_SIGNED,
    WON,
    expense,
    time,
    time_reversed,
)
from tests.unit.finance.test_closing_over_http import Finance

INVOICE = f"/engagements/{ID}/invoices/invoice-time-2026-04"
DEVELOPED = time("a", hours=8)


async def drafted() -> Finance:
    """Return a service with a draft over 8 h of a developer, 2 h of an architect and a train."""
    finance = Finance(CARD, *UNTAXED)
    works = (DEVELOPED, time("b", "architect", hours=2), expense("train", eur(50)))
    await finance.tell(ID, OPENED, ESTIMATE, PROPOSED, WON, HOURLY_SOW, SOW_SIGNED, *works)
    await command(finance, "bill-time", month="2026-04")
    return finance


async def command(finance: Finance, name: str, *, by: str = "dora", **body: object) -> None:
    answer = await finance.request(f"/engagements/{ID}/{name}", body, by=by)
    assert answer.status_code == 200, answer.text


async def report(finance: Finance) -> Any:
    answer = await finance.request(f"{INVOICE}/time-report")
    assert answer.status_code == 200, answer.text
    return answer.json()


def amount(of: dict[str, Any]) -> int:
    return int(Decimal(of["amount"]["amount"]))


async def lines(finance: Finance) -> list[dict[str, Any]]:
    view = (await finance.request(f"/engagements/{ID}")).json()
    [invoice] = (each for each in view["invoices"] if each["invoice"] == "invoice-time-2026-04")
    found: list[dict[str, Any]] = invoice["lines"]
    return found


async def test_the_report_follows_the_edits_of_a_draft() -> None:
    finance = await drafted()
    before = await report(finance)
    assert [
        (each["entry"], each["person"], each["role"], each["hours"], amount(each))
        for each in before["works"]
    ] == [
        ("a", "dev", "developer", "8", 800),
        ("b", "dev", "architect", "2", 280),
        ("train", "dev", None, None, 50),
    ]
    assert (before["number"], before["hours"], amount(before)) == (None, "10", 1_130)
    line = (await lines(finance))[0]["invoice_line"]
    lower = {"invoice_line": line, "amount": {"amount": "700", "currency": "EUR"}}
    await command(
        finance, "edit-invoice", invoice="invoice-time-2026-04", lines=[lower], why="Agreed."
    )
    (first, *_) = (await report(finance))["works"]
    assert (amount(first), first["written_down"]["amount"]) == (700, "100")


async def test_the_report_of_an_invoice_stays_as_it_was_issued() -> None:
    finance = await drafted()
    await command(finance, "approve-invoice", by="cora", invoice="invoice-time-2026-04")
    issued = await report(finance)
    assert (issued["number"], len(issued["works"])) == ("2026-00001", 3)
    gone: TimeReversed = time_reversed(DEVELOPED)
    await finance.tell(ID, gone)
    credit: dict[str, Any] = {"intent": "cancel-and-rebill", "why": "Wrong.", "entries": ["a", "b"]}
    await command(finance, "issue-credit-note", invoice="invoice-time-2026-04", **credit)
    assert await report(finance) == issued
    unknown = await finance.request(f"/engagements/{ID}/invoices/tea/time-report")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown-invoice")
