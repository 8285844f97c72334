"""Send an export with the command, and print what became of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import httpx
import pytest
import typer
from typer.testing import CliRunner

from contracts.money import Money
from sales.importing.__main__ import main
from sales.importing.export import Total
from sales.importing.import_runner import Progress, Report
from sales.importing.table import Refusal

REPORT = Report(
    dry_run=True,
    rows=3,
    taken=1,
    updated=1,
    unchanged=0,
    refused=1,
    accounts_published=1,
    accounts_known=2,
    totals=(
        Total(
            outcome="won",
            stage="Closed Won",
            rows=2,
            value=Money(amount=Decimal(1_500), currency="EUR"),
        ),
    ),
    changes=(Refusal(row=3, opportunity_id="B", field="Amount", reason="recorded as 1"),),
    refusals=(Refusal(row=4, opportunity_id="C", field="Owner", reason="is missing"),),
    notes=("account: is missing and remains unknown (row 2)",),
)
PROBLEM = '{"code": "unusable-export", "detail": "name it (day-order=)"}'


class Service:
    """A service that keeps what it is sent, and answers with some lines."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, status: int, *lines: str) -> None:
        self.sent: dict[str, Any] = {}
        self._answer = httpx.Response(status, content="\n".join(lines))
        monkeypatch.setattr(httpx, "stream", self._stream)

    @contextmanager
    def _stream(self, method: str, url: str, **request: Any) -> Iterator[httpx.Response]:
        self.sent = {"at": f"{method} {url}", **request}
        yield self._answer


def run(*arguments: str | Path) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(main)
    result = CliRunner().invoke(app, [*map(str, arguments), "--token", "t"], env={"COLUMNS": "120"})
    return result.exit_code, result.output


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deals.csv").write_text("Record ID\n")
    (tmp_path / "teams.csv").write_text("Owner,Region\n")
    (tmp_path / "readme.md").write_text("no table")
    return tmp_path


def test_a_file_is_sent_with_its_parameters(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    service = Service(
        monkeypatch, 200, Progress(done=2, rows=3).model_dump_json(), REPORT.model_dump_json()
    )
    stages = folder / "stages.json"
    stages.write_text('{"Verbal yes": "negotiating"}')
    options = ("--currency", "EUR", "--day-order", "day-first", "--stages", stages, "--dry-run")
    code, output = run(folder / "deals.csv", *options)
    assert code == 0
    assert service.sent["content"] == b"Record ID\n"
    assert service.sent["headers"]["Content-Type"] == "text/csv"
    assert service.sent["params"] == {
        "source": "crm",
        "currency": "EUR",
        "day-order": "day-first",
        "stages": '{"Verbal yes": "negotiating"}',
        "dry-run": "true",
    }
    shown = " ".join(output.split())
    assert "nothing was recorded; an import would give:" in shown
    assert "1 taken, 1 updated, 0 unchanged, 1 refused; 1 account published, 2 known" in shown
    for cell in ("Closed Won", "1,500.00 EUR", "is missing", "recorded as 1", "(row 2)"):
        assert cell in shown


def test_a_folder_is_sent_as_an_archive(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    service = Service(monkeypatch, 200, REPORT.model_dump_json())
    assert run(folder)[0] == 0
    assert service.sent["headers"]["Content-Type"] == "application/zip"
    with ZipFile(BytesIO(service.sent["content"])) as archive:
        assert archive.namelist() == ["deals.csv", "teams.csv"]


def test_products_beside_a_file_are_sent_with_it(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    service = Service(monkeypatch, 200, REPORT.model_dump_json())
    (folder / "products.csv").write_text("product\nDesk\n")
    assert run(folder / "deals.csv")[0] == 0
    with ZipFile(BytesIO(service.sent["content"])) as archive:
        assert archive.namelist() == ["deals.csv", "products.csv"]


@pytest.mark.parametrize(
    ("status", "line", "code"), [(422, PROBLEM, 2), (403, PROBLEM, 1), (200, PROBLEM, 1)]
)
def test_an_import_that_is_refused_or_breaks_off_is_told(
    monkeypatch: pytest.MonkeyPatch, folder: Path, status: int, line: str, code: int
) -> None:
    Service(monkeypatch, status, Progress(done=1, rows=3).model_dump_json(), line)
    found, output = run(folder / "deals.csv")
    assert (found, "name it (--day-order)" in output) == (code, True)


def test_a_file_that_is_not_there_is_not_sent(folder: Path) -> None:
    for wrong in (folder / "nothing.csv", folder / "sub"):
        (folder / "sub").mkdir(exist_ok=True)
        assert run(wrong)[0] == 2
