import base64
import math

import numpy as np
import pytest
import torch
from ipywidgets.embed import dependency_state

from dlcourse import generation
from dlcourse.data.text import Vocabulary
from dlcourse.models.language_model import RecurrentLanguageModel
from dlcourse.widgets.gate_viewer import GateViewer
from dlcourse.widgets.language_weights import LanguageWeights, rounded
from dlcourse.widgets.text_generator import TextGenerator

CHARACTERS = "\n abcdefgANR:.,'"
SIZE = "() => { const b = document.querySelector('.dl-gen').getBoundingClientRect(); return [b.width, b.height]; }"
SETTLED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
SPANS = "[...document.querySelectorAll('.dl-writing-text span:not(.dl-writing-given)')]"
LOAD = """([text, shape]) => { window.net = module.unpack(bytes(text), shape); return net !== null; }"""
READ = """(tokens) => { // the logits after each token
  let record = module.blank(net);
  return tokens.map((token) => { record = module.step(net, token, record); return Array.from(record.logits); });
}"""
WRITE = """([start, count, temperature, seed]) => {
  let record = module.step(net, start, module.blank(net));
  return Array.from({ length: count }, (_, k) => {
    const token = module.draw(module.probabilities(record.logits, temperature), module.uniform(seed, k));
    record = module.step(net, token, record);
    return token;
  });
}"""


def vocabulary():
    return Vocabulary.build([CHARACTERS], specials=())


