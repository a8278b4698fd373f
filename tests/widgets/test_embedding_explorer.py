import base64
import difflib

import numpy as np
import pytest
import torch

from dlcourse.widgets.embedding_explorer import EmbeddingExplorer, principal_axes

LETTERS = "abcdefghijklmnopqrst"
ROYAL = ["man", "woman", "king", "queen", "boy", "girl", "prince", "Tom", "the", "kingdom", "<url>"]
TRAITS = ("tokens", "dim", "kept", "counts", "groups", "analogies", "analogy", "leave_out", "word", "mode", "title", "words")
SETTLED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
SIZE = (
    "(() => { const { width, height } = document.querySelector('.dl-widget').getBoundingClientRect(); return [width, height]; })()"
)
COSINES = """([vectors, dim, given]) => {
  const rows = module.unitRows(bytes(vectors), dim), row = (k) => rows.subarray(k * dim, (k + 1) * dim);
  const { target, length } = module.combine(rows, dim, given);
  const values = module.cosines(rows, target), own = module.cosines(rows, row(given[0]));
  return { own: [...own], neighbours: module.nearest(own, 6, [given[0]]), length, values: [...values],
    left_out: module.nearest(values, 4, given), left_in: module.nearest(values, 4), shares: module.shares(rows, dim, given, 0) };
}"""


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def made(count, dim, seed=0):
    """Words and vectors in clumps, as trained ones are; rows of many lengths."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(7, dim))
    vectors = centres[generator.integers(7, size=count)] + 0.7 * generator.normal(size=(count, dim)) + 0.4
    words = [f"{LETTERS[k % 20]}{LETTERS[k // 20 % 20]}{LETTERS[k // 400]}" for k in range(count)]
    return words, vectors * generator.uniform(0.1, 30, size=(count, 1))


def royal():
    """Vectors in which a royal step and a step of gender add up, and the given words lie nearer than the answer."""
    generator = np.random.default_rng(1)
    man, gender, rank, youth = generator.normal(size=(4, 16))
    vectors = [man, man + gender, man + rank, man + 0.8 * gender + rank, man + youth, man + gender + youth, man + rank + youth]
    vectors += [1.2 * man + 0.1, generator.normal(size=16), man + 1.1 * rank + 0.2, generator.normal(size=16)]
    return np.array(vectors)


def explorer(**options):
    settings = {"counts": [50, 40, 30, 20, 10, 9, 8, 7, 900, 6, 5], "analogy": ("man", "king", "woman")}
    return EmbeddingExplorer(ROYAL, royal(), **(settings | options))


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


@pytest.fixture
def shown(widget_page):
    """A function that opens a page with the explorer on it."""
    return lambda theme="light", width=1280, **options: widget_page(explorer(**options), theme=theme, width=width).page


def neighbours(page):
    return page.locator(".dl-emb-side:not(.dl-emb-away) .dl-emb-word").all_inner_texts()


def field(page):
    return page.get_by_role("combobox", name="Word", exact=True)


def offered(page):
    return page.get_by_role("option").all_inner_texts()


def settle(page):
    page.evaluate(SETTLED)


# ---- numbers ------------------------------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.parametrize(("count", "dim"), [(300, 16), (900, 64)])
def test_cosines_in_the_page_are_those_of_the_vectors_to_a_hundredth(module, count, dim):
    words, vectors = made(count, dim)
    widget, given = EmbeddingExplorer(words, vectors, word=words[0]), [5, 17, 41]
    found = module("embedding_explorer_math").evaluate(COSINES, [text(widget.vectors), dim, given])
    exact = torch.nn.functional.cosine_similarity(torch.tensor(vectors), torch.tensor(vectors[5])[None]).numpy()
    assert np.abs(np.array(found["own"]) - exact).max() < 0.01
    carried = unit(np.frombuffer(widget.vectors, np.int8).reshape(count, dim).astype(float))  # what travels, taken at its word
    np.testing.assert_allclose(found["own"], carried @ carried[5], atol=1e-6)
    assert found["neighbours"] == [k for k in np.argsort(-(carried @ carried[5]), kind="stable") if k != 5][:6]
    exact_analogy = unit(vectors) @ unit(unit(vectors[17]) - unit(vectors[5]) + unit(vectors[41]))
    assert np.abs(np.array(found["values"]) - exact_analogy).max() < 0.01


@pytest.mark.browser
def test_an_analogy_is_answered_with_and_without_the_given_words(module):
    widget, given = explorer(), [0, 2, 1]
    found = module("embedding_explorer_math").evaluate(COSINES, [text(widget.vectors), 16, given])
    carried = unit(np.frombuffer(widget.vectors, np.int8).reshape(11, 16).astype(float))
    target = carried[2] - carried[0] + carried[1]
    scores = carried @ unit(target)
    np.testing.assert_allclose(found["values"], scores, atol=1e-6)
    assert found["length"] == pytest.approx(np.linalg.norm(target), rel=1e-6)
    ranking = np.argsort(-scores)
    assert found["left_in"] == list(ranking[:4])
    assert found["left_out"] == [k for k in ranking if k not in given][:4]
    assert ROYAL[found["left_out"][0]] == "queen"
    to_a, to_b, to_c = found["shares"]
    assert (to_b - to_a + to_c) / found["length"] == pytest.approx(found["values"][0], abs=1e-6)


@pytest.mark.browser
def test_completion_offers_frequent_words_first_and_then_words_spelled_alike(module):
    page = module("embedding_explorer_math")
    tokens = ["Queen", "the", "king", "kingdom", "looking", "kin", "don't"]
    order = [1, 3, 2, 4, 5, 0, 6]

    def offers(typed, count=7):
        found = page.evaluate("([t, w, o, n]) => module.offers(t, w, o, n)", [typed, tokens, order, count])
        return [tokens[k] for k in found]

    assert offers("kin") == ["kingdom", "king", "kin", "looking"]
    assert offers(" KING ") == ["kingdom", "king", "looking"]
    assert offers("", 3) == ["the", "kingdom", "king"]
    assert offers("que") == ["Queen"]
    assert offers("kinng") == ["king", "kin"]
    assert offers("qeuen")[0] == "Queen"
    assert offers("zzzz") == []
    numbers = page.evaluate("(w) => ['king', 'QUEEN', ' the ', 'qu', ''].map((t) => module.lookup(w)(t) ?? -1)", tokens)
    assert numbers == [2, 0, 1, -1, -1]


@pytest.mark.browser
def test_edit_distances_are_those_of_a_plain_search(module):
    page = module("embedding_explorer_math")
    words, _ = made(400, 3)
    typed = "abca"
    near = page.evaluate("([t, w]) => module.alike(t, w, [...w.keys()], 400)", [typed, words])

    def distance(a, b):
        if not a or not b:
            return len(a) + len(b)
        return min(distance(a[1:], b) + 1, distance(a, b[1:]) + 1, distance(a[1:], b[1:]) + (a[0] != b[0]))

    wanted = {k for k, word in enumerate(words) if distance(typed, word) <= 2}
    assert set(near) == wanted
    assert [distance(typed, words[k]) for k in near] == sorted(distance(typed, words[k]) for k in near)


@pytest.mark.browser
def test_labels_never_overlap_and_the_first_is_always_placed(module):
    page = module("embedding_explorer_math")
    generator = np.random.default_rng(0)
    for trial in range(5):
        labels = [
            {"x": x, "y": y, "width": w, "height": 15, "gap": 5}
            for x, y, w in zip(*generator.uniform([[5], [5], [10]], [[395], [395], [70]], size=(3, 300)), strict=True)
        ]
        taken = [[100, 100, 110, 110], [200, 50, 210, 60]]
        spots = page.evaluate("([l, t]) => module.placeLabels(l, 400, 400, t, 60)", [labels, taken])
        boxes = [[*spot, spot[0] + one["width"], spot[1] + 15] for one, spot in zip(labels, spots, strict=True) if spot]
        assert spots[0] is not None, trial
        assert 20 < len(boxes) <= 60
        for k, (left, top, right, bottom) in enumerate(boxes):
            assert min(left, top) >= 0
            assert max(right, bottom) <= 400
            for other_left, other_top, other_right, other_bottom in boxes[:k] + taken:
                assert left >= other_right or right <= other_left or top >= other_bottom or bottom <= other_top


@pytest.mark.browser
def test_arrows_go_to_a_near_word_on_that_side_and_back_where_there_is_none(module):
    page = module("embedding_explorer_math")
    points = [[0, 0], [10, 2], [30, 0], [0, -8], [-5, 40], [9, 9]]

    def go(way):
        return page.evaluate("([p, w]) => module.neighbourTowards(p, 0, w)", [points, way])

    assert [go([1, 0]), go([0, -1]), go([0, 1]), go([-1, 0])] == [1, 3, 4, 0]


def test_the_map_shows_the_first_two_principal_components():
    from sklearn.decomposition import PCA

    rows = unit(made(200, 12)[1])
    places, kept = principal_axes(rows)
    reference = PCA(2).fit(rows)
    np.testing.assert_allclose(np.abs(places), np.abs(reference.transform(rows)), atol=1e-10)
    assert kept == pytest.approx(reference.explained_variance_ratio_.sum())
    a, b, c = places[3], places[8], places[21]
    centred = rows - rows.mean(0)
    axes = np.linalg.lstsq(centred, places, rcond=None)[0]
    np.testing.assert_allclose((rows[8] - rows[3] + rows[21] - rows.mean(0)) @ axes, b - a + c, atol=1e-10)  # a parallelogram


def test_what_travels_is_small():
    words, vectors = made(4000, 64)
    widget = EmbeddingExplorer(words, vectors, word=words[0], counts=range(4000))
    assert (len(widget.vectors) + len(widget.places)) * 4 / 3 < 400_000


# ---- the page -----------------------------------------------------------------------------------------------------


@pytest.mark.browser
def test_a_word_that_is_typed_is_looked_up(shown):
    page = shown()
    assert "Word 4 of 11, seen 30 times." in page.locator(".dl-emb-about").inner_text()
    first = neighbours(page)
    assert "king" not in first
    field(page).fill("QUEEN")
    settle(page)
    assert neighbours(page) != first
    rows = unit(royal())
    best = [ROYAL[k] for k in np.argsort(-rows @ rows[3]) if k != 3]
    assert difflib.SequenceMatcher(a=neighbours(page), b=best[:8]).ratio() > 0.8
    assert neighbours(page)[0] == best[0]
    value = float(page.locator(".dl-emb-value").first.inner_text())
    assert value == pytest.approx(np.sort(rows @ rows[3])[-2], abs=0.02)


@pytest.mark.browser
def test_the_field_is_a_combobox_for_the_keyboard(shown):
    page = shown()
    box = field(page)
    box.focus()
    box.fill("ki")
    assert box.get_attribute("aria-expanded") == "true"
    assert offered(page) == ["king", "kingdom"]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    active = box.get_attribute("aria-activedescendant")
    assert page.locator(f"#{active}").inner_text() == "kingdom"
    assert page.locator(f"#{active}").get_attribute("aria-selected") == "true"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    assert box.input_value() == "kingdom"
    assert box.get_attribute("aria-expanded") == "false"
    assert "Nearest to “kingdom”" in page.locator(".dl-emb-heading").first.inner_text()
    page.wait_for_function("document.querySelector('[role=status]').textContent.startsWith('Nearest to kingdom: ')")
    page.keyboard.press("ArrowDown")
    assert box.get_attribute("aria-expanded") == "true"
    page.keyboard.press("Escape")
    assert box.get_attribute("aria-expanded") == "false"
    assert box.evaluate("(node) => node === document.activeElement")


@pytest.mark.browser
def test_an_option_can_be_taken_with_the_mouse(shown):
    page = shown()
    field(page).fill("bo")
    page.get_by_role("option", name="boy").click()
    assert field(page).input_value() == "boy"
    assert "Nearest to “boy”" in page.locator(".dl-emb-heading").first.inner_text()


@pytest.mark.browser
def test_an_unknown_word_is_answered_in_words(shown):
    page = shown()
    box = field(page)
    for typed, answer in (
        ("quen", "“quen” is not among the 11 words here. Spelled alike: queen."),
        ("xyzzy", "“xyzzy” is not among"),
        ("", "Type a word."),
    ):
        box.fill(typed)
        page.keyboard.press("Enter")
        settle(page)
        assert answer in page.locator(".dl-emb-about").inner_text()
        assert box.get_attribute("aria-invalid") == "true"
        assert page.locator(".dl-emb-row:visible").count() == 0
        assert "NaN" not in page.locator(".dl-emb").inner_text()
    box.fill("girl")
    settle(page)
    assert box.get_attribute("aria-invalid") is None


@pytest.mark.browser
def test_a_neighbour_can_be_followed(shown):
    page = shown()
    row = page.locator(".dl-emb-row:visible").nth(1)
    word = row.locator(".dl-emb-word").inner_text()
    row.focus()
    page.keyboard.press("Enter")
    assert field(page).input_value() == word


@pytest.mark.browser
def test_the_switch_shows_what_happens_when_the_given_words_are_left_in(shown):
    page = shown()
    page.get_by_label("Analogy").check()
    assert page.locator(".dl-emb-result").inner_text() == "queen"
    verdict = page.locator(".dl-emb-verdict").inner_text()
    assert "once the three given words are left out" in verdict or "no given word was nearer" in verdict
    assert not set(neighbours(page)) & {"man", "king", "woman"}
    before = page.evaluate(SIZE)
    page.get_by_role("switch").focus()
    page.keyboard.press("Space")
    assert page.evaluate(SIZE) == before
    listed = neighbours(page)
    assert any("given" in name for name in listed)
    place = next(k for k, name in enumerate(listed) if name.startswith("queen")) + 1
    verdict = page.locator(".dl-emb-verdict").inner_text()
    assert (f"“queen” comes in place {place}" in verdict) if place > 1 else "Left in or out" in verdict


@pytest.mark.browser
def test_the_score_of_an_analogy_is_taken_apart(shown):
    page = shown()
    page.get_by_label("Analogy").check()
    rows = unit(royal())
    target = rows[2] - rows[0] + rows[1]
    said = page.locator(".dl-emb-formula").inner_text()
    numbers = [rows[3] @ rows[2], rows[3] @ rows[0], rows[3] @ rows[1], np.linalg.norm(target), rows[3] @ unit(target)]
    for wanted in numbers:
        near = [f"{wanted + shift:.2f}".replace("-", "−") for shift in (-0.01, 0, 0.01)]
        assert any(one in said for one in near), (said, near)


@pytest.mark.browser
def test_the_words_of_an_analogy_can_be_changed_and_presets_bring_others(shown):
    page = shown(analogy=[("man", "king", "woman"), ("man", "boy", "woman")])
    page.get_by_role("button", name="man : boy = woman : ?").click()
    assert page.get_by_role("combobox", name="is to b").input_value() == "boy"
    assert page.locator(".dl-emb-result").inner_text() == "girl"
    page.get_by_role("combobox", name="is to b").fill("kng")
    page.keyboard.press("Enter")
    assert "“kng” is not among the 11 words here. Spelled alike: king." in page.locator(".dl-emb-verdict").inner_text()
    assert page.locator(".dl-emb-row:visible").count() == 0
    page.get_by_role("combobox", name="is to b").fill("king")
    settle(page)
    assert page.locator(".dl-emb-result").inner_text() == "queen"


@pytest.mark.browser
def test_without_analogies_there_are_only_neighbours(shown):
    page = shown(analogy=None)
    assert page.get_by_label("Analogy").count() == 0
    assert page.get_by_role("combobox").count() == 1


@pytest.mark.browser
def test_on_the_map_arrows_go_from_word_to_word_and_enter_takes_one(shown):
    page = shown()
    canvas = page.get_by_role("application")
    canvas.focus()
    reached = set()
    for key in ("ArrowLeft", "ArrowUp", "ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
        reached.add(page.locator(".dl-emb-hint").inner_text().split("”")[0].strip("“"))
    assert len(reached) > 2
    assert reached <= set(ROYAL)
    last = page.locator(".dl-emb-hint").inner_text().split("”")[0].strip("“")
    page.wait_for_function("document.querySelector('[role=status]').textContent !== ''")
    page.keyboard.press("Enter")
    assert field(page).input_value() == last
    for key in ("+", "+", "-", "1", "0"):
        page.keyboard.press(key)


@pytest.mark.browser
def test_a_word_can_be_chosen_on_the_map_with_the_mouse(shown):
    page = shown()
    stage = page.locator(".dl-emb-stage canvas").bounding_box()
    found = ""
    for x in range(20, int(stage["width"]), 9):
        for y in range(20, int(stage["height"]), 23):
            page.mouse.move(stage["x"] + x, stage["y"] + y)
            hint = page.locator(".dl-emb-hint").text_content()
            if hint.startswith("“") and not hint.startswith("“king"):
                found = hint.split("”")[0].strip("“")
                page.mouse.down()
                page.mouse.up()
                break
        if found:
            break
    assert found in ROYAL
    assert field(page).input_value() == found


@pytest.mark.browser
def test_zooming_in_makes_room_for_labels(widget_page):
    words, vectors = made(2500, 20)
    page = widget_page(EmbeddingExplorer(words, vectors, word=words[0], counts=range(2500, 0, -1)), reduced_motion="reduce").page
    root, canvas = page.locator(".dl-emb"), page.locator(".dl-emb-stage canvas")
    settle(page)
    before = canvas.evaluate("(node) => node.toDataURL()")
    assert int(root.get_attribute("data-labels")) > 15
    for name in ("Zoom in", "Zoom in", "Go near the words in force"):
        page.get_by_role("button", name=name, exact=True).click()
        settle(page)
        assert canvas.evaluate("(node) => node.toDataURL()") != before
    page.get_by_role("button", name="Show all").click()
    page.mouse.move(0, 0)
    settle(page)
    assert canvas.evaluate("(node) => node.toDataURL()") == before


@pytest.mark.browser
def test_groups_are_marked_and_named(shown):
    page = shown(groups={"royal": ["king", "queen"], "young": ["boy", "girl"]})
    assert page.locator(".dl-emb-legend li").all_inner_texts() == ["royal", "young"]
    inks = [
        mark.evaluate("(node) => node.getContext('2d').getImageData(0, 0, node.width, node.height).data.some((v) => v > 0)")
        for mark in page.locator(".dl-emb-legend canvas").all()
    ]
    assert inks == [True, True]


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 360])
def test_the_layout_never_jumps_and_fits(shown, width):
    page = shown(width=width, analogy=[("man", "king", "woman"), ("man", "boy", "woman")], groups={"royal": ["king"]})
    before = page.evaluate(SIZE)
    actions = [
        lambda: field(page).fill("ki"),
        lambda: page.keyboard.press("Escape"),
        lambda: (field(page).fill("kinh"), page.keyboard.press("Enter")),
        lambda: page.get_by_label("Analogy").check(),
        lambda: page.get_by_role("switch").click(),
        lambda: (page.get_by_role("combobox", name="as c").fill("womann"), page.keyboard.press("Enter")),
        lambda: page.get_by_role("button", name="man : boy = woman : ?").click(),
        lambda: page.get_by_role("application").press("ArrowLeft"),
        lambda: page.get_by_role("button", name="Zoom in", exact=True).click(),
    ]
    for place, action in enumerate(actions):
        action()
        settle(page)
        assert page.evaluate(SIZE) == before, place
        assert page.evaluate("document.documentElement.scrollWidth") <= width, place


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing_wrong(shown, accessible, theme, width):
    page = shown(
        theme,
        width,
        analogy=[("man", "king", "woman"), ("man", "boy", "woman")],
        groups={"royal": ["king", "queen"]},
        title="Vectors",
    )
    accessible(page)
    field(page).fill("ki")
    page.keyboard.press("ArrowDown")
    accessible(page)
    field(page).fill("kinh")
    page.keyboard.press("Enter")
    accessible(page)
    page.get_by_label("Analogy").check()
    page.get_by_role("switch").click()
    accessible(page)


@pytest.mark.browser
@pytest.mark.timing
def test_4000_words_are_searched_and_drawn_in_time(widget_page):
    words, vectors = made(4000, 64)
    tab = widget_page(EmbeddingExplorer(words, vectors, word=words[0], analogy=(words[1], words[2], words[3])))
    root, searches, paints = tab.page.locator(".dl-emb"), [], []
    for word in words[10:23]:
        field(tab.page).fill(word)
        tab.page.wait_for_timeout(60)
        searches.append(float(root.get_attribute("data-update-ms")))
        paints.append(float(root.get_attribute("data-paint-ms")))
    assert sorted(searches)[6] < 33
    assert sorted(paints)[6] < 33
    assert (tab.foreign, tab.failed, tab.errors) == ([], [], [])


@pytest.mark.browser
def test_every_word_comes_from_python(shown):
    marked = {name: f"¤{value}" for name, value in explorer().words.items()}
    page = shown(words=marked, groups={"¤": ["king"]}, analogy=[("man", "king", "woman"), ("man", "boy", "woman")])
    for typed in ("king", "kinh"):
        page.get_by_role("combobox").first.fill(typed)
        page.keyboard.press("Enter")
        shown_lines = page.locator(".dl-emb").inner_text().split("\n")
        assert all("¤" in line or line in ROYAL for line in shown_lines if any(c.isalpha() for c in line))
    page.get_by_label("¤Analogy").check()
    page.get_by_role("switch").click()
    shown_lines = page.locator(".dl-emb").inner_text().split("\n")
    assert all("¤" in line or line in ROYAL for line in shown_lines if any(c.isalpha() for c in line))


@pytest.mark.browser
def test_nothing_goes_on_after_it_is_removed(module):
    page = module("canvas", "embedding_explorer_math", "combobox", "embedding_map", "embedding_explorer")
    widget = explorer()
    left_over = page.evaluate(
        """async ([state, vectors, places]) => {
          const listeners = [], saved = [];
          Object.assign(state, { vectors: bytes(vectors), places: bytes(places) });
          const set = (change) => { saved.push(change); Object.assign(state, change); };
          const model = { get: (name) => state[name], set, save_changes() {},
            on: (name, f) => listeners.push([name, f]),
            off: (name, f) => listeners.splice(listeners.findIndex((l) => l[1] === f && l[0] === name), 1) };
          const destroy = module.default.render({ model, el: document.body });
          const before = listeners.length, root = document.querySelector(".dl-emb"), input = root.querySelector("[role=combobox]");
          root.querySelector("button[title]").click();
          destroy();
          root.dataset.paintMs = root.dataset.updateMs = "still";
          input.value = "queen";
          input.dispatchEvent(new Event("input"));
          root.querySelector("button[title]").click();
          document.documentElement.dataset.theme = "dark";
          for (let k = 0; k < 3; k++) await new Promise(requestAnimationFrame);
          return [before, listeners.length, saved.length, root.dataset.paintMs, root.dataset.updateMs];
        }""",
        [widget.get_state(list(TRAITS)), text(widget.vectors), text(widget.places)],
    )
    assert left_over == [4, 0, 0, "still", "still"]


# ---- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"word": "emperor"}, "not among the 11 tokens: 'emperor'"),
        ({"analogy": ("man", "king", "lady")}, "'lady'"),
        ({"analogy": ("man", "king")}, "three words"),
        ({"analogy": ["man king woman"]}, "three words"),
        ({"groups": {"royal": ["king", "duke"]}}, "'duke'"),
        ({"groups": {str(k): ["king"] for k in range(6)}}, "6 groups"),
        ({"counts": [1, 2, 3]}, "3 counts given for 11 tokens"),
    ],
)
def test_words_that_are_no_tokens_and_counts_of_another_length_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        explorer(**options)


@pytest.mark.parametrize(
    ("tokens", "vectors", "message"),
    [
        (ROYAL, np.ones((10, 4)), r"shape \(10, 4\) given for 11 tokens"),
        (ROYAL, np.ones(11), r"shape \(11,\)"),
        (ROYAL, np.eye(11)[:, :10], "vector of '<url>' has length 0"),
        (ROYAL, np.full((11, 3), np.nan), "vector of 'man' has length nan"),
        (["a", "b", "a", "c"], np.ones((4, 2)), "given twice"),
        (["a", "b"], np.ones((2, 2)), "2 tokens given"),
        (made(4001, 1)[0], np.ones((4001, 1)), "at most|4 to 4,000"),
    ],
)
def test_tables_that_the_page_cannot_show_are_refused(tokens, vectors, message):
    with pytest.raises(ValueError, match=message):
        EmbeddingExplorer(tokens, vectors, word=tokens[0])


def test_vectors_come_as_an_array_a_tensor_or_a_parameter():
    table = torch.nn.Parameter(torch.tensor(royal(), dtype=torch.float32))
    assert EmbeddingExplorer(ROYAL, table).vectors == EmbeddingExplorer(ROYAL, royal().astype(np.float32)).vectors
    assert EmbeddingExplorer(ROYAL, table.detach() * 17).vectors == EmbeddingExplorer(ROYAL, table).vectors
