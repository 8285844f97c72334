"""Send a CRM export to the sales service, print the report: ``python -m sales.importing FILE...``.

Exit codes: 0 when the export was read, even if rows were refused; 2 when the file is not a usable
export; 1 when the service cannot be reached or refuses the request for another reason.
"""

import json
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Annotated, get_args
from zipfile import ZIP_DEFLATED, ZipFile

import httpx
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import Progress as ProgressBar
from rich.table import Table

from contracts.counting import counted
from sales.importing.export import Total
from sales.importing.import_runner import Progress, Report
from sales.importing.options import Parameter
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
    probability: Annotated[
        str | None, typer.Option(help="Of open deals: share (of one) or percent.")
    ] = None,
    columns: Annotated[
        Path | None, typer.Option(help="JSON file: meanings of columns by their names.")
    ] = None,
    stages: Annotated[
        Path | None, typer.Option(help="JSON file: meanings of stages by the CRM's words.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Report what the import would do; record nothing.")
    ] = False,
    kind: Annotated[
        str | None, typer.Option(help="opportunities, accounts, teams or products.")
    ] = None,
) -> None:
    """Import a CRM export into Sales; importing it again changes nothing."""
    console, errors = Console(), Console(stderr=True)
    try:
        kind_of_body, content, name = _body(files, console)
        parameters: dict[str, str | None] = {
            "source": source,
            "currency": currency,
            "encoding": encoding,
            "delimiter": delimiter,
            "day-order": day_order,
            "decimal": decimal,
            "probability": probability,
            "columns": columns.read_text(encoding="utf-8") if columns else None,
            "stages": stages.read_text(encoding="utf-8") if stages else None,
            "kind": kind,
            "dry-run": "true" if dry_run else None,
        }
    except (OSError, ValueError) as error:
        errors.print(f"[red]cannot be read:[/] {error}")
        raise typer.Exit(UNUSABLE) from None
    given = {parameter: value for parameter, value in parameters.items() if value is not None}
    headers = {"Content-Type": kind_of_body, "Authorization": f"Bearer {token}"}
    try:
        status, last = _sent(f"{url}/imports", given, headers, content, errors)
    except httpx.HTTPError as error:
        errors.print(f"[red]the sales service at {url} cannot be reached:[/] {error}")
        raise typer.Exit(UNREACHED) from None
    try:
        report = Report.model_validate_json(last)
    except ValidationError:
        errors.print(f"[red]not imported ({status}):[/] {_detail(last)}")
        unusable = status in {400, 413, 415, 422}
        raise typer.Exit(UNUSABLE if unusable else UNREACHED) from None
    show(report, name, console)


def _sent(
    url: str, params: dict[str, str], headers: dict[str, str], content: bytes, errors: Console
) -> tuple[int, str]:
    """Send the export and show the progress; return the status and the last line of the answer.

    Raises httpx.HTTPError where the service cannot be reached.
    """
    last = ""
    headers = {**headers, "Accept": "application/x-ndjson"}
    with (
        httpx.stream(
            "POST", url, params=params, headers=headers, content=content, timeout=_TIMEOUT
        ) as answer,
        ProgressBar(console=errors, transient=True) as bar,
    ):
        task = bar.add_task("importing", total=None)
        for line in answer.iter_lines():
            last = line or last
            with suppress(ValidationError):
                progress = Progress.model_validate_json(line)
                bar.update(task, completed=progress.done, total=progress.rows)
        return answer.status_code, last


def show(report: Report, name: str, console: Console) -> None:
    """Print the report of an import, with the reasons to correct each refused row."""
    console.print(f"[bold]{name}[/]: {counted(report.rows, 'row')} read", highlight=False)
    if report.dry_run:
        console.print("  nothing was recorded; an import would give:")
    refused = f"[{'red' if report.refused else 'default'}]{report.refused} refused[/]"
    console.print(
        f"  [green]{report.taken} taken[/], {report.updated} updated, "
        f"{report.unchanged} unchanged, {refused}; "
        f"{counted(report.accounts_published, 'account')} published, {report.accounts_known} known"
    )
    if report.totals:
        console.print(_totals(report.totals))
    for title, of, listed in (
        ("refused", "column", report.refusals),
        ("changed", "field", report.changes),
    ):
        if listed:
            console.print(_table(title, of, listed[:_MAX_SHOWN]))
        if len(listed) > _MAX_SHOWN:
            console.print(f"  and {counted(len(listed) - _MAX_SHOWN, 'more line')}")
    for note in report.notes:
        console.print(f"  note: {note}", markup=False, highlight=False)


def _totals(totals: tuple[Total, ...]) -> Table:
    table = Table("outcome", "stage", "rows", "value", header_style="bold")
    for total in totals:
        value = str(total.value) if total.value else "without a value"
        cells = (total.outcome, total.stage, str(total.rows), value)
        table.add_row(*(cell.replace("[", r"\[") for cell in cells))
    return table


def _table(title: str, of: str, refusals: tuple[Refusal, ...]) -> Table:
    table = Table("row", "opportunity", of, title, header_style="bold")
    for refusal in refusals:
        row = f"{refusal.file} {refusal.row}" if refusal.file else str(refusal.row)
        cells = (row, refusal.opportunity_id or "", refusal.field, refusal.reason)
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


def _detail(body: str) -> str:
    """Return the detail of a problem with our names of parameters, else the body's beginning."""
    try:
        detail = str(json.loads(body)["detail"])
    except (ValueError, KeyError, TypeError):
        return body[:200]
    for parameter in get_args(Parameter):
        detail = detail.replace(f"({parameter}=)", f"(--{parameter})")
    return detail


if __name__ == "__main__":
    typer.run(main)
