"""Test that the definitions of the five services leave nothing out."""

from importlib import import_module

import pytest

from chassis.runtime.service import Service
from local.platform import SERVICES


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_is_left_out_of_a_service(name: str) -> None:
    service: Service = import_module(f"{name}.service").SERVICE

    service.require_complete()
