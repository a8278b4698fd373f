"""The recurrent layers are PyTorch's: outputs, states and all gradients, in every arrangement, padding included."""

import copy
import math
import pickle

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from dlcourse.layers.recurrent import CELLS, GRU, LSTM, RNN, gru_step, lstm_step, rnn_step, scan

PAIRS = {
    "RNN": (RNN, nn.RNN, {}),
    "relu": (RNN, nn.RNN, {"nonlinearity": "relu"}),
    "LSTM": (LSTM, nn.LSTM, {}),
    "GRU": (GRU, nn.GRU, {}),
}
ARRANGEMENTS = [(1, False), (1, True), (2, False), (3, True)]
B, T, D, H = 5, 6, 3, 4


def pair(name, dtype=torch.float64, **settings):
    """One of our layers and the layer of torch that it copies."""
    torch.manual_seed(0)
    ours, torchs, extra = PAIRS[name]
    twin = torchs(D, H, batch_first=True, dtype=dtype, **extra, **settings)
    return ours.from_torch(twin), twin


def numbers(*shape, dtype=torch.float64):
    return torch.randn(shape, dtype=dtype, requires_grad=True)


def starts(name, count, dtype=torch.float64):
    """A state to start from, as a list of one or two tensors, and as the layer wants it."""
    parts = [numbers(count, B, H, dtype=dtype) for _ in range(2 if name == "LSTM" else 1)]
    return parts, tuple(parts) if name == "LSTM" else parts[0]


def flat(outputs, state):
    return [outputs, *(state if isinstance(state, tuple) else [state])]


def compare(ours, twin, leaves, a, b, **tolerance):
    """Outputs, states, and the gradients of a random pull on them to every leaf and every parameter agree."""
    torch.testing.assert_close(a, b, **tolerance)
    pulls = [torch.randn_like(part) for part in a]
    gradients = [torch.autograd.grad(parts, [*leaves, *layer.parameters()], pulls) for parts, layer in ((a, ours), (b, twin))]
    torch.testing.assert_close(*gradients, **tolerance)


@pytest.mark.parametrize(("dtype", "atol"), [(torch.float32, 1e-6), (torch.float64, 1e-12)])
@pytest.mark.parametrize(("num_layers", "bidirectional"), ARRANGEMENTS)
@pytest.mark.parametrize("name", PAIRS)
def test_outputs_states_and_gradients_equal_torchs(name, num_layers, bidirectional, dtype, atol):
    ours, twin = pair(name, dtype, num_layers=num_layers, bidirectional=bidirectional)
    x = numbers(B, T, D, dtype=dtype)
    parts, state = starts(name, num_layers * (1 + bidirectional), dtype)
    compare(ours, twin, [x, *parts], flat(*ours(x, state)), flat(*twin(x, state)), rtol=1e-5, atol=atol)


