import base64
import re

import numpy as np
import pytest
import torch

from dlcourse import decoding
from dlcourse.data import cmudict
from dlcourse.data.text import END, PAD, START, Vocabulary, pad
from dlcourse.losses import cross_entropy
from dlcourse.models.seq2seq import Seq2Seq
from dlcourse.widgets import pronouncer_weights
from dlcourse.widgets.pronouncer import Pronouncer
from dlcourse.widgets.pronouncer_sounds import SOUNDS

LETTERS = "abcdefght'"
SPELT = {"a": "AE", "b": "B", "c": "K", "d": "ER", "e": "EH", "f": "F", "g": "G", "h": "AH", "t": "T", "y": "TH"}  # ' is silent
PHONEMES = ["AE", "B", "K", "EH", "IY", "F", "TH", "T", "AH", "ER", "G"]
KNOWN = {"bad": [["B", "AE", "ER"]], "fee": [["F", "IY"], ["F", "EH"]], "that": [["G", "AE"]]}
USED = ("bad", "cab", "fee", "that")  # these it has learnt for certain
SIZE = "() => { const b = document.querySelector('.dl-pron').getBoundingClientRect(); return [b.width, b.height]; }"
SETTLED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
LOAD = "([text, shape]) => { window.net = module.unpackSpeller(bytes(text), shape); return net !== null; }"
FORCED = """([letters, given]) => { // the weights and the probabilities after each given phoneme
  const word = module.readWord(net, letters);
  let state = word.state;
  return given.map((token) => {
    const step = module.nextPhoneme(net, word, token, state);
    state = step.state;
    return [Array.from(step.weights), Array.from(step.chances)];
  });
}"""
READ = """([letters, beam, most]) => module.readings(net, letters, { beam, most })
  .map(({ tokens, score, ended, steps }) => ({ tokens, score, ended, steps: steps.length }))"""


def letters():
    return Vocabulary.build([LETTERS], specials=(PAD,))


def phonemes():
    return Vocabulary.build([PHONEMES], specials=(PAD, START, END))


def speller(*, scale=2.0, hidden_size=12, **settings):
    """A model that has learnt nothing, with weights as large as those of one that has."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = Seq2Seq(len(letters()), len(phonemes()), embedding_dim=7, hidden_size=hidden_size, **settings)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(scale)
    return model.eval()


@torch.no_grad()
def with_rounded_weights(model):
    """The model in float32 that computes with the packed numbers: its embeddings are one-hot, its tables the first weights."""
    values = {}
    for name, part in pronouncer_weights.parts(model):
        numbers, scales = pronouncer_weights.rounded(part if part.ndim == 2 else part[None])
        values[name] = numbers.float() * scales.float() if part.ndim == 2 else part.half().float()
    sizes = [len(table.weight) for table in (model.source_embedding, model.target_embedding)]
    twin = Seq2Seq(
        *sizes,
        embedding_dim=max(sizes),
        hidden_size=model.decoder.hidden_size,
        attention=model.attention_name,
        cell=model.cell,
        num_layers=model.encoder.num_layers,
        bidirectional=model.directions == 2,
    )
    state = {}
    for name, size in (("source_embedding", sizes[0]), ("target_embedding", sizes[1])):
        state[f"{name}.weight"] = torch.eye(size, max(sizes))
    for name, value in values.items():
        module, _, kind = name.rpartition(".")
        side, _, end = module.partition(".")
        if side not in ("encoder", "decoder"):
            state[name if kind in ("weight", "bias") else f"{name}.weight"] = value
        elif kind == "table":
            state[f"{side}.weight_ih_{end or 'l0'}"] = torch.nn.functional.pad(value.T, (0, max(sizes) - len(value)))
            state[f"{side}.bias_ih_{end or 'l0'}"] = torch.zeros(value.shape[1])
        else:
            state[f"{side}.{kind}_{end or 'l0'}"] = value
    twin.load_state_dict(state)
    return twin.eval()


def random_spellings(count, *, seed):
    """Words of 1 to 5 letters; with seed=None from torch's own state."""
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    sizes = torch.randint(1, 6, (count,), generator=generator).tolist()
    return ["".join(LETTERS[k] for k in torch.randint(len(LETTERS), (size,), generator=generator)) for size in sizes]


