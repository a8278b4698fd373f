"""The activation functions are PyTorch's, with their gradients, at every size of input."""

import pytest
import torch
from torch import nn

from dlcourse.layers import activations
from dlcourse.layers.activations import ACTIVATIONS, GELU, LeakyReLU, ReLU, Softmax, SquaredReLU, sigmoid

TWINS = [nn.Sigmoid(), nn.Tanh(), nn.ReLU(), nn.LeakyReLU(0.2), nn.GELU(), nn.SiLU(), nn.Softmax(dim=1), nn.Softmax(dim=0)]
NAMES = [str(twin) for twin in TWINS]


def ours_of(twin):
    return getattr(activations, type(twin).__name__).from_torch(twin)


def inputs(dtype):
    """Numbers around 0, 0 itself, and both ends of what float32 exponentials can take."""
    torch.manual_seed(0)
    extreme = torch.tensor([0.0, -0.0, 1e-6, -1e-6, 20, -20, 88, -88, 120, -120, 1e4, -1e4], dtype=dtype).view(3, 4)
    return torch.stack([extreme, 3 * torch.randn(3, 4, dtype=dtype)]).requires_grad_()  # (2, 3, 4)


@pytest.mark.parametrize("twin", TWINS, ids=NAMES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_forward_and_gradient_equal_torchs(twin, dtype):
    x = inputs(dtype)
    ours, theirs = ours_of(twin)(x), twin(x)
    assert ours.dtype == dtype
    torch.testing.assert_close(ours, theirs)
    seen = torch.randn_like(ours)
    torch.testing.assert_close(*(torch.autograd.grad(y, x, seen)[0] for y in (ours, theirs)))


@pytest.mark.parametrize("twin", TWINS, ids=NAMES)
def test_the_second_derivative_equals_torchs_too(twin):
    torch.manual_seed(1)
    x, seen = torch.randn(3, 5, dtype=torch.float64, requires_grad=True), torch.randn(3, 5, dtype=torch.float64)
    slopes = (torch.autograd.grad(layer(x), x, seen, create_graph=True)[0] for layer in (ours_of(twin), twin))
    ours, theirs = (torch.autograd.grad((s * s).sum() + 0 * x.sum(), x)[0] for s in slopes)
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("twin", TWINS, ids=NAMES)
def test_a_nan_stays_a_nan(twin):
    assert ours_of(twin)(torch.tensor([[float("nan"), 1.0]])).isnan()[0, 0]


def test_small_numbers_keep_their_digits():
    x = torch.tensor([-30.0, -60.0])
    torch.testing.assert_close(sigmoid(x), torch.sigmoid(x), rtol=1e-6, atol=0)
    tiny = torch.tensor([1e-20, -1e-9])
    torch.testing.assert_close(activations.Tanh()(tiny), torch.tanh(tiny), rtol=1e-6, atol=0)


def test_softmax_sums_to_one_and_ignores_a_shift():
    x = torch.randn(4, 6)
    p = Softmax()(x)
    torch.testing.assert_close(p.sum(-1), torch.ones(4))
    torch.testing.assert_close(Softmax()(x + 1000), p)


def test_tanh_is_a_stretched_sigmoid():
    x = torch.linspace(-5, 5, 11, dtype=torch.float64)
    torch.testing.assert_close(2 * sigmoid(2 * x) - 1, torch.tanh(x))


def test_a_leak_behind_a_rectifier_never_acts():
    x = torch.tensor([-2.0, -1.0, 0.0, 1.0])
    assert LeakyReLU(0.3)(ReLU()(x)).tolist() == [0, 0, 0, 1]


def test_the_squared_rectifier_is_the_square_of_the_rectifier_in_value_and_gradient():
    x = torch.tensor([-2.0, 0.0, 0.5, 3.0], requires_grad=True)
    y = SquaredReLU()(x)
    (gradient,) = torch.autograd.grad(y.sum(), x)
    assert y.tolist() == [0, 0, 0.25, 9]
    assert gradient.tolist() == [0, 0, 1, 6]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_of_the_table_acts_on_each_number_alone(name):
    torch.manual_seed(0)
    layer, x = ACTIVATIONS[name](), torch.randn(5, 7)
    assert not list(layer.parameters())
    torch.testing.assert_close(layer(x)[2:3, 4], layer(x[2:3, 4]))


def test_every_activation_but_the_identity_is_a_non_linear_function():
    x = torch.tensor([-1.0, 0.5, 2.0])
    for name, make in ACTIVATIONS.items():
        additive = torch.allclose(make()(x).sum(), make()(x.sum()))
        assert additive == (name == "identity"), name


@pytest.mark.parametrize(
    ("ours", "twin"),
    [
        (ReLU, nn.Tanh()),
        (ReLU, nn.ReLU6()),
        (LeakyReLU, nn.ReLU()),
        (GELU, nn.GELU(approximate="tanh")),
        (Softmax, nn.LogSoftmax(-1)),
    ],
)
def test_another_layer_or_setting_is_refused(ours, twin):
    with pytest.raises(ValueError, match=r"given|not"):
        ours.from_torch(twin)


def test_a_softmax_without_an_axis_and_a_slope_that_is_no_number_are_refused():
    with pytest.raises(ValueError, match="dim=None"):
        Softmax.from_torch(nn.Softmax())
    with pytest.raises(ValueError, match="negative_slope=nan"):
        LeakyReLU(float("nan"))


def test_settings_are_seen_where_a_layer_is_printed():
    assert str(LeakyReLU(0.2)) == "LeakyReLU(negative_slope=0.2)"
    assert str(Softmax(1)) == "Softmax(dim=1)"
