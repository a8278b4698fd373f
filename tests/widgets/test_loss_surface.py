import re

import numpy as np
import pytest
import torch

from dlcourse.models.linear import largest_stable_rate
from dlcourse.widgets.loss_surface import LossSurface

SETTLED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
FILES = ("canvas", "contours", "loss_chart", "timeline", "loss_surface")
GENERATOR = np.random.default_rng(0)
X = 2 * GENERATOR.random(40)
Y = 2 + 3 * X + GENERATOR.random(40)
LIMIT = 2 / np.linalg.eigvalsh(2 / len(X) * np.array([[X @ X, X.sum()], [X.sum(), len(X)]])).max()


def torch_descent(start, rate, steps):
    """Places and losses of gradient descent by torch's gradient and torch's step."""
    x, y = torch.from_numpy(X), torch.from_numpy(Y)
    theta = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([theta], lr=rate)
    places, losses = [], []
    for step in range(steps + 1):
        loss = torch.nn.functional.mse_loss(theta[0] * x + theta[1], y)
        places.append(theta.tolist())
        losses.append(loss.item())
        if step < steps:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return places, losses


@pytest.fixture
def surface(widget_page):
    """A function that opens a page with the loss surface of X and Y and returns its Tab."""

    def show(theme="light", width=1280, stopped=False, **options):
        return widget_page(LossSurface(X, Y, **options), theme=theme, width=width, stopped=stopped)

    return show


def read(page):
    """Return the readouts by name, and the step shown."""
    page.evaluate(SETTLED)
    names = page.locator(".dl-loss-read dt").all_inner_texts()
    values = [page_number(text) for text in page.locator(".dl-loss-read dd").all_inner_texts()]
    step = int(re.search(r"\d+", page.locator(".dl-time-text").inner_text()).group())
    return dict(zip(names, values, strict=True)) | {"step": step}


def page_number(text):
    """Return the number that the page writes as −1.2 or 3.4 · 10⁵."""
    mantissa, _, power = text.replace("−", "-").replace("\N{NO-BREAK SPACE}", " ").partition(" · 10")
    digits = "".join("-" if c == "⁻" else str("⁰¹²³⁴⁵⁶⁷⁸⁹".index(c)) for c in power)
    return float(mantissa) * 10 ** int(digits or 0)


def slide(page, label, value):
    page.get_by_label(label, exact=True).fill(f"{value:g}")


@pytest.mark.browser
@pytest.mark.parametrize("rate", [0.05, 0.3, 0.45])
def test_the_page_descends_as_torch_does(module, rate):
    page = module(*FILES)
    places, losses = page.evaluate(
        """([x, y, start, rate, steps]) => {
          const places = module.descend(x, y, start, rate, steps);
          return [places, places.map((place) => module.squaredError(x, y, place))];
        }""",
        [X.tolist(), Y.tolist(), [-1.0, 4.0], rate, 100],
    )
    wanted = torch_descent([-1.0, 4.0], rate, 100)
    np.testing.assert_allclose(places, wanted[0], rtol=1e-9)
    np.testing.assert_allclose(losses, wanted[1], rtol=1e-9)


@pytest.mark.browser
def test_least_squares_and_curvature_are_numpys_and_the_limit_is_the_packages(module):
    facts = module(*FILES).evaluate("([x, y]) => module.analyse(x, y)", [X.tolist(), Y.tolist()])
    design = np.stack([X, np.ones_like(X)], axis=1)
    best, residuals, *_ = np.linalg.lstsq(design, Y, rcond=None)
    np.testing.assert_allclose(facts["best"], best, rtol=1e-9)
    np.testing.assert_allclose(facts["least"], residuals[0] / len(X), rtol=1e-9)
    np.testing.assert_allclose(facts["eigenvalues"], np.linalg.eigvalsh(2 * design.T @ design / len(X)), rtol=1e-9)
    assert 2 / facts["eigenvalues"][1] == pytest.approx(float(largest_stable_rate(torch.from_numpy(X)[:, None])), rel=1e-6)


@pytest.mark.browser
def test_what_is_read_off_is_the_step_that_is_shown(surface):
    page = surface(rate=0.1, start=(1.0, -1.0)).page
    places, losses = torch_descent([1.0, -1.0], 0.1, 30)
    best = np.polyfit(X, Y, 1)
    for step in (30, 7, 0):
        slide(page, "Step shown", step)
        shown = read(page)
        assert shown["step"] == step
        assert shown["Loss"] == pytest.approx(losses[step], rel=1e-3)
        assert [shown["Slope w"], shown["Intercept b"]] == pytest.approx(places[step], rel=1e-3)
        assert shown["Distance to least squares"] == pytest.approx(np.hypot(*(places[step] - best)), rel=1e-2)
        assert shown["η · λmax"] == pytest.approx(0.1 * 2 / LIMIT, rel=1e-2)
        assert f"step {step}" in page.locator(".dl-loss-main").inner_text()


