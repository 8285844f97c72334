"""Decision records: numbered without a gap, made from one template, all in the index."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
FOLDER = PROJECT / "docs" / "adr"
RECORDS = sorted(FOLDER.glob("[0-9]*.md"))
STATUS = r"proposed|accepted|superseded by \[[0-9]{4}\]\([^)]+\)"


def sections(text: str) -> list[str]:
    return re.findall(r"^## (.+)$", text, re.MULTILINE)


def read(record: Path) -> tuple[str, str, str]:
    """Return the title, the date and the status of a record."""
    head = re.match(
        rf"# {record.name[:4]}\. (.+)\n\n- Status: ({STATUS})\n- Date: (\d{{4}}-\d\d-\d\d)\n",
        record.read_text(),
    )
    assert head, f"{record.name} does not begin as docs/adr/template.md does"
    return head[1], head[3], head[2]


def test_the_numbers_have_no_gap() -> None:
    assert [int(each.name[:4]) for each in RECORDS] == list(range(1, len(RECORDS) + 1))


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name[:4])
def test_a_record_follows_the_template(record: Path) -> None:
    read(record)
    assert sections(record.read_text()) == sections((FOLDER / "template.md").read_text())


def test_the_index_lists_every_record() -> None:
    rows = [
        f"| {each.name[:4]} | [{title}]({each.name}) | {date} | {status} |"
        for each in RECORDS
        for title, date, status in [read(each)]
    ]
    index = (FOLDER / "README.md").read_text().splitlines()
    assert [line for line in index if re.match(r"\| \d", line)] == rows


def test_a_record_that_is_cited_elsewhere_exists() -> None:
    files = [
        file
        for folder in ("libs", "services", "deploy", "docs")
        for file in (PROJECT / folder).rglob("*")
        if file.suffix in {".py", ".md", ".yaml", ".yml", ".toml"}
    ]
    cited = {
        link
        for file in files
        for link in re.findall(r"docs/adr/([0-9]{4}[a-z0-9-]*(?:\.md)?)", file.read_text())
    }
    assert cited
    names = {name for each in RECORDS for name in (each.name, each.name[:4])}
    assert cited <= names
