"""Fixtures of the browser tests: a browser, and applications on ports of this machine."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from local import paths
from local.prerequisites import chromium

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
PATIENCE = 30_000
"""Milliseconds within which anything must appear."""

expect.set_options(timeout=PATIENCE)  # the context's timeout covers actions, not expectations


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "browser":
            item.add_marker(pytest.mark.browser)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Start the system's Chromium."""
    program = chromium()
    assert program, "no Chromium: python -m local prerequisites --browser installs it"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """Open a new browser context, without cookies."""
    context = await browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    context.set_default_timeout(PATIENCE)
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(context: BrowserContext) -> AsyncIterator[Page]:
    """Open a tab; the test fails on a script error, a CSP violation or a dialog."""
    page = await context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console",
        lambda line: wrong.append(line.text) if "Content Security Policy" in line.text else None,
    )
    page.on("dialog", lambda dialog: wrong.append(f"a dialog: {dialog.message}"))
    yield page
    assert not wrong


class Site:
    """An application on a port that stays the same when it is restarted."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.port = paths.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._server: uvicorn.Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start serving, and wait until it is ready."""
        config = uvicorn.Config(
            self.app,
            host="127.0.0.1",
            port=self.port,
            log_level="warning",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._task = asyncio.create_task(self._server.serve())
        async with asyncio.timeout(60):
            while not self._server.started:
                assert not self._task.done(), "the server did not start"
                await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """Stop serving; open connections are closed."""
        assert self._server is not None
        assert self._task is not None
        self._server.should_exit = True
        await self._task


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[Site]:
    """Serve an application on a port of this machine."""
    site = Site(app)
    await site.start()
    try:
        yield site
    finally:
        await site.stop()