@pytest.mark.browser
def test_a_rate_beyond_the_limit_is_shown_as_divergence_and_never_as_nan(surface):
    page = surface().page
    verdict = page.locator(".dl-loss-verdict")
    assert f"{LIMIT:.3f}" in page.locator(".dl-loss-mark").inner_text()
    slide(page, "Rate η", 0.5)
    read(page)
    assert "Diverges" in verdict.inner_text()
    assert f"{abs(1 - 0.5 * 2 / LIMIT):.2f} times" in verdict.inner_text()
    assert re.search(r"leaves the picture at step \d+", verdict.inner_text())
    slide(page, "Number of steps", 100)
    assert read(page)["Loss"] > 1e20
    slide(page, "Rate η", 0.2)
    read(page)
    assert "shrink" in verdict.inner_text()
    assert not re.search("nan|infinity|undefined", page.locator(".dl-loss").inner_text(), re.IGNORECASE)


@pytest.mark.browser
def test_a_hopeless_rate_ends_in_numbers_too(surface):
    tab = surface(rate=1e6, steps=200)
    assert read(tab.page)["Loss"] > 1e100
    assert not re.search("nan|infinity|undefined|∞", tab.page.locator(".dl-loss").inner_text(), re.IGNORECASE)
    assert tab.errors == []


@pytest.mark.browser
def test_a_factor_close_to_one_is_not_rounded_to_one(widget_page):
    page = widget_page(LossSurface(X + 60, Y, rate=1e-4)).page
    read(page)
    assert re.search(
        r"flattest by 1 − \d\.\d · 10⁻", page.locator(".dl-loss-verdict").inner_text().replace("\N{NO-BREAK SPACE}", " ")
    )


@pytest.mark.browser
@pytest.mark.timing
def test_dragging_moves_the_start_and_stays_quick(surface):
    page = surface(rate=0.1, steps=100).page
    box = page.locator(".dl-loss-surface").bounding_box()
    slide(page, "Step shown", 0)
    before = read(page)
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    times = []
    for n in range(20):
        page.mouse.move(box["x"] + 100 + 6 * n, box["y"] + 100 + 5 * n)
        page.wait_for_timeout(20)
        times.append(float(page.locator(".dl-loss").get_attribute("data-update-ms")))
    middle = read(page)
    page.mouse.up()
    assert middle["Slope w"] != before["Slope w"]
    assert middle["Intercept b"] != before["Intercept b"]
    assert np.median(times) < 1000 / 30


@pytest.mark.browser
def test_arrow_keys_move_the_start_and_the_status_says_where_it_is(surface):
    page = surface(start=(1.0, 1.0)).page
    slide(page, "Step shown", 0)
    page.locator(".dl-loss-surface").focus()
    page.keyboard.press("ArrowRight")
    small = read(page)
    assert small["Slope w"] > 1
    assert small["Intercept b"] == 1
    page.keyboard.press("Shift+ArrowUp")
    large = read(page)
    assert large["Intercept b"] - 1 == pytest.approx(5 * (small["Slope w"] - 1), rel=0.02)
    page.wait_for_function("document.querySelector('[role=status]').textContent.startsWith('Step 0: loss')")
    page.get_by_role("button", name="Start at 0, 0").click()
    assert read(page)["Slope w"] == 0


@pytest.mark.browser
def test_a_finger_drags_the_ring_a_tap_brings_it_and_elsewhere_the_page_scrolls(widget_page):
    page = widget_page(LossSurface(X, Y, start=(1.0, 1.0)), width=400, has_touch=True).page
    slide(page, "Step shown", 0)
    read(page)
    slope = page.locator(".dl-loss-read dd").nth(1).inner_text()
    page.locator(".dl-loss-surface").scroll_into_view_if_needed()
    box = page.locator(".dl-loss-surface").bounding_box()
    touch = """([x, y]) => {
      const target = document.querySelector(".dl-loss-surface");
      const point = new Touch({ identifier: 1, target, clientX: x, clientY: y });
      return target.dispatchEvent(new TouchEvent("touchstart", { touches: [point], cancelable: true, bubbles: true }));
    }"""
    corner = [box["x"] + 60, box["y"] + 20]
    assert page.evaluate(touch, corner) is True  # not cancelled: the browser scrolls
    page.touchscreen.tap(*corner)
    page.wait_for_function("(old) => document.querySelectorAll('.dl-loss-read dd')[1].innerText !== old", arg=slope)
    tapped = read(page)
    assert tapped["Slope w"] < 1
    assert tapped["Intercept b"] > 4
    assert page.evaluate(touch, corner) is False  # now the ring is here, and the page keeps still


