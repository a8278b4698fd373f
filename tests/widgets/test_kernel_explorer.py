import base64
import itertools
import re

import numpy as np
import pytest
import torch
from torch.nn.functional import conv2d

from dlcourse.widgets import KernelExplorer

IMAGE = np.random.default_rng(0).integers(0, 256, size=(11, 14), dtype=np.uint8)
KERNEL = [0.5, -1.0, 2.0, 0.25, 0.0, -3.0, 1.5, 1.0, -0.75]
SETTLED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
SETTINGS = [{"stride": s, "padding": p, "dilation": d} for s, p, d in itertools.product((1, 2, 3), (0, 1, 2, 3), (1, 2, 3))]
CONVOLVE = """([pixels, height, width, kernel, settings]) => {
  const x = Float32Array.from(new Uint8Array(bytes(pixels).buffer), (v) => v / 255);
  const { rows, columns, values } = module.convolve(x, height, width, kernel, settings), sums = [];
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++)
    sums.push(module.receptive(x, height, width, i, j, settings).reduce((a, { value }, k) => a + value * kernel[k], 0));
  return [rows, columns, Array.from(values), sums];
}"""


def expected(settings, kernel=KERNEL, image=IMAGE):
    weight = torch.tensor(kernel, dtype=torch.float32).view(1, 1, 3, 3)
    return conv2d(torch.from_numpy(image).float().div(255)[None, None], weight, **settings)[0, 0].numpy()


@pytest.fixture
def explorer(widget_page):
    """A function that opens a page with an explorer of IMAGE."""
    return lambda theme="light", width=1280, **options: widget_page(KernelExplorer(IMAGE, **options), theme=theme, width=width).page


@pytest.mark.browser
def test_the_page_convolves_as_pytorch_does_for_every_setting(module):
    page, pixels = module("kernel_explorer"), base64.b64encode(IMAGE.tobytes()).decode()
    for settings in SETTINGS:
        rows, columns, values, sums = page.evaluate(CONVOLVE, [pixels, *IMAGE.shape, KERNEL, settings])
        wanted = expected(settings)
        assert (rows, columns) == wanted.shape
        np.testing.assert_allclose(np.reshape(values, wanted.shape), wanted, atol=1e-5)
        np.testing.assert_allclose(np.reshape(sums, wanted.shape), wanted, atol=1e-5)


@pytest.mark.browser
def test_choosing_settings_fills_in_the_formula(explorer):
    page = explorer()
    for name, value in (("Stride", 2), ("Padding", 3), ("Dilation", 2)):
        page.get_by_role("group", name=name, exact=True).get_by_role("radio", name=str(value)).check()
    page.evaluate(SETTLED)
    formula = page.locator(".dl-kernel-formula").inner_text()
    assert "⌊(11 + 2·3 − 2·(3 − 1) − 1) / 2⌋ + 1 = 7" in formula
    assert "⌊(14 + 2·3 − 2·(3 − 1) − 1) / 2⌋ + 1 = 8" in formula
    assert "7 × 8" in page.locator(".dl-kernel-output").inner_text()


def read(page):
    """Return the nine products and the sum that are written out."""
    cells = [c.split("\n")[-1] for c in page.locator(".dl-kernel-products > div").all_inner_texts()]
    sentence = page.locator(".dl-kernel-total").inner_text()
    return [float(c.replace("−", "-")) for c in cells], float(sentence.split(":")[1].replace("−", "-"))


def chosen(page):
    return tuple(int(n) for n in re.findall(r"\d+", page.locator(".dl-kernel-sum p").first.inner_text())[:2])


@pytest.mark.browser
def test_arrow_keys_move_the_window_and_write_out_its_sum(explorer):
    page = explorer(kernel=KERNEL, padding=0)
    page.locator(".dl-kernel-output canvas").focus()
    for _ in range(4):
        page.keyboard.press("Shift+ArrowUp")
        page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert chosen(page) == (2, 1)
    products, total = read(page)
    wanted = IMAGE[2:5, 1:4].ravel() / 255 * KERNEL
    assert products == pytest.approx(wanted, abs=0.006)
    assert total == pytest.approx(wanted.sum(), abs=0.006)
    assert page.locator("[role=status]").inner_text().startswith("Row 2, column 1")


