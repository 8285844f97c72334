"""Print a summary of the portfolio: ``python -m local.summary``, with CONCORD_GATEWAY_URL set."""

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
from contracts.counting import counted

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
    """Print the gateway's portfolio and the three worst disconnects."""
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
    except httpx.HTTPError as error:
        console.print(f"The gateway's portfolio cannot be read: {error}", style="yellow")
        return
    if not portfolio["engagements"]:
        console.print("There are no engagements yet.")
        return
    _stages(console, portfolio)
    _money(console, portfolio)
    _worst(console, disconnects)


def _stages(console: Console, portfolio: Mapping[str, Any]) -> None:
    by_stage = portfolio["by_stage"]
    counts = ", ".join(f"{by_stage[stage]} {stage}" for stage in _STAGES if by_stage[stage])
    console.print(f"\n[bold]{counted(portfolio['engagements'], 'engagement')}[/bold]: {counts}")
    rag, disconnects = portfolio["rag"], portfolio["disconnects"]
    parts = [
        f"status {rag['green']} green, {rag['amber']} amber, {rag['red']} red",
        f"{disconnects['serious']} serious disconnects, {disconnects['warning']} warnings",
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
        cells = [
            "unknown" if amount is None else f"{Decimal(amount):,.0f}"
            for amount in (pipeline, *(figures[name] for name in names))
        ]
        amounts.add_row(figures["currency"], *cells)
    console.print(amounts)
    margins = _table(*(f"margin {which}" for which in _MARGINS))
    for each in portfolio["confidential"] or ():
        ratios = [each[f"margin_{which}"]["margin"] for which in _MARGINS]
        cells = ["unknown" if ratio is None else f"{Decimal(ratio):.1%}" for ratio in ratios]
        margins.add_row(each["currency"], *cells)
    console.print(margins)


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("")
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _worst(console: Console, disconnects: list[Mapping[str, Any]]) -> None:
    if not disconnects:
        console.print("There are no open disconnects.")
        return
    worst = sorted(disconnects, key=_weight, reverse=True)[:WORST]
    console.print("\n[bold]Worst disconnects[/bold]")
    for each in worst:
        stake = each["at_stake"]
        money = (
            f"{Decimal(stake['amount']):,.0f} {stake['currency']}" if stake else "an unknown amount"
        )
        console.print(Text(f"  {each['sentence']}"))
        line = (
            f"    {each['title']} ({each['engagement']}), {money} at stake, owner: {each['owner']}"
        )
        console.print(Text(line, style="dim"))


def _weight(disconnect: Mapping[str, Any]) -> tuple[bool, Decimal, int]:
    stake = disconnect["at_stake"]
    amount = Decimal(stake["amount"]) if stake else Decimal(0)
    return disconnect["severity"] == "serious", amount, disconnect["days"] or 0


if __name__ == "__main__":
    main()
