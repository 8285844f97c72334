"""Kafka credentials: the account of this process, with SCRAM-SHA-512 over TLS.

Every Kafka client is made with them. `chassis.kafka.acls` has the rights of the accounts.
"""

import ssl
from typing import Any

from faststream.kafka.security import parse_security
from faststream.security import BaseSecurity, SASLScram512

from chassis.base.settings import KafkaSettings, UnsafeSettings

Identity = BaseSecurity | None
"""Credentials for FastStream's broker (``security=``); None where Kafka has no accounts."""


def identity(settings: KafkaSettings) -> Identity:
    """Return the credentials in the settings; raises UnsafeSettings if the CA file is unusable."""
    if settings.kafka_user is None or settings.kafka_password is None:
        return None
    try:
        brokers = ssl.create_default_context(cafile=settings.kafka_ca)
    except OSError as error:  # the errors of ssl are subclasses
        raise UnsafeSettings(f"CONCORD_KAFKA_CA: {settings.kafka_ca}: {error}") from error
    password = settings.kafka_password.get_secret_value()
    return SASLScram512(settings.kafka_user, password, ssl_context=brokers, use_ssl=True)


def arguments(identity: Identity) -> dict[str, Any]:
    """Return the same credentials as keyword arguments for a client of aiokafka."""
    return parse_security(identity)
