import base64
import random

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from dlcourse.data import mail
from dlcourse.data.text import Vocabulary, pad, words
from dlcourse.models.sentence_cnn import SentenceCNN
from dlcourse.widgets.ngram_highlighter import NgramHighlighter, rounded

TRAITS = ("embedding_dim", "num_filters", "kernel_sizes")
READ = """([embedding, parameters, traits, texts]) => {
  const net = module.unpack(bytes(embedding), bytes(parameters), traits);
  return texts.map((ids) => {
    const { logits, odds, bias, shares, wins, windows } = module.read(net, ids);
    return { logits, odds, bias, shares: [...shares], wins: [...wins], windows };
  });
}"""
TOKENS = "(texts) => texts.map((text) => module.tokenise(text).map(({ token, start, end }) => [token, text.slice(start, end)]))"

SETTLED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
SIZE = (
    "(() => { const { width, height } = document.querySelector('.dl-widget').getBoundingClientRect(); return [width, height]; })()"
)
HARD = [
    "",
    " \t\n\x85\u2003",
    "Don't pay $5!",
    "it's John's dog's' 'quoted' 'tis rock'n'roll ''twas''",
    "write to <address> or <url>, not <URL> nor <a1> nor < url > <<number>>",
    "snake_case __init__ _x_",
    "CAFÉ naïve Straße ẞ ÅNGSTRÖM",
    "e\u0301 and \u00e9; zero\u200bwidth; no\u00a0break; \ufeffmark",
    "İstanbul İİ ışık I'İ end",
    "ΟΔΥΣΣΕΥΣ Σ σς",
    "你好世界 १२३ ٣ ½ ² Ⅷ ㊿ 𝟗 𐐀𐐁",
    "🙂🙂 a👍🏽b 👩‍👩‍👧 №5 50€ 10%",
    "a\x1cb\x1db\x1fc\x0bd",
    "l'été O’Brien can’t",
    "...!?--—«»“”",
]


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def small(seed=0, vocab_size=23, kernel_sizes=(2, 3, 5)):
    torch.manual_seed(seed)
    model = SentenceCNN(vocab_size, 2, embedding_dim=7, kernel_sizes=kernel_sizes, num_filters=6)
    with torch.no_grad():
        model.embedding.weight[1:] *= torch.rand(vocab_size - 1, 1) * 20  # rows of many lengths
        model.output.weight *= 6
    return model.eval()


def numbers(size):
    return Vocabulary({f"word{k}": size - k for k in range(size - 2)})


def read_in_the_page(page, widget, texts):
    traits = {name: getattr(widget, name) for name in TRAITS}
    return page.evaluate(READ, [text(widget.embedding), text(widget.parameters), traits, texts])


@pytest.fixture(scope="module")
def reader():
    """A network trained on mail for a few seconds, its vocabulary, and mails that it has not seen."""
    splits, vocabulary = mail.load(vocab_size=3000, max_length=80), mail.vocabulary(vocab_size=3000, max_length=80)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = SentenceCNN(3000, 2, embedding_dim=16, num_filters=16)
        optimizer = torch.optim.Adam(model.parameters(), lr=8e-3)
        tokens, labels = splits.train.tensors
        for batch in torch.cat([torch.randperm(len(tokens)) for _ in range(2)]).split(48):
            optimizer.zero_grad()
            cross_entropy(model(tokens[batch]), labels[batch]).backward()
            optimizer.step()
    return model.eval(), vocabulary, mail.read().val


@pytest.fixture
def highlighter(reader, widget_page):
    """A function that opens a page with the highlighter on it."""
    model, vocabulary, _ = reader

    def show(typed="Get your free offer now!", *, theme="light", width=1280, **options):
        return widget_page(NgramHighlighter(model, vocabulary, text=typed, **options), theme=theme, width=width).page

    return show


def probability(page):
    return float(page.locator(".dl-ngram").get_attribute("data-p"))


def expected(model, vocabulary, typed, *, limit=200):
    tokens = vocabulary.encode(words(typed)[:limit])[None]
    with torch.inference_mode():
        return rounded(model)(tokens).softmax(1)[0, 1].item()


