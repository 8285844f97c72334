"""Test that topics are created from the contracts, kept if right, and refused otherwise."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaConnectionError

from chassis.kafka.acls import topics
from chassis.kafka.topics import MissingTopics, WrongTopic, create_topics, wait_for_topics
from contracts.channels import CHANNELS, PARTITIONS, SALES, SALES_REFERENCE
from local.kafka import Kafka
from tests.component.sample_app import until
from tests.infrastructure import KafkaServer

EVERY_CHANNEL = set(CHANNELS.values())


async def add_topic(bootstrap: str, name: str, partitions: int, settings: dict[str, str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=settings)])
    finally:
        await admin.close()
    await until_set(bootstrap, name, settings)


async def settings_of(bootstrap: str, topic: str) -> dict[str, str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        return {entry[0]: entry[1] for entry in answer.resources[0][4] if entry[3] == 1}
    finally:
        await admin.close()


async def until_set(bootstrap: str, topic: str, settings: dict[str, str]) -> None:
    """Wait until Kafka shows the settings: it confirms them before that."""

    async def is_set() -> bool:
        return await settings_of(bootstrap, topic) == settings

    await until(is_set)


async def test_every_channel_gets_its_topic(kafka: KafkaServer, isolation: str) -> None:
    made = await create_topics(kafka.bootstrap, isolation)

    assert set(made.created) == {channel.topic(isolation) for channel in EVERY_CHANNEL}
    for channel in (SALES, SALES_REFERENCE):
        await until_set(kafka.bootstrap, channel.topic(isolation), channel.settings(replication=1))


async def test_a_second_time_changes_nothing(kafka: KafkaServer, isolation: str) -> None:
    await create_topics(kafka.bootstrap, isolation)

    again = await create_topics(kafka.bootstrap, isolation)

    assert again.created == again.completed == ()
    assert len(again.kept) == len(EVERY_CHANNEL)


async def test_missing_settings_are_added_and_a_smaller_limit_is_raised(
    kafka: KafkaServer, isolation: str
) -> None:
    name = SALES.topic(isolation)
    given = {"retention.ms": "-1", "segment.ms": "3600000", "max.message.bytes": "1048576"}
    await add_topic(kafka.bootstrap, name, PARTITIONS, given)

    made = await create_topics(kafka.bootstrap, isolation, channels=(SALES,))

    assert made.completed == (name,)
    whole = SALES.settings(replication=1) | {"segment.ms": "3600000"}
    await until_set(kafka.bootstrap, name, whole)


@pytest.mark.parametrize(
    ("partitions", "settings", "complaint"),
    [
        (3, {}, "partitions are 3, must be 12"),
        (PARTITIONS, {"retention.ms": "604800000"}, "retention.ms is '604800000'"),
        (PARTITIONS, {"cleanup.policy": "compact"}, "cleanup.policy is 'compact'"),
    ],
)
async def test_a_topic_that_contradicts_is_named_and_nothing_is_made(
    kafka: KafkaServer,
    isolation: str,
    partitions: int,
    settings: dict[str, str],
    complaint: str,
) -> None:
    name = SALES.topic(isolation)
    await add_topic(kafka.bootstrap, name, partitions, settings)

    with pytest.raises(WrongTopic, match=f"{name}: {complaint}"):
        await create_topics(kafka.bootstrap, isolation)

    assert await settings_of(kafka.bootstrap, name) == settings


async def test_kafka_that_is_not_there_is_reported() -> None:
    with pytest.raises(KafkaConnectionError):
        await create_topics("127.0.0.1:1")


def typed(bootstrap: str, prefix: str, *words: str) -> "subprocess.Popen[str]":
    """Run the program, as a person or a manifest does."""
    return subprocess.Popen(
        [sys.executable, "-m", "chassis.kafka.topics", *words],
        env=os.environ | {"CONCORD_KAFKA_BOOTSTRAP": bootstrap, "CONCORD_TOPIC_PREFIX": prefix},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def waits_for(program: "subprocess.Popen[str]", what: str) -> bool:
    assert program.stderr is not None
    return any(line.startswith(f"waiting for {what}") for line in program.stderr)


def test_the_program_creates_the_topics(kafka: KafkaServer, isolation: str) -> None:
    with typed(kafka.bootstrap, isolation) as program:
        output, _ = program.communicate(timeout=60)
    assert program.returncode == 0
    assert f"created    {isolation}.sales.v1" in output


def test_the_program_waits_until_kafka_is_there(tmp_path: Path, isolation: str) -> None:
    kafka = Kafka(tmp_path, report=lambda _: None)
    try:
        with typed(kafka.bootstrap, isolation) as program:
            assert waits_for(program, "Kafka")
            kafka.start()
            output, errors = program.communicate(timeout=60)
        assert program.returncode == 0, errors
        assert f"created    {isolation}.sales.v1" in output
    finally:
        kafka.kill()


async def test_a_service_waits_until_its_topics_are_there(
    kafka: KafkaServer, isolation: str
) -> None:
    with typed(kafka.bootstrap, isolation, "--wait-for", "legal") as program:
        assert waits_for(program, isolation)
        await create_topics(kafka.bootstrap, isolation)
        _, errors = program.communicate(timeout=60)
    assert program.returncode == 0, errors


async def test_a_wait_that_ends_names_the_missing_topic(kafka: KafkaServer, isolation: str) -> None:
    await create_topics(kafka.bootstrap, isolation)
    missing = f"{isolation}.never.v1"
    wanted = [missing, *topics("legal", isolation)]
    with pytest.raises(MissingTopics, match=f"^not there, or no right to see: {missing}$"):
        await wait_for_topics(kafka.bootstrap, wanted, None, within=1)
