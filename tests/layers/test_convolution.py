"""The convolution layers are PyTorch's, and do what the chapter says."""

import itertools
import random

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dlcourse.layers.convolution import (
    AvgPool2d,
    Conv1d,
    Conv2d,
    MaxPool2d,
    conv2d,
    conv_transpose2d,
    output_size,
    receptive_field,
    windows,
)


def random_cases(count, seed=0):
    """Sizes and settings with every axis a different number, drawn at random, kept where the kernel fits."""
    draw = random.Random(seed)
    while count:
        case = {
            "shape": (2, draw.choice([1, 3]), draw.randint(5, 9), draw.randint(10, 14)),
            "kernel": (draw.randint(1, 4), draw.randint(1, 5)),
            "stride": (draw.randint(1, 3), draw.randint(1, 3)),
            "padding": (draw.randint(0, 3), draw.randint(0, 3)),
            "dilation": (draw.randint(1, 3), draw.randint(1, 2)),
        }
        spans = [d * (k - 1) + 1 for k, d in zip(case["kernel"], case["dilation"], strict=True)]
        if all(n + 2 * p >= s for n, p, s in zip(case["shape"][2:], case["padding"], spans, strict=True)):
            count -= 1
            yield case


@pytest.mark.parametrize("case", list(random_cases(40)), ids=str)
def test_conv2d_equals_torch_forward_and_gradients(case):
    torch.manual_seed(0)
    settings = {name: case[name] for name in ("stride", "padding", "dilation")}
    x = torch.randn(case["shape"], dtype=torch.float64, requires_grad=True)
    weight = torch.randn(4, case["shape"][1], *case["kernel"], dtype=torch.float64, requires_grad=True)
    bias = torch.randn(4, dtype=torch.float64, requires_grad=True)
    ours, theirs = conv2d(x, weight, bias, **settings), F.conv2d(x, weight, bias, **settings)
    torch.testing.assert_close(ours, theirs)
    seen = torch.randn_like(ours)
    for a, b in zip(
        torch.autograd.grad(ours, (x, weight, bias), seen), torch.autograd.grad(theirs, (x, weight, bias), seen), strict=True
    ):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("bias", [True, False])
def test_the_layer_copies_torchs_and_takes_the_same_optimiser_step(bias):
    torch.manual_seed(0)
    theirs = nn.Conv2d(3, 5, kernel_size=(3, 2), stride=2, padding=1, dilation=(1, 2), bias=bias)
    ours = Conv2d.from_torch(theirs)
    x = torch.randn(4, 3, 8, 9)
    for layer in (ours, theirs):
        optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
        layer(x).square().mean().backward()
        optimizer.step()
    torch.testing.assert_close(ours.weight, theirs.weight)
    torch.testing.assert_close(ours(x), theirs(x))


def test_copying_a_layer_does_not_share_its_weights():
    theirs = nn.Conv2d(1, 1, 3)
    ours = Conv2d.from_torch(theirs)
    with torch.no_grad():
        ours.weight.zero_()
    assert theirs.weight.abs().sum() > 0


def test_our_initialisation_has_torchs_spread():
    torch.manual_seed(0)
    ours, theirs = Conv2d(6, 500, kernel_size=3), nn.Conv2d(6, 500, kernel_size=3)
    bound = 1 / (6 * 9) ** 0.5
    for layer in (ours, theirs):
        assert layer.weight.abs().max() <= bound
        assert layer.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.02)


