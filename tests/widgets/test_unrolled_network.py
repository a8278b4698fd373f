import base64
import re
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch.autograd.functional import jacobian

from dlcourse.layers import recurrent
from dlcourse.widgets.unrolled_network import DRAWS, GATES, INPUTS, STEPS, UnrolledNetwork

FILES = ("canvas", "loss_chart", "timeline", "unrolled_network_math", "unrolled_network_picture", "unrolled_network")
SETTLED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
SIZE = "() => { const b = document.querySelector('.dl-un').getBoundingClientRect(); return [b.width, b.height]; }"
FLOW = """([text, hidden, cell, { radius, scale, bias, steps, draw }]) => {
  const { cells, sequence } = module.unpack(bytes(text), hidden, draw);
  const weights = module.adjusted(cells[cell], hidden, radius, bias);
  const { states, logs } = module.flow(cell, weights, sequence.map((v) => scale * v), steps);
  return [states.map((state) => [...state]), logs.map((log) => (log === -Infinity ? null : log))];
}"""


class Setting(NamedTuple):
    radius: float
    scale: float
    bias: float
    steps: int
    draw: int = 0


SETTINGS = [
    Setting(radius=0.9, scale=1.0, bias=3.0, steps=16),
    Setting(radius=1.5, scale=0.1, bias=0.0, steps=24, draw=1),
    Setting(radius=0.4, scale=0.5, bias=-1.5, steps=7, draw=2),
    Setting(radius=2.0, scale=0.0, bias=1.0, steps=30, draw=3),
]


def unpacked(widget, draw):
    """The weights of every cell, input then recurrent, and the inputs, read from the bytes the page gets."""
    hidden = widget.hidden_size
    values = np.frombuffer(widget.weights, dtype="<f4").reshape(DRAWS, -1)[draw].astype(np.float64)
    at, cells = 0, {}
    for cell, gates in GATES.items():
        cells[cell] = []
        for columns in (INPUTS, hidden):
            cells[cell].append(torch.tensor(values[at : at + gates * hidden * columns].reshape(gates * hidden, columns)))
            at += gates * hidden * columns
    return cells, torch.tensor(values[at:].reshape(STEPS[1], INPUTS))


def layer(library, widget, cell, setting):
    """The layer of dlcourse or of torch that the page says it shows, and its inputs."""
    cells, sequence = unpacked(widget, setting.draw)
    hidden = widget.hidden_size
    options = {} if library is recurrent else {"batch_first": True}
    module = getattr(library, cell.upper())(INPUTS, hidden, **options).double()
    with torch.no_grad():
        module.weight_ih_l0.copy_(cells[cell][0])
        module.weight_hh_l0.copy_(setting.radius * cells[cell][1])
        module.bias_ih_l0.zero_()
        module.bias_hh_l0.zero_()
        if cell != "rnn":
            module.bias_ih_l0[hidden : 2 * hidden] = setting.bias
    return module, setting.scale * sequence


def autograd(library, widget, cell, setting):
    """States after every step, and the spectral norm of ∂s_T/∂s_k for every k, by autograd through the layer."""
    module, inputs = layer(library, widget, cell, setting)
    hidden, steps = widget.hidden_size, setting.steps

    def read(state, start, end):
        h, *c = (part[None, None] for part in state.split(hidden))
        _, last = module(inputs[None, start:end], (h, *c) if c else h)
        return torch.cat([part.flatten() for part in (last if c else (last,))])

    state = torch.zeros(hidden * (2 if cell == "lstm" else 1), dtype=torch.float64)
    states = [state] + [state := read(state, t, t + 1).detach() for t in range(steps)]
    norms = [torch.linalg.matrix_norm(jacobian(lambda s, k=k: read(s, k, steps), states[k]), ord=2).item() for k in range(steps)]
    return torch.stack(states), np.array([*norms, 1.0])


