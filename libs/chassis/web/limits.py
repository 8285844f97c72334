"""The protocol of uvicorn with a limit on headers, and with connections that close in order.

httptools, the HTTP parser, does not limit the request line, headers and trailers by itself.
"""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

CLOSE_IDLE_AFTER = 1.0
"""Seconds that an idle connection stays open after the service was told to stop.

A request in this time is answered with `Connection: close`. If the connection were closed at once,
a request already sent by the client would be lost."""

MAX_OVERHEAD = 64 * 1024
"""Bytes of a request besides its body: request line, headers, trailers, chunk headers."""


class LimitedHttpProtocol(HttpToolsProtocol):
    """Uvicorn's protocol on httptools, which refuses a request with more than `MAX_OVERHEAD`.

    Uvicorn's protocol on h11 limits headers, but makes a command a third slower.
    """

    _overhead = 0

    def data_received(self, data: bytes) -> None:
        """Parse the data; answer 400 and close the connection if the overhead is too large."""
        self._overhead += len(data)
        super().data_received(data)
        if self._overhead > MAX_OVERHEAD and not self.transport.is_closing():
            self.send_400_response("The request line, headers or trailers are too large.")

    def on_message_begin(self) -> None:
        """Start counting for a new request."""
        self._overhead = 0
        super().on_message_begin()

    def on_body(self, body: bytes) -> None:
        """Leave the body out of the count; `StrictRequest.body` limits it."""
        self._overhead -= len(body)
        super().on_body(body)

    def shutdown(self) -> None:
        """Close the connection after the current answer; after `CLOSE_IDLE_AFTER` if it is idle."""
        if self._answering:
            self.cycle.keep_alive = False
            return
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(
            CLOSE_IDLE_AFTER, self.timeout_keep_alive_handler
        )

    @property
    def _answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # None before the first request
        return cycle is not None and not cycle.response_complete