@pytest.mark.browser
def test_the_page_cuts_texts_as_the_package_does(module):
    dice = random.Random(0)
    alphabet = "aZé ß'’_<>url1٣½²!?.$€—\t\n\x85\u2003\u200b\u0301İΣσ你🙂"
    made = ["".join(dice.choices(alphabet, k=dice.randint(1, 60))) for _ in range(300)]
    texts = [*HARD, *made, *mail.read().val.texts[:150]]
    found = module("ngram_network").evaluate(TOKENS, texts)
    for source, tokens in zip(texts, found, strict=True):
        assert [token for token, _ in tokens] == words(source), repr(source)
        if not {"Σ", "İ"} & set(source):  # a final Σ depends on what stands around it, İ becomes two tokens
            assert [piece.lower() for _, piece in tokens] == words(source), repr(source)
    found = module("ngram_network").evaluate(TOKENS, ["xİy İz İ ΑΣ a"])[0]
    assert [piece for _, piece in found] == ["xİ", "", "y", "İ", "", "z", "İ", "", "ΑΣ", "a"]


@pytest.mark.browser
def test_the_page_computes_pytorchs_logits_on_the_rounded_weights(module):
    page = module("ngram_network")
    for seed, sizes in enumerate([(2, 3, 5), (1,), (4, 2)]):
        model = small(seed, kernel_sizes=sizes)
        texts = [torch.randint(1, 23, (length,)).tolist() for length in (1, 2, 3, 4, 5, 6, 31, 200)]
        found = read_in_the_page(page, NgramHighlighter(model, numbers(23), text=""), texts)
        with torch.inference_mode():
            logits = torch.cat([rounded(model)(torch.tensor([ids])) for ids in texts])
            padded = rounded(model)(pad(texts, size=210)[0])
        got = np.array([reading["logits"] for reading in found])
        assert np.abs(logits.numpy()).max() > 1
        np.testing.assert_allclose(got, logits, atol=1e-4, rtol=1e-5)
        np.testing.assert_allclose(got, padded, atol=1e-4, rtol=1e-5)  # and padding changes nothing


@pytest.mark.browser
def test_the_words_shares_and_the_bias_add_up_to_the_log_odds(module):
    model, texts = small(4), [torch.randint(1, 23, (length,)).tolist() for length in (1, 3, 17, 60)]
    for ids, reading in zip(
        texts, read_in_the_page(module("ngram_network"), NgramHighlighter(model, numbers(23), text=""), texts), strict=True
    ):
        assert reading["odds"] == pytest.approx(reading["logits"][1] - reading["logits"][0])
        assert sum(reading["shares"]) + reading["bias"] == pytest.approx(reading["odds"], abs=1e-6)
        assert sum(window["value"] for window in reading["windows"]) + reading["bias"] == pytest.approx(reading["odds"], abs=1e-6)
        assert all(window["start"] + window["length"] <= len(ids) for window in reading["windows"])


@pytest.mark.browser
def test_the_windows_that_count_are_those_of_the_largest_scores(module):
    model, ids = small(5, kernel_sizes=(3,)), torch.randint(1, 23, (40,))
    twin = rounded(model)
    with torch.inference_mode():
        best, place = twin.convolutions[0](twin.embedding(ids[None]).mT)[0].max(1)  # (F,)
        towards = twin.output.weight[1] - twin.output.weight[0]
    wanted = {}
    for value, at in zip((towards * best.relu()).tolist(), place.tolist(), strict=True):
        wanted[at] = wanted.get(at, 0.0) + value
    (reading,) = read_in_the_page(module("ngram_network"), NgramHighlighter(model, numbers(23), text=""), [ids.tolist()])
    found = {window["start"]: window["value"] for window in reading["windows"]}
    assert len(found) > 1
    for at, value in found.items():
        assert value == pytest.approx(wanted[at], abs=1e-5)
    assert all(at in found or abs(value) < 1e-6 for at, value in wanted.items())


