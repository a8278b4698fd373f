"""Take the pictures of the course from the built site: the README's, and the card that links to the course show.

Run by hand after `make book`, where Chromium and the fonts are: python scripts/make_pictures.py
"""

import base64
import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "html"
STATIC = ROOT / "book" / "_static"
CARD = """
<!DOCTYPE html><html lang="en"><meta charset="utf-8"><style>
@font-face {{ font-family: Course; font-weight: 200 900; src: url("{font}"); }}
body {{ margin: 0; width: 1200px; height: 630px; overflow: hidden; background: #fcfbf8; color: #23262a; font-family: Course; }}
section {{ width: 500px; padding: 86px 0 0 72px; box-sizing: border-box; }}
img.logo {{ width: 104px; }}
h1 {{ font-size: 74px; line-height: 1.02; font-weight: 600; letter-spacing: -0.015em; margin: 34px 0 26px; }}
p {{ font-size: 31px; line-height: 1.35; margin: 0; color: #595f66; }}
img.widget {{ position: absolute; left: 540px; top: 74px; width: 860px; border-radius: 16px; box-shadow: 0 10px 50px #0002; }}
</style>
<section><img class="logo" src="{logo}"><h1>Deep Learning, Live</h1><p>Principles, proofs<br>and code that runs</p></section>
<img class="widget" src="{widget}">
"""


def data_url(content: bytes, mime: str) -> str:
    """Return content as an address that holds it."""
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"


def save(content: bytes, path: Path) -> None:
    """Write a screenshot as small as PNG can without losing a colour."""
    Image.open(io.BytesIO(content)).convert("RGB").save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")


def make_card(page: Page, widget: bytes) -> bytes:
    """Return the card as a picture of 1200 by 630 pixels."""
    page.set_viewport_size({"width": 1200, "height": 630})
    font = (STATIC / "fonts" / "source-serif-4-latin-wght-normal.woff2").read_bytes()
    page.set_content(
        CARD.format(
            font=data_url(font, "font/woff2"),
            logo=data_url((STATIC / "logo.svg").read_bytes(), "image/svg+xml"),
            widget=data_url(widget, "image/png"),
        )
    )
    page.wait_for_timeout(500)
    return page.screenshot()


def main() -> int:
    """Take the pictures; return the exit status."""
    chromium = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="light", device_scale_factor=1)
        page.goto((SITE / "book" / "index.html").as_uri())
        page.wait_for_timeout(2000)
        save(page.screenshot(), STATIC / "home.png")
        widget = page.locator(".live-widget-place .live-widget").screenshot()
        save(make_card(page, widget), STATIC / "social_card.png")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