@pytest.mark.browser
def test_pointing_at_the_output_chooses_its_pixel(explorer):
    page = explorer(padding=0)
    box = page.locator(".dl-kernel-output canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert chosen(page) == (4, 6)  # the middle of 9 × 12


@pytest.mark.browser
def test_typing_a_weight_changes_the_output_and_nonsense_does_not(explorer):
    page = explorer(kernel=[0] * 9)
    middle = page.get_by_label("Weight in row 2, column 2")
    middle.fill("2")
    page.wait_for_function("!document.querySelector('.dl-kernel-total').innerText.endsWith(': 0')")
    before = read(page)
    middle.fill("2x")
    page.evaluate(SETTLED)
    assert middle.get_attribute("aria-invalid") == "true"
    assert read(page) == before
    middle.press("Tab")
    page.wait_for_function("!document.querySelector('[aria-invalid]')")
    assert middle.input_value() == "2"
    middle.focus()
    page.keyboard.press("ArrowDown")
    assert middle.input_value() == "1.75"


@pytest.mark.browser
def test_presets_set_the_kernel(explorer):
    page = explorer()
    for name, wanted in (("Blur", ["0.111"] * 9), ("Laplacian", ["0", "1", "0", "1", "−4", "1", "0", "1", "0"])):
        page.get_by_role("button", name=name).click()
        page.wait_for_selector(f"button[aria-pressed=true]:text('{name}')")
        assert [cell.input_value() for cell in page.locator(".dl-kernel-table input").all()] == wanted


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 360])
def test_the_layout_never_jumps_and_fits(explorer, width):
    page = explorer(width=width)
    size = "() => { const b = document.querySelector('.dl-kernel').getBoundingClientRect(); return [b.width, b.height]; }"
    before = page.evaluate(size)
    for name in ("Blur", "Emboss"):
        page.get_by_role("button", name=name).click()
    page.get_by_role("group", name="Padding").get_by_role("radio", name="3").check()
    page.get_by_role("group", name="Stride").get_by_role("radio", name="3").check()
    page.wait_for_function("document.querySelector('.dl-kernel-formula').innerText.includes('/ 3')")
    assert page.evaluate(size) == before
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_wrong(explorer, accessible, theme):
    accessible(explorer(theme=theme))


@pytest.mark.browser
def test_every_word_comes_from_python(widget_page):
    plain = KernelExplorer(IMAGE).words
    widget = KernelExplorer(IMAGE, label="¤", credit="¤", words={name: f"¤{value}" for name, value in plain.items()})
    shown = widget_page(widget).page.locator(".dl-kernel").inner_text().split("\n")
    assert all("¤" in line for line in shown if any(c.isalpha() for c in line))


def test_floats_become_grey_levels():
    widget = KernelExplorer(np.linspace(0, 1, 64).reshape(8, 8))
    assert list(widget.pixels[:2]) == [0, 4]
    assert (widget.height, widget.width, widget.pixels[-1]) == (8, 8, 255)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((3, 8, 8)), "two axes"),
        (np.zeros((7, 30)), "8 to 160"),
        (np.zeros((30, 161)), "8 to 160"),
        (np.full((8, 8), 2.0), "0 .black. to 1 .white."),
        (np.full((8, 8), np.nan), "0 .black. to 1 .white."),
    ],
)
def test_what_is_no_image_is_refused(image, message):
    with pytest.raises(ValueError, match=message):
        KernelExplorer(image)


@pytest.mark.parametrize("settings", [{"stride": 0}, {"stride": 4}, {"padding": -1}, {"dilation": 0}, {"kernel": [1.0] * 8}])
def test_settings_beyond_the_controls_are_refused(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        KernelExplorer(IMAGE, **settings)
