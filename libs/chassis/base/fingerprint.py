"""Fingerprint of code: it differs where the same events may lead to another result."""

from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from types import ModuleType

import contracts


def fingerprint(sources: Iterable[Path], schema: object) -> str:
    """Return a fingerprint of these source files, the contracts, and the text of a schema."""
    digest = blake2b(digest_size=8)
    digest.update(str(schema).encode())
    for source in sorted({*sources, *files_beside(contracts)}):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def file_of(module: ModuleType) -> Path:
    """Return the source file of a module; raises ValueError where it has none."""
    if module.__file__ is None:
        raise ValueError(f"the module {module.__name__} has no source file")
    return Path(module.__file__)


def files_beside(module: ModuleType) -> list[Path]:
    """Return the source files in and below the folder of a module, its own among them."""
    return list(file_of(module).parent.rglob("*.py"))
