"""Print what every service committed about an engagement: ``python -m local.stream E-...``.

A line for each commit, in order of time, with the events under it: ``+`` published by the service
itself, ``<`` taken in from another one, ``.`` internal. The data of events are in full, also
confidential ones: the program reads the stores of the platform on this machine, as only its owner
can.

The services are imported, since an internal event can only be read where its class is defined.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.markup import escape

from chassis.domain.internal import Internal
from chassis.eventstore.journal import Commit, Journal
from chassis.eventstore.mongo import Store, StoreAway
from chassis.eventstore.unreadable import UnreadableStream
from contracts.event import Event
from local import instance_lock
from local.platform import SERVICES, Layout, Platform

for _service in SERVICES:
    import_module(f"{_service}.service")

console = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True, slots=True)
class Line:
    """A commit of one service."""

    service: str
    commit: Commit


async def commits(stores: Mapping[str, Store], engagement: str) -> list[Line]:
    """Return what the services with these stores committed about an engagement, ordered by time.

    Raises StoreAway where a store does not answer, and UnreadableStream.
    """
    found: list[Line] = []
    for service, store in stores.items():
        stream = Journal(store).read(f"engagement:{engagement}")
        found += [Line(service, each) async for each in stream]
    return sorted(found, key=lambda line: (line.commit.at, line.service, line.commit.number))


async def _read(platform: Platform, engagement: str) -> list[Line]:
    stores = {name: Store(platform.stores[name].url, name) for name in SERVICES}
    try:
        return await commits(stores, engagement)
    finally:
        for store in stores.values():
            await store.close()


def show(line: Line, *, data: bool) -> None:
    """Print a commit and its events."""
    commit = line.commit
    what = commit.command or "events of others"
    at = commit.at.isoformat(timespec="milliseconds")
    console.print(
        f"[bold]{line.service} {commit.number}[/]  {at}  {what}  by {escape(commit.actor)}"
    )
    for kept, recorded in zip(commit.events, commit.recorded(), strict=True):
        sign = "." if kept.is_internal else "+" if kept.own else "<"
        where = "internal" if kept.is_internal else f"{kept.channel} {recorded.sequence}"
        console.print(f"    {sign} {where}  {_name(recorded.event)}")
        if data:
            text = orjson.dumps(orjson.loads(kept.record)["data"]).decode()
            console.print(f"      {escape(text)}", style="dim")


def _name(event: Event) -> str:
    """Return the name of an event without its version; of an internal one its whole type."""
    return event.type if isinstance(event, Internal) else event.type.split(".")[2]


def main(
    engagement: Annotated[str, typer.Argument(help="The id of an engagement, E-...")],
    data: Annotated[bool, typer.Option(help="Print the data of each event.")] = True,
) -> None:
    """Print an engagement's commits and events, of the platform that runs here."""
    found = instance_lock.running(Layout.from_environment().folder)
    if found is None:
        console.print("The platform is not running: type `make run` first.", style="red")
        raise typer.Exit(1)
    platform = Platform(found.layout(Layout.from_environment().folder), report=lambda _: None)
    try:
        lines = asyncio.run(_read(platform, engagement))
    except (StoreAway, UnreadableStream) as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from None
    if not lines:
        console.print(f"No service has committed anything about {engagement}.", style="red")
        raise typer.Exit(1)
    for line in lines:
        show(line, data=data)


if __name__ == "__main__":
    typer.run(main)
