"""Let customers pay invoices, and allocate the payments that the statements of the bank show."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from local.demo.bank import Transfer
from local.demo.driver import DemoError
from local.demo.engagement_run import EngagementRun
from local.demo.reference_data import SELLING_COMPANY
from local.demo.working import Work

CHARGE = Decimal(15)
"""Amount that banks keep of a transfer, where they keep something."""
SHORT = Decimal(1)
"""Amount by which a customer transfers too little, where they do; it is written off."""


async def pay(run: EngagementRun, work: Work, amounts: Mapping[str, Mapping[str, str]]) -> None:
    """Let the customer pay amounts by invoice, and allocate them.

    In a scenario with mistakes, banks keep a part of the first payment, and the second one is too
    small by a little, is taken back by the bank and paid again.
    """
    for invoice, amount in amounts.items():
        work.payments += 1
        mistake = work.payments if run.scenario.mistakes else 0
        beside: dict[str, Decimal] = {}
        if mistake == 1 and Decimal(amount["amount"]) >= CHARGE * 20:
            beside = {"bank_charge": CHARGE}
        if mistake == 2 and Decimal(amount["amount"]) > SHORT * 100:
            beside = {"written_off": SHORT}
        payment = await pay_invoice(run, invoice, amount, beside)
        if mistake == 2:
            why = "The customer's account had no cover."
            await _act(run, payment, "return-payment", {"why": why})
            await _until(run, payment, lambda seen: seen["status"] == "returned")
            await pay_invoice(run, invoice, amount)


async def pay_invoice(
    run: EngagementRun,
    invoice: str,
    amount: Mapping[str, str],
    beside: Mapping[str, Decimal] = MappingProxyType({}),
) -> str:
    """Pay an invoice and allocate the payment; return its id.

    `beside` are the amounts that do not arrive, by field of the allocation.
    """
    driver, currency = run.actors.driver, amount["currency"]
    arrives = {**amount, "amount": str(Decimal(amount["amount"]) - sum(beside.values()))}
    transfer = Transfer(_reference(run, invoice), arrives, run.scenario.customer.legal_name)
    driver.bank.transfer(f"{SELLING_COMPANY[currency]}.main", transfer)
    await run.actors.later()
    payment = driver.bank.payments[transfer.reference]
    await _until(run, payment, lambda _: True)
    await _act(run, payment, "assign-account", {"account": run.account})
    part: dict[str, Any] = {
        "engagement": run.actors.engagement,
        "invoice": invoice,
        "amount": arrives,
    }
    for field, less in beside.items():
        part[field] = {"amount": str(less), "currency": currency}
    await _act(run, payment, "allocate-payment", {"items": [part]})
    await _until(
        run, payment, lambda seen: not any(each["awaits_answer"] for each in seen["allocations"])
    )
    return payment


async def refund(run: EngagementRun, invoice: str) -> None:
    """Pay back the part of the payment of an invoice that is on no invoice any more."""
    payment = run.actors.driver.bank.payments[_reference(run, invoice)]
    await _until(run, payment, lambda seen: float(seen["unallocated"]["amount"]) > 0)
    await _act(run, payment, "refund-payment", {}, by="dora")


def _reference(run: EngagementRun, invoice: str) -> str:
    return f"{run.actors.engagement} {invoice}"


async def _until(run: EngagementRun, payment: str, seen: Callable[[dict[str, Any]], bool]) -> None:
    """Poll a payment until it is known and `seen` is true; raises DemoError after 200 attempts.

    What a bank account or an engagement asks of it may come later than the answer to a command.
    """
    for attempt in range(200):
        with suppress(DemoError):
            path = f"/payments/{payment}"
            if seen((await run.actors.driver.read("finance", path, "fred", {})).json()):
                return
        await asyncio.sleep(0.02 + 0.002 * attempt)
    raise DemoError(f"{run.actors.name}: the expected state did not appear in payment {payment}")


async def _act(
    run: EngagementRun, payment: str, command: str, body: Mapping[str, Any], by: str = "fred"
) -> None:
    await run.actors.driver.act_on("finance", f"payments/{payment}", by, command, body)
