"""The network of the chapter: its shapes, its parameters, and what it refuses."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dlcourse.models.cnn import CNN


def small():
    torch.manual_seed(0)
    return CNN(2, 7, channels=(3, 5), hidden_size=11, image_size=12)


def test_images_become_one_logit_a_class():
    assert small()(torch.rand(4, 2, 12, 12)).shape == (4, 7)


def test_the_default_is_the_documents_network():
    assert sum(p.numel() for p in CNN().parameters()) == 320 + 18_496 + 401_536 + 1_290


def test_pooling_before_the_rectifier_gives_the_same_numbers_as_after_it():
    model, images = small().double(), torch.randn(4, 2, 12, 12, dtype=torch.float64)
    stages = nn.Sequential(model.conv1, nn.ReLU(), model.pool, model.conv2, nn.ReLU(), model.pool)
    expected = model.fc2(F.relu(model.fc1(stages(images).flatten(1))))
    torch.testing.assert_close(model(images), expected)


def test_every_parameter_gets_a_gradient():
    model = small()
    F.cross_entropy(model(torch.rand(6, 2, 12, 12)), torch.arange(6)).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_it_overfits_one_batch():
    model, images, labels = small(), torch.rand(8, 2, 12, 12), torch.arange(8) % 7
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(150):
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()
    assert F.cross_entropy(model(images), labels).item() < 0.01


def test_the_same_seed_gives_the_same_numbers():
    images = torch.rand(4, 2, 12, 12)
    torch.testing.assert_close(small()(images), small()(images), rtol=0, atol=0)


def test_one_image_gives_the_same_logits_alone_and_in_a_batch():
    model, images = small(), torch.rand(4, 2, 12, 12)
    torch.testing.assert_close(model(images)[2:3], model(images[2:3]))


@pytest.mark.parametrize("shape", [(4, 1, 56, 56), (49, 1, 32, 32), (4, 3, 28, 28), (1, 28, 28), (28, 28), (4, 28, 28, 1)])
def test_images_of_another_size_are_refused_and_not_reshaped_into_other_batches(shape):
    with pytest.raises(ValueError, match=r"given; this network takes \(B, 1, 28, 28\)"):
        CNN()(torch.zeros(shape))


def test_an_empty_batch_is_refused():
    with pytest.raises(ValueError, match="empty batch"):
        CNN()(torch.zeros(0, 1, 28, 28))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.float64])
def test_images_of_another_dtype_are_refused(dtype):
    with pytest.raises(TypeError, match=rf"{dtype} given; this network computes in torch.float32"):
        CNN()(torch.zeros(2, 1, 28, 28, dtype=dtype))


@pytest.mark.parametrize("image_size", [0, 30, -4])
def test_an_image_size_that_two_poolings_cannot_halve_is_refused(image_size):
    with pytest.raises(ValueError, match="multiple of 4"):
        CNN(image_size=image_size)
