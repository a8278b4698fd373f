import math
import operator
import random

import numpy as np
import pytest
import torch

from dlcourse.autodiff import Tensor
from dlcourse.widgets.computation_graph import ComputationGraph

SIZE = "() => { const b = document.querySelector('.dl-cg').getBoundingClientRect(); return [b.width, b.height]; }"
SETTLED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
BINARY = [operator.add, operator.sub, operator.mul, operator.truediv]
UNARY = ["exp", "log", "sin", "tanh", "sigmoid", "relu", operator.neg]
POWERS = [2, 3, -1, 0.5, 0, 1]


def neuron():
    """The squared error of a neuron."""
    w, x, b, y = (Tensor(v, name=n) for v, n in ((0.5, "w"), (2.0, "x"), (-0.3, "b"), (1.0, "y")))
    p = (w * x + b).sigmoid()
    p.name = "p"
    loss = (p - y) ** 2
    loss.name = "L"
    return loss


def curve(x=3.0, y=math.pi):
    """x²y + sin y, whose gradient at (3, π) is (6π, 8)."""
    x, y = Tensor(x, name="x"), Tensor(y, name="y")
    f = x**2 * y + y.sin()
    f.name = "f"
    return f


def random_graph(seed, wrap, leaves):
    """A program of up to 20 nodes on `leaves`, the same for the same seed; `wrap` makes a leaf of a number."""
    dice = random.Random(seed)
    nodes = [wrap(v) for v in leaves]
    inputs = list(nodes)
    for _ in range(dice.randint(4, 8)):
        kind = dice.random()
        a = dice.choice(nodes[-4:])
        if kind < 0.55:
            nodes.append(dice.choice(BINARY)(a, dice.choice(nodes)))
        elif kind < 0.85:
            step = dice.choice(UNARY)
            nodes.append(getattr(a, step)() if isinstance(step, str) else step(a))
        else:
            nodes.append(a ** dice.choice(POWERS))
    return nodes[-1] * nodes[-2] + nodes[0], inputs


def finite_graphs(number=40):
    """Seeds and leaves for which values and gradients are finite in torch."""
    found, seed = [], 0
    while len(found) < number:
        seed += 1
        leaves = np.random.default_rng(seed).uniform(0.2, 2.0, size=3)
        output, inputs = random_graph(seed, lambda v: torch.tensor(v, dtype=torch.float64, requires_grad=True), leaves)
        output.backward()
        gradients = [0.0 if leaf.grad is None else leaf.grad.item() for leaf in inputs]
        if np.isfinite([output.item(), *gradients]).all() and abs(output.item()) < 1e8:
            found.append((seed, leaves, output.item(), gradients))
    return found


COMPUTE = """([nodes, leaves]) => {
  const values = module.forward(nodes, leaves), { gradients, pushes } = module.backward(nodes, values);
  return [values, gradients, pushes];
}"""


@pytest.fixture
def graph(widget_page):
    """A function that opens a page with the graph of `output`."""
    return lambda output, theme="light", width=1280: widget_page(ComputationGraph(output), theme=theme, width=width).page


def press(page, name, times=1):
    for _ in range(times):
        page.get_by_role("button", name=name, exact=True).click(force=True)  # even where it is aria-disabled


def says(page):
    return page.locator(".dl-cg-says").inner_text()


def settle(page):
    page.evaluate(SETTLED)


@pytest.mark.browser
def test_values_and_gradients_equal_autodiffs_and_pytorchs_on_random_graphs(module):
    page = module("computation_graph_math")
    operations = set()
    for seed, leaves, value, gradients in finite_graphs():
        output, inputs = random_graph(seed, Tensor, leaves)
        output.backward()
        widget, order = ComputationGraph(output), output.topological()
        operations |= {node["op"] for node in widget.nodes}
        got_values, got_gradients, pushes = page.evaluate(COMPUTE, [widget.nodes, widget.values])
        np.testing.assert_allclose(got_values, [node.data.item() for node in order], rtol=1e-12)
        np.testing.assert_allclose(got_gradients, [node.grad.item() for node in order], rtol=1e-9, atol=1e-12)
        assert got_values[-1] == pytest.approx(value, rel=1e-12)
        for leaf, gradient in zip(inputs, gradients, strict=True):
            place = next((k for k, node in enumerate(order) if node is leaf), None)
            assert gradient == pytest.approx(0.0 if place is None else got_gradients[place], rel=1e-9, abs=1e-12)
        for push in pushes:
            assert push["after"] == push["before"] + push["upstream"] * push["local"]
    assert {"+", "-", "*", "/", "neg", "exp", "log", "sin", "tanh", "sigmoid", "relu", "**2"} <= operations


