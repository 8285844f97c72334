"""Tracing middleware: a span and a duration for every request."""

import time

from opentelemetry import metrics
from opentelemetry.trace import SpanKind, Status, StatusCode
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.base.telemetry import continued, spanning

_duration = metrics.get_meter("concord").create_histogram(
    "http.server.request.duration",
    unit="s",
    description="duration of requests",
    explicit_bucket_boundaries_advisory=[
        0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
    ],
)  # fmt: skip
_QUIET = frozenset({"/live", "/ready", "/health"})


class TracingMiddleware:
    """ASGI middleware that records a span and a duration by route, except for health checks."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle the request in a span; record its duration in seconds and its status."""
        if scope["type"] != "http" or scope["path"] in _QUIET:
            await self._app(scope, receive, send)
            return
        parent = next(
            (v.decode("latin-1") for k, v in scope["headers"] if k == b"traceparent"), None
        )
        method, status = scope["method"], 500
        began = time.perf_counter()

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with spanning(method, continued(parent), SpanKind.SERVER) as span:
            try:
                await self._app(scope, receive, sending)
            finally:
                route = getattr(scope.get("route"), "path", "unknown")
                span.update_name(f"{method} {route}")
                attributes = {
                    "http.request.method": method,
                    "http.route": route,
                    "http.response.status_code": status,
                }
                span.set_attributes(attributes)
                if status >= 500:
                    span.set_status(Status(StatusCode.ERROR))
                _duration.record(time.perf_counter() - began, attributes)
