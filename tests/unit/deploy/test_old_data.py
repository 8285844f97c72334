"""Data that an earlier version wrote are refused with the command that deletes them."""

from pathlib import Path

import pytest

from local.platform import Layout, OldDataError


def layout_in(folder: Path) -> Layout:
    return Layout(folder, {})


def test_new_data_are_taken_up_again(tmp_path: Path) -> None:
    layout = layout_in(tmp_path)
    layout.check_data()
    (layout.data / "kafka").mkdir()
    layout.check_data()


def test_data_of_an_earlier_version_name_the_command_that_helps(tmp_path: Path) -> None:
    layout = layout_in(tmp_path)
    (layout.data / "kafka").mkdir(parents=True)
    with pytest.raises(OldDataError, match="make run FRESH=1"):
        layout.check_data()