@pytest.mark.browser
def test_a_text_written_twice_changes_only_the_windows_across_the_seam(module):
    model, ids = small(6), torch.randint(1, 23, (30,)).tolist()
    once, twice = read_in_the_page(module("ngram_network"), NgramHighlighter(model, numbers(23), text=""), [ids, ids + ids])
    fresh = [window for window in twice["windows"] if window["start"] < 30 < window["start"] + window["length"]]
    kept = [window for window in twice["windows"] if window not in fresh]
    assert kept
    assert all(window["start"] + window["length"] <= 30 for window in kept)  # of two equal windows the first wins
    assert {(w["start"], w["length"]) for w in kept} <= {(w["start"], w["length"]) for w in once["windows"]}


def test_rounding_moves_a_probability_by_less_than_a_hundredth(reader):
    model, vocabulary, unseen = reader
    tokens, _ = pad([vocabulary.encode(words(one)[:200]) for one in unseen.texts[:300]])
    with torch.inference_mode():
        exact, coarse = (network(tokens).softmax(1)[:, 1] for network in (model, rounded(model)))
    right = ((exact > 0.5) == (unseen.labels[:300] == 1)).float().mean()
    assert right > 0.9  # a network that has learned something
    assert (exact - coarse).abs().max() < 0.01
    assert (exact - coarse).abs().max() > 0


def test_rounding_moves_no_weight_by_more_than_half_a_step(reader):
    model = reader[0]
    twin, table = rounded(model), model.embedding.weight
    step = table.abs().amax(1, keepdim=True) / 127
    assert ((twin.embedding.weight - table).abs() <= 0.5 * step + 127 * step * 2**-11 + 1e-9).all()  # and the scale's own 16 bits
    for mine, theirs in zip(twin.convolutions.parameters(), model.convolutions.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=2**-11, atol=1e-7)


def test_a_page_gains_little():
    model = SentenceCNN(10_000, 2)
    widget = NgramHighlighter(model, numbers(10_000), text="")
    carried = (len(widget.embedding) + len(widget.parameters)) * 4 / 3 + sum(len(token) + 3 for token in widget.tokens)
    assert carried < 1.2e6


@pytest.mark.browser
def test_what_is_typed_is_read_at_once(highlighter, reader):
    model, vocabulary, _ = reader
    page = highlighter("")
    assert page.locator(".dl-ngram").get_attribute("data-p") == ""
    assert "Nothing to read" in page.locator(".dl-ngram-verdict").inner_text()
    for typed in ("Free", "Re: the kernel patch does not build", "Click here to claim your free money!!! <url>"):
        page.locator("textarea").fill(typed)
        page.wait_for_function("document.querySelector('.dl-ngram').dataset.p !== ''")
        page.evaluate(SETTLED)
        assert probability(page) == pytest.approx(expected(model, vocabulary, typed), abs=1e-4)
    percent = 100 * max(probability(page), 1 - probability(page))
    assert f"{percent:.1f} %" in page.locator(".dl-ngram-verdict").inner_text()
    verdict = page.locator(".dl-ngram-verdict").inner_text()
    page.wait_for_function("(verdict) => document.querySelector('[role=status]').innerText === verdict", arg=verdict)


@pytest.mark.browser
def test_the_shading_follows_the_shares_and_the_text_stays_the_readers(highlighter):
    typed = "Free offer!\n\n  Click   here İ now"
    page = highlighter(typed)
    backdrop = page.locator(".dl-ngram-backdrop")
    assert backdrop.evaluate("(node) => node.textContent") == f"{typed}\n"
    assert backdrop.locator("span").all_text_contents() == ["Free", "offer", "!", "Click", "here", "İ", "", "now"]
    strongest = page.locator(".dl-ngram-1 .dl-ngram-run").first.inner_text().split()
    shaded = [node.text_content().lower() for node in backdrop.locator("span[style*=warm]").all()]
    assert set(strongest) & set(shaded)
    looks = [
        page.locator(selector).evaluate(
            """(node) => ["font", "lineHeight", "padding", "width", "letterSpacing", "overflowWrap", "whiteSpace"].map(
              (name) => getComputedStyle(node)[name])"""
        )
        for selector in ("textarea", ".dl-ngram-backdrop")
    ]
    assert looks[0] == looks[1]


