"""Kafka ACLs: derive the rights of the departments' accounts from the contracts, and grant them.

The account of a department is ``<prefix>-<department>``, such as ``concord-sales``. It writes the
topics of its own channels, reads these and the topics with events that it processes, and commits
the offsets of its own group. An account without a right on a topic does not see that it exists.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import CreateAclsRequest

from chassis.kafka.credentials import Identity, arguments
from contracts import release
from contracts.channels import CHANNELS, DEPARTMENTS, Channel, Department


class Resource(IntEnum):
    """Kafka's numbers for types of resources."""

    TOPIC = 2
    GROUP = 3


class Operation(IntEnum):
    """Kafka's numbers for operations; each includes the right to see the resource."""

    READ = 3
    WRITE = 4


_LITERAL, _ALLOW, _FROM_ANYWHERE = 3, 3, "*"


@dataclass(frozen=True, slots=True)
class Right:
    """The right of an account to an operation on a topic or a group."""

    account: str
    operation: Operation
    resource: Resource
    name: str

    def __str__(self) -> str:
        return f"{self.account}: {self.operation.name} {self.resource.name} {self.name}".lower()


def account(department: Department, prefix: str = "concord") -> str:
    """Return the name of a department's account on Kafka."""
    return f"{prefix}-{department}"


def group(department: Department, prefix: str = "concord") -> str:
    """Return the name of the consumer group of a department's processes."""
    return f"{prefix}.{department}"


def readers(channel: Channel) -> frozenset[Department]:
    """Return the departments that read a channel: those that process an event of it, and its own.

    Reference data is read by all departments, unless it is confidential. The gateway processes all
    events about engagements, although no event names it in `consumed_by`.
    """
    if channel.kind == "reference" and not channel.confidential:
        return frozenset(DEPARTMENTS)
    published = [event for event in release.events().values() if event.channel is channel]
    consumers = {department for event in published for department in event.consumed_by}
    gateway: set[Department] = {"gateway"} if channel.kind == "events" else set()
    return frozenset(consumers | gateway | {channel.department})


def rights(prefix: str = "concord") -> list[Right]:
    """Return every right that the departments' accounts need."""
    every = []
    for department in DEPARTMENTS:
        name = account(department, prefix)
        every.append(Right(name, Operation.READ, Resource.GROUP, group(department, prefix)))
        for channel in CHANNELS.values():
            topic = channel.topic(prefix)
            if channel.department == department:
                every.append(Right(name, Operation.WRITE, Resource.TOPIC, topic))
            if department in readers(channel):
                every.append(Right(name, Operation.READ, Resource.TOPIC, topic))
    return every


def topics(department: Department, prefix: str = "concord") -> frozenset[str]:
    """Return the names of the topics that a department reads or writes."""
    return frozenset(
        channel.topic(prefix)
        for channel in CHANNELS.values()
        if channel.department == department or department in readers(channel)
    )


async def grant(bootstrap: str, prefix: str, identity: Identity) -> Sequence[Right]:
    """Grant the departments' accounts their rights; repeating it is harmless. Revoke none.

    `identity` must be an account that may alter the cluster. Raises KafkaError where it may not, or
    where the brokers have no authorizer.
    """
    wanted = rights(prefix)
    admin = AIOKafkaAdminClient(
        bootstrap_servers=bootstrap, client_id="concord-topics", **arguments(identity)
    )
    try:
        await admin.start()
        for right in wanted:
            request = CreateAclsRequest(
                right.resource,
                right.name,
                _LITERAL,
                f"User:{right.account}",
                _FROM_ANYWHERE,
                right.operation,
                _ALLOW,
            )
            # The client has no public method for this request.
            answer = await admin._send_request(request)  # noqa: SLF001
            for error, message in answer.creation_responses:
                if error:
                    raise for_code(error)(f"{right}: {message}")
    finally:
        await admin.close()
    return wanted
