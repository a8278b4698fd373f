"""Positions: the tables are the papers', and rotary scores know only how far apart two tokens are."""

import math

import pytest
import torch

from dlcourse.layers.positional import LearnedPositions, RotaryEmbedding, SinusoidalPositions, angles, sinusoidal

B, N, T, D, M = 2, 3, 5, 6, 9


def test_position_zero_is_zero_one_zero_one():
    assert sinusoidal(4, D)[0].tolist() == [0, 1, 0, 1, 0, 1]


def test_the_sinusoidal_table_is_the_papers_formula():
    table = sinusoidal(M, D)
    for position in range(M):
        for i in range(D // 2):
            angle = position / 10_000 ** (2 * i / D)
            assert table[position, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-6)
            assert table[position, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-6)


def test_far_positions_are_exact_to_the_last_digit_of_float32():
    assert sinusoidal(100_001, 2)[-1, 0].item() == pytest.approx(math.sin(100_000), abs=1e-7)


def test_a_step_turns_every_pair_of_the_table_by_the_same_angle_wherever_it_starts():
    table, turn = sinusoidal(M, D), angles(2, D)[1].float()
    sine, cosine = table[:, 0::2], table[:, 1::2]
    torch.testing.assert_close(sine[1:], sine[:-1] * turn.cos() + cosine[:-1] * turn.sin())


def test_all_positions_differ_and_have_the_same_length():
    table = sinusoidal(50, D)
    assert torch.pdist(table).min() > 0.1
    torch.testing.assert_close(table.square().sum(dim=1), torch.full((50,), D / 2))


@pytest.mark.parametrize("sizes", [(0, 4), (3, 5), (3, 0)])
def test_a_table_needs_a_position_and_an_even_width(sizes):
    with pytest.raises(ValueError, match=f"num_positions={sizes[0]}, dim={sizes[1]}: .* an even dim"):
        sinusoidal(*sizes)


@pytest.mark.parametrize("layer", [SinusoidalPositions, LearnedPositions])
def test_a_text_gets_the_rows_from_its_start_on(layer):
    positions, x = layer(D, max_length=M), torch.randn(B, T, D)
    torch.testing.assert_close(positions(x), x + positions.table[:T])
    torch.testing.assert_close(positions(x, start=4), x + positions.table[4:])


def test_the_fixed_table_has_nothing_to_learn_or_to_save_and_the_learned_one_has():
    fixed, learned = SinusoidalPositions(D, max_length=M), LearnedPositions(D, max_length=M)
    assert not fixed.state_dict()
    assert not list(fixed.parameters())
    assert learned.state_dict()["table"].shape == (M, D)
    learned(torch.zeros(B, T, D)).sum().backward()
    assert learned.table.grad.tolist() == [[B] * D] * T + [[0] * D] * (M - T)


def test_learned_positions_start_small_and_the_same_seed_gives_the_same():
    tables = []
    for _ in range(2):
        torch.manual_seed(0)
        tables.append(LearnedPositions(40, max_length=100).table)
    assert torch.equal(*tables)
    assert tables[0].std().item() == pytest.approx(0.02, rel=0.1)


def test_the_layers_follow_the_dtype_of_what_they_are_given():
    x = torch.zeros(B, T, D, dtype=torch.float64)
    assert SinusoidalPositions(D, max_length=M)(x).dtype == torch.float64
    assert RotaryEmbedding(D, max_length=M)(x).dtype == torch.float64


def rotated(vector, position, rotary):
    """The vector (D,) as it is turned where it stands at a position."""
    return rotary(vector[None], start=position)[0]


def test_rotary_scores_depend_on_the_difference_of_positions_only():
    torch.manual_seed(0)
    rotary, q, k = RotaryEmbedding(D, max_length=M).double(), *torch.randn(2, D, dtype=torch.float64)
    scores = {}
    for t in range(M):
        for s in range(M):
            scores.setdefault(t - s, []).append(rotated(q, t, rotary) @ rotated(k, s, rotary))
    for difference, group in scores.items():
        torch.testing.assert_close(torch.stack(group), group[0].expand(M - abs(difference)), rtol=0, atol=1e-6)
    assert torch.stack([group[0] for group in scores.values()]).std() > 0.1
    torch.testing.assert_close(scores[0][0], q @ k)


def test_turning_keeps_lengths_and_position_zero_as_it_is():
    torch.manual_seed(0)
    x = torch.randn(B, N, T, D)
    y = RotaryEmbedding(D, max_length=M)(x)
    torch.testing.assert_close(y.norm(dim=-1), x.norm(dim=-1))
    assert torch.equal(y[:, :, 0], x[:, :, 0])
    assert not torch.allclose(y[:, :, 1:], x[:, :, 1:])


def test_with_its_columns_in_another_order_it_is_the_matrix_of_the_paper():
    torch.manual_seed(0)
    x, order = torch.randn(D), [0, 3, 1, 4, 2, 5]  # our pairs (i, i + 3), put side by side
    for m in range(M):
        a = angles(M, D)[m].float()
        blocks = [torch.stack([torch.stack([c.cos(), -c.sin()]), torch.stack([c.sin(), c.cos()])]) for c in a]
        ours = rotated(x, m, RotaryEmbedding(D, max_length=M))
        torch.testing.assert_close(ours[order], torch.block_diag(*blocks) @ x[order])


def test_a_text_turned_in_parts_is_turned_as_in_one():
    rotary, x = RotaryEmbedding(D, max_length=M), torch.randn(B, N, T, D)
    parts = rotary(x[:, :, :2]), rotary(x[:, :, 2:], start=2)
    assert torch.equal(torch.cat(parts, dim=2), rotary(x))


def test_the_gradient_is_turned_back():
    rotary, pull = RotaryEmbedding(D, max_length=M), torch.randn(T, D)
    x = torch.randn(T, D, requires_grad=True)
    (gradient,) = torch.autograd.grad(rotary(x), x, pull)
    torch.testing.assert_close(rotary(gradient), pull)


@pytest.mark.parametrize("layer", [SinusoidalPositions, LearnedPositions, RotaryEmbedding])
@pytest.mark.parametrize(("start", "size", "last"), [(0, M + 1, M), (M - 1, 2, M), (M, 1, M), (-1, 2, 0)])
def test_a_position_beyond_the_maximum_is_refused(layer, start, size, last):
    positions = layer(D, max_length=M)
    assert positions(torch.zeros(B, M, D)).shape == (B, M, D)
    with pytest.raises(ValueError, match=f"positions {start} to {last} asked for; there are 0 to 8"):
        positions(torch.zeros(B, size, D), start)


@pytest.mark.parametrize("layer", [SinusoidalPositions, LearnedPositions, RotaryEmbedding])
@pytest.mark.parametrize("shape", [(B, T, D + 2), (D,)])
def test_an_input_of_another_shape_is_refused(layer, shape):
    with pytest.raises(ValueError, match=r"an input of shape .* given; \(.*T, 6\) wanted"):
        layer(D, max_length=M)(torch.zeros(shape))


@pytest.mark.parametrize("layer", [SinusoidalPositions, LearnedPositions, RotaryEmbedding])
def test_no_position_at_all_is_refused_and_sizes_are_printed(layer):
    with pytest.raises(ValueError, match="at least 1"):
        layer(D, max_length=0)
    assert repr(layer(D, max_length=M)) == f"{layer.__name__}(6, max_length=9)"
