"""The gateway folds all events again where, and only where, code that projects them changed."""

import shutil
from pathlib import Path
from pkgutil import walk_packages
from types import ModuleType

import pytest

import contracts
from chassis.base.fingerprint import _BESIDE_EVENTS, contracts_of_events, file_of
from chassis.eventstore.snapshots import fingerprint_of
from gateway.projection.version import (
    _imported,
    current_version,
    projecting_modules,
    projection_version,
)
from gateway.rules import RULES
from gateway.view import sections
from tests.component.sample_department import DEALS

PROJECTING = [each.__name__ for each in projecting_modules()]
SECTIONS = tuple(walk_packages(sections.__path__, f"{sections.__name__}."))


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


def test_all_that_computes_documents_is_covered_and_no_page() -> None:
    assert {
        "chassis.domain.ids",
        "chassis.domain.latest_ids",
        "gateway.view.engagement_view",
        "gateway.view.waiting",
        *(each.name for each in SECTIONS if not each.ispkg),
        *(each.check.__module__ for each in RULES),
        "gateway.rules.rule",
        "gateway.portfolio.figures",
        "gateway.portfolio.summary",
        "gateway.portfolio.totals",
        "gateway.projection.view_store",
    } <= set(PROJECTING)
    assert not [name for name in PROJECTING if name.startswith(("gateway.pages", "gateway.api"))]


def versions() -> tuple[str, str]:
    """Return the version of the projection and the fingerprint of a department's snapshots."""
    return projection_version(projecting_modules()), fingerprint_of(DEALS)


@pytest.mark.parametrize(
    ("name", "is_covered"),
    [
        ("line_faults.py", False),
        ("refusals/work.py", False),
        ("release.py", False),
        ("roles.py", True),
        ("values.py", True),
        ("delivery/changes.py", True),
    ],
)
def test_of_the_contracts_only_what_events_need_is_covered(
    monkeypatch: pytest.MonkeyPatch, name: str, is_covered: bool
) -> None:
    before, read = versions(), Path.read_bytes
    changed = file_of(contracts).parent / name
    assert changed.exists()
    monkeypatch.setattr(
        Path, "read_bytes", lambda path: read(path) + b"# changed" * (path == changed)
    )
    assert [now != then for now, then in zip(versions(), before, strict=True)] == [is_covered] * 2


def test_no_event_and_no_view_imports_a_contract_that_is_left_out() -> None:
    for source in [*contracts_of_events(), *map(file_of, projecting_modules())]:
        packages = {".".join(name.split(".")[:2]) for name in _imported(source)}
        assert not packages & {f"contracts.{name}" for name in _BESIDE_EVENTS}, source


def test_the_version_is_the_same_in_every_process_of_the_same_code() -> None:
    assert projection_version(projecting_modules()) == current_version()
