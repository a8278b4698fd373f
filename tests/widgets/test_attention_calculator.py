import math
import re

import numpy as np
import pytest
import torch

from dlcourse.layers.attention import causal_mask, masked_softmax, scaled_dot_product
from dlcourse.widgets.attention_calculator import AttentionCalculator

SETTLED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
SIZE = "() => { const b = document.querySelector('.dl-attn').getBoundingClientRect(); return [b.width, b.height]; }"
QUERIES = [(1.2, 0.1), (0.2, 1.2), (-0.8, 0.6)]
SIDES = "(nodes) => nodes.flatMap((node) => { const b = node.getBoundingClientRect(); return [b.width, b.height]; })"
KEYS, VALUES = [(1.2, 0.2), (0.4, 1.1), (-0.9, 0.5)], [(1, 2), (3, 2.4), (2.6, 0.6)]


def example(**options):
    """The example of the chapter: two keys of length 1 at right angles, the values 1 and 2."""
    return AttentionCalculator((1, 0), [(1, 0), (0, 1)], [1, 2], **options)


def plane(**options):
    return AttentionCalculator((1.4, 0.6), KEYS, VALUES, **options)


def causal():
    return AttentionCalculator(
        [(1.2, 0.1), (0.2, 1.2), (-0.8, 0.6)], KEYS, VALUES, mask=causal_mask(3), labels=["the", "cat", "sat"]
    )


def weights(page):
    """The weights as the page writes them."""
    page.evaluate(SETTLED)
    return page.locator(".dl-attn-weight").all_inner_texts()


def outputs(page):
    page.evaluate(SETTLED)
    return page.locator(".dl-attn-output").all_inner_texts()


def formula(page):
    """The lines of the trace on show."""
    page.evaluate(SETTLED)
    return page.locator(".dl-attn-shown dd").all_inner_texts()


def press(page, locator, key, times=1):
    locator.focus()
    for _ in range(times):
        page.keyboard.press(key)


@pytest.mark.browser
def test_scores_weights_and_output_equal_the_packages_for_any_mask_and_temperature(module):
    page, dice = module("canvas", "attention_calculator_math"), torch.Generator().manual_seed(0)
    for case in range(60):
        d, e, count = 1 + case % 4, 1 + case % 3, 2 + case % 5
        size = (0.3, 3.0, 300.0)[case % 3]
        q, k = (torch.randn(n, d, generator=dice, dtype=torch.float64) * size for n in (1, count))
        v = torch.randn(count, e, generator=dice, dtype=torch.float64)
        mask, temperature, scaled = torch.rand(1, count, generator=dice) > 0.4, (0.05, 0.7, 1.0, 20.0)[case % 4], case % 2 == 0
        if case == 7:
            mask[:] = False
        read = page.evaluate(
            """([q, k, v, allowed, options]) => {
              const r = module.attend(q, k, v, allowed, options);
              const path = module.temperaturePath(r.scores, v, allowed);
              return { ...r, largest: null, path, spread: module.spreadOf(r.weights) };
            }""",
            [q[0].tolist(), k.tolist(), v.tolist(), mask[0].tolist(), {"scaled": scaled, "temperature": temperature}],
        )
        scores = q @ k.mT
        logits = scores / ((math.sqrt(d) if scaled else 1) * temperature)
        wanted = masked_softmax(logits, mask)
        np.testing.assert_allclose(read["scores"], scores[0], rtol=1e-12, atol=1e-10)
        np.testing.assert_allclose(read["weights"], wanted[0], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(read["output"], (wanted @ v)[0], rtol=1e-9, atol=1e-12)
        assert [w for w, seen in zip(read["weights"], mask[0], strict=True) if not seen] == [0] * int((~mask).sum())
        assert read["spread"] == pytest.approx(torch.special.entr(wanted).sum().exp().item())
        if scaled and temperature == 1:
            np.testing.assert_allclose(read["output"], scaled_dot_product(q, k, v, mask)[0], rtol=1e-9, atol=1e-12)
        if mask.any():
            np.testing.assert_allclose(read["path"][-1], v[mask[0]].mean(0), atol=1e-12)
            np.testing.assert_allclose(read["path"][0], v[scores.masked_fill(~mask, -math.inf).argmax()], atol=1e-12)
        else:
            assert (read["path"], read["output"]) == ([], [0] * e)


@pytest.mark.browser
def test_the_hull_holds_every_place_and_has_only_places_as_corners(module):
    page, dice = module("canvas", "attention_calculator_math"), np.random.default_rng(0)
    for count in (1, 2, 3, 6, 6, 6):
        places = dice.integers(-3, 4, (count, 2)).tolist()
        corners = page.evaluate("(places) => module.hull(places)", places)
        assert all(corner in places for corner in corners)
        if count < 3 or np.linalg.matrix_rank(np.subtract(places, places[0])) < 2:
            continue
        for a, b in zip(corners, [*corners[1:], corners[0]], strict=True):
            assert all((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]) >= 0 for x, y in places)


