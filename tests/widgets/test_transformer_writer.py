import math

import numpy as np
import pytest
import torch

from dlcourse import generation
from dlcourse.data.text import Vocabulary
from dlcourse.layers.normalization import RMSNorm
from dlcourse.models.gpt import GPT
from dlcourse.widgets.head_viewer import HABITS
from dlcourse.widgets.transformer_weights import TransformerWeights, rounded
from dlcourse.widgets.transformer_writer import TransformerWriter

CHARACTERS = "\n abcdefgANR:.,'"
MAX_LENGTH = 24
SIZE = "() => { const b = document.querySelector('.dl-tw').getBoundingClientRect(); return [b.width, b.height]; }"
SETTLED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
PAUSED = "document.querySelector('.dl-tw').dataset.state === 'paused'"
SPANS = "[...document.querySelectorAll('.dl-writing-text span')]"
READ = f"{SPANS}.map((s) => parseFloat(s.style.getPropertyValue('--dl-read') || '0'))"
BARS = """() => [...document.querySelectorAll('.dl-next-row:not(.dl-next-rest)')].map((row) =>
  [row.querySelector('.dl-hidden').textContent, parseFloat(row.querySelector('.dl-next-bar').style.transform.slice(7))])"""

# the least contrast of a character with what lies under it
CONTRAST = """() => {
  const context = new OffscreenCanvas(1, 1).getContext("2d");
  const paper = getComputedStyle(document.querySelector(".dl-writing-text")).backgroundColor;
  const light = (...layers) => {
    for (const layer of layers) { context.fillStyle = layer; context.fillRect(0, 0, 1, 1); }
    const linear = (v) => (v <= 10 ? v / 3294.6 : ((v / 255 + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].map(linear);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  return Math.min(...[...document.querySelectorAll(".dl-writing-text span")].map((span) => {
    const { color, backgroundColor } = getComputedStyle(span), under = light(paper, backgroundColor), over = light(color);
    return Math.max(under, over) / Math.min(under, over);
  }));
}"""


def vocabulary():
    return Vocabulary.build([CHARACTERS], specials=())


def gpt(*, max_length=MAX_LENGTH, dim=12, num_heads=3, num_layers=2):
    """A model that has learnt nothing, with weights as large as those of one that has."""
    with torch.random.fork_rng():
        torch.manual_seed(6)
        settings = {"positions": "rotary", "norm": RMSNorm, "activation": "squared_relu", "qk_norm": True, "bias": False}
        model = GPT(len(CHARACTERS), dim, num_heads=num_heads, num_layers=num_layers, max_length=max_length, **settings)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(22 if parameter.ndim == 2 else 2)
    return model.eval()


@pytest.fixture
def writer(widget_page):
    """A function that opens a page with a writer that has stopped writing."""

    def show(model=None, *, theme="light", width=1280, reduced_motion="reduce", **settings):
        widget = TransformerWriter(TransformerWeights(model or gpt()), vocabulary(), **{"prompt": "ANNA:\n", **settings})
        page = widget_page(widget, theme=theme, width=width, reduced_motion=reduced_motion).page
        if reduced_motion == "reduce":
            page.wait_for_function(PAUSED)
        return page

    return show


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def written(page):
    """The text after the prompt."""
    return page.evaluate(f"{SPANS}.filter((s) => !s.classList.contains('dl-writing-given')).map((s) => s.textContent).join('')")


def state(page, name):
    return page.locator(".dl-tw").get_attribute(f"data-{name}")


def fill(page, prompt):
    page.get_by_role("textbox", name="Prompt").fill(prompt)


def slide(page, name, value):
    page.get_by_role("slider", name=name).fill(str(value))


@pytest.mark.browser
def test_it_starts_filled_and_steps_back_and_forth_write_the_same_text_again(writer):
    page = writer()
    first = written(page)
    assert len(first) == int(state(page, "written")) == 330
    assert page.locator("[role=status]").inner_text().startswith("Paused. 330 characters written, ")
    for _ in range(3):
        press(page, "Take one back")
    assert written(page) == first[:327]
    assert "327 characters" in page.locator("[role=status]").inner_text()
    for _ in range(3):
        press(page, "One character")
    assert written(page) == first
    press(page, "Start again")
    assert written(page) == ""
    press(page, "Take one back")  # there is none
    for _ in range(9):
        press(page, "One character")
    assert written(page) == first[:9]
    press(page, "Other seed")
    for _ in range(9):
        press(page, "One character")
    assert written(page) != first[:9]
    assert "Seed 1" in page.locator(".dl-tw").inner_text()


