import base64
import math
from functools import partial

import numpy as np
import pytest
import torch
from ipywidgets.embed import dependency_state

from dlcourse import generation
from dlcourse.data.text import Vocabulary
from dlcourse.layers.normalization import LayerNorm, RMSNorm
from dlcourse.models.gpt import GPT
from dlcourse.widgets import assets
from dlcourse.widgets.head_viewer import HeadViewer
from dlcourse.widgets.transformer_weights import TransformerWeights, characters_of, rounded
from dlcourse.widgets.transformer_writer import TransformerWriter

VOCAB_SIZE = 17
KINDS = {
    "modern": {"positions": "rotary", "norm": RMSNorm, "activation": "squared_relu", "qk_norm": True, "bias": False},
    "GPT-2": {"positions": "learned", "norm": LayerNorm, "activation": "gelu", "tied": True},
    "2017": {"positions": "sinusoidal", "norm": partial(torch.nn.LayerNorm, eps=1e-3), "activation": "relu"},
    "blind": {"positions": "none", "norm": torch.nn.RMSNorm, "activation": "silu"},
}
FILES = (
    "sampling",
    "transformer_math",
    "transformer_context",
    "head_habits",
    "head_maps",
    "canvas",
    "next_characters",
    "head_lines",
)
LOAD = """([text, shape, parts]) => { window.net = module.unpackTransformer(bytes(text), shape, parts); return net !== null; }"""
READ = (
    """(tokens) => module.transformerReader(net)(tokens).map(({ logits, weights }) => [Array.from(logits), Array.from(weights)])"""
)
SLIDE = """([tokens, prompt]) => { // the logits after each token, the context being cut whenever it is full
  const read = module.contextReader(net), lengths = tokens.map((_, k) => k + 1).slice(prompt - 1);
  return lengths.map((length) => Array.from(read(tokens.slice(0, length)).records.at(-1).logits));
}"""


def gpt(kind="modern", *, max_length=9, dim=12, num_heads=3, num_layers=2, scale=25.0):
    """A model that has learnt nothing, with weights as large as those of one that has: every matrix, norm and bias is drawn."""
    with torch.random.fork_rng():
        torch.manual_seed(4)
        model = GPT(VOCAB_SIZE, dim, num_heads=num_heads, num_layers=num_layers, max_length=max_length, **KINDS[kind])
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(parameter * scale if parameter.ndim == 2 else torch.rand_like(parameter) + 0.5)
    return model.eval()


@pytest.fixture(scope="module")
def maths(tabs):
    """A page with the widgets' mathematics as `window.module`, shared by the tests of this file."""
    with tabs() as open_tab:
        page = open_tab().page
        page.evaluate(
            """async (code) => {
              window.module = await import(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
              window.bytes = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
            }""",
            assets.script(*FILES),
        )
        yield page


def load(page, model, **changes):
    packed = TransformerWeights(model)
    return page.evaluate(LOAD, [base64.b64encode(packed.weights).decode(), packed.shape | changes, packed.parts])


@pytest.mark.browser
@pytest.mark.parametrize("kind", KINDS)
def test_logits_and_every_heads_attention_equal_pytorchs_on_the_rounded_weights(maths, kind, attention):
    model = gpt(kind)
    assert load(maths, model)
    tokens = torch.randint(VOCAB_SIZE, (1, 9), generator=torch.Generator().manual_seed(0))
    twin = rounded(model)
    with torch.no_grad():
        expected = twin(tokens)[0]
    assert expected.std() > 0.3
    logits, weights = zip(*maths.evaluate(READ, tokens[0].tolist()), strict=True)
    np.testing.assert_allclose(logits, expected, atol=2e-4)
    maps = attention(twin, tokens)
    assert maps[:, :, -1].std() > 0.05
    for t, row in enumerate(weights):
        np.testing.assert_allclose(np.reshape(row, (2, 3, t + 1)), maps[:, :, t, : t + 1], atol=1e-5)


@pytest.mark.browser
def test_a_changed_text_is_read_from_the_first_difference_on_and_no_character_sees_the_next(maths):
    load(maths, gpt())
    kept, equal = maths.evaluate("""(() => {
      const read = module.transformerReader(net), first = read([1, 2, 3, 4]), second = read([1, 2, 5, 4, 6]);
      const fresh = module.transformerReader(net)([1, 2, 5, 4, 6]), same = (a, b) => a.logits.every((v, j) => v === b.logits[j]);
      return [second.map((record, k) => record === first[k]), second.map((record, k) => same(record, fresh[k]))];
    })()""")
    assert kept == [True, True, False, False, False]
    assert all(equal)


