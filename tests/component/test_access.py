"""Test that with Kafka's ACLs each account reads and writes only what its department does."""

import asyncio
import contextlib
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    AuthenticationFailedError,
    KafkaConnectionError,
    TopicAuthorizationFailedError,
)
from aiokafka.protocol.admin import CreateAclsRequest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from chassis.base.settings import KafkaSettings, Settings
from chassis.kafka import acls, topics
from chassis.kafka.credentials import arguments, identity
from contracts.channels import DEPARTMENTS
from local import paths
from local.kafka import Kafka
from tests.component import sample_app
from tests.component.test_http import ANN, DEAL, PAUL
from tests.infrastructure import StoreServer, wait_until

PREFIX = "concord"
TOPICS = f"{PREFIX}-topics"
COSTS = TopicPartition(f"{PREFIX}.finance.confidential.v1", 0)


class Guarded:
    """A broker that refuses clients without an account.

    Only the listener on which the test itself starts, stops and prepares it needs none.
    """

    def __init__(self, folder: Path) -> None:
        self.ca = folder / "ca.crt"
        certify(paths.HOST, self.ca, folder / "broker.pem")
        accounts = [TOPICS, *(acls.account(name, PREFIX) for name in DEPARTMENTS)]
        self.passwords = {name: secrets.token_urlsafe(24) for name in accounts}
        self.kafka = Kafka(folder, accounts=self.passwords)
        (node,) = self.kafka.nodes
        self.bootstrap = f"{paths.HOST}:{paths.free_port()}"
        controller = f"CONTROLLER://{paths.HOST}:{node.controller_port}"
        known = f"PLAINTEXT://{node.address},ACCOUNTS://{self.bootstrap}"
        scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        self.kafka.settings |= {
            "listeners": f"{known},{controller}",
            "advertised.listeners": known,
            "listener.security.protocol.map": (
                "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,ACCOUNTS:SASL_SSL"
            ),
            "listener.name.accounts.sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.accounts.scram-sha-512.sasl.jaas.config": scram,
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(folder / "broker.pem"),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
        }

    def told(self, account: str) -> dict[str, object]:
        """Return the settings of a process with this account, by the names of `Settings`."""
        return {
            "kafka_bootstrap": self.bootstrap,
            "kafka_user": account,
            "kafka_password": SecretStr(self.passwords.get(account, "a guess")),
            "kafka_ca": self.ca,
            "topic_prefix": PREFIX,
        }

    def client(self, account: str) -> dict[str, object]:
        """Return the arguments that connect a client of aiokafka with this account."""
        known = arguments(identity(KafkaSettings.model_validate(self.told(account))))
        return {"bootstrap_servers": self.bootstrap, **known}


