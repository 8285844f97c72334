"""Write the Python client: a package with one package for each service."""

import json
import re
import shutil
from pathlib import Path

from clients.documents import Documents
from clients.generators import python_generator, run

PACKAGE = "concord_clients"
_CONFIGURATION = {
    # Bodies that are files.
    "content_type_overrides": dict.fromkeys(
        ("*/*", "text/csv", "application/zip"), "application/octet-stream"
    ),
    "post_hooks": [
        "ruff check . --fix-only --select=F401,I --no-cache",
        "ruff format . --no-cache",
    ],
}
_FURTHER_TYPES = re.compile(
    r"(?P<first> {4}if isinstance\(body, File\):\n(?: {8}.*\n)+)"
    r"(?: {4}if isinstance\(body, File\):\n(?: {8}.*\n)+)+"
)
_FILE_BODY = re.compile(
    r'(_kwargs\["content"\] = body\.payload)\n(\s+headers\["Content-Type"\] = )("[^"]+")'
)
_PROJECT = f"""[project]
name = "concord-clients"
version = "1"
description = "Clients of the five Concord services."
requires-python = ">=3.11"
dependencies = ["attrs>=22.2.0", "httpx>=0.23.1,<0.29.0"]

[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[tool.hatch.build.targets.wheel]
packages = ["{PACKAGE}"]
"""


class Incomplete(RuntimeError):
    """The generator left a part of a document out; the message has its warnings."""


def write_python(documents: Documents, folder: Path) -> None:
    """Write the package into a new folder; raises Incomplete where the generator warns."""
    generator, package = python_generator(), folder / PACKAGE
    shutil.rmtree(folder, ignore_errors=True)
    package.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(_PROJECT)
    (package / "__init__.py").write_text('"""Clients of the five Concord services."""\n')
    (package / "py.typed").touch()
    for service, document in documents.items():
        printed = run(
            [
                *(generator, "generate", "--meta", "none"),
                *("--path", document),
                *("--config", _configuration(document)),
                *("--output-path", package / service),
            ]
        )
        if "WARNING" in printed or "Warning" in printed:
            raise Incomplete(f"{service}:\n{printed}")
        for module in (package / service / "api").rglob("*.py"):
            module.write_text(_with_types_of_files(module.read_text()))


def _configuration(document: Path) -> Path:
    """Write the configuration of the generator beside the document, and return its file.

    A model with a field of its own name is in a module with another name: in the code that reads
    it, the generator names one variable after the module and one after the field.
    """
    models = json.loads(document.read_text())["components"]["schemas"]
    own = {name: re.sub("(?<=[a-z0-9])(?=[A-Z])", "_", name).lower() for name in models}
    overrides = {
        name: {"class_name": name, "module_name": f"{module}_model"}
        for name, module in own.items()
        if module in models[name].get("properties", {})
    }
    file = document.with_suffix(".python.json")
    file.write_text(json.dumps({**_CONFIGURATION, "class_overrides": overrides}))
    return file


def _with_types_of_files(text: str) -> str:
    """Return a module that sends a file with its own media type, also in an asynchronous client.

    The generator sends a file with the last media type of the document. It reads the file while it
    sends, which an asynchronous client cannot.
    """
    text = _FURTHER_TYPES.sub(r"\g<first>", text)
    return _FILE_BODY.sub(r"\1.read()\n\2body.mime_type or \3", text)
