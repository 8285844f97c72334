"""Run the whole platform on one machine, as processes: Kafka, document stores, five services.

`make run` calls `python -m local up`. Tests use `local.kafka.Kafka` and `local.store.Store`, which
start the same software on free ports in a separate folder.
"""
