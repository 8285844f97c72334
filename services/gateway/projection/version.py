"""The version of the projection: it differs where the same events may give other documents."""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import TypeAdapter

from chassis.base.fingerprint import file_of, fingerprint
from gateway.view.engagement_view import View

_WRITER = "gateway.projection.view_store"
"""The module that writes the documents. All that it imports may change them."""
_COVERED = ("gateway", "chassis.domain")
"""Packages whose modules are covered where the writer imports them, directly or not."""


@cache
def projecting_modules() -> tuple[ModuleType, ...]:
    """Return the modules that compute the gateway's documents, the writer first.

    They are found by imports, including those inside functions, so that none can be forgotten.
    """
    found: dict[str, ModuleType] = {}
    waiting = [_WRITER]
    while waiting:
        name = waiting.pop()
        if name not in found and _is_covered(name):
            found[name] = import_module(name)
            waiting += _imported(file_of(found[name]))
    return tuple(found.values())


def _is_covered(name: str) -> bool:
    # A name imported from a module may be a module of its own, or anything else.
    return name.startswith(tuple(f"{each}." for each in _COVERED)) and _is_module(name)


def _is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # its parent is a module, not a package
        return False


def _imported(source: Path) -> Iterator[str]:
    """Yield the names that a source file imports, whether modules or names in modules."""
    for node in ast.walk(ast.parse(source.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)


def projection_version(modules: Iterable[ModuleType]) -> str:
    """Return the fingerprint of the modules' sources, the contracts and the schema of a view."""
    return fingerprint(map(file_of, modules), _schema_of_view())


@cache
def current_version() -> str:
    """Return the version of the projection in this process; it parses its sources (0.5 s)."""
    return projection_version(projecting_modules())


@cache
def _schema_of_view() -> dict[str, Any]:
    return TypeAdapter(View).json_schema()
