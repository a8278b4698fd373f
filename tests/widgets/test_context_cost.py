import math
import re

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from dlcourse.layers.transformer import TransformerBlock
from dlcourse.widgets.context_cost import PRESETS, ContextCost, costs

SETTLED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
SIZE = "() => { const b = document.querySelector('.dl-cost').getBoundingClientRect(); return [b.width, b.height]; }"
SIDES = "(nodes) => nodes.flatMap((node) => { const b = node.getBoundingClientRect(); return [b.width, b.height]; })"
SMALL = {"context": 7, "dim": 24, "num_layers": 2, "num_heads": 3, "batch": 5}


@pytest.fixture(scope="module")
def blocks():
    """Two blocks of the package, of the sizes in SMALL."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return torch.nn.ModuleList(TransformerBlock(24, num_heads=3, causal=True) for _ in range(2))


def through(blocks, x):
    for block in blocks:
        x = block(x)
    return x


def operations(work):
    """Multiplications and additions that torch counts while `work` runs."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        work()
    return counter.get_total_flops()


def test_the_work_of_one_pass_is_what_the_packages_blocks_do(blocks):
    wanted, x = costs(**SMALL), torch.randn(5, 7, 24)
    assert operations(lambda: through(blocks, x)) == wanted["projections"] + wanted["feed_forward"] + wanted["pairs"]
    assert operations(lambda: [block.feed_forward(x) for block in blocks]) == wanted["feed_forward"]


def test_the_work_of_writing_is_what_the_packages_blocks_do_with_and_without_a_cache(blocks):
    wanted, x = costs(**SMALL), torch.randn(5, 7, 24)

    def with_cache():
        states = [None, None]
        for t in range(7):
            y = x[:, t : t + 1]
            for n, block in enumerate(blocks):
                y, states[n] = block.read(y, states[n])

    assert operations(with_cache) == wanted["with_cache"]
    assert operations(lambda: [through(blocks, x[:, : t + 1]) for t in range(7)]) == wanted["without_cache"]


def test_memory_is_what_the_packages_blocks_take(blocks):
    wanted, x, seen = costs(**SMALL, bytes_per_number=4), torch.randn(5, 7, 24), []
    hook = blocks[0].attention.attend.register_forward_hook(lambda *parts: seen.append(parts[-1].nbytes))
    with torch.no_grad():
        states = [block.read(x)[1] for block in blocks]
    hook.remove()
    assert seen == [wanted["weights"]]
    assert sum(part.nbytes for state in states for part in state) == wanted["cache"]
    assert sum(p.nbytes for p in blocks.parameters()) == wanted["parameters"]


def test_a_causal_count_is_of_the_pairs_on_and_below_the_diagonal():
    one = {"dim": 1, "num_layers": 1, "num_heads": 1}
    every, allowed = costs(context=5, **one), costs(context=5, **one, causal=True)
    assert allowed["pairs"] == 4 * torch.ones(5, 5).tril().sum() == 4 * 15
    texts = [torch.ones(n, n) for n in range(1, 6)]
    assert every["without_cache"] == 24 * sum(map(len, texts)) + 4 * sum(text.sum() for text in texts)
    assert allowed["without_cache"] == 24 * sum(map(len, texts)) + 4 * sum(text.tril().sum() for text in texts)
    assert allowed["with_cache"] == every["with_cache"] == sum(allowed[part] for part in ("projections", "feed_forward", "pairs"))


def test_known_figures_come_out():
    weights = costs(context=4096, dim=512, num_layers=6, num_heads=8)["weights"]
    assert weights == 512 * 2**20
    sizes = {name: dict(zip(("context", "dim", "num_layers", "num_heads"), rest[:4], strict=True)) for name, *rest in PRESETS}
    small = costs(**sizes["GPT-2 small"], bytes_per_number=1)["parameters"]
    assert small + (50257 + 1024) * 768 + 2 * 768 == 124_439_808  # with embedding, positions and the last norm
    big = costs(**sizes["GPT-3 175B"], bytes_per_number=1)["parameters"]
    assert big + (50257 + 2048) * 12288 == pytest.approx(175e9, rel=0.005)


