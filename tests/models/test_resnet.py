"""The small residual network: what its block adds, and what the network refuses."""

import pytest
import torch
import torch.nn.functional as F

from dlcourse.models.resnet import ResidualBlock, SmallResNet


def small():
    torch.manual_seed(0)
    return SmallResNet(2, 7, channels=(3, 5), image_size=13)


def test_images_become_one_logit_a_class():
    assert small()(torch.rand(4, 2, 13, 13)).shape == (4, 7)


def test_a_block_whose_last_scale_is_zero_hands_its_input_on():
    block, x = ResidualBlock(3), torch.rand(2, 3, 6, 7)
    torch.nn.init.zeros_(block.norm2.weight)
    torch.testing.assert_close(block(x), x)


def test_the_gradient_reaches_the_input_of_a_block_past_its_convolutions():
    block, x = ResidualBlock(3), torch.rand(2, 3, 6, 7, requires_grad=True)
    torch.nn.init.zeros_(block.norm2.weight)
    block(x).sum().backward()
    torch.testing.assert_close(x.grad, torch.ones_like(x))


def test_a_block_is_what_its_formula_says():
    block, x = ResidualBlock(3).eval(), torch.randn(2, 3, 6, 7)
    change = F.conv2d(x, block.conv1.weight, padding=1) / (1 + block.norm1.eps) ** 0.5  # fresh statistics: mean 0, variance 1
    change = F.conv2d(change.relu(), block.conv2.weight, padding=1) / (1 + block.norm2.eps) ** 0.5
    torch.testing.assert_close(block(x), (x + change).relu())


def test_every_parameter_gets_a_gradient():
    model = small()
    F.cross_entropy(model(torch.rand(6, 2, 13, 13)), torch.arange(6)).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_it_overfits_one_batch():
    model, images, labels = small(), torch.rand(8, 2, 13, 13), torch.arange(8) % 7
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(120):
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()
    assert F.cross_entropy(model(images), labels).item() < 0.02


@pytest.mark.parametrize("shape", [(4, 1, 56, 56), (4, 3, 28, 28), (28, 28), (0, 1, 28, 28)])
def test_other_shapes_and_empty_batches_are_refused(shape):
    with pytest.raises(ValueError, match=r"this network takes \(B, 1, 28, 28\)|empty batch"):
        SmallResNet()(torch.zeros(shape))


def test_another_dtype_is_refused():
    with pytest.raises(TypeError, match=r"torch.uint8 given; this network computes in torch.float32"):
        SmallResNet()(torch.zeros(2, 1, 28, 28, dtype=torch.uint8))


def test_an_image_too_small_for_three_poolings_is_refused():
    with pytest.raises(ValueError, match="at least 8"):
        SmallResNet(image_size=7)
