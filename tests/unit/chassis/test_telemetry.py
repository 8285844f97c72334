"""The filter that limits repeated log messages of a library."""

import logging

from chassis.base.telemetry import RateLimitFilter


def log_record(logger: str, text: str, *values: object, at: float) -> logging.LogRecord:
    record = logging.LogRecord(logger, logging.ERROR, "", 0, text, values, None)
    record.created = at
    return record


def test_a_repeated_message_is_logged_once_per_period_with_the_number_suppressed() -> None:
    rate_limit = RateLimitFilter("aiokafka", seconds=30)
    text = "Unable connect to node with id %s: %s"
    logged = [
        rate_limit.filter(log_record("aiokafka.client", text, node, "refused", at=float(second)))
        for second, node in enumerate((1, 2, 1, 1))
    ]
    assert logged == [True, False, False, False]
    assert rate_limit.filter(log_record("aiokafka.client", "Topic %s is gone", "a", at=3.0))

    later = log_record("aiokafka.client", text, 1, "refused", at=31.0)
    assert rate_limit.filter(later)
    assert later.getMessage() == "Unable connect to node with id 1: refused (and 3 times before)"


def test_messages_of_other_loggers_are_not_limited() -> None:
    rate_limit = RateLimitFilter("aiokafka")
    for logger in ("chassis.kafka.consumer", "aiokafkaesque"):
        assert all(rate_limit.filter(log_record(logger, "again", at=1.0)) for _ in range(3))