def in_page(page, widget, cell, setting):
    """The same as the page computes them, the norms as log10."""
    text = base64.b64encode(widget.weights).decode()
    states, logs = page.evaluate(FLOW, [text, widget.hidden_size, cell, setting._asdict()])
    return np.array(states), np.array([-np.inf if log is None else log for log in logs])


@pytest.fixture
def network(widget_page):
    """A function that opens a page with the widget and returns its Tab."""

    def show(theme="light", width=1280, reduced_motion="reduce", stopped=False, **options):
        widget = UnrolledNetwork(**options)
        return widget_page(widget, theme=theme, width=width, reduced_motion=reduced_motion, stopped=stopped)

    return show


@pytest.mark.browser
@pytest.mark.parametrize("library", [recurrent, torch.nn])
@pytest.mark.parametrize("cell", GATES)
def test_states_and_norms_equal_autograd_through_the_layer(module, library, cell):
    page, widget = module(*FILES), UnrolledNetwork(hidden_size=5, seed=4)
    for setting in SETTINGS:
        states, norms = autograd(library, widget, cell, setting)
        got_states, logs = in_page(page, widget, cell, setting)
        np.testing.assert_allclose(got_states, states, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(10**logs, norms, rtol=1e-5)


@pytest.mark.browser
def test_the_norm_of_a_matrix_is_its_largest_singular_value(module):
    page, rng = module(*FILES), np.random.default_rng(0)
    matrices = [rng.normal(size=(n, n)) * rng.normal(size=n) ** 3 for n in (1, 2, 7, 32)]
    matrices += [np.eye(6), np.zeros((3, 3)), np.ones((4, 4)), np.diag([1.0, 1.0, 1e-9]), np.triu(np.ones((5, 5)), 1)]
    for matrix in matrices:
        given = [matrix.ravel().tolist(), len(matrix)]
        got = page.evaluate("([values, n]) => module.spectralNorm(Float64Array.from(values), n)", given)
        assert got == pytest.approx(np.linalg.norm(matrix, 2), rel=1e-10, abs=1e-300)


def test_every_gates_recurrent_weights_have_the_spectral_radius_one():
    widget = UnrolledNetwork(hidden_size=6, seed=2)
    for draw in range(DRAWS):
        for cell, (_, weight) in unpacked(widget, draw)[0].items():
            radii = [np.abs(np.linalg.eigvals(block)).max() for block in weight.numpy().reshape(GATES[cell], 6, 6)]
            np.testing.assert_allclose(radii, 1, rtol=1e-5)


@pytest.mark.browser
def test_norms_too_small_and_too_large_for_any_float_keep_their_logarithm(module):
    page, widget = module(*FILES), UnrolledNetwork(hidden_size=3)
    tiny = Setting(radius=1e-9, scale=0.0, bias=0.0, steps=60)
    _, logs = in_page(page, widget, "rnn", tiny)
    _, more = in_page(page, widget, "rnn", tiny._replace(radius=1e9))
    assert -545 < logs[0] < -535
    np.testing.assert_allclose(logs[:-1] - logs[1:] + 18, more[:-1] - more[1:], atol=1e-9)
    assert in_page(page, widget, "rnn", Setting(radius=0.0, scale=1.0, bias=0.0, steps=4))[1].tolist() == [-np.inf] * 4 + [0.0]


@pytest.mark.browser
@pytest.mark.parametrize(
    ("log", "words", "text"),
    [
        ("-Infinity", "zero", "0"),
        ("-50", "underflow", "1.0 · 10⁻⁵⁰"),
        ("-540", "underflow", "10⁻⁵⁴⁰"),
        ("-44", "vanishing", "1.0 · 10⁻⁴⁴"),
        ("-0.9", "shrinking", "0.13"),
        ("0.1", "staying", "1.3"),
        ("0.9", "growing", "7.9"),
        ("3", "exploding", "1000"),
        ("39", "overflow", "1.0 · 10³⁹"),
    ],
)
def test_every_norm_has_its_words(module, log, words, text):
    got = module(*FILES).evaluate(f"[module.verdict({log})[0], module.brief({log}, true).replaceAll('\\u00a0', ' ')]")
    assert got == [words, text]


@pytest.mark.browser
def test_the_numbers_above_the_arrows_are_short(module):
    page = module(*FILES)
    logs = {-113.4: "10⁻¹¹³", -4.7: "2·10⁻⁵", -1.2: "0.063", 0.0: "1.0", 2.9: "794", 12.2: "10¹²"}
    assert page.evaluate("(logs) => logs.map((log) => module.brief(log))", list(logs)) == list(logs.values())


@pytest.mark.browser
def test_an_arrow_is_twice_as_thick_for_ten_times_the_norm(module):
    page = module(*FILES)
    one, ten, tenth, none = page.evaluate("[0, 1, -1, -Infinity].map(module.thickness)")
    assert (ten / one, tenth / one, none) == (2, 0.5, 0)


@pytest.mark.browser
def test_the_state_goes_forward_and_then_the_gradient_back_one_wire_a_step(module):
    page = module(*FILES)
    for now, forward, back in [(0, "000", "000"), (2, "110", "000"), (3, "111", "000"), (4, "111", "001"), (6, "111", "111")]:
        got = page.evaluate("(now) => [0, 1, 2].map((k) => module.progress(now, 3, k))", now)
        assert "".join(str(wire["forward"]) for wire in got) == forward
        assert "".join(str(wire["back"]) for wire in got) == back
    assert page.evaluate("module.progress(4.25, 3, 1)") == {"forward": 1, "back": 0.25}


def says(page):
    page.evaluate(SETTLED)
    return page.locator(".dl-un-says").inner_text().replace("\N{NO-BREAK SPACE}", " ")


def slide(page, label, value):
    page.get_by_label(label, exact=True).fill(f"{value:g}")


@pytest.mark.browser
def test_the_sentence_tells_the_norm_of_autograd(network):
    options = {"radius": 0.9, "steps": 12}
    widget, page = UnrolledNetwork(seed=1, **options), network(seed=1, **options).page
    for cell in ("rnn", "gru", "lstm"):
        page.get_by_role("radio", name=cell.upper()).check()
        _, norms = autograd(torch.nn, widget, cell, Setting(radius=0.9, scale=1.0, bias=3.0, steps=12))
        slide(page, "Step shown", 12 + 9)  # nine steps back
        state, text = "s" if cell == "lstm" else "h", says(page)
        shown = re.search(rf"‖∂{state}₁₂/∂{state}₃‖ = (\d+\.\d+),", text)
        assert float(shown[1]) == pytest.approx(norms[3], rel=0.05)
        assert "Back at state 3" in text


@pytest.mark.browser
def test_forward_steps_say_what_the_cell_reads(network):
    page = network().page
    slide(page, "Step shown", 0)
    assert "all zeros" in says(page)
    slide(page, "Step shown", 5)
    assert "reads input 5 and state 4" in says(page)


@pytest.mark.browser
def test_the_sliders_turn_vanishing_into_exploding_and_into_nothing(network):
    page = network(input_scale=0.0, radius=0.5, steps=40).page
    assert says(page).startswith("Vanishing")
    slide(page, "Spectral radius of U", 1.6)
    assert says(page).startswith("Exploding")
    slide(page, "Spectral radius of U", 0)
    assert says(page).startswith("Nothing comes back: ‖∂h₄₀/∂h₀‖ is exactly 0.")
    slide(page, "Spectral radius of U", 0.05)
    slide(page, "Size of the inputs", 3)
    slide(page, "Steps T", 60)
    assert says(page).startswith("Vanished: ‖∂h₆₀/∂h₀‖ = ")
    assert "float32" in says(page)


@pytest.mark.browser
def test_an_open_forget_gate_keeps_the_gradient_of_the_lstm_and_a_half_open_one_does_not(network):
    page = network(cell="lstm", forget_bias=3.0).page
    assert says(page).startswith("Growing")
    slide(page, "Bias of the gate that keeps", 0)
    assert says(page).startswith("Vanishing")
    assert "σ(0) = 0.5" in page.locator(".dl-un-sliders").inner_text()


@pytest.mark.browser
def test_more_steps_keep_the_place_in_the_flow(network):
    page = network(steps=10).page
    shown = "document.querySelector('.dl-time-text').textContent"
    slide(page, "Steps T", 20)
    assert page.evaluate(shown) == "Step 40 of 40"
    slide(page, "Step shown", 8)
    slide(page, "Steps T", 5)
    assert page.evaluate(shown) == "Step 5 of 10"
    slide(page, "Step shown", 7)
    slide(page, "Steps T", 30)
    assert page.evaluate(shown) == "Step 32 of 60"


@pytest.mark.browser
def test_folding_shows_one_cell_and_unfolding_all_of_them(network):
    page = network(reduced_motion="no-preference", stopped=True).page
    pixels = "() => document.querySelector('.dl-un-stage').toDataURL()"
    page.clock.run_for(100)
    open_, size = page.evaluate(pixels), page.evaluate(SIZE)
    page.get_by_role("button", name="Fold").click()
    page.clock.run_for(350)  # half of the way
    between = page.evaluate(pixels)
    page.clock.run_for(450)
    folded = page.evaluate(pixels)
    assert len({open_, between, folded}) == 3
    assert page.evaluate(SIZE) == size
    page.get_by_role("button", name="Unfold").press("Enter")
    page.clock.run_for(800)
    assert page.evaluate(pixels) == open_


@pytest.mark.browser
def test_other_weights_give_another_norm_and_the_fifth_comes_before_the_first(network):
    page = network().page
    seen = [says(page)]
    for _ in range(DRAWS):
        page.get_by_role("button", name="Other weights").click()
        seen.append(says(page))
    assert len(set(seen)) == DRAWS
    assert seen[-1] == seen[0]


@pytest.mark.browser
def test_a_state_that_is_touched_is_the_one_shown(network):
    page = network(steps=9).page
    box = page.locator(".dl-un-stage").bounding_box()
    page.mouse.click(box["x"] + 10, box["y"] + 80)
    assert "Back at state 0" in says(page)
    fourth = box["x"] + 4.5 * (box["width"] - 30) / 10
    page.mouse.click(fourth, box["y"] + 80)
    assert "Back at state 4" in says(page)
    slide(page, "Step shown", 9)
    page.mouse.click(fourth, box["y"] + 80)
    assert "Forward: step 4" in says(page)


@pytest.mark.browser
def test_play_goes_on_pauses_and_the_status_says_where(network):
    page = network(steps=4, stopped=True).page
    shown, status = page.locator(".dl-time-text"), page.get_by_role("status")
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(600)  # at four steps a second
    assert shown.inner_text() == "Step 2 of 8"
    page.get_by_role("button", name="Pause").click()
    page.clock.run_for(1000)
    assert shown.inner_text() == "Step 2 of 8"
    assert status.inner_text().startswith("Forward")
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(2500)
    assert shown.inner_text() == "Step 8 of 8"
    assert "h₀" in status.inner_text()


@pytest.mark.browser
@pytest.mark.timing
def test_dragging_a_slider_over_the_most_steps_stays_quick(network):
    page, times = network(cell="lstm", steps=60).page, []
    for value in np.linspace(0.5, 1.5, 15):
        slide(page, "Spectral radius of U", round(value, 2))
        page.wait_for_timeout(30)
        spent = page.locator(".dl-un").evaluate("(root) => [root.dataset.computeMs, root.dataset.updateMs]")
        times.append(sum(map(float, spent)))
    assert np.quantile(times, 0.25) < 1000 / 30  # what the page takes where nothing else holds it up


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 360])
def test_the_layout_never_jumps_and_fits(network, width):
    page = network(width=width).page
    says(page)
    before = page.evaluate(SIZE)

    def same():
        says(page)
        assert page.evaluate(SIZE) == before

    for cell in ("GRU", "LSTM", "RNN"):
        page.get_by_role("radio", name=cell).check()
        same()
    for step in (0, 7, 20):
        slide(page, "Step shown", step)
        same()
    slide(page, "Steps T", 60)
    slide(page, "Step shown", 120)
    same()
    for radius in (0, 0.05, 2):
        slide(page, "Spectral radius of U", radius)
        same()
    for scale in (0, 3):
        slide(page, "Size of the inputs", scale)
        same()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing_wrong_and_nothing_is_asked_of_others(network, accessible, theme, width):
    tab = network(theme=theme, width=width)
    for state in ("Fold", "LSTM", "Unfold"):
        role = "radio" if state == "LSTM" else "button"
        tab.page.get_by_role(role, name=state, exact=True).click(force=True)
        says(tab.page)
        accessible(tab.page)
    assert (tab.foreign, tab.failed, tab.errors) == ([], [], [])


