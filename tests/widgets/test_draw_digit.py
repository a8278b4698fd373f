import base64
import json

import numpy as np
import pytest
import torch

from dlcourse.models.cnn import CNN
from dlcourse.widgets import DrawDigit
from dlcourse.widgets.drawings import recorded
from dlcourse.widgets.mnist_form import to_mnist

FILES = ("mnist_form", "draw_digit_network", "draw_digit")
FORWARD = """([weights, shape, images]) => {
  const net = module.unpack(bytes(weights), shape);
  const all = new Uint8Array(bytes(images).buffer);
  return Array.from({ length: all.length / 784 }, (_, k) =>
    module.forward(net, Float32Array.from(all.subarray(784 * k, 784 * (k + 1)), (v) => v / 255)));
}"""


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def forward_in_the_page(page, widget, images):
    shape = {name: getattr(widget, name) for name in ("channels", "hidden_size", "num_classes", "precision")}
    levels = (images * 255).round().to(torch.uint8).numpy().tobytes()
    return np.array(page.evaluate(FORWARD, [text(widget.weights), shape, text(levels)]))


def scaled(model, factor):
    """A copy of `model` whose logits are `factor` times as large."""
    copy = CNN(channels=(model.conv1.out_channels, model.conv2.out_channels), hidden_size=model.fc1.out_features)
    copy.load_state_dict(model.state_dict())
    with torch.no_grad():
        copy.fc2.weight *= factor
        copy.fc2.bias *= factor
    return copy.eval()


@pytest.mark.browser
@pytest.mark.parametrize("factor", [1.0, 0.1], ids=["peaked", "soft"])
@pytest.mark.parametrize("transport", [("float16", 1e-3), ("float32", 1e-5)], ids=["16 bits", "32 bits"])
def test_the_page_computes_pytorchs_probabilities(module, reader, mnist, factor, transport):
    (precision, tolerance), model, images = transport, scaled(reader, factor), mnist.test.tensors[0][:100]
    with torch.inference_mode():
        expected = model(images).softmax(dim=1).numpy()
    assert (expected.max(axis=1) > 0.99).mean() > 0.5 if factor == 1 else (expected.max(axis=1) < 0.9).all()
    found = forward_in_the_page(module(*FILES), DrawDigit(model, precision=precision), images)
    assert np.abs(found - expected).max() < tolerance


@pytest.mark.browser
def test_any_width_of_the_network_is_computed(module, mnist):
    torch.manual_seed(1)
    model, images = CNN(channels=(3, 5), hidden_size=7), mnist.test.tensors[0][:5]
    with torch.inference_mode():
        expected = model(images).softmax(dim=1).numpy()
    found = forward_in_the_page(module(*FILES), DrawDigit(model, precision="float32"), images)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.browser
def test_the_page_brings_drawings_to_the_same_form_as_python(module, drawing):
    generator = np.random.default_rng(3)
    drawings = [*drawing.load_drawings().values(), *recorded().values(), [], [[(0.4, 0.6)]], [[(0.2, 0.2), (0.2, 0.2)]]]
    drawings += [generator.uniform(size=(3, 20, 2)).tolist() for _ in range(5)]
    page = module(*FILES)
    for strokes in drawings:
        found = page.evaluate("(strokes) => Array.from(module.toMnist(strokes))", strokes)
        np.testing.assert_array_equal(np.reshape(found, (28, 28)), to_mnist(strokes))


@pytest.mark.browser
def test_at_least_nine_of_ten_drawings_are_read(widget_page, drawing, reader):
    tab = widget_page(DrawDigit(reader))
    drawings = drawing.load_drawings()
    right = [drawing.draw(tab.page, strokes)["digit"] == digit for digit, strokes in drawings.items()]
    assert len(right) == 10
    assert sum(right) >= 9
    assert tab.foreign == tab.failed == tab.errors == []


