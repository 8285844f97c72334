"""The whole platform on one machine, as processes: Kafka, the document stores, the five services.

`python -m local up` is what `make run` calls. Tests use `local.kafka.Kafka` and
`local.store.Store`, which start the same software on free ports in a folder of their own.
"""