@pytest.mark.parametrize(("ours", "theirs"), [(MaxPool2d, nn.MaxPool2d), (AvgPool2d, nn.AvgPool2d)])
@pytest.mark.parametrize(("kernel", "stride", "padding"), [(2, None, 0), (3, 2, 1), ((2, 3), (1, 2), (1, 0)), (2, 1, 0)])
def test_pooling_equals_torch_forward_and_gradients(ours, theirs, kernel, stride, padding):
    module = theirs(kernel, stride=stride, padding=padding)
    x = torch.randn(2, 3, 6, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).relu().requires_grad_()
    a, b = ours.from_torch(module)(x), module(x)
    torch.testing.assert_close(a, b)
    seen = torch.randn_like(a)  # rectified inputs hold many equal zeros: the gradient of a tie must agree too
    torch.testing.assert_close(torch.autograd.grad(a, x, seen)[0], torch.autograd.grad(b, x, seen)[0])


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(4, 2, 1), (3, 1, 0), ((2, 3), (3, 2), (0, 1)), (1, 2, 0), (3, 2, 2)])
def test_transposed_convolution_equals_torch_forward_and_gradients(kernel, stride, padding):
    size = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    x = torch.randn(2, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(3, 6, *size, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(6, dtype=torch.float64, requires_grad=True)
    a = conv_transpose2d(x, weight, bias, stride=stride, padding=padding)
    b = F.conv_transpose2d(x, weight, bias, stride=stride, padding=padding)
    torch.testing.assert_close(a, b)
    seen = torch.randn_like(a)
    for p, q in zip(torch.autograd.grad(a, (x, weight, bias), seen), torch.autograd.grad(b, (x, weight, bias), seen), strict=True):
        torch.testing.assert_close(p, q)


def test_transposed_convolution_is_the_transpose_of_convolution():
    """<conv(x), y> = <x, conv_transpose(y)> for all x and y."""
    weight = torch.randn(4, 3, 3, 2, dtype=torch.float64)
    x, y = torch.randn(1, 3, 7, 8, dtype=torch.float64), torch.randn(1, 4, 3, 4, dtype=torch.float64)
    left = (conv2d(x, weight, stride=2) * y).sum()
    right = (x * conv_transpose2d(y, weight, stride=2)).sum()
    torch.testing.assert_close(left, right)


def test_a_shifted_input_gives_a_shifted_output():
    x = torch.zeros(1, 2, 12, 13, dtype=torch.float64)
    x[..., 3:7, 3:8] = torch.randn(1, 2, 4, 5, dtype=torch.float64)
    weight = torch.randn(3, 2, 3, 3, dtype=torch.float64)
    shift = (2, 3)
    torch.testing.assert_close(conv2d(x.roll(shift, (2, 3)), weight, padding=1), conv2d(x, weight, padding=1).roll(shift, (2, 3)))


def test_convolution_does_not_flip_the_kernel():
    ramp = torch.arange(9.0).reshape(1, 1, 3, 3)[..., :2, :2]
    kernel = torch.tensor([[1.0, 0.0], [0.0, -1.0]]).reshape(1, 1, 2, 2)
    assert conv2d(ramp, kernel).item() == -4
    assert conv2d(ramp, kernel.flip(2, 3)).item() == 4


def test_windows_lie_where_the_settings_say():
    x = torch.arange(30.0).reshape(1, 1, 5, 6)
    assert windows(x, 2, stride=2, dilation=3)[0, 0, 0, 1].tolist() == [[2, 5], [20, 23]]


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "dilation"), list(itertools.product([9, 28], [1, 3, 5], [1, 2, 3], [0, 2], [1, 2]))
)
def test_output_size_is_what_torch_gives(size, kernel, stride, padding, dilation):
    y = F.conv1d(torch.zeros(1, 1, size), torch.zeros(1, 1, kernel), stride=stride, padding=padding, dilation=dilation)
    assert output_size(size, kernel, stride=stride, padding=padding, dilation=dilation) == y.shape[-1]


def test_receptive_field_is_the_reach_of_the_gradient():
    layers = [(3, 1), (2, 2), (3, 1), (2, 2), (3, 1)]
    x = torch.zeros(1, 1, 64, requires_grad=True)
    y = x
    for kernel, stride in layers:
        y = F.conv1d(y, torch.ones(1, 1, kernel), stride=stride)
    y[0, 0, 5].backward()
    assert receptive_field(layers) == int((x.grad != 0).sum()) == 18


@pytest.mark.parametrize(
    ("x", "weight", "bias", "error", "message"),
    [
        ((3, 8, 8), (4, 3, 3, 3), None, ValueError, r"\(3, 8, 8\).*wanted \(batch, in, height, width\)"),
        ((2, 3, 8, 8), (4, 1, 3, 3), None, ValueError, r"\(4, 1, 3, 3\)"),
        ((2, 3, 8, 8), (4, 3, 3, 3), (3,), ValueError, r"4 output channels need \(4,\)"),
        ((2, 3, 2, 8), (4, 3, 3, 3), None, ValueError, r"spans 3 does not fit into 2"),
    ],
)
def test_shapes_that_do_not_go_together_are_named(x, weight, bias, error, message):
    with pytest.raises(error, match=message):
        conv2d(torch.zeros(x), torch.zeros(weight), None if bias is None else torch.zeros(bias))


def test_dtypes_that_do_not_go_together_are_named():
    with pytest.raises(TypeError, match=r"torch.uint8 meets a weight of torch.float32"):
        conv2d(torch.zeros(1, 1, 5, 5, dtype=torch.uint8), torch.zeros(1, 1, 3, 3))


@pytest.mark.parametrize("settings", [{"stride": 0}, {"dilation": 0}, {"padding": -1}])
def test_settings_out_of_range_are_named(settings):
    (name,) = settings
    with pytest.raises(ValueError, match=name):
        conv2d(torch.zeros(1, 1, 5, 5), torch.zeros(1, 1, 3, 3), **settings)


