"""The exercises of the chapter on recurrent networks."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from dlcourse.exercises import Exercise, function, number, sequence


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


def _two_powers(answer: object) -> str | None:
    """Want 0.9¹⁰⁰ and 1.1¹⁰⁰, each to three digits: they are nine powers of ten apart, so the tolerance is relative."""
    wanted = (0.9**100, 1.1**100)
    if not isinstance(answer, list | tuple) or len(answer) != 2 or not all(isinstance(part, int | float) for part in answer):
        return "Two numbers are wanted, as a list or tuple."
    if all(math.isclose(given, value, rel_tol=5e-3) for given, value in zip(answer, wanted, strict=True)):
        return None
    if all(math.isclose(given, value, rel_tol=5e-3) for given, value in zip(answer, reversed(wanted), strict=True)):
        return "The other way round: first the factor below 1."
    return "Every step multiplies once more: take the hundredth power."


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
    "recurrent_networks-2": Exercise(_two_powers),
    "recurrent_networks-3": sequence(
        [0.99**100, math.log(0.99 / 0.01)],
        hints={
            (0.99**100, 0.99): "The share is right. The bias is what the sigmoid is applied to: invert it.",
            (0.99**100, -math.log(0.99 / 0.01)): "The share is right. With that bias the gate is nearly shut.",
            (0.99**100, 1 / (1 + math.exp(-0.99))): "The share is right. You have applied the sigmoid; invert it.",
            (0.0, math.log(0.99 / 0.01)): "The bias is right. The share does not fall by 0.01 of the start in every step.",
        },
        hint="The share is a product of a hundred factors; the bias solves 1/(1 + e^(−b)) = 0.99.",
        tolerance=1e-3,
    ),
    "recurrent_networks-4": function(
        [_gradient_case(steps=1, size=2, seed=0), _gradient_case(steps=6, size=3, seed=1), _gradient_case(steps=9, size=4, seed=2)],
        hint="One term for each step k from T down to 1: δₖ hₖ₋₁ᵀ, and from δₖ to the gradient of hₖ₋₁ by Uᵀ.",
        tolerance=1e-8,
    ),
    "recurrent_networks-5": sequence(
        [1.8, 0.25 * math.tanh(1.8)],
        hints={
            (1.8, 0.25 * 1.8): "The cell is right. What is shown has passed through tanh first.",
            (1.8, math.tanh(1.8)): "The cell is right. The output gate is not open.",
            (1.3, 0.25 * math.tanh(1.3)): "That is f and i exchanged.",
            (1.5, 0.25 * math.tanh(1.5)): "That keeps, and writes nothing.",
            (0.3, 0.25 * math.tanh(0.3)): "That writes, and keeps nothing.",
            (2.3, 0.25 * math.tanh(2.3)): "That keeps all of the old cell.",
        },
        hint="f = 3/4, i = 1/2, g = 3/5, o = 1/4: then formulas (13) and (14).",
        tolerance=5e-4,
    ),
    "recurrent_networks-6": function(
        [
            ((_OUTPUTS, torch.tensor([4, 1, 3])), torch.tensor([[7.0, 8], [9, 10], [21, 22]])),
            ((_OUTPUTS[:1], torch.tensor([2])), torch.tensor([[3.0, 4]])),
        ],
        hint="Row b wants its step number lengths[b] − 1. Two index tensors of shape (B,) pick one step a row.",
    ),
    "recurrent_networks-7": function(
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
    "recurrent_networks-8": number(
        2**2.5,
        hints={
            math.exp(2.5): "Bits are logarithms to base 2.",
            2.5: "Perplexity is not the number of bits, but how many equally likely characters would need as many.",
            6.25: "2 to the power of 2.5, not 2.5 squared.",
        },
        hint="How many equally likely characters need 2.5 bits?",
        tolerance=0.01,
    ),
}
