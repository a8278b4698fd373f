import random
import re

import pytest
import torch

from dlcourse.widgets.broadcasting import PRESETS, BroadcastingExplorer

SIZE = "() => { const b = document.querySelector('.dl-bc').getBoundingClientRect(); return [b.width, b.height]; }"
SETTLED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def random_pairs(number=600):
    """Pairs of shapes of 0 to 4 axes, of which at least a hundred do not broadcast."""
    dice = random.Random(0)
    pairs = []
    for _ in range(number):
        full = [dice.choice((0, 1, 2, 3, 5, 8)) for _ in range(4)]
        pair = [[1 if dice.random() < 0.35 else size for size in full[4 - dice.randint(0, 4) :]] for _ in range(2)]
        for shape in pair:
            if shape and dice.random() < 0.6:
                shape[dice.randrange(len(shape))] = dice.choice((1, 2, 4, 7))
        pairs.append(pair)
    return pairs


def expected(left, right):
    """The shape that torch.broadcast_shapes gives; None where it refuses."""
    try:
        return list(torch.broadcast_shapes(left, right))
    except RuntimeError:
        return None


def shape_of_sum(left, right):
    """The shape that a sum has; None where there is none."""
    try:
        return list((torch.zeros(left) + torch.zeros(right)).shape)
    except RuntimeError:
        return None


@pytest.fixture
def explorer(widget_page):
    """A function that opens a page with an explorer."""

    def show(left=(8, 1, 6, 1), right=(7, 1, 5), theme="light", width=1280, **options):
        return widget_page(BroadcastingExplorer(left, right, **options), theme=theme, width=width).page

    return show


def settle(page):
    page.evaluate(SETTLED)


def shape_shown(page):
    return re.search(r"\((.*)\)", page.locator(".dl-bc-sum .dl-bc-caption").inner_text())


@pytest.mark.browser
def test_the_rule_is_pytorchs_on_random_shapes_including_refusals(module):
    pairs = random_pairs()
    wanted = [expected(*pair) for pair in pairs]
    assert 100 < wanted.count(None) < 500
    assert wanted == [shape_of_sum(*pair) for pair in pairs]
    page = module("broadcasting_picture")
    assert page.evaluate("(pairs) => pairs.map(([a, b]) => module.broadcast(a, b).shape)", pairs) == wanted


@pytest.mark.browser
def test_a_clash_is_found_on_the_axes_where_pytorch_finds_it(module):
    page = module("broadcasting_picture")
    refused = [pair for pair in random_pairs() if expected(*pair) is None]
    clashes = page.evaluate(
        "(pairs) => pairs.map(([a, b]) => module.broadcast(a, b).columns.filter((c) => c.size === null).map((c) => c.axis))",
        refused,
    )
    for (left, right), axes in zip(refused, clashes, strict=True):
        padded = [[1] * (4 - len(shape)) + shape for shape in (left, right)]
        assert axes == [k - 4 for k in range(4) if expected([padded[0][k]], [padded[1][k]]) is None]
        rank = max(len(left), len(right))
        with pytest.raises(RuntimeError, match=f"non-singleton dimension {rank + axes[-1]}"):
            torch.zeros(left) + torch.zeros(right)


@pytest.mark.browser
def test_every_element_comes_from_the_elements_that_pytorch_takes(module):
    page = module("broadcasting_picture")
    for left, right in [pair for pair in random_pairs(60) if expected(*pair)]:
        a, b = (torch.arange(torch.Size(shape).numel(), dtype=torch.float64).reshape(shape) for shape in (left, right))
        total = a + 10 * b
        values = page.evaluate(
            """([a, b, result]) => {
              const { source, place, count } = module;
              return Array.from({ length: count(result) }, (_, n) => {
                const index = result.map((size, k) => Math.floor(n / count(result.slice(k + 1))) % size);
                return place(source(index, a), a) + 10 * place(source(index, b), b);
              });
            }""",
            [left, right, list(total.shape)],
        )
        assert values == total.ravel().tolist()


