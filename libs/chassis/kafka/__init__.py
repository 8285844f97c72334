"""Consumer, parked records, outbox relay, reference data, topics and access rights."""