@pytest.mark.browser
def test_unknown_words_are_marked_and_said_in_words(highlighter):
    page = highlighter("free zblork offer qwertyish")
    assert page.locator(".dl-ngram-unknown").all_text_contents() == ["zblork", "qwertyish"]
    assert "2 of them unknown" in page.locator(".dl-ngram-counts").inner_text()
    area = page.locator("textarea")
    area.fill("zblork")
    page.wait_for_function("document.querySelector('.dl-ngram-counts').innerText.includes('none of them known')")
    area.focus()
    page.wait_for_function("document.querySelector('.dl-ngram-caret').innerText.includes('Unknown: “zblork”')")


@pytest.mark.browser
def test_an_empty_text_and_one_of_spaces_are_answered_in_words(highlighter):
    page = highlighter("free")
    for typed in ("", " \n "):
        page.locator("textarea").fill(typed)
        page.wait_for_function("document.querySelector('.dl-ngram').dataset.p === ''")
        assert "Nothing to read" in page.locator(".dl-ngram-verdict").inner_text()
        assert "no window" in page.locator(".dl-ngram-sum").inner_text()
        assert page.locator(".dl-ngram-runs button:visible").count() == 0
        assert "NaN" not in page.locator(".dl-ngram").inner_text()
        page.locator("textarea").fill("free")
        page.wait_for_function("document.querySelector('.dl-ngram').dataset.p !== ''")


@pytest.mark.browser
def test_what_comes_after_the_limit_is_not_read_and_shown_so(highlighter, reader):
    model, vocabulary, _ = reader
    typed = "the kernel patch does not build " * 3 + "free offer click here"
    page = highlighter(typed, max_length=18)
    assert probability(page) == pytest.approx(expected(model, vocabulary, typed, limit=18), abs=1e-4)
    assert page.locator(".dl-ngram-unread").all_text_contents() == ["free", "offer", "click", "here"]
    assert "only the first 18 are read" in page.locator(".dl-ngram-counts").inner_text()


@pytest.mark.browser
def test_a_run_that_is_chosen_is_selected_in_the_text(highlighter):
    page = highlighter("Hello there, claim your FREE money now, says the man with the long name.")
    run = page.locator(".dl-ngram-runs button:visible").first
    run.hover()
    outlined = [node.text_content().lower() for node in page.locator(".dl-ngram-here").all()]
    assert " ".join(outlined) == run.locator(".dl-ngram-run").inner_text()
    run.focus()
    page.keyboard.press("Enter")
    selected = page.locator("textarea").evaluate("(area) => area.value.slice(area.selectionStart, area.selectionEnd)")
    assert words(selected) == run.locator(".dl-ngram-run").text_content().split()
    assert "pushes" in page.locator(".dl-ngram-caret").inner_text()


