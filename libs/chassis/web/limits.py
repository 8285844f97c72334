"""HTTP on the wire: a bound on what stands beside a request's body, and connections that end well.

The parser of HTTP has no bound of its own.
"""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

LAST_CALL = 1.0
"""Seconds that an idle connection stays open once the service is to stop.

Whoever uses it meanwhile is answered `Connection: close`. Closed at once, it could meet a request
that is on its way."""

MOST_BESIDE = 64 * 1024
"""Bytes that a request may have beside its body: its line, headers, trailers, ends of chunks."""


class LimitedHttpProtocol(HttpToolsProtocol):
    """Uvicorn's protocol on httptools, and an end to a request that has none.

    The other protocol that uvicorn has bounds headers, and costs a third of a command more.
    """

    _beside = 0

    def data_received(self, data: bytes) -> None:
        """Take what has come, and answer 400 and hang up where too much stands beside the body."""
        self._beside += len(data)
        super().data_received(data)
        if self._beside > MOST_BESIDE and not self.transport.is_closing():
            self.send_400_response("The request has too much beside its body.")

    def on_message_begin(self) -> None:
        """Begin to count."""
        self._beside = 0
        super().on_message_begin()

    def on_body(self, body: bytes) -> None:
        """The body has a bound of its own."""
        self._beside -= len(body)
        super().on_body(body)

    def shutdown(self) -> None:
        """End the connection with its next answer, or after `LAST_CALL` without a request."""
        if self._answering:
            self.cycle.keep_alive = False
            return
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(
            LAST_CALL, self.timeout_keep_alive_handler
        )

    @property
    def _answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # None before the first request
        return cycle is not None and not cycle.response_complete
