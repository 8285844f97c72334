"""Which account may read and write what on Kafka: worked out from the contracts, and granted.

A department's account is ``<prefix>-<department>``, as ``concord-sales``. It writes the topics of
its own channels, reads them and those on which something is said that it hears, and keeps the
offsets of its own group. Whoever has no right on a topic does not even see that it is there.
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
    """Kafka's numbers for what a right is on."""

    TOPIC = 2
    GROUP = 3


class Operation(IntEnum):
    """Kafka's numbers for what one may do; each takes in that one may see that it is there."""

    READ = 3
    WRITE = 4


_LITERAL, _ALLOW, _FROM_ANYWHERE = 3, 3, "*"


@dataclass(frozen=True, slots=True)
class Right:
    """An account may do something on a topic, or with a group."""

    account: str
    operation: Operation
    resource: Resource
    name: str

    def __str__(self) -> str:
        return f"{self.account}: {self.operation.name} {self.resource.name} {self.name}".lower()


def account(department: Department, prefix: str = "concord") -> str:
    """Name of a department's account on Kafka."""
    return f"{prefix}-{department}"


def group(department: Department, prefix: str = "concord") -> str:
    """Name of the group in which a department's processes listen."""
    return f"{prefix}.{department}"


def readers(channel: Channel) -> frozenset[Department]:
    """Who reads a channel: who hears an event of it, and who says it, since it knows that anyway.

    Reference data is read by all, unless it is confidential. The gateway hears all that is said of
    engagements, and is not named by the events.
    """
    if channel.kind == "reference" and not channel.confidential:
        return frozenset(DEPARTMENTS)
    said = [event for event in release.events().values() if event.channel is channel]
    heard = {department for event in said for department in event.heard_by}
    all_of_it: set[Department] = {"gateway"} if channel.kind == "events" else set()
    return frozenset(heard | all_of_it | {channel.department})


def rights(prefix: str = "concord") -> list[Right]:
    """Every right that the departments' accounts need."""
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
    """Give the departments' accounts their rights; again is harmless. Takes none away.

    `identity` must be of an account that may alter the cluster. Raises KafkaError where it may not,
    or where the brokers keep no rights at all.
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
            # The client has no method of its own for it.
            answer = await admin._send_request(request)  # noqa: SLF001
            for error, message in answer.creation_responses:
                if error:
                    raise for_code(error)(f"{right}: {message}")
    finally:
        await admin.close()
    return wanted
