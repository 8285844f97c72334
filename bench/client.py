"""Minimal HTTP client: client and server share the cores, so the client must cost little."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[bytes, bytes]
    """By name in lower case."""
    body: bytes


class Connection:
    """A keep-alive connection to 127.0.0.1, for one request at a time (``async with``)."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._fixed = f"Host: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.close()

    async def get(self, path: str, **headers: str) -> Answer:
        return await self._ask("GET", path, b"", headers)

    async def post(self, path: str, body: bytes, **headers: str) -> Answer:
        return await self._ask("POST", path, body, headers)

    async def _ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        lines = "".join(f"{name.replace('_', '-')}: {text}\r\n" for name, text in headers.items())
        if body:
            lines += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        self._writer.write(f"{method} {path} HTTP/1.1\r\n{self._fixed}{lines}\r\n".encode() + body)
        head = await self._reader.readuntil(b"\r\n\r\n")
        first, *rest = head[:-4].split(b"\r\n")
        received = dict(_header(line) for line in rest)
        length = int(received.get(b"content-length", b"0"))
        content = await self._reader.readexactly(length) if length else b""
        return Answer(int(first.split(b" ", 2)[1]), received, content)


def _header(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name.lower(), value.strip()
