"""Test an accountant's month over HTTP: from approved time to the money on the bank.

Fred keeps the accounts, Dora approves. The time is that of the engagement `metered`, which is paid
by the hour.
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from local.demo.bank import Transfer, statement
from local.demo.driver import PlatformAccess
from local.demo.reference_data import BILL_RATES, CUSTOMERS, SELLING_COMPANY
from tests.e2e.conftest import ApiClient
from tests.e2e.desks import Desks, View, decide, on, sheet, submit, task_of, worked
from tests.e2e.scenarios import TODAY, Engagements, monday

WEEK = monday(7)
MONTH = {"month": f"{TODAY:%Y-%m}"}
COMPANY = SELLING_COMPANY["EUR"]


@pytest.fixture
def desks(api: ApiClient, request: pytest.FixtureRequest) -> Desks:
    return Desks(api, request.node.name[:60])


@pytest.fixture
def metered(engagements: Engagements) -> str:
    return engagements.metered.engagement


# ---- what people do ----------------------------------------------------------------------------


def work(desks: Desks, engagement: str, person: str, week: date = WEEK) -> list[str]:
    """Record and approve a week of 40 hours of an engineer; return the ids of the entries."""
    task = task_of(desks, engagement, "engineer")
    days = [worked(week + timedelta(days=each), task, "8") for each in range(5)]
    submit(desks, person, week, on(engagement, *days))
    decide(desks, "max", "approve-time", engagement, person, week)
    seen = desks.api.get("delivery", sheet(person, week), by=person)
    return [each["entry"] for line in seen["lines"] for each in line["entries"]]


def do(desks: Desks, by: str, engagement: str, command: str, **body: Any) -> View:
    return desks.do(by, "finance", f"/engagements/{engagement}/{command}", body)


def refused(desks: Desks, by: str, engagement: str, command: str, **body: Any) -> tuple[Any, ...]:
    return desks.refused(by, "finance", f"/engagements/{engagement}/{command}", body)


def bill(desks: Desks, engagement: str) -> View:
    """Bill the time of the month; return the only new draft."""
    before = invoices(desks, engagement).keys()
    do(desks, "fred", engagement, "bill-time", **MONTH)
    [draft] = [each for name, each in invoices(desks, engagement).items() if name not in before]
    return draft


# ---- what they see -----------------------------------------------------------------------------


def invoices(desks: Desks, engagement: str) -> dict[str, View]:
    seen = desks.seen("finance", engagement, by="fred")["invoices"]
    return {each["invoice"]: each for each in seen}


def amount(money: View) -> Decimal:
    return Decimal(money["amount"])


def euros(number: Decimal) -> View:
    return {"amount": str(number), "currency": "EUR"}


def used(desks: Desks, kind: str) -> int:
    """Return how many numbers of this year the company's series has given."""
    path = f"/number-series/{COMPANY}.{kind}.{TODAY.year}"
    answer = desks.api.request("GET", "finance", path, by="dora")
    return int(answer.json()["used"]) if answer.status_code == 200 else 0


def agree(desks: Desks, engagement: str) -> None:
    """Assert that Finance and the gateway agree to the cent on what is billed, paid and owed."""
    ours = desks.seen("finance", engagement, by="fred")
    theirs = desks.seen("gateway", engagement, by="vera")["finance"]
    issued = [each for each in ours["invoices"] if each["stage"] == "issued"]
    assert sum(amount(each["amount"]) - amount(each["credited"]) for each in issued) == amount(
        ours["billed"]
    )
    assert sum(amount(each["paid"]) for each in issued) == amount(ours["paid"])
    assert sum(amount(each["outstanding"]) for each in issued) == amount(ours["outstanding"])
    for each in issued:
        shown = theirs["invoices"][each["invoice"]]
        assert (shown["number"], shown["issued_on"], shown["due_on"]) == (
            each["number"],
            each["issued_on"],
            each["due_on"],
        )
        for name in ("amount", "credited", "paid", "written_off"):
            assert shown[name] == each[name], name
        assert shown["gross"] == each["tax"]["gross"]
        gone = ("paid", "written_off", "gross_credited")
        left = amount(shown["gross"]) - sum(amount(shown[name]) for name in gone)
        assert left == amount(each["outstanding"])
    drafted = {each["invoice"] for each in ours["invoices"] if each["stage"] == "drafted"}
    assert theirs["drafts"].keys() == drafted


# ---- the month ---------------------------------------------------------------------------------


