"""The embedding is torch's, and a one-hot vector times its table."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dlcourse.layers.embedding import Embedding, token_mask


def test_a_row_is_a_one_hot_vector_times_the_table():
    layer, tokens = Embedding(5, 3), torch.tensor([4, 0, 4])
    one_hot = F.one_hot(tokens, 5).float()  # (3, 5)
    torch.testing.assert_close(layer(tokens), one_hot @ layer.weight)


@pytest.mark.parametrize("padding_idx", [None, 0, 2])
@pytest.mark.parametrize("shape", [(), (4,), (4, 6), (2, 4, 6)])
def test_values_and_gradients_equal_torchs(shape, padding_idx):
    torch.manual_seed(0)
    twin = nn.Embedding(7, 3, padding_idx=padding_idx, dtype=torch.float64)
    nn.init.normal_(twin.weight)  # the row of the padding too
    ours, tokens = Embedding.from_torch(twin), torch.randint(7, shape)
    pull = torch.randn(*shape, 3, dtype=torch.float64)
    torch.testing.assert_close(ours(tokens), twin(tokens))
    gradients = [torch.autograd.grad(layer(tokens), layer.weight, pull) for layer in (ours, twin)]
    torch.testing.assert_close(*gradients)


def test_a_token_met_twice_gets_the_sum_of_both_gradients():
    layer = Embedding(4, 2)
    layer(torch.tensor([1, 3, 1])).sum().backward()
    assert layer.weight.grad.tolist() == [[0, 0], [2, 2], [0, 0], [1, 1]]


def test_the_row_of_the_padding_is_zero_and_stays_zero():
    layer = Embedding(4, 2, padding_idx=0)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    (layer(torch.tensor([[1, 0], [3, 0]])) + 1).square().sum().backward()
    optimizer.step()
    assert layer.weight[0].tolist() == [0, 0]
    assert layer.weight.grad[1].abs().sum() > 0


def test_one_optimiser_step_equals_torchs():
    torch.manual_seed(0)
    twin = nn.Embedding(6, 3, padding_idx=0)
    ours, tokens = Embedding.from_torch(twin), torch.tensor([[1, 5, 0], [2, 1, 1]])
    for layer in (ours, twin):
        optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
        (layer(tokens) ** 2).mean().backward()
        optimizer.step()
    torch.testing.assert_close(ours.state_dict(), dict(twin.state_dict()))


def test_the_copy_does_not_share_its_weights():
    twin = nn.Embedding(3, 2)
    before = Embedding.from_torch(twin).weight
    nn.init.zeros_(twin.weight)
    assert before.abs().sum() > 0


def test_rows_start_standard_normal():
    torch.manual_seed(0)
    weight = Embedding(500, 100).weight
    assert weight.mean().item() == pytest.approx(0, abs=0.02)
    assert weight.std().item() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("number", [-1, 5, 99])
def test_a_number_without_a_row_is_named(number):
    with pytest.raises(ValueError, match=rf"token {number} has no vector: this table has rows 0 to 4"):
        Embedding(5, 2)(torch.tensor([[0, 1], [number, 4]]))


def test_tokens_must_be_whole_numbers():
    with pytest.raises(TypeError, match=r"dtype torch\.float32 given; torch\.int64 numbers are wanted"):
        Embedding(5, 2)(torch.zeros(3))


@pytest.mark.parametrize(
    ("sizes", "padding_idx", "message"),
    [
        ((0, 2), None, "num_embeddings=0"),
        ((3, 0), None, "embedding_dim=0"),
        ((3, 2), 3, "padding_idx=3 is none of rows 0 to 2"),
    ],
)
def test_sizes_that_are_no_sizes_are_refused(sizes, padding_idx, message):
    with pytest.raises(ValueError, match=message):
        Embedding(*sizes, padding_idx=padding_idx)


@pytest.mark.parametrize("padding_idx", [None, 1])
@pytest.mark.parametrize("shape", [(0,), (2, 0), (0, 3)])
def test_no_token_gives_no_vector_of_the_right_width(shape, padding_idx):
    vectors = Embedding(5, 4, padding_idx=padding_idx)(torch.zeros(shape, dtype=torch.int64))
    assert vectors.shape == (*shape, 4)


@pytest.mark.parametrize("module", [nn.Linear(3, 2), nn.EmbeddingBag(3, 2)])
def test_another_layer_of_torch_is_refused(module):
    with pytest.raises(ValueError, match=r"torch\.nn\.Embedding wanted"):
        Embedding.from_torch(module)


@pytest.mark.parametrize("settings", [{"max_norm": 1.0}, {"scale_grad_by_freq": True}, {"sparse": True}])
def test_settings_of_torch_that_we_do_not_have_are_refused(settings):
    with pytest.raises(ValueError, match="not known here: Embedding"):
        Embedding.from_torch(nn.Embedding(3, 2, **settings))


def test_the_layer_prints_its_sizes():
    assert repr(Embedding(5, 2, padding_idx=0)) == "Embedding(5, 2, padding_idx=0)"
    assert repr(Embedding(5, 2)) == "Embedding(5, 2)"


def test_the_mask_is_true_where_text_is():
    tokens = torch.tensor([[3, 9, 9], [4, 5, 6]])
    assert token_mask(tokens, padding=9).tolist() == [[True, False, False], [True, True, True]]


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ([1, 2], r"tokens of shape \(2,\) given; \(B, T\) wanted"),
        ([[]], r"tokens of shape \(1, 0\) given"),
        ([[1, 2], [0, 0]], "text 1 of the batch has no token"),
        ([[1, 2, 0], [1, 0, 2]], "text 1 of the batch has padding before a token"),
    ],
)
def test_a_batch_that_is_no_text_is_refused(tokens, message):
    with pytest.raises(ValueError, match=message):
        token_mask(torch.tensor(tokens))