@pytest.mark.browser
def test_at_temperature_0_it_writes_what_generation_writes_and_greys_what_it_has_forgotten(writer):
    page = writer(temperature=0.0)
    read = generation.sliding(rounded(gpt()).read, max_length=MAX_LENGTH)
    expected = generation.generate(read, vocabulary().encode("ANNA:\n")[None], num_tokens=330, temperature=0.0)[0, 6:]
    assert written(page) == "".join(vocabulary().decode(expected))
    start = int(state(page, "start"))  # of the context that the last character was drawn from
    assert start == math.ceil((335 - MAX_LENGTH) / 12) * 12
    assert page.evaluate(f"{SPANS}.map((s) => s.classList.contains('dl-tw-past'))") == [True] * start + [False] * (336 - start)


@pytest.mark.browser
def test_the_chosen_head_tints_the_text_by_what_the_last_character_read_but_one_reads(writer, attention):
    page = writer()
    press(page, "Start again")
    for _ in range(5):
        press(page, "One character")
    text = "ANNA:\n" + written(page)
    maps = attention(rounded(gpt()), vocabulary().encode(text)[None])
    tints = []
    for layer, head in ((0, 2), (1, 1)):
        page.get_by_role("radio", name=f"Layer {layer + 1}, head {head + 1}").check(force=True)
        tints.append(page.evaluate(READ))
        expected = 100 * (2 * maps[layer, head, -2, :-1]).sqrt().clamp(max=1)
        np.testing.assert_allclose(tints[-1][:-1], expected, atol=2.1)  # in steps of 4
        assert tints[-1][-1] == 0  # it was drawn after the reading
        assert page.locator(".dl-tw-reader").evaluate("(s) => [...s.parentNode.children].indexOf(s)") == len(text) - 2
        shown = page.locator(".dl-tw-heads .dl-read-percent").first.inner_text()
        assert float(shown.split()[0]) == pytest.approx(100 * maps[layer, head, -2].max().item(), abs=0.51)
    assert tints[0] != tints[1]
    page.get_by_role("radio", name="surprise").check(force=True)
    assert page.locator(".dl-tw").get_attribute("data-colour") == "surprise"


@pytest.mark.browser
def test_top_k_and_top_p_and_temperature_cut_and_sharpen_the_bars(writer):
    page = writer()
    press(page, "Start again")
    with torch.no_grad():
        logits = rounded(gpt())(vocabulary().encode("ANNA:\n")[None])[0, -1]
    names = {"\n": "new line", " ": "space"}
    slide(page, "Top-k", 3)
    bars = dict(page.evaluate(BARS))
    best = logits.topk(3)
    for token, p in zip(best.indices.tolist(), torch.softmax(best.values / 0.8, dim=0).tolist(), strict=True):
        character = vocabulary().tokens[token]
        assert bars[names.get(character, character)] == pytest.approx(p, abs=1e-3)
    assert sum(p > 0 for p in bars.values()) == 3
    slide(page, "Top-p", 0.05)
    assert sorted(dict(page.evaluate(BARS)).values())[-2:] == [0, 1]
    slide(page, "Top-p", 1)
    slide(page, "Top-k", len(CHARACTERS))
    assert page.get_by_role("slider", name="Top-k").get_attribute("aria-valuetext") == "all"
    slide(page, "Temperature", 0)
    press(page, "One character")
    assert written(page) == vocabulary().tokens[logits.argmax()]
    slide(page, "Temperature", 2)
    assert max(dict(page.evaluate(BARS)).values()) < 1


