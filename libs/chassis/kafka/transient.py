"""Faults that pass by themselves: Kafka, the store or the network does not answer."""

from collections.abc import Mapping

from aiokafka.errors import KafkaError

from chassis.eventstore.mongo import StoreAway

TRANSIENT: tuple[type[Exception], ...] = (StoreAway, KafkaError, OSError)
"""Errors after which the same work is tried again; they never park an engagement."""


def raise_transient(errors: Mapping[str, Exception]) -> None:
    """Raise the first of the errors that is transient, if there is one."""
    for error in errors.values():
        if isinstance(error, TRANSIENT):
            raise error
