"""Replaying the commits of a stream, and the fingerprint by which a snapshot is accepted."""

import importlib.util
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest

from chassis.application.read_models import most_commits_behind
from chassis.domain.decider import Decider
from chassis.domain.stream import Stream
from chassis.eventstore.journal import Commit
from chassis.eventstore.snapshots import advanced, fingerprint_of, nothing_known
from chassis.eventstore.unreadable import UnreadableStream
from tests.component.sample_department import DEALS, Deal

SOURCE = """
from chassis.domain.state import Part

class State(Part):
    count: int = 0

def initial(subject: str) -> State:
    return State()
"""


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("folded_department", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["folded_department"] = module
    spec.loader.exec_module(module)
    return module


def fingerprint(path: Path) -> str:
    module = load(path)
    return fingerprint_of(Decider("sales", "engagement", module.initial, ()))


def test_the_fingerprint_changes_with_the_state_and_with_the_code(tmp_path: Path) -> None:
    state = tmp_path / "state.py"
    state.write_text(SOURCE)
    before = fingerprint(state)
    assert fingerprint(state) == before
    (tmp_path / "billing").mkdir()
    (tmp_path / "billing" / "rules.py").write_text("LIMIT = 3")
    with_more_code = fingerprint(state)
    state.write_text(SOURCE.replace("count", "number"))
    with_other_state = fingerprint(state)
    assert len({before, with_more_code, with_other_state}) == 3


def commit(number: int) -> Commit:
    return Commit(
        cause=f"ann/{number}",
        stream="engagement:E-1",
        number=number,
        position={"sales": number},
        actor="ann",
        at=datetime(2026, 3, 2, tzinfo=UTC),
    )


def test_a_missing_commit_is_an_error() -> None:
    known = advanced(DEALS, nothing_known(DEALS, "engagement:E-1"), commit(1))
    assert (known.open, known.stream.number, known.stream.position) == (True, 1, {"sales": 1})
    with pytest.raises(UnreadableStream, match=r"commit 2 .*: it is missing in the journal"):
        advanced(DEALS, known, commit(3))


def test_an_erased_stream_has_an_empty_state_and_keeps_its_number() -> None:
    erased = replace(commit(7), erases=(("delivery.reference", "person:bob@1"),))
    known = advanced(DEALS, nothing_known(DEALS, "engagement:E-1"), erased)
    assert (known.open, known.stream.number, known.stream.state) == (False, 7, Deal())
    assert advanced(DEALS, known, commit(8)).open


@pytest.mark.parametrize(
    ("size", "commits"), [(0, 20), (100_000, 20), (800_000, 160), (4_000_000, 800)]
)
def test_the_larger_a_state_the_more_commits_share_a_snapshot(size, commits):
    one = Stream("deal:D", Deal(), measured=size // 2, since=size - size // 2)
    assert most_commits_behind(one) == commits