@pytest.mark.browser
def test_the_page_computes_what_python_computes(module):
    page, dice = module("canvas", "context_cost_math"), torch.Generator().manual_seed(0)
    draw = lambda low, high: int(torch.randint(low, high, (), generator=dice))  # noqa: E731
    cases = [
        {
            "context": draw(1, 2 ** (1 + k % 20)),
            "num_heads": (heads := 2 ** draw(0, 6)),
            "dim": heads * draw(1, 200),
            "num_layers": draw(1, 100),
            "batch": draw(1, 64),
            "bytes_per_number": (1, 2, 4)[k % 3],
            "causal": k % 2 == 0,
        }
        for k in range(60)
    ]
    found = page.evaluate("(cases) => cases.map((one) => ({ ...module.costs(one), at: module.crossings(one) }))", cases)
    for case, one in zip(cases, found, strict=True):
        at = one.pop("at")
        assert one == pytest.approx(costs(**case), rel=1e-12)
        there = costs(**case | {"context": at["work"]})
        assert there["pairs"] == there["projections"] + there["feed_forward"]
        level = page.evaluate("(one) => module.costs(one)", case | {"context": at["memory"]})
        assert level["weights"] == pytest.approx(level["cache"], rel=1e-12)
        ratio, n = one["without_cache"] / one["with_cache"], case["context"]
        low, high = ((n + 2) / 3, (n + 1) / 2) if case["causal"] else ((n + 1) / 2, (2 * n + 1) / 3)
        assert low * (1 - 1e-12) <= ratio <= high * (1 + 1e-12)
    assert page.evaluate("module.divisors(1600)") == [d for d in range(1, 129) if 1600 % d == 0]


def shown(page):
    """What the three figures say."""
    page.evaluate(SETTLED)
    return page.locator(".dl-cost-face strong").all_inner_texts()


def rows(page):
    page.evaluate(SETTLED)
    return [row.replace("\u00a0", " ").split("\n") for row in page.locator(".dl-cost-row").all_inner_texts()]


@pytest.mark.browser
def test_every_number_stands_beside_its_formula(widget_page):
    tab = widget_page(ContextCost(dim=512, num_layers=6, num_heads=8))
    page, wanted = tab.page, costs(context=4096, dim=512, num_layers=6, num_heads=8)
    work = wanted["pairs"] + wanted["projections"] + wanted["feed_forward"]
    ratio = wanted["without_cache"] / wanted["with_cache"]
    assert shown(page) == [f"{100 * wanted['pairs'] / work:.1f} %", "512 MiB", f"× {ratio:,.0f}"]
    assert rows(page)[2] == ["Attention pairs", "2.06 · 10¹¹", "4 B L D n²", "= 4 · 1 · 6 · 512 · 4,096²"]
    assert "n = 6 D = 6 · 512 = 3,072" in page.locator(".dl-cost-says").inner_text()
    page.get_by_label("n(n + 1)/2, causal").check(force=True)
    assert rows(page)[2][2:] == ["2 B L D n (n + 1)", "= 2 · 1 · 6 · 512 · 4,096 · 4,097"]
    assert "12 D − 1 = 12 · 512 − 1 = 6,143" in page.locator(".dl-cost-says").inner_text()

    page.get_by_role("radio", name="Attention weights").check(force=True)
    assert [row[1] for row in rows(page)] == ["512 MiB", "96 MiB", "72.2 MiB"]
    assert rows(page)[0][2:] == ["B N n² b", "= 1 · 8 · 4,096² · 4"]
    assert "2 L D / N = 2 · 6 · 512 / 8 = 768" in page.locator(".dl-cost-says").inner_text()
    page.get_by_label("2", exact=True).check(force=True)
    page.get_by_role("slider", name="Batch B").press("ArrowRight")
    assert [row[1] for row in rows(page)] == ["512 MiB", "96 MiB", "36.1 MiB"]

    page.get_by_role("radio", name="Without a cache").check(force=True)
    assert rows(page)[2][1:] == [shown(page)[2], "between (n + 2) / 3 and (n + 1) / 2", "between 1,366 and 2,049"]
    page.wait_for_function("document.querySelector('[role=status]').textContent.startsWith('Writing 4,096 tokens')")
    page.get_by_role("slider", name="Context n").press("Home")
    page.evaluate(SETTLED)
    assert page.get_by_role("slider", name="Context n").get_attribute("aria-valuetext") == "16"
    assert (tab.foreign, tab.failed, tab.errors) == ([], [], [])


@pytest.mark.browser
def test_models_are_chosen_and_heads_always_divide_the_width(widget_page):
    page = widget_page(ContextCost(dim=128, num_layers=4, num_heads=4, context=64, label="Ours", source="This chapter.")).page
    ours = page.get_by_role("button", name="Ours")
    page.evaluate(SETTLED)
    assert (ours.get_attribute("aria-pressed"), page.locator(".dl-cost-source").inner_text()) == ("true", "This chapter.")
    page.get_by_role("button", name="GPT-3 175B").click()
    page.evaluate(SETTLED)
    values = [slider.get_attribute("aria-valuetext") for slider in page.get_by_role("slider").all()]
    assert values == ["2,048", "12,288", "96", "96", "1"]
    assert "Brown et al. (2020), table 2.1" in page.locator(".dl-cost-source").inner_text()
    page.get_by_role("slider", name="Width D").press("Home")
    page.evaluate(SETTLED)
    assert page.get_by_role("slider", name="Heads N").get_attribute("aria-valuetext") == "32"  # the nearest to 96 that divides 32
    assert page.locator(".dl-cost-source").inner_text() == "Settings of your own."
    page.get_by_role("slider", name="Width D").press("End")
    page.evaluate(SETTLED)
    assert page.get_by_role("slider", name="Heads N").get_attribute("aria-valuetext") in {"64", "128"}
    box = page.locator(".dl-cost-chart").bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 1, box["y"] + 100, steps=4)
    page.mouse.up()
    page.evaluate(SETTLED)
    assert page.get_by_role("slider", name="Context n").get_attribute("aria-valuetext") == "1,048,576"


