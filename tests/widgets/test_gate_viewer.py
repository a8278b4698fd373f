import base64
import re

import numpy as np
import pytest
import torch

from dlcourse.data.text import Vocabulary
from dlcourse.models.language_model import RecurrentLanguageModel
from dlcourse.widgets.gate_viewer import GateViewer
from dlcourse.widgets.language_weights import LanguageWeights
from dlcourse.widgets.unit_properties import PROPERTIES, correlations, properties

CHARACTERS = "\n abcdefgANR:.,'"
TEXT = "ANNA:\nA bad cab, a fad.\nBe a deaf fag."
HIDDEN = 37
SIZE = "() => { const b = document.querySelector('.dl-gate').getBoundingClientRect(); return [b.width, b.height]; }"
SETTLED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
RECORDS = """([text, shape, tokens]) => {
  const net = module.unpack(bytes(text), shape);
  const plain = (layer) => Object.fromEntries(Object.entries(layer).map(([name, values]) => [name, Array.from(values)]));
  return module.reader(net)(tokens).map(({ layers: [layer] }) => plain(layer));
}"""


def vocabulary():
    return Vocabulary.build([CHARACTERS + "B"], specials=())


def language_model(**settings):
    """A model that has learnt nothing, with weights as large as those of one that has."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        model = RecurrentLanguageModel(len(vocabulary()), HIDDEN, embedding_dim=11, **settings)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(2)
    return model.eval()


def gates(model, tokens):
    """Every quantity of every step, (T, H) each, from the equations of the LSTM in float64."""
    weights = {name: value.detach().double() for name, value in model.recurrent.named_parameters()}
    h = c = torch.zeros(model.recurrent.hidden_size, dtype=torch.float64)
    records = []
    for x in model.embedding.weight.detach().double()[tokens]:
        a = weights["weight_ih_l0"] @ x + weights["bias_ih_l0"] + weights["weight_hh_l0"] @ h + weights["bias_hh_l0"]
        i, f, g, o = a.chunk(4)
        i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
        c = f * c + i * g
        h = o * c.tanh()
        records.append({"i": i, "f": f, "g": g, "o": o, "c": c, "h": h})
    return {name: torch.stack([record[name] for record in records]) for name in "ifgoch"}


@pytest.fixture
def viewer(widget_page):
    """A function that opens a page with the viewer."""

    def show(text=TEXT, *, theme="light", width=1280, **settings):
        widget = GateViewer(language_model(), vocabulary(), text=text, sample=settings.pop("sample", TEXT), **settings)
        return widget_page(widget, theme=theme, width=width).page

    return show


def state(page, name):
    page.evaluate(SETTLED)
    return page.locator(".dl-gate").get_attribute(f"data-{name}")


def type_text(page, text):
    page.get_by_role("textbox", name="Text").fill(text)
    page.evaluate(SETTLED)


@pytest.mark.browser
def test_gates_cells_and_states_equal_the_equations_over_200_characters(module):
    page, model = module("sampling", "recurrent_math"), language_model()
    packed = LanguageWeights.of(model, vocabulary())
    shape = {name: getattr(packed, name) for name in ("cell", "hidden_size", "num_layers", "tokens")}
    tokens = torch.randint(len(vocabulary()), (200,), generator=torch.Generator().manual_seed(0))
    records = page.evaluate(RECORDS, [base64.b64encode(packed.weights).decode(), shape, tokens.tolist()])
    expected = gates(model, tokens)
    with torch.no_grad():
        np.testing.assert_allclose(
            model.recurrent(model.embedding(tokens[None]))[0][0], expected["h"], atol=1e-5
        )  # and the package's
    for name, values in expected.items():
        found = np.array([record[name] for record in records])
        assert found.shape == (200, HIDDEN)
        np.testing.assert_allclose(found, values, atol=2e-2)  # 16 bits: 200 steps of a network of chance carry the rounding on
        assert np.abs(found - values.numpy()).mean() < 1e-3


@pytest.mark.browser
def test_units_are_ranked_by_one_property_or_by_each_in_turn(module):
    page = module("gate_drawing")
    table = [[10, -90, 30, 0, 50], [20, 80, -70, 0, -60]]
    assert page.evaluate("(table) => module.ranking(table, 0)", table) == [1, 4, 2, 0, 3]
    assert page.evaluate("(table) => module.ranking(table, 1)", table) == [1, 2, 4, 0, 3]
    assert page.evaluate("(table) => module.ranking(table)", table) == [
        1,
        2,
        4,
        3,
        0,
    ]  # 1 and 3 belong to the first, 2, 4, 0 to the second
    assert page.evaluate("(table) => [0, 1, 2].map((unit) => module.followed(table, unit))", table) == [1, 0, 1]


def test_properties_of_a_text_are_what_their_names_say():
    text = "ANNA:\nBe a fan, Ed\nAy:"
    found = dict(zip(PROPERTIES, properties(text).tolist(), strict=True))
    where = {name: "".join("x" if value else "." for value in values) for name, values in found.items()}
    assert [k for k, x in enumerate(where["newline"]) if x == "x"] == [5, 18]
    assert where["name"] == "xxxx" + "." * 15 + "xx."
    assert "".join(c for c, x in zip(text, where["capital"], strict=True) if x == "x") == "ANNABEA"
    assert [k for k, x in enumerate(where["space"]) if x == "x"] == [8, 10, 15]
    assert [k for k, x in enumerate(where["punctuation"]) if x == "x"] == [4, 14, 21]
    assert "".join(c for c, x in zip(text, where["vowel"], strict=True) if x == "x") == "AAeaaEA"
    assert found["line"][:8] == [1, 2, 3, 4, 5, 0, 1, 2]
    assert found["word"] == [1, 2, 3, 4, 0, 0, 1, 2, 0, 1, 0, 1, 2, 3, 0, 0, 1, 2, 0, 1, 2, 0]


def test_correlations_equal_numpys_over_the_rows_of_a_text():
    model, numbers = language_model(), vocabulary()
    text = "".join(np.random.default_rng(0).choice(list(CHARACTERS), size=3 * 160 + 50))
    found = correlations(model, numbers, text)
    assert found.shape == (len(PROPERTIES), HIDDEN)
    rows = [text[k * 160 : (k + 1) * 160] for k in range(3)]
    cells = np.concatenate([torch.tanh(gates(model, numbers.encode(row))["c"]).numpy()[32:] for row in rows])
    marks = np.concatenate([properties(text)[:, k * 160 + 32 : (k + 1) * 160] for k in range(3)], axis=1)
    changing = marks.std(axis=1) > 0
    expected = np.corrcoef(np.vstack([marks[changing], cells.T]))[: changing.sum(), changing.sum() :]
    np.testing.assert_allclose(found[changing], expected, atol=1e-5)
    assert changing.sum() >= 6
    assert (found[~changing] == 0).all()


def test_a_unit_that_follows_capitals_is_found():
    model, numbers = language_model(), vocabulary()
    with torch.no_grad():  # unit 6 forgets everything, and writes ±1 for what it reads
        for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
            getattr(model.recurrent, name).view(4, HIDDEN, -1)[:, 6] = 0
        bias = model.recurrent.bias_ih_l0.view(4, HIDDEN)
        bias[0, 6], bias[1, 6], bias[2, 6] = 20, -20, -3
        model.embedding.weight[:, 0] = torch.tensor([float(token.isupper()) for token in numbers.tokens])
        model.recurrent.weight_ih_l0.view(4, HIDDEN, -1)[2, 6, 0] = 6
    widget = GateViewer(model, numbers, text=TEXT)
    assert widget.unit == 6
    assert np.array(widget.strengths)[widget.properties.index("capital"), 6] == 100


@pytest.mark.browser
def test_the_page_starts_where_the_chosen_unit_forgets_most(viewer):
    page = viewer()
    unit, cursor = int(state(page, "unit")), int(state(page, "cursor"))
    forget = gates(language_model(), vocabulary().encode(TEXT))["f"][:, unit]
    assert cursor == int(forget[1:40].argmin()) + 1
    assert int(state(page, "columns")) == len(TEXT)


@pytest.mark.browser
def test_the_step_at_the_cursor_is_written_out_with_its_numbers(viewer):
    page = viewer()
    unit, cursor = int(state(page, "unit")), int(state(page, "cursor"))
    values = {name: of[:, unit].numpy() for name, of in gates(language_model(), vocabulary().encode(TEXT)).items()}
    said = page.locator(".dl-gate-cellstep").inner_text().replace("−", "-")
    numbers = [float(n) for n in re.findall(r"-?\d+\.\d+", said)]
    expected = [values["f"][cursor], values["c"][cursor - 1], values["i"][cursor], values["g"][cursor], values["c"][cursor]]
    np.testing.assert_allclose(numbers, expected, atol=0.0101)
    assert f"Unit {unit} at" in page.locator(".dl-gate-title").inner_text()
    hidden = page.locator(".dl-gate-hiddenstep").inner_text().replace("−", "-").split()[-1]
    assert float(hidden) == pytest.approx(values["h"][cursor], abs=0.0101)


@pytest.mark.browser
def test_the_next_character_has_the_models_probability_and_surprise(viewer):
    page = viewer()
    page.get_by_role("application").focus()
    page.keyboard.press("Home")
    with torch.no_grad():
        chances = torch.softmax(language_model()(vocabulary().encode(TEXT)[None])[0, 0], dim=-1)
    p = chances[vocabulary().encode("N")].item()
    page.wait_for_function("document.querySelector('.dl-gate').dataset.cursor === '0'")
    said = page.locator(".dl-gate-typed").inner_text()
    assert "“N”" in said
    assert float(said.split("%")[0].split()[-1]) == pytest.approx(100 * p, abs=0.51)
    assert float(said.split(" bits")[0].split()[-1]) == pytest.approx(-np.log2(p), abs=0.051)
    assert page.locator(".dl-next-marked .dl-next-sign").inner_text() == "N"
    page.keyboard.press("End")
    page.evaluate(SETTLED)
    assert page.locator(".dl-gate-typed").inner_text() == "Here the text ends."


@pytest.mark.browser
def test_the_keyboard_moves_through_text_and_units_and_turns_pages(viewer):
    page = viewer()
    page.get_by_role("application").focus()
    page.keyboard.press("Home")
    last = len(TEXT) - 1
    for key, cursor in (("ArrowRight", 1), ("ArrowLeft", 0), ("ArrowLeft", 0), ("End", last), ("ArrowRight", last)):
        page.keyboard.press(key)
        assert state(page, "cursor") == str(cursor)
    first = state(page, "unit")
    page.keyboard.press("ArrowDown")
    assert state(page, "unit") != first
    page.keyboard.press("ArrowUp")
    assert state(page, "unit") == first
    page.keyboard.press("PageDown")
    assert state(page, "page") == "1"
    assert "Units 17 to 32 of 37" in page.locator(".dl-gate-pager").inner_text()
    for _ in range(40):
        page.keyboard.press("ArrowDown")
    assert state(page, "page") == "2"
    assert page.locator("[role=status]").inner_text().startswith("“.”, unit ")
    for _ in range(3):
        page.get_by_role("button", name="Previous units").click(force=True)
    assert state(page, "page") == "0"


@pytest.mark.browser
def test_buttons_move_the_cursor_for_those_without_a_keyboard(viewer):
    page = viewer()
    cursor, unit = int(state(page, "cursor")), state(page, "unit")
    page.get_by_role("button", name="Character after").click()
    assert state(page, "cursor") == str(cursor + 1)
    page.get_by_role("button", name="Character before").click()
    assert state(page, "cursor") == str(cursor)
    page.get_by_role("button", name="Unit below").click()
    assert state(page, "unit") != unit
    page.get_by_role("button", name="Unit above").click()
    assert state(page, "unit") == unit


@pytest.mark.browser
def test_pointing_moves_the_cursor_and_a_click_chooses_the_unit(viewer):
    page = viewer()
    box = page.locator(".dl-gate-canvas").bounding_box()
    page.mouse.move(box["x"] + 190 + 3.5 * 13, box["y"] + 26 + 4.5 * 15)
    assert state(page, "cursor") == "3"
    unit = state(page, "unit")
    page.mouse.click(box["x"] + 190 + 5.5 * 13, box["y"] + 26 + 4.5 * 15)
    assert state(page, "cursor") == "5"
    assert state(page, "unit") != unit
    page.mouse.click(box["x"] + 20, box["y"] + 26 + 2.5 * 15)  # its name chooses it too, and leaves the cursor
    assert state(page, "cursor") == "5"


@pytest.mark.browser
def test_sorting_by_a_property_brings_the_unit_that_follows_it_best(viewer):
    page = viewer()
    widget = GateViewer(language_model(), vocabulary(), text=TEXT, sample=TEXT)
    page.get_by_label("Sort units by").select_option(label="capitals")
    row = np.abs(widget.strengths[widget.properties.index("capital")])
    assert state(page, "unit") == str(int(row.argmax()))
    assert re.search("capitals”: its cell (rises|falls) with it", page.locator(".dl-gate-follows").inner_text())


@pytest.mark.browser
def test_every_quantity_has_its_own_picture(viewer):
    page = viewer()
    pictures = set()
    for name in ("cell c", "hidden h", "forget f", "input i", "candidate g", "output o"):
        page.get_by_label(name, exact=True).check(force=True)
        page.evaluate(SETTLED)
        pictures.add(page.locator(".dl-gate-canvas").evaluate("(canvas) => canvas.toDataURL()"))
    assert len(pictures) == 6


@pytest.mark.browser
def test_colours_of_the_heat_map_are_those_of_the_cells(viewer, module):
    page = viewer()
    unit, cell = int(state(page, "unit")), gates(language_model(), vocabulary().encode(TEXT))["c"]
    found = page.locator(".dl-gate-canvas").evaluate(
        """(canvas) => Array.from({ length: 12 }, (_, t) => [...canvas.getContext("2d").getImageData(
          (190 + 13 * t + 4) * devicePixelRatio, (26 + 7) * devicePixelRatio, 1, 1).data])"""
    )
    order = module("gate_drawing").evaluate(
        "(table) => module.ranking(table)", GateViewer(language_model(), vocabulary(), text=TEXT, sample=TEXT).strengths
    )
    assert unit in order[:16]
    for t, (red, _, blue, _) in enumerate(found):  # the first row
        value = torch.tanh(cell[t, order[0]])
        if abs(value) > 0.2:
            assert (blue > red) == (value > 0)


@pytest.mark.browser
def test_typing_moves_the_cursor_and_unknown_characters_are_left_out(viewer):
    page = viewer()
    type_text(page, "ANNé")
    assert (state(page, "columns"), state(page, "cursor")) == ("3", "2")
    assert page.locator(".dl-gate-note").inner_text() == "Left out, for the network never saw them: é"
    page.get_by_role("textbox", name="Text").press("Home")
    page.get_by_role("textbox", name="Text").press("ArrowRight")
    assert state(page, "cursor") == "0"
    type_text(page, "")
    assert "Nothing that the network can read" in page.locator(".dl-gate-note").inner_text()
    assert state(page, "columns") == "0"
    assert page.locator(".dl-gate-cellstep").inner_text() == ""
    page.get_by_role("application").focus()
    page.keyboard.press("ArrowRight")
    type_text(page, "A")
    assert state(page, "cursor") == "0"


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_the_layout_does_not_jump(viewer, width):
    page = viewer(width=width)
    before = page.evaluate(SIZE)
    for text in ("A", "", "éüößäîøñåœaéüößäîøñåœ", "\n" * 9, "a" * 240):
        type_text(page, text)
        assert page.evaluate(SIZE) == before, text
    page.get_by_label("forget f", exact=True).check(force=True)
    page.get_by_role("button", name="Next units").click()
    page.evaluate(SETTLED)
    assert page.evaluate(SIZE) == before


@pytest.mark.browser
@pytest.mark.timing
def test_a_change_is_drawn_within_a_frame(viewer):
    page = viewer("abc de\n" * 34)
    page.get_by_role("application").focus()
    times = []
    for _ in range(9):
        page.keyboard.press("ArrowRight")
        times.append(float(state(page, "update-ms")))
    assert sorted(times)[4] < 33


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_accessible_and_fits_a_phone(viewer, accessible, theme):
    page = viewer(theme=theme, width=360)
    accessible(page)
    type_text(page, "né")
    page.get_by_label("forget f", exact=True).check(force=True)
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    small = page.evaluate("""() => [...document.querySelectorAll('button, textarea, select, .dl-choice label')].filter((node) => {
      const { width, height } = node.getBoundingClientRect(); return width < 40 || height < 40; }).map((node) => node.outerHTML)""")
    assert small == []


@pytest.mark.browser
def test_a_page_asks_no_other_host_and_shows_no_error(widget_page):
    tab = widget_page(GateViewer(language_model(), vocabulary(), text="A", sample=TEXT))
    tab.page.evaluate(SETTLED)
    assert (tab.foreign, tab.failed, tab.errors) == ([], [], [])


def test_wrong_models_and_texts_are_named():
    with pytest.raises(ValueError, match="cell='gru', num_layers=1 given; wanted is an lstm of one layer"):
        GateViewer(language_model(cell="gru"), vocabulary(), text=TEXT)
    with pytest.raises(ValueError, match="num_layers=2 given"):
        GateViewer(language_model(num_layers=2), vocabulary(), text=TEXT)
    with pytest.raises(ValueError, match="241 characters given; at most 240"):
        GateViewer(language_model(), vocabulary(), text="a" * 241)
    with pytest.raises(ValueError, match="an empty text given"):
        GateViewer(language_model(), vocabulary(), text="é")
