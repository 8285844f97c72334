"""Topics: create them from the contracts, and check those that exist.

``python -m chassis.kafka.topics`` creates missing topics and lists all of them. It reads
CONCORD_KAFKA_BOOTSTRAP, CONCORD_TOPIC_PREFIX and CONCORD_REPLICATION from the environment. With an
account (CONCORD_KAFKA_USER) it also grants the departments' accounts their rights: that account
must be allowed to create and alter topics, and to alter the cluster, where rights are kept. It
waits two minutes for Kafka.

``python -m chassis.kafka.topics --wait-for sales`` creates nothing: it waits until the account of
Sales sees every topic that Sales reads or writes. On Kubernetes it runs before a service starts. If
Kafka does not answer for half a minute it exits with 0: the service then starts and accepts
commands.
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    InvalidReplicationFactorError,
    KafkaError,
    TopicAlreadyExistsError,
    for_code,
)

from chassis.base.backoff import Backoff
from chassis.base.settings import KafkaSettings, UnsafeSettings
from chassis.kafka import acls
from chassis.kafka.credentials import Identity, arguments, identity
from contracts.channels import CHANNELS, DEPARTMENTS, PARTITIONS, Channel, Department

T = TypeVar("T")

SET_ON_THE_TOPIC = 1
"""Kafka's number for the source of a setting: the topic itself, not a default of the brokers."""

PATIENCE = 30.0
"""Seconds within which every partition of a new topic must have a leader."""

WAIT = 120.0
"""Seconds to wait for Kafka before topics are created, and for topics before a service starts."""

