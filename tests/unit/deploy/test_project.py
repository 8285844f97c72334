"""Test the project's files: make targets are documented, and dependencies are pinned."""

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[3]


def project() -> dict[str, Any]:
    return tomllib.loads((PROJECT / "pyproject.toml").read_text())


def test_help_lists_every_target() -> None:
    text = (PROJECT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z0-9-]+):", text, re.MULTILINE))
    assert targets == set(re.findall(r"^\.PHONY: (\S+)$", text, re.MULTILINE))
    listed = subprocess.run(
        ["make", "--no-print-directory", "-C", str(PROJECT), "help"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    lines = [re.sub(r"\x1b\[\d+m", "", line).split() for line in listed.splitlines()]
    assert {line[0] for line in lines} == targets
    assert all(len(line) > 2 for line in lines)


def test_documented_targets_and_linked_files_exist() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    pages = [PROJECT / "README.md", *(PROJECT / "docs").rglob("*.md")]
    text = "\n".join(page.read_text() for page in pages)
    typed = set(re.findall(r"(?:^ *|`|\()make (?:-s )?([a-z]+)", text, re.MULTILINE))
    assert {"run", "demo", "token"} <= typed <= targets
    for page in pages:
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page}: {link}"


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_pins_every_package_by_hash_and_names_no_index(name: str) -> None:
    text = (PROJECT / name).read_text()
    assert "://" not in text
    assert "--index" not in text
    for package in re.split(r"\n(?=\S)", text.strip()):
        assert re.match(r"[a-z0-9-]+==[^ ]+ ", package), package
        assert "--hash=sha256:" in package, package


def test_the_runtime_lock_is_part_of_the_other() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^(\S+==\S+)", (PROJECT / name).read_text(), re.MULTILINE))

    assert pins("requirements.lock") <= pins("requirements-dev.lock")


def test_every_direct_dependency_is_locked() -> None:
    declared = project()["project"]
    locked = set(
        re.findall(r"^(\S+)==", (PROJECT / "requirements-dev.lock").read_text(), re.MULTILINE)
    )
    for line in [*declared["dependencies"], *declared["optional-dependencies"]["dev"]]:
        match = re.match(r"[\w-]+", line)
        assert match
        assert match.group().lower() in locked


def test_packages_are_found_by_their_own_names() -> None:
    packages = project()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    roots = project()["tool"]["importlinter"]["root_packages"]
    shipped = set(roots) - {"testkit"}  # used by tests only
    assert {Path(package).name for package in packages} == shipped
    for package in packages:
        assert Path(package).parts[0] in project()["tool"]["hatch"]["build"]["dev-mode-dirs"]


def test_generated_files_are_ignored_by_git() -> None:
    ignored = (PROJECT / ".gitignore").read_text().split()
    assert {"/.concord/", "/.venv/", ".env"} <= set(ignored)
