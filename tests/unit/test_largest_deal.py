"""Test that the largest deal within the limits of items can be sold, signed, changed and billed."""

import asyncio
import copy
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from contracts.money import BEYOND_ITEMS
from local.demo.reference_data import CUSTOMERS, SIGNATORY, TEMPLATE
from tests.unit.lived import fork
from tests.unit.simulation import ENGAGEMENT, SentCommand, World, founded
from tests.unit.test_extremes import check

MORNING = datetime(2026, 3, 2, 9, tzinfo=UTC)
RATE = Decimal("99999999.99")
ROLES = [f"role-{number:03d}" for number in range(196)] + ["project-manager"]
"""Roles of the lines of the deal, three fewer than a contract may have; changes add the others."""


def eur(amount: Decimal | int) -> dict[str, str]:
    return {"amount": str(amount), "currency": "EUR"}


class Deal:
    """Engagement of a world; each command is sent one day after the previous one."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.at = MORNING
        self._acts = 0

    def again(self) -> "Deal":
        """Return an independent copy of the deal."""
        deal = copy.copy(self)
        deal.world = fork(self.world)
        return deal

    def act(self, service: str, command: str, by: str, **body: Any) -> dict[str, Any]:
        """Send a command, deliver all events, and return the view of its department."""
        self._acts += 1
        self.world.command(
            SentCommand(service, ENGAGEMENT, command, body, by, self.at, f"act-{self._acts}")
        )
        self.world.deliver_all()
        self.at += timedelta(days=1)
        return self.seen(service)

    def pay(self, invoice: str, amount: dict[str, str]) -> None:
        """Record a payment and allocate it to an invoice."""
        account = self.world.ids[CUSTOMERS[0].account]
        payment = f"P-{self._acts:013}"
        part = {"engagement": ENGAGEMENT, "invoice": invoice, "amount": amount}
        for command, body in (
            (
                "record-payment",
                {
                    "bank_account": "concord-de.main",
                    "amount": amount,
                    "received_on": self.at.date().isoformat(),
                },
            ),
            ("assign-account", {"account": account}),
            ("allocate-payment", {"items": [part]}),
        ):
            key = f"{payment}-{command}"
            sent = SentCommand("finance", payment, command, body, "cora", self.at, key, "payments")
            self.world.command(sent)
        self.world.deliver_all()
        self.at += timedelta(days=1)

    def seen(self, service: str) -> dict[str, Any]:
        return dict(self.world.view(service, ENGAGEMENT))

    def publish(self, path: str, **body: Any) -> None:
        self.world.publish("finance", path, body)


def sponsor(deal: Deal) -> str:
    return deal.world.ids[CUSTOMERS[0].sponsor[0]]


def sold() -> Deal:
    deal = Deal(asyncio.run(founded()))
    rates = [{"role": role, "rate": eur(RATE)} for role in ROLES]
    day = str(MORNING.date())
    deal.publish(
        "rate-cards/standard-EUR/publish-rate-card",
        currency="EUR",
        rates=rates,
        effective_from=day,
    )
    deal.publish(
        "cost-rates/standard-EUR/publish-cost-rates",
        currency="EUR",
        rates=rates,
        effective_from=day,
        floor=100,
    )
    deal.act(
        "sales",
        "open-opportunity",
        "ann",
        account=deal.world.ids[CUSTOMERS[0].account],
        title="Everything",
        contacts=[sponsor(deal)],
        expected_value=eur(BEYOND_ITEMS - 1),
        expected_close="2026-12-31",
        owner="ann",
    )
    everything = [{"deliverable": "all", "title": "All"}]
    deal.act("sales", "request-estimate", "ann", scope_summary="All.", deliverables=everything)
    deal.act("delivery", "assign-manager", "paul", manager="emma")
    deal.act(
        "delivery",
        "submit-estimate",
        "emma",
        template=TEMPLATE,
        lines=[
            {
                "phase": "Build",
                "role": role,
                "hours": 1_000_000,
                "kind": "project-management" if role == "project-manager" else "delivery",
            }
            for role in ROLES
        ],
        duration_days=10_000,
    )
    deal.act("delivery", "endorse-estimate", "emma", version=1)
    priced = deal.seen("sales")["estimates"][0]["priced"]
    assert Decimal(priced["price"]["amount"]) == RATE * 1_000_000 * len(ROLES)
    lines = [
        {
            "line": f"line-{number}",
            "title": each["role"],
            "kind": "project-management" if each["role"] == "project-manager" else "services",
            "pricing": "time-and-materials",
            "price": each["amount"],
            "hours": [{"role": each["role"], "hours": each["hours"]}],
            "rates": [{"role": each["role"], "rate": each["rate"]}],
        }
        for number, each in enumerate(priced["lines"])
    ]
    deal.act(
        "sales",
        "draft-proposal",
        "ann",
        estimate_version=1,
        deliverables=everything,
        company="concord-de",
        lines=lines,
        promised_start="2026-04-06",
        promised_finish="2999-12-31",
        valid_until="2999-12-31",
        method="As ever.",
    )
    # At a rate that is the cost of an hour, the price is below any minimum margin.
    deal.act("sales", "approve-exception", "sam", version=1, why="It is the largest.")
    deal.act("sales", "submit-proposal", "ann", version=1)
    deal.act(
        "sales",
        "win-deal",
        "ann",
        proposal_version=1,
        billing=[
            {
                "line": line["line"],
                "billing": [
                    {"item": f"item-{number}", "kind": "on-signature", "amount": line["price"]}
                ],
            }
            for number, line in enumerate(lines[:100])
        ],
        payment_terms_days=10_000,
    )
    return deal


@cache
def signed() -> Deal:
    deal = sold()
    deal.act("legal", "draft-sow", "lena", scope="Everything.")
    for reviewer, by in (("delivery", "emma"), ("finance", "fiona")):
        deal.act(reviewer, "review-sow", by, version=1, verdict="approved")
    deal.act("legal", "approve-sow", "lena", version=1)
    deal.act("legal", "send-sow", "lena", version=1)
    content_hash = deal.seen("legal")["statements_of_work"][0]["content_hash"]
    for party, person in (("company", SIGNATORY), ("customer", sponsor(deal))):
        deal.act(
            "legal",
            "record-signature",
            "lena",
            party=party,
            person=person,
            content_hash=content_hash,
        )
    return deal


def test_the_largest_deal_is_sold_signed_billed_and_paid() -> None:
    deal = signed().again()
    check(deal.world)
    finance = deal.seen("finance")
    assert Decimal(finance["budget"]["price"]["amount"]) > BEYOND_ITEMS * 100
    for invoice in finance["invoices"][:4]:
        deal.act("finance", "approve-invoice", "cora", invoice=invoice["invoice"])
        deal.pay(invoice["invoice"], invoice["amount"])
    check(deal.world)
    paid = Decimal(deal.seen("finance")["paid"]["amount"])
    assert paid == RATE * 1_000_000 * 4
    assert deal.seen("finance")["invoices"][0]["due_on"] > "2053"


def test_the_largest_plan_is_measured_and_can_be_read() -> None:
    deal = signed().again()
    deal.act("delivery", "hold-kickoff", "emma", attendees=["emma"])
    deal.act("delivery", "submit-brd", "emma", content="All.")
    deal.act("delivery", "sign-off-brd", "emma", version=1, signed_by=sponsor(deal))
    deal.act("delivery", "draft-plan", "emma", template=TEMPLATE)
    deal.act("delivery", "baseline-plan", "emma", version=1)
    for number in range(3):
        deal.act(
            "delivery",
            "publish-status-report",
            "emma",
            scope="green",
            schedule="red",
            cost="amber",
            narrative=f"Report {number}.",
            forecast_finish="2999-12-31",
            estimate_to_complete=1_000_000,
        )
    deal.act("finance", "catch-up", "cora")
    check(deal.world)
    measured = deal.seen("finance")["earned_value"]
    assert Decimal(measured["budget_at_completion"]["amount"]) == RATE * 1_000_000 * len(ROLES)


def test_the_largest_changes_are_added_to_the_largest_deal() -> None:
    deal = signed().again()
    for number in range(3):
        change = f"CR-{number}"
        deal.act(
            "delivery",
            "request-change",
            "emma",
            change=change,
            requested_by=sponsor(deal),
            description="More.",
        )
        deal.act(
            "delivery",
            "assess-change",
            "emma",
            change=change,
            changes=[
                {
                    "line": f"more-{number}",
                    "hours": [{"role": ROLES[0], "hours": 1_000_000}],
                    "new": {"title": "More", "pricing": "time-and-materials"},
                }
            ],
            days=10_000,
            risk="None.",
        )
        deal.act("delivery", "approve-change", "emma", change=change, approved_by=sponsor(deal))
        amendment = next(
            each["amendment"] for each in deal.seen("legal")["changes"] if each["change"] == change
        )
        day = str(deal.at.date())
        deal.act(
            "legal",
            "sign-amendment",
            "lena",
            amendment=amendment["amendment"],
            content_hash=amendment["content_hash"],
            signatories=[
                {"party": party, "person": person, "signed_on": day}
                for party, person in (("company", SIGNATORY), ("customer", sponsor(deal)))
            ],
        )
    check(deal.world)
    price = Decimal(deal.seen("finance")["budget"]["price"]["amount"])
    assert price == RATE * 1_000_000 * 200
    assert deal.seen("legal")["contract"]["finishes_on"] == str(date(2999, 12, 31))