def language_model(cell="lstm", hidden_size=12, num_layers=1, embedding_dim=7, scale=2.5):
    """A model that has learnt nothing, with weights as large as those of one that has."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = RecurrentLanguageModel(len(CHARACTERS), hidden_size, cell=cell, num_layers=num_layers, embedding_dim=embedding_dim)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(scale)
    return model.eval()


def with_rounded_weights(model):
    """The model in float32 that computes with the packed float16 numbers: its embedding is one-hot, its table the first weight."""
    recurrent, vocab_size = model.recurrent, len(model.output.weight)
    cell = type(recurrent).__name__.lower()
    twin = RecurrentLanguageModel(
        vocab_size, recurrent.hidden_size, cell=cell, num_layers=recurrent.num_layers, embedding_dim=vocab_size
    )
    table, *others = (part.float() for part in rounded(model))
    state = {"embedding.weight": torch.eye(vocab_size), "recurrent.weight_ih_l0": table.T, "recurrent.bias_ih_l0": table[0] * 0}
    names = ["recurrent.weight_hh_l0", "recurrent.bias_hh_l0"]
    for layer in range(1, recurrent.num_layers):
        names += [f"recurrent.{name}_l{layer}" for name in ("weight_ih", "bias_ih", "weight_hh", "bias_hh")]
    twin.load_state_dict(state | dict(zip([*names, "output.weight", "output.bias"], others, strict=True)))
    return twin.eval()


def load(page, model):
    packed = LanguageWeights.of(model, vocabulary())
    shape = {name: getattr(packed, name) for name in ("cell", "hidden_size", "num_layers", "tokens")}
    return page.evaluate(LOAD, [base64.b64encode(packed.weights).decode(), shape])


@pytest.fixture
def writer(widget_page):
    """A function that opens a page with a generator that has stopped writing."""

    def show(model=None, *, theme="light", width=1280, reduced_motion="reduce", **settings):
        widget = TextGenerator(model or language_model(), vocabulary(), **{"prompt": "ANNA:", **settings})
        return widget_page(widget, theme=theme, width=width, reduced_motion=reduced_motion).page

    return show


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def written(page):
    """The text after the prompt."""
    return page.evaluate(f"{SPANS}.map((s) => s.textContent).join('')")


def count(page):
    return int(page.locator(".dl-gen").get_attribute("data-written"))


def start_again(page):
    press(page, "Start again")
    page.wait_for_function("document.querySelector('.dl-gen').dataset.written === '0'")


def steps(page, number):
    for _ in range(number):
        press(page, "One character")


@pytest.mark.browser
@pytest.mark.parametrize(("cell", "num_layers"), [("lstm", 1), ("lstm", 3), ("gru", 1), ("gru", 2), ("rnn", 2)])
def test_logits_equal_pytorchs_on_the_rounded_weights_over_200_characters(module, cell, num_layers):
    page, model = module("sampling", "recurrent_math"), language_model(cell, num_layers=num_layers)
    assert load(page, model)
    tokens = torch.randint(len(CHARACTERS), (1, 200), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = with_rounded_weights(model)(tokens)[0]
    assert expected.std() > 0.3
    np.testing.assert_allclose(page.evaluate(READ, tokens[0].tolist()), expected, atol=1e-4)


@pytest.mark.browser
def test_sixteen_bits_change_no_probability_by_more_than_a_thousandth_and_the_bits_by_less(module):
    model = language_model(hidden_size=48, embedding_dim=20, scale=1.5)
    page = module("sampling", "recurrent_math")
    load(page, model)
    tokens = torch.randint(len(CHARACTERS), (1, 200), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        exact = torch.softmax(model.double()(tokens)[0], dim=-1)
    ours = torch.softmax(torch.tensor(page.evaluate(READ, tokens[0].tolist()), dtype=torch.float64), dim=-1)
    assert 1e-7 < (ours - exact).abs().max() < 1e-3
    places = torch.arange(199)
    bits = [-of.log2()[places, tokens[0, 1:]].mean() for of in (ours, exact)]  # per character of a text
    assert abs(bits[0] - bits[1]) < 1e-3


@pytest.mark.browser
def test_weights_of_another_shape_are_refused(module):
    page = module("sampling", "recurrent_math")
    packed = LanguageWeights.of(language_model(), vocabulary())
    shape = {"cell": "lstm", "hidden_size": 13, "num_layers": 1, "tokens": packed.tokens}
    assert not page.evaluate(LOAD, [base64.b64encode(packed.weights).decode(), shape])


@pytest.mark.browser
def test_a_text_at_temperature_0_is_the_one_that_generation_writes(module):
    page, model = module("sampling", "recurrent_math"), language_model()
    load(page, model)
    expected = generation.generate(with_rounded_weights(model).read, torch.tensor([[4]]), num_tokens=60, temperature=0.0)[0, 1:]
    assert len(set(expected.tolist())) > 3
    assert page.evaluate(WRITE, [4, 60, 0, 0]) == expected.tolist()


@pytest.mark.browser
@pytest.mark.parametrize("temperature", [0.05, 0.7, 1.0, 2.0])
def test_probabilities_equal_softmax_and_surprise_equals_cross_entropy(module, temperature):
    page = module("sampling", "recurrent_math")
    logits = torch.tensor([900.0, 899.0, 902.5, -50.0], dtype=torch.float64)
    found = page.evaluate("([l, t]) => Array.from(module.probabilities(l, t))", [logits.tolist(), temperature])
    np.testing.assert_allclose(found, torch.softmax(logits / temperature, dim=0), atol=1e-12)
    surprise = page.evaluate("([l, k]) => module.bits(l, k)", [logits.tolist(), 1])
    assert surprise == pytest.approx(-torch.log_softmax(logits, dim=0)[1].item() / math.log(2))


@pytest.mark.browser
def test_characters_are_drawn_as_often_as_their_probabilities_say(module):
    page, chances, size = module("sampling", "recurrent_math"), [0.5, 0.0, 0.3, 0.15, 0.05], 40_000
    draws = page.evaluate("([p, n]) => Array.from({ length: n }, (_, k) => module.draw(p, module.uniform(7, k)))", [chances, size])
    shares = np.bincount(draws, minlength=5) / size
    assert shares[1] == 0
    np.testing.assert_allclose(shares, chances, atol=4 * 0.5 / math.sqrt(size))
    pairs = np.histogram2d(draws[:-1], draws[1:], bins=5, range=[[0, 5], [0, 5]])[0] / size  # one draw says nothing of the next
    np.testing.assert_allclose(pairs, np.outer(chances, chances), atol=4 * 0.5 / math.sqrt(size))


@pytest.mark.browser
def test_random_numbers_stay_within_their_ends_and_differ_between_seeds(module):
    page = module("sampling", "recurrent_math")
    numbers = np.array(
        page.evaluate("[0, 1, 2 ** 31 - 1].map((seed) => Array.from({ length: 2000 }, (_, k) => module.uniform(seed, k)))")
    )
    assert numbers.min() >= 0
    assert numbers.max() < 1
    assert np.abs(np.corrcoef(numbers) - np.eye(3)).max() < 0.1
    assert page.evaluate("module.draw([0.25, 0.75, 0], 1 - 2 ** -33)") == 1


@pytest.mark.browser
def test_unknown_characters_are_left_out_and_curly_apostrophes_read_as_straight_ones(module):
    page = module("sampling", "recurrent_math")
    load(page, language_model())
    tokens, missing = page.evaluate(
        "(() => { const { tokens, missing } = module.encode(net, 'ab’é\\r\\n5é😀'); return [tokens, missing]; })()"
    )
    assert vocabulary().decode(tokens) == ["a", "b", "'", "\n"]
    assert missing == ["é", "5", "😀"]


@pytest.mark.browser
def test_a_changed_text_is_read_from_the_first_difference_on(module):
    page = module("sampling", "recurrent_math")
    load(page, language_model())
    kept, same = page.evaluate("""(() => {
      const read = module.reader(net), first = read([1, 2, 3, 4]), second = read([1, 2, 5, 4, 6]);
      const fresh = module.reader(net)([1, 2, 5, 4, 6]), equal = (a, b) => a.logits.every((v, j) => v === b.logits[j]);
      return [second.map((record, k) => record === first[k]), second.map((record, k) => equal(record, fresh[k]))];
    })()""")
    assert kept == [True, True, False, False, False]
    assert all(same)


@pytest.mark.browser
def test_bars_hold_the_likeliest_and_the_marked_one(module):
    page = module("sampling", "recurrent_math", "next_characters")
    assert page.evaluate("module.foremost([0.1, 0.4, 0.2, 0.3], 2)") == [1, 3]
    assert page.evaluate("module.foremost([0.1, 0.4, 0.2, 0.3], 2, 0)") == [1, 0]
    assert page.evaluate("module.foremost([0.1, 0.4, 0.2, 0.3], 2, 3)") == [1, 3]
    assert page.evaluate("module.foremost([0.5, 0.5], 4)") == [0, 1]


@pytest.mark.browser
def test_the_page_starts_filled_and_the_same_seed_writes_it_again(writer):
    page = writer()
    first = written(page)
    assert len(first) == count(page) == 360
    assert page.locator(".dl-writing-given").inner_text() == "ANNA:"
    press(page, "Other seed")
    assert count(page) == 0
    steps(page, 12)
    assert written(page) != first[:12]
    assert "Seed 1" in page.locator(".dl-gen").inner_text()
    page = writer()
    start_again(page)
    steps(page, 12)
    assert written(page) == first[:12]


@pytest.mark.browser
def test_it_writes_by_itself_pauses_and_goes_on(writer, frames):
    page = writer(reduced_motion="no-preference", prompt="")
    page.wait_for_function("document.querySelector('.dl-gen').dataset.written > 190")
    press(page, "Pause")
    before = count(page)
    frames(page)
    assert count(page) == before
    press(page, "Write")
    page.wait_for_function("(n) => document.querySelector('.dl-gen').dataset.written > n", arg=before)


@pytest.mark.browser
@pytest.mark.timing
def test_it_writes_at_least_30_characters_a_second(writer):
    page = writer()
    page.get_by_label("120", exact=True).check(force=True)
    before = count(page)
    press(page, "Write")
    start = page.evaluate("performance.now()")
    page.wait_for_function("(n) => document.querySelector('.dl-gen').dataset.written >= n", arg=before + 90)
    assert 90 / (page.evaluate("performance.now()") - start) * 1000 > 30


@pytest.mark.browser
def test_it_waits_while_it_is_off_screen(writer, frames, out_of_sight):
    page = writer(reduced_motion="no-preference")
    out_of_sight(page)
    before = count(page)
    frames(page)
    assert count(page) == before < 360
    page.locator(".dl-writing-text").scroll_into_view_if_needed()
    page.wait_for_function("(n) => document.querySelector('.dl-gen').dataset.written > n", arg=before)


@pytest.mark.browser
def test_with_reduced_motion_nothing_is_written_until_one_asks(writer, frames):
    page = writer()
    frames(page)
    assert (count(page), page.locator(".dl-gen").get_attribute("data-state")) == (360, "paused")


@pytest.mark.browser
def test_it_stops_when_the_page_is_full_and_says_so(writer, hurry):
    page = writer()
    page.get_by_label("120", exact=True).check(force=True)
    hurry(page)
    press(page, "Write")
    page.wait_for_function("document.querySelector('.dl-gen').dataset.written === '2000'")
    page.wait_for_function("document.querySelector('.dl-gen').dataset.state === 'paused'")
    assert "The page is full after 2,000 characters" in page.locator("[role=status]").inner_text()
    press(page, "One character")
    assert count(page) == 2000
    start_again(page)
    assert "full" not in page.locator(".dl-writing-note").inner_text()


@pytest.mark.browser
def test_bars_bits_and_tints_equal_pytorchs(writer):
    model, temperature = language_model(), 0.5
    page = writer(model, temperature=temperature)
    text = written(page)
    numbers = vocabulary()
    with torch.no_grad():
        logits = with_rounded_weights(model)(numbers.encode("ANNA:" + text)[None])[0, 4:-1]  # before each written character
    targets = numbers.encode(text)
    bits = -torch.log_softmax(logits, dim=-1)[torch.arange(len(text)), targets] / math.log(2)
    assert f"360 characters written, {bits.mean():.2f} bits per character" in page.locator(".dl-writing-count").inner_text()
    heats = page.evaluate(f"{SPANS}.map((s) => parseFloat(s.style.getPropertyValue('--dl-bits')))")
    np.testing.assert_allclose(heats, 100 * (bits / 8).clamp(max=1), atol=0.51)
    page.locator(".dl-writing-text").focus()
    page.keyboard.press("ArrowLeft")
    place = len(text) - 2
    assert page.locator(".dl-writing-here").count() == 1
    chances = torch.softmax(logits[place] / temperature, dim=-1)
    marked = page.locator(".dl-next-marked .dl-next-percent").inner_text()
    assert float(marked.strip("< %")) == pytest.approx(100 * chances[targets[place]].item(), abs=0.51)
    scales = page.evaluate(
        "[...document.querySelectorAll('.dl-next-bar')].map((b) => new DOMMatrix(getComputedStyle(b).transform).a)"
    )
    assert sum(scales) == pytest.approx(1, abs=2e-3)
    assert scales[0] == pytest.approx(chances.max().item(), abs=1e-4)


@pytest.mark.browser
def test_the_keyboard_walks_over_what_was_written(writer):
    page = writer()
    text = written(page)
    page.locator(".dl-writing-text").focus()
    page.keyboard.press("Home")
    assert page.locator(".dl-gen").get_attribute("data-cursor") == "0"
    page.keyboard.press("ArrowRight")
    here = page.locator(".dl-writing-here").evaluate("(node) => node.textContent")
    assert here == text[1]
    spoken = {" ": "space", "\n": "new line"}.get(here, here)
    assert page.locator("[role=status]").inner_text().startswith(f"“{spoken}”")
    page.keyboard.press("End")
    assert page.locator(".dl-writing-here").count() == 0
    last = {" ": "space", "\n": "new line"}.get(text[-1], text[-1])
    assert page.locator("[role=status]").inner_text().startswith(f"“{last}”")


@pytest.mark.browser
def test_temperature_0_takes_the_likeliest_and_the_slider_moves_the_bars_while_paused(writer):
    page = writer()
    start_again(page)
    slider = page.get_by_role("slider")
    before = page.locator(".dl-next-percent").all_inner_texts()
    slider.fill("0")
    assert page.locator(".dl-next-percent").first.inner_text() == "100 %"
    assert page.locator(".dl-next-percent").all_inner_texts() != before
    steps(page, 8)
    assert page.locator(".dl-next-marked .dl-next-percent").inner_text() == "100 %"
    slider.focus()
    page.keyboard.press("End")
    assert slider.input_value() == "2"
    assert page.locator(".dl-writing-caption").inner_text() == "What could come next"


@pytest.mark.browser
def test_a_typed_prompt_starts_anew_and_what_the_network_never_saw_is_said(writer):
    page = writer()
    prompt = page.get_by_role("textbox", name="Prompt")
    prompt.fill("Adag zé\nbad€")
    assert count(page) == 0
    assert page.locator(".dl-writing-given").evaluate("(node) => node.textContent") == "Adag \nbad"
    assert page.locator(".dl-writing-note").inner_text() == "Left out, for the network never saw them: z é €"
    press(page, "One character")
    assert count(page) == 1
    prompt.fill("")
    assert "as after a new line" in page.locator(".dl-writing-note").inner_text()
    press(page, "One character")
    assert count(page) == 1


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_the_layout_does_not_jump_while_it_writes(writer, width):
    page = writer(width=width)
    before = page.evaluate(SIZE)
    start_again(page)
    assert page.evaluate(SIZE) == before
    steps(page, 3)
    page.get_by_role("textbox", name="Prompt").fill("éüößäîøñåœ")
    assert page.evaluate(SIZE) == before


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_accessible_and_fits_a_phone(writer, accessible, theme):
    page = writer(theme=theme, width=360)
    accessible(page)
    press(page, "Other seed")
    page.get_by_role("textbox", name="Prompt").fill("né")
    steps(page, 2)
    page.locator(".dl-writing-text").focus()
    page.keyboard.press("Home")
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    small = page.evaluate("""() => [...document.querySelectorAll('button, input, textarea, .dl-choice label')].filter((node) => {
      const { width, height } = node.getBoundingClientRect(); return width < 40 || height < 40; }).map((node) => node.outerHTML)""")
    assert small == []


@pytest.fixture
def bare(module):
    """A page with a generator on a model that only keeps what it is told; `destroy`, `shown` and `listeners` are the page's."""
    page = module("sampling", "recurrent_math", "next_characters", "writing", "text_generator")
    widget = TextGenerator(language_model(), vocabulary())
    shown = {name: getattr(widget, name) for name in ("prompt", "temperature", "seed", "words")} | {"network": "IPY_MODEL_1"}
    shared = {name: getattr(widget.network, name) for name in ("cell", "hidden_size", "num_layers", "tokens")}
    page.evaluate(
        """async ([shown, shared, weights]) => {
          const listeners = new Set(), network = { get: (name) => (name === "weights" ? bytes(weights) : shared[name]) };
          const model = {
            get: (name) => shown[name], set: (values) => Object.assign(shown, values), save_changes() {},
            on: (names) => names.split(" ").forEach((name) => listeners.add(name)),
            off: (names) => names.split(" ").forEach((name) => listeners.delete(name)),
            widget_manager: { get_model: async () => network },
          };
          const destroy = await module.default.render({ model, el: document.body });
          Object.assign(window, { destroy, shown, listeners });
        }""",
        [shown, shared, base64.b64encode(widget.network.weights).decode()],
    )
    page.wait_for_function("document.querySelector('.dl-gen').dataset.written > 180")
    return page


