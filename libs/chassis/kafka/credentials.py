"""Who a process is for Kafka: the account it names, over TLS; every client is made with it.

What an account may read and write is in `chassis.kafka.acls`.
"""

import ssl
from typing import Any

from faststream.kafka.security import parse_security
from faststream.security import BaseSecurity, SASLScram512

from chassis.base.settings import KafkaSettings, UnsafeSettings

Identity = BaseSecurity | None
"""As FastStream's broker takes it (``security=``); None where Kafka knows nobody."""


def identity(settings: KafkaSettings) -> Identity:
    """The account that the settings name; raises UnsafeSettings where its file is not one."""
    if settings.kafka_user is None or settings.kafka_password is None:
        return None
    try:
        brokers = ssl.create_default_context(cafile=settings.kafka_ca)
    except OSError as error:  # ssl's own errors are some
        raise UnsafeSettings(f"CONCORD_KAFKA_CA: {settings.kafka_ca}: {error}") from error
    password = settings.kafka_password.get_secret_value()
    return SASLScram512(settings.kafka_user, password, ssl_context=brokers, use_ssl=True)


def arguments(identity: Identity) -> dict[str, Any]:
    """The same for a client of aiokafka's own."""
    return parse_security(identity)