@pytest.mark.browser
def test_a_width_and_its_heads_can_be_changed_within_one_frame(widget_page):
    tab = widget_page(ContextCost(dim=12288, num_layers=96, num_heads=96))
    tab.page.evaluate(SETTLED)
    tab.page.evaluate("""() => {
      for (const label of ["Width D", "Heads N"]) {
        const slider = document.querySelector(`.dl-cost [aria-label="${label}"]`);
        slider.value = slider.max;
        slider.dispatchEvent(new Event("input"));
      }
    }""")
    tab.page.evaluate(SETTLED)
    assert tab.page.get_by_role("slider", name="Heads N").get_attribute("aria-valuetext") == "128"  # 16,384 has fewer divisors
    assert tab.errors == []


@pytest.mark.browser
@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 360)])
def test_it_is_accessible_and_fits_and_never_jumps(widget_page, accessible, theme, width):
    page = widget_page(ContextCost(), theme=theme, width=width).page
    page.evaluate(SETTLED)
    before = page.evaluate(SIZE)
    page.get_by_role("button", name="GPT-3 175B").click()
    for end in ("End", "Home"):
        for slider in page.get_by_role("slider").all():
            slider.press(end)
        for view in page.locator(".dl-cost-tile input").all():
            view.check(force=True)
            page.evaluate(SETTLED)
            assert page.evaluate(SIZE) == before
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    accessible(page)
    targets = page.locator("button, .dl-slider, .dl-choice label, .dl-cost-tile").evaluate_all(SIDES)
    assert min(targets) >= 40


@pytest.mark.browser
@pytest.mark.timing
def test_a_change_is_drawn_within_a_frame(widget_page):
    page, times = widget_page(ContextCost(view="memory")).page, []
    for _ in range(9):
        page.get_by_role("slider", name="Context n").press("ArrowRight")
        page.evaluate(SETTLED)
        times.append(float(page.locator(".dl-cost").get_attribute("data-update-ms")))
    assert sorted(times)[4] < 33


@pytest.mark.browser
def test_nothing_goes_on_after_it_is_removed(module):
    page, widget = module("canvas", "timeline", "context_cost_math", "context_cost_chart", "context_cost"), ContextCost()
    sizes = ("context", "dim", "num_layers", "num_heads", "batch", "bytes_per_number", "causal", "view", "presets", "words")
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
        {name: getattr(widget, name) for name in sizes},
    )
    assert left_over == [8, 0, 0]


@pytest.mark.browser
def test_every_word_comes_from_python(widget_page):
    given = ContextCost().words
    marked = {name: value if isinstance(value, list) else f"¤{value}" for name, value in given.items()}
    page = widget_page(ContextCost(view="memory", words=marked)).page
    page.evaluate(SETTLED)
    formulas = re.compile(r"[\d.,]+ [KMGTPE]?i?B|GPT-\S+( small| XL| 175B)?|[BLNDnb+²()=·\d,\s]+")  # units are in words, too
    lines = page.locator(".dl-cost").inner_text().split("\n")
    assert [line for line in lines if any(c.isalpha() for c in line) and "¤" not in line and not formulas.fullmatch(line)] == []


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"dim": 100, "num_heads": 3}, "dim=100 is not a multiple of num_heads=3"),
        ({"context": 0}, "context=0; wanted is 1 to 1048576"),
        ({"context": 2**20 + 1}, "context=1048577"),
        ({"batch": 0}, "batch=0; wanted is 1 to 4096"),
        ({"num_layers": math.inf}, "num_layers=inf"),
        ({"bytes_per_number": 3}, "bytes_per_number=3 is not known; there are 1, 2, 4"),
        ({"view": "time"}, "view='time' is not known; there are work, memory, writing"),
    ],
)
def test_sizes_that_no_model_has_are_named(changed, message):
    with pytest.raises(ValueError, match=message):
        ContextCost(**changed)


def test_settings_are_read_and_set_in_a_notebook():
    widget = ContextCost(dim=768, num_layers=12, num_heads=12, context=1024)
    assert [preset["name"] for preset in widget.presets] == [name for name, *_ in PRESETS]  # it is GPT-2 small itself
    widget.context = 65536
    assert (widget.context, ContextCost(context=64).presets[0]["context"]) == (65536, 64)