def spelt(word):
    return [SPELT[letter] for letter in word.replace("th", "y") if letter in SPELT]


def load(page, model):
    widget = Pronouncer(model, letters(), phonemes(), word="", examples=())
    return page.evaluate(LOAD, [base64.b64encode(widget.weights).decode(), widget.shape])


def random_words(count):
    generator = torch.Generator().manual_seed(0)
    return [torch.randint(1, len(letters()), (1 + k % 7,), generator=generator) for k in range(count)]


def found(model, word, beam):
    """The readings of a word and their log-probabilities, from the package's beam search."""
    source = letters().encode(word) if isinstance(word, str) else word
    numbers = phonemes().numbers
    search = decoding.beam_search(
        model.step, model.encode(source[None]), start=numbers[START], end=numbers[END], max_length=2 * len(source) + 8, beam=beam
    )
    return [phonemes().decode(row) for row in search.tokens[0]], search.scores[0].tolist()


@pytest.mark.browser
def test_weights_and_probabilities_equal_pytorchs_on_the_rounded_numbers_for_every_kind_of_model(module):
    page = module("sampling", "recurrent_math", "pronouncer_math")
    kinds = [
        {"attention": "scaled_dot"},
        {"attention": "dot", "cell": "lstm", "num_layers": 2},
        {"attention": "additive", "num_layers": 3},
        {"attention": "additive", "cell": "rnn", "bidirectional": False},
        {"attention": "scaled_dot", "cell": "lstm", "bidirectional": False, "num_layers": 2},
    ]
    word, given = random_words(7)[6], torch.tensor([1, 5, 9, 4, 4, 13])
    for settings in kinds:
        model = speller(**settings)
        assert load(page, model)
        twin, seen = with_rounded_weights(model), []
        twin.attention.attend.register_forward_hook(lambda _module, _inputs, weights, seen=seen: seen.append(weights))
        with torch.no_grad():
            chances = twin(word[None], given[None])[0].softmax(dim=-1)
        steps = page.evaluate(FORCED, [word.tolist(), given.tolist()])
        assert chances.std(dim=0).max() > 0.02
        np.testing.assert_allclose([weights for weights, _ in steps], seen[0][0], atol=1e-5)
        np.testing.assert_allclose([values for _, values in steps], chances, atol=1e-5)


@pytest.mark.browser
def test_beam_search_finds_the_packages_readings_and_scores(module):
    page, model = module("sampling", "recurrent_math", "pronouncer_math"), speller(scale=2.5)
    load(page, model)
    twin, lengths, cut = with_rounded_weights(model), set(), 0
    for word in random_words(14):
        for beam in (1, 2, 5):
            readings, scores = found(twin, word, beam)
            ours = page.evaluate(READ, [word.tolist(), beam, 2 * len(word) + 8])
            assert [phonemes().decode(one["tokens"]) for one in ours] == readings
            np.testing.assert_allclose([one["score"] for one in ours], scores, atol=1e-4)
            assert all(one["steps"] == len(one["tokens"]) + one["ended"] for one in ours)
            lengths |= {len(reading) for reading in readings}
            cut += sum(not one["ended"] for one in ours)
    assert len(lengths) > 3
    assert cut > 0