@pytest.mark.parametrize("lengths", [[6, 5, 4, 2, 1], [2, 4, 1, 4, 3]], ids=["longest first", "none fills the batch"])
@pytest.mark.parametrize(("num_layers", "bidirectional"), ARRANGEMENTS)
@pytest.mark.parametrize("name", PAIRS)
def test_with_lengths_they_equal_torchs_packed_sequences(name, num_layers, bidirectional, lengths):
    ours, twin = pair(name, num_layers=num_layers, bidirectional=bidirectional)
    x, lengths = numbers(B, T, D), torch.tensor(lengths)
    parts, state = starts(name, num_layers * (1 + bidirectional))
    packed, end = twin(pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False), state)
    outputs, _ = pad_packed_sequence(packed, batch_first=True, total_length=T)
    compare(ours, twin, [x, *parts], flat(*ours(x, state, lengths=lengths)), flat(outputs, end), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", PAIRS)
def test_what_stands_in_the_padding_changes_nothing(name):
    ours, _ = pair(name, num_layers=2, bidirectional=True)
    x, lengths = numbers(B, T, D), torch.tensor([4, 1, 6, 2, 3])
    wild = x.detach().clone()
    wild[torch.arange(T) >= lengths[:, None]] = math.nan
    wild.requires_grad_()
    compare(ours, ours, [], flat(*ours(x, lengths=lengths)), flat(*ours(wild, lengths=lengths)), rtol=0, atol=0)
    ours(wild, lengths=lengths)[0].sum().backward()
    assert (wild.grad[torch.arange(T) >= lengths[:, None]] == 0).all()


@pytest.mark.parametrize("name", PAIRS)
def test_a_sequence_in_a_padded_batch_reads_as_it_does_alone(name):
    ours, _ = pair(name, num_layers=2, bidirectional=True)
    x, lengths = numbers(B, T, D), torch.tensor([4, 1, 6, 2, 3])
    outputs, *state = flat(*ours(x, lengths=lengths))
    for b, length in enumerate(lengths):
        alone, *end = flat(*ours(x[b : b + 1, :length]))
        torch.testing.assert_close(outputs[b : b + 1, :length], alone)
        torch.testing.assert_close([part[:, b : b + 1] for part in state], end)
        assert (outputs[b, length:] == 0).all()


@pytest.mark.parametrize("name", PAIRS)
def test_a_text_read_in_two_parts_reads_as_in_one(name):
    ours, _ = pair(name, num_layers=2)
    x = numbers(B, T, D)
    whole, end = ours(x)
    first, state = ours(x[:, :2])
    second, last = ours(x[:, 2:], state)
    torch.testing.assert_close([torch.cat([first, second], dim=1), *flat(second, last)[1:]], [whole, *flat(whole, end)[1:]])


@pytest.mark.parametrize("name", PAIRS)
def test_one_direction_does_not_see_what_comes_later(name):
    ours, _ = pair(name, num_layers=2)
    x = numbers(B, T, D)
    outputs, _ = ours(x)
    (gradient,) = torch.autograd.grad(outputs[:, 2].sum(), x)
    assert (gradient[:, 3:] == 0).all()
    assert (gradient[:, :3] != 0).any(dim=-1).all()


@pytest.mark.parametrize("name", PAIRS)
def test_the_gradients_are_those_of_small_differences(name):
    ours, _ = pair(name, bidirectional=True)
    x = numbers(2, 3, D)
    assert torch.autograd.gradcheck(lambda *leaves: flat(*ours(leaves[0]))[1:], (x, *ours.parameters()))


def test_one_step_of_each_cell_is_its_formula():
    torch.manual_seed(0)
    h, c = torch.randn(2, B, H, dtype=torch.float64)

    def of(gates):
        return [torch.randn(shape, dtype=torch.float64) for shape in ((B, gates * H), (gates * H, H), (gates * H,))]

    a, u, b = of(1)
    torch.testing.assert_close(rnn_step(a, (h,), u, b), (torch.tanh(a + h @ u.T + b),))
    a, u, b = of(4)
    i, f, g, o = (a + h @ u.T + b).unflatten(1, (4, H)).unbind(1)
    cell = c / (1 + torch.exp(-f)) + torch.tanh(g) / (1 + torch.exp(-i))
    torch.testing.assert_close(lstm_step(a, (h, c), u, b), (torch.tanh(cell) / (1 + torch.exp(-o)), cell))
    a, u, b = of(3)
    products = h @ u.T + b
    r, z = (1 / (1 + torch.exp(-(a + products)[:, rows])) for rows in (slice(0, H), slice(H, 2 * H)))
    n = torch.tanh(a[:, 2 * H :] + r * products[:, 2 * H :])
    torch.testing.assert_close(gru_step(a, (h,), u, b), ((1 - z) * n + z * h,))


def test_a_scan_returns_the_state_after_each_token():
    def add(a, state, weight, bias):
        return (state[0] * weight + a + bias,)

    a = torch.tensor([[1.0, 2.0, 3.0]])[..., None]  # B = 1, T = 3
    states = scan(add, a, (torch.zeros(1, 1),), torch.tensor(10.0), torch.tensor(0.0))
    assert [int(h) for (h,) in states] == [1, 12, 123]


@pytest.mark.parametrize(("layer", "count"), [(RNN, 36), (GRU, 108), (LSTM, 144)])
def test_from_3_inputs_to_4_units_the_layers_have_36_108_and_144_parameters(layer, count):
    assert sum(p.numel() for p in layer(3, 4).parameters()) == count


@pytest.mark.parametrize("name", PAIRS)
def test_the_same_seed_starts_with_torchs_weights_and_the_states_can_be_exchanged(name):
    ours, torchs, extra = PAIRS[name]
    torch.manual_seed(3)
    a = ours(D, H, num_layers=2, bidirectional=True, **extra)
    torch.manual_seed(3)
    b = torchs(D, H, num_layers=2, bidirectional=True, **extra)
    torch.testing.assert_close(a.state_dict(), dict(b.state_dict()), rtol=0, atol=0)
    b.load_state_dict(a.state_dict())


def test_one_optimiser_step_equals_torchs():
    ours, twin = pair("LSTM", num_layers=2)
    x = torch.randn(B, T, D, dtype=torch.float64)
    for layer in (ours, twin):
        optimizer = torch.optim.SGD(layer.parameters(), lr=0.5)
        layer(x)[0].square().mean().backward()
        optimizer.step()
    torch.testing.assert_close(ours.state_dict(), dict(twin.state_dict()))


def test_the_forget_bias_is_added_to_the_forget_gates_alone():
    layers = []
    for forget_bias in (0.0, 1.5):
        torch.manual_seed(0)
        layers.append(LSTM(D, H, num_layers=2, bidirectional=True, forget_bias=forget_bias))
    for (name, before), (_, after) in zip(*(layer.named_parameters() for layer in layers), strict=True):
        added = torch.zeros(4, H)
        added[1] = 1.5 if name.startswith("bias_ih") else 0.0
        torch.testing.assert_close(after - before, added.flatten() if before.ndim == 1 else torch.zeros_like(before))


def test_dropout_acts_between_layers_and_in_training_only():
    torch.manual_seed(0)
    x = torch.randn(B, T, D)
    one, two = LSTM(D, H, dropout=0.5), LSTM(D, H, num_layers=2, dropout=0.5)
    torch.testing.assert_close(one(x), one(x), rtol=0, atol=0)
    assert not torch.equal(two(x)[0], two(x)[0])
    torch.testing.assert_close(two(x)[1][0][0], two(x)[1][0][0], rtol=0, atol=0)  # the first layer's state
    two.eval()
    torch.testing.assert_close(two(x), two(x), rtol=0, atol=0)


@pytest.mark.parametrize("name", PAIRS)
def test_each_layer_overfits_one_batch(name):
    torch.manual_seed(0)
    ours, _, extra = PAIRS[name]
    layer, x, y = ours(D, 24, **extra), torch.randn(B, T, D), torch.randn(B, T)
    signs = torch.tensor([1.0, -1.0]).repeat(12)  # of the outputs' sum, since those of relu are never negative
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.02)
    for _ in range(250):
        loss = (layer(x)[0] @ signs - y).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.01