@pytest.mark.browser
def test_python_is_told_what_stands_on_the_page_whenever_it_does_not_write(bare):
    press(bare, "Pause")
    for name in ("One character", "One character", "Start again", "One character"):
        press(bare, name)
        assert bare.evaluate("shown.text") == written(bare)


@pytest.mark.browser
def test_nothing_goes_on_after_it_is_removed(bare):
    left_over = bare.evaluate("""async () => {
      const before = listeners.size, root = document.querySelector(".dl-gen"), real = window.requestAnimationFrame;
      destroy();
      const written = root.dataset.written;
      let asked = 0;
      window.requestAnimationFrame = (f) => { asked++; return real(f); };
      for (const button of root.querySelectorAll("button")) button.click();
      document.body.style.paddingTop = "9000px";
      for (let k = 0; k < 3; k++) await new Promise((done) => real(done));
      return [before, listeners.size, asked, root.dataset.written === written];
    }""")
    assert left_over == [3, 0, 0, True]


@pytest.mark.browser
def test_a_page_asks_no_other_host_and_shows_no_error(widget_page):
    tab = widget_page(TextGenerator(language_model("gru", num_layers=2), vocabulary()))
    tab.page.evaluate(SETTLED)
    assert (tab.foreign, tab.failed, tab.errors) == ([], [], [])