def test_pooling_refuses_a_window_outside_the_image():
    with pytest.raises(ValueError, match="more than half"):
        MaxPool2d(2, padding=2)


@pytest.mark.parametrize(
    "module", [nn.Conv2d(4, 4, 3, groups=2), nn.Conv2d(1, 1, 3, padding="same"), nn.Conv2d(1, 1, 3, padding_mode="circular")]
)
def test_settings_of_torch_that_we_do_not_have_are_refused(module):
    with pytest.raises(ValueError, match=r"Conv2d\("):
        Conv2d.from_torch(module)


@pytest.mark.parametrize(
    ("ours", "module"),
    [
        (MaxPool2d, nn.MaxPool2d(2, ceil_mode=True)),
        (MaxPool2d, nn.MaxPool2d(2, dilation=2)),
        (AvgPool2d, nn.AvgPool2d(2, count_include_pad=False)),
    ],
)
def test_poolings_of_torch_that_we_do_not_have_are_refused(ours, module):
    with pytest.raises(ValueError, match="not known here"):
        ours.from_torch(module)


@pytest.mark.parametrize(("kernel", "padding"), [(1, 0), (3, 0), (4, 2), (7, 0), (2, 5)])
def test_convolution_along_a_sequence_equals_torchs_forward_and_gradients(kernel, padding):
    torch.manual_seed(0)
    twin = nn.Conv1d(3, 5, kernel, padding=padding, dtype=torch.float64)
    ours = Conv1d.from_torch(twin)
    x = torch.randn(2, 3, 7, dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(ours(x), twin(x))
    pull = torch.randn_like(twin(x))
    gradients = [torch.autograd.grad(layer(x), [x, *layer.parameters()], pull) for layer in (ours, twin)]
    torch.testing.assert_close(*gradients)


def test_convolution_along_a_sequence_is_the_one_over_images_of_one_row():
    torch.manual_seed(0)
    layer, x = Conv1d(3, 5, 2), torch.randn(4, 3, 7)
    rows = conv2d(x[:, :, None], layer.weight[:, :, None], layer.bias)  # (4, 5, 1, 6)
    torch.testing.assert_close(layer(x), rows[:, :, 0])


def test_the_layer_along_a_sequence_starts_with_torchs_spread():
    torch.manual_seed(0)
    layer = Conv1d(6, 900, 3)
    for values in (layer.weight, layer.bias):
        assert values.abs().max() <= 1 / 18**0.5
        assert values.std().item() == pytest.approx(1 / 54**0.5, rel=0.06)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 3, 4), "a window that spans 5 does not fit into 4"),
        ((2, 4, 9), r"\(2, 4, 9\) given; this layer takes \(batch, 3, length\)"),
        ((3, 9), r"\(3, 9\) given; this layer takes"),
    ],
)
def test_a_sequence_that_does_not_fit_is_refused(shape, message):
    with pytest.raises(ValueError, match=message):
        Conv1d(3, 2, 5)(torch.zeros(shape))


@pytest.mark.parametrize(
    ("sizes", "padding", "name"), [((0, 2, 3), 0, "in_channels=0"), ((2, 2, 0), 0, "kernel_size=0"), ((2, 2, 3), -1, "padding=-1")]
)
def test_sizes_of_a_layer_along_a_sequence_that_are_no_sizes_are_refused(sizes, padding, name):
    with pytest.raises(ValueError, match=name):
        Conv1d(*sizes, padding=padding)


@pytest.mark.parametrize(
    "module",
    [
        nn.Conv1d(4, 4, 3, groups=2),
        nn.Conv1d(1, 1, 3, stride=2),
        nn.Conv1d(1, 1, 3, bias=False),
        nn.Conv1d(1, 1, 3, padding="same"),
    ],
)
def test_settings_of_torch_along_a_sequence_that_we_do_not_have_are_refused(module):
    with pytest.raises(ValueError, match=r"Conv1d\("):
        Conv1d.from_torch(module)


@pytest.mark.parametrize("dtype", [torch.float64, torch.int64])
def test_a_sequence_of_another_dtype_is_refused(dtype):
    with pytest.raises(TypeError, match=rf"dtype {dtype} given; this layer computes in torch\.float32"):
        Conv1d(3, 2, 4)(torch.zeros(5, 3, 6, dtype=dtype))


@pytest.mark.parametrize("module", [nn.ConvTranspose1d(3, 3, 2), nn.Linear(3, 2)])
def test_a_layer_that_is_no_convolution_of_a_sequence_is_refused(module):
    with pytest.raises(ValueError, match=r"torch\.nn\.Conv1d wanted"):
        Conv1d.from_torch(module)
