"""Write an example of each event type: ``make examples``.

The examples are whole CloudEvents from the demo, simulated with a fixed seed. One that exists and
conforms to the schema is kept, so that a rerun changes nothing; ``make examples ALL=1`` chooses all
of them anew.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any
from uuid import UUID

from contracts import release
from contracts.event import Event, Recorded, encode
from tests.unit.played import EVERY, played

Example = dict[str, Any]
_LARGEST = 8_000
"""Size in bytes of an example, if an event of the type is that small."""


def best(wanted: Iterable[str]) -> dict[str, Example]:
    """Return for each of the types the event with the most fields that is not too large."""
    found: dict[str, tuple[tuple[bool, int, int], Example]] = {}
    names = set(wanted)
    for each in map(played, EVERY):
        events = (*each.references, *each.events)
        ids = {recorded.id: _uuid(recorded) for recorded in events}
        for recorded in events:
            name = recorded.event.type
            if name not in names:
                continue
            text = encode(recorded).decode()
            example: Example = _with_ids(json.loads(text), ids)
            size = len(text)
            rank = (size > _LARGEST, -len(set(_filled(example["data"]))), size)
            if name not in found or rank < found[name][0]:
                found[name] = rank, example
    return {name: example for name, (_, example) in found.items()}


def _with_ids(value: Any, ids: Mapping[str, str]) -> Any:
    """Return a value in which each id of an event is replaced."""
    if isinstance(value, dict):
        return {name: _with_ids(each, ids) for name, each in value.items()}
    if isinstance(value, list):
        return [_with_ids(each, ids) for each in value]
    return ids.get(value, value) if isinstance(value, str) else value


def _uuid(recorded: Recorded[Event]) -> str:
    """Return a UUIDv7 of the event's moment; the same event always gets the same."""
    milliseconds = int(recorded.recorded_at.timestamp() * 1000)
    rest = int.from_bytes(sha256(f"{recorded.channel.name}/{recorded.id}".encode()).digest()[:10])
    number = milliseconds << 80 | 7 << 76 | (rest & (2**12 - 1)) << 64
    return str(UUID(int=number | 0b10 << 62 | rest >> 18))


def _filled(data: object, at: str = "") -> Iterator[str]:
    """Yield the path of each field that has a value."""
    if isinstance(data, dict):
        for name, value in data.items():
            yield from _filled(value, f"{at}.{name}")
    elif isinstance(data, list):
        for value in data:
            yield from _filled(value, at)
    elif data is not None:
        yield at


def main(arguments: list[str]) -> int:
    """Write the examples that are missing or do not conform; return 1 where one is not found."""
    wanted = {
        name
        for name, event in release.events().items()
        if "--all" in arguments or release.example_fault(event) is not None
    }
    found = best(wanted) if wanted else {}
    release.EXAMPLES.mkdir(exist_ok=True)
    for name, example in sorted(found.items()):
        content = json.dumps(example, indent=2, ensure_ascii=False)
        (release.EXAMPLES / f"{name}.json").write_text(f"{content}\n")
        sys.stdout.write(f"wrote the example of {name}\n")
    for file in release.EXAMPLES.glob("*.json"):
        if file.stem not in release.events():
            file.unlink()
    for name in sorted(wanted - found.keys()):
        sys.stderr.write(f"{name}: the demo does not play it\n")
    return 1 if wanted - found.keys() else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
