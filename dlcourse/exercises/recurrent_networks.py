"""The exercises of the chapter on recurrent networks."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from dlcourse.exercises import Exercise, function, sequence


def _gradient_case(*, steps: int, size: int, seed: int) -> tuple[tuple[Tensor, Tensor, Tensor], Tensor]:
    """Return (upstream, U, states) of a tanh network without inputs but for noise, and ∂L/∂U by autograd."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    weight = (draw(size, size) / math.sqrt(size)).requires_grad_()
    states = [torch.zeros(size, dtype=torch.float64)]
    for _ in range(steps):
        states.append(torch.tanh(weight @ states[-1] + draw(size)))
    upstream = draw(size)
    (wanted,) = torch.autograd.grad(upstream @ states[-1], weight)
    return (upstream, weight.detach(), torch.stack(states).detach()), wanted


def _factors(answer: object) -> str | None:
    """Want 0.9¹⁰⁰, 1.1¹⁰⁰, 0.99¹⁰⁰ and σ⁻¹(0.99), each to three digits: they are many powers of ten apart."""
    wanted = (0.9**100, 1.1**100, 0.99**100, math.log(0.99 / 0.01))
    if not isinstance(answer, list | tuple) or len(answer) != 4 or not all(isinstance(part, int | float) for part in answer):
        return "Four numbers are wanted, as a list or tuple."
    right = [math.isclose(given, value, rel_tol=5e-3) for given, value in zip(answer, wanted, strict=True)]
    if not all(right[:3]):
        return "Every step multiplies once more: take the hundredth power, of each of the three factors in their order."
    if right[3]:
        return None
    known = {
        0.99: "That is the gate. The bias is what the sigmoid is applied to: invert it.",
        -wanted[3]: "With that bias the gate is nearly shut.",
        1 / (1 + math.exp(-0.99)): "You have applied the sigmoid; invert it.",
    }
    hints = [text for wrong, text in known.items() if math.isclose(answer[3], wrong, rel_tol=5e-3)]
    return "The three powers are right. " + (hints[0] if hints else "The bias solves 1/(1 + e^(−b)) = 0.99.")


_OUTPUTS = torch.arange(1.0, 25).reshape(3, 4, 2)
_TOKENS = torch.arange(23)

EXERCISES = {
    "recurrent_networks-1": sequence(
        [36, 144, 108],
        hints={
            (36, 108, 144): "The other way round: which of the two has four blocks, and which three?",
            (32, 128, 96): "That is one bias a block. PyTorch keeps two, one beside W and one beside U.",
            (28, 112, 84): "Each block has biases too.",
            (36, 36, 36): "The gates have weights of their own: one block each.",
            (36, 108, 108): "Besides its three gates the LSTM has a block for what it writes.",
            (36, 144, 72): "Besides its two gates the GRU has a block for what it proposes.",
        },
        hint="One block is H·D + H·H weights and two biases of H; count the blocks of each cell.",
    ),
    "recurrent_networks-2": Exercise(_factors),
    "recurrent_networks-3": function(
        [_gradient_case(steps=1, size=2, seed=0), _gradient_case(steps=6, size=3, seed=1), _gradient_case(steps=9, size=4, seed=2)],
        hint="One term for each step k from T down to 1: δₖ hₖ₋₁ᵀ, and from δₖ to the gradient of hₖ₋₁ by Uᵀ.",
        tolerance=1e-8,
    ),
    "recurrent_networks-4": sequence(
        [1.8, 0.25 * math.tanh(1.8)],
        hints={
            (1.8, 0.25 * 1.8): "The cell is right. What is shown has passed through tanh first.",
            (1.8, math.tanh(1.8)): "The cell is right. The output gate is not open.",
            (1.3, 0.25 * math.tanh(1.3)): "That is f and i exchanged.",
            (1.5, 0.25 * math.tanh(1.5)): "That keeps, and writes nothing.",
            (0.3, 0.25 * math.tanh(0.3)): "That writes, and keeps nothing.",
            (2.3, 0.25 * math.tanh(2.3)): "That keeps all of the old cell.",
        },
        hint="f = 3/4, i = 1/2, g = 3/5, o = 1/4: then formulas (10) and (11).",
        tolerance=5e-4,
    ),
    "recurrent_networks-5": function(
        [
            ((_OUTPUTS, torch.tensor([4, 1, 3])), torch.tensor([[7.0, 8], [9, 10], [21, 22]])),
            ((_OUTPUTS[:1], torch.tensor([2])), torch.tensor([[3.0, 4]])),
        ],
        hint="Row b wants its step number lengths[b] − 1. Two index tensors of shape (B,) pick one step a row.",
    ),
    "recurrent_networks-6": function(
        [
            (
                (_TOKENS, 2, 5),
                torch.stack([torch.arange(0, 5), torch.arange(11, 16), torch.arange(5, 10), torch.arange(16, 21)]).view(2, 2, 5),
            ),
            ((_TOKENS[:13], 3, 2), torch.tensor([[[0, 1], [4, 5], [8, 9]], [[2, 3], [6, 7], [10, 11]]])),
            ((_TOKENS[:9], 1, 4), torch.tensor([[[0, 1, 2, 3]], [[4, 5, 6, 7]]])),
        ],
        hint="First cut the text into B long rows, then cut the rows side by side into pieces of T.",
    ),
}
