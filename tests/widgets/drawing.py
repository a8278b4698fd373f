"""Draws with a real mouse on the pad of a DrawDigit widget, the way a reader does."""

import json
from pathlib import Path

DRAWINGS = Path(__file__).with_name("drawings.json")

Stroke = list[list[float]]  # points (x, y) in units of the pad's side, y downwards


def load_drawings() -> dict[str, list[Stroke]]:
    """The ten recorded drawings, by digit."""
    return json.loads(DRAWINGS.read_text(encoding="utf-8"))


def draw(page, strokes: list[Stroke], *, root: str = ".dl-draw") -> dict[str, object]:
    """Clear the first pad under `root`, draw `strokes` on it by mouse events, and read the answer off the widget.

    Returns {"digit": "7" or "", "probabilities": ten floats, "milliseconds": the slowest update while drawing}.
    """
    widget = page.locator(root).first
    pad = widget.locator(".dl-draw-pad")
    pad.scroll_into_view_if_needed()
    widget.locator("button.dl-draw-clear").click()
    box = pad.bounding_box()
    slowest = 0.0
    for stroke in strokes:
        points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point)
        page.mouse.up()
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        slowest = max(slowest, float(widget.get_attribute("data-slowest-ms") or 0))
    bars = widget.locator(".dl-draw-bar")
    return {
        "digit": widget.get_attribute("data-digit"),
        "probabilities": [float(bars.nth(k).get_attribute("data-p")) for k in range(bars.count())],
        "milliseconds": slowest,
    }