@pytest.mark.browser
def test_sums_and_reshapes_of_one_number_pass_it_on(module):
    x = Tensor([[1.5]], name="x")
    output = (x.reshape(1).sum() * x.T[0, 0]).mean()
    output.backward()
    widget = ComputationGraph(output)
    values, gradients, _ = module("computation_graph_math").evaluate(COMPUTE, [widget.nodes, widget.values])
    assert values[-1] == output.data.item()
    assert gradients[[n["name"] for n in widget.nodes].index("x")] == pytest.approx(x.grad.item())


@pytest.mark.browser
def test_nodes_stand_right_of_their_operands_and_never_on_each_other(module):
    page = module("computation_graph_math")
    for seed, leaves, _, _ in finite_graphs():
        output, _ = random_graph(seed, Tensor, leaves)
        nodes = ComputationGraph(output).nodes
        plan = page.evaluate("(nodes) => module.layout(nodes)", nodes)
        for k, node in enumerate(nodes):
            assert all(plan["layers"][parent] < plan["layers"][k] for parent in node["parents"])
        assert min(plan["y"]) == 0
        assert max(plan["layers"]) < 16
        for k, layer in enumerate(plan["layers"]):
            same = [plan["y"][j] for j, other in enumerate(plan["layers"]) if other == layer and j != k]
            assert all(abs(plan["y"][k] - y) > 0.999 for y in same)


@pytest.mark.browser
def test_stepping_writes_out_every_value_and_every_push(graph):
    page = graph(curve())
    assert "Forward: v₁ = x² = 3² = 9." in says(page)
    press(page, "Next")
    assert "Forward: v₂ = v₁ × y = 9 × 3.142 = 28.27." in says(page)
    press(page, "Next", 2)
    assert says(page).startswith("Forward: f = v₂ + v₃ = 28.27 + 1.2·10⁻¹⁶ = 28.27.")
    press(page, "Next")
    assert "its gradient is 1" in says(page)
    assert page.locator(".dl-cg-operation .dl-cg-gradient").last.inner_text() == "grad 1"
    press(page, "Next", 3)
    assert says(page).startswith("Gradient of y: 0 so far + upstream 1 × local (−1) = −1.")
    assert "∂v₃/∂y = cos(y) = −1" in says(page)
    press(page, "Next")
    assert says(page).startswith("Gradient of v₁: 0 so far + upstream 1 × local 3.142 = 3.142.")
    press(page, "Next")
    assert says(page).startswith("Gradient of y: −1 so far + upstream 1 × local 9 = 8.")
    press(page, "Back")
    assert says(page).startswith("Gradient of v₁")
    assert page.locator("[role=status]").inner_text().startswith("Gradient of v₁")


@pytest.mark.browser
def test_all_backward_leaves_the_gradients_and_a_check(graph):
    page = graph(curve())
    press(page, "All backward")
    assert page.locator(".dl-cg-leaf .dl-cg-gradient").all_inner_texts() == ["grad 18.85", "grad 8"]
    assert page.locator(".dl-cg-local").all_text_contents() == ["× 6", "× 3.142", "× 9", "× −1", "× 1", "× 1"]
    change = (9.0601 - 9) * math.pi
    assert f"raise x by 0.01 and f changes by {change:.3f}; its gradient promises {0.06 * math.pi:.3f}" in says(page)
    assert page.get_by_role("button", name="Next").get_attribute("aria-disabled") == "true"
    press(page, "Next")
    press(page, "Reset")
    assert "Only the leaves have values" in says(page)
    assert page.locator(".dl-cg-waiting.dl-cg-node").count() == 4
    press(page, "All forward")
    assert page.locator(".dl-cg-node.dl-cg-waiting").count() == 0
    assert page.locator(".dl-cg-local").first.text_content() == ""


