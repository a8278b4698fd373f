import re

import numpy as np
import pytest
import torch

from dlcourse import optim
from dlcourse.surfaces import SURFACES
from dlcourse.widgets.optimiser_race import ENTRIES, OptimiserRace

SETTLED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
FILES = ("canvas", "contours", "loss_chart", "timeline", "optimiser_race")
OWN = {  # settings away from where they start, as the page and as the package name them
    "SGD": ({}, {}),
    "Momentum": ({"momentum": 0.7}, {"momentum": 0.7}),
    "Nesterov": ({"momentum": 0.8}, {"momentum": 0.8}),
    "AdaGrad": ({}, {}),
    "RMSprop": ({"alpha": 0.9}, {"alpha": 0.9}),
    "Adam": ({"beta1": 0.6}, {"betas": (0.6, 0.999)}),
    "AdamW": ({"weight_decay": 0.2}, {"weight_decay": 0.2}),
}
TORCH = {
    "SGD": (torch.optim.SGD, {}),
    "Momentum": (torch.optim.SGD, {"momentum": 0.9}),
    "Nesterov": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
    "AdaGrad": (torch.optim.Adagrad, {}),
    "RMSprop": (torch.optim.RMSprop, {}),
    "Adam": (torch.optim.Adam, {}),
    "AdamW": (torch.optim.AdamW, {}),
}
RUN = "([surface, name, settings, start, steps]) => module.run(surface, name, settings, start, steps)"


@pytest.fixture
def race(widget_page):
    """A function that opens a page with a race and returns its Tab."""

    def show(surface="ravine", theme="light", width=1280, stopped=False, **options):
        return widget_page(OptimiserRace(surface, **options), theme=theme, width=width, stopped=stopped)

    return show


def given_settings(name):
    setting, value, _ = ENTRIES[name]
    return {setting: value} if setting else {}


@pytest.mark.browser
@pytest.mark.parametrize("surface", SURFACES)
def test_the_page_has_the_packages_surfaces(module, surface):
    points = np.random.default_rng(0).uniform(-3, 3, size=(50, 2))
    page = module(*FILES)
    heights, slopes = page.evaluate(
        "([name, points]) => ['height', 'slope'].map((what) => points.map(([x, y]) => module.SURFACES[name][what](x, y)))",
        [surface, points.tolist()],
    )
    theta = torch.from_numpy(points)
    np.testing.assert_allclose(heights, SURFACES[surface](theta), rtol=1e-9)
    np.testing.assert_allclose(slopes, SURFACES[surface].gradient(theta), rtol=1e-9, atol=1e-9)


@pytest.mark.browser
@pytest.mark.parametrize("surface", SURFACES)
def test_every_path_is_the_packages_and_torchs(module, surface):
    page, one = module(*FILES), SURFACES[surface]
    for name in ENTRIES:
        rate, (twin, twin_settings) = one.typical_rates[name], TORCH[name]
        places = page.evaluate(RUN, [surface, name, {"rate": rate, **given_settings(name)}, list(one.start), 100])
        ours = one.path(lambda theta, name=name, rate=rate: getattr(optim, name)(theta, lr=rate), steps=100)
        torchs = one.path(lambda theta, twin=twin, rate=rate, extra=twin_settings: twin(theta, lr=rate, **extra), steps=100)
        np.testing.assert_allclose(places, ours, rtol=1e-6, atol=1e-9, err_msg=name)
        np.testing.assert_allclose(places, torchs, rtol=1e-6, atol=1e-9, err_msg=name)


@pytest.mark.browser
def test_the_other_settings_are_the_packages_too(module):
    page = module(*FILES)
    for name, (in_page, in_package) in OWN.items():
        places = page.evaluate(RUN, ["bowl", name, {"rate": 0.03, **in_page}, [-2.0, 1.2], 100])
        wanted = SURFACES["bowl"].path(
            lambda theta, name=name, extra=in_package: getattr(optim, name)(theta, lr=0.03, **extra), steps=100, start=(-2.0, 1.2)
        )
        np.testing.assert_allclose(places, wanted, rtol=1e-6, atol=1e-9, err_msg=name)


@pytest.mark.browser
@pytest.mark.parametrize("surface", SURFACES)
def test_no_rate_makes_a_path_of_anything_but_numbers(module, surface):
    page, start = module(*FILES), list(SURFACES[surface].start)
    for name in ENTRIES:
        for rate in (0.1, 10.0):
            places = page.evaluate(RUN, [surface, name, {"rate": rate, **given_settings(name)}, start, 500])
            assert np.isfinite(np.array(places, dtype=float)).all()