@pytest.mark.browser
def test_a_press_right_after_typing_counts_what_was_typed_and_unknown_characters_are_named(writer):
    page = writer()
    fill(page, "Bée ’A")
    press(page, "One character")
    assert page.locator(".dl-writing-given").all_inner_texts() == ["e", " ", "'", "A"]
    assert len(written(page)) == 1
    assert page.locator(".dl-writing-note").inner_text() == "Left out, for the network never saw them: B é"
    fill(page, "")
    press(page, "One character")
    assert "starts as after a new line" in page.locator(".dl-writing-note").inner_text()
    assert len(written(page)) == 1
    fill(page, "abc " * 50)
    press(page, "One character")
    assert int(state(page, "start")) == math.ceil((200 - MAX_LENGTH) / 12) * 12


@pytest.mark.browser
def test_the_cursor_goes_back_over_the_text_by_keyboard_and_pointer(writer):
    page = writer()
    text = page.locator(".dl-writing-text")
    text.focus()
    page.keyboard.press("ArrowLeft")
    assert state(page, "cursor") == "328"
    page.keyboard.press("Home")
    assert state(page, "cursor") == "0"
    assert (state(page, "start"), page.locator(".dl-writing-here").inner_text()) == ("0", written(page)[0])
    assert "%" in page.locator("[role=status]").inner_text()
    page.keyboard.press("End")
    assert state(page, "cursor") == "329"
    text.locator("span").nth(6 + 320).click()
    assert state(page, "cursor") == "320"
    assert "Before “" in page.locator(".dl-writing-caption").first.inner_text()


@pytest.mark.browser
def test_the_way_back_to_the_end_is_said_and_misses_no_character(writer):
    page = writer()
    last = written(page)[-2:]
    text, said = page.locator(".dl-writing-text"), page.locator("[role=status]")
    text.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    names = [{"\n": "new line", " ": "space"}.get(character, character) for character in last]
    assert said.inner_text().startswith(f"“{names[1]}”: ")
    press(page, "Take one back")
    text.focus()
    page.keyboard.press("ArrowLeft")
    assert state(page, "cursor") == "328"
    assert said.inner_text().startswith(f"“{names[0]}”: ")
    page.keyboard.press("End")
    assert said.inner_text() == "What could come next"


@pytest.mark.browser
def test_a_page_that_is_full_has_room_again_when_a_character_is_taken_back(writer, hurry):
    page = writer()
    page.get_by_label("120", exact=True).check(force=True)
    hurry(page)
    press(page, "Write")
    page.wait_for_function(PAUSED)
    note = page.locator(".dl-writing-note")
    assert note.inner_text() == "The page is full after 2,000 characters. Start again."
    press(page, "Take one back")
    assert note.inner_text() == ""


@pytest.mark.browser
def test_what_did_not_change_is_neither_painted_nor_read_again(writer):
    page = writer()
    fill(page, "abc abc ab")
    page.evaluate(SETTLED)
    page.evaluate("""() => {
      const count = (prototype, name) => {
        const real = prototype[name];
        prototype[name] = function (...given) { window[name] = (window[name] ?? 0) + 1; return real.apply(this, given); };
      };
      count(CanvasRenderingContext2D.prototype, "putImageData");
      count(Object.getPrototypeOf(Float64Array.prototype), "set");
    }""")
    page.get_by_role("radio", name="Layer 2, head 3").check(force=True)
    assert page.evaluate("window.putImageData") is None
    page.get_by_role("textbox", name="Prompt").press("End")
    page.keyboard.type("d")
    assert len(page.locator(".dl-writing-text").inner_text()) == 11
    assert page.evaluate("window.set") == 2 * (2 + 2 * 3)  # of one token: keys, values, each head's query and key


@pytest.mark.browser
def test_a_head_is_chosen_even_where_one_pauses_at_once(widget_page):
    widget = TransformerWriter(TransformerWeights(gpt()), vocabulary(), prompt="abcabcabcabcabcabc")
    page = widget_page(widget, height=40).page  # out of sight it does not begin
    assert (state(page, "written"), state(page, "layer"), state(page, "head")) == ("0", "0", "0")
    page.get_by_role("button", name="Pause", exact=True).dispatch_event("click")
    assert (state(page, "layer"), state(page, "head")) != ("0", "0")


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_character_can_be_read_on_its_tint(writer, theme):
    page = writer(theme=theme)
    for colour in ("what the head reads", "surprise"):
        page.get_by_role("radio", name=colour).check(force=True)
        assert page.evaluate(CONTRAST) >= 4.5, colour


