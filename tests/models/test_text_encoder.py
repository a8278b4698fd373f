"""The text encoder: torch's stack, blind to padding, blind to order only without positions; and its two heads."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dlcourse.layers.transformer import TransformerBlock
from dlcourse.models.text_encoder import MaskedLanguageModel, TextClassifier, TextEncoder

V, D, N, H, M, K = 9, 8, 2, 7, 6, 3
TOKENS = torch.tensor([[3, 5, 2, 7, 0], [8, 1, 0, 0, 0], [4, 4, 6, 2, 1], [2, 3, 4, 0, 0]])


def small(**settings):
    torch.manual_seed(0)
    return TextEncoder(V, D, num_heads=N, num_layers=2, max_length=M, hidden_size=H, **settings).eval()


def test_states_gradients_and_one_step_equal_those_of_torchs_encoder():
    ours = small().double()
    layer = nn.TransformerEncoderLayer(D, N, H, 0.0, "gelu", batch_first=True, norm_first=True, dtype=torch.float64)
    twin = nn.TransformerEncoder(layer, 2, nn.LayerNorm(D, dtype=torch.float64), enable_nested_tensor=False)
    for parameter in twin.parameters():
        nn.init.normal_(parameter, std=0.5)
    for block, theirs in zip(ours.blocks, twin.layers, strict=True):
        block.load_state_dict(TransformerBlock.from_torch(theirs).state_dict())
    ours.norm.load_state_dict(twin.norm.state_dict())
    vectors, table = (nn.Parameter(p.detach().clone()) for p in (ours.embedding.weight, ours.positions.table))
    wanted = twin(F.embedding(TOKENS, vectors) + table[: TOKENS.shape[1]], src_key_padding_mask=TOKENS == 0)[TOKENS != 0]
    states = ours(TOKENS)[TOKENS != 0]
    torch.testing.assert_close(states, wanted)
    pull = torch.randn_like(wanted)
    states.backward(pull)
    wanted.backward(pull)
    torch.optim.SGD([*ours.parameters(), vectors, table, *twin.parameters()], lr=0.1).step()
    for block, layer in zip(ours.blocks, twin.layers, strict=True):
        torch.testing.assert_close(block.state_dict(), TransformerBlock.from_torch(layer).state_dict())
    torch.testing.assert_close([ours.embedding.weight, ours.positions.table], [vectors, table])


@pytest.mark.parametrize("fused", [False, True], ids=["explicit", "fused"])
@pytest.mark.parametrize("positions", ["learned", "sinusoidal", "rotary", "none"])
def test_more_padding_changes_nothing_and_a_neighbour_exactly_nothing(positions, fused):
    encoder = small(positions=positions, fused=fused)
    states, wider = encoder(TOKENS), encoder(F.pad(TOKENS, (0, 1)))
    real = TOKENS != 0
    torch.testing.assert_close(wider[:, :5][real], states[real], rtol=0, atol=1e-6)
    torch.testing.assert_close(encoder(TOKENS[1:2, :2])[0], states[1, :2], rtol=0, atol=1e-6)
    others = TOKENS.flip(0).clone()
    others[1] = TOKENS[1]
    assert torch.equal(encoder(others)[1], states[1])


@pytest.mark.parametrize("positions", ["learned", "sinusoidal", "rotary", "none"])
def test_without_positions_states_move_with_their_tokens_and_with_them_they_do_not(positions):
    encoder, order = small(positions=positions).double(), torch.tensor([2, 0, 4, 1, 3])
    tokens = torch.tensor([[4, 5, 6, 2, 1]])
    gap = (encoder(tokens[:, order]) - encoder(tokens)[:, order]).abs().max()
    assert gap < 1e-12 if positions == "none" else gap > 1e-4


@pytest.mark.parametrize("positions", ["learned", "sinusoidal"])
def test_tokens_and_positions_enter_about_equally_large_and_guesses_start_even(positions):
    torch.manual_seed(0)
    encoder = TextEncoder(40, 64, num_heads=2, num_layers=1, max_length=20, positions=positions)
    tokens = torch.randint(1, 40, (5, 20))
    ratio = (encoder.embedding(tokens) * encoder.scale).std() / encoder.positions.table.std()
    assert 0.6 < ratio < 2
    assert MaskedLanguageModel(encoder)(tokens).std() < 1.5


def test_without_a_padding_token_every_token_is_text():
    encoder, text = small(padding=None), torch.tensor([[3, 0, 5, 0]])
    states = encoder(text)
    for place in range(4):
        changed = text.clone()
        changed[0, place] = 8
        assert (encoder(changed) != states).any(-1).all()
    model = TextClassifier(encoder, K).eval()
    torch.testing.assert_close(model(text), model.output(states.mean(1)))
    assert (encoder.embedding.weight[0] != 0).any()


def test_a_state_depends_on_every_token_of_its_text():
    encoder = small()
    states = encoder(TOKENS)
    for place in range(4):
        changed = TOKENS.clone()
        changed[0, place] = 8
        assert (encoder(changed)[0, :4] != states[0, :4]).any(-1).all()


def test_the_masked_language_model_has_the_embeddings_table_as_its_output():
    encoder = small()
    model = MaskedLanguageModel(encoder)
    logits = model(TOKENS)
    assert logits.shape == (4, 5, V)
    torch.testing.assert_close(logits, encoder(TOKENS) @ encoder.embedding.weight.T + model.output.bias)
    assert len([*model.parameters()]) == len([*encoder.parameters()]) + 1


def test_it_learns_what_stands_at_hidden_places():
    torch.manual_seed(0)
    model = MaskedLanguageModel(TextEncoder(V, 16, num_heads=2, num_layers=1, max_length=M))
    texts = torch.tensor([[3, 4, 5, 6], [6, 5, 4, 3], [7, 8, 7, 8]])
    hidden = texts.clone()
    hidden[:, 2] = 1
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(40):
        optimizer.zero_grad()
        F.cross_entropy(model(hidden)[:, 2], texts[:, 2]).backward()
        optimizer.step()
    assert model(hidden)[:, 2].argmax(-1).tolist() == [5, 4, 7]


def test_the_classifier_reads_the_mean_over_each_text_and_nothing_of_the_padding():
    encoder = small()
    model = TextClassifier(encoder, K, dropout=0.0).eval()
    means = torch.stack([encoder(TOKENS)[row, :size].mean(0) for row, size in enumerate((4, 2, 5, 3))])
    torch.testing.assert_close(model(TOKENS), model.output(means))
    torch.testing.assert_close(model(F.pad(TOKENS, (0, 1))), model(TOKENS), rtol=0, atol=1e-6)


def test_every_parameter_gets_a_gradient_and_one_batch_is_learned_by_heart():
    model, labels = TextClassifier(small(), K), torch.tensor([0, 2, 1, 2])
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for step in range(60):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(TOKENS), labels)
        loss.backward()
        if step == 0:
            assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
        optimizer.step()
    assert loss < 0.05


def test_a_classifier_takes_over_what_its_encoder_has_learned():
    encoder = small()
    MaskedLanguageModel(encoder)(TOKENS).square().mean().backward()
    assert TextClassifier(encoder, K).encoder.blocks[0].attention.query.weight.grad is not None


def test_dropout_acts_in_training_only_and_the_same_seed_gives_the_same():
    model = TextClassifier(small(dropout=0.4), K, dropout=0.4)
    assert not torch.equal(model.train()(TOKENS), model(TOKENS))
    assert torch.equal(model.eval()(TOKENS), model(TOKENS))
    assert torch.equal(small()(TOKENS), small()(TOKENS))


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ([[3, 5], [0, 0]], "text 1 of the batch has no token, only padding"),
        ([[3, 0, 5]], "padding before a token"),
        ([3, 5], r"tokens of shape \(2,\) given; \(B, T\) wanted"),
        ([[3, 9]], "token 9 has no vector"),
        ([[3] * 7], "7 tokens given; this model reads at most 6"),
        ([[]], r"tokens of shape \(1, 0\) given; \(B, T\) wanted, both at least 1"),
    ],
)
def test_what_is_no_batch_of_texts_is_refused(tokens, message):
    for model in (small(), MaskedLanguageModel(small()), TextClassifier(small(), K)):
        with pytest.raises(ValueError, match=message):
            model(torch.tensor(tokens, dtype=torch.int64))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"positions": "absolute"}, "positions='absolute' is not known; there are learned, sinusoidal, rotary, none"),
        ({"num_layers": 0}, "num_layers=0, max_length=6: both must be at least 1"),
        ({"padding": 9}, "padding_idx=9 is none of rows 0 to 8"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        TextEncoder(V, D, **{"num_heads": N, "num_layers": 2, "max_length": M, **settings})
