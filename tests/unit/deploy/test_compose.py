"""Test docker-compose.yml: complete, hardened, and with settings that the services accept."""

import importlib.resources
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from chassis.base.settings import Settings
from chassis.runtime.health import PROBE_TIMEOUT, READY_WITHIN
from local.kafka import version
from local.platform import HEALTH_TIMEOUT, SERVICES
from tests.infrastructure import STORE_IMAGE

PROJECT = Path(__file__).parents[3]
FILE = PROJECT / "docker-compose.yml"
SECRET = "m7Zx-Rk1v_9qLw3TbY8sNc2HdJ5gPfQe"
OURS = [*SERVICES, "topics"]
WITHIN = 20.0
"""Timeout, in seconds, of a program named docker."""


def compose() -> dict[str, Any]:
    def fill(found: re.Match[str]) -> str:
        name, default = found.group(1), found.group(2)
        return default if default is not None else {"CONCORD_TOKEN_SECRET": SECRET}[name]

    text = re.sub(r"\$\{(\w+)(?::-([^}]*)|:\?[^}]*)\}", fill, FILE.read_text())
    read: dict[str, Any] = yaml.safe_load(text)
    return read


COMPOSE = compose()
PARTS: dict[str, dict[str, Any]] = COMPOSE["services"]


def test_it_is_a_valid_compose_file() -> None:
    schemas = importlib.resources.files("check_jsonschema") / "builtin_schemas" / "vendor"
    schema = json.loads((schemas / "compose-spec.json").read_text())
    jsonschema.validate(COMPOSE, schema)


