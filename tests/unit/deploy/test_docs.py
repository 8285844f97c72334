"""The pages for newcomers name only what the code has."""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from chassis.eventstore.journal import kafka_key
from contracts.channels import CHANNELS
from contracts.event import EVENTS, decode
from contracts.reference import Reference
from delivery.service import SERVICE as DELIVERY
from finance.service import SERVICE as FINANCE
from legal.service import SERVICE as LEGAL
from sales.accounts.decisions import RecordAccount
from sales.service import ACCOUNT
from sales.service import SERVICE as SALES

PROJECT = Path(__file__).parents[3]
SERVICES = PROJECT / "services"
GATES = (PROJECT / "docs" / "gates.md").read_text()

ANY = r"[a-z-]+"
"""A part of a code, or a department, that is only known when the code runs."""

Row = dict[str, str]
DEPARTMENTS = (SALES, LEGAL, DELIVERY, FINANCE)


def tables(text: str) -> Iterator[list[Row]]:
    """Yield each Markdown table as rows by the headings of its columns."""
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in block.splitlines()]
        yield [dict(zip(lines[0], line, strict=True)) for line in lines[2:]]


def rows(column: str) -> list[Row]:
    return [row for table in tables(GATES) for row in table if column in row and "file" in row]


def code_in(cell: str) -> str:
    found = re.match(r"`([^`]+)`", cell)
    assert found, cell
    return found.group(1)


@cache
def functions(file: str) -> dict[str, ast.FunctionDef]:
    tree = ast.parse((SERVICES / file).read_text())
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def pattern(node: ast.expr) -> str:
    """Return what a string expression can be, as a regular expression."""
    match node:
        case ast.Constant(value=str(text)):
            return re.escape(text)
        case ast.JoinedStr(values=parts):
            return "".join(pattern(part) for part in parts)
        case ast.IfExp(body=body, orelse=orelse):
            return f"(?:{pattern(body)}|{pattern(orelse)})"
        case _:
            return ANY


def refusals(file: str, function: str) -> set[str]:
    """Return the codes with which a function refuses, by itself or through a gate."""
    return {
        pattern(call.args[0])
        for call in calls(functions(file)[function])
        if isinstance(call.func, ast.Name) and call.func.id in {"gate", "Refused", "refused_field"}
    }


def missing(file: str, function: str) -> set[tuple[str, str]]:
    """Return (code, who owes it) of what a function finds missing, as regular expressions."""
    return {
        (pattern(call.args[0]), pattern(call.args[2]) if len(call.args) > 2 else "")
        for call in calls(functions(file)[function])
        if isinstance(call.func, ast.Name) and call.func.id == "Missing"
    }


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args)


def place(row: Row) -> tuple[str, str]:
    return code_in(row["file"]), code_in(row["function"])


@pytest.mark.parametrize("row", rows("refused with"), ids=lambda row: row["refused with"])
def test_a_gate_refuses_with_the_code_that_the_page_names(row: Row) -> None:
    code, (file, function) = code_in(row["refused with"]), place(row)
    assert any(re.fullmatch(each, code) for each in refusals(file, function))
    if "command" in row:
        name = code_in(row["command"]).title().replace("-", "")
        assert functions(file)[function].args.args[1].annotation.id == name  # type: ignore[union-attr]


@pytest.mark.parametrize("row", rows("missing"), ids=lambda row: row["missing"])
def test_what_is_missing_and_who_owes_it_is_in_the_function_that_the_page_names(row: Row) -> None:
    code, owed_by = code_in(row["missing"]), row["owed by"].split(", ")
    found = {by for each, by in missing(*place(row)) if re.fullmatch(each, code)}
    assert found, f"{code} is not in {place(row)}"
    for name in owed_by:
        assert any(re.fullmatch(by, name) for by in found), f"{code} is owed by {found}"