@pytest.mark.browser
def test_the_output_of_a_turned_query_lies_on_the_line_drawn(module):
    page, k, v = module("canvas", "attention_calculator_math"), torch.tensor(KEYS).double(), torch.tensor(VALUES).double()
    options = {"scaled": True, "temperature": 1}
    places = page.evaluate("(given) => module.orbit(...given, 4)", [[0.0, 2.0], KEYS, VALUES, [True] * 3, options])
    turns = torch.tensor([(0, 2), (-2, 0), (0, -2), (2, 0), (0, 2)], dtype=torch.float64)
    np.testing.assert_allclose(places, scaled_dot_product(turns, k, v), atol=1e-12)


@pytest.mark.browser
def test_the_chapters_example_is_computed_and_traced_and_edited(widget_page):
    tab = widget_page(example())
    page = tab.page
    assert (weights(page), outputs(page)) == (["0.670", "0.330"], ["1.330"])
    assert formula(page) == ["1 × 1 + 0 × 0 = 1", "1 / √2 = 0.707", "exp(0.707) = 2.028", "2.028 / (2.028 + 1) = 0.670"]
    page.get_by_role("button", name="0.330, weight of k₂").focus()
    assert formula(page)[3] == "1 / (2.028 + 1) = 0.330"
    page.get_by_role("button", name="1.330, output number 1").hover()
    assert formula(page) == ["0.670 × 1 + 0.330 × 2", "0.670 + 0.660 = 1.330"]
    page.get_by_label("as they are").check(force=True)
    assert weights(page) == ["0.731", "0.269"]
    page.get_by_role("slider", name="Temperature τ").press("Home")
    assert weights(page) == ["> 0.999", "< 0.001"]  # not 1 and 0: nothing is masked
    page.get_by_role("button", name="Reset").click()
    assert weights(page) == ["0.670", "0.330"]

    query = page.get_by_label("q, number 1")
    query.fill("0")
    assert weights(page) == ["0.500", "0.500"]
    assert "k₁ and k₂ share the highest score" in page.locator(".dl-attn-verdict").inner_text()
    query.fill("two")
    assert (query.get_attribute("aria-invalid"), weights(page)) == ("true", ["0.500", "0.500"])
    query.press("Tab")
    page.evaluate(SETTLED)
    assert (query.input_value(), query.get_attribute("aria-invalid")) == ("0", None)
    press(page, query, "Shift+ArrowUp")
    press(page, query, "ArrowUp", 2)
    page.evaluate(SETTLED)
    assert (query.input_value(), page.locator(".dl-attn-score .dl-number").all_inner_texts()) == ("1.2", ["1.2", "0"])
    page.get_by_label("Value of k₂, number 1").fill("−3,5")
    page.get_by_role("button", name="Reset").focus()  # what was typed last counts at once
    page.evaluate(SETTLED)
    assert page.get_by_label("Value of k₂, number 1").input_value() == "−3.5"
    assert outputs(page) == [f"{(math.exp(1.2 / math.sqrt(2)) - 3.5) / (math.exp(1.2 / math.sqrt(2)) + 1):.3f}".replace("-", "−")]
    page.wait_for_function("document.querySelector('[role=status]').textContent.startsWith('Weights: k₁ 0.700')")
    assert (tab.foreign, tab.failed, tab.errors) == ([], [], [])


@pytest.mark.browser
def test_a_masked_key_weighs_exactly_nothing_and_a_query_that_reads_nothing_gets_nothing(widget_page):
    page = widget_page(plane(mask=[True, True, False])).page
    assert weights(page)[2] == "0"
    page.get_by_role("button", name="0, weight of k₃").focus()
    assert "0, exactly" in formula(page)[3]
    for name in ("k₁", "k₂"):
        page.get_by_label(f"{name} may be read").uncheck()
    assert (weights(page), outputs(page)) == (["0", "0", "0"], ["0.000", "0.000"])
    assert "nothing to read" in page.locator(".dl-attn-verdict").inner_text()
    assert "not NaN" in page.locator(".dl-attn-verdict").inner_text()
    page.get_by_label("k₂ may be read").check()
    assert (weights(page), outputs(page)) == (["0", "1", "0"], ["3.000", "2.400"])
    assert "Only k₂ may be read" in page.locator(".dl-attn-verdict").inner_text()