@pytest.mark.browser
def test_examples_fill_the_field_and_clear_empties_it(highlighter):
    page = highlighter("free", examples={"A patch": "the kernel patch", "A prize": "you won a prize"})
    before = probability(page)
    page.get_by_role("button", name="A patch").click()
    assert page.locator("textarea").input_value() == "the kernel patch"
    assert probability(page) < before
    page.get_by_role("button", name="Clear").click()
    assert page.locator("textarea").input_value() == ""


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 360])
def test_the_layout_never_jumps_and_fits(highlighter, reader, width):
    page = highlighter("free", width=width)
    before = page.evaluate(SIZE)
    for typed in ("", "zblork", "the kernel patch", reader[2].texts[0], "x" * 400, "Click here for your free offer! " * 60):
        page.locator("textarea").fill(typed)
        page.evaluate(SETTLED)
        assert page.evaluate(SIZE) == before, typed
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.browser
@pytest.mark.timing
def test_typing_in_a_text_of_200_words_is_answered_within_a_frame(widget_page, reader):
    _, _, unseen = reader
    torch.manual_seed(2)
    vocabulary = mail.vocabulary()
    long = max(unseen.texts, key=len)
    tab = widget_page(NgramHighlighter(SentenceCNN(len(vocabulary), 2).eval(), vocabulary, text=" ".join(words(long)[:199])))
    area, times = tab.page.locator("textarea"), []
    area.focus()
    area.press("Control+End")
    for letter in " freely offer":
        area.press(letter)
        tab.page.wait_for_timeout(40)
        times.append(float(tab.page.locator(".dl-ngram").get_attribute("data-update-ms")))
    assert sorted(times)[len(times) // 2] < 1000 / 30
    assert (tab.foreign, tab.failed, tab.errors) == ([], [], [])


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing_wrong(highlighter, accessible, theme, width):
    page = highlighter(
        "Get your free offer now, zblork!", theme=theme, width=width, examples={"A patch": "the kernel patch does not build"}
    )
    accessible(page)
    page.locator("textarea").focus()
    accessible(page)
    for name in ("A patch", "Clear"):
        page.get_by_role("button", name=name).click()
        accessible(page)


@pytest.mark.browser
def test_every_word_comes_from_python(reader, widget_page):
    model, vocabulary, _ = reader
    marked = {name: f"¤{value}" for name, value in NgramHighlighter(model, vocabulary, text="").words.items()}
    page = widget_page(
        NgramHighlighter(model, vocabulary, text="zblork free", labels=("¤0", "¤1"), examples={"¤": ""}, words=marked)
    ).page
    tokens = {*words("zblork free")}
    for name in ("textarea", "button"):
        page.locator(name).first.focus()
        shown = page.locator(".dl-ngram").inner_text().split("\n")
        assert all("¤" in line or {*line.split()} <= tokens for line in shown if any(c.isalpha() for c in line))


@pytest.mark.browser
def test_nothing_goes_on_after_it_is_removed(module):
    page = module("ngram_network", "ngram_highlighter")
    widget = NgramHighlighter(small(), numbers(23), text="word1 word2")
    state = widget.get_state([*TRAITS, "tokens", "unknown", "max_length", "labels", "examples", "words", "text"])
    left_over = page.evaluate(
        """async ([state, embedding, parameters]) => {
          const listeners = [], saved = [];
          Object.assign(state, { embedding: bytes(embedding), parameters: bytes(parameters) });
          const model = { get: (name) => state[name], set: (name) => saved.push(name), save_changes() {},
            on: (name, f) => listeners.push([name, f]),
            off: (name, f) => listeners.splice(listeners.findIndex((l) => l[1] === f && l[0] === name), 1) };
          const destroy = module.default.render({ model, el: document.body });
          const area = document.querySelector("textarea"), root = document.querySelector(".dl-ngram");
          const before = listeners.length, p = root.dataset.p;
          area.value = "word3 word4 word5";
          area.dispatchEvent(new Event("input"));
          destroy();
          area.dispatchEvent(new Event("input"));
          await new Promise((done) => setTimeout(done, 800));
          return [before, listeners.length, saved.length, root.dataset.p === p];
        }""",
        [state, text(widget.embedding), text(widget.parameters)],
    )
    assert left_over == [1, 0, 0, True]


@pytest.mark.parametrize(
    ("model", "vocabulary", "options", "error", "message"),
    [
        (torch.nn.Linear(2, 2), numbers(23), {}, TypeError, "Linear given"),
        (small(), ["a"], {}, TypeError, "list given"),
        (small(), numbers(24), {}, ValueError, "23 word vectors, the vocabulary 24"),
        (small(), Vocabulary({f"w{k}": 1 for k in range(22)}, specials=("<pad>",)), {}, ValueError, "no number for unknown"),
        (SentenceCNN(23, 3), numbers(23), {}, ValueError, "3 classes"),
        (SentenceCNN(23, 2, masked=False), numbers(23), {}, ValueError, "masked=False"),
        (small(), numbers(23), {"labels": ("a", "b", "c")}, ValueError, "3 labels"),
        (small(), numbers(23), {"max_length": 0}, ValueError, "max_length=0"),
    ],
)
def test_what_the_page_cannot_read_with_is_refused(model, vocabulary, options, error, message):
    with pytest.raises(error, match=message):
        NgramHighlighter(model, vocabulary, text="", **options)


def test_weights_that_are_not_finite_are_refused():
    model = small()
    with torch.no_grad():
        model.output.bias[0] = float("nan")
    with pytest.raises(ValueError, match="not finite"):
        NgramHighlighter(model, numbers(23), text="")
