"""Test that the definitions of the five services leave nothing out."""

import subprocess
import sys

import pytest

from local.platform import SERVICES


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_is_left_out_of_a_service(name: str) -> None:
    # In a process of its own, since other tests define events that no service knows.
    check = f"from {name}.service import SERVICE; SERVICE.require_complete()"

    done = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