@pytest.mark.browser
@pytest.mark.parametrize(("left", "right"), [(a, b) for _, a, b in PRESETS])
def test_the_shape_of_each_preset_is_shown_or_refused(explorer, left, right):
    page, wanted = explorer(left, right), expected(left, right)
    if wanted is None:
        assert "Axis −1: a has 10, b has 32." in page.locator(".dl-bc-message").inner_text()
        assert "no result" in page.locator(".dl-bc-sum .dl-bc-caption").inner_text()
    else:
        assert [int(n) for n in shape_shown(page).group(1).split(", ")] == wanted


@pytest.mark.browser
def test_the_trap_says_what_it_costs(explorer):
    page = explorer()
    page.get_by_role("button", name="The trap").click()
    page.wait_for_function("document.querySelector('.dl-bc-message').innerText.includes('Careful')")
    assert "one for each pair" in page.locator(".dl-bc-message").inner_text()
    assert "39.1 KiB, 50 times as much as both inputs together (800 B)" in page.locator(".dl-bc-cost").inner_text()
    assert page.locator("[role=status]").inner_text().startswith("They broadcast to (100, 100)")


@pytest.mark.browser
def test_typing_a_size_changes_the_result_and_nonsense_does_not(explorer):
    page = explorer((4, 1), (3,))
    cell = page.get_by_label("Size of a's axis −2")
    cell.fill("12")
    page.wait_for_function("document.querySelector('.dl-bc-message').innerText.includes('(12, 3)')")
    cell.fill("1x")
    settle(page)
    assert cell.get_attribute("aria-invalid") is not None
    assert "(12, 3)" in page.locator(".dl-bc-message").inner_text()
    cell.press("Tab")
    page.wait_for_function("!document.querySelector('[aria-invalid]')")
    assert cell.input_value() == "12"
    page.get_by_label("Size of b's axis −1").press("ArrowDown")
    page.get_by_label("Size of b's axis −1").press("Shift+ArrowUp")
    page.wait_for_function("document.querySelector('.dl-bc-message').innerText.includes('(12, 12)')")


@pytest.mark.browser
def test_axes_are_added_and_removed_with_buttons(explorer):
    page = explorer((4, 3), (4,))
    assert "Axis −1: a has 3, b has 4." in page.locator(".dl-bc-message").inner_text()
    page.get_by_role("button", name="Remove the leftmost axis of b").click()
    page.wait_for_function("document.querySelector('.dl-bc-message').innerText.includes('(4, 3)')")
    assert page.get_by_role("button", name="Remove the leftmost axis of b").is_disabled()
    for _ in range(2):
        page.get_by_role("button", name="Add an axis on the left of a").click()
        settle(page)
    assert "(1, 1, 4, 3)" in page.locator(".dl-bc-message").inner_text()
    assert page.get_by_role("button", name="Add an axis on the left of a").is_disabled()


@pytest.mark.browser
def test_arrow_keys_choose_an_element_and_name_its_sources(explorer):
    page = explorer()
    page.locator(".dl-bc-sum canvas").focus()
    for key in ("Shift+ArrowLeft", "Shift+ArrowUp", "Shift+PageUp", "ArrowRight", "ArrowDown", "ArrowDown", "PageDown"):
        page.keyboard.press(key)
    index = [4, 1, 2, 1]
    a, b = torch.arange(48).view(8, 1, 6, 1), 10 * torch.arange(35).view(7, 1, 5)
    left, right = (t.expand(8, 7, 6, 5)[tuple(index)].item() for t in (a, b))
    sentence = f"(a + b)[4, 1, 2, 1] = a[4, 0, 2, 0] + b[1, 0, 1] = {left} + {right} = {left + right}"
    assert page.locator(".dl-bc-sentence").inner_text() == sentence
    assert page.locator("[role=status]").inner_text() == sentence


@pytest.mark.browser
def test_pointing_and_sliding_choose_an_element_too(explorer):
    page = explorer((5, 1), (7,))
    page.locator(".dl-bc-sum canvas").scroll_into_view_if_needed()
    for name in ("sum", "left", "right"):
        box = page.locator(f".dl-bc-{name} canvas").bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        assert page.locator(".dl-bc-sentence").inner_text().startswith("(a + b)[2, 3] = a[2, 0] + b[3]")
    page.get_by_label("Index of the chosen element along axis −1").press("End")
    assert page.locator(".dl-bc-sentence").inner_text().startswith("(a + b)[2, 6]")


