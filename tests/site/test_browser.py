"""The built site in a real browser: what a reader sees, hears and can do."""

import json
from contextlib import ExitStack

import pytest

pytestmark = pytest.mark.browser

SETTLED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
STILL = """() => document.getAnimations().every( // no colour is on its way to another
    one => one.playState !== 'running' || one.effect.getComputedTiming().endTime === Infinity)"""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def settle(tab):
    """Wait until the maths is typeset and the widgets have started."""
    tab.page.wait_for_function(
        """() => !document.querySelector('.math:not(mjx-container)') || window.MathJax?.startup?.promise""", timeout=20_000
    )
    tab.page.evaluate("() => window.MathJax?.startup?.promise")
    views = tab.page.locator('script[type="application/vnd.jupyter.widget-view+json"]').count()
    if views:
        tab.page.wait_for_function(
            "n => [...document.querySelectorAll('.live-widget')].filter(e => e.childElementCount).length === n",
            arg=views,
            timeout=20_000,
        )
    return tab


@pytest.fixture
def open_page(new_page, address):
    """A function that opens a page of the site by name and waits until it stands still."""
    return lambda name, **options: settle(new_page(f"{address}/{name}.html", **options))


@pytest.fixture(scope="session")
def read_page(tabs, address):
    """A function that returns a tab for reading a page, at a width of the reader's; it stays open until another page is asked for.

    To open a chapter takes seconds, and most tests change nothing on it.
    """
    with ExitStack() as stack:
        held = {}

        def read(name, *, width=1280, scheme="light"):
            if name not in held:
                stack.close()
                held.clear()
                held[name] = settle(stack.enter_context(tabs())(f"{address}/{name}.html"))
            page = held[name].page
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme=scheme)
            page.wait_for_function(f"document.documentElement.dataset.theme === '{scheme}'")
            return held[name]

        yield read


def test_a_page_asks_no_other_host_and_reports_no_error(read_page, built_page):
    tab = read_page(built_page.name)
    assert tab.foreign == []
    assert tab.failed == []
    assert tab.errors == []


def test_maths_is_typeset_with_the_sites_own_fonts(open_page):
    page = open_page("book/notation").page
    assert page.locator("mjx-container").count() > 20
    assert page.locator("mjx-merror").count() == 0
    assert page.evaluate("[...document.fonts].some(f => f.status === 'loaded' && f.family.includes('MJX'))")


def test_every_formula_of_a_chapter_is_typeset(read_page, built_chapter):
    page = read_page(built_chapter.name).page
    assert page.locator("mjx-container").count() > 10
    assert page.locator("mjx-merror").count() == 0
    left = page.evaluate(
        r"""() => [...document.querySelectorAll('article p, article li, article td')]
            .filter(e => /\$[^$]+\$|\\\(|\\begin\{/.test(e.innerText)).map(e => e.innerText)"""
    )
    assert left == []
    wide = page.locator("div.math").evaluate_all(
        "all => all.filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent)"
    )
    assert wide == [], "too wide for the column of text"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(read_page, built_page, scheme, axe):
    page = read_page(built_page.name, scheme=scheme).page
    page.evaluate(SETTLED)
    page.wait_for_function(STILL)
    page.evaluate(axe)
    violations = page.evaluate(
        """async rules => (await axe.run(document, {runOnly: rules})).violations
            .map(v => [v.id, v.nodes.slice(0, 3).map(n => [n.target.join(' '), n.failureSummary])])""",
        RULES,
    )
    assert violations == []


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_cut_off_or_scrolls_sideways(read_page, built_page, width):
    page = read_page(built_page.name, width=width).page
    page.wait_for_function("width => innerWidth === width", arg=width)
    for _ in range(2):
        page.evaluate(SETTLED)  # widgets fit themselves to the new width
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    outside = page.evaluate(
        """w => [...document.querySelectorAll('article *')].filter(e => {
            const box = e.getBoundingClientRect();
            if (!box.width || !box.height || box.right <= w + 1 || getComputedStyle(e).position === 'absolute') return false;
            for (let p = e; p; p = p.parentElement)
                if (/auto|scroll|hidden/.test(getComputedStyle(p).overflowX)) return false;
            return true;
        }).map(e => e.outerHTML.slice(0, 120))""",
        width,
    )
    assert outside == []


def test_a_line_of_code_of_a_hundred_columns_fits_on_a_laptop(read_page, built_chapter):
    page = read_page(built_chapter.name, width=1440).page
    columns = page.locator("div.cell_input pre").first.evaluate(
        """pre => {
            const ruler = document.createElement('span');
            ruler.textContent = '0'.repeat(100);
            pre.append(ruler);
            const { paddingLeft, paddingRight } = getComputedStyle(pre);
            const room = pre.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
            return 100 * room / ruler.getBoundingClientRect().width;
        }"""
    )
    assert columns >= 100
    text = page.locator("article section > p").first.bounding_box()["width"]
    assert text < 720  # which is about 85 characters


@pytest.mark.parametrize(
    ("words", "chapter"),
    [
        ("padding", "convolutional_networks"),
        ("broadcasting", "tensors_and_autograd"),
        ("softmax", "linear_models"),
        ("activation", "multilayer_perceptron"),
        ("momentum", "optimisation"),
        ("embedding", "text_and_embeddings"),
        ("forget gate", "recurrent_networks"),
        ("alignment", "attention"),
        ("rotary", "transformers"),
    ],
)
def test_search_finds(open_page, words, chapter):
    page = open_page("book/how_to_use").page
    page.keyboard.press("Control+k")
    page.keyboard.type(words)
    page.keyboard.press("Enter")
    page.wait_for_selector(f'#search-results li a[href*="notebooks/{chapter}"]', timeout=20_000)  # they come one after the other


