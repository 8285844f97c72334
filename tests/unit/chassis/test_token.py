"""The program that prints tokens for local use."""

import asyncio

import pytest
from typer import Typer
from typer.testing import CliRunner

from chassis.web.auth import Tokens
from local import token
from tests.component.sample_app import SECRET, settings

APP = Typer()
APP.command()(token.main)


@pytest.fixture
def say(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("CONCORD_TOKEN_SECRET", "CONCORD_HOME"):
        monkeypatch.delenv(name, raising=False)
    return lambda *words: CliRunner().invoke(APP, words)


@pytest.mark.parametrize(
    ("words", "actor", "roles"),
    [
        (("--as", "ann"), "ann", {"account-executive"}),
        (("--as", "operator"), "operator", {"operator"}),
        (
            ("--as", "somebody", "--roles", "counsel, historian"),
            "somebody",
            {"counsel", "historian"},
        ),
    ],
)
def test_a_token_is_good_for_whom_it_names(say, monkeypatch, words, actor, roles):
    monkeypatch.setenv("CONCORD_TOKEN_SECRET", SECRET)
    printed = say(*words)
    assert printed.exit_code == 0, printed.output
    caller = asyncio.run(Tokens(settings()).caller(printed.output.strip()))
    assert (caller.actor, set(caller.roles)) == (actor, roles)


def test_the_local_platform_keeps_the_secret_in_a_file(say, tmp_path):
    (tmp_path / ".concord" / "run").mkdir(parents=True)
    (tmp_path / ".concord" / "run" / "token-secret").write_text(SECRET + "\n")
    printed = say("--as", "oscar")
    assert asyncio.run(Tokens(settings()).caller(printed.output.strip())).may("operator")


def test_what_cannot_be_issued_is_said(say, monkeypatch):
    nothing = say("--as", "ann")
    assert nothing.exit_code == 2
    assert "CONCORD_TOKEN_SECRET is not set" in nothing.output
    monkeypatch.setenv("CONCORD_TOKEN_SECRET", SECRET)
    assert "there is no person or role" in say("--as", "nobody").output
    assert "unknown role astronaut" in say("--as", "ann", "--roles", "astronaut").output