def test_drafts_are_edited_held_and_rejected_before_they_get_numbers(
    desks: Desks, metered: str
) -> None:
    rate = BILL_RATES["engineer"]
    numbers = used(desks, "invoice")
    [advance] = [each for each in invoices(desks, metered).values() if each["stage"] == "issued"]
    drawn = amount(advance["amount"])
    agree(desks, metered)

    # The first draft draws the advance down; it is held until the customer has read the report.
    work(desks, metered, "gita")
    held = bill(desks, metered)
    assert amount(held["amount"]) == 40 * rate - drawn
    of_held = {"invoice": held["invoice"]}
    why = "The customer reads the time report first."
    do(desks, "fred", metered, "hold-invoice", **of_held, why=why)
    assert desks.seen("gateway", metered)["finance"]["drafts"][held["invoice"]]["held"] == why
    status, code, missing = refused(desks, "dora", metered, "approve-invoice", **of_held)
    assert (status, code) == (409, "amount-not-billable")
    assert "invoice-held" in missing
    do(desks, "fred", metered, "release-invoice", **of_held)
    assert refused(desks, "fred", metered, "approve-invoice", **of_held)[0] == 403

    # The second one is edited, since one of its entries was approved by mistake.
    [wrong, *_] = work(desks, metered, "irina")
    edited = bill(desks, metered)
    assert amount(edited["amount"]) == 40 * rate
    path = f"{sheet('irina', WEEK)}/reverse-time"
    desks.do("max", "delivery", path, {"entries": [wrong], "why": "It was a holiday."})
    edited = invoices(desks, metered)[edited["invoice"]]
    assert edited["stage"] == "drafted"
    assert amount(edited["amount"]) == 32 * rate
    agree(desks, metered)

    # The third one is rejected; its works are billed by another draft.
    works = set(work(desks, metered, "stefan"))
    bad = bill(desks, metered)
    why = "The time report names no tasks."
    do(desks, "dora", metered, "reject-invoice", invoice=bad["invoice"], why=why)
    assert invoices(desks, metered)[bad["invoice"]]["rejected"] == why
    unbilled = desks.seen("finance", metered, by="fred")["unbilled_work"]
    assert {each["entry"] for each in unbilled} == works
    agree(desks, metered)
    again = bill(desks, metered)
    assert (again["invoice"] != bad["invoice"], again["amount"]) == (True, bad["amount"])
    assert used(desks, "invoice") == numbers, "a draft has no number"

    for name in (held, edited, again):
        for _ in range(2):  # the same request again takes no second number
            path = f"/engagements/{metered}/approve-invoice"
            desks.do(
                "dora", "finance", path, {"invoice": name["invoice"]}, key=f"a-{name['invoice']}"
            )
    found = invoices(desks, metered)
    issued = [found[each["invoice"]] for each in (held, edited, again)]
    assert [each["stage"] for each in issued] == ["issued"] * 3
    assert used(desks, "invoice") == numbers + 3
    last = [int(each["number"].rpartition("-")[2]) for each in issued]
    assert last == [numbers + 1, numbers + 2, numbers + 3]
    assert refused(desks, "dora", metered, "reject-invoice", invoice=bad["invoice"], why="No.")[
        1
    ] == ("already-recorded")
    for each in issued:
        tax = each["tax"]
        assert amount(tax["gross"]) == amount(each["amount"]) + amount(tax["total"])
        assert amount(each["outstanding"]) == amount(tax["gross"])
        details = each["details"]
        assert details["seller"]["company"] == COMPANY
        assert details["seller"]["vat_id"]
        assert details["customer"]["vat_id"]
    agree(desks, metered)


def test_a_credit_note_lowers_what_is_owed(desks: Desks, metered: str) -> None:
    notes = used(desks, "credit-note")
    owed = amount(desks.seen("finance", metered, by="fred")["outstanding"])
    invoice = max(
        (each for each in invoices(desks, metered).values() if each["stage"] == "issued"),
        key=lambda each: amount(each["outstanding"]),
    )
    money = {"amount": "100.10", "currency": "EUR"}
    body = {
        "invoice": invoice["invoice"],
        "intent": "give-back",
        "why": "The system was down for a morning.",
    }
    too_much = {**money, "amount": str(amount(invoice["amount"]) + 1)}
    assert refused(desks, "dora", metered, "issue-credit-note", **body, amount=too_much)[1] == (
        "credit-too-large"
    )
    assert refused(desks, "fred", metered, "issue-credit-note", **body, amount=money)[0] == 403
    do(desks, "dora", metered, "issue-credit-note", **body, amount=money)

    after = invoices(desks, metered)[invoice["invoice"]]
    assert amount(after["credited"]) == amount(invoice["credited"]) + Decimal("100.10")
    assert used(desks, "credit-note") == notes + 1
    agree(desks, metered)
    now = amount(desks.seen("finance", metered, by="fred")["outstanding"])
    assert now == owed - (amount(invoice["outstanding"]) - amount(after["outstanding"]))
    assert now < owed