@pytest.mark.browser
def test_a_product_of_a_node_with_itself_pushes_one_share_along_each_edge(graph):
    x = Tensor(3.0, name="x")
    page = graph(x * x)
    press(page, "All backward")
    press(page, "Back")
    assert says(page).startswith("Gradient of x: 0 so far + upstream 1 × local 3 = 3.")
    press(page, "Next")
    assert says(page).startswith("Gradient of x: 3 so far + upstream 1 × local 3 = 6.")
    assert "along this edge, the other operand held fast: x = 3" in says(page)


@pytest.mark.browser
def test_the_steps_are_taken_with_the_keyboard_and_the_focus_stays(graph):
    page = graph(neuron())
    button = page.get_by_role("button", name="Next")
    button.focus()
    for _ in range(20):
        page.keyboard.press("Enter")
    assert "Step 14 of 14" in page.locator(".dl-cg-progress").inner_text()
    assert button.evaluate("(node) => node === document.activeElement")


@pytest.mark.browser
def test_a_changed_leaf_changes_values_and_gradients_and_nonsense_does_not(graph):
    page = graph(curve())
    press(page, "All backward")
    x = page.get_by_label("Value of x")
    x.fill("-1,5")
    page.wait_for_function("document.querySelector('.dl-cg-leaf .dl-cg-gradient').innerText === 'grad −9.425'")
    x.fill("1..")
    settle(page)
    assert x.get_attribute("aria-invalid") == "true"
    assert page.locator(".dl-cg-leaf .dl-cg-gradient").first.inner_text() == "grad −9.425"
    x.press("Tab")
    page.wait_for_function("!document.querySelector('[aria-invalid]')")
    assert x.input_value() == "−1.5"
    x.press("ArrowUp")
    x.press("Shift+ArrowDown")
    settle(page)
    assert x.input_value() == "−2.4"
    page.get_by_label("Value of y").focus()
    settle(page)
    assert "raise y by" in says(page)


@pytest.mark.browser
@pytest.mark.parametrize(
    ("program", "value", "sentence"),
    [
        (lambda x: (x - 3).log() * x, "2", "needs a number above 0, and −1 is not"),
        (lambda x: (x - 2).log() * x, "2", "logarithm of 0"),
        (lambda x: x / (x - 2), "2", "Division by 0"),
        (lambda x: (x - 2) ** -1 * x, "2", "Division by 0"),
        (lambda x: (x - 3) ** 0.5 * x, "2", "−1 to this power has no real value"),
        (lambda x: x * x.exp(), "800", "larger than float64"),
    ],
)
def test_values_that_are_not_finite_are_said_in_words(graph, program, value, sentence):
    page = graph(program(Tensor(4.0, name="x")))
    page.get_by_label("Value of x").fill(value)
    said = ""
    press(page, "Reset")
    for _ in range(len(page.locator(".dl-cg-operation").all())):
        press(page, "Next")
        said += says(page)
    assert sentence in said
    press(page, "Next")
    assert "no gradient can start here" in says(page)
    shown = page.locator(".dl-cg").inner_text()
    assert "NaN" not in shown
    assert "Infinity" not in shown
    page.get_by_label("Value of x").fill("5")
    press(page, "All backward")
    assert "Check: raise x" in says(page)


@pytest.mark.browser
def test_a_button_pressed_before_the_next_frame_counts_what_was_typed(graph):
    page = graph((Tensor(4.0, name="x") - 3).log())
    page.get_by_label("Value of x").fill("2")
    settle(page)
    page.evaluate("""() => {
        const x = document.querySelector("input");
        x.value = "5";
        x.dispatchEvent(new Event("input", { bubbles: true }));
        [...document.querySelectorAll("button")].find((b) => b.textContent === "All backward").click();
    }""")
    assert "Check: raise x" in says(page)


@pytest.mark.browser
def test_a_local_derivative_without_a_value_is_said_in_words(graph):
    page = graph(Tensor(1.0, name="x") ** 0.5 * 2)
    page.get_by_label("Value of x").fill("0")
    press(page, "All backward")
    assert "not a finite number" in says(page)
    assert page.locator(".dl-cg-leaf .dl-cg-gradient").first.inner_text() == "grad ∞"


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 360])
def test_the_layout_never_jumps_and_fits(graph, width):
    page = graph(neuron(), width=width)
    before = page.evaluate(SIZE)
    for _ in range(13):
        press(page, "Next")
        assert page.evaluate(SIZE) == before
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width == 1280:
        assert page.locator(".dl-cg-scroll").evaluate("(box) => box.scrollWidth <= box.clientWidth")


