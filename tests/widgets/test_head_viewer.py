import numpy as np
import pytest
import torch

from dlcourse.data.text import Vocabulary
from dlcourse.layers.normalization import RMSNorm
from dlcourse.models.gpt import GPT
from dlcourse.widgets.head_viewer import HeadViewer
from dlcourse.widgets.transformer_weights import TransformerWeights, rounded

CHARACTERS = "\n abcdefgANR:.,'"
TEXT = "ANNA:\nA bad cab, a fad.\nAbe"
MAX_LENGTH = 60
SIZE = "() => { const b = document.querySelector('.dl-hv').getBoundingClientRect(); return [b.width, b.height]; }"
SETTLED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
# how dark the pixels of a map are, (T, T), 0 where nothing is painted
INKS = """(canvas) => {
  const { width: n } = canvas, { data } = canvas.getContext("2d").getImageData(0, 0, n, n);
  const all = Array.from({ length: n }, (_, k) => k);
  return all.map((t) => all.map((s) => data[4 * (t * n + s) + 3] && 256 - data[4 * (t * n + s)]));
}"""


def vocabulary():
    return Vocabulary.build([CHARACTERS], specials=())


def gpt():
    """A model that has learnt nothing, with weights as large as those of one that has."""
    with torch.random.fork_rng():
        torch.manual_seed(8)
        settings = {"positions": "rotary", "norm": RMSNorm, "activation": "squared_relu", "qk_norm": True, "bias": False}
        model = GPT(len(CHARACTERS), 12, num_heads=3, num_layers=2, max_length=MAX_LENGTH, **settings)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(22 if parameter.ndim == 2 else 1.5)
    return model.eval()


@pytest.fixture
def viewer(widget_page):
    """A function that opens a page with the viewer."""

    def show(text=TEXT, *, theme="light", width=1280, **settings):
        return widget_page(
            HeadViewer(TransformerWeights(gpt()), vocabulary(), text=text, **settings), theme=theme, width=width
        ).page

    return show


def state(page, name):
    page.evaluate(SETTLED)
    return page.locator(".dl-hv").get_attribute(f"data-{name}")


def type_text(page, text):
    page.get_by_role("textbox", name="Text").fill(text)
    page.evaluate(SETTLED)


def choose(page, layer, head):
    page.get_by_role("radio", name=f"Layer {layer + 1}, head {head + 1}").check(force=True)
    page.evaluate(SETTLED)


@pytest.mark.browser
def test_every_map_is_painted_by_the_weights_of_its_head(viewer, attention):
    page = viewer(layer=1, head=2)
    maps = attention(rounded(gpt()), vocabulary().encode(TEXT)[None])
    canvases = [canvas.evaluate(INKS) for canvas in page.locator(".dl-head canvas").all()]
    assert len(canvases) == 6
    past = np.tril(np.ones((len(TEXT), len(TEXT)))) > 0
    large = page.locator(".dl-hv-inks").evaluate(INKS)
    for ink, weights in zip(np.array([*canvases, large]), [*maps.flatten(0, 1), maps[1, 2]], strict=True):
        assert (ink[~past] == 0).all()
        order = weights.numpy()[past].argsort()
        assert (np.diff(ink[past][order]) >= 0).all()  # the more attention, the darker
        assert len(set(ink[past])) > 20


@pytest.mark.browser
def test_what_the_chosen_character_reads_is_listed_and_said_and_keys_and_buttons_move_it(viewer, attention):
    page = viewer()
    maps = attention(rounded(gpt()), vocabulary().encode(TEXT)[None])
    lines = page.get_by_role("application")
    lines.focus()
    last = len(TEXT) - 1
    for key, cursor in (("Home", 0), ("ArrowLeft", 0), ("ArrowRight", 1), ("End", last), ("ArrowRight", last)):
        page.keyboard.press(key)
        assert state(page, "cursor") == str(cursor)
    choose(page, 1, 0)
    row = maps[1, 0, last]
    assert page.locator(".dl-hv-pad .dl-hv-title").inner_text() == "“e” reads"
    shown = page.locator(".dl-hv-below .dl-read").first.locator(".dl-read-row")
    for k, (weight, place) in enumerate(zip(*(part.tolist() for part in row.topk(3)), strict=True)):
        assert shown.nth(k).locator("strong").inner_text() == TEXT[place].replace(" ", "␣").replace("\n", "↵")
        assert float(shown.nth(k).locator(".dl-read-percent").inner_text().split()[0]) == pytest.approx(100 * weight, abs=0.51)
    page.get_by_role("button", name="Character before").click()
    assert state(page, "cursor") == str(last - 1)
    assert page.locator("[role=status]").inner_text().startswith("“b” reads ")
    page.get_by_role("button", name="Character after").click()
    lines.focus()
    page.keyboard.press("ArrowUp")  # to the line above, the same column
    assert state(page, "cursor") == str(6 + 2)
    page.keyboard.press("ArrowDown")
    assert state(page, "cursor") == str(last)


@pytest.mark.browser
def test_habits_are_measured_over_the_text_and_said_in_words(viewer, attention):
    page = viewer()
    maps = attention(rounded(gpt()), vocabulary().encode(TEXT)[None])
    for layer, head in ((0, 1), (1, 2)):
        choose(page, layer, head)
        assert f"“{TEXT[int(state(page, 'cursor'))]}” reads" in page.locator(".dl-hv").inner_text()
        rows = page.locator(".dl-hv-below .dl-read").last.locator(".dl-read-row")
        for place, back in ((0, 0), (1, 1)):
            share = maps[layer, head].diagonal(-back)[8 - back :].mean().item()
            assert float(rows.nth(place).locator(".dl-read-percent").inner_text().split()[0]) == pytest.approx(
                100 * share, abs=0.51
            )
        entropy = -(maps[layer, head] * maps[layer, head].clamp(min=1e-30).log()).sum(1)
        said = page.locator(".dl-hv-does").inner_text()
        assert f"about {entropy[8:].exp().mean():.1f} characters at once" in said
    captions = page.locator(".dl-head span").all_inner_texts()
    assert len(captions) == 6
    assert all(captions)


