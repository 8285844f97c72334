"""Kafka ACLs: an account may write its own topics and read those that it consumes, no others."""

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
from gateway.projection.projector import CONSUMED_CHANNELS


def may(operation: Operation, topic: str) -> set[str]:
    return {
        right.account
        for right in rights()
        if (right.operation, right.resource, right.name) == (operation, Resource.TOPIC, topic)
    }


def consumed_by(service: Service) -> Iterator[Channel]:
    yield from service.reference_channels
    yield from (
        CONSUMED_CHANNELS if service.name == "gateway" else consumed_channels(service.all_deciders)
    )


def test_only_finance_writes_costs_and_only_the_gateway_reads_them() -> None:
    topic = "concord.finance.confidential.v1"
    assert may(Operation.WRITE, topic) == {"concord-finance"}
    assert may(Operation.READ, topic) == {"concord-finance", "concord-gateway"}


def test_confidential_channels_are_read_by_the_departments_that_need_them() -> None:
    assert readers(FINANCE_CONFIDENTIAL) == {"finance", "gateway"}
    assert readers(GATEWAY_CONFIDENTIAL) == {"gateway"}
    assert readers(FINANCE_CONFIDENTIAL_REFERENCE) == {"finance"}
    assert {c.name for c in CHANNELS.values() if c.confidential} == {
        "finance.confidential",
        "gateway.confidential",
        "finance.confidential.reference",
    }


def test_each_topic_is_written_by_its_department_only() -> None:
    for channel in CHANNELS.values():
        assert may(Operation.WRITE, channel.topic()) == {f"concord-{channel.department}"}


@pytest.mark.parametrize("department", DEPARTMENTS)
def test_a_service_may_read_what_it_consumes(department: str) -> None:
    service: Service = import_module(f"{department}.service").SERVICE
    consumed = set(consumed_by(service))
    assert consumed
    readable = {channel for channel in CHANNELS.values() if department in readers(channel)}
    assert consumed <= readable
    # All departments may read accounts, people and rates, also before they need them; not costs.
    beyond = {channel for channel in readable - consumed if channel.department != department}
    assert all(channel.kind == "reference" and not channel.confidential for channel in beyond)


def test_each_service_has_a_group_of_its_own() -> None:
    groups = {right.account: right.name for right in rights() if right.resource == Resource.GROUP}
    assert groups == {f"concord-{name}": group(name) for name in DEPARTMENTS}


def test_installations_on_one_cluster_share_no_account_or_name() -> None:
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