@pytest.mark.browser
def test_what_is_shown_is_what_python_computes(widget_page, drawing, reader):
    strokes = drawing.load_drawings()["3"]
    answer = drawing.draw(widget_page(DrawDigit(reader)).page, strokes)
    image = torch.from_numpy(to_mnist(strokes)).float().div(255).view(1, 1, 28, 28)
    with torch.inference_mode():
        expected = reader(image).softmax(dim=1)[0].tolist()
    assert answer["probabilities"] == pytest.approx(expected, abs=0.02)  # the mouse moves by whole pixels


@pytest.mark.browser
def test_it_starts_with_a_digit_and_offers_others(widget_page, reader):
    page = widget_page(DrawDigit(reader), reduced_motion="reduce").page
    widget = page.locator(".dl-draw")
    digits = list(recorded())
    assert widget.get_attribute("data-digit") == digits[0]
    for chip, digit in zip(page.locator(".dl-draw-example").all(), digits, strict=True):
        chip.click()
        assert widget.get_attribute("data-digit") == digit


@pytest.mark.browser
def test_a_chosen_example_draws_itself(widget_page, reader):
    page = widget_page(DrawDigit(reader), stopped=True).page
    page.locator(".dl-draw-example").nth(1).click()
    page.clock.run_for(500)
    assert page.locator(".dl-draw").get_attribute("data-state") == "replaying"
    page.clock.run_for(500)
    assert page.locator(".dl-draw").get_attribute("data-state") is None
    assert page.locator(".dl-draw").get_attribute("data-digit") == list(recorded())[1]


@pytest.mark.browser
def test_the_first_stroke_replaces_the_example(widget_page, reader):
    page = widget_page(DrawDigit(reader)).page
    box = page.locator(".dl-draw-pad").bounding_box()
    page.mouse.move(box["x"] + 140, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 135, box["y"] + 240, steps=12)
    page.mouse.up()
    assert page.locator(".dl-draw").get_attribute("data-digit") == "1"


@pytest.mark.browser
def test_a_digit_can_be_drawn_and_cleared_with_the_keyboard(widget_page, reader):
    page = widget_page(DrawDigit(reader)).page
    widget = page.locator(".dl-draw")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "dl-draw-pad"
    page.keyboard.press("Space")
    for _ in range(20):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    assert widget.get_attribute("data-digit") == "1"
    assert page.locator("[role=status]").inner_text().startswith("It reads 1")
    for _ in range(5):
        page.keyboard.press("Shift+ArrowLeft")  # with the pen lifted nothing is added
    assert widget.get_attribute("data-digit") == "1"
    page.keyboard.press("Backspace")
    assert widget.get_attribute("data-digit") == ""
    assert page.locator("[role=status]").inner_text() == "The pad is empty."


@pytest.mark.browser
def test_a_finger_draws_and_does_not_scroll(widget_page, reader):
    page = widget_page(DrawDigit(reader), width=360, height=640, has_touch=True, is_mobile=True).page
    page.locator(".dl-draw-pad").scroll_into_view_if_needed()
    box, before = page.locator(".dl-draw-pad").bounding_box(), page.evaluate("scrollY")
    touch = page.context.new_cdp_session(page)
    x, top, bottom = box["x"] + box["width"] / 2, box["y"] + 20, box["y"] + box["height"] - 20
    for kind, points in [
        ("touchStart", [{"x": x, "y": top}]),
        *(("touchMove", [{"x": x, "y": float(y)}]) for y in np.linspace(top, bottom, 15)),
        ("touchEnd", []),
    ]:
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    page.wait_for_selector(".dl-draw[data-digit='1']")
    assert page.evaluate("scrollY") == before


@pytest.mark.browser
def test_doubt_is_shown_as_doubt(widget_page, reader):
    page = widget_page(DrawDigit(scaled(reader, 0.01))).page
    assert page.locator(".dl-draw-answer").inner_text().startswith("Unsure:")
    assert " or " in page.locator(".dl-draw-answer strong").inner_text()