@pytest.mark.browser
@pytest.mark.parametrize(("kind", "max_length", "prompt"), [("GPT-2", 9, 2), ("modern", 10, 10), ("modern", 9, 1)])
def test_a_text_that_outgrows_the_context_is_read_as_generation_slides_over_it(maths, kind, max_length, prompt):
    model = gpt(kind, max_length=max_length)
    load(maths, model)
    tokens = torch.randint(VOCAB_SIZE, (1, 40), generator=torch.Generator().manual_seed(2))
    read = generation.sliding(rounded(model).read, max_length=max_length)
    expected, state = [], None
    with torch.no_grad():
        for piece in (tokens[:, :prompt], *tokens[:, prompt:].split(1, dim=1)):
            logits, state = read(piece, state)
            expected.append(logits[0, -1])
    np.testing.assert_allclose(maths.evaluate(SLIDE, [tokens[0].tolist(), prompt]), torch.stack(expected), atol=2e-4)


@pytest.mark.browser
def test_what_was_taken_back_is_read_as_before(maths):
    load(maths, gpt())
    forth, back = maths.evaluate("""(() => {
      const read = module.contextReader(net), tokens = Array.from({ length: 30 }, (_, k) => (7 * k + 2) % 17);
      const logits = (length) => read(tokens.slice(0, length)).records.at(-1).logits[0];
      const lengths = tokens.map((_, k) => k + 1), forth = lengths.map(logits);
      return [forth, lengths.reverse().map((length) => read(tokens, length).records.at(-1).logits[0])];
    })()""")
    assert len(set(forth)) > 20
    assert back[::-1] == forth


@pytest.mark.browser
@pytest.mark.parametrize(
    "settings", [(0.7, None, None), (1.3, 4, None), (0.9, None, 0.6), (1.0, 6, 0.7), (2.0, 1, 0.05), (0.0, 3, 0.4)]
)
def test_probabilities_are_those_that_generation_draws_from(maths, monkeypatch, settings):
    logits = torch.tensor([[1.0, 2.5, 2.5, -1.0, 0.3, 2.5, 1.9, -4.0]], dtype=torch.float64)
    found = maths.evaluate(
        "([logits, t, k, p]) => Array.from(module.probabilities(logits, t, k, p))", [logits[0].tolist(), *settings]
    )
    drawn_from = []
    monkeypatch.setattr(
        torch, "multinomial", lambda weights, *_, **__: drawn_from.append(weights[0]) or torch.zeros(1, 1, dtype=torch.int64)
    )
    temperature, top_k, top_p = settings
    token = generation.sample(logits, temperature=temperature, top_k=top_k, top_p=top_p)
    expected = drawn_from[0] / drawn_from[0].sum() if drawn_from else torch.eye(8, dtype=torch.float64)[token[0]]
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.browser
def test_surprise_equals_cross_entropy_and_draws_follow_the_probabilities(maths):
    logits = torch.tensor([900.0, 899.0, 902.5, -50.0], dtype=torch.float64)
    surprise = maths.evaluate("([l, k]) => module.bits(l, k)", [logits.tolist(), 1])
    assert surprise == pytest.approx(-torch.log_softmax(logits, dim=0)[1].item() / math.log(2))
    chances, size = [0.5, 0.0, 0.3, 0.2], 20_000
    draws = maths.evaluate("([p, n]) => Array.from({ length: n }, (_, k) => module.draw(p, module.uniform(7, k)))", [chances, size])
    np.testing.assert_allclose(np.bincount(draws, minlength=4) / size, chances, atol=2 / math.sqrt(size))


@pytest.mark.browser
def test_weights_of_another_shape_are_refused(maths):
    packed = TransformerWeights(gpt())
    shorter = base64.b64encode(packed.weights[:-1]).decode()
    assert not maths.evaluate(LOAD, [shorter, packed.shape, packed.parts])


