"""The OpenAPI documents of the five services, without running them."""

import json
import secrets
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from pydantic import SecretStr

from chassis.base.settings import Settings
from chassis.runtime.service import Service, create_app
from contracts.channels import DEPARTMENTS, Department

Documents = Mapping[Department, Path]
"""The file of each service's OpenAPI document."""


def write_documents(folder: Path) -> Documents:
    """Write the OpenAPI document of each service, and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = Settings(token_secret=SecretStr(secrets.token_urlsafe(48)))
    files = {}
    for name in DEPARTMENTS:
        service: Service = import_module(f"{name}.service").SERVICE
        files[name] = folder / f"{name}.json"
        files[name].write_text(json.dumps(create_app(service, settings).openapi(), indent=1))
    return files