def result(page):
    page.evaluate(SETTLED)
    return page.locator(".dl-race-result").inner_text().replace("\N{NO-BREAK SPACE}", " ")


def slide(page, label, value):
    page.get_by_label(label, exact=True).fill(f"{value:g}")


@pytest.mark.browser
def test_the_ranking_is_that_of_the_losses(race):
    page, one = race("rosenbrock", optimisers=tuple(ENTRIES)).page, SURFACES["rosenbrock"]
    for step in (150, 40):
        slide(page, "Step shown", step)
        shown = re.findall(r"\d\. (\w+) (\d+(?:\.\d+)?)", result(page))
        paths = {
            name: one.path(lambda theta, name=name: getattr(optim, name)(theta, lr=one.typical_rates[name]), steps=step)
            for name in ENTRIES
        }
        losses = {name: one(path[-1]).item() for name, path in paths.items()}
        assert [name for name, _ in shown] == sorted(losses, key=losses.get)
        assert [float(loss) for _, loss in shown] == pytest.approx(sorted(losses.values()), rel=0.06)


@pytest.mark.browser
def test_a_path_that_diverges_is_said_to_leave_the_picture_at_its_step(race):
    page, one = race("rosenbrock", optimisers=("SGD", "Adam"), rates={"SGD": 0.02}).page, SURFACES["rosenbrock"]
    path = one.path(lambda theta: optim.SGD(theta, lr=0.02), steps=10)
    x0, x1, y0, y1 = one.bounds
    outside = next(n for n, (x, y) in enumerate(path.tolist()) if not (x0 <= x <= x1 and y0 <= y <= y1))
    text = result(page)
    assert f"Left the picture: SGD at step {outside}." in text
    assert "1. Adam" in text
    slide(page, "Step shown", outside - 1)
    assert "Left the picture" not in result(page)
    slide(page, "SGD: rate η", -3)
    slide(page, "Step shown", 150)
    assert "Left the picture" not in result(page)
    assert not re.search("nan|infinity|undefined|∞", page.locator(".dl-race").inner_text(), re.IGNORECASE)


@pytest.mark.browser
def test_switches_choose_who_runs(race):
    page = race(optimisers=("SGD",)).page
    assert re.findall(r"\d\. (\w+)", result(page)) == ["SGD"]
    page.get_by_label("RMSprop", exact=True).check()
    assert set(re.findall(r"\d\. (\w+)", result(page))) == {"SGD", "RMSprop"}
    page.get_by_label("RMSprop", exact=True).uncheck()
    page.get_by_label("SGD", exact=True).uncheck()
    assert result(page).strip() == "Switch an optimiser on."


@pytest.mark.browser
def test_another_landscape_brings_its_start_and_rates_and_reset_brings_them_back(race):
    page = race().page
    page.get_by_role("radio", name="Beale").check()
    rate = page.get_by_label("Momentum: rate η", exact=True)
    assert float(rate.get_attribute("aria-valuetext")) == SURFACES["beale"].typical_rates["Momentum"]
    before = result(page)
    assert "Steep walls" in page.locator(".dl-race-note").inner_text()
    slide(page, "Momentum: momentum β", 0.5)
    slide(page, "Momentum: rate η", -3)
    page.locator(".dl-race-map").focus()
    page.keyboard.press("Shift+ArrowDown")
    assert result(page) != before
    page.get_by_role("button", name="Reset start and settings").click()
    assert result(page) == before


@pytest.mark.browser
def test_arrow_keys_move_the_start_and_the_status_says_the_ranking(race):
    page = race().page
    before = result(page)
    page.locator(".dl-race-map").focus()
    page.keyboard.press("ArrowRight")
    assert result(page) != before
    page.wait_for_function("document.querySelector('[role=status]').textContent.startsWith('Loss after 150 steps')")


