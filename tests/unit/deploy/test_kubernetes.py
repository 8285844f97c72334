"""Test the Kubernetes files: they render, all objects are valid, and pods have few privileges."""

import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from chassis.base.settings import KafkaSettings, Settings
from chassis.kafka.acls import account
from chassis.runtime.health import PROBE_TIMEOUT, READY_WITHIN
from contracts.channels import DEPARTMENTS
from local.platform import SERVICES

FOLDER = Path(__file__).parents[3] / "deploy" / "k8s"
BUILDS = ["base", "overlays/local", "overlays/production"]
SECRET = "m7Zx-Rk1v_9qLw3TbY8sNc2HdJ5gPfQe"
VERSION = "1.32.0"

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl here")

Thing = dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the files, with a secret that is not in the repository."""
    return copied(tmp_path_factory)


def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("kubernetes") / "k8s"
    shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("secret.env"))
    (copy / "overlays" / "local" / "secret.env").write_text(f"secret={SECRET}\n")
    return copy


@cache
def rendered(folder: Path) -> list[Thing]:
    command = ["kubectl", "kustomize", str(folder)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    # A warning of this version may be an error of the next.
    assert not done.stderr, done.stderr.decode()
    return list(yaml.safe_load_all(done.stdout))


@pytest.fixture(params=BUILDS)
def things(request: pytest.FixtureRequest, folder: Path) -> list[Thing]:
    return rendered(folder / request.param)


def of_kind(things: list[Thing], kind: str) -> dict[str, Thing]:
    return {thing["metadata"]["name"]: thing for thing in things if thing["kind"] == kind}


def pods(things: list[Thing]) -> Iterator[tuple[str, Thing]]:
    for thing in things:
        if thing["kind"] in {"Deployment", "StatefulSet", "Job"}:
            yield thing["metadata"]["name"], thing["spec"]["template"]


def containers(things: list[Thing]) -> Iterator[tuple[str, Thing]]:
    for name, pod in pods(things):
        for container in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]:
            yield name, container


def secrets_of(container: Thing) -> dict[str, str]:
    """Return the secret of each variable."""
    named = {each["name"]: each.get("valueFrom") for each in container["env"]}
    return {name: value["secretKeyRef"]["name"] for name, value in named.items() if value}


def mounted_from(pod: Thing, container: Thing) -> dict[str, Path]:
    """Return where each ConfigMap is mounted in a container."""
    places = {each["name"]: Path(each["mountPath"]) for each in container.get("volumeMounts") or []}
    return {
        volume["configMap"]["name"]: places[volume["name"]]
        for volume in pod.get("volumes") or []
        if "configMap" in volume and volume["name"] in places
    }


def job_of(things: list[Thing]) -> Thing:
    """Return the Job that creates the topics; its name may contain the release."""
    (job,) = of_kind(things, "Job").values()
    return job


def test_every_object_is_valid(things: list[Thing]) -> None:
    for thing in things:
        kubernetes_validate.validate(thing, VERSION, strict=True)
        if thing["kind"] != "Namespace":
            assert thing["metadata"]["namespace"] == "concord"


def test_each_service_has_all_it_needs(things: list[Thing]) -> None:
    expected = {f"{service}-service" for service in SERVICES}
    for kind in ("Deployment", "ServiceAccount", "PodDisruptionBudget"):
        assert set(of_kind(things, kind)) == expected
    assert expected <= set(of_kind(things, "Service"))
    for service in SERVICES:
        name = f"{service}-service"
        label = {"app.kubernetes.io/name": service}
        deployment = of_kind(things, "Deployment")[name]["spec"]
        assert deployment["selector"]["matchLabels"] == label
        labels = deployment["template"]["metadata"]["labels"]
        assert label.items() <= labels.items()
        assert deployment["template"]["spec"]["serviceAccountName"] == name
        assert of_kind(things, "Service")[name]["spec"]["selector"] == label
        budget = of_kind(things, "PodDisruptionBudget")[name]["spec"]
        # A budget that also selects pods of other services would block their eviction.
        assert label.items() <= budget["selector"]["matchLabels"].items()
        assert budget["selector"]["matchLabels"].items() <= labels.items()
        (container,) = deployment["template"]["spec"]["containers"]
        assert container["args"] == [f"{service}.service"]


def test_a_service_is_probed_and_gets_time_to_end(things: list[Thing]) -> None:
    for deployment in of_kind(things, "Deployment").values():
        pod = deployment["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert container["livenessProbe"]["httpGet"]["path"] == "/live"
        assert container["startupProbe"]["httpGet"]["path"] == "/live"
        assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
        (program, seconds) = container["lifecycle"]["preStop"]["exec"]["command"]
        assert program == "sleep"
        # With six seconds, none of 1,467 connections was refused on a single-machine cluster.
        assert int(seconds) >= 6
        for probe in ("livenessProbe", "startupProbe", "readinessProbe"):
            assert container[probe]["timeoutSeconds"] >= PROBE_TIMEOUT > READY_WITHIN
        stop_within = Settings.model_fields["stop_within"].default
        assert pod["terminationGracePeriodSeconds"] >= int(seconds) + stop_within + 10
        rolling = deployment["spec"]["strategy"]["rollingUpdate"]
        assert (rolling["maxSurge"], rolling["maxUnavailable"]) == (1, 0)


def test_a_service_accepts_its_settings(
    things: list[Thing], monkeypatch: pytest.MonkeyPatch
) -> None:
    common = of_kind(things, "ConfigMap")["concord"]["data"]
    urls = {"CONCORD_STORE_URL": "mongodb://name:word@store:27017/?replicaSet=concord"}
    for service in SERVICES:
        pod = of_kind(things, "Deployment")[f"{service}-service"]["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        hidden = {**urls, "CONCORD_TOKEN_SECRET": SECRET, "CONCORD_KAFKA_PASSWORD": SECRET}
        variables = dict(common)
        for variable in container["env"]:
            variables[variable["name"]] = variable.get("value") or hidden[variable["name"]]
        names = {key.removeprefix("CONCORD_").lower() for key in variables}
        assert names <= set(Settings.model_fields)
        with monkeypatch.context() as patch:
            for key, value in variables.items():
                patch.setenv(key, value)
            settings = Settings.from_environment()
        assert settings.store_database == service
        assert settings.mode in {"container", "production"}
        mounted = mounted_from(pod, container)
        if settings.mode == "production":
            assert settings.kafka_user in {account(name) for name in DEPARTMENTS if name == service}
            assert secrets_of(container)["CONCORD_KAFKA_PASSWORD"] == f"{service}-kafka"
            assert [each.audience for each in settings.token_issuers] == [("concord",)]
            assert mounted["concord-kafka-ca"] == getattr(settings.kafka_ca, "parent", None)
        else:
            assert (settings.kafka_user, settings.kafka_ca, mounted) == (None, None, {})


def test_the_job_for_topics_accepts_its_settings(
    things: list[Thing], monkeypatch: pytest.MonkeyPatch
) -> None:
    pod = job_of(things)["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["args"] == ["chassis.kafka.topics"]
    variables = dict(of_kind(things, "ConfigMap")["concord"]["data"])
    for variable in container.get("env") or []:
        variables[variable["name"]] = variable.get("value") or SECRET
    for key, value in variables.items():
        monkeypatch.setenv(key, value)
    settings = KafkaSettings.from_environment()
    if settings.mode == "production":
        assert settings.kafka_user == "concord-topics"
        assert secrets_of(container) == {"CONCORD_KAFKA_PASSWORD": "topics-kafka"}
        mounted = mounted_from(pod, container)
        assert mounted["concord-kafka-ca"] == getattr(settings.kafka_ca, "parent", None)
    else:
        assert settings.kafka_user is None
        assert mounted_from(pod, container) == {}


def test_a_service_waits_for_its_topics_by_its_own_account(
    things: list[Thing], monkeypatch: pytest.MonkeyPatch
) -> None:
    for service in SERVICES:
        pod = of_kind(things, "Deployment")[f"{service}-service"]["spec"]["template"]["spec"]
        (waiting,), (container,) = pod["initContainers"], pod["containers"]
        assert waiting["args"] == ["chassis.kafka.topics", "--wait-for", service]
        assert waiting["image"] == container["image"]
        variables = dict(of_kind(things, "ConfigMap")["concord"]["data"])
        for variable in waiting.get("env") or []:
            variables[variable["name"]] = variable.get("value") or SECRET
        with monkeypatch.context() as patch:
            for key, value in variables.items():
                patch.setenv(key, value)
            settings = KafkaSettings.from_environment()
        known = {"CONCORD_KAFKA_PASSWORD": f"{service}-kafka"}
        in_production = settings.mode == "production"
        assert settings.kafka_user == (f"concord-{service}" if in_production else None)
        assert secrets_of(waiting) == (known if in_production else {})
        assert ("concord-kafka-ca" in mounted_from(pod, waiting)) == in_production


@pytest.mark.parametrize(
    ("image", "tag"),
    [
        ("registry.example/concord", "1.4.2"),
        ("registry.example:5000/teams/concord", "2026-11-29.3"),
        ("localhost:5001/concord", "f00dcafe"),
    ],
)
def test_each_release_has_a_job_of_its_own(
    tmp_path_factory: pytest.TempPathFactory, image: str, tag: str
) -> None:
    folder = copied(tmp_path_factory)
    production = folder / "overlays" / "production" / "kustomization.yaml"
    text = production.read_text().replace("REGISTRY/concord", image)
    jobs = {}
    for release in (tag, f"{tag}-b"):
        production.write_text(text.replace("RELEASE", release))
        rendered.cache_clear()
        things = rendered(production.parent)
        jobs[release] = job_of(things)
        kubernetes_validate.validate(jobs[release], VERSION, strict=True)
        images = {container["image"] for _, container in containers(things)}
        assert images == {f"{image}:{release}"}
    assert {job["metadata"]["name"] for job in jobs.values()} == {
        f"topics-{tag}",
        f"topics-{tag}-b",
    }
    for job in jobs.values():
        assert job["spec"]["ttlSecondsAfterFinished"] <= 86_400


def test_an_image_of_another_name_is_refused_when_rendered(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = copied(tmp_path_factory) / "overlays" / "production"
    file = folder / "kustomization.yaml"
    file.write_text(file.read_text().replace("REGISTRY/concord", "registry.example/platform"))
    command = ["kubectl", "kustomize", str(folder)]
    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=60)
    assert done.returncode != 0
    assert "registry.example/platform:RELEASE" in done.stderr


def test_a_pod_may_do_no_more_than_it_needs(things: list[Thing]) -> None:
    for name, pod in pods(things):
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["runAsUser"] > 0, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for privilege in ("hostNetwork", "hostPID", "hostIPC"):
            assert privilege not in spec, name
        assert not any("hostPath" in volume for volume in spec.get("volumes", [])), name
    for name, container in containers(things):
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False, name
        assert context["capabilities"] == {"drop": ["ALL"]}, name
        # Kafka's image writes its own configuration at the start.
        assert context.get("readOnlyRootFilesystem", False) or name == "kafka", name
        for bound in ("requests", "limits"):
            assert set(container["resources"][bound]) == {"cpu", "memory"}, name
        assert ":" in container["image"], name
        assert not container["image"].endswith(":latest"), name


def test_the_network_allows_only_what_is_listed(things: list[Thing]) -> None:
    policies = of_kind(things, "NetworkPolicy")
    closed = policies["nothing-by-default"]["spec"]
    assert closed == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for name in (
        "services-reach-their-parts",
        "services-reach-identity-providers",
        "services-are-called-from-the-edge",
    ):
        selected = policies[name]["spec"]["podSelector"]["matchLabels"]
        reached = {
            pod_name
            for pod_name, pod in pods(things)
            if selected.items() <= pod["metadata"]["labels"].items()
        }
        assert reached == {f"{service}-service" for service in SERVICES}


@pytest.mark.parametrize("build", ["base", "overlays/production"])
def test_no_secret_is_in_the_tree(folder: Path, build: str) -> None:
    assert not of_kind(rendered(folder / build), "Secret")


def test_the_local_secret_is_an_example_only() -> None:
    ignored = (FOLDER.parents[1] / ".gitignore").read_text().split()
    assert {"*.env", "!example.env"} <= set(ignored)
    for line in (FOLDER / "overlays" / "local" / "example.env").read_text().splitlines():
        assert line.startswith("#") or line.endswith("="), line


def test_production_runs_on_more_than_one_machine(folder: Path) -> None:
    things = rendered(folder / "overlays/production")
    assert of_kind(things, "ConfigMap")["concord"]["data"]["CONCORD_MODE"] == "production"
    for deployment in of_kind(things, "Deployment").values():
        assert deployment["spec"]["replicas"] >= 3
        (spread,) = deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]
        assert spread["whenUnsatisfiable"] == "DoNotSchedule"