def test_the_money_of_a_statement_is_allocated_returned_and_paid_back(
    desks: Desks, access: PlatformAccess, metered: str
) -> None:
    customer, account = CUSTOMERS[0], f"/bank-accounts/{COMPANY}.main"
    open_ones = [
        each
        for each in invoices(desks, metered).values()
        if each["stage"] == "issued" and amount(each["outstanding"]) > 1000
    ]
    large, short, bounced = open_ones[:3]
    more, charge = Decimal(500), Decimal("15.25")
    arrives = {
        f"{large['number']} and more": amount(large["outstanding"]) + more,
        short["number"]: amount(short["outstanding"]) - charge,
        bounced["number"]: amount(bounced["outstanding"]),
        "Thank you": Decimal("77.70"),
    }
    transfers = [
        Transfer(text, euros(each), customer.legal_name if text != "Thank you" else "Nobody")
        for text, each in arrives.items()
    ]
    seen = desks.api.request("GET", "finance", account, by="fred")
    before = seen.json() if seen.status_code == 200 else {"closing": None, "number": 0}
    body = statement(before, transfers, TODAY)
    wrong = {**body, "closing": euros(amount(body["closing"]) + 1)}
    assert desks.refused("fred", "finance", f"{account}/take-statement", wrong)[0] == 409
    for _ in range(2):  # the same statement again adds nothing
        desks.do("fred", "finance", f"{account}/take-statement", body)
    found = desks.api.get("finance", account, by="fred")
    paid = {each["reference"]: each["payment"] for each in found["payments"]}
    assert paid.keys() == arrives.keys()
    assert amount(found["closing"]) == amount(body["opening"]) + sum(arrives.values())

    def payment(text: str) -> View:
        shown: View = desks.api.get("finance", f"/payments/{paid[text]}", by="fred")
        parts = ("allocated", "unallocated", "refunded", "returned")
        assert sum(amount(shown[part]) for part in parts) == arrives[text]
        return shown

    def owed(text: str) -> list[str]:
        return [each["code"] for each in payment(text)["work"]]

    def act(text: str, command: str, by: str = "fred", **content: Any) -> View:
        return desks.do(by, "finance", f"/payments/{paid[text]}/{command}", content)

    def part(invoice: View, money: Decimal, **beside: Decimal) -> View:
        names = {"engagement": metered, "invoice": invoice["invoice"], "amount": euros(money)}
        return {**names, **{name: euros(each) for name, each in beside.items()}}

    assert [owed(text) for text in arrives] == [["payment-unassigned"]] * 4
    too_much, exact, back, unknown = arrives
    path = f"/payments/{paid[unknown]}/allocate-payment"
    items = {"items": [part(large, arrives[unknown])]}
    assert desks.refused("fred", "finance", path, items)[1] == "payment-unassigned"
    for text in (too_much, exact, back):
        act(text, "assign-account", account=access.ids[customer.account])
    agree(desks, metered)

    # An invoice takes what is outstanding; the payment keeps the rest.
    act(too_much, "allocate-payment", items=[part(large, arrives[too_much])])
    assert amount(payment(too_much)["unallocated"]) == more
    assert owed(too_much) == ["payment-unallocated"]
    act(exact, "allocate-payment", items=[part(short, arrives[exact], bank_charge=charge)])
    act(back, "allocate-payment", items=[part(bounced, arrives[back])])
    found = invoices(desks, metered)
    for each in (large, short, bounced):
        assert amount(found[each["invoice"]]["outstanding"]) == 0
    assert (owed(exact), owed(back)) == ([], [])
    agree(desks, metered)

    # The bank takes one payment back, and the customer owes the invoice again.
    for _ in range(2):
        act(back, "return-payment", why="The customer's account had no cover.")
    assert payment(back)["status"] == "returned"
    assert invoices(desks, metered)[bounced["invoice"]]["outstanding"] == bounced["outstanding"]
    assert desks.refused("fred", "finance", f"/payments/{paid[too_much]}/refund-payment")[0] == 403
    act(too_much, "refund-payment", by="dora")
    assert (owed(too_much), amount(payment(too_much)["refunded"])) == ([], more)
    assert owed(unknown) == ["payment-unassigned"]
    agree(desks, metered)


def test_numbers_have_no_gaps_over_all_engagements(desks: Desks, api: ApiClient) -> None:
    numbers = []
    for row in api.pages("finance", "/engagements?limit=200", "rows", "cursor"):
        for each in api.get("finance", f"/engagements/{row['id']}", by="fred")["invoices"]:
            if each["number"] and each["details"]["seller"]["company"] == COMPANY:
                _, year, number = each["number"].rsplit("-", 2)
                if int(year) == TODAY.year:
                    numbers.append(int(number))
    assert sorted(numbers) == list(range(1, used(desks, "invoice") + 1))
