"""Recognise revenue, approve invoices, record payments, and make billing mistakes."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from local.demo.engagement_run import EngagementRun
from local.demo.paying import pay, refund
from local.demo.pricing import WORK
from local.demo.recording import approved_entries, redo
from local.demo.working import Work

_ORDER = "PO-4500017"
"""Number of the purchase order of customers who require one."""


async def money(run: EngagementRun, work: Work) -> None:
    """Recognise last month's revenue, approve its invoices, and record payments that are due."""
    today = run.actors.today
    first = today.replace(day=1)
    if work.recognised_to != first and today.day > 2:
        month = f"{first - timedelta(days=1):%Y-%m}"
        signed_month = f"{run.starts_on - timedelta(days=10):%Y-%m}"
        state = await run.actors.look("finance", "fred")
        done = state["recognised_to"]
        if state["budget"] and month >= signed_month and (done is None or done < month):
            await _recognise(run, state, month)
        hourly = run.scenario.purchases or run.scenario.shape in {"hourly", "mixed"}
        if hourly and month >= f"{run.starts_on:%Y-%m}":
            if run.scenario.shape == "mixed":
                await _withhold(run, state)
            await run.actors.try_to("finance", "bill-time", "fred", month=month)
            if "late-hours" in run.scenario.incidents and not work.corrected:
                await _correct_billed(run, work)
        work.recognised_to = first
        await invoices(run, work)
    due = {invoice: amount for invoice, (day, amount) in work.to_pay.items() if day <= today}
    for invoice in due:
        del work.to_pay[invoice]
    await pay(run, work, due)


async def _withhold(run: EngagementRun, state: dict[str, Any]) -> None:
    """Release what was held; the first time hold a work, the second time write it down."""
    held = [each["entry"] for each in state["held_work"]]
    waiting = [each["entry"] for each in state["unbilled_work"] if each["kind"] == "time"]
    written_down = any(float(each["written_down"]["amount"]) for each in state["withheld"])
    if held:
        await run.actors.act("finance", "release-work", "fred", entries=held)
        if not written_down:
            why = "Rework after a mistake of ours."
            await run.actors.act("finance", "write-down-work", "dora", entries=held[:1], why=why)
            if run.scenario.mistakes:
                await _redo(run, held[0])
    elif waiting and not written_down:
        why = "The customer asks for the time report first."
        await run.actors.act("finance", "hold-work", "fred", entries=waiting[-1:], why=why)


async def _redo(run: EngagementRun, name: str) -> None:
    """Reverse an approved time entry, and record it again."""
    for person, monday, entry in await approved_entries(run):
        if entry == name:
            await redo(run, person, monday, [entry])


async def _correct_billed(run: EngagementRun, work: Work) -> None:
    """Reverse time on a draft that draws no advance down, and time on the invoice; credit that.

    What is reversed is recorded again each time.
    """
    actors = run.actors
    state = await actors.look("finance", "fred")
    drafts = [
        each["invoice"]
        for each in state["invoices"]
        if (each["stage"], each["kind"]) == ("drafted", "time")
        and not float(each["advance_drawn"]["amount"])
    ]
    unbilled = {each["entry"] for each in state["unbilled_work"]}
    first = actors.today.replace(day=1)
    billed = [
        (person, monday, entry)
        for person, monday, entry in await approved_entries(run)
        if monday + timedelta(days=6) < first and entry not in unbilled
    ][-2:]
    if not drafts or len(billed) < 2:
        return
    work.corrected = True
    for number, (person, monday, entry) in enumerate(billed):
        if number == 1:
            await invoices(run, work)
        await redo(run, person, monday, [entry])
    state = await actors.look("finance", "fred")
    if not state["to_credit"]:  # an advance had paid it
        return
    [owed] = state["to_credit"]
    why = "The hours are billed again, with what was done."
    body = {
        "invoice": owed["invoice"],
        "intent": "cancel-and-rebill",
        "entries": owed["works"],
        "why": why,
    }
    await actors.act("finance", "issue-credit-note", "dora", **body)
    state = await actors.look_until("finance", "fred", lambda seen: not seen["to_credit"])
    [left] = [each for each in state["invoices"] if each["invoice"] == owed["invoice"]]
    day, _ = work.to_pay.pop(owed["invoice"])
    if float(left["outstanding"]["amount"]):
        work.to_pay[owed["invoice"]] = day, left["outstanding"]


async def _recognise(run: EngagementRun, state: dict[str, Any], month: str) -> None:
    done = state["recognised_to"]
    signed = next(sow["signed_on"] for sow in state["sows"] if sow["signed_on"])
    upcoming = _next_month(done) if done else signed[:7]
    if state["booked_to"]:  # revenue missing in a booked month is in the next one
        upcoming = max(upcoming, _next_month(state["booked_to"]))
    while upcoming <= month:
        # While the forecast is out of date, revenue by cost waits for the next status report.
        await run.actors.try_to("finance", "recognise-revenue", "fred", month=upcoming)
        upcoming = _next_month(upcoming)


def _next_month(month: str) -> str:
    first = date.fromisoformat(f"{month}-01")
    return f"{(first + timedelta(days=32)):%Y-%m}"