def test_every_part_is_there() -> None:
    assert {*OURS, "kafka", "store", "store-init", "collector", "jaeger"} == set(PARTS)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_accepts_its_settings(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    part = PARTS[name]
    assert part["command"] == [f"{name}.service"]
    told = part["environment"]
    unknown = {key.removeprefix("CONCORD_").lower() for key in told} - set(Settings.model_fields)
    assert not unknown
    for key, value in told.items():
        monkeypatch.setenv(key, value)
    settings = Settings.from_environment()
    assert settings.store_database == name
    assert settings.mode == "container"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_a_readiness_check(name: str) -> None:
    check = " ".join(PARTS[name]["healthcheck"]["test"])
    assert f":{PARTS[name]['environment']['CONCORD_SERVICE_PORT']}/ready" in check
    (asked_within,) = re.findall(r"timeout=([0-9.]+)\)", check)
    (probed_within,) = re.findall(r"^([0-9]+)s$", PARTS[name]["healthcheck"]["timeout"])
    assert float(probed_within) > float(asked_within) >= PROBE_TIMEOUT > READY_WITHIN
    needs = PARTS[name]["depends_on"]
    assert needs["topics"]["condition"] == "service_completed_successfully"


def test_the_local_runner_and_all_probes_wait_equally_long() -> None:
    assert HEALTH_TIMEOUT >= PROBE_TIMEOUT


@pytest.mark.parametrize("name", PARTS)
def test_a_part_may_do_no_more_than_it_needs(name: str) -> None:
    part = PARTS[name]
    assert part["cap_drop"] == ["ALL"]
    assert part["security_opt"] == ["no-new-privileges:true"]
    assert part["user"].split(":")[0] not in {"0", "root"}
    assert not part.get("privileged")
    assert {"cpus", "memory"} <= set(part["deploy"]["resources"]["limits"])
    # Kafka's image writes its configuration at the start.
    assert part.get("read_only", False) or name == "kafka"


@pytest.mark.parametrize("name", PARTS)
def test_ports_are_published_on_the_loopback_only(name: str) -> None:
    part = PARTS[name]
    for port in part.get("ports", []):
        assert port.startswith("127.0.0.1:")
    if "ports" not in part:
        assert part["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"]["internal"] is True


@pytest.mark.parametrize("name", PARTS)
def test_images_are_named_with_a_version(name: str) -> None:
    _, _, tag = PARTS[name]["image"].partition(":")
    assert tag
    assert tag != "latest"


def test_kafka_and_the_store_are_those_of_the_tests() -> None:
    assert PARTS["kafka"]["image"] == f"apache/kafka:{version()}"
    assert PARTS["store"]["image"] == PARTS["store-init"]["image"] == STORE_IMAGE
    assert PARTS["kafka"]["environment"]["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_nothing_of_the_clone_is_mounted() -> None:
    """Check that no file is mounted: after `umask 077` the containers' users could not read it."""
    for part in PARTS.values():
        for volume in part.get("volumes", []):
            assert volume.split(":")[0] in COMPOSE["volumes"]


def test_no_secret_is_in_the_tree() -> None:
    assert SECRET not in FILE.read_text()
    # An example lists what has to be set, without values.
    for line in (PROJECT / "deploy" / "compose" / "example.env").read_text().splitlines():
        assert line.startswith("#") or line.endswith("="), line


def test_the_collector_sends_traces_on() -> None:
    scheme, _, variable = PARTS["collector"]["command"][0].removeprefix("--config=").partition(":")
    assert scheme == "env"
    settings = yaml.safe_load(PARTS["collector"]["environment"][variable])
    for pipeline in settings["service"]["pipelines"].values():
        for kind in ("receivers", "processors", "exporters"):
            assert set(pipeline[kind]) <= set(settings[kind])
    assert "otlp/jaeger" in settings["service"]["pipelines"]["traces"]["exporters"]
    told = PARTS["sales"]["environment"]["CONCORD_OTLP_ENDPOINT"]
    assert told.endswith(
        settings["receivers"]["otlp"]["protocols"]["http"]["endpoint"].partition(":")[2]
    )


def test_the_image_runs_as_nobody_from_the_lock() -> None:
    text = (PROJECT / "deploy" / "Dockerfile").read_text()
    assert re.search(r"^USER 10001:10001$", text, re.MULTILINE)
    assert "--require-hashes" in text
    for source in re.findall(r"^COPY (?!--from)(\S+) ", text, re.MULTILINE):
        assert (PROJECT / source).exists()
        assert f"!{source}" in (PROJECT / ".dockerignore").read_text().split()


def test_the_image_can_be_read_by_its_user_whatever_the_clone_s_umask(tmp_path: Path) -> None:
    """Run the image's steps on a copy of a clone with `umask 077`, since COPY keeps modes."""
    text = (PROJECT / "deploy" / "Dockerfile").read_text().replace("\\\n", " ")
    final = text[text.rindex("\nFROM ") :]
    image = tmp_path / "image"
    for source, target in re.findall(r"^COPY (?!--)(\S+) (\S+)$", final, re.MULTILINE):
        copy = image / target.lstrip("/")
        leave_out = shutil.ignore_patterns("__pycache__")
        shutil.copytree(PROJECT / source, copy, ignore=leave_out)
        for path in [copy, *copy.rglob("*")]:
            path.chmod(path.stat().st_mode & 0o700)
    (step,) = re.findall(r"chmod [^&|;\n]+", final)
    *command, on = step.split()
    subprocess.run([*command, str(image) + on], check=True)
    for path in image.rglob("*"):
        wanted = 0o555 if path.is_dir() else 0o444
        assert path.stat().st_mode & wanted == wanted, path
        assert not path.stat().st_mode & 0o022, path
    assert list(image.rglob("service.py"))


def test_compose_itself_reads_it(tmp_path: Path) -> None:
    answer = compose_config(tmp_path)
    if answer is None:
        pytest.skip("no docker compose here")
    assert answer.returncode == 0, answer.stderr


def compose_config(folder: Path) -> "subprocess.CompletedProcess[str] | None":
    """Return the output of `docker compose config`; None where there is no compose that answers.

    It runs with the user's home, where it may be installed as a plug-in, but without their .env,
    which may have other values.
    """
    environment = {**os.environ, "CONCORD_TOKEN_SECRET": SECRET}

    def ask(*words: str) -> "subprocess.CompletedProcess[str] | None":
        try:
            return subprocess.run(
                ["docker", "compose", *words],
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=WITHIN,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None

    version = ask("version")
    if version is None or version.returncode or "Compose" not in version.stdout:
        return None
    (folder / "none.env").touch()
    none = ("--env-file", str(folder / "none.env"))
    return ask("--file", str(FILE), *none, "config", "--quiet")


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("exit 1", None),
        ("exec sleep 60", None),
        ("echo 'unknown command' >&2", None),
        ('case "$*" in *version) echo Docker Compose version v2;; *) exec sleep 60;; esac', None),
        ('case "$*" in *version) echo Docker Compose version v2;; *) exit 0;; esac', 0),
        ('case "$*" in *version) echo Docker Compose version v2;; *) exit 15;; esac', 15),
    ],
)
def test_any_program_named_docker_is_tried_with_a_timeout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, code: int | None
) -> None:
    docker = tmp_path / "docker"
    docker.write_text(f"#!/bin/sh\n{script}\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(f"{__name__}.WITHIN", 0.5)
    answer = compose_config(tmp_path)
    assert (answer and answer.returncode) == code
