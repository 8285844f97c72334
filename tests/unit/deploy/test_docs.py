"""The pages for newcomers name only what the code has."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
SERVICES = PROJECT / "services"
GATES = (PROJECT / "docs" / "gates.md").read_text()

ANY = r"[a-z-]+"
"""A part of a code, or a department, that is only known when the code runs."""

Row = dict[str, str]


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
        if isinstance(call.func, ast.Name) and call.func.id in {"gate", "Refused"}
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


@pytest.mark.parametrize(
    "page",
    ["README.md", "CONTRIBUTING.md", *(f"docs/{n}.md" for n in ("architecture", "gates", "style"))],
)
def test_a_page_names_only_files_that_exist(page: str) -> None:
    """Paths are relative to the project, `libs` or `services`; a name alone is in some package."""
    roots = [PROJECT, PROJECT / "libs", SERVICES]
    text = (PROJECT / page).read_text()
    for name in re.findall(r"`((?:[a-z][\w.-]*/)+[\w.-]*|[\w-]+\.(?:py|toml|txt|md))`", text):
        found = any((root / name).exists() for root in roots)
        assert found or any(SERVICES.rglob(name)) or name.endswith(".env"), name