@pytest.fixture(scope="module")
def learner():
    """A small model that has learnt most of a toy language: each letter sounds as SPELT says, t and h together as TH."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Seq2Seq(len(letters()), len(phonemes()), embedding_dim=12, hidden_size=48)
        optimizer = torch.optim.AdamW(model.parameters(), lr=2e-2)
        schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, total_iters=80)
        for _ in range(80):
            words = [*USED, *random_spellings(60, seed=None)]
            source, _ = pad([letters().encode(word) for word in words])
            target, _ = pad([phonemes().encode([START, *spelt(word), END]) for word in words])
            loss = cross_entropy(model(source, target[:, :-1]).flatten(0, 1), target[:, 1:].flatten(), ignore_index=0)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
    return model.eval()


def test_eight_bits_cost_no_accuracy(learner):
    words = random_spellings(300, seed=1)
    source, _ = pad([letters().encode(word) for word in words])
    given = torch.tensor([[1, 5, 9, 4, 4, 13]]).expand(len(words), -1)
    twin, wrong, chances = with_rounded_weights(learner), [], []
    for model in (learner, twin):
        tokens = decoding.greedy(model.step, model.encode(source), start=1, end=2, max_length=12)
        wrong.append(np.mean([phonemes().decode(row) != spelt(word) for row, word in zip(tokens, words, strict=True)]))
        with torch.no_grad():
            chances.append(model(source, given).softmax(dim=-1))
    assert wrong[0] < 0.2
    assert abs(wrong[1] - wrong[0]) < 0.02
    assert 1e-4 < (chances[0] - chances[1]).abs().max() < 0.1
    assert (chances[0] - chances[1]).abs().mean() < 1e-3


@pytest.mark.browser
def test_errors_are_counted_as_the_smallest_number_of_edits(module):
    page = module("sampling", "recurrent_math", "pronouncer_math")

    def edits(a, b):
        if not a or not b:
            return len(a) + len(b)
        return min(edits(a[1:], b) + 1, edits(a, b[1:]) + 1, edits(a[1:], b[1:]) + (a[0] != b[0]))

    generator = np.random.default_rng(0)
    pairs = [[generator.integers(0, 3, size).tolist() for size in generator.integers(0, 6, 2)] for _ in range(60)]
    assert page.evaluate("(pairs) => pairs.map(([a, b]) => module.edits(a, b))", pairs) == [edits(a, b) for a, b in pairs]


@pytest.mark.browser
def test_ribbons_are_as_thick_as_the_weights_and_lie_side_by_side_within_their_tiles(module):
    page = module("canvas", "pronouncer_drawing")
    weights = np.random.default_rng(0).dirichlet([0.3] * 4, size=7)
    bands, tile, middles = page.evaluate(
        """(weights) => {
          const above = module.tiles(4, 300), below = module.tiles(7, 300);
          return [module.ribbons(weights, above, below), above.tile, [0, 1, 2, 3].map(above.middle)];
        }""",
        weights.tolist(),
    )
    thick = np.array([band["thick"] for band in bands]).reshape(7, 4)
    np.testing.assert_allclose(thick / thick.sum(axis=1, keepdims=True), weights)
    np.testing.assert_allclose(thick.sum(axis=1), thick[0].sum())
    assert thick.sum(axis=0).max() == pytest.approx(tile)
    starts = np.array([band["from"] for band in bands]).reshape(7, 4)
    np.testing.assert_allclose(starts[1:], starts[:-1] + thick[:-1])
    np.testing.assert_allclose((starts[0] + starts[-1] + thick[-1]) / 2, middles)
    ends = np.array([band["to"] for band in bands]).reshape(7, 4)
    np.testing.assert_allclose(ends[:, 1:], ends[:, :-1] + thick[:, :-1])


def test_the_word_that_explains_a_phoneme_has_it_in_the_dictionary():
    words = cmudict.read()
    readings = words.train | words.val | words.test
    assert set(SOUNDS) == set(cmudict.phonemes().tokens) - {PAD, START, END}
    for phoneme, (example, _) in SOUNDS.items():
        assert phoneme in readings[re.sub(r"[\[\]]", "", example)][0], example
        assert re.fullmatch(r"[a-z]*\[[a-z]+\][a-z]*", example)
    assert len({respelling for _, respelling in SOUNDS.values()}) == len(SOUNDS)


# ---- the page -------------------------------------------------------------------------------------------------------


@pytest.fixture
def speaking(widget_page, learner):
    """A function that opens a page with the widget, which shows what `learner` does."""

    def show(*, theme="light", width=1280, reduced_motion="reduce", **settings):
        options = {"word": "cab", "examples": ("fee", "that"), "known": KNOWN, "trained_on": {"fee"}} | settings
        widget = Pronouncer(learner, letters(), phonemes(), **options)
        return widget_page(widget, theme=theme, width=width, reduced_motion=reduced_motion).page

    return show


def state(page, name):
    page.evaluate(SETTLED)
    return page.locator(".dl-pron").get_attribute(f"data-{name}")


def text(page, part):
    page.evaluate(SETTLED)
    return page.locator(f".dl-pron-{part}").inner_text()


def type_word(page, word):
    page.get_by_role("textbox", name="Word").fill(word)


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def choose_beam(page, width):
    page.get_by_role("group", name="Beam width").get_by_label(str(width), exact=True).check(force=True)


def percents(page):
    return [float(one.strip("<> %")) for one in page.locator(".dl-next-percent").all_inner_texts()]


@pytest.mark.browser
def test_a_typed_word_is_read_as_the_package_reads_it_and_its_numbers_are_the_models(speaking, learner):
    page, twin = speaking(beam=5), with_rounded_weights(learner)
    for typed, word in (("Cágé d!", "caged"), ("that", "that"), ("’b", "'b")):
        type_word(page, typed)
        readings, scores = found(twin, word, 5)
        assert state(page, "reading") == " ".join([*readings[0], "end"])
        listed = page.locator(".dl-pron-found label:not(.dl-pron-free)")
        assert [one.split("\n")[0] for one in listed.all_inner_texts()] == [
            " ".join(reading) or "(no phoneme)" for reading in readings
        ]
        shares = [float(one.strip("<> %")) for one in page.locator(".dl-pron-percent").all_inner_texts()]
        np.testing.assert_allclose(shares, 100 * np.exp(scores), atol=0.51)
    type_word(page, "caged")
    step = int(state(page, "step"))
    reading = found(twin, "caged", 5)[0][0]
    seen = []
    twin.attention.attend.register_forward_hook(lambda _module, _inputs, weights: seen.append(weights))
    with torch.no_grad():
        chances = twin(letters().encode("caged")[None], phonemes().encode([START, *reading])[None])[0].softmax(dim=-1)
    taken = chances[range(len(reading)), phonemes().encode(reading)]
    assert step == int(taken.argmin())  # the cursor starts where the network was least sure
    np.testing.assert_allclose(percents(page)[:-1], 100 * chances[step].topk(6).values, atol=0.51)
    place = int(seen[0][0, step].argmax())
    assert text(page, "reads").startswith(f"It read “{'caged'[place]}” ({100 * seen[0][0, step, place]:.0f}")


@pytest.mark.browser
def test_what_cannot_be_read_is_said_in_words(speaking):
    page = speaking()
    type_word(page, "bad é1 ü")
    assert text(page, "note") == "Left out, for the network knows no such letter: space 1 u"
    type_word(page, "a" * 40)
    assert "Only the first 34 letters are read" in text(page, "note")
    press(page, "One phoneme")
    for typed in ("", "123"):
        type_word(page, typed)
        press(page, "One phoneme")  # acts on what was typed just now: there is nothing to read
        press(page, "Watch it read")
        assert (state(page, "shown"), state(page, "state")) == ("0", "paused")
        assert "Nothing that the network can read: type a word." in page.locator("[role=status]").inner_text()
        page.get_by_role("application").first.press("ArrowRight")
    type_word(page, "b")
    press(page, "One phoneme")
    assert state(page, "shown") == "1"


@pytest.mark.browser
def test_the_dictionarys_reading_stands_beside_the_networks(speaking, learner):
    fee, bad = (found(with_rounded_weights(learner), word, 5)[0][0] for word in ("fee", "bad"))
    known = {"bad": [bad], "that": [["G"] * 6], "fee": [[*fee, "G", "G"], [*fee[:-1], "ER"]]}
    page = speaking(known=known, trained_on={"fee"})
    assert text(page, "says") == "Not among the 3 words that this page can look up."
    type_word(page, "bad")
    assert text(page, "says") == "✓ The dictionary says the same. The network had never seen this word."
    assert text(page, "roughly").replace("\n", " ") == "Say roughly " + "·".join(SOUNDS[phoneme][1] for phoneme in bad)
    press(page, "that")
    assert text(page, "says").startswith("The dictionary says G G G G G G: 6 of 6 phonemes wrong.")
    press(page, "fee")
    readings = f"{' '.join([*fee, 'G', 'G'])} or {' '.join([*fee[:-1], 'ER'])}"
    said = f"The dictionary says {readings}: at best 1 of {len(fee)} phonemes wrong. The network was trained on this word."
    assert text(page, "says") == said
    assert page.locator("[role=status]").inner_text() == f"fee: {' '.join(fee)}. {said}"


@pytest.mark.browser
def test_keys_and_pointer_choose_phonemes_and_letters(speaking):
    page = speaking(word="bad")
    ribbons, heat = page.get_by_role("application").first, page.get_by_role("application").last
    ribbons.focus()
    page.keyboard.press("Home")
    assert (state(page, "focus"), state(page, "step")) == ("sound 0", "0")
    keys = [("ArrowRight", "sound 1"), ("ArrowUp", "letter 1"), ("ArrowRight", "letter 2"), ("ArrowRight", "letter 2")]
    for key, focus in [*keys, ("ArrowDown", "sound 1"), ("End", "sound 3"), ("ArrowRight", "sound 3")]:
        page.keyboard.press(key)
        assert state(page, "focus") == focus
    assert page.locator("[role=status]").inner_text().startswith("end of the word, ")
    heat.focus()
    keys = [
        ("Home", "sound 0"),
        ("ArrowDown", "sound 1"),
        ("ArrowRight", "letter 1"),
        ("ArrowLeft", "letter 0"),
        ("ArrowUp", "sound 1"),
    ]
    for key, focus in keys:
        page.keyboard.press(key)
        assert state(page, "focus") == focus
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Home")
    assert text(page, "reads").startswith("Letter “b” was read for B (")
    box = ribbons.bounding_box()
    for x, y, focus in ((-0.5, 40, "letter 1"), (0.5, 230, "sound 2"), (1.5, 230, "sound 3")):
        page.mouse.move(box["x"] + box["width"] / 2 + 80 * (x if "sound" in focus else x + 0.5), box["y"] + y)
        assert state(page, "focus") == focus
    box = heat.bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 40)
    assert state(page, "focus") == "sound 0"
    heat.click(position={"x": 80, "y": 10})
    assert state(page, "focus") == "letter 0"


@pytest.mark.browser
def test_the_button_that_reads_the_last_phoneme_tells_the_word(speaking):
    page = speaking(word="bad")
    for _ in range(4):
        press(page, "One phoneme")
    assert page.locator("[role=status]").inner_text().startswith("bad: B AE ER.")


@pytest.mark.browser
def test_it_reads_one_phoneme_at_a_time_alone_or_by_the_button_and_waits_off_screen(speaking, frames):
    page = speaking(word="bad", reduced_motion="no-preference")
    assert state(page, "shown") == "4"
    for shown in ("1", "2"):
        press(page, "One phoneme")
        assert state(page, "shown") == shown
    assert page.locator("[role=status]").inner_text().startswith("AE as in cat, ")
    assert "b·a" in text(page, "roughly")
    assert "dictionary" not in text(page, "says")
    page.evaluate("""() => { // puts it out of sight as soon as it has read three
      const root = document.querySelector(".dl-pron");
      new MutationObserver((_, watcher) => {
        if (root.dataset.shown !== "3") return;
        document.body.style.paddingTop = "3000px";
        watcher.disconnect();
      }).observe(root, { attributeFilter: ["data-shown"] });
    }""")
    press(page, "Watch it read")
    page.wait_for_function("document.body.style.paddingTop === '3000px'")
    frames(page, 70)  # more than a phoneme takes
    assert (state(page, "shown"), state(page, "state")) == ("3", "playing")
    page.evaluate("document.body.style.paddingTop = '0'")
    page.wait_for_function("document.querySelector('.dl-pron').dataset.state === 'paused'")
    assert state(page, "shown") == "4"
    assert page.locator("[role=status]").inner_text().startswith("bad: B AE ER.")
    press(page, "Watch it read")
    type_word(page, "cab")  # a new word ends the reading of the old
    assert (state(page, "shown"), state(page, "state")) == ("4", "paused")


@pytest.mark.browser
def test_beam_width_changes_what_is_found_and_a_reading_found_can_be_looked_at(speaking, learner):
    page, twin = speaking(word="gadfethe", beam=2), with_rounded_weights(learner)
    listed = page.locator(".dl-pron-found label:not(.dl-pron-free)")
    for beam in (5, 1, 3):
        choose_beam(page, beam)
        readings, _ = found(twin, "gadfethe", beam)
        assert state(page, "reading") == " ".join([*readings[0], "end"])
        assert listed.count() == beam
    listed.nth(1).locator("input").check(force=True)
    assert state(page, "reading") == " ".join([*readings[1], "end"])
    assert text(page, "about").startswith("The 3 likeliest beginnings")


@pytest.mark.browser
@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 360)])
def test_it_is_accessible_fits_a_phone_and_does_not_jump(widget_page, learner, accessible, theme, width):
    settings = {"word": "cab", "examples": ("fee", "that"), "known": KNOWN, "trained_on": {"fee"}}
    tab = widget_page(Pronouncer(learner, letters(), phonemes(), **settings), theme=theme, width=width)
    page = tab.page
    size = page.evaluate(SIZE)
    for word in ("", "fee", "b", "thacgefdabtheg", "bad ß"):
        type_word(page, word)
        page.evaluate(SETTLED)
        assert page.evaluate(SIZE) == size
    choose_beam(page, 1)
    press(page, "One phoneme")
    page.get_by_role("application").first.press("ArrowUp")
    page.evaluate(SETTLED)
    assert page.evaluate(SIZE) == size
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    type_word(page, "b" * 34)
    page.get_by_role("application").first.press("ArrowUp")
    page.keyboard.press("End")  # a long word scrolls on a phone, and its cursor stays in view
    page.evaluate(SETTLED)
    assert (page.locator(".dl-pron-scroll").first.evaluate("(node) => node.scrollLeft") > 0) == (width == 360)
    small = page.evaluate("""() => [...document.querySelectorAll('button, input, canvas, .dl-choice label')].filter((node) => {
      const { width, height } = node.getBoundingClientRect();
      return width && (width < 40 || height < 40);
    }).map((node) => node.outerHTML)""")
    assert small == []
    assert (tab.foreign, tab.failed, tab.errors) == ([], [], [])


# ---- what travels ---------------------------------------------------------------------------------------------------


def test_a_page_gains_less_than_a_megabyte_from_256_units_and_12_000_words():
    model = Seq2Seq(28, 42, embedding_dim=64, hidden_size=256, attention="additive")
    known = cmudict.read().test
    widget = Pronouncer(model, cmudict.letters(), cmudict.phonemes(), known=known)
    assert len(base64.b64encode(widget.weights)) < 0.85e6
    assert len(widget.known) < 0.25e6
    assert widget.known.count("\n") == len(known) - 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"word": "a" * 35}, "has 35 letters; at most 34"),
        ({"examples": ["b" * 36]}, "has 36 letters; at most 34"),
        ({"beam": 6}, "beam=6; wanted is a number from 1 to 5"),
        ({"known": {"bad": [["B", "ZH"]]}}, "'ZH'"),
    ],
)
def test_wrong_settings_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        Pronouncer(speller(), letters(), phonemes(), **settings)


def test_a_model_that_the_page_cannot_show_is_named():
    with pytest.raises(TypeError, match="a Linear given; wanted is a dlcourse"):
        Pronouncer(torch.nn.Linear(2, 3), letters(), phonemes())
    with pytest.raises(ValueError, match="attention=None has no alignment to show; wanted is additive, dot or scaled_dot"):
        Pronouncer(speller(attention=None), letters(), phonemes())
    with pytest.raises(ValueError, match="the model knows 11 letters and 14 phonemes, the vocabularies 14 letters and 11 phonemes"):
        Pronouncer(speller(), phonemes(), letters())
    other = Vocabulary.build([PHONEMES[1:]], specials=(PAD, "<unk>", START, "<stop>"))
    with pytest.raises(ValueError, match="the phonemes have no </s>"):
        Pronouncer(speller(), letters(), other)
    longer = Vocabulary.build([[*LETTERS[1:], "th"]], specials=(PAD,))
    with pytest.raises(ValueError, match="'th' is not one letter"):
        Pronouncer(speller(), longer, phonemes())
    model = speller()
    for value, said in ((7e4, "output.bias has a weight of 70000"), (np.nan, "combine.weight has a weight of nan")):
        with torch.no_grad():
            model.get_parameter(said.split()[0]).view(-1)[0] = value
        with pytest.raises(ValueError, match=said):
            Pronouncer(model, letters(), phonemes())
        with torch.no_grad():
            model.get_parameter(said.split()[0]).view(-1)[0] = 0
