"""Install the system packages that are needed: Java and Maven for Kafka, Chromium for tests."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_OLDEST_JAVA = 17


class Missing(RuntimeError):
    """A program is missing and could not be installed; the message says what to do."""


@dataclass(frozen=True)
class Prerequisite:
    """A program of the system, a check that it is installed, and its Debian package."""

    what: str
    is_there: Callable[[], bool]
    package: str


def java_version() -> int | None:
    """Return the major version of the `java` on the path, or None."""
    java = shutil.which("java")
    if java is None:
        return None
    output = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', output)
    return int(found.group(1)) if found else None


def chromium() -> str | None:
    """Return the path of a Chromium on the path, or None."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def _has_java() -> bool:
    return (java_version() or 0) >= _OLDEST_JAVA


def _has_maven() -> bool:
    return shutil.which("mvn") is not None


def _has_chromium() -> bool:
    return chromium() is not None


KAFKA = (
    Prerequisite(f"Java {_OLDEST_JAVA}", _has_java, "openjdk-17-jre-headless"),
    Prerequisite("Maven", _has_maven, "maven"),
)
"""Needed to fetch and run Kafka."""

BROWSER = (Prerequisite("Chromium", _has_chromium, "chromium"),)
"""Needed by the browser tests."""


def ensure(wanted: Sequence[Prerequisite], *, report: Callable[[str], None] = print) -> None:
    """Install what is missing, with apt-get as root or by sudo without a password.

    Raises Missing, with the command to type, where that is not possible or fails.
    """
    missing = [one for one in wanted if not one.is_there()]
    if not missing:
        return
    names = " and ".join(one.what for one in missing)
    install = ["apt-get", "install", "--yes", "--no-install-recommends"]
    install += [one.package for one in missing]
    prefix = _rights()
    if prefix is None:
        raise Missing(
            f"Missing on this machine: {names}. On Debian or Ubuntu type:\n"
            f"    sudo {' '.join(install)}\n"
            "On other systems install it with your package manager. Then run this again."
        )
    report(f"Installing {names} through apt-get (up to a minute or two) ...")
    started = time.monotonic()
    _run([*prefix, "apt-get", "update"])
    _run([*prefix, *install])
    still = [one.what for one in missing if not one.is_there()]
    if still:
        raise Missing(f"apt-get succeeded, but {' and '.join(still)} is not on the path.")
    report(f"{names}: installed in {time.monotonic() - started:.0f} s.")


def _rights() -> list[str] | None:
    """Return the prefix for apt-get (none or sudo), or None where the user may not install."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and _succeeds(["sudo", "--non-interactive", "true"]):
        return ["sudo"]
    return None


def _succeeds(command: Sequence[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(
        command,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        last = "\n".join(done.stdout.splitlines()[-10:])
        raise Missing(f"`{' '.join(command)}` failed:\n{last}")
