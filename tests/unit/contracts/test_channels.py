"""What a topic is told: events stay for ever, what was erased does not."""

from chassis.kafka import outbox_relay
from contracts.channels import CHANNELS

HOUR_MS = 3_600_000


def test_a_reference_topic_forgets_within_the_hour_and_says_so_for_a_week() -> None:
    for channel in CHANNELS.values():
        told = channel.settings(replication=3)
        if channel.kind == "reference":
            assert int(told["max.compaction.lag.ms"]) == HOUR_MS
            assert int(told["delete.retention.ms"]) == 7 * 24 * HOUR_MS
            assert int(told["segment.ms"]) < outbox_relay._UNTIL_CLOSED * 1000
        else:
            assert told["cleanup.policy"] == "delete"
            assert told["retention.ms"] == told["retention.bytes"] == "-1"
