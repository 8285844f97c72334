"""What a person sees when the platform is up: ``python -m local.summary``, told where it runs."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chassis.base.settings import LOCAL_ISSUER
from chassis.web.auth import issue

WORST = 3
_MARGINS = ("sold", "billed", "recognised", "forecast")
_STAGES = (
    "opportunity",
    "proposal",
    "contracting",
    "mobilising",
    "delivering",
    "closing",
    "closed",
    "lost",
    "terminated",
)


def main() -> None:
    """Print the summary of the platform that the environment names."""
    show(Console(), os.environ["CONCORD_GATEWAY_URL"], os.environ["CONCORD_TOKEN_SECRET"])


def show(console: Console, gateway: str, secret: str) -> None:
    """Print the portfolio and its three worst disconnects, as the gateway tells them."""
    token = issue(
        secret,
        "summary",
        ("executive", "confidential"),
        issuer=LOCAL_ISSUER,
        now=datetime.now(UTC),
    )
    headers = {"Authorization": f"Bearer {token}"}
    try:
        with httpx.Client(base_url=gateway, headers=headers, timeout=10) as client:
            portfolio = client.get("/portfolio").raise_for_status().json()
            found = client.get("/disconnects", params={"waived": "false", "limit": 200})
            disconnects = found.raise_for_status().json()["items"]
    except httpx.HTTPError as trouble:
        console.print(f"The gateway does not tell the portfolio: {trouble}", style="yellow")
        return
    if not portfolio["engagements"]:
        console.print("No engagement is known yet.")
        return
    _stages(console, portfolio)
    _money(console, portfolio)
    _worst(console, disconnects)


def _stages(console: Console, portfolio: Mapping[str, Any]) -> None:
    by_stage = portfolio["by_stage"]
    told = ", ".join(f"{by_stage[stage]} {stage}" for stage in _STAGES if by_stage[stage])
    console.print(f"\n[bold]{portfolio['engagements']} engagements[/bold]: {told}")
    rag, open_ones = portfolio["rag"], portfolio["disconnects"]
    parts = [
        f"status {rag['green']} green, {rag['amber']} amber, {rag['red']} red",
        f"{open_ones['serious']} serious disconnects, {open_ones['warning']} warnings",
    ]
    if portfolio["utilisation"] is not None:
        parts.append(f"utilisation {Decimal(portfolio['utilisation']):.0%}")
    if portfolio["customer_satisfaction"] is not None:
        parts.append(f"CSAT {portfolio['customer_satisfaction']} %")
    console.print("; ".join(parts))


def _money(console: Console, portfolio: Mapping[str, Any]) -> None:
    amounts = _table("pipeline", "backlog", "billed", "recognised", "overdue", "at stake")
    for figures in portfolio["currencies"]:
        pipeline = sum(Decimal(amount) for amount in figures["pipeline"].values())
        names = ("backlog", "billed", "recognised", "overdue", "at_stake")
        told = [f"{Decimal(amount):,.0f}" for amount in (pipeline, *(figures[n] for n in names))]
        amounts.add_row(figures["currency"], *told)
    console.print(amounts)
    margins = _table(*(f"margin {which}" for which in _MARGINS))
    for each in portfolio["confidential"] or ():
        ratios = [each[f"margin_{which}"]["margin"] for which in _MARGINS]
        told = ["unknown" if ratio is None else f"{Decimal(ratio):.1%}" for ratio in ratios]
        margins.add_row(each["currency"], *told)
    console.print(margins)


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("")
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _worst(console: Console, disconnects: list[Mapping[str, Any]]) -> None:
    if not disconnects:
        console.print("No disconnect stands.")
        return
    worst = sorted(disconnects, key=_gravity, reverse=True)[:WORST]
    console.print("\n[bold]The worst disconnects[/bold]")
    for each in worst:
        stake = each["stake"]
        money = f"{Decimal(stake['amount']):,.0f} {stake['currency']} at stake, " if stake else ""
        console.print(Text(f"  {each['sentence']}"))
        told = f"    {each['title']} ({each['engagement']}), {money}{each['owner']} can end it"
        console.print(Text(told, style="dim"))


def _gravity(disconnect: Mapping[str, Any]) -> tuple[bool, Decimal, int]:
    stake = disconnect["stake"]
    amount = Decimal(stake["amount"]) if stake else Decimal(0)
    return disconnect["severity"] == "serious", amount, disconnect["days"] or 0


if __name__ == "__main__":
    main()
