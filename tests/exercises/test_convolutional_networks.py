"""The exercises accept what is right, however it was reached, and answer known mistakes with their hint."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dlcourse.exercises.convolutional_networks import EXERCISES


def verdict(number, answer):
    return EXERCISES[f"convolutional_networks-{number}"].check(answer)


def test_the_sizes_are_those_of_the_stack():
    maps, sizes, parameters = torch.zeros(1, 1, 28, 28), [], 0
    for inputs, outputs in [(1, 32), (32, 64), (64, 64)]:
        layer = nn.Conv2d(inputs, outputs, 3)
        parameters += sum(p.numel() for p in layer.parameters())
        maps = layer(maps)
        sizes.append(maps.shape[-1])
        maps = F.max_pool2d(maps, 2)
        sizes.append(maps.shape[-1])
    assert verdict(1, [*sizes, parameters]) is None
    assert "padding" in verdict(1, [28, 14, 14, 7, 7, 3, parameters])
    weights = sum(o * c * 9 for c, o in [(1, 32), (32, 64), (64, 64)])
    assert "bias" in verdict(1, [*sizes, weights])
    assert "7 numbers are wanted" in verdict(1, sizes)


def test_the_field_is_the_reach_of_the_gradient():
    x = torch.zeros(1, 1, 64, requires_grad=True)
    y = x
    for kernel, stride in [(3, 1), (2, 2), (3, 1), (2, 2), (3, 1)]:
        y = F.conv1d(y, torch.ones(1, 1, kernel), stride=stride)
    y[0, 0, 3].backward()
    assert verdict(2, int((x.grad != 0).sum())) is None
    assert "strides" in verdict(2, 9)


def test_the_two_products_by_hand_are_torchs():
    ramp, kernel = torch.arange(9.0).reshape(1, 1, 3, 3)[..., :2, :2], torch.tensor([[[[1.0, 0], [0, -1]]]])
    assert verdict(3, (F.conv2d(ramp, kernel).item(), F.conv2d(ramp, kernel.flip(2, 3)).item())) is None
    assert "other way round" in verdict(3, (4, -4))


@pytest.mark.parametrize("setting", [(2, 2, 0), (4, 2, 1), (6, 2, 2)])
def test_every_setting_that_doubles_is_right(setting):
    kernel, stride, padding = setting
    maps = F.conv_transpose2d(torch.zeros(1, 1, 7, 7), torch.zeros(1, 1, kernel, kernel), stride=stride, padding=padding)
    assert maps.shape[-1] == 14
    assert verdict(4, setting) is None


@pytest.mark.parametrize(
    ("answer", "hint"),
    [((4, 1, 0), "7 to 10"), ((4, 2), "Three whole numbers"), (7, "Three"), ((4.5, 2, 1), "whole"), ((0, 2, 0), "at least 1")],
)
def test_other_settings_get_a_hint(answer, hint):
    assert hint in verdict(4, answer)


def test_a_spread_kernel_is_the_dilated_one():
    def spread_out(kernel, dilation):
        larger = kernel.new_zeros(*(dilation * (n - 1) + 1 for n in kernel.shape))
        larger[::dilation, ::dilation] = kernel
        return larger

    image, kernel = torch.randn(1, 1, 9, 9), torch.randn(2, 3)
    assert verdict(5, spread_out) is None
    assert torch.allclose(
        F.conv2d(image, spread_out(kernel, 2)[None, None]), F.conv2d(image, kernel[None, None], dilation=2), atol=1e-6
    )
    assert verdict(5, lambda kernel, dilation: kernel) is not None