@pytest.mark.parametrize(
    ("lengths", "error", "message"),
    [
        (torch.tensor([1, 2]), ValueError, r"lengths of shape \(2,\) given for a batch of 5 sequences"),
        (torch.tensor([[1, 2, 3, 4, 5]]), ValueError, r"\(5,\) wanted"),
        (torch.tensor([3, 0, 1, 1, 1]), ValueError, "sequence 1 has length 0; from 1 to 6 wanted"),
        (torch.tensor([3, 6, 7, 1, 1]), ValueError, "sequence 2 has length 7"),
        (torch.ones(5), TypeError, "int64, got torch.float32"),
        (torch.ones(5, dtype=torch.int32), TypeError, "int64, got torch.int32"),
        ([1, 2, 3, 4, 5], TypeError, "int64, got list"),
    ],
)
def test_lengths_that_do_not_fit_are_named(lengths, error, message):
    with pytest.raises(error, match=message):
        GRU(D, H)(torch.zeros(B, T, D), lengths=lengths)


@pytest.mark.parametrize(
    ("shape", "message"), [((B, T, D + 1), r"\(B, T, 3\)"), ((T, D), r"\(B, T, 3\)"), ((B, 0, D), "empty"), ((0, T, D), "empty")]
)
def test_an_input_of_another_shape_is_refused(shape, message):
    with pytest.raises(ValueError, match=message):
        LSTM(D, H)(torch.zeros(shape))


def test_an_input_or_a_state_of_another_dtype_is_refused():
    with pytest.raises(TypeError, match=r"torch\.int64 given; this layer computes in torch\.float32"):
        RNN(D, H)(torch.zeros(B, T, D, dtype=torch.int64))
    with pytest.raises(TypeError, match=r"a state of dtype torch\.float64"):
        RNN(D, H)(torch.zeros(B, T, D), torch.zeros(1, B, H, dtype=torch.float64))
    with pytest.raises(TypeError, match=r"a state of dtype torch\.float64"):
        LSTM(D, H)(torch.zeros(B, T, D), (torch.zeros(1, B, H), torch.zeros(1, B, H, dtype=torch.float64)))
    with pytest.raises(TypeError, match="a state of Tensor, NoneType given; tensors wanted"):
        LSTM(D, H)(torch.zeros(B, T, D), (torch.zeros(1, B, H), None))


