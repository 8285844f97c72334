"""Send a CRM export to the sales service, print the report: ``python -m sales.importing FILE``.

Exit codes: 0 when the export was read, even if rows were refused; 2 when the file is not a usable
export; 1 when the service cannot be reached or refuses the request for another reason.
"""

import csv
from pathlib import Path
from typing import Annotated

import httpx
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from contracts.counting import counted
from sales.importing.export import Refusal
from sales.importing.import_runner import Report

UNREACHED, UNUSABLE = 1, 2
_TIMEOUT = 600.0
"""In seconds."""
_MAX_SHOWN = 200


def main(
    file: Annotated[Path, typer.Argument(help="The export, a CSV file.")],
    token: Annotated[str, typer.Option(envvar="CONCORD_TOKEN", help="A sales manager's token.")],
    url: Annotated[
        str, typer.Option(envvar="CONCORD_SALES_URL", help="URL of the sales service.")
    ] = "http://127.0.0.1:8101",
    currency: Annotated[str, typer.Option(help="Currency of all values.")] = "USD",
    source: Annotated[str, typer.Option(help="Name of the CRM.")] = "crm",
    products: Annotated[
        Path | None,
        typer.Option(help="Correct product names, a CSV file with a column product."),
    ] = None,
) -> None:
    """Import a CRM export of opportunities into Sales; importing it again changes nothing."""
    console, errors = Console(), Console(stderr=True)
    try:
        content = file.read_bytes()
        listed = _products(file, products, console)
    except (OSError, ValueError, csv.Error) as error:
        errors.print(f"[red]cannot be read:[/] {error}")
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
            timeout=_TIMEOUT,
        )
    except httpx.HTTPError as error:
        errors.print(f"[red]the sales service at {url} cannot be reached:[/] {error}")
        raise typer.Exit(UNREACHED) from None
    try:
        report = Report.model_validate_json(answer.content)
    except ValidationError:
        errors.print(f"[red]not imported ({answer.status_code}):[/] {_detail(answer)}")
        unusable = answer.status_code in {400, 413, 415, 422}
        raise typer.Exit(UNUSABLE if unusable else UNREACHED) from None
    show(report, file.name, console)


def show(report: Report, name: str, console: Console) -> None:
    """Print the report of an import, with the reasons to correct each refused row."""
    console.print(f"[bold]{name}[/]: {counted(report.rows, 'row')} read")
    console.print(
        f"  [green]{report.taken} taken[/], {report.unchanged} unchanged, "
        f"[{'red' if report.refused else 'default'}]{report.refused} refused[/]; "
        f"{counted(report.accounts_published, 'account')} published"
    )
    if report.refusals:
        console.print(_table(report.refusals[:_MAX_SHOWN]))
        if len(report.refusals) > _MAX_SHOWN:
            console.print(f"  and {counted(len(report.refusals) - _MAX_SHOWN, 'more reason')}")
    for note in report.notes:
        console.print(f"  note: {note}", markup=False, highlight=False)


def _table(refusals: tuple[Refusal, ...]) -> Table:
    table = Table("row", "opportunity", "column", "reason", header_style="bold")
    for refusal in refusals:
        cells = (str(refusal.row), refusal.opportunity_id or "", refusal.field, refusal.reason)
        table.add_row(*(cell.replace("[", r"\[") for cell in cells))
    return table


def _products(file: Path, products: Path | None, console: Console) -> list[str]:
    """Return the product names of the chosen file, else of products.csv beside the export, if any.

    Raises ValueError where the file has no column `product`, OSError where it cannot be read.
    """
    beside = file.with_name("products.csv")
    chosen = products or (beside if beside.is_file() else None)
    if chosen is None:
        return []
    with chosen.open(newline="", encoding="utf-8-sig") as lines:
        rows = list(csv.DictReader(lines))
    if not rows or "product" not in rows[0]:
        raise ValueError(f"{chosen} has no column product")
    console.print(f"Product names are checked against {chosen}.", highlight=False)
    return [row["product"] for row in rows if row["product"]]


def _detail(answer: httpx.Response) -> str:
    """Return the detail of a problem, else the beginning of the body."""
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:200]


if __name__ == "__main__":
    typer.run(main)