def certify(host: str, ca: Path, broker: Path) -> None:
    """Write a certificate for an IP address to `ca`, and the same with its key to `broker`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a broker of a test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    ca.write_bytes(certificate)
    broker.touch(mode=0o600)
    broker.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate
    )


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """Start the broker, with topics and rights as `python -m chassis.kafka.topics` makes them."""
    made = Guarded(tmp_path_factory.mktemp("guarded"))
    with made.kafka, pytest.MonkeyPatch.context() as patch:
        asyncio.run(let_make_topics(made.kafka.bootstrap))
        for name, value in made.told(TOPICS).items():
            secret = isinstance(value, SecretStr)
            text = value.get_secret_value() if secret else str(value)  # type: ignore[attr-defined]
            patch.setenv(f"CONCORD_{name.upper()}", text)
        # Kafka confirms access lists before the broker applies them.
        wait_until(lambda: topics.main() == 0)
        asyncio.run(until_granted(made))
        yield made


async def let_make_topics(bootstrap: str) -> None:
    """Grant the account that makes topics only what an operator of the cluster would grant."""
    topic, cluster, literal, prefixed, allow = 2, 4, 3, 4, 3
    create, alter, describe, describe_settings, alter_settings = 5, 7, 8, 10, 11
    on_topics = (create, describe, describe_settings, alter_settings)
    wanted = [(topic, f"{PREFIX}.", prefixed, operation) for operation in on_topics]
    wanted.append((cluster, "kafka-cluster", literal, alter))
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        for kind, name, pattern, operation in wanted:
            account = f"User:{TOPICS}"
            request = CreateAclsRequest(kind, name, pattern, account, "*", operation, allow)
            answer = await admin._send_request(request)
            assert [error for error, _ in answer.creation_responses] == [0]
    finally:
        await admin.close()


async def until_granted(guarded: Guarded) -> None:
    """Wait for the rights granted last: the gateway then sees every topic it has a right on."""
    gateway = acls.account("gateway", PREFIX)
    granted = {
        right.name
        for right in acls.rights(PREFIX)
        if right.account == gateway and right.resource is acls.Resource.TOPIC
    }
    consumer = AIOKafkaConsumer(**guarded.client(gateway))
    await consumer.start()
    try:

        async def sees_all() -> bool:
            seen: set[str] = await consumer.topics()
            return granted <= seen

        await sample_app.until(sees_all, within=20)
    finally:
        await consumer.stop()


async def say(guarded: Guarded, account: str, place: TopicPartition, value: bytes) -> None:
    producer = AIOKafkaProducer(**guarded.client(account), acks="all", enable_idempotence=True)
    await producer.start()
    try:
        await producer.send_and_wait(place.topic, value, partition=place.partition)
    finally:
        await producer.stop()


async def first_of(guarded: Guarded, account: str, place: TopicPartition) -> bytes:
    consumer = AIOKafkaConsumer(**guarded.client(account), auto_offset_reset="earliest")
    await consumer.start()
    try:
        # Raises if access is denied; without it the consumer only logs that and retries for ever.
        await consumer._client._wait_on_metadata(place.topic)
        consumer.assign([place])
        async with asyncio.timeout(10):
            value: bytes = (await consumer.getone()).value
            return value
    finally:
        await consumer.stop()


async def test_costs_are_read_by_the_gateway_and_refused_to_sales(guarded: Guarded) -> None:
    await say(guarded, "concord-finance", COSTS, b"what it cost")

    assert await first_of(guarded, "concord-gateway", COSTS) == b"what it cost"
    for account in ("concord-sales", "concord-delivery", "concord-legal"):
        with pytest.raises(TopicAuthorizationFailedError):
            await first_of(guarded, account, COSTS)
        with pytest.raises(TopicAuthorizationFailedError):
            await say(guarded, account, COSTS, b"something else")


async def test_a_client_without_an_account_is_refused(guarded: Guarded) -> None:
    with pytest.raises((AuthenticationFailedError, KafkaConnectionError)):
        await say(guarded, "concord-nobody", COSTS, b"something")
    stranger = AIOKafkaConsumer(bootstrap_servers=guarded.bootstrap, request_timeout_ms=2_000)
    with pytest.raises(KafkaConnectionError):
        await stranger.start()
    await stranger.stop()


async def test_an_account_sees_the_topics_that_it_has_a_right_on(guarded: Guarded) -> None:
    sales = identity(KafkaSettings.model_validate(guarded.told("concord-sales")))
    ours = acls.topics("sales", PREFIX)
    await topics.wait_for_topics(guarded.bootstrap, ours, sales, within=20)
    with pytest.raises(topics.MissingTopics, match=COSTS.topic):
        await topics.wait_for_topics(guarded.bootstrap, {COSTS.topic, *ours}, sales, within=1)


async def test_departments_work_with_no_more_rights_than_theirs(
    guarded: Guarded, store: StoreServer, isolation: str
) -> None:
    def settings(department: str) -> Settings:
        connection = guarded.told(f"concord-{department}")
        return sample_app.settings(
            **connection, store_url=store.url, store_database=f"{isolation}-{department[0]}"
        )

    async with contextlib.AsyncExitStack() as both:
        delivery = await both.enter_async_context(
            sample_app.running(sample_app.delivery(), settings("delivery"))
        )
        sales = await both.enter_async_context(
            sample_app.running(sample_app.sales(), settings("sales"))
        )
        headers = {**PAUL, "Idempotency-Key": "p-1"}
        ann = {"name": "Ann Arbor"}
        await delivery.post("/people/ann/publish-person", json=ann, headers=headers)

        async def opened() -> bool:
            headers = {**ANN, "Idempotency-Key": "k-1"}
            return (await sales.post("/engagements", json=DEAL, headers=headers)).is_success

        await sample_app.until(opened, within=20)
        headers = {**ANN, "Idempotency-Key": "k-1"}
        engagement = (await sales.post("/engagements", json=DEAL, headers=headers)).json()["id"]
        qualified = await sales.post(
            f"/engagements/{engagement}/qualify-deal",
            json={"score": 80},
            headers={
                **ANN,
                "Idempotency-Key": "k-2",
                "Prefer": "return=representation, wait=20",
            },
        )
        # Delivery consumed the event of Sales, and Sales consumed Delivery's reaction.
        assert qualified.json()["state"]["manager"] == "emma"