@pytest.mark.browser
def test_targets_are_large_enough_for_a_finger(network):
    page = network(width=360).page
    for target in page.locator(".dl-un button, .dl-un input[type=range], .dl-choice span").all():
        box = target.bounding_box()
        assert min(box["width"], box["height"]) >= 40


@pytest.mark.browser
def test_removal_ends_the_animation_and_every_listener(module):
    page, widget = module(*FILES), UnrolledNetwork()
    names = ("cell", "steps", "radius", "input_scale", "forget_bias", "draw", "folded", "hidden_size", "ranges", "words")
    left = page.evaluate(
        """async ([state, text]) => {
          const listeners = new Set(), errors = [];
          state.weights = bytes(text);
          const model = { get: (name) => state[name], set: (values) => Object.assign(state, values), save_changes() {},
            on: (name) => listeners.add(name), off: (name) => listeners.delete(name) };
          const el = document.body.appendChild(document.createElement("div"));
          window.addEventListener("error", (event) => errors.push(event.message));
          const destroy = module.default.render({ model, el });
          el.querySelector(".dl-time-play").click();
          el.querySelector(".dl-un-buttons button").click();
          for (let k = 0; k < 10; k++) await new Promise(requestAnimationFrame);
          const before = listeners.size;
          destroy();
          const canvas = el.querySelector("canvas"), shown = [el.textContent, canvas.toDataURL()];
          for (let k = 0; k < 20; k++) await new Promise(requestAnimationFrame);
          return [before, listeners.size, el.textContent === shown[0] && canvas.toDataURL() === shown[1], errors];
        }""",
        [{name: getattr(widget, name) for name in names}, base64.b64encode(widget.weights).decode()],
    )
    assert left == [7, 0, True, []]


