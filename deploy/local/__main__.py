"""What a person types: `python -m local up`, `down`, `status` and a few more."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Annotated, Literal, Never

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from local import dev, prerequisites, session
from local.elsewhere import NoKeyError, elsewhere
from local.platform import SERVICES, Layout, OldDataError, Platform, PortTakenError, health
from local.processes import ProcessError

Service = Literal["sales", "legal", "delivery", "finance", "gateway"]

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
console = Console(highlight=False)


@app.command()
def up(
    *,
    play: Annotated[bool, typer.Option(help="Play a portfolio in, the first time.")] = True,
    fresh: Annotated[bool, typer.Option(help="Throw away the data of earlier runs.")] = False,
) -> None:
    """Start the platform, and stay until Ctrl-C stops it."""
    layout = Layout.from_environment()
    try:
        with session.hold(layout) as holder:
            if fresh:
                shutil.rmtree(layout.data, ignore_errors=True)
            _run_platform(layout, holder, play=play)
    except session.AlreadyRunning as already:
        _tell_of(already.session, layout)
    except (OldDataError, PortTakenError, ProcessError, prerequisites.Missing) as trouble:
        _fail(str(trouble))


@app.command()
def down() -> None:
    """Stop the platform that `up` started."""
    try:
        stopped = session.end(Layout.from_environment().folder)
    except TimeoutError as trouble:
        _fail(str(trouble))
    console.print("Stopped." if stopped else "Nothing of the platform runs.")


@app.command(name="dev")
def develop(service: Annotated[Service, typer.Argument(help="The service to restart.")]) -> None:
    """Run one service of the running platform here, and restart it when its code changes."""
    folder = Layout.from_environment().folder
    found = session.running(folder)
    if found is None:
        _fail("Nothing of the platform runs: type `make run` in another terminal first.")
    layout = found.layout(folder)
    if dev.taken_over(layout, service):
        _fail(f"{service} runs in another terminal already.")
    with _stopped_by_signals(), suppress(KeyboardInterrupt), dev.take_over(layout, service):
        process = dev.process_of(Platform(layout, say=lambda _: None), service)
        dev.serve(process, dev.changes_of(service), console.print)
    console.print(f"The platform runs {service} again.")


@app.command()
def status() -> None:
    """Say what of the platform runs, where, and how long."""
    folder = Layout.from_environment().folder
    found = session.running(folder)
    if found is None:
        console.print("Nothing of the platform runs.")
        raise typer.Exit(1)
    _tell_of(found, found.layout(folder))
    for service in SERVICES:
        console.print(f"  {service:<9} {_condition(found.layout(folder).url(service))}")


@app.command(context_settings={"ignore_unknown_options": True})
def env(
    command: Annotated[list[str], typer.Argument(help="The command to run.")],
    service: Annotated[
        Service | None, typer.Option("--of", help="As one of the services: with its store, too.")
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(help="Of a platform in containers or on a cluster: the file with its secret."),
    ] = None,
) -> None:
    """Run a command that is told where the platform is, and the secret that signs its tokens."""
    if key is not None:
        try:
            _run(command, elsewhere(key, os.environ))
        except NoKeyError as trouble:
            _fail(str(trouble))
    folder = Layout.from_environment().folder
    found = session.running(folder)
    layout = found.layout(folder) if found else Layout.from_environment()
    platform = Platform(layout, say=lambda _: None)
    told = platform.environment(service) if service else platform.outside_environment()
    _run(command, told)


def _run(command: list[str], told: Mapping[str, str]) -> Never:
    done = subprocess.run(command, env={**os.environ, **told}, check=False)
    raise typer.Exit(done.returncode)


@app.command(name="prerequisites")
def check_prerequisites(
    *,
    browser: Annotated[bool, typer.Option(help="What browser tests need, too.")] = False,
) -> None:
    """Install what the machine itself must have, or name the command that does."""
    wanted = [*prerequisites.KAFKA, *(prerequisites.BROWSER if browser else ())]
    try:
        prerequisites.ensure(wanted)
    except prerequisites.Missing as trouble:
        _fail(str(trouble))


def _condition(url: str) -> str:
    """Return in a line whether a service takes requests, and which of its parts are behind."""
    said = health(url)
    if said is None:
        return "[red]does not answer[/red]"
    ready = "takes requests" if said["ready"] else "[red]takes no requests[/red]"
    behind = [
        f"{name}: {part['reason']} (since {part['since']})"
        for name, part in said["parts"].items()
        if "reason" in part
    ]
    if not behind:
        return f"{ready}, healthy"
    colour = "yellow" if said["healthy"] else "red"
    return f"{ready}, [{colour}]{escape('; '.join(behind))}[/{colour}]"


def _run_platform(layout: Layout, holder: session.Holder, *, play: bool) -> None:
    layout.check_data()
    layout.check_ports()
    platform = Platform(layout, say=console.print)
    started = time.monotonic()
    with _stopped_by_signals():
        try:
            platform.start()
            console.print(f"Ready after {time.monotonic() - started:.0f} s.")
            if play:
                _play_once(platform)
            holder.say_ready()
            _summarise(platform)
            _watch(platform)
        except KeyboardInterrupt:
            console.print("\nStopping ...")
        finally:
            _stop(platform)


def _play_once(platform: Platform) -> None:
    """Play the portfolio in, unless the data already holds one."""
    mark = platform.layout.data / "played"
    if mark.exists():
        return
    try:
        platform.run("local.play", log=None, limit=None)
    except ProcessError as trouble:
        console.print(f"[yellow]The portfolio was not played in: {trouble}[/yellow]")
    else:
        mark.touch()


def _watch(platform: Platform) -> None:
    """Return never by itself; raise `ProcessError` as soon as a part has ended."""
    while True:
        _leave_to_developers(platform)
        dead = platform.dead()
        if dead is not None:
            raise ProcessError(dead.trouble("has ended, so the whole platform stops"))
        time.sleep(0.5)


def _leave_to_developers(platform: Platform) -> None:
    """Stop each service that another terminal runs now, and start those that none runs any more."""
    for name, process in platform.services.items():
        taken_over = dev.taken_over(platform.layout, name)
        if taken_over and name not in platform.run_elsewhere:
            console.print(f"Another terminal runs {name} from now on.")
            platform.run_elsewhere.add(name)
            process.stop()
        elif not taken_over and name in platform.run_elsewhere:
            console.print(f"Starting {name} again.")
            process.start()
            platform.run_elsewhere.remove(name)


def _stop(platform: Platform) -> None:
    try:
        platform.stop()
    except KeyboardInterrupt:
        # Asked twice: no more patience.
        platform.kill()


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Treat a request to end, and a closed terminal, as Ctrl-C."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {
        number: signal.signal(number, interrupt)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _summarise(platform: Platform) -> None:
    layout = platform.layout
    try:
        platform.run("local.summary", log=None, limit=30)
    except ProcessError as trouble:
        console.print(f"[yellow]The portfolio is not told: {trouble}[/yellow]")
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_row("the portfolio", f"[bold]{layout.url('gateway')}/[/bold]")
    for service in SERVICES:
        table.add_row(f"{service}, its commands and views", f"{layout.url(service)}/docs")
    table.add_row("logs", str(layout.logs))
    console.print()
    console.print(table)
    console.print("\nTo sign in, take a token from [bold]make token AS=vera[/bold].")
    console.print("Ctrl-C here stops everything; so does `make stop` from elsewhere.\n")


def _tell_of(found: session.Session | None, layout: Layout) -> None:
    if found is None:
        console.print("The platform is just being started by another terminal.")
        return
    minutes = (time.time() - found.since) / 60
    state = "runs" if found.ready else "is starting"
    console.print(f"The platform {state}, for {minutes:.0f} min now (pid {found.pid}).")
    _summarise(Platform(found.layout(layout.folder), say=lambda _: None))


def _fail(message: str) -> Never:
    console.print(message, style="red", markup=False)
    raise typer.Exit(1)


if __name__ == "__main__":
    app()
