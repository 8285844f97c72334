"""Take over engagements that are under way: ``python -m local.take_over FILE_OR_FOLDER``.

Everything is checked first, against the accounts and companies that are published, too; while
anything is wrong, nothing is sent. Exit codes: 0 when every engagement was taken over, now or
before; 1 when a department refused or could not be reached; 2 when the files cannot be used.
"""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.table import Table

from chassis.domain.rules import EASTERNMOST
from contracts.counting import counted
from contracts.places import day_at
from local.take_over.checking import check
from local.take_over.reading import Problem, engagements_of, files_of, read
from local.take_over.records import DEPARTMENTS, Department
from local.take_over.sending import PATIENCE, Departments, Result

FAILED, UNUSABLE = 1, 2
_MOST_SHOWN = 200


def main(
    path: Annotated[Path, typer.Argument(help="A JSON file, or a folder of JSON files.")],
    token: Annotated[
        str, typer.Option(envvar="CONCORD_TOKEN", help="Token of a sales manager and operator.")
    ],
    sales: Annotated[
        str, typer.Option(envvar="CONCORD_SALES_URL", help="URL of Sales.")
    ] = "http://127.0.0.1:8101",
    legal: Annotated[
        str, typer.Option(envvar="CONCORD_LEGAL_URL", help="URL of Legal.")
    ] = "http://127.0.0.1:8102",
    delivery: Annotated[
        str, typer.Option(envvar="CONCORD_DELIVERY_URL", help="URL of Delivery.")
    ] = "http://127.0.0.1:8103",
    finance: Annotated[
        str, typer.Option(envvar="CONCORD_FINANCE_URL", help="URL of Finance.")
    ] = "http://127.0.0.1:8104",
    patience: Annotated[
        float, typer.Option(help="Seconds for which a service may be away.")
    ] = PATIENCE,
    *,
    incomplete: Annotated[
        bool, typer.Option("--incomplete", help="Departments without a record come later.")
    ] = False,
    only_check: Annotated[
        bool, typer.Option("--check", help="Check the files, and send nothing.")
    ] = False,
) -> None:
    """Take over engagements that are under way; a second run with the same files adds nothing."""
    urls: dict[Department, str] = {
        "sales": sales,
        "legal": legal,
        "delivery": delivery,
        "finance": finance,
    }
    departments = Departments(urls, token, patience=patience)
    code = asyncio.run(run(path, departments, incomplete=incomplete, only_check=only_check))
    raise typer.Exit(code)


async def run(
    path: Path, departments: Departments, *, incomplete: bool = False, only_check: bool = False
) -> int:
    """Check the files, send their records unless `only_check`, and return the exit code."""
    console, errors = Console(), Console(stderr=True, soft_wrap=True)
    try:
        return await _run(path, departments, console, errors, incomplete, only_check)
    except OSError as error:
        errors.print(f"{error}", markup=False, highlight=False)
        return UNUSABLE
    except httpx.HTTPError as error:
        sentence = f"accounts and companies cannot be read: {type(error).__name__} {error}"
        errors.print(sentence, markup=False, highlight=False)
        return FAILED
    finally:
        await departments.close()


async def _run(
    path: Path,
    departments: Departments,
    console: Console,
    errors: Console,
    incomplete: bool,
    only_check: bool,
) -> int:
    problems: list[Problem] = []
    given = [each for file in files_of(path) for each in read(file, problems)]
    accounts = await departments.names("sales", "accounts", "name")
    companies = await departments.names("finance", "companies", "legal_name")
    engagements = engagements_of(given, accounts, problems)
    today = day_at(datetime.now(UTC), EASTERNMOST)
    problems += check(engagements, accounts, companies, today, incomplete=incomplete)
    if problems:
        for each in problems[:_MOST_SHOWN]:
            errors.print(str(each), markup=False, highlight=False)
        more = f" (the first {_MOST_SHOWN} are shown)" if len(problems) > _MOST_SHOWN else ""
        errors.print(f"{len(problems)} problems{more}: nothing was sent.", highlight=False)
        return UNUSABLE
    if only_check:
        console.print(f"{counted(len(engagements), 'engagement')} can be sent.", highlight=False)
        return 0
    results = await departments.take_over(engagements, accounts)
    _show(results, console)
    return FAILED if any(each.failed for each in results) else 0


def _show(results: list[Result], console: Console) -> None:
    """Print what became of each engagement, and why something was refused."""
    table = Table("record", "engagement", *DEPARTMENTS, header_style="bold")
    for each in results:
        outcomes = (each.outcomes.get(name, "no record") for name in DEPARTMENTS)
        table.add_row(each.engagement.external_id, each.id, *outcomes)
    console.print(table)
    for each in results:
        for sentence in each.refusals:
            where = each.engagement.external_id
            console.print(f"{where}: {sentence}", markup=False, highlight=False, soft_wrap=True)
        for note in each.notes:
            where = each.engagement.external_id
            console.print(f"{where}: note: {note}", markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    typer.run(main)
