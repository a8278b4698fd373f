"""Hooks record what a model computes, and leave nothing behind."""

import pytest
import torch
from torch import nn

from dlcourse.hooks import record


def make_model():
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(inplace=True), nn.Sequential(nn.Linear(4, 2)))


def hooks_of(model):
    return sum(len(module._forward_hooks) for module in model.modules())


def test_what_is_recorded_is_what_the_layer_gave_even_if_it_is_changed_in_place_afterwards():
    model, x = make_model(), torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    with record(model, "0", "2.0") as seen:
        outputs = model(x)
    torch.testing.assert_close(seen["0"], model[0](x).detach(), rtol=0, atol=0)
    assert (seen["0"] < 0).any()
    torch.testing.assert_close(seen["2.0"], outputs.detach(), rtol=0, atol=0)
    assert not seen["0"].requires_grad
    assert seen["0"].device.type == "cpu"


def test_a_second_forward_pass_replaces_the_first():
    model = make_model()
    with record(model, "0") as seen:
        model(torch.zeros(5, 3))
        model(torch.zeros(2, 3))
    assert seen["0"].shape == (2, 4)


def test_hooks_are_gone_whatever_happens():
    model = make_model()
    with record(model, "0", "0", "1"):
        assert hooks_of(model) == 2
    assert hooks_of(model) == 0
    with pytest.raises(KeyboardInterrupt), record(model, "0"):
        raise KeyboardInterrupt
    assert hooks_of(model) == 0
    with pytest.raises(RuntimeError), record(model, "0"):
        model(torch.zeros(5, 7))
    assert hooks_of(model) == 0
    with pytest.raises(ValueError, match="no submodule"), record(model, "0", "nonsense"):
        pass
    assert hooks_of(model) == 0


def test_an_unknown_name_lists_the_names_there_are():
    with (
        pytest.raises(ValueError, match=r"no submodule is called 'conv1'; Sequential has 0, 1, 2, 2\.0"),
        record(make_model(), "conv1"),
    ):
        pass
    with pytest.raises(ValueError, match=r"no name was given; Sequential has 0, 1, 2, 2\.0"), record(make_model()):
        pass
    with pytest.raises(ValueError, match="Linear has no submodules"), record(nn.Linear(1, 1), "weight"):
        pass


def test_of_a_tuple_the_first_tensor_is_kept():
    model = nn.Sequential(nn.LSTM(3, 4, batch_first=True))
    with record(model, "0") as seen:
        outputs, _ = model(torch.zeros(2, 5, 3))
    torch.testing.assert_close(seen["0"], outputs.detach())


def test_an_output_without_a_tensor_is_named():
    class Odd(nn.Module):
        def forward(self, x):
            return {"x": x}

    model = nn.Sequential(Odd())
    with pytest.raises(TypeError, match=r"0 \(Odd\) gave a dict, not a tensor"), record(model, "0"):
        model(torch.zeros(1))