AWAY = 30.0
"""Seconds without an answer from Kafka after which a service starts without its topics."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0


class MissingTopics(Exception):
    """An account does not see topics that it needs; the message names them."""


class WrongTopic(Exception):
    """An existing topic differs from the contracts; the message names it and the differences."""


@dataclass(frozen=True, slots=True)
class Topic:
    """An existing topic: its number of partitions, and the settings of the topic itself."""

    name: str
    partitions: int
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Made:
    """The result of create_topics: topics created, completed with settings, and left unchanged."""

    created: tuple[str, ...]
    completed: tuple[str, ...]
    kept: tuple[str, ...]


def differences(channel: Channel, topic: Topic, replication: int) -> list[str]:
    """Return the differences of an existing topic from its channel, in a sentence each.

    A setting that the topic leaves to the brokers is no difference: it can be added. Neither is a
    smaller limit on the size of records: it can be raised without harm to producers.
    """
    wrong = [
        f"{topic.name}: {name} is {topic.settings[name]!r} and must be {value!r}"
        for name, value in channel.settings(replication).items()
        if (set_to := topic.settings.get(name, value)) != value
        and not (name == "max.message.bytes" and int(set_to) < int(value))
    ]
    if topic.partitions != PARTITIONS:
        wrong.insert(0, f"{topic.name}: partitions are {topic.partitions}, must be {PARTITIONS}")
    return wrong


async def create_topics(
    bootstrap: str,
    prefix: str = "concord",
    replication: int = 1,
    channels: Sequence[Channel] = tuple(CHANNELS.values()),
    *,
    identity: Identity = None,
) -> Made:
    """Create the missing topics of the channels, and add missing settings to the others.

    Of the existing settings only the limit on a record's bytes is changed, where it is smaller.
    Raises WrongTopic, before any change, where an existing topic has other partitions or settings
    than its channel: a change could harm those who use it. Raises KafkaError where Kafka does not
    answer or forbids it.
    """
    wanted = {channel.topic(prefix): channel for channel in channels}
    admin = AIOKafkaAdminClient(
        bootstrap_servers=bootstrap, client_id="concord-topics", **arguments(identity)
    )
    try:
        await admin.start()
        existing = await _existing(admin, tuple(wanted))
        _refuse(wanted, existing, replication)
        missing = {name: channel for name, channel in wanted.items() if name not in existing}
        created = await _create(admin, missing, replication)
        if len(created) < len(missing):  # another process created one at the same time
            existing = await _existing(admin, tuple(wanted.keys() - set(created)))
            _refuse(wanted, existing, replication)
        completed = await _complete(admin, wanted, existing, replication)
    finally:
        await admin.close()
    kept = (name for name in existing if name not in completed)
    return Made(tuple(created), tuple(completed), tuple(kept))


def _refuse(wanted: Mapping[str, Channel], existing: Mapping[str, Topic], replication: int) -> None:
    wrong = [
        difference
        for name, topic in existing.items()
        for difference in differences(wanted[name], topic, replication)
    ]
    if wrong:
        raise WrongTopic("; ".join(wrong))


async def _existing(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, Topic]:
    partitions = {
        found["topic"]: len(found["partitions"])
        for found in await admin.describe_topics(list(names))
        if found["error_code"] == 0
    }
    if not partitions:
        return {}
    answers = await admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, name) for name in partitions]
    )
    settings: dict[str, dict[str, str]] = {}
    for answer in answers:
        for error, message, _, name, entries in answer.resources:
            _raise(error, f"{name}: {message}")
            settings[name] = {
                entry[0]: entry[1] for entry in entries if entry[3] == SET_ON_THE_TOPIC
            }
    return {name: Topic(name, count, settings[name]) for name, count in partitions.items()}


async def _create(
    admin: AIOKafkaAdminClient, channels: Mapping[str, Channel], replication: int
) -> list[str]:
    if not channels:
        return []
    answer = await admin.create_topics(
        [
            NewTopic(name, PARTITIONS, replication, topic_configs=channel.settings(replication))
            for name, channel in channels.items()
        ]
    )
    created = []
    for name, error, message in answer.topic_errors:
        if for_code(error) is not TopicAlreadyExistsError:
            _raise(error, f"{name}: {message}")
            created.append(name)
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while not await _all_have_leaders(admin, list(channels)):
        if asyncio.get_running_loop().time() > deadline:
            raise WrongTopic(f"no leader within {PATIENCE:g} s for one of {', '.join(channels)}")
        await asyncio.sleep(0.05)
    return created


async def _all_have_leaders(admin: AIOKafkaAdminClient, names: list[str]) -> bool:
    found = await admin.describe_topics(names)
    return all(
        topic["error_code"] == 0
        and all(part["error_code"] == 0 and part["leader"] >= 0 for part in topic["partitions"])
        for topic in found
    )


async def _complete(
    admin: AIOKafkaAdminClient,
    wanted: Mapping[str, Channel],
    existing: Mapping[str, Topic],
    replication: int,
) -> list[str]:
    resources = []
    for name, topic in existing.items():
        settings = wanted[name].settings(replication)
        if not settings.items() <= topic.settings.items():
            # This request replaces all settings of a topic, so it includes those that it has.
            whole = {**topic.settings, **settings}
            resources.append(ConfigResource(ConfigResourceType.TOPIC, name, whole))
    if resources:
        for answer in await admin.alter_configs(resources):
            for error, message, _, name in answer.resources:
                _raise(error, f"{name}: {message}")
    return [resource.name for resource in resources]


def _raise(code: int, sentence: str) -> None:
    if code:
        raise for_code(code)(sentence)


async def wait_for_topics(
    bootstrap: str, names: Collection[str], identity: Identity, *, within: float
) -> None:
    """Wait until an account sees topics; it sees those that exist and on which it has a right.

    Raises MissingTopics where it does not within `within` seconds, KafkaError or OSError where
    Kafka does not answer for `AWAY` seconds at the beginning.
    """

    async def look() -> set[str]:
        return set(names) - await _seen(bootstrap, names, identity)

    backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE, within=within)
    missing = await _until_answered(look, min(AWAY, within))
    while missing:
        if backoff.is_over:
            raise MissingTopics(f"not there, or no right to see: {', '.join(sorted(missing))}")
        if backoff.must_log():
            sys.stderr.write(f"waiting for {', '.join(sorted(missing))}\n")
        await backoff.pause()
        missing = await _until_answered(look, max(backoff.left, backoff.next_pause))


async def _seen(bootstrap: str, names: Collection[str], identity: Identity) -> set[str]:
    admin = AIOKafkaAdminClient(
        bootstrap_servers=bootstrap, client_id="concord-topics", **arguments(identity)
    )
    try:
        await admin.start()
        found = await admin.describe_topics(list(names))
        return {each["topic"] for each in found if each["error_code"] == 0}
    finally:
        await admin.close()


async def _until_answered(work: Callable[[], Awaitable[T]], within: float) -> T:
    """Repeat work for `within` seconds while Kafka does not answer; raise other errors at once.

    Raises TimeoutError where Kafka accepts connections and does not answer.
    """
    backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE, within=within)
    while True:
        try:
            async with asyncio.timeout(backoff.left):
                return await work()
        except (KafkaError, OSError) as error:
            if not _is_transient(error) or backoff.is_over:
                raise
            if backoff.must_log():
                sys.stderr.write(f"waiting for Kafka: {error}\n")
        await backoff.pause()


def _is_transient(error: Exception) -> bool:
    # Brokers start one after the other: at first there are fewer than replicas are wanted.
    passing = OSError, InvalidReplicationFactorError
    return isinstance(error, passing) or (isinstance(error, KafkaError) and error.retriable)


def main(arguments: Sequence[str] = ()) -> int:
    """Create the topics that the environment asks for; return 0 when all are as required.

    With ``--wait-for DEPARTMENT`` wait for that department's topics; return 0 when they exist or
    Kafka does not answer.
    """
    parser = argparse.ArgumentParser(prog="python -m chassis.kafka.topics")
    parser.add_argument("--wait-for", choices=DEPARTMENTS, metavar="DEPARTMENT")
    department: Department | None = parser.parse_args(arguments).wait_for
    where = ""
    try:
        settings = KafkaSettings.from_environment()
        where = f" on {settings.kafka_bootstrap}"
        if department is not None:
            return asyncio.run(_wait(settings, department))
        made, granted = asyncio.run(_until_answered(lambda: _create_and_grant(settings), WAIT))
    except (UnsafeSettings, WrongTopic, MissingTopics, KafkaError, OSError) as error:
        sys.stderr.write(f"topics{where}: {error or type(error).__name__}\n")
        return 1
    for outcome, names in (
        ("created", made.created),
        ("completed", made.completed),
        ("unchanged", made.kept),
    ):
        for name in names:
            sys.stdout.write(f"{outcome:10} {name}\n")
    for right in granted:
        sys.stdout.write(f"granted    {right}\n")
    return 0


async def _wait(settings: KafkaSettings, department: Department) -> int:
    names = acls.topics(department, settings.topic_prefix)
    try:
        await wait_for_topics(settings.kafka_bootstrap, names, identity(settings), within=WAIT)
    except (KafkaError, OSError) as error:
        if not _is_transient(error):
            raise
        sys.stderr.write(f"Kafka is away, {department} starts without it: {error}\n")
    return 0


async def _create_and_grant(settings: KafkaSettings) -> tuple[Made, Sequence[acls.Right]]:
    bootstrap, prefix, account = settings.kafka_bootstrap, settings.topic_prefix, identity(settings)
    made = await create_topics(bootstrap, prefix, settings.replication, identity=account)
    if account is None:
        return made, ()
    return made, await acls.grant(bootstrap, prefix, account)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