@pytest.mark.browser
def test_logits_that_exp_cannot_hold_are_traced_as_they_are_computed(widget_page):
    page = widget_page(AttentionCalculator((1000, 0), [(10, 0), (9.999, 1)], [1, 2], scaled=False)).page
    assert weights(page) == ["0.731", "0.269"]
    assert "exp(10000 − 10000) = 1 (every logit is lowered by the largest" in formula(page)[2]
    assert formula(page)[1] == "10000, as it is: no division, τ = 1"


@pytest.mark.browser
def test_each_query_has_a_row_and_its_own_mask(widget_page):
    page = widget_page(causal()).page
    q, k = (torch.tensor(x, dtype=torch.float64) for x in (QUERIES, KEYS))
    wanted = masked_softmax(q @ k.mT / math.sqrt(2), causal_mask(3))
    page.evaluate(SETTLED)
    shown = [row.locator(".dl-attn-tile").all_inner_texts() for row in page.locator(".dl-attn-all-row").all()]
    assert shown == [[f"{w:.3f}" if 0 < w < 1 else f"{w:.0f}" for w in row] for row in wanted.tolist()]
    page.get_by_role("radio", name="q₃").check()
    assert weights(page) == shown[2]
    page.get_by_label("sat may be read").uncheck()
    assert weights(page)[2] == "0"
    page.get_by_role("radio", name="q₁").check()
    assert weights(page) == ["1", "0", "0"]
    assert page.locator(".dl-attn-verdict").inner_text().startswith("Only “the” may be read")


@pytest.mark.browser
def test_tips_are_dragged_in_both_planes(widget_page):
    page = widget_page(plane()).page
    before = weights(page), outputs(page)
    box = page.locator(".dl-attn-keys").bounding_box()
    half = 1.35 * 1.4  # of the plane's shorter side
    scale = min(box["width"], box["height"]) / 2 / half
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(middle[0] + 1.4 * scale, middle[1] - 0.6 * scale)
    page.mouse.down()
    page.mouse.move(middle[0] - 1.0 * scale, middle[1] - 0.5 * scale, steps=4)
    page.mouse.up()
    page.evaluate(SETTLED)
    place = [float(page.get_by_label(f"q, number {n}").input_value().replace("−", "-")) for n in (1, 2)]
    assert place == pytest.approx([-1.0, 0.5], abs=0.051)
    assert weights(page) != before[0]
    assert outputs(page) != before[1]
    box = page.locator(".dl-attn-values").bounding_box()  # 1.3 to 0 of y and 1 to 3 of x around (2, 1.5)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    old = outputs(page)
    for x in range(int(box["x"]) + 10, int(box["x"] + box["width"]), 12):  # the first value met is taken hold of
        page.mouse.move(x, box["y"] + box["height"] * 0.32)
        if page.locator(".dl-attn-values").evaluate("(node) => node.style.cursor") == "grab":
            break
    page.mouse.down()
    page.mouse.move(x + 60, box["y"] + box["height"] * 0.6, steps=3)
    page.mouse.up()
    assert outputs(page) != old


@pytest.mark.browser
def test_a_second_finger_neither_moves_the_tip_that_is_held_nor_lets_it_go(widget_page):
    page = widget_page(plane()).page
    page.evaluate(SETTLED)
    box = page.locator(".dl-attn-keys").bounding_box()
    scale = min(box["width"], box["height"]) / 2 / (1.35 * 1.4)
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(middle[0] + 1.4 * scale, middle[1] - 0.6 * scale)
    page.mouse.down()
    page.locator(".dl-attn-keys").evaluate("""(canvas) => {
      const { left, top } = canvas.getBoundingClientRect();
      for (const name of ["pointermove", "pointerup"])
        canvas.dispatchEvent(new PointerEvent(name, { pointerId: 7, isPrimary: false, clientX: left + 20, clientY: top + 20 }));
    }""")
    page.evaluate(SETTLED)
    assert page.get_by_label("q, number 1").input_value() == "1.4"
    page.mouse.move(middle[0] - 1.0 * scale, middle[1] - 0.6 * scale)
    page.mouse.up()
    page.evaluate(SETTLED)
    assert float(page.get_by_label("q, number 1").input_value().replace("−", "-")) == pytest.approx(-1, abs=0.051)


def widest():
    """The most keys, and the most numbers in each."""
    rng = np.random.default_rng(0).integers(-20, 21, (13, 4)) / 10
    return AttentionCalculator(rng[0], rng[1:7], rng[7:])


