"""The clients that `make clients` writes compile, have every answer, and work."""

import ast
import json
import re
import runpy
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from openapi_spec_validator import OpenAPIV31SpecValidator

from clients.documents import Documents, write_documents
from clients.generators import has_node, run
from clients.python import PACKAGE, write_python
from clients.typescript import compile_typescript, write_typescript
from contracts.channels import DEPARTMENTS, Department
from contracts.reference import AccountPublished, PersonPublished
from local.paths import HOST, free_port, is_listening, project
from sales.service import ENGAGEMENT, SERVICE
from tests.in_process_service import Served, token

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
needs_node = pytest.mark.skipif(not has_node(), reason="Node.js and npm are not installed")

GUIDE = project() / "docs/how-to/use-the-clients.md"
RECORDS = (
    AccountPublished(account="acme", name="Acme Logistics"),
    PersonPublished(person="ann", name="Ann Archer", department="sales"),
)


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Documents:
    return write_documents(tmp_path_factory.mktemp("openapi"))


@pytest.fixture(scope="module")
def python(documents: Documents, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clients") / "python"
    write_python(documents, folder)
    return folder


@pytest.fixture(scope="module")
def typescript(documents: Documents, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clients") / "typescript"
    write_typescript(documents, folder)
    return folder


@dataclass(frozen=True)
class Operation:
    """An operation of a document, and the schema of each answer by status."""

    name: str
    capability: str
    answers: Mapping[str, Any]


def operations(documents: Documents, service: Department) -> list[Operation]:
    document = json.loads(documents[service].read_text())
    shared = document["components"]["responses"]
    return [
        Operation(
            each["operationId"],
            each["tags"][0].replace("-", "_"),
            {
                status: next(iter(answer.get("content", {"": {}}).values())).get("schema")
                for status, reference in each["responses"].items()
                for answer in [shared.get(reference.get("$ref", "").rpartition("/")[2], reference)]
            },
        )
        for path in document["paths"].values()
        for each in path.values()
    ]


def python_type(name: str, schema: Any) -> str:
    """Return the type in Python of an answer of an operation; without a body, it is Any there."""
    if schema is None:
        return "Any"
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if schema["type"] == "array":
        return f"list[{python_type(name, schema['items'])}]"
    if schema["type"] == "string":
        return "File" if schema.get("format") == "binary" else "str"
    return f"{name.title().replace('_', '')}Response200"


def returned(module: Path) -> set[str]:
    """Return the types that `sync` of a generated module returns."""
    functions = {
        each.name: each
        for each in ast.parse(module.read_text()).body
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    result = functions["sync_detailed"].returns
    assert isinstance(result, ast.Subscript)
    return set(ast.unparse(result.slice).split(" | "))


@pytest.mark.parametrize("service", DEPARTMENTS)
def test_a_document_is_valid(documents: Documents, service: Department) -> None:
    document = json.loads(documents[service].read_text())
    assert [each.message for each in OpenAPIV31SpecValidator(document).iter_errors()] == []


@pytest.mark.parametrize("service", DEPARTMENTS)
def test_the_python_client_has_each_operation_with_each_answer(
    documents: Documents, python: Path, service: Department
) -> None:
    lost = []
    for each in operations(documents, service):
        module = python / PACKAGE / service / "api" / each.capability / f"{each.name}.py"
        types = returned(module)
        expected = {python_type(each.name, schema) for schema in each.answers.values()}
        assert ("Any" in expected) == ("204" in each.answers), each
        if types != expected:
            lost.append((each.name, expected, types))
    assert lost == []


def test_the_python_client_and_its_example_have_no_type_error(python: Path, tmp_path: Path) -> None:
    configuration = tmp_path / "mypy.ini"
    # The generator passes the arguments of __exit__ on as a tuple.
    configuration.write_text(
        "[mypy]\nstrict = True\n[mypy-*.client]\ndisable_error_code = arg-type\n"
    )
    (python / "example.py").write_text(example("python"))
    options = ["--config-file", str(configuration), "--cache-dir", str(tmp_path / "cache")]
    run([sys.executable, "-m", "mypy", *options, PACKAGE, "example.py"], python)


@needs_node
def test_the_typescript_client_and_its_example_compile(typescript: Path) -> None:
    (typescript / "src/example.ts").write_text(example("typescript"))
    compile_typescript(typescript)


@needs_node
@pytest.mark.parametrize("service", DEPARTMENTS)
def test_the_typescript_client_has_each_operation_with_each_answer(
    documents: Documents, typescript: Path, service: Department
) -> None:
    functions = (typescript / "src" / service / "sdk.gen.ts").read_text()
    types = (typescript / "src" / service / "types.gen.ts").read_text()
    lost = []
    for each in operations(documents, service):
        name = re.sub("_(.)", lambda found: found[1].upper(), each.name)
        if f"export const {name} = " not in functions:
            lost.append(each.name)
        for kind in ("Responses", "Errors"):
            begins = f"export type {name[0].upper()}{name[1:]}{kind} = {{"
            known = types.partition(begins)[2].partition("\n};")[0]
            statuses = [it for it in each.answers if (it < "4") == (kind == "Responses")]
            lost += [
                f"{each.name} {status}"
                for status in statuses
                if not re.search(rf"^ +'?{status}'?: (?!unknown|any)", known, re.MULTILINE)
            ]
    assert lost == []


def example(language: str) -> str:
    """Return the example of the guide in a language."""
    found = re.search(f"```{language}\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


@contextmanager
def listening(app: FastAPI) -> Iterator[str]:
    """Serve an application on a free port meanwhile, and yield its address."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(app, host=HOST, port=port, lifespan="off", log_config=None)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not is_listening(port):
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.05)
    try:
        yield f"http://{HOST}:{port}"
    finally:
        server.should_exit = True
        thread.join(30)


def test_the_example_opens_an_opportunity_reads_it_and_gets_a_refusal(
    python: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(python))
    program = python / "run_example.py"
    program.write_text(example("python"))
    today = datetime.now(UTC).date()
    with listening(Served(SERVICE, ENGAGEMENT, records=RECORDS, on=today).app()) as url:
        monkeypatch.setenv("CONCORD_SALES_URL", url)
        monkeypatch.setenv("CONCORD_TOKEN", token("ann", "account-executive"))
        runpy.run_path(str(program))
    assert capsys.readouterr().out.splitlines() == [
        "Customer portal prospecting",
        "409 proposal-unknown",
    ]
