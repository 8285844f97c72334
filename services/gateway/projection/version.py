"""The version of the projection: it differs where the same events may give other documents."""

import sys
from collections.abc import Iterable
from functools import cache
from types import ModuleType
from typing import Any

from pydantic import TypeAdapter

from chassis.base.fingerprint import file_of, fingerprint
from gateway import rules
from gateway.portfolio import figures, summary
from gateway.rules import RULES, rule
from gateway.view import engagement_view
from gateway.view.engagement_view import SECTIONS, View


def projecting_modules() -> list[ModuleType]:
    """Return the modules that compute views, disconnects, figures and summaries from events."""
    names = {each.check.__module__ for each in RULES}
    names.update(*(steps.modules() for steps in SECTIONS.values()))
    found = [engagement_view, rules, rule, figures, summary]
    return [*found, *(sys.modules[name] for name in sorted(names))]


def projection_version(modules: Iterable[ModuleType] | None = None) -> str:
    """Return the fingerprint of the modules' sources, the contracts and the schema of a view."""
    found = projecting_modules() if modules is None else modules
    return fingerprint(map(file_of, found), _schema_of_view())


@cache
def _schema_of_view() -> dict[str, Any]:
    return TypeAdapter(View).json_schema()
