"""A multilayer perceptron in NumPy alone: the forward pass, and back-propagation in matrix form.

Axes: B batch, D⁰ inputs, Dˡ units of layer l. Layer l of n maps hˡ⁻¹ (B, Dˡ⁻¹) to zˡ = hˡ⁻¹ Wˡᵀ + bˡ (B, Dˡ); hˡ = φ(zˡ), but the
last layer is linear. Rumelhart, Hinton and Williams (1986); Nielsen (2015), chapter 2.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["ACTIVATIONS", "backward", "forward", "initialise"]

Array = NDArray[np.float64]
Parameters = list[tuple[Array, Array]]  # one (weight (Dˡ, Dˡ⁻¹), bias (Dˡ,)) a layer

ACTIVATIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {  # φ(z), and φ′(z) as a function of h = φ(z)
    "identity": (lambda z: z, np.ones_like),
    "sigmoid": (lambda z: (1 + np.tanh(z / 2)) / 2, lambda h: h * (1 - h)),
    "tanh": (np.tanh, lambda h: 1 - h**2),
    "relu": (lambda z: np.maximum(z, 0.0), lambda h: (h > 0).astype(np.float64)),
}


def initialise(sizes: Sequence[int], *, seed: int) -> Parameters:
    """Return parameters for layers of these sizes, input first: uniform in ±1/√(inputs of the layer), as PyTorch draws them.

    Raises ValueError for fewer than two sizes or a size below 1.
    """
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError(f"sizes={tuple(sizes)}: at least an input and an output are wanted, each of at least 1")
    draw = np.random.default_rng(seed)
    return [
        (draw.uniform(-1, 1, (outputs, inputs)) / np.sqrt(inputs), draw.uniform(-1, 1, outputs) / np.sqrt(inputs))
        for inputs, outputs in itertools.pairwise(sizes)
    ]


def forward(parameters: Parameters, x: Array, *, activation: str = "tanh") -> list[Array]:
    """Return [h⁰, h¹, …, hⁿ]: the input x (B, D⁰), what each hidden layer puts out, and last the linear output (B, Dⁿ).

    Raises ValueError for an activation not in ``ACTIVATIONS`` and for an x of another width.
    """
    phi, _ = _find(activation)
    wanted = parameters[0][0].shape[1]
    if x.ndim != 2 or x.shape[1] != wanted:
        raise ValueError(f"an input of shape {x.shape} given; (B, {wanted}) wanted")
    values = [x]
    for number, (weight, bias) in enumerate(parameters, start=1):
        z = values[-1] @ weight.T + bias  # (B, Dˡ)
        values.append(phi(z) if number < len(parameters) else z)
    return values


def backward(parameters: Parameters, values: list[Array], gradient: Array, *, activation: str = "tanh") -> Parameters:
    """Return ∂L/∂W and ∂L/∂b of every layer, given ``forward``'s values and ``gradient`` = ∂L/∂hⁿ (B, Dⁿ), L being the loss.

    δˡ stands for ∂L/∂zˡ. Nothing is updated here: all gradients belong to the same parameters. Raises ValueError for a gradient
    of another shape than the output, where NumPy would broadcast.
    """
    _, slope = _find(activation)
    if gradient.shape != values[-1].shape:
        raise ValueError(f"a gradient of shape {gradient.shape} given; the output has {values[-1].shape}")
    gradients: Parameters = []
    delta = gradient  # δⁿ, since the last layer is linear
    for number in reversed(range(len(parameters))):
        weight, h = parameters[number][0], values[number]  # Wˡ (Dˡ, Dˡ⁻¹) and hˡ⁻¹ (B, Dˡ⁻¹)
        gradients.append((delta.T @ h, delta.sum(axis=0)))  # (Dˡ, Dˡ⁻¹) and (Dˡ,)
        if number > 0:
            delta = (delta @ weight) * slope(h)  # δˡ⁻¹ (B, Dˡ⁻¹)
    return gradients[::-1]


def _find(activation: str) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation={activation!r} is not known; there are {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[activation]
