"""Send a CRM export to the sales service, print the report: ``python -m sales.importing FILE...``.

Exit codes: 0 when the export was read, even if rows were refused; 2 when the file is not a usable
export; 1 when the service cannot be reached or refuses the request for another reason.
"""

from io import BytesIO
from pathlib import Path
from typing import Annotated
from zipfile import ZIP_DEFLATED, ZipFile

import httpx
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from contracts.counting import counted
from sales.importing.import_runner import Report
from sales.importing.table import Refusal

UNREACHED, UNUSABLE = 1, 2
_TIMEOUT = 600.0
"""In seconds."""
_MAX_SHOWN = 200


def main(
    files: Annotated[
        list[Path], typer.Argument(help="The export: CSV files, or a folder of them.")
    ],
    token: Annotated[str, typer.Option(envvar="CONCORD_TOKEN", help="A sales manager's token.")],
    url: Annotated[
        str, typer.Option(envvar="CONCORD_SALES_URL", help="URL of the sales service.")
    ] = "http://127.0.0.1:8101",
    source: Annotated[str, typer.Option(help="Name of the CRM.")] = "crm",
    currency: Annotated[
        str | None, typer.Option(help="Currency of the amounts of rows that name none.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Such as cp1252.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="comma, semicolon, tab or pipe.")] = None,
    day_order: Annotated[str | None, typer.Option(help="day-first or month-first.")] = None,
    decimal: Annotated[
        str | None, typer.Option(help="Sign before decimals: point or comma.")
    ] = None,
    columns: Annotated[
        Path | None, typer.Option(help="JSON file: meanings of columns by their names.")
    ] = None,
    stages: Annotated[
        Path | None, typer.Option(help="JSON file: meanings of stages by the CRM's words.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="opportunities, accounts, teams or products.")
    ] = None,
) -> None:
    """Import a CRM export into Sales; importing it again changes nothing."""
    console, errors = Console(), Console(stderr=True)
    try:
        kind_of_body, content, name = _body(files, console)
        parameters = {
            "source": source,
            "currency": currency,
            "encoding": encoding,
            "delimiter": delimiter,
            "day-order": day_order,
            "decimal": decimal,
            "columns": columns.read_text(encoding="utf-8") if columns else None,
            "stages": stages.read_text(encoding="utf-8") if stages else None,
            "kind": kind,
        }
    except (OSError, ValueError) as error:
        errors.print(f"[red]cannot be read:[/] {error}")
        raise typer.Exit(UNUSABLE) from None
    try:
        answer = httpx.post(
            f"{url}/imports",
            params={
                parameter: value for parameter, value in parameters.items() if value is not None
            },
            content=content,
            headers={"Content-Type": kind_of_body, "Authorization": f"Bearer {token}"},
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
    show(report, name, console)


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


def _body(given: list[Path], console: Console) -> tuple[str, bytes, str]:
    """Return the media type, the content and a name of what is sent: a file, or an archive of some.

    Product names are checked against a `products.csv` beside a single file. Raises OSError where a
    file cannot be read, and ValueError where there is none or two have one name.
    """
    files = [
        file for each in given for file in (sorted(each.glob("*.csv")) if each.is_dir() else [each])
    ]
    if not files:
        raise ValueError("the folder has no CSV file")
    if len({file.name for file in files}) < len(files):
        raise ValueError("two files have the same name")
    products = files[0].with_name("products.csv")
    if len(files) == 1 and products.is_file() and files[0].name != products.name:
        console.print(f"Product names are checked against {products}.", highlight=False)
        files.append(products)
    if len(files) == 1:
        return "text/csv", files[0].read_bytes(), files[0].name
    archive = BytesIO()
    with ZipFile(archive, "w", ZIP_DEFLATED) as zipped:
        for file in files:
            zipped.writestr(file.name, file.read_bytes())
    return "application/zip", archive.getvalue(), ", ".join(file.name for file in files)


def _detail(answer: httpx.Response) -> str:
    """Return the detail of a problem, else the beginning of the body."""
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:200]


if __name__ == "__main__":
    typer.run(main)
