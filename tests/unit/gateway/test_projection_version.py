"""The gateway folds all events again where, and only where, code that projects them changed."""

import shutil
from pathlib import Path
from types import ModuleType

import pytest

from gateway.pages import event_texts
from gateway.projection.version import projecting_modules, projection_version
from gateway.projection.view_store import PROJECTION_VERSION

PROJECTING = [each.__name__ for each in projecting_modules()]


def copied(module: ModuleType, folder: Path) -> ModuleType:
    """Return a module of the same name whose source is a copy in the folder."""
    assert module.__file__ is not None
    copy = ModuleType(module.__name__)
    copy.__file__ = str(shutil.copy(module.__file__, folder / f"{module.__name__}.py"))
    return copy


@pytest.mark.parametrize("changed", PROJECTING)
def test_a_change_of_a_module_that_projects_is_another_version(
    tmp_path: Path, changed: str
) -> None:
    copies = {each.__name__: copied(each, tmp_path) for each in projecting_modules()}
    before = projection_version(copies.values())
    assert projection_version(copies.values()) == before

    with Path(str(copies[changed].__file__)).open("a") as source:
        source.write("# changed\n")

    assert projection_version(copies.values()) != before


def test_every_section_and_every_rule_is_covered_and_no_page() -> None:
    assert {
        "gateway.view.engagement_view",
        *(f"gateway.view.sections.{name}" for name in ("sales", "legal", "delivery", "finance")),
        "gateway.view.sections.gateway",
        "gateway.view.sections.steps",
        "gateway.rules.money",
        "gateway.rules.rule",
        "gateway.portfolio.figures",
        "gateway.portfolio.summary",
    } <= set(PROJECTING)
    assert not [name for name in PROJECTING if name.startswith(("gateway.pages", "gateway.api"))]
    assert event_texts.__name__ not in PROJECTING


def test_the_version_is_the_same_in_every_process_of_the_same_code() -> None:
    assert projection_version() == PROJECTION_VERSION
