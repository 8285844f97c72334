"""Telemetry: one trace per command through all departments, metrics, and logs as JSON lines.

An event carries the `traceparent` (W3C Trace Context) of the command or event that led to it, so
consumers continue its trace: a consumer's batch is a span of its own with links to the traces of
its events, and each commit is a child span in the trace of its first event. Without an endpoint
nothing is sent.
"""

import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, TraceIdRatioBased
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from chassis.base.failures import described, traceback_of
from chassis.base.settings import Settings

_propagator = TraceContextTextMapPropagator()
_tracer = trace.get_tracer("concord")
_MOST_LINKS = 32
_BATCH_SPAN = "hears"
"""The last word of the names of batch spans, by which they are found in stored traces."""


@dataclass(frozen=True, slots=True)
class Telemetry:
    """The providers of traces and metrics of this process."""

    tracing: TracerProvider
    metering: MeterProvider

    def end(self) -> None:
        """Send the remaining spans and metrics, and shut down; metrics within 3 seconds."""
        self.tracing.shutdown()
        self.metering.shutdown(timeout_millis=3_000)


def begin(
    service: str,
    settings: Settings,
    *,
    spans: Sequence[SpanProcessor] = (),
    readers: Sequence[MetricReader] = (),
) -> Telemetry:
    """Set up traces and metrics for this process, and send them to the endpoint if there is one.

    Without an endpoint and without `spans`, no span is sampled, but trace ids are still generated.
    """
    resource = Resource.create({"service.name": f"concord-{service}", "service.version": "0.1.0"})
    used = bool(spans) or bool(settings.otlp_endpoint)
    sampler = ParentBased(TraceIdRatioBased(settings.trace_ratio)) if used else ALWAYS_OFF
    tracing = TracerProvider(resource=resource, sampler=sampler)
    readers = list(readers)
    for processor in spans:
        tracing.add_span_processor(processor)
    if settings.otlp_endpoint:
        base = settings.otlp_endpoint.rstrip("/")
        exporter = OTLPSpanExporter(endpoint=f"{base}/v1/traces")
        tracing.add_span_processor(BatchSpanProcessor(exporter))
        readers.append(
            PeriodicExportingMetricReader(
                OTLPMetricExporter(endpoint=f"{base}/v1/metrics"), export_interval_millis=10_000
            )
        )
    metering = MeterProvider(metric_readers=readers, resource=resource)
    trace.set_tracer_provider(tracing)
    metrics.set_meter_provider(metering)
    return Telemetry(tracing, metering)


def traceparent() -> str | None:
    """Return the current span as a W3C `traceparent`, for an event; None outside of a trace."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get("traceparent")


def continued(parent: str | None) -> Context:
    """Return the context of the trace that `parent` names; without one, of a new trace."""
    return _propagator.extract({} if parent is None else {"traceparent": parent}, Context())


@contextmanager
def spanning(
    name: str,
    context: Context | None = None,
    kind: SpanKind = SpanKind.INTERNAL,
    attributes: Mapping[str, str | int] | None = None,
    links: Sequence[Link] = (),
) -> Iterator[Span]:
    """Open a span; if it ends with an error, its status has the error as `described` returns it."""
    with _tracer.start_as_current_span(
        name,
        context,
        kind,
        attributes,
        links,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield span
        except Exception as error:
            span.set_status(Status(StatusCode.ERROR, described(error)))
            raise


@contextmanager
def batch(consumer: str, parents: Iterable[str | None], size: int) -> Iterator[Span]:
    """Open a span for a batch of a consumer, linked to the traces of its events (at most 32)."""
    links: list[Link] = []
    for parent in dict.fromkeys(parents):
        if parent is None or len(links) == _MOST_LINKS:
            continue
        context = trace.get_current_span(continued(parent)).get_span_context()
        if context.is_valid:
            links.append(Link(context))
    attributes: dict[str, str | int] = {
        "messaging.system": "kafka",
        "messaging.batch.message_count": size,
    }
    with spanning(
        f"{consumer} {_BATCH_SPAN}", Context(), SpanKind.CONSUMER, attributes, links
    ) as span:
        yield span


@contextmanager
def step(name: str, parent: str | None, **attributes: str | int) -> Iterator[Span]:
    """Open a span in the trace of an event, or in a new one if the event has none."""
    attributes = {f"concord.{key}": value for key, value in attributes.items()}
    with spanning(name, continued(parent), SpanKind.CONSUMER, attributes) as span:
        yield span


@contextmanager
def part(name: str, **attributes: str | int) -> Iterator[Span]:
    """Open a child span of the current span."""
    attributes = {f"concord.{key}": value for key, value in attributes.items()}
    with spanning(name, attributes=attributes) as span:
        yield span


def observe(name: str, unit: str, description: str, read: Callable[[], float]) -> None:
    """Register a gauge ``concord.<name>`` that calls `read` whenever metrics are collected."""

    def observed(_: CallbackOptions) -> Iterable[Observation]:
        return [Observation(read())]

    metrics.get_meter("concord").create_observable_gauge(
        f"concord.{name}", [observed], unit=unit, description=description
    )


class JsonLines(logging.Formatter):
    """A formatter of log records as JSON objects, one a line, with trace and span id.

    Errors are described as in `chassis.base.failures`, also those that libraries log: their
    messages may contain confidential values, and not all readers of logs may see those.
    """

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "service": self._service,
            "logger": record.name,
            "message": _message(record),
        }
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            line["trace_id"] = trace.format_trace_id(context.trace_id)
            line["span_id"] = trace.format_span_id(context.span_id)
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = traceback_of(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)


def _message(record: logging.LogRecord) -> str:
    if record.name == "asyncio" and record.exc_info:
        return "a task or callback failed"  # asyncio's own text contains the error's message
    if not isinstance(record.args, tuple):
        return record.getMessage()
    args = (described(arg) if isinstance(arg, BaseException) else arg for arg in record.args)
    return str(record.msg) % tuple(args) if record.args else str(record.msg)


class RateLimitFilter(logging.Filter):
    """A filter that logs a repeated message of a library at most every `seconds`.

    The next one that is logged has the number of those suppressed in between.
    """

    def __init__(self, library: str, seconds: float = 30.0) -> None:
        super().__init__(library)
        self._seconds = seconds
        self._logged: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is logged."""
        if not super().filter(record):
            return True  # of another library
        message = (record.name, str(record.msg))
        since, suppressed = self._logged.get(message, (float("-inf"), 0))
        if record.created - since < self._seconds:
            self._logged[message] = (since, suppressed + 1)
            return False
        self._logged[message] = (record.created, 0)
        if suppressed:
            record.msg, record.args = f"{record.getMessage()} (and {suppressed} times before)", None
        return True


def log_to_stderr(service: str, settings: Settings) -> None:
    """Send this process's logs to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(service))
    handler.addFilter(RateLimitFilter("aiokafka"))
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    for name, level in _LEVELS.items():
        logging.getLogger(name).setLevel(level)


_LEVELS: Mapping[str, int] = {
    "aiokafka": logging.ERROR,
    "faststream": logging.WARNING,
    "pymongo": logging.WARNING,
    "uvicorn.access": logging.CRITICAL,
}
