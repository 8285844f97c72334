"""Start, stop and inspect the platform on this machine: `python -m local up`, `down`, `status`."""

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

from local import dev, instance_lock, prerequisites
from local.platform import SERVICES, Layout, OldDataError, Platform, PortTakenError, health
from local.processes import ProcessError
from local.remote import NoKeyError, remote_environment

Service = Literal["sales", "legal", "delivery", "finance", "gateway"]

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
console = Console(highlight=False)


@app.command()
def up(
    *,
    demo: Annotated[bool, typer.Option(help="Load demo data the first time.")] = True,
    fresh: Annotated[bool, typer.Option(help="Delete the data of earlier runs.")] = False,
) -> None:
    """Start the platform and run it until Ctrl-C."""
    layout = Layout.from_environment()
    try:
        with instance_lock.acquire(layout) as lock:
            if fresh:
                shutil.rmtree(layout.data, ignore_errors=True)
            _run_platform(layout, lock, demo=demo)
    except instance_lock.AlreadyRunning as already:
        _describe(already.instance, layout)
    except (OldDataError, PortTakenError, ProcessError, prerequisites.Missing) as error:
        _fail(str(error))


@app.command()
def down() -> None:
    """Stop the platform that `up` started."""
    try:
        stopped = instance_lock.stop(Layout.from_environment().folder)
    except TimeoutError as error:
        _fail(str(error))
    console.print("Stopped." if stopped else "The platform is not running.")


@app.command(name="dev")
def develop(service: Annotated[Service, typer.Argument(help="The service to restart.")]) -> None:
    """Run one service of the running platform here, and restart it when its code changes."""
    folder = Layout.from_environment().folder
    found = instance_lock.running(folder)
    if found is None:
        _fail("The platform is not running: type `make run` in another terminal first.")
    layout = found.layout(folder)
    if dev.taken_over(layout, service):
        _fail(f"{service} runs in another terminal already.")
    with _stopped_by_signals(), suppress(KeyboardInterrupt), dev.take_over(layout, service):
        try:
            process = dev.process_of(Platform(layout, report=lambda _: None), service)
        except TimeoutError as error:
            _fail(f"The platform does not give {service} up: {error}.")
        dev.serve(process, dev.changes_of(service), console.print)
    console.print(f"The platform runs {service} again.")


@app.command()
def status() -> None:
    """Show which services run, their addresses, and how long the platform has been running."""
    folder = Layout.from_environment().folder
    found = instance_lock.running(folder)
    if found is None:
        console.print("The platform is not running.")
        raise typer.Exit(1)
    _describe(found, found.layout(folder))
    for service in SERVICES:
        console.print(f"  {service:<9} {_condition(found.layout(folder).url(service))}")


@app.command(context_settings={"ignore_unknown_options": True})
def env(
    command: Annotated[list[str], typer.Argument(help="The command to run.")],
    service: Annotated[
        Service | None,
        typer.Option("--of", help="Use the settings of this service, with those of its store."),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            help="For a platform in containers or on a cluster: the file with its secret."
        ),
    ] = None,
) -> None:
    """Run a command with the platform's addresses and token secret in its environment."""
    if key is not None:
        try:
            _run(command, remote_environment(key, os.environ))
        except NoKeyError as error:
            _fail(str(error))
    folder = Layout.from_environment().folder
    found = instance_lock.running(folder)
    layout = found.layout(folder) if found else Layout.from_environment()
    platform = Platform(layout, report=lambda _: None)
    variables = platform.environment(service) if service else platform.outside_environment()
    _run(command, variables)


def _run(command: list[str], variables: Mapping[str, str]) -> Never:
    done = subprocess.run(command, env={**os.environ, **variables}, check=False)
    raise typer.Exit(done.returncode)


@app.command(name="prerequisites")
def check_prerequisites(
    *,
    browser: Annotated[bool, typer.Option(help="Also what browser tests need.")] = False,
) -> None:
    """Install the system packages that are needed, or print the command that does."""
    wanted = [*prerequisites.KAFKA, *(prerequisites.BROWSER if browser else ())]
    try:
        prerequisites.ensure(wanted)
    except prerequisites.Missing as error:
        _fail(str(error))


def _condition(url: str) -> str:
    """Return one line: whether a service takes requests, and why any part is not healthy."""
    found = health(url)
    if found is None:
        return "[red]does not answer[/red]"
    ready = "takes requests" if found["ready"] else "[red]takes no requests[/red]"
    reasons = [
        f"{name}: {part['reason']} (since {part['since']})"
        for name, part in found["parts"].items()
        if "reason" in part
    ]
    if not reasons:
        return f"{ready}, healthy"
    colour = "yellow" if found["healthy"] else "red"
    return f"{ready}, [{colour}]{escape('; '.join(reasons))}[/{colour}]"


def _run_platform(layout: Layout, lock: instance_lock.InstanceLock, *, demo: bool) -> None:
    layout.check_data()
    layout.check_ports()
    platform = Platform(layout, report=console.print)
    started = time.monotonic()
    with _stopped_by_signals():
        try:
            platform.start()
            console.print(f"Ready after {time.monotonic() - started:.0f} s.")
            if demo:
                _load_demo_once(platform)
            lock.mark_ready()
            _summarise(platform)
            _watch(platform)
        except KeyboardInterrupt:
            console.print("\nStopping ...")
        finally:
            _stop(platform)


def _load_demo_once(platform: Platform) -> None:
    """Load the demo data, unless that was done before."""
    mark = platform.layout.data / "demo-loaded"
    if mark.exists():
        return
    try:
        platform.run("local.demo", log=None, limit=None)
    except ProcessError as error:
        console.print(f"[yellow]The demo data could not be loaded: {error}[/yellow]")
    else:
        mark.touch()


def _watch(platform: Platform) -> None:
    """Run for ever; raise ProcessError as soon as a process has ended."""
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
        # A second Ctrl-C: do not wait any longer.
        platform.kill()


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Treat SIGTERM and SIGHUP (a closed terminal) as Ctrl-C."""

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
    except ProcessError as error:
        console.print(f"[yellow]The portfolio cannot be shown: {error}[/yellow]")
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_row("portfolio", f"[bold]{layout.url('gateway')}/[/bold]")
    for service in SERVICES:
        table.add_row(f"API of {service}", f"{layout.url(service)}/docs")
    table.add_row("logs", str(layout.logs))
    console.print()
    console.print(table)
    console.print("\nTo sign in, use a token from [bold]make token AS=vera[/bold].")
    console.print("Ctrl-C here stops everything; so does `make stop` in another terminal.\n")


def _describe(found: instance_lock.Instance | None, layout: Layout) -> None:
    if found is None:
        console.print("Another terminal is starting the platform.")
        return
    minutes = (time.time() - found.since) / 60
    state = "runs" if found.ready else "is starting"
    console.print(f"The platform {state} (pid {found.pid}, started {minutes:.0f} min ago).")
    _summarise(Platform(found.layout(layout.folder), report=lambda _: None))


def _fail(message: str) -> Never:
    console.print(message, style="red", markup=False)
    raise typer.Exit(1)


if __name__ == "__main__":
    app()