@pytest.mark.browser
def test_an_axis_of_size_zero_leaves_nothing_to_draw_and_says_so(explorer):
    page = explorer((3, 0), (1,))
    assert "no elements" in page.locator(".dl-bc-message").inner_text()
    assert page.locator(".dl-bc-sentence").inner_text() == ""


@pytest.mark.browser
def test_it_stretches_once_and_not_at_all_for_those_who_want_no_motion(widget_page, frames):
    hash_ = "() => document.querySelector('.dl-bc-left canvas').toDataURL()"
    tab = widget_page(BroadcastingExplorer(), reduced_motion="reduce")
    tab.page.locator(".dl-bc-pictures").scroll_into_view_if_needed()
    tab.page.get_by_role("button", name="Outer sum").click()
    settle(tab.page)
    first = tab.page.evaluate(hash_)
    frames(tab.page)
    assert tab.page.evaluate(hash_) == first
    page = widget_page(BroadcastingExplorer(), stopped=True, height=2000).page
    page.clock.run_for(1200)
    page.get_by_role("button", name="Outer sum").click()
    page.clock.run_for(300)
    assert page.evaluate(hash_) != first
    page.clock.run_for(900)
    assert page.evaluate(hash_) == first


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 360])
def test_the_layout_never_jumps_and_fits(explorer, width):
    page = explorer(width=width)
    before = page.evaluate(SIZE)
    for button in page.locator(".dl-bc-presets button").all():
        button.click()
        settle(page)
        assert page.evaluate(SIZE) == before
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("right", [(7, 1, 5), (3,)])
def test_axe_finds_nothing_wrong(explorer, accessible, theme, right):
    accessible(explorer(theme=theme, right=right))


@pytest.mark.browser
@pytest.mark.timing
def test_a_change_is_drawn_in_time_and_without_noise(widget_page):
    tab = widget_page(BroadcastingExplorer((100, 1), (100,)))
    for name in ("All pairs", "Images", "The trap"):
        tab.page.get_by_role("button", name=name).click()
        settle(tab.page)
    times = []
    for _ in range(9):
        tab.page.get_by_label("Size of a's axis −2").press("ArrowUp")
        settle(tab.page)
        times.append(float(tab.page.locator(".dl-bc").get_attribute("data-update-ms")))
    assert sorted(times)[4] < 33
    assert (tab.foreign, tab.failed, tab.errors) == ([], [], [])


@pytest.mark.browser
def test_nothing_goes_on_after_it_is_removed(module):
    page = module("broadcasting_picture", "broadcasting")
    state = BroadcastingExplorer().get_state(["left", "right", "presets", "words"])
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
    assert left_over == [2, 0, 0]


@pytest.mark.browser
@pytest.mark.parametrize("pair", [((8, 1, 6, 1), (7, 1, 5)), ((4,), (3,)), ((5, 1), (5,))])
def test_every_word_comes_from_python(widget_page, pair):
    widget = BroadcastingExplorer(*pair, words={name: f"¤{value}" for name, value in BroadcastingExplorer().words.items()})
    shown = widget_page(widget).page.locator(".dl-bc").inner_text().split("\n")
    assert all("¤" in line for line in shown if any(c.isalpha() for c in line))


def test_shapes_can_be_pytorchs_and_set_later():
    widget = BroadcastingExplorer(torch.zeros(2, 3).shape, ())
    assert (widget.left, widget.right) == ([2, 3], [])
    widget.right = [3]
    assert widget.right == [3]


@pytest.mark.parametrize(
    ("shape", "error", "message"),
    [
        ((1, 2, 3, 4, 5), ValueError, "5 axes"),
        ((-1,), ValueError, "0 to 9999"),
        ((10_000,), ValueError, "0 to 9999"),
        ((2.0, 3), TypeError, "whole numbers"),
        ("32", TypeError, "whole numbers"),
        (32, TypeError, "whole numbers"),
        ((True,), TypeError, "whole numbers"),
    ],
)
@pytest.mark.parametrize("name", ["left", "right"])
def test_what_is_no_shape_is_refused(name, shape, error, message):
    with pytest.raises(error, match=f"{name}.*{message}"):
        BroadcastingExplorer(**{name: shape})