@pytest.mark.browser
@pytest.mark.timing
def test_dragging_all_seven_stays_quick(race):
    page = race("rosenbrock", optimisers=tuple(ENTRIES), steps=300).page
    page.wait_for_timeout(200)
    box, before, times = page.locator(".dl-race-map").bounding_box(), result(page), []
    page.mouse.move(box["x"] + 120, box["y"] + 100)
    page.mouse.down()
    for n in range(20):
        page.mouse.move(box["x"] + 120 + 8 * n, box["y"] + 100 + 5 * n)
        page.wait_for_timeout(30)
        times.append(float(page.locator(".dl-race").get_attribute("data-update-ms")))
    page.mouse.up()
    assert result(page) != before
    assert np.median(times) < 1000 / 30


@pytest.mark.browser
def test_play_pauses_steps_and_ends(race):
    page = race(steps=60, stopped=True).page
    shown = page.locator(".dl-time-text")
    page.get_by_role("button", name="One step back").click()
    assert shown.inner_text() == "Step 59"
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(500)
    assert shown.inner_text() == "Step 60"
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(300)  # at eight steps a second
    assert shown.inner_text() == "Step 2"
    page.get_by_role("button", name="Pause").click()
    page.clock.run_for(1000)
    assert shown.inner_text() == "Step 2"
    page.get_by_role("button", name="One step on").click()
    assert shown.inner_text() == "Step 3"


@pytest.mark.browser
def test_removal_ends_the_animation_and_every_listener(module):
    page, widget = module(*FILES), OptimiserRace()
    names = ("surface", "start", "optimisers", "rates", "settings", "steps", "entries", "surfaces", "words")
    left = page.evaluate(
        """async (state) => {
          const listeners = new Set();
          const model = { get: (name) => state[name], set: (values) => Object.assign(state, values), save_changes() {},
            on: (name, f) => listeners.add(name), off: (name, f) => listeners.delete(name) };
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
        {name: getattr(widget, name) for name in names},
    )
    assert left == [0, True, []]


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 360])
def test_the_layout_never_jumps_and_fits(race, width):
    page = race(width=width, optimisers=tuple(ENTRIES)).page
    size = "() => { const b = document.querySelector('.dl-race').getBoundingClientRect(); return [b.width, b.height]; }"
    result(page)
    before = page.evaluate(size)
    for surface in ("Tilted ravine", "Plateau", "Rosenbrock", "Beale"):
        page.get_by_role("radio", name=surface).check()
        result(page)
        assert page.evaluate(size) == before
    for name in ENTRIES:
        slide(page, f"{name}: rate η", 1)
    result(page)
    assert page.evaluate(size) == before
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_wrong_and_nothing_is_asked_of_others(race, accessible, theme):
    tab = race(theme=theme)
    accessible(tab.page)
    assert (tab.foreign, tab.failed, tab.errors) == ([], [], [])


@pytest.mark.browser
def test_every_word_comes_from_python(widget_page):
    words = {name: f"¤{value}" for name, value in OptimiserRace().words.items()}
    page = widget_page(OptimiserRace(words=words)).page
    shown = page.locator(".dl-race").inner_text().split("\n")
    assert all("¤" in line for line in shown if any(c.isalpha() for c in line))
    labels = page.evaluate("[...document.querySelectorAll('.dl-race [aria-label]')].map((node) => node.getAttribute('aria-label'))")
    assert all("¤" in label for label in labels)


def test_every_surface_and_every_optimiser_of_the_package_is_offered():
    widget = OptimiserRace()
    assert [one["name"] for one in widget.surfaces] == list(SURFACES)
    for_matrices_or_several = {"Muon", "Together"}
    assert {entry["name"] for entry in widget.entries} == set(optim.__all__) - for_matrices_or_several


@pytest.mark.parametrize(
    ("surface", "options", "message"),
    [
        ("hill", {}, "surface='hill'; wanted is one of bowl"),
        ("bowl", {"optimisers": ("SGD", "Lion")}, "optimiser 'Lion'; wanted are some of SGD"),
        ("bowl", {"rates": {"SGD": -1.0}}, "rate -1.0 of SGD"),
        ("bowl", {"rates": {"Lion": 1.0}}, "optimiser 'Lion'"),
        ("bowl", {"start": (0.0, float("nan"))}, "start="),
        ("bowl", {"start": (0.0, 3.0)}, "outside the bowl's picture, -5 to 5 by -2.5 to 2.5"),
        ("bowl", {"steps": 501}, "steps=501; wanted are 1 to 500"),
    ],
)
def test_what_cannot_be_raced_is_refused(surface, options, message):
    with pytest.raises(ValueError, match=message):
        OptimiserRace(surface, **options)