@pytest.mark.browser
def test_on_a_phone_no_heads_habit_is_cut_off(writer):
    words = {name: text for name, text in HABITS.items() if name.startswith("short_")}
    for text in ("same letter", "after same"):
        assert text in words.values()
        page = writer(gpt(dim=16, num_heads=4), width=360, words=dict.fromkeys(words, text))
        assert page.evaluate("""() => [...document.querySelectorAll(".dl-head span")].every((span) => span.textContent !== ""
          && span.scrollWidth <= span.clientWidth && span.scrollHeight <= span.clientHeight)"""), text


@pytest.mark.browser
def test_it_writes_by_itself_pauses_goes_on_and_rests_out_of_sight(writer, frames, out_of_sight):
    page = writer(reduced_motion="no-preference", prompt="")
    page.wait_for_function("document.querySelector('.dl-tw').dataset.written > 152")
    out_of_sight(page)
    before = state(page, "written")
    frames(page)
    assert state(page, "written") == before
    page.evaluate("document.body.style.paddingTop = ''")
    page.wait_for_function("(n) => document.querySelector('.dl-tw').dataset.written > n", arg=int(before) + 5)
    press(page, "Pause")
    before = state(page, "written")
    frames(page)
    assert state(page, "written") == before
    press(page, "Write")
    page.wait_for_function("(n) => document.querySelector('.dl-tw').dataset.written > n", arg=int(before))


@pytest.mark.browser
@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 360)])
def test_it_is_accessible_fits_a_phone_and_does_not_jump(writer, accessible, theme, width):
    page = writer(theme=theme, width=width)
    accessible(page)
    before = page.evaluate(SIZE)
    fill(page, "éüößäîøñåœ")
    for _ in range(2):
        press(page, "One character")
    page.locator(".dl-writing-text").focus()
    page.keyboard.press("Home")
    page.get_by_role("radio", name="Layer 2, head 3").check(force=True)
    assert page.evaluate(SIZE) == before
    page.get_by_role("radio", name="surprise").check(force=True)
    assert page.evaluate(SIZE) == before
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.evaluate("""() => [...document.querySelectorAll('button, input, textarea, .dl-choice label')].filter((node) => {
      const { width, height } = node.getBoundingClientRect(); return width < 40 || height < 40; }).map((node) => node.outerHTML)""")
    assert small == []


@pytest.mark.browser
@pytest.mark.timing
def test_a_model_of_four_layers_writes_at_thirty_frames_a_second(writer):
    page = writer(gpt(max_length=128, dim=128, num_heads=4, num_layers=4), reduced_motion="no-preference")
    page.wait_for_function("document.querySelector('.dl-tw').dataset.written > 150")
    times = []
    for _ in range(9):
        page.evaluate(SETTLED)
        times.append(float(state(page, "frame-ms")))
    assert sorted(times)[4] < 33


@pytest.mark.browser
def test_a_page_asks_no_other_host_and_shows_no_error(widget_page):
    tab = widget_page(TransformerWriter(TransformerWeights(gpt()), vocabulary(), top_k=3, top_p=0.9, layer=1, head=0))
    tab.page.wait_for_function("document.querySelector('.dl-tw').dataset.written > 5")
    assert (tab.foreign, tab.failed, tab.errors) == ([], [], [])
    assert (state(tab.page, "layer"), state(tab.page, "head")) == ("1", "0")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"prompt": "a" * 201}, "201 characters given; at most 200"),
        ({"temperature": 2.5}, "temperature=2.5"),
        ({"top_k": 0}, "top_k=0: at least 1"),
        ({"top_p": 0.0}, "top_p=0.0: above 0"),
        ({"seed": -1}, "seed=-1"),
        ({"layer": 1}, "layer=1, head=None: both are wanted"),
        ({"layer": 2, "head": 0}, "layer=2, head=0; the model has layers 0 to 1 and heads 0 to 2"),
    ],
)
def test_wrong_settings_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        TransformerWriter(TransformerWeights(gpt()), vocabulary(), **settings)