def test_widgets_that_show_the_same_model_carry_its_weights_once():
    model, numbers = language_model(), vocabulary()
    viewer, writing = GateViewer(model, numbers, text="Anna"), TextGenerator(model, numbers)
    state = dependency_state([viewer, writing], drop_defaults=False)
    carried = [buffer for entry in state.values() for buffer in entry.get("buffers", [])]
    assert len(carried) == 1
    with torch.no_grad():
        model.output.bias += 1
    assert TextGenerator(model, numbers).network is not writing.network
    viewer.network.close()
    assert GateViewer(language_model(), numbers, text="Anna").network.comm is not None


def test_a_page_gains_less_than_a_megabyte_from_256_units():
    model = RecurrentLanguageModel(len(CHARACTERS), 256)
    assert len(base64.b64encode(LanguageWeights.of(model, vocabulary()).weights)) < 1e6


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"prompt": "a" * 201}, "201 characters given; at most 200"),
        ({"temperature": 2.5}, "temperature=2.5"),
        ({"temperature": math.nan}, "temperature=nan"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_wrong_settings_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        TextGenerator(language_model(), vocabulary(), **settings)


def test_a_model_that_the_page_cannot_show_is_named():
    with pytest.raises(TypeError, match="a Linear given; wanted is a dlcourse"):
        TextGenerator(torch.nn.Linear(2, 3), vocabulary())
    with pytest.raises(ValueError, match=f"knows {len(CHARACTERS)} tokens and the vocabulary 3"):
        TextGenerator(language_model(), Vocabulary.build(["abc"], specials=()))
    with pytest.raises(ValueError, match="'<unk>' is not one character"):
        TextGenerator(language_model(), Vocabulary.build([CHARACTERS[:-1]], specials=("<unk>",)))
    model = language_model()
    with torch.no_grad():
        model.output.bias[0] = 7e4
    with pytest.raises(ValueError, match="70000 is too large for 16 bits"):
        TextGenerator(model, vocabulary())
    with torch.no_grad():
        model.output.bias[0] = math.nan
    with pytest.raises(ValueError, match="not finite"):
        TextGenerator(model, vocabulary())
