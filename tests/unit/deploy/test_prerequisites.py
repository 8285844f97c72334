"""Test that missing packages are installed where that is allowed, and reported otherwise."""

import os
from pathlib import Path

import pytest

from local import prerequisites
from local.prerequisites import KAFKA, Missing, ensure


class Machine:
    """A machine that has only the programs that a test adds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def has(self, program: str, script: str) -> None:
        file = self.folder / program
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)

    def has_java(self, version: str) -> None:
        self.has("java", f"""echo 'openjdk version "{version}" 2025-04-15' >&2""")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    return Machine(tmp_path)


def test_a_machine_that_has_all_is_not_changed(machine: Machine) -> None:
    machine.has_java("17.0.15")
    machine.has("mvn", "exit 0")
    reported: list[str] = []
    ensure(KAFKA, report=reported.append)
    assert reported == []


@pytest.mark.parametrize(("version", "known"), [("17.0.15", 17), ("25", 25), ("1.8.0_392", 1)])
def test_the_version_of_java_is_read(machine: Machine, version: str, known: int) -> None:
    machine.has_java(version)
    assert prerequisites.java_version() == known


def test_without_the_right_to_install_the_command_is_reported(machine: Machine) -> None:
    machine.has_java("11.0.2")
    machine.has("apt-get", "exit 1")
    with pytest.raises(Missing, match=r"Java 17 and Maven") as refused:
        ensure(KAFKA, report=pytest.fail)
    assert "sudo apt-get install --yes --no-install-recommends openjdk-17" in str(refused.value)


def test_with_sudo_only_what_is_missing_is_installed(machine: Machine) -> None:
    machine.has("sudo", 'test "$1" = --non-interactive && shift; exec "$@"')
    machine.has("true", "exit 0")
    machine.has_java("21")
    machine.has(
        "apt-get",
        f'case "$*" in *openjdk*) exit 7;; *install*maven*) echo > {machine.folder}/mvn; '
        f"/bin/chmod +x {machine.folder}/mvn;; esac",
    )
    reported: list[str] = []
    ensure(KAFKA, report=reported.append)
    assert reported[0].startswith("Installing Maven")
    assert reported[-1].startswith("Maven: installed in")


def test_a_failed_installation_reports_the_last_lines_of_its_output(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    machine.has("apt-get", "echo 'no such package'; exit 100")
    with pytest.raises(Missing, match="no such package"):
        ensure(KAFKA, report=lambda _: None)
