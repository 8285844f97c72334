"""Telemetry: one trace per command through every department, a few metrics that matter, and logs.

An event carries the `traceparent` (W3C Trace Context) of what led to it, so a trace goes on where
the event is heard: a listener's batch is a span of its own with links to the events in it, and each
commit a child of the trace of its event. Nothing is sent anywhere without an endpoint.
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


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What was set up, to be ended in order."""

    tracing: TracerProvider
    metering: MeterProvider

    def end(self) -> None:
        """Send what is left, within a few seconds."""
        self.tracing.shutdown()
        self.metering.shutdown(timeout_millis=3_000)


def begin(
    service: str,
    settings: Settings,
    *,
    spans: Sequence[SpanProcessor] = (),
    readers: Sequence[MetricReader] = (),
) -> Telemetry:
    """Set up traces and metrics for this process; where there is an endpoint, send them there.

    Where there is none, and nobody looks at spans, none is kept; traces are named all the same.
    """
    resource = Resource.create({"service.name": f"concord-{service}", "service.version": "0.1.0"})
    seen = bool(spans) or bool(settings.otlp_endpoint)
    sampler = ParentBased(TraceIdRatioBased(settings.trace_ratio)) if seen else ALWAYS_OFF
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
    """The current span as W3C writes it, for an event to carry; None outside of any trace."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get("traceparent")


def continued(parent: str | None) -> Context:
    """The trace that an event or a request belongs to; a new one where it names none."""
    return _propagator.extract({} if parent is None else {"traceparent": parent}, Context())


@contextmanager
def spanning(
    name: str,
    context: Context | None = None,
    kind: SpanKind = SpanKind.INTERNAL,
    attributes: Mapping[str, str | int] | None = None,
    links: Sequence[Link] = (),
) -> Iterator[Span]:
    """Open a span; where it ends in an error, it says which and where, and holds no values."""
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
def batch(reader: str, parents: Iterable[str | None], size: int) -> Iterator[Span]:
    """A span around a batch of events that `reader` takes in, linked to the events' own traces."""
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
    with spanning(f"{reader} hears", Context(), SpanKind.CONSUMER, attributes, links) as span:
        yield span


@contextmanager
def step(name: str, parent: str | None, **attributes: str | int) -> Iterator[Span]:
    """A span that goes on with the trace of an event (or begins one where it carries none)."""
    attributes = {f"concord.{key}": value for key, value in attributes.items()}
    with spanning(name, continued(parent), SpanKind.CONSUMER, attributes) as span:
        yield span


@contextmanager
def part(name: str, **attributes: str | int) -> Iterator[Span]:
    """A span inside the current one."""
    attributes = {f"concord.{key}": value for key, value in attributes.items()}
    with spanning(name, attributes=attributes) as span:
        yield span


def observe(name: str, unit: str, description: str, read: Callable[[], float]) -> None:
    """A gauge ``concord.<name>`` that is read whenever metrics are collected."""

    def look(_: CallbackOptions) -> Iterable[Observation]:
        return [Observation(read())]

    metrics.get_meter("concord").create_observable_gauge(
        f"concord.{name}", [look], unit=unit, description=description
    )


class JsonLines(logging.Formatter):
    """One JSON object a line, with the trace that the line belongs to.

    Errors are told as `chassis.base.failures` does, whoever logs them: their own words may hold
    what is confidential, and more people read logs than may know it.
    """

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line of JSON."""
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
        return "a task or callback failed"  # its own text repeats the error
    if not isinstance(record.args, tuple):
        return record.getMessage()
    told = (described(arg) if isinstance(arg, BaseException) else arg for arg in record.args)
    return str(record.msg) % tuple(told) if record.args else str(record.msg)


class RateLimitFilter(logging.Filter):
    """Lets a library say the same thing once in half a minute, and then how often it said it."""

    def __init__(self, library: str, seconds: float = 30.0) -> None:
        super().__init__(library)
        self._seconds = seconds
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is to be written."""
        if not super().filter(record):
            return True  # somebody else's
        what = (record.name, str(record.msg))
        since, unsaid = self._said.get(what, (float("-inf"), 0))
        if record.created - since < self._seconds:
            self._said[what] = (since, unsaid + 1)
            return False
        self._said[what] = (record.created, 0)
        if unsaid:
            record.msg, record.args = f"{record.getMessage()} (and {unsaid} times before)", None
        return True


def log_to_stderr(service: str, settings: Settings) -> None:
    """Send this process's logs to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(service))
    handler.addFilter(RateLimitFilter("aiokafka"))
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    for name, level in _LOUD.items():
        logging.getLogger(name).setLevel(level)


_LOUD: Mapping[str, int] = {
    "aiokafka": logging.ERROR,
    "faststream": logging.WARNING,
    "pymongo": logging.WARNING,
    "uvicorn.access": logging.CRITICAL,
}
