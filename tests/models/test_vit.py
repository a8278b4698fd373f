"""The Vision Transformer: its patches are a convolution, its stack is torch's, and its order comes from its positions alone."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dlcourse import hooks
from dlcourse.layers.transformer import TransformerBlock
from dlcourse.models.vit import ViT, patches

B, C, W, P, D, N, H, K = 5, 3, 8, 4, 6, 2, 7, 10


def small(**settings):
    torch.manual_seed(0)
    return ViT(K, D, image_size=W, patch_size=P, channels=C, num_heads=N, num_layers=2, hidden_size=H, **settings)


def some_images(*shape, dtype=torch.float32):
    return torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(1))


def test_patches_go_from_left_to_right_and_then_down():
    image = torch.arange(24).view(1, 1, 4, 6)
    wanted = [[0, 1, 6, 7], [2, 3, 8, 9], [4, 5, 10, 11], [12, 13, 18, 19], [14, 15, 20, 21], [16, 17, 22, 23]]
    assert patches(image, 2)[0].tolist() == wanted


def test_a_dense_layer_on_patches_is_a_convolution_with_that_stride():
    images, layer = some_images(B, C, 8, 12, dtype=torch.float64), nn.Linear(C * P * P, D, dtype=torch.float64)
    wanted = F.conv2d(images, layer.weight.view(D, C, P, P), layer.bias, stride=P)  # (B, D, 2, 3)
    torch.testing.assert_close(layer(patches(images, P)), wanted.flatten(2).mT)
    torch.testing.assert_close(patches(images, P), F.unfold(images, P, stride=P).mT)


def test_logits_gradients_and_one_step_equal_those_of_torchs_encoder():
    ours, images = small().double(), some_images(B, C, W, W, dtype=torch.float64)
    layer = nn.TransformerEncoderLayer(D, N, H, 0.0, "gelu", batch_first=True, norm_first=True, dtype=torch.float64)
    twin = nn.TransformerEncoder(layer, 2, nn.LayerNorm(D, dtype=torch.float64), enable_nested_tensor=False)
    for parameter in twin.parameters():
        nn.init.normal_(parameter, std=0.5)
    for block, theirs in zip(ours.blocks, twin.layers, strict=True):
        block.load_state_dict(TransformerBlock.from_torch(theirs).state_dict())
    ours.norm.load_state_dict(twin.norm.state_dict())
    convolution, output = nn.Conv2d(C, D, P, P, dtype=torch.float64), nn.Linear(D, K, dtype=torch.float64)
    convolution.weight.data.copy_(ours.embedding.weight.view(D, C, P, P))
    convolution.bias.data.copy_(ours.embedding.bias)
    output.load_state_dict(ours.output.state_dict())
    token, table = (nn.Parameter(p.detach().clone()) for p in (ours.class_token, ours.positions.table))
    x = torch.cat([token.expand(B, 1, D), convolution(images).flatten(2).mT], dim=1) + table
    wanted, logits = output(twin(x)[:, 0]), ours(images)
    torch.testing.assert_close(logits, wanted)
    pull = torch.randn_like(wanted)
    logits.backward(pull)
    wanted.backward(pull)
    theirs = [token, table, *twin.parameters(), *convolution.parameters(), *output.parameters()]
    torch.optim.SGD([*ours.parameters(), *theirs], lr=0.1).step()
    for block, layer in zip(ours.blocks, twin.layers, strict=True):
        torch.testing.assert_close(block.state_dict(), TransformerBlock.from_torch(layer).state_dict())
    pairs = [(ours.class_token, token), (ours.positions.table, table), (ours.output.weight, output.weight)]
    for a, b in [*pairs, (ours.embedding.weight, convolution.weight.flatten(1)), (ours.norm.weight, twin.norm.weight)]:
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize(("size", "tokens"), [(7, 17), (4, 50), (28, 2)])
def test_an_image_of_28_pixels_is_read_as_so_many_patches_and_a_class_token(size, tokens):
    model = ViT(10, 8, patch_size=size, num_heads=2, num_layers=1)
    with hooks.record(model, "blocks.0") as seen:
        model(some_images(2, 1, 28, 28))
    assert seen["blocks.0"].shape == (2, tokens, 8)


def test_only_the_positions_tell_it_where_a_patch_was():
    model, images = small().double(), some_images(B, C, W, W, dtype=torch.float64)
    swapped = torch.cat([images[..., P:], images[..., :P]], dim=-1)  # left and right columns of patches
    assert (model(swapped) - model(images)).abs().max() > 1e-4
    nn.init.zeros_(model.positions.table)
    torch.testing.assert_close(model(swapped), model(images))


def test_an_image_has_the_same_logits_alone_and_in_a_batch():
    model, images = small(), some_images(B, C, W, W)
    torch.testing.assert_close(model(images)[2:3], model(images[2:3]), rtol=0, atol=1e-6)


def test_every_parameter_gets_a_gradient_and_one_batch_is_learned_by_heart():
    model, images, labels = small(), some_images(B, C, W, W), torch.tensor([0, 3, 9, 1, 3])
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for step in range(60):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        if step == 0:
            assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
        optimizer.step()
    assert loss < 0.05


def test_dropout_acts_in_training_only_and_the_same_seed_gives_the_same():
    model, images = small(dropout=0.4), some_images(B, C, W, W)
    assert not torch.equal(model(images), model(images))
    assert torch.equal(model.eval()(images), small(dropout=0.4).eval()(images))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((B, C, 9, 8), r"images of shape \(5, 3, 9, 8\) given; this network takes \(B, 3, 8, 8\)"),
        ((B, 1, 8, 8), r"images of shape \(5, 1, 8, 8\) given; this network takes \(B, 3, 8, 8\)"),
        ((C, 8, 8), r"images of shape \(3, 8, 8\) given"),
        ((0, C, 8, 8), "an empty batch given"),
    ],
)
def test_images_of_another_shape_are_refused(shape, message):
    with pytest.raises(ValueError, match=message):
        small()(torch.zeros(shape))


def test_images_of_another_dtype_are_refused():
    with pytest.raises(TypeError, match=r"images of dtype torch.float64 given; this network computes in torch.float32"):
        small()(torch.zeros(B, C, W, W, dtype=torch.float64))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"patch_size": 3}, "image_size=8, patch_size=3: an image must be a whole number of patches wide"),
        ({"patch_size": 0}, "image_size=8, patch_size=0"),
        ({"channels": 0}, "num_classes=10, num_layers=2, channels=0: all must be at least 1"),
        ({"num_layers": 0}, "num_layers=0"),
        ({"num_heads": 4}, "dim=6 is not a positive multiple of num_heads=4"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings, message):
    wanted = {"image_size": W, "patch_size": P, "channels": C, "num_heads": N, "num_layers": 2}
    with pytest.raises(ValueError, match=message):
        ViT(K, D, **{**wanted, **settings})


@pytest.mark.parametrize(
    ("shape", "size", "message"),
    [
        ((2, 1, 6, 8), 4, "images of 6 × 8 pixels have no whole patches of 4 × 4"),
        ((2, 1, 8, 8), 0, "no whole patches of 0 × 0"),
        ((1, 8, 8), 4, r"images of shape \(1, 8, 8\) given; \(B, C, H, W\) wanted"),
    ],
)
def test_images_without_whole_patches_are_refused(shape, size, message):
    with pytest.raises(ValueError, match=message):
        patches(torch.zeros(shape), size)
