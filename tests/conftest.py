"""What all tests share: a real browser, a local web server, and pages that write down what they asked for."""

import functools
import http.server
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

CHROMIUM_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
LOCAL = ("data:", "blob:", "about:", "file:")


def _no_browser(reason: str) -> None:
    """Skip where a person has no browser; fail where a green run without one would be a lie."""
    message = f"{reason} (Debian: apt install chromium; another place: set CHROMIUM=/path/to/it)"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def require_browser() -> str:
    """Path of Chromium."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        _no_browser("the Python package playwright is not installed")
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "chrome")
    path = next((found for name in names if name and (found := shutil.which(name))), None)
    if path is None:
        _no_browser("no Chromium was found")
    return path


@pytest.fixture(scope="session")
def browser(require_browser):
    """One Chromium for the whole run; it resolves no host but 127.0.0.1."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=require_browser, args=CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    extensions_map = {  # noqa: RUF012  (the base class's own attribute)
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".js": "text/javascript",
        ".wasm": "application/wasm",
    }

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[Path], str]]:
    """A function that serves a folder on 127.0.0.1 until the end of the run and returns its address."""
    addresses: dict[Path, str] = {}
    with ExitStack() as stack:

        def start(folder: Path) -> str:
            folder = Path(folder).resolve()
            if folder not in addresses:
                handler = functools.partial(_QuietHandler, directory=str(folder))
                server = stack.enter_context(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))
                thread = threading.Thread(target=server.serve_forever, daemon=True)
                thread.start()
                stack.callback(thread.join)
                stack.callback(server.shutdown)
                addresses[folder] = f"http://127.0.0.1:{server.server_address[1]}"
            return addresses[folder]

        yield start


@dataclass
class Tab:
    """An open page and everything it did that a reader would not see."""

    page: object  # playwright.sync_api.Page
    foreign: list[str] = field(default_factory=list)  # requests to any other host (each was blocked)
    failed: list[str] = field(default_factory=list)  # local requests without an answer, or with a status of 400 or more
    errors: list[str] = field(default_factory=list)  # errors on the console, and exceptions nobody caught


@contextmanager
def _tabs(browser) -> Iterator[Callable[..., Tab]]:
    """Yield a function that opens `url` and returns a Tab; keywords go to the browser's context (viewport, color_scheme, ...)."""
    contexts = []

    def open_tab(url: str | None = None, *, width: int = 1280, height: int = 800, **options) -> Tab:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        tab = Tab(page)

        def route(handler) -> None:
            address = handler.request.url
            if address.startswith((*LOCAL, "http://127.0.0.1:")):
                handler.continue_()
            else:
                tab.foreign.append(address)
                handler.abort()

        context.route("**/*", route)
        page.on("requestfailed", lambda request: tab.failed.append(f"no answer: {request.url}"))
        page.on("response", lambda r: tab.failed.append(f"{r.status}: {r.url}") if r.status >= 400 else None)
        page.on("console", lambda message: tab.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: tab.errors.append(str(error)))
        if url is not None:
            page.goto(url, wait_until="load")
        return tab

    yield open_tab
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def tabs(browser) -> Callable[[], AbstractContextManager[Callable[..., Tab]]]:
    """A context manager that gives a function that opens `url` and returns a Tab; at its end it closes them."""
    return functools.partial(_tabs, browser)


@pytest.fixture
def new_page(tabs) -> Iterator[Callable[..., Tab]]:
    """A function that opens `url` and returns a Tab, closed after the test."""
    with tabs() as open_tab:
        yield open_tab


@pytest.fixture(scope="session")
def drawing():
    """The module tests/widgets/drawing.py: draw(page, strokes) and load_drawings()."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("drawing", Path(__file__).parent / "widgets" / "drawing.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