def test_links_between_pages_lead_somewhere(read_page, built_page, site):
    page = read_page(built_page.name).page
    base = page.url.rsplit("/", page.url.count("/") - 2)[0]
    links = page.evaluate("[...document.querySelectorAll('article a[href]')].map(a => a.href)")
    for link in {link for link in links if link.startswith(base)}:
        path, _, anchor = link.removeprefix(base + "/").partition("#")
        target = site / path.partition("?")[0]
        assert target.is_file(), link
        if anchor and target.suffix == ".html":
            assert f'id="{anchor}"' in target.read_text(), link


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (360, 740)])
def test_the_pad_to_draw_on_is_the_first_thing_on_the_home_page(open_page, home, width, height):
    page = open_page(home, width=width, height=height).page
    pad = page.locator(".dl-draw .dl-draw-pad").first.bounding_box()
    assert pad["y"] + pad["height"] <= height
    assert page.evaluate("scrollY") == 0


@pytest.mark.parametrize("name", ["book/index", "notebooks/convolutional_networks"])
def test_the_network_of_this_build_reads_at_least_nine_of_ten_drawings(open_page, drawing, name):
    tab = open_page(name)
    answers = {digit: drawing.draw(tab.page, strokes) for digit, strokes in drawing.load_drawings().items()}
    assert sum(answer["digit"] == digit for digit, answer in answers.items()) >= 9
    for answer in answers.values():
        assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-3)
    assert tab.errors == []


def test_the_home_page_shows_the_network_that_the_chapter_trained(open_page, drawing, home):
    strokes = drawing.load_drawings()["5"]
    answers = [drawing.draw(open_page(name).page, strokes) for name in (home, "notebooks/convolutional_networks")]
    assert answers[0]["probabilities"] == answers[1]["probabilities"]


def test_widgets_work_from_a_file_without_a_server(new_page, self_contained, home, drawing):
    tab = settle(new_page((self_contained / f"{home}.html").as_uri()))
    assert drawing.draw(tab.page, drawing.load_drawings()["2"])["digit"] == "2"
    assert tab.errors == []


def test_every_widget_of_a_chapter_has_painted_something(read_page, built_chapter):
    tab = read_page(built_chapter.name)
    widgets = tab.page.locator(".live-widget .dl-widget")
    assert widgets.count() >= 1
    for k in range(widgets.count()):
        widgets.nth(k).scroll_into_view_if_needed()
        colours = widgets.nth(k).evaluate(
            """async e => { // of the largest canvas; a widget of elements alone counts its texts
                const count = () => {
                    const canvas = [...e.querySelectorAll('canvas')].sort((a, b) => b.width * b.height - a.width * a.height)[0];
                    if (!canvas) return new Set([...e.querySelectorAll('*')].map(n => n.textContent)).size;
                    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
                    return new Set(new Uint32Array(data.buffer)).size;
                };
                for (let k = 0; k < 20 && count() <= 5; k++) await new Promise(requestAnimationFrame);
                return count();
            }"""
        )
        assert colours > 5, widgets.nth(k).get_attribute("aria-label")
    assert tab.errors == []


def test_the_language_model_writes_in_the_page_and_its_weights_come_once(open_page):
    tab = open_page("notebooks/recurrent_networks", reduced_motion="reduce")
    state = tab.page.locator('script[type="application/vnd.jupyter.widget-state+json"]').text_content()
    shared = [key for key, model in json.loads(state)["state"].items() if "_esm" not in model["state"]]
    assert len(shared) == 1
    assert state.count(f"IPY_MODEL_{shared[0]}") == 2  # the generator and the viewer of the gates
    written = "Number(document.querySelector('.dl-gen').dataset.written)"
    before = tab.page.evaluate(written)
    tab.page.get_by_role("button", name="One character", exact=True).click()
    tab.page.wait_for_function(f"{written} === {before + 1}")
    assert tab.errors == []


def test_the_filter_of_this_build_tells_an_advertisement_from_a_question(open_page):
    tab = open_page("notebooks/text_and_embeddings")
    mail = tab.page.locator(".dl-ngram").last  # the first reads reviews
    for text, label in {
        "Click here and get your free money!": "spam",
        "Does anyone know why the kernel hangs when I mount the second disk?": "good mail",
    }.items():
        mail.locator("textarea").fill(text)
        mail.locator(".dl-ngram-verdict", has_text=label).wait_for()
    assert tab.errors == []


def test_the_word_vectors_of_this_build_can_be_searched(open_page):
    tab = open_page("notebooks/text_and_embeddings")
    field = tab.page.locator(".dl-emb").get_by_role("combobox")
    field.fill("monday")
    field.press("Enter")
    tab.page.locator(".dl-emb-rows", has_text="tuesday").wait_for()
    assert tab.errors == []


def test_the_reader_can_switch_to_dark_and_it_stays(open_page, address):
    page = open_page("book/how_to_use", color_scheme="light").page
    for _ in range(3):
        if page.evaluate("document.documentElement.dataset.theme") == "dark":
            break
        page.locator(".theme-switch-button:visible").first.click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.goto(f"{address}/book/notation.html")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_solutions_open_by_keyboard(read_page, built_chapter):
    page = read_page(built_chapter.name).page
    details = page.locator("details.hide").first
    assert details.get_attribute("open") is None
    details.locator("summary").focus()
    page.keyboard.press("Enter")
    assert details.get_attribute("open") is not None
    page.keyboard.press("Enter")
    assert details.get_attribute("open") is None
