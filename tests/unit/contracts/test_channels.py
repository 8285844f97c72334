"""Topic settings: events are kept for ever, erased reference data is not."""

from chassis.kafka import outbox_relay
from contracts.channels import CHANNELS

HOUR_MS = 3_600_000


def test_a_reference_topic_erases_within_an_hour_and_keeps_tombstones_for_a_week() -> None:
    for channel in CHANNELS.values():
        settings = channel.settings(replication=3)
        if channel.kind == "reference":
            assert int(settings["max.compaction.lag.ms"]) == HOUR_MS
            assert int(settings["delete.retention.ms"]) == 7 * 24 * HOUR_MS
            assert int(settings["segment.ms"]) < outbox_relay.UNTIL_CLOSED * 1000
        else:
            assert settings["cleanup.policy"] == "delete"
            assert settings["retention.ms"] == settings["retention.bytes"] == "-1"