@pytest.mark.browser
@pytest.mark.parametrize("compact", [False, True], ids=["chapter", "home"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_layout_never_jumps_and_fits(widget_page, drawing, reader, width, compact):
    page = widget_page(DrawDigit(reader, compact=compact), width=width).page
    size = "() => { const b = document.querySelector('.dl-draw').getBoundingClientRect(); return [b.width, b.height]; }"
    before = page.evaluate(size)
    page.locator(".dl-draw-clear").click()
    assert page.evaluate(size) == before
    drawing.draw(page, drawing.load_drawings()["8"])
    assert page.evaluate(size) == before
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.evaluate(
        "[...document.querySelectorAll('.dl-draw button')].filter((b) => { const r = b.getBoundingClientRect();"
        " return r.width < 40 || r.height < 40; }).length"
    )
    assert small == 0


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_wrong(widget_page, accessible, reader, theme):
    accessible(widget_page(DrawDigit(reader), theme=theme, color_scheme=theme).page)


LIVE = """([code, state, before, after, shape]) => {
  const listeners = {}, values = { ...state, weights: bytes(before) };
  const model = { get: (k) => values[k], set: (k, v) => { values[k] = v; }, save_changes() {}, off() {},
                  on: (event, f) => { (listeners[event] ??= []).push(f); } };
  const el = document.createElement("div");
  document.body.append(el);
  module.default.render({ model, el });
  const seen = [el.firstChild.dataset.digit];
  Object.assign(values, shape, { weights: bytes(after) });
  for (const name of ["channels", "hidden_size", "weights"]) for (const f of listeners[`change:${name}`]) f();
  return new Promise(requestAnimationFrame).then(() => [...seen, el.firstChild.dataset.digit, values.pixels.length]);
}"""


@pytest.mark.browser
def test_new_weights_are_used_at_once(module, reader):
    other = CNN(channels=(2, 3), hidden_size=4)
    with torch.no_grad():
        other.fc2.bias[4] = 1000.0  # whatever it sees, it says four
    widget, page = DrawDigit(reader), module(*FILES)
    state = {k: v for k, v in widget.get_state().items() if isinstance(v, (str, int, bool, list, dict)) and k[0] != "_"}
    state = json.loads(json.dumps(state, default=str))
    before, old = widget.weights, widget.channels
    widget.set_model(other)
    assert (old, widget.channels, widget.hidden_size) == ([8, 16], [2, 3], 4)
    shape = {"channels": widget.channels, "hidden_size": widget.hidden_size}
    assert page.evaluate(LIVE, ["", state, text(before), text(widget.weights), shape]) == ["7", "4", 784]


@pytest.mark.browser
def test_every_word_comes_from_python(widget_page, reader):
    plain = DrawDigit(reader).words
    widget = DrawDigit(reader, words={name: f"¤{value}" for name, value in plain.items()})
    page = widget_page(widget).page
    shown = page.locator(".dl-draw").inner_text().split("\n")
    assert all("¤" in line for line in shown if any(c.isalpha() for c in line))


def test_the_drawing_can_be_read_in_python(reader):
    widget = DrawDigit(reader)
    assert widget.image.shape == (28, 28)
    assert not widget.image.any()
    widget.pixels = [255] * 784
    assert widget.image.dtype == np.float32
    assert (widget.image == 1).all()


def test_weights_take_two_bytes_each(reader):
    assert len(DrawDigit(reader).weights) == 2 * sum(p.numel() for p in reader.parameters())


def test_only_the_courses_network_is_accepted():
    with pytest.raises(TypeError, match="a Linear given"):
        DrawDigit(torch.nn.Linear(784, 10))


@pytest.mark.parametrize("options", [{"in_channels": 3}, {"image_size": 32}])
def test_a_network_for_other_images_is_refused(options):
    with pytest.raises(ValueError, match="the pad gives"):
        DrawDigit(CNN(**options, channels=(2, 3), hidden_size=4))


@pytest.mark.parametrize(("value", "message"), [(float("nan"), "not finite"), (1e5, "too large for 16 bits")])
def test_weights_that_cannot_travel_are_refused(value, message):
    model = CNN(channels=(2, 3), hidden_size=4)
    with torch.no_grad():
        model.fc1.weight[0, 0] = value
    with pytest.raises(ValueError, match=message):
        DrawDigit(model)
