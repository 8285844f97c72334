"""Install the generators from their lock files, once for each content of these."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from local.paths import cache

_HERE = Path(__file__).parent


class Failed(RuntimeError):
    """A program did not succeed; the message has what it printed."""


def has_node() -> bool:
    """Return whether Node.js and npm are installed."""
    return all(shutil.which(program) for program in ("node", "npm"))


def run(command: Sequence[str | Path], folder: Path | None = None) -> str:
    """Return what a program prints; raises Failed where it does not succeed.

    The program finds those in its own folder, as it does in an active environment.
    """
    beside = Path(shutil.which(command[0]) or command[0]).parent
    done = subprocess.run(
        [str(each) for each in command],
        cwd=folder,
        env={**os.environ, "PATH": f"{beside}{os.pathsep}{os.environ.get('PATH', '')}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Failed(f"{command[0]}:\n{done.stdout}")
    return done.stdout


def python_generator() -> Path:
    """Return the program that writes Python clients."""
    lock = _HERE / "requirements.lock"
    return _installed("python", lock, partial(_install_python, lock)) / "bin/openapi-python-client"


def typescript_generator() -> Path:
    """Return the folder of the programs that write and check clients in TypeScript."""
    lock = _HERE / "package-lock.json"
    return _installed("typescript", lock, _install_typescript) / "node_modules/.bin"


def _installed(name: str, lock: Path, install: Callable[[Path], None]) -> Path:
    folder = cache() / "client-generators" / name
    copy = folder / "installed.lock"
    if not copy.exists() or copy.read_bytes() != lock.read_bytes():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        install(folder)
        shutil.copyfile(lock, copy)
    return folder


def _install_python(lock: Path, folder: Path) -> None:
    uv = [sys.executable, "-m", "uv"]
    run([*uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, folder])
    python = folder / "bin/python"
    run([*uv, "pip", "install", "--quiet", "--require-hashes", "--python", python, "-r", lock])


def _install_typescript(folder: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(_HERE / name, folder / name)
    run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)
