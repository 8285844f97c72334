"""Who may read and write what on Kafka: what a department says and hears, and nothing more."""

from collections.abc import Iterator
from importlib import import_module

import pytest

from chassis.domain.decider import consumed_channels
from chassis.kafka.acls import Operation, Resource, account, group, readers, rights, topics
from chassis.runtime.service import Service
from contracts.channels import (
    CHANNELS,
    DEPARTMENTS,
    FINANCE_CONFIDENTIAL,
    FINANCE_CONFIDENTIAL_REFERENCE,
    GATEWAY_CONFIDENTIAL,
    Channel,
)
from gateway.projector import CONSUMED_CHANNELS


def may(operation: Operation, topic: str) -> set[str]:
    return {
        right.account
        for right in rights()
        if (right.operation, right.resource, right.name) == (operation, Resource.TOPIC, topic)
    }


def listened_to(service: Service) -> Iterator[Channel]:
    yield from service.reference_channels
    yield from (
        CONSUMED_CHANNELS if service.name == "gateway" else consumed_channels(service.all_deciders)
    )


def test_costs_are_written_by_finance_and_read_by_the_gateway_alone() -> None:
    topic = "concord.finance.confidential.v1"
    assert may(Operation.WRITE, topic) == {"concord-finance"}
    assert may(Operation.READ, topic) == {"concord-finance", "concord-gateway"}


def test_nobody_else_reads_what_is_confidential() -> None:
    assert readers(FINANCE_CONFIDENTIAL) == {"finance", "gateway"}
    assert readers(GATEWAY_CONFIDENTIAL) == {"gateway"}
    assert readers(FINANCE_CONFIDENTIAL_REFERENCE) == {"finance"}
    assert {c.name for c in CHANNELS.values() if c.confidential} == {
        "finance.confidential",
        "gateway.confidential",
        "finance.confidential.reference",
    }


def test_each_topic_is_written_by_its_department_alone() -> None:
    for channel in CHANNELS.values():
        assert may(Operation.WRITE, channel.topic()) == {f"concord-{channel.department}"}


@pytest.mark.parametrize("department", DEPARTMENTS)
def test_a_service_may_read_what_it_listens_to(department: str) -> None:
    service: Service = import_module(f"{department}.app").SERVICE
    heard = set(listened_to(service))
    assert heard
    readable = {channel for channel in CHANNELS.values() if department in readers(channel)}
    assert heard <= readable
    # Names of accounts, people and rates are read by whoever will need some; costs are not.
    beyond = {channel for channel in readable - heard if channel.department != department}
    assert all(channel.kind == "reference" and not channel.confidential for channel in beyond)


def test_each_service_has_a_group_of_its_own() -> None:
    groups = {right.account: right.name for right in rights() if right.resource == Resource.GROUP}
    assert groups == {f"concord-{name}": group(name) for name in DEPARTMENTS}


def test_installations_on_one_cluster_share_nothing() -> None:
    assert all(
        right.account.startswith("two-") and right.name.startswith("two.")
        for right in rights("two")
    )


@pytest.mark.parametrize("department", DEPARTMENTS)
def test_a_department_needs_the_topics_that_its_account_has_rights_on(department) -> None:
    granted = {
        right.name
        for right in rights()
        if right.account == account(department) and right.resource is Resource.TOPIC
    }
    assert topics(department) == granted
