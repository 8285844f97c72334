"""``python -m sales.importing FILE``: send a CRM's export to the running service, and report.

Ends with 0 when the export was read, whatever its rows; 2 when it is no usable export; 1 when the
service cannot be reached or does not let this person in.
"""

import csv
from pathlib import Path
from typing import Annotated

import httpx
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from sales.importing.export import Refusal
from sales.importing.intake import Report

UNREACHED, UNUSABLE = 1, 2
_PATIENCE = 600.0
_MOST_SHOWN = 200


def main(
    file: Annotated[Path, typer.Argument(help="The export, a CSV file.")],
    token: Annotated[str, typer.Option(envvar="CONCORD_TOKEN", help="A sales manager's token.")],
    url: Annotated[
        str, typer.Option(envvar="CONCORD_SALES_URL", help="Where the sales service listens.")
    ] = "http://127.0.0.1:8101",
    currency: Annotated[str, typer.Option(help="The currency of all values.")] = "USD",
    source: Annotated[str, typer.Option(help="What the CRM is called.")] = "crm",
    products: Annotated[
        Path | None,
        typer.Option(help="The names of products as they should be: a CSV with a column product."),
    ] = None,
) -> None:
    """Take a CRM's export of opportunities into Sales; doing it again changes nothing."""
    console, errors = Console(), Console(stderr=True)
    try:
        content = file.read_bytes()
        listed = _products(file, products, console)
    except (OSError, ValueError, csv.Error) as trouble:
        errors.print(f"[red]cannot be read:[/] {trouble}")
        raise typer.Exit(UNUSABLE) from None
    try:
        answer = httpx.post(
            f"{url}/imports",
            params={"currency": currency, "source": source, "product": listed},
            content=content,
            headers={
                "Content-Type": "text/csv; charset=utf-8",
                "Authorization": f"Bearer {token}",
            },
            timeout=_PATIENCE,
        )
    except httpx.HTTPError as trouble:
        errors.print(f"[red]the sales service at {url} cannot be reached:[/] {trouble}")
        raise typer.Exit(UNREACHED) from None
    try:
        report = Report.model_validate_json(answer.content)
    except ValidationError:
        errors.print(f"[red]not taken ({answer.status_code}):[/] {_detail(answer)}")
        unusable = answer.status_code in {400, 413, 415, 422}
        raise typer.Exit(UNUSABLE if unusable else UNREACHED) from None
    show(report, file.name, console)


def show(report: Report, name: str, console: Console) -> None:
    """Print what came of an export, so that a person can mend the rows that were refused."""
    console.print(f"[bold]{name}[/]: {report.rows} rows read")
    console.print(
        f"  [green]{report.taken} taken[/], {report.unchanged} unchanged, "
        f"[{'red' if report.refused else 'default'}]{report.refused} refused[/]; "
        f"{report.accounts_published} accounts published"
    )
    if report.refusals:
        console.print(_table(report.refusals[:_MOST_SHOWN]))
        if len(report.refusals) > _MOST_SHOWN:
            console.print(f"  and {len(report.refusals) - _MOST_SHOWN} more reasons")
    for note in report.notes:
        console.print(f"  note: {note}", markup=False, highlight=False)


def _table(refusals: tuple[Refusal, ...]) -> Table:
    table = Table("row", "opportunity", "column", "why it was refused", header_style="bold")
    for refusal in refusals:
        cells = (str(refusal.row), refusal.opportunity_id or "", refusal.field, refusal.reason)
        table.add_row(*(cell.replace("[", r"\[") for cell in cells))
    return table


def _products(file: Path, products: Path | None, console: Console) -> list[str]:
    """The names that are listed; those beside the export unless a list was named."""
    beside = file.with_name("products.csv")
    chosen = products or (beside if beside.is_file() else None)
    if chosen is None:
        return []
    with chosen.open(newline="", encoding="utf-8-sig") as lines:
        rows = list(csv.DictReader(lines))
    if not rows or "product" not in rows[0]:
        raise ValueError(f"{chosen} has no column product")
    console.print(f"Names of products are held against {chosen}.", highlight=False)
    return [row["product"] for row in rows if row["product"]]


def _detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:200]


if __name__ == "__main__":
    typer.run(main)