async def invoices(run: EngagementRun, work: Work) -> None:
    """Approve the drafted invoices, and note on which day the customer will pay each.

    In a scenario with mistakes, the first draft is held, released and rejected. The second one gets
    another text, its invoice is voided, and the third draft approved.
    """
    actors = run.actors
    state = await actors.look_until("finance", "fred", lambda seen: seen["budget"] is not None)
    if run.scenario.mistakes and not work.voided:
        state = await _reject(run, state)
    state, names = await _approve(run, state)
    if names and run.scenario.mistakes and not work.voided:
        work.voided = True
        wrong = names.pop()
        why = "The number of the customer's order was missing."
        state = await actors.act_and_see("finance", "void-invoice", "dora", invoice=wrong, why=why)
        state, again = await _approve(run, state)
        names |= again
    for invoice in state["invoices"]:
        if invoice["invoice"] in names:
            due = date.fromisoformat(invoice["due_on"])
            paid_on = due + timedelta(days=run.scenario.days_late_paying)
            work.to_pay[invoice["invoice"]] = (paid_on, invoice["outstanding"])


async def _reject(run: EngagementRun, state: dict[str, Any]) -> dict[str, Any]:
    """Hold a draft of the schedule, release and reject it; return the view with the next draft."""
    drafts = [
        each["invoice"]
        for each in state["invoices"]
        if each["stage"] == "drafted" and each["kind"] != "time"
    ]
    for name in drafts[:1]:
        why = "The text does not name the deliverable."
        await run.actors.act("finance", "hold-invoice", "fred", invoice=name, why=why)
        await run.actors.act("finance", "release-invoice", "fred", invoice=name)
        state = await run.actors.act_and_see(
            "finance", "reject-invoice", "dora", invoice=name, why=why
        )
        state = await _reworded(run, state, name)
    return state


async def _reworded(run: EngagementRun, state: dict[str, Any], rejected: str) -> dict[str, Any]:
    """Name the deliverable on the draft that follows a rejected one."""
    [before] = [each for each in state["invoices"] if each["invoice"] == rejected]
    for draft in state["invoices"]:
        if (draft["stage"], draft["item"]) != ("drafted", before["item"]):
            continue
        line = {
            "invoice_line": draft["lines"][0]["invoice_line"],
            "description": f"{draft['lines'][0]['description']}, as agreed",
        }
        body = {"invoice": draft["invoice"], "lines": [line], "why": "It names what was agreed."}
        return await run.actors.act_and_see("finance", "edit-invoice", "fred", **body)
    return state


async def _approve(run: EngagementRun, state: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """Approve all drafts in a view; return the view with their numbers, and their ids.

    Where the customer requires a purchase order, its number is given once: later invoices repeat
    it.
    """
    names = {each["invoice"] for each in state["invoices"] if each["stage"] == "drafted"}

    def numbered(seen: dict[str, Any]) -> bool:
        return all(each["number"] for each in seen["invoices"] if each["invoice"] in names)

    drafts = {each["invoice"]: each for each in state["invoices"]}
    for name in sorted(names):
        state = await _approve_one(run, drafts[name])
    if not numbered(state):
        state = await run.actors.look_until("finance", "fred", numbered)
    return state, names


async def _approve_one(run: EngagementRun, draft: dict[str, Any]) -> dict[str, Any]:
    """Approve a draft, with the number of a purchase order where it has none."""
    order = any(each["code"] == "purchase-order-missing" for each in draft["missing"])
    body = {"invoice": draft["invoice"], **({"purchase_order": _ORDER} if order else {})}
    return await run.actors.act_and_see("finance", "approve-invoice", "dora", **body)


async def give_back(run: EngagementRun, invoices: list[dict[str, Any]]) -> None:
    """Credit a part of the last invoice, which is paid, and refund it."""
    paid = [each for each in invoices if each["stage"] == "issued"]
    invoice, amount = paid[-1]["invoice"], run.money(250)
    why = "The system was down for a morning after the go-live."
    actors = run.actors
    body = {"invoice": invoice, "intent": "give-back", "amount": amount, "why": why}
    await actors.act("finance", "issue-credit-note", "dora", **body)
    await actors.look_until(
        "finance",
        "fred",
        lambda seen: any(
            each["invoice"] == invoice
            and float(each["credited"]["amount"]) > 0
            and float(each["outstanding"]["amount"]) == 0
            for each in seen["invoices"]
        ),
    )
    await refund(run, invoice)


async def bill_early(run: EngagementRun) -> None:
    """Bill the second item of the schedule before its deliverable is accepted."""
    entry = run.line(WORK)["billing"][1]
    state = await run.actors.act_and_see(
        "finance",
        "bill-outside-schedule",
        "fred",
        item=entry["item"],
        lines=[
            {
                "description": "Billed at the quarter's end",
                "line": WORK,
                "amount": entry["amount"],
            }
        ],
        reason="The quarter closes; Delivery expects acceptance within days.",
    )
    await _approve_new(run, state)


async def bill_at_another_rate(run: EngagementRun) -> None:
    """Bill 20 hours at a rate that is 12 above the contracted one."""
    rate = next(each for each in run.line(WORK)["rates"] if each["role"] == "engineer")["rate"]
    raised = Decimal(rate["amount"]) + 12
    state = await run.actors.act_and_see(
        "finance",
        "bill-outside-schedule",
        "fred",
        item="time",
        lines=[
            {
                "description": "Engineering at the new list rate",
                "line": WORK,
                "role": "engineer",
                "hours": "20",
                "rate": run.money(raised),
                "amount": run.money(raised * 20),
            }
        ],
        reason="Billed from the new rate card by mistake of the clerk.",
    )
    await _approve_new(run, state)


async def _approve_new(run: EngagementRun, state: dict[str, Any]) -> None:
    for invoice in state["invoices"]:
        if invoice["stage"] == "drafted":
            await _approve_one(run, invoice)