def test_eight_bits_change_no_weight_by_more_than_half_a_step_and_the_loss_by_little():
    model = gpt("GPT-2", dim=48, scale=4.0)
    twin = rounded(model)
    changed = 0.0
    for (name, exact), ours in zip(model.named_parameters(), twin.parameters(), strict=True):
        step = exact.abs().amax(dim=-1, keepdim=True) / 127 if exact.ndim == 2 else exact.abs() * 2**-10
        assert ((exact - ours).abs() <= 0.57 * step).all(), name  # scales are rounded too
        changed = max(changed, (exact - ours).abs().max().item())
    assert changed > 1e-4
    tokens = torch.randint(VOCAB_SIZE, (200, 9), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        losses = [
            torch.nn.functional.cross_entropy(m(tokens)[:, :-1].flatten(0, 1), tokens[:, 1:].flatten()) for m in (model, twin)
        ]
    assert abs(losses[0] - losses[1]) < 2e-3
    with torch.no_grad():
        model.embedding.weight[3] = 0.0
    assert (rounded(model).embedding.weight[3] == 0).all()


def test_a_page_gains_less_than_1_25_megabytes_from_both_widgets_on_a_model_of_four_layers():
    model = GPT(64, 128, num_heads=4, num_layers=4, max_length=128, **KINDS["modern"] | {"norm": LayerNorm})
    scripts = sum(len(widget._esm) + len(widget._css) for widget in (TransformerWriter, HeadViewer))
    assert len(base64.b64encode(TransformerWeights(model).weights)) + scripts < 1.25e6


def test_widgets_that_show_the_same_model_carry_its_weights_once():
    weights, numbers = TransformerWeights(gpt()), Vocabulary.build(["\n abcdefgANR:.,'!"], specials=())
    state = dependency_state(
        [HeadViewer(weights, numbers, text="abc"), TransformerWriter(weights, numbers, prompt="abc")], drop_defaults=False
    )
    assert len([buffer for entry in state.values() for buffer in entry.get("buffers", [])]) == 1


def test_models_that_the_page_cannot_show_are_named():
    with pytest.raises(TypeError, match="a Linear given; wanted is a dlcourse"):
        TransformerWeights(torch.nn.Linear(2, 3))
    model = gpt()
    model.blocks[1].feed_forward_norm = torch.nn.Identity()
    with pytest.raises(ValueError, match="norm=Identity"):
        TransformerWeights(model)
    model = gpt()
    model.blocks[0].feed_forward.activation = torch.nn.Tanh()
    with pytest.raises(ValueError, match=r"activation=Tanh.*relu, squared_relu, gelu, silu"):
        TransformerWeights(model)
    model = gpt()
    with torch.no_grad():
        model.output.weight[2, 3] = math.nan
    with pytest.raises(ValueError, match="not finite"):
        TransformerWeights(model)
    with torch.no_grad():
        model.output.weight[2, 3] = 1e8
    with pytest.raises(ValueError, match=r"1e\+08 is too large for 16 bits"):
        TransformerWeights(model)
    with pytest.raises(ValueError, match="knows 17 tokens and the vocabulary 3"):
        characters_of(TransformerWeights(gpt()), Vocabulary.build(["abc"], specials=()))
    with pytest.raises(ValueError, match="'<unk>' is not one character"):
        characters_of(TransformerWeights(gpt()), Vocabulary.build(["\n abcdefgANR:.,'!"[:16]], specials=("<unk>",)))


@pytest.mark.browser
def test_habits_are_the_mean_attention_to_the_places_that_they_mean(maths):
    text = "ab ab\nba abba"
    numbers = {character: k for k, character in enumerate(" \nab")}
    tokens, size = [numbers[c] for c in text], len(text)
    rows = [np.random.default_rng(t).dirichlet(np.full(t + 1, 0.3)) for t in range(size)]
    places, found = maths.evaluate(
        """([tokens, pairs, rows]) => {
          const places = module.relations(tokens, { numbers: new Map(pairs) });
          return [places, module.habitsOf(rows.map((row) => Float64Array.from(row)), places)];
        }""",
        [tokens, list(numbers.items()), [row.tolist() for row in rows]],
    )
    assert places[12] == {
        "itself": [12], "previous": [11], "near": [8, 9, 10], "same": [0, 3, 7, 9], "after": [1, 4, 8, 10],
        "word": [8, 9], "line": [5, 6],
    }  # fmt: skip
    assert (places[0]["previous"], places[1]["near"], places[1]["word"], places[5]["word"]) == ([], [], [], [])
    assert places[2]["word"] == []
    assert places[3]["word"] == []
    for habit in found["habits"]:
        settled = [t for t in range(8, size) if places[t][habit["name"]]]
        shares = [sum(rows[t][s] for s in places[t][habit["name"]]) for t in settled]
        assert habit["share"] == pytest.approx(np.mean(shares) if shares else 0)
        assert habit["chance"] == pytest.approx(
            np.mean([len(places[t][habit["name"]]) / (t + 1) for t in settled]) if settled else 0
        )
    entropies = [-sum(w * math.log(w) for w in row if w > 0) for row in rows[8:]]
    assert found["spread"] == pytest.approx(np.mean(np.exp(entropies)))


@pytest.mark.browser
@pytest.mark.parametrize(
    ("name", "of"), [("previous", lambda t: t - 1), ("itself", lambda t: t), ("near", lambda t: t - 3), (None, None)]
)
def test_a_head_is_named_after_what_it_looks_at(maths, name, of):
    size, rows = 20, []
    for t in range(size):
        row = np.full(t + 1, 0.3 / (t + 1)) if of else np.full(t + 1, 1 / (t + 1))
        if of:
            row[max(of(t), 0)] += 0.7
        rows.append(row.tolist())
    main = maths.evaluate(
        """(rows) => { const places = module.relations(rows.map((_, k) => k % 7), { numbers: new Map() });
             return module.habitsOf(rows.map((row) => Float64Array.from(row)), places).main?.name ?? null; }""",
        rows,
    )
    assert main == name


@pytest.mark.browser
def test_rows_break_at_line_ends_and_before_words_that_do_not_fit(maths):
    found = maths.evaluate("([text, columns]) => module.layOut([...text], columns)", ["ab cde\nfghijkl m", 5])
    assert found == [
        [0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2], [1, 3],
        [2, 0], [2, 1], [2, 2], [2, 3], [2, 4], [3, 0], [3, 1], [3, 2], [3, 3],
    ]  # fmt: skip
    assert maths.evaluate("module.mostRead(Float64Array.of(0.2, 0.005, 0.595, 0.2), 3)") == [[2, 0.595], [3, 0.2], [0, 0.2]]