@pytest.mark.browser
def test_play_runs_to_the_end_and_stops_when_out_of_sight(surface):
    page = surface(steps=8, stopped=True).page
    root, shown = page.locator(".dl-loss"), page.locator(".dl-time-text")
    page.get_by_role("button", name="Play").click()
    assert root.get_attribute("data-state") == "playing"
    page.clock.run_for(2000)  # at five steps a second
    assert shown.inner_text() == "Step 8 of 8"
    assert root.get_attribute("data-state") == "still"
    slide(page, "Number of steps", 100)
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(1000)
    page.evaluate("document.body.prepend(Object.assign(document.createElement('p'), { style: 'height: 5000px' })); scrollTo(0, 0)")
    page.wait_for_function("document.querySelector('.dl-loss').dataset.state === 'still'")
    page.clock.run_for(1000)
    assert shown.inner_text() == "Step 12 of 100"


@pytest.mark.browser
def test_removal_ends_the_animation_and_every_listener(module):
    page = module(*FILES)
    left = page.evaluate(
        """async ([x, y, words]) => {
          const state = { x, y, words, rate: 0.1, steps: 100, start: [0, 0] }, listeners = new Map();
          const model = { get: (name) => state[name], set: (values) => Object.assign(state, values), save_changes() {},
            on: (name, f) => listeners.set(name, f), off: (name, f) => { if (listeners.get(name) === f) listeners.delete(name); } };
          const el = document.body.appendChild(document.createElement("div")), errors = [];
          window.addEventListener("error", (event) => errors.push(event.message));
          const destroy = module.default.render({ model, el });
          el.querySelector(".dl-time-play").click();
          for (let k = 0; k < 10; k++) await new Promise(requestAnimationFrame);
          destroy();
          const text = el.textContent;
          for (let k = 0; k < 20; k++) await new Promise(requestAnimationFrame);
          return [listeners.size, el.textContent === text, errors];
        }""",
        [X.tolist(), Y.tolist(), LossSurface(X, Y).words],
    )
    assert left == [0, True, []]


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 360])
def test_the_layout_never_jumps_and_fits(surface, width):
    page = surface(width=width).page
    size = "() => { const b = document.querySelector('.dl-loss').getBoundingClientRect(); return [b.width, b.height]; }"
    read(page)
    before = page.evaluate(size)
    for rate in (0.01, 0.3, 0.41, 0.53):
        slide(page, "Rate η", rate)
        read(page)
        assert page.evaluate(size) == before
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_wrong_and_nothing_is_asked_of_others(surface, accessible, theme):
    tab = surface(theme=theme)
    accessible(tab.page)
    assert (tab.foreign, tab.failed, tab.errors) == ([], [], [])


@pytest.mark.browser
def test_every_word_comes_from_python(widget_page):
    words = {name: f"¤{value}" for name, value in LossSurface(X, Y).words.items()}
    page = widget_page(LossSurface(X, Y, words=words)).page
    read_words = page.locator(".dl-loss").inner_text().split("\n")
    assert all("¤" in line for line in read_words if any(c.isalpha() for c in line))
    labels = page.evaluate("[...document.querySelectorAll('.dl-loss [aria-label]')].map((node) => node.getAttribute('aria-label'))")
    assert all("¤" in label for label in labels)


def test_columns_and_tensors_are_taken():
    widget = LossSurface(torch.from_numpy(X)[:, None], Y[:, None])
    assert widget.x == X.tolist()
    assert widget.y == Y.tolist()


def test_the_start_lies_off_both_directions():
    slope, intercept = np.array(LossSurface(X, Y).start) - np.polyfit(X, Y, 1)
    directions = np.linalg.eigh([[X @ X, X.sum()], [X.sum(), len(X)]])[1].T
    along = np.abs(directions @ [slope, intercept])
    assert along.min() > 0.3 * along.max()


@pytest.mark.parametrize(
    ("x", "y", "options", "message"),
    [
        (X[:1], Y[:1], {}, r"x of shape \(1,\)"),
        (np.zeros((4, 2)), Y[:4], {}, r"x of shape \(4, 2\)"),
        (X, Y[:-1], {}, "40 values of x and 39 of y"),
        (np.ones(5), Y[:5], {}, "all values of x are 1"),
        ([1.0, np.nan], [0.0, 1.0], {}, "x holds 1 values that are not finite"),
        (X, Y, {"rate": -0.1}, "rate=-0.1"),
        (X, Y, {"rate": np.inf}, "rate=inf"),
        (X, Y, {"steps": 0}, "steps=0"),
        (X, Y, {"start": (0.0, np.nan)}, "start="),
    ],
)
def test_what_cannot_be_drawn_is_refused(x, y, options, message):
    with pytest.raises(ValueError, match=message):
        LossSurface(x, y, **options)
