"""Test that a command and a department's reaction are one trace, on real Kafka and store."""

import io
import json
import logging

from opentelemetry import trace
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from chassis.base import telemetry
from chassis.kafka.topics import create_topics
from tests.component.sample_app import delivery, running, sales, settings, token, until
from tests.infrastructure import KafkaServer, StoreServer

ANN = token("ann", "account-executive")
PAUL = token("paul", "pmo-director")
MEASURED = {
    "http.server.request.duration",
    "concord.journal.commits",
    "concord.relay.backlog",
    "concord.parked.engagements",
    "concord.parked.oldest",
}


async def test_a_trace_goes_from_the_request_to_the_reaction_and_back(
    kafka: KafkaServer, store: StoreServer, isolation: str
) -> None:
    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    telemetry.begin("test", settings(), spans=[SimpleSpanProcessor(spans)], readers=[reader])
    await create_topics(kafka.bootstrap, isolation)
    given = {
        "kafka_bootstrap": kafka.bootstrap,
        "topic_prefix": isolation,
        "store_url": store.url,
    }
    async with (
        running(delivery(), settings(**given, store_database=f"{isolation}-d")) as of_delivery,
        running(sales(), settings(**given, store_database=f"{isolation}-s")) as of_sales,
    ):
        await of_delivery.post(
            "/people/ann/publish-person",
            json={"name": "Ann"},
            headers={**PAUL, "Idempotency-Key": "p"},
        )
        body = {
            "account": "acme",
            "title": "Traced",
            "expected_value": {"amount": "1", "currency": "EUR"},
            "expected_close": "2026-06-30",
            "owner": "ann",
        }
        path = ""

        async def opened() -> bool:
            nonlocal path
            headers = {**ANN, "Idempotency-Key": "o", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
            answer = await of_sales.post("/engagements", json=body, headers=headers)
            path = answer.headers.get("location", "")
            return answer.status_code == 201

        await until(opened)
        await of_sales.post(
            f"{path}/qualify-deal",
            json={"score": 1},
            headers={**ANN, "Idempotency-Key": "q", "Prefer": "wait=20"},
        )

        def of_this_trace() -> list[str]:
            return [
                span.name
                for span in spans.get_finished_spans()
                if trace.format_trace_id(span.context.trace_id) == "a" * 32
            ]

        async def both_consumed() -> bool:
            return of_this_trace().count("hear") >= 2

        await until(both_consumed)
        # The request, its decision and its commit in Sales; Delivery's consumption and reaction;
        # and the consumption of the reaction in Sales.
        assert {"POST /engagements", "decide", "append", "hear"} <= set(of_this_trace())

        async def all_measured() -> bool:
            return measured(reader) >= MEASURED

        await until(all_measured)


def measured(reader: InMemoryMetricReader) -> set[str]:
    """Names of the metrics that have values now."""
    data = reader.get_metrics_data()
    return {
        metric.name
        for resource in (data.resource_metrics if data else ())
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }


def test_logs_are_lines_of_json_that_name_their_trace() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(telemetry.JsonLines("sales"))
    logger = logging.getLogger("concord.test")
    logger.setLevel("INFO")
    logger.addHandler(handler)
    parent = f"00-{'a' * 32}-{'b' * 16}-01"
    with trace.use_span(trace.get_current_span(telemetry.continued(parent))):
        logger.info("heard %d\nevents", 3)
    try:
        int("broken")
    except ValueError:
        logger.exception("no")
    logger.removeHandler(handler)
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert (first["message"], first["trace_id"]) == ("heard 3\nevents", "a" * 32)
    assert (first["level"], first["service"]) == ("INFO", "sales")
    assert "ValueError (tests.component.test_telemetry." in second["error"]
