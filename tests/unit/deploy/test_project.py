"""Test the project's files: make targets are documented, and dependencies are pinned."""

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).parents[3]


def project() -> dict[str, Any]:
    return tomllib.loads((PROJECT / "pyproject.toml").read_text())


def make(*words: str) -> str:
    command = ["make", "--no-print-directory", "-C", str(PROJECT), *words]
    given = {"T": "tests/e2e", "K": "nothing", **os.environ}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=given).stdout


def test_help_lists_every_target_in_a_group() -> None:
    text = (PROJECT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z0-9-]+):", text, re.MULTILINE))
    assert targets == set(re.findall(r"^\.PHONY: (\S+)$", text, re.MULTILINE))
    listed = re.sub(r"\x1b\[\d*m", "", make("help"))
    groups = re.findall(r"^(\S.*)\n((?:  .*\n)+)", listed, re.MULTILINE)
    assert [name for name, _ in groups] == re.findall(r"^##@ (.*)$", text, re.MULTILINE)
    lines = [line.split() for _, group in groups for line in group.splitlines()]
    assert sorted(line[0] for line in lines) == sorted(targets)
    assert all(len(line) > 2 for line in lines)


def test_a_part_of_the_tests_runs_without_lint() -> None:
    part = make("--dry-run", "test", "T=tests/unit/sales", "K=competitor or owner")
    assert 'pytest tests/unit/sales -k "competitor or owner"' in part
    assert "ruff" not in part
    assert "prerequisites" not in part
    assert "prerequisites" in make("--dry-run", "test", "T=tests/component/test_http.py")


def test_without_a_part_everything_is_tested_whatever_the_environment() -> None:
    everything = make("--dry-run", "test")
    assert "ruff check" in everything
    assert "pytest -n auto --dist worksteal tests/unit\n" in everything
    assert '--ignore=tests/unit -m "not slow and not long"' in everything


def test_the_hooks_check_what_lint_checks() -> None:
    hooks = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text())["repos"]
    assert {each["repo"] for each in hooks} == {"local"}
    linted = make("--dry-run", "lint")
    for hook in hooks[0]["hooks"]:
        program, *words = hook["entry"].split()
        assert f"{program} {' '.join(word for word in words[:2] if '--' not in word)}" in linted


@pytest.mark.parametrize("package", ["contracts", "chassis", "common", "testkit"])
def test_a_library_says_that_it_has_types(package: str) -> None:
    assert (PROJECT / "libs" / package / "py.typed").exists()


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