@pytest.mark.browser
@pytest.mark.parametrize(("make", "theme", "width"), [(causal, "light", 1280), (widest, "dark", 360)])
def test_it_is_accessible_and_fits_and_never_jumps(widget_page, accessible, make, theme, width):
    page = widget_page(make(), theme=theme, width=width).page
    page.get_by_role("checkbox").last.uncheck()
    page.evaluate(SETTLED)
    accessible(page)
    before = page.evaluate(SIZE)
    for locator in (page.locator(".dl-attn-weight").last, page.locator(".dl-attn-output").first):
        locator.focus()
        page.evaluate(SETTLED)
        assert page.evaluate(SIZE) == before
    for box in page.get_by_role("checkbox").all():
        box.set_checked(False)
        page.evaluate(SETTLED)
        assert page.evaluate(SIZE) == before
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert min(page.locator("button, .dl-cell, .dl-slider, .dl-attn-mask, .dl-attn-all-row").evaluate_all(SIDES)) >= 40


@pytest.mark.browser
@pytest.mark.timing
def test_a_change_is_drawn_within_a_frame(widget_page):
    page = widget_page(plane()).page
    times = []
    for _ in range(9):
        press(page, page.get_by_label("q, number 2"), "ArrowUp")
        page.evaluate(SETTLED)
        times.append(float(page.locator(".dl-attn").get_attribute("data-update-ms")))
    assert sorted(times)[4] < 33


@pytest.mark.browser
def test_nothing_goes_on_after_it_is_removed(module):
    page = module("canvas", "timeline", "attention_calculator_math", "attention_calculator_picture", "attention_calculator")
    widget = plane()
    state = {
        name: getattr(widget, name)
        for name in ("q", "k", "v", "mask", "temperature", "scaled", "query", "labels", "title", "words")
    }
    left_over = page.evaluate(
        """async (state) => {
          const listeners = [];
          const model = { get: (name) => state[name], set() {}, save_changes() {},
            on: (name, f) => listeners.push([name, f]),
            off: (name, f) => listeners.splice(listeners.findIndex((l) => l[1] === f && l[0] === name), 1) };
          const destroy = module.default.render({ model, el: document.body });
          await new Promise(requestAnimationFrame);
          const before = listeners.length;
          destroy();
          let asked = 0;
          const real = window.requestAnimationFrame;
          window.requestAnimationFrame = (f) => { asked++; return real(f); };
          document.documentElement.dataset.theme = "dark";
          document.body.style.width = "300px";
          for (let k = 0; k < 3; k++) await new Promise((done) => real(done));
          return [before, listeners.length, asked];
        }""",
        state,
    )
    assert left_over == [7, 0, 0]


@pytest.mark.browser
def test_every_word_comes_from_python(widget_page):
    widget = plane(mask=[True, False, True], words={name: f"¤{value}" for name, value in example().words.items()})
    shown = re.sub(r"exp\(.*", "", widget_page(widget).page.locator(".dl-attn").inner_text()).split("\n")
    assert [line for line in shown if any(c.isalpha() for c in line) and "¤" not in line] == []


def test_traits_hold_what_was_given_and_can_be_set():
    widget = AttentionCalculator(
        torch.ones(2), torch.eye(2), torch.tensor([1.0, 2.0]), mask=torch.tensor([True, False]), temperature=0.5
    )
    assert (widget.q, widget.k, widget.v, widget.mask) == ([[1, 1]], [[1, 0], [0, 1]], [[1], [2]], [[True, False]])
    widget.temperature = 2
    assert widget.temperature == 2
    with pytest.raises(Exception, match=r"v of shape \(2, 2\) given; \(2, 1\) wanted"):
        widget.v = [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        (
            {"q": (1, 0, 0)},
            ValueError,
            r"q of shape \(1, 3\), K of \(2, 2\), V of \(2, 1\) given; \(T, d\), \(S, d\)",
        ),
        ({"V": [1, 2, 3]}, ValueError, r"V of \(3, 1\) given"),
        ({"K": [(1, 0)], "V": [1]}, ValueError, "1 keys; the calculator shows 2 to 6"),
        ({"q": np.ones((5, 2))}, ValueError, "5 queries; the calculator shows 1 to 4"),
        ({"V": np.ones((2, 5))}, ValueError, "5 numbers a value"),
        ({"q": (math.nan, 0)}, ValueError, "q holds numbers that are not finite or beyond ±1000"),
        ({"mask": [1, 0]}, TypeError, "a mask of dtype int64 given; bool wanted"),
        ({"mask": [True] * 3}, ValueError, r"a mask of shape \(3,\) given; \(2,\) or \(1, 2\) wanted"),
        ({"temperature": 0}, ValueError, "temperature=0; wanted is 0.05 to 20"),
        ({"labels": "ab"}, ValueError, "labels='ab' given for 2 keys"),
    ],
)
def test_what_cannot_be_shown_is_named(changed, error, message):
    given = {"q": (1, 0), "K": [(1, 0), (0, 1)], "V": [1, 2]} | changed
    with pytest.raises(error, match=message):
        AttentionCalculator(given.pop("q"), given.pop("K"), given.pop("V"), **given)