@pytest.mark.parametrize("at", sorted({place(row) for row in rows("missing")}), ids=":".join)
def test_the_page_names_everything_that_a_function_finds_missing(at: tuple[str, str]) -> None:
    named = [
        (code_in(row["missing"]), row["owed by"]) for row in rows("missing") if place(row) == at
    ]
    for code, owed_by in missing(*at):
        owed = [by for each, by in named if re.fullmatch(code, each)]
        assert owed, f"{code} is not on the page"
        assert any(re.fullmatch(owed_by, name) for by in owed for name in by.split(", "))


def test_every_gate_is_on_the_page_and_every_gate_cited_is_one() -> None:
    assert re.findall(r"^## Gate (\d)", GATES, re.MULTILINE) == list("1234567")
    for file in SERVICES.rglob("*.py"):
        assert set(re.findall(r"\b[Gg]ate (\d+)", file.read_text())) <= set("1234567"), file


def pages(*folders: str) -> list[str]:
    """Return the pages for newcomers, and those of further folders of `docs`."""
    found = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md"]
    for folder in ("", "how-to", "runbooks", *folders):
        found += sorted((PROJECT / "docs" / folder).glob("*.md"))
    return [page.relative_to(PROJECT).as_posix() for page in found]


NO_FILES = {"application/json", "topic/partition/offset"}
"""Texts of the pages that look like the path of a file."""
EXAMPLES = {"note-competitor", "competitor-noted", "concord.sales.competitor-noted.v1"}
"""Names of the example in docs/how-to/add-an-event.md."""


@pytest.mark.parametrize("page", pages())
def test_a_page_names_only_files_that_exist(page: str) -> None:
    """Paths are relative to the project, `libs` or `services`; a name alone is in some package."""
    roots = [PROJECT, PROJECT / "libs", SERVICES]
    text = (PROJECT / page).read_text()
    for name in re.findall(r"`((?:[a-z][\w.-]*/)+[\w.-]*|[\w-]+\.(?:py|toml|txt|md))`", text):
        found = any((root / name).exists() for root in roots)
        inside = any(
            any(root.rglob(name)) for root in (SERVICES, PROJECT / "libs", PROJECT / "tests")
        )
        assert found or inside or name.endswith(".env") or name in NO_FILES, name


@pytest.mark.parametrize("page", pages("adr"))
def test_a_link_leads_to_a_page_and_its_heading(page: str) -> None:
    text = (PROJECT / page).read_text()
    for link, heading in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", text):
        if "://" in link or link.startswith("NNNN"):
            continue
        target = (PROJECT / page).parent / link if link else PROJECT / page
        assert target.exists(), link
        if heading:
            assert heading in {anchor(each) for each in headings(target)}, heading


def headings(page: Path) -> list[str]:
    return re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)


def anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", pages("adr"))
def test_a_page_names_only_targets_of_the_makefile(page: str) -> None:
    text = (PROJECT / page).read_text()
    code = [
        *re.findall(r"`(make [^`\n]+)`", text),
        *re.findall(r"^\s*(make .+)$", text, re.MULTILINE),
    ]
    for line in code:
        target = next(each for each in line.split()[1:] if not each.startswith("-"))
        assert re.search(rf"^{target}:", makefile(), re.MULTILINE), line


@cache
def makefile() -> str:
    return (PROJECT / "Makefile").read_text()


@cache
def words_of_the_code() -> frozenset[str]:
    """Return all names in the code and its settings: identifiers, and words joined by dashes."""
    words: set[str] = set()
    for folder in ("libs", "services", "deploy", "tests", "bench"):
        for file in (PROJECT / folder).rglob("*"):
            if (
                file.suffix in {".py", ".toml", ".yaml", ".html", ".js"}
                or file.name == "Dockerfile"
            ):
                words |= set(re.findall(r"\w+(?:-\w+)*", file.read_text()))
    words |= set(re.findall(r"\w+(?:-\w+)*", makefile() + (PROJECT / "pyproject.toml").read_text()))
    return frozenset(words)


