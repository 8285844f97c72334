"""The catalogue of codes: sorted, complete, in one grammar, and without codes that nothing uses."""

import ast
import re
from pathlib import Path
from typing import get_args

import pytest

from contracts.refusals import PROBLEMS, REFUSALS, ProblemCode, RefusalCode

PROJECT = Path(__file__).parents[3]
CATALOGUE = PROJECT / "libs" / "contracts" / "refusals"


def strings() -> set[str]:
    """Return every string literal of the libraries and services, except in the catalogue."""
    files = [file for name in ("libs", "services") for file in (PROJECT / name).rglob("*.py")]
    return {
        node.value
        for file in files
        if CATALOGUE not in file.parents
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_every_code_has_a_sentence_and_the_codes_are_sorted() -> None:
    assert sorted(get_args(RefusalCode)) == list(REFUSALS) == sorted(REFUSALS)
    assert list(get_args(ProblemCode)) == list(PROBLEMS) == sorted(PROBLEMS)
    for sentence in (*REFUSALS.values(), *PROBLEMS.values()):
        assert re.fullmatch(r"[A-Z].*[^.]\.", sentence), sentence


def test_a_code_is_either_a_refusal_or_another_problem() -> None:
    assert not REFUSALS.keys() & PROBLEMS.keys()


@pytest.mark.parametrize("code", REFUSALS)
def test_a_code_names_the_thing_first(code: str) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", code)
    first = code.partition("-")[0]
    assert first not in {"no", "not", "unknown", "before", "beyond", "invalid", "own", "too"}
    assert first != "already" or code == "already-recorded"


def test_nothing_is_listed_that_is_not_used() -> None:
    assert {*REFUSALS, *PROBLEMS} - strings() == set()
