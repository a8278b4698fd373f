import base64
import re

import numpy as np
import pytest
import torch
from ipywidgets.embed import dependency_state

from dlcourse import decoding
from dlcourse.data import cmudict
from dlcourse.data.text import END, PAD, START, Vocabulary, pad
from dlcourse.losses import cross_entropy
from dlcourse.models.seq2seq import Seq2Seq
from dlcourse.widgets import pronouncer_weights
from dlcourse.widgets.pronouncer import SOUNDS, WORDS, Pronouncer

LETTERS = "abcdefght'"
SPELT = {"a": "AE", "b": "B", "c": "K", "d": "ER", "e": "EH", "f": "F", "g": "G", "h": "AH", "t": "T", "y": "TH"}  # ' is silent
PHONEMES = ["AE", "B", "K", "EH", "IY", "F", "TH", "T", "AH", "ER", "G"]
KNOWN = {"bad": [["B", "AE", "T"]], "fee": [["F", "IY"], ["F", "EH"]], "tag": [["T", "AE", "G"]]}
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
    page = module("recurrent_math", "pronouncer_math")
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
    page, model = module("recurrent_math", "pronouncer_math"), speller(scale=2.5)
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
            words = random_spellings(64, seed=None)
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
    page = module("recurrent_math", "pronouncer_math")

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
def speaking(widget_page):
    """A function that opens a page with the widget."""

    def show(model=None, *, theme="light", width=1280, reduced_motion="reduce", **settings):
        options = {"word": "cab", "examples": ("fee", "tag"), "known": KNOWN, "trained_on": {"fee"}} | settings
        widget = Pronouncer(model or speller(), letters(), phonemes(), **options)
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