def test_a_state_of_another_shape_is_refused():
    x, h = torch.zeros(B, T, D), torch.zeros(2, B, H)
    with pytest.raises(ValueError, match=r"\(2, 5, 4\) given; h \(1, 5, 4\) wanted"):
        GRU(D, H)(x, h)
    with pytest.raises(ValueError, match=r"\(h, c\), each \(2, 5, 4\) wanted"):
        LSTM(D, H, bidirectional=True)(x, h)
    with pytest.raises(ValueError, match=r"h \(2, 5, 4\) wanted"):
        RNN(D, H, num_layers=2)(x, (h, h))


@pytest.mark.parametrize("settings", [{"hidden_size": 0}, {"num_layers": 0}, {"dropout": 1.0}, {"dropout": -0.1}])
def test_settings_out_of_range_are_named(settings):
    (name,) = settings
    with pytest.raises(ValueError, match=name):
        GRU(D, **{"hidden_size": H} | settings)


def test_an_unknown_nonlinearity_is_refused():
    with pytest.raises(ValueError, match="'sigmoid' is not known; there are tanh and relu"):
        RNN(D, H, nonlinearity="sigmoid")


def test_settings_of_torch_that_we_do_not_have_are_refused():
    with pytest.raises(ValueError, match="not known here"):
        GRU.from_torch(nn.GRU(D, H, bias=False))
    with pytest.raises(ValueError, match="not known here"):
        LSTM.from_torch(nn.LSTM(D, H, proj_size=2))


@pytest.mark.parametrize("module", [nn.LSTM(D, H), nn.RNN(D, H), nn.GRUCell(D, H), nn.Linear(D, H)], ids=str)
def test_another_layer_of_torch_is_refused(module):
    with pytest.raises(ValueError, match=r"torch\.nn\.GRU wanted"):
        GRU.from_torch(module)


@pytest.mark.parametrize("training", [True, False])
def test_the_copy_drops_out_only_where_torchs_would(training):
    twin = nn.GRU(D, H, num_layers=2, dropout=0.5).train(training)
    assert GRU.from_torch(twin).training == training


def test_a_module_that_is_not_batch_first_gives_a_copy_that_is():
    twin, x = nn.LSTM(D, H, num_layers=2, bidirectional=True), torch.randn(B, T, D)
    outputs, state = twin(x.transpose(0, 1))
    torch.testing.assert_close(LSTM.from_torch(twin)(x), (outputs.transpose(0, 1), state))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", PAIRS)
def test_half_precision_computes_to_its_own_accuracy(name, dtype):
    ours, _ = pair(name, torch.float32, num_layers=2, bidirectional=True)
    x, lengths = torch.randn(B, T, D), torch.tensor([4, 1, 6, 2, 3])
    exact = flat(*ours(x, lengths=lengths))
    found = flat(*ours.to(dtype)(x.to(dtype), lengths=lengths))
    assert {part.dtype for part in found} == {dtype}
    torch.testing.assert_close([part.float() for part in found], exact, rtol=0.05, atol=0.05)


def test_each_cell_has_its_name():
    assert {name: layer.__name__.lower() for name, layer in CELLS.items()} == {name: name for name in ("rnn", "lstm", "gru")}


@pytest.mark.parametrize("name", PAIRS)
def test_a_layer_can_be_copied_and_pickled(name):
    ours, _ = pair(name, num_layers=2)
    x = torch.randn(B, T, D, dtype=torch.float64)
    for twin in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        torch.testing.assert_close(twin(x), ours(x), rtol=0, atol=0)


def test_the_copy_has_torchs_dropout_and_does_not_share_its_weights():
    twin = nn.GRU(D, H, num_layers=2, dropout=0.25)
    ours = GRU.from_torch(twin)
    nn.init.zeros_(twin.weight_ih_l0)
    assert ours.dropout == 0.25
    assert ours.weight_ih_l0.abs().sum() > 0