@pytest.mark.browser
def test_pointing_at_text_and_map_chooses_the_character(viewer):
    page = viewer()
    page.locator(".dl-hv-lines").scroll_into_view_if_needed()
    box = page.locator(".dl-hv-lines").bounding_box()
    page.mouse.move(box["x"] + 12 + 3.5 * 12, box["y"] + 30)
    assert state(page, "cursor") == "3"
    page.mouse.click(box["x"] + 12 + 2.5 * 12, box["y"] + 30 + 44)
    assert state(page, "cursor") == "8"
    box = page.locator(".dl-hv-edges").bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 22 + (box["height"] - 22) * 12.5 / len(TEXT))
    assert state(page, "cursor") == "12"


@pytest.mark.browser
def test_typing_moves_the_cursor_and_unknown_characters_and_no_text_are_said(viewer):
    page = viewer()
    type_text(page, "ANNé")
    assert (state(page, "characters"), state(page, "cursor")) == ("3", "2")
    assert page.locator(".dl-hv-note").inner_text() == "Left out, for the network never saw them: é"
    page.get_by_role("textbox", name="Text").press("Home")
    page.get_by_role("textbox", name="Text").press("ArrowRight")
    assert state(page, "cursor") == "0"
    type_text(page, "")
    assert "Nothing that the network can read" in page.locator(".dl-hv-note").inner_text()
    assert (state(page, "characters"), page.locator(".dl-hv-does").inner_text()) == ("0", "")
    page.get_by_role("application").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Character after").click()
    type_text(page, "A")
    assert state(page, "cursor") == "0"
    page.get_by_role("textbox", name="Text").fill("Abba b")
    page.get_by_role("button", name="Character before").click()  # a press right after typing counts what was typed
    assert state(page, "cursor") == "4"
    assert page.locator("[role=status]").inner_text().startswith("“space” reads")


@pytest.mark.browser
def test_the_head_that_was_chosen_is_said_and_not_the_one_before(viewer):
    page = viewer()
    page.get_by_role("radio", name="Layer 2, head 3").check(force=True)
    said = page.locator("[role=status]").inner_text()
    page.evaluate(SETTLED)
    assert said == f"Layer 2, head 3. {page.locator('.dl-hv-does').inner_text()}"


@pytest.mark.browser
def test_keys_and_pointer_mean_the_text_just_typed_before_it_is_drawn(viewer):
    page = viewer()
    caught = []
    page.on("pageerror", lambda error: caught.append(str(error)))
    page.evaluate("""() => {
      const lines = document.querySelector(".dl-hv-lines"), { left, top } = lines.getBoundingClientRect();
      const text = document.querySelector("textarea");
      const type = (value) => { text.value = value; text.dispatchEvent(new InputEvent("input")); };
      type("A\\nb"); // the next line is gone as soon as it is typed
      lines.dispatchEvent(new PointerEvent("pointermove", { pointerType: "mouse", clientX: left + 54, clientY: top + 74 }));
      type("AAAAAAAA\\nbbbbbbbb\\nccccccccccc");
      lines.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowUp" }));
    }""")
    assert state(page, "cursor") == str(9 + 8)
    assert caught == []


@pytest.mark.browser
@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 360)])
def test_it_is_accessible_fits_a_phone_and_does_not_jump(viewer, accessible, theme, width):
    page = viewer(theme=theme, width=width)
    accessible(page)
    before = page.evaluate(SIZE)
    for text in ("A", "", "éüößäîøñåœaéüößäîøñåœ", "\n" * 9, "a" * MAX_LENGTH):
        type_text(page, text)
        assert page.evaluate(SIZE) == before, text
    choose(page, 1, 1)
    assert page.evaluate(SIZE) == before
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.evaluate("""() => [...document.querySelectorAll('button, textarea, .dl-head')].filter((node) => {
      const { width, height } = node.getBoundingClientRect(); return width < 40 || height < 40; }).map((node) => node.outerHTML)""")
    assert small == []


@pytest.mark.browser
@pytest.mark.timing
def test_a_change_is_drawn_within_a_frame(viewer):
    page = viewer("abc de\n" * 8)
    page.get_by_role("application").focus()
    times = []
    for _ in range(9):
        page.keyboard.press("ArrowLeft")
        times.append(float(state(page, "update-ms")))
    assert sorted(times)[4] < 33


@pytest.mark.browser
def test_a_page_asks_no_other_host_and_shows_no_error(widget_page):
    tab = widget_page(HeadViewer(TransformerWeights(gpt()), vocabulary(), text="A"))
    tab.page.evaluate(SETTLED)
    assert (tab.foreign, tab.failed, tab.errors) == ([], [], [])


def test_wrong_texts_and_heads_are_named():
    weights = TransformerWeights(gpt())
    with pytest.raises(ValueError, match="61 characters given; at most 60 fit"):
        HeadViewer(weights, vocabulary(), text="a" * 61)
    with pytest.raises(ValueError, match="layer=0, head=3; the model has layers 0 to 1 and heads 0 to 2"):
        HeadViewer(weights, vocabulary(), text="a", head=3)
    with pytest.raises(ValueError, match="knows 16 tokens and the vocabulary 3"):
        HeadViewer(weights, Vocabulary.build(["abc"], specials=()), text="a")
