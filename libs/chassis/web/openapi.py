"""The OpenAPI document of a service, with names from which clients can be generated.

FastAPI names a model after its class, and a model whose class has the name of another one, a
generic one or one with another schema in requests than in answers in ways that no programming
language reads. Generators take the title of a model for its name, and two models with one title for
one model. So every model has one name here, which is also its title.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from chassis.web import problem_answers, problems
from chassis.web.auth import OPEN_TO_ALL

Schema = dict[str, Any]

_MODELS = "#/components/schemas/"
_VALUES = {"const", "default", "enum", "example", "examples", "x-codes"}
"""Keywords whose values are not schemas."""
_BY_NAME = {"properties", "patternProperties", "schemas", "headers"}
"""Keywords with objects whose keys are names."""
_SECURITY = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}


def operation_id(route: APIRoute) -> str:
    """Return the id of an operation without one of its own: the name of the endpoint."""
    return route.name


def document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of an application.

    Raises TypeError where two operations have one id, or two models that differ one name.
    """
    whole = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    parts = whole.setdefault("components", {})
    models = {**problems.schemas(), **parts.get("schemas", {})}
    for unused in ("HTTPValidationError", "ValidationError"):  # what FastAPI answers by itself
        models.pop(unused, None)
    paths = _named_operations(whole["paths"])
    names = model_names(models)
    whole["paths"] = _renamed(paths, names)
    parts["schemas"] = _renamed_models(models, names)
    parts["responses"] = _renamed(problem_answers.SHARED_ANSWERS, names)
    parts["securitySchemes"] = _SECURITY
    whole["security"] = [{"bearer": []}]
    return whole


def model_names(models: Mapping[str, Schema]) -> dict[str, str]:
    """Return the name of each model in the document, by the key that FastAPI gives it.

    ``Money-Input`` is `MoneyInput`, since requests have another schema than answers, which have
    `Money`. ``VersionView_AccountPublished_`` is `VersionViewAccountPublished`. A class of a
    department whose name another one has, too, begins with the department: `SalesQuestionAsked`. A
    class with a title is named by it.
    """
    return {key: _name(key, models) for key in models}


def _name(key: str, models: Mapping[str, Schema]) -> str:
    if match := re.fullmatch(r".*__(\w+?)_(\w+?)___\d+", key):  # generic, of namesakes
        whole, part = match.groups()
        fields = models[key]["properties"].values()
        targets = [each["$ref"].removeprefix(_MODELS) for each in fields if "$ref" in each]
        (of,) = (each for each in targets if each.endswith(f"__{part}"))
        return f"{whole}{_name(of, models)}"
    title = models[key].get("title", "")
    if re.fullmatch("[A-Z][A-Za-z0-9]*", title) and re.fullmatch("[A-Za-z0-9]+", key):
        return str(title)
    *modules, last = re.split("__(?=[A-Za-z])", key.removesuffix("-Output"))
    return "".join(
        f"{word[:1].upper()}{word[1:]}"
        for word in (*_owner(modules), *re.split("[^A-Za-z0-9]+", last))
    )


def _owner(modules: list[str]) -> list[str]:
    """Return the department of a module, or its package, in a list; an empty one for no module."""
    return modules[1:2] if modules[:1] == ["contracts"] else modules[:1]


def _renamed_models(models: Mapping[str, Schema], names: Mapping[str, str]) -> dict[str, Schema]:
    found: dict[str, Schema] = {}
    for key, model in models.items():
        name = names[key]
        renamed = {"title": name, **_renamed(model, names)}
        if found.setdefault(name, renamed) != renamed:
            raise TypeError(f"two models have the name {name} in the OpenAPI document")
    return dict(sorted(found.items()))


def _named_operations(paths: Mapping[str, Any]) -> dict[str, Any]:
    """Return the paths with the ids of operations as clients have them: ``win_deal``."""
    counted: Counter[str] = Counter()
    named: dict[str, Any] = {}
    for path, operations in paths.items():
        named[path] = {}
        for method, operation in operations.items():
            name = operation["operationId"].replace("-", "_")
            counted[name] += 1
            named[path][method] = {**_described(path, operation), "operationId": name}
    if twice := sorted(name for name, times in counted.items() if times > 1):
        raise TypeError(f"two operations have the id {', '.join(twice)}")
    return named


def _described(path: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    """Return the operation with its problems, or as one that needs no token."""
    if path not in OPEN_TO_ALL:
        return problem_answers.with_problems(operation)
    answers = {name: each for name, each in operation["responses"].items() if name != "422"}
    return {**operation, "responses": answers, "security": []}


def _renamed(part: Any, names: Mapping[str, str]) -> Any:
    """Return a part of the document with the names of models, and without titles of fields."""
    if isinstance(part, list):
        return [_renamed(each, names) for each in part]
    if isinstance(part, str) and part.startswith(_MODELS):
        return f"{_MODELS}{names[part.removeprefix(_MODELS)]}"
    if not isinstance(part, dict):
        return part
    renamed: Schema = {}
    for key, value in part.items():
        if key in _VALUES:
            renamed[key] = value
        elif key in _BY_NAME and isinstance(value, dict):
            renamed[key] = {name: _renamed(each, names) for name, each in value.items()}
        elif key != "title":
            renamed[key] = _renamed(value, names)
    return renamed