@pytest.mark.browser
def test_every_word_comes_from_python(widget_page):
    words = {name: f"¤{value}" for name, value in UnrolledNetwork().words.items()}
    page = widget_page(UnrolledNetwork(words=words)).page
    shown = page.locator(".dl-un").inner_text().split("\n")
    assert all("¤" in line for line in shown if any(c.isalpha() for c in line))
    labels = page.evaluate("[...document.querySelectorAll('.dl-un [aria-label]')].map((node) => node.getAttribute('aria-label'))")
    assert all("¤" in label for label in labels)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    assert UnrolledNetwork(seed=3).weights == UnrolledNetwork(seed=3).weights
    assert UnrolledNetwork(seed=3).weights != UnrolledNetwork(seed=4).weights


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cell": "elman"}, "cell='elman'; wanted is one of rnn, gru, lstm"),
        ({"steps": 61}, "steps=61; wanted is a number from 2 to 60"),
        ({"radius": -0.1}, "radius=-0.1; wanted is a number from 0 to 2"),
        ({"radius": float("nan")}, "radius=nan"),
        ({"hidden_size": 17}, "hidden_size=17; wanted is a number from 2 to 16"),
        ({"input_scale": 4.0}, "input_scale=4.0; wanted is a number from 0 to 3"),
        ({"forget_bias": 7.0}, "forget_bias=7.0; wanted is a number from -3 to 6"),
    ],
)
def test_what_cannot_be_unrolled_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        UnrolledNetwork(**options)