@pytest.mark.parametrize("page", pages())
def test_a_page_names_only_events_commands_codes_and_identifiers_of_the_code(page: str) -> None:
    prose = re.sub(r"```.*?```", "", (PROJECT / page).read_text(), flags=re.DOTALL)
    commands = {
        name
        for service in DEPARTMENTS
        for decider in service.all_deciders
        for name in decider.by_name
    }
    for name in re.findall(r"`([^`\n]+)`", prose):
        if name in EXAMPLES:
            continue
        if name.startswith("concord.") and name.endswith(".v1"):
            channels = {channel.name for channel in CHANNELS.values()}
            known = name in EVENTS or name[len("concord.") : -len(".v1")] in channels
            assert known, f"there is neither an event nor a channel {name}"
        elif re.fullmatch(r"[a-z]+(?:-[a-z]+)+", name):
            known = name in commands or name in words_of_the_code()
            known |= any(each.endswith(f".{name}.v1") for each in EVENTS)
            assert known, f"nothing is called {name}"
        elif re.fullmatch(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", name) and not name.isupper():
            assert name.rpartition(".")[2] in words_of_the_code(), f"nothing is called {name}"


PARTNER_GUIDE = (PROJECT / "docs" / "partner-guide.md").read_text()


def test_the_partner_guide_names_every_topic() -> None:
    named = set(re.findall(r"`(concord\.[a-z.]+\.v1)`", PARTNER_GUIDE))
    assert named == {channel.topic() for channel in CHANNELS.values()}


def test_a_reference_record_is_identified_by_kind_id_and_version() -> None:
    """Check the rule of the guide on an example of every kind, as all are versions of one id."""
    folder = PROJECT / "libs" / "contracts" / "examples"
    records = [
        replace(decode((folder / f"{name}.json").read_bytes()), subject="x", sequence=1)
        for name, event in EVENTS.items()
        if issubclass(event, Reference)
    ]
    kinds = {each.event.kind for each in records if isinstance(each.event, Reference)}
    assert {kafka_key(each) for each in records} == {f"{kind}:x@1" for kind in kinds}
    assert len(kinds) == len(records)
    assert {"company", "ledger"} <= kinds
    assert "kind, id and version" in PARTNER_GUIDE


ENDS = "closed|declined|expired|lost|rejected|released|reopened|resolved|resumed|revised|terminated"
"""Last words of the names of events that end or correct an earlier one, with those of the test."""


def test_the_partner_guide_explains_every_open_event_that_ends_or_corrects_another() -> None:
    (table,) = (each for each in tables(PARTNER_GUIDE) if "effect on an earlier one" in each[0])
    named = {name for row in table for name in re.findall(r"`([a-z-]+)`", " ".join(row.values()))}
    for type_, event in EVENTS.items():
        name = type_.split(".")[-2]
        if not event.channel.confidential and re.search(
            rf"-({ENDS}|note-issued|voided|withdrawn)$", name
        ):
            assert name in named, name


def test_the_messages_for_what_is_left_out_are_those_of_the_code() -> None:
    """Compare without names (a type of event, a command), which are filled in by the code."""
    folders = [PROJECT / "libs", SERVICES, PROJECT / "tests" / "unit" / "contracts"]
    files = [file for each in folders for file in each.rglob("*.py")]
    files.append(PROJECT / "tests" / "unit" / "examples.py")
    code = "\n".join(file.read_text() for file in files)
    page = (PROJECT / "docs" / "how-to" / "add-an-event.md").read_text()
    (table,) = (each for each in tables(page) if "message" in each[0])
    messages = [code_in(row["message"]) for row in table if row["message"].startswith("`")]
    assert len(messages) >= 8
    for message in messages:
        for words in re.split(
            r"concord\S+\b:?|sales\.competition|note-competitor|legal|…", message
        ):
            assert words.strip(" :") in code, message


def test_the_account_in_the_example_of_the_readme_is_that_of_the_demo() -> None:
    named = re.findall(r'"account": "([^"]+)"', (PROJECT / "README.md").read_text())
    record = RecordAccount(name="Novamed Clinics")
    assert named == [ACCOUNT.commands[RecordAccount].new_id(record, "any request")]
