"""The feed-forward part is two dense layers, the same for every token."""

import pytest
import torch
from torch import nn

from dlcourse.layers.feed_forward import FeedForward

B, T, D, H = 3, 4, 5, 7


@pytest.mark.parametrize(
    ("activation", "torchs"), [("gelu", nn.GELU()), ("relu", nn.ReLU()), ("silu", nn.SiLU()), (nn.Tanh(), nn.Tanh())]
)
def test_values_and_gradients_equal_torchs(activation, torchs):
    torch.manual_seed(0)
    ours = FeedForward(D, hidden_size=H, activation=activation).double()
    twin = nn.Sequential(nn.Linear(D, H), torchs, nn.Linear(H, D)).double()
    twin[0].load_state_dict(ours.hidden.state_dict())
    twin[2].load_state_dict(ours.output.state_dict())
    x = torch.randn(B, T, D, dtype=torch.float64, requires_grad=True)
    a, b, pull = ours(x), twin(x), torch.randn(B, T, D, dtype=torch.float64)
    torch.testing.assert_close(a, b)
    gradients = [torch.autograd.grad(y, [x, *layer.parameters()], pull) for y, layer in ((a, ours), (b, twin))]
    torch.testing.assert_close(*gradients)
    assert all(gradient.abs().sum() > 0 for gradient in gradients[0])


def test_a_token_is_changed_without_a_look_at_the_others():
    torch.manual_seed(0)
    layer, x = FeedForward(D, hidden_size=H), torch.randn(B, T, D, requires_grad=True)
    (gradient,) = torch.autograd.grad(layer(x)[1, 2].sum(), x)
    assert (gradient[1, 2] != 0).all()
    assert gradient.count_nonzero() == D


def test_it_has_two_weights_and_two_biases_or_none():
    assert sum(p.numel() for p in FeedForward(D, hidden_size=H).parameters()) == D * H + H + H * D + D
    assert sum(p.numel() for p in FeedForward(D, hidden_size=H, bias=False).parameters()) == 2 * D * H


def test_dropout_acts_in_training_only_and_the_same_seed_gives_the_same():
    torch.manual_seed(0)
    layer, x = FeedForward(D, hidden_size=H, dropout=0.5), torch.randn(B, T, D)
    outputs = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        outputs.append(layer(x))
    assert torch.equal(outputs[0], outputs[1])
    assert not torch.equal(outputs[0], outputs[2])
    layer.eval()
    assert torch.equal(layer(x), layer(x))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dim": 0, "hidden_size": H}, "dim=0, hidden_size=7: both must be at least 1"),
        ({"dim": D, "hidden_size": 0}, "hidden_size=0"),
        ({"dim": D, "hidden_size": H, "activation": "step"}, "activation='step' is not known; there are identity, sigmoid"),
        ({"dim": D, "hidden_size": H, "dropout": 1.0}, "dropout=1.0: a probability"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        FeedForward(**settings)


def test_an_input_that_does_not_fit_is_refused():
    layer = FeedForward(D, hidden_size=H)
    with pytest.raises(ValueError, match=r"an input of shape \(3, 4\) given; this layer takes \(\.\.\., 5\)"):
        layer(torch.zeros(3, 4))
    with pytest.raises(TypeError, match=r"torch\.int64 given; this layer computes in torch\.float32"):
        layer(torch.zeros(3, D, dtype=torch.int64))