@pytest.mark.browser
def test_on_a_phone_the_step_is_brought_into_view(widget_page):
    page = widget_page(ComputationGraph(neuron()), width=360, reduced_motion="reduce").page
    for _ in range(13):
        press(page, "Next")
        box, node = (page.locator(s).first.bounding_box() for s in (".dl-cg-scroll", ".dl-cg-node.dl-cg-active"))
        assert box["x"] <= node["x"]
        assert node["x"] + node["width"] <= box["x"] + box["width"]


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing_wrong(widget_page, accessible, theme, width):
    page = widget_page(ComputationGraph(neuron()), theme=theme, width=width, reduced_motion="reduce").page  # it scrolls at once
    press(page, "All backward")
    page.get_by_label("Value of w").focus()
    accessible(page)


@pytest.mark.browser
@pytest.mark.timing
def test_a_step_is_drawn_in_time_and_without_noise(widget_page):
    output = Tensor(0.3, name="x")
    for k in range(9):
        output = output * (output.exp() if k % 3 == 0 else 1.1)
    tab = widget_page(ComputationGraph(output))
    times = []
    for _ in range(15):
        press(tab.page, "Next")
        times.append(float(tab.page.locator(".dl-cg").get_attribute("data-update-ms")))
    assert sorted(times)[7] < 33
    assert (tab.foreign, tab.failed, tab.errors) == ([], [], [])


@pytest.mark.browser
def test_nothing_goes_on_after_it_is_removed(module):
    page = module("computation_graph_math", "computation_graph")
    left_over = page.evaluate(
        """async (state) => {
          const listeners = [];
          const model = { get: (name) => state[name], set() {}, save_changes() {},
            on: (name, f) => listeners.push([name, f]),
            off: (name, f) => listeners.splice(listeners.findIndex((l) => l[1] === f && l[0] === name), 1) };
          const destroy = module.default.render({ model, el: document.body });
          await new Promise(requestAnimationFrame);
          const before = listeners.length, stage = document.querySelector(".dl-cg-stage"), width = stage.style.width;
          destroy();
          document.body.style.width = "300px";
          document.querySelector("input").dispatchEvent(new Event("input"));
          for (let k = 0; k < 3; k++) await new Promise(requestAnimationFrame);
          return [before, listeners.length, stage.style.width === width];
        }""",
        ComputationGraph(neuron()).get_state(["nodes", "values", "step", "title", "words"]),
    )
    assert left_over == [2, 0, True]


@pytest.mark.browser
def test_every_word_comes_from_python(widget_page):
    x = Tensor(2.0, name="¤x")
    output = x * x + 3
    marked = {name: f"¤{value}" for name, value in ComputationGraph(output).words.items()}
    page = widget_page(ComputationGraph(output, title="¤", words=marked)).page
    for name in ("¤Reset", "¤Next", "¤All forward", "¤Next", "¤All backward"):
        press(page, name)
        shown = page.locator(".dl-cg").inner_text().split("\n")
        assert all("¤" in line for line in shown if any(c.isalpha() for c in line))


def test_the_leaves_travel_in_the_order_of_computation():
    widget = ComputationGraph(neuron(), title="A neuron")
    assert widget.values == [0.5, 2.0, -0.3, 1.0]
    assert [node["op"] for node in widget.nodes if node["parents"]] == ["*", "+", "sigmoid", "-", "**2"]
    assert [node["name"] for node in widget.nodes][-1] == "L"
    assert widget.title == "A neuron"


def chain(length):
    output = Tensor(1.0)
    for _ in range(length):
        output = output.sin()
    return output


@pytest.mark.parametrize(
    ("output", "error", "message"),
    [
        (3.0, TypeError, "float given"),
        (torch.tensor(1.0), TypeError, "Tensor given"),
        (Tensor(1.0), ValueError, "single leaf"),
        (Tensor([1.0, 2.0]).sum(), ValueError, "shape .2,."),
        (Tensor([[1.0]]) @ Tensor([[1.0]]), ValueError, "matmul"),
        (chain(20), ValueError, "21 nodes"),
        (Tensor(2e6) * 1, ValueError, "2e[+]06"),
    ],
)
def test_what_is_no_graph_of_numbers_is_refused(output, error, message):
    with pytest.raises(error, match=message):
        ComputationGraph(output)
