"""Reverse-mode differentiation of array programs in NumPy: the idea behind every deep-learning framework, small enough to read.

Each operation remembers its operands and, for each of them, how the gradient of the result becomes a gradient of that operand
(Griewank and Walther, 2008, chapter 3; Baydin et al., 2018). Walking the operations backwards then differentiates any program.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Tensor", "numerical_gradient"]

Array = NDArray[np.float64]
Axis = int | tuple[int, ...] | None
Pull = Callable[[Array], Any]  # from the gradient of a result to the gradient of one operand


class Tensor:
    """An array of float64 that remembers how it was computed. Twin: ``torch.Tensor``.

    `data` holds the numbers and `grad` the gradient, an array of the same shape, or None before
    `backward`. `parents` are the operands it was computed from, by the operation `op` ("+", "**2",
    "matmul", "exp", ...); a leaf has none, and op "". Numbers and arrays may stand on either side of
    + - * / @ and become leaves. Do not change `data` between an operation and `backward`.

    Raises TypeError for data that are not real numbers.
    """

    __array_ufunc__ = None  # array + Tensor is left to the tensor

    def __init__(self, data: ArrayLike, *, name: str = "") -> None:
        given = np.asarray(data)
        if given.dtype.kind not in "biuf":
            what = f"a {type(data).__name__} of {given.dtype}"
            raise TypeError(f"data must be real numbers, got {what}")
        self.data: Array = np.array(given, dtype=np.float64)
        self.grad: Array | None = None
        self.parents: tuple[Tensor, ...] = ()
        self.op = ""
        self.name = name
        self._pulls: tuple[Pull, ...] = ()  # one for each parent

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        return self.data.shape

    def __repr__(self) -> str:
        label = f", name={self.name!r}" if self.name else ""
        return f"Tensor({np.array2string(self.data, precision=4, separator=', ')}{label})"

    # Operations: the value, the operands, and one pull-back for each operand

    def __add__(self, other: Operand) -> Tensor:
        other = _tensor(other)
        return _node("+", self.data + other.data, (self, lambda g: g), (other, lambda g: g))

    def __sub__(self, other: Operand) -> Tensor:
        other = _tensor(other)
        return _node("-", self.data - other.data, (self, lambda g: g), (other, lambda g: -g))

    def __mul__(self, other: Operand) -> Tensor:
        a, b = self, _tensor(other)
        return _node("*", a.data * b.data, (a, lambda g: g * b.data), (b, lambda g: g * a.data))

    def __truediv__(self, other: Operand) -> Tensor:
        a, b = self, _tensor(other)
        y = a.data / b.data
        return _node("/", y, (a, lambda g: g / b.data), (b, lambda g: -g * y / b.data))

    def __pow__(self, power: float) -> Tensor:
        if not isinstance(power, int | float):
            raise TypeError(f"the exponent must be a number, got a {type(power).__name__}")
        x = self.data
        slope = power * x ** (power - 1) if power else np.zeros(x.shape)
        return _node(f"**{power:g}", x**power, (self, lambda g: g * slope))

    def __matmul__(self, other: Operand) -> Tensor:
        a, b = self, _tensor(other)
        if b.data.ndim == 1:
            return (a @ b.reshape(-1, 1))[..., 0]
        if a.data.ndim == 1:
            return (a.reshape(1, -1) @ b)[..., 0, :]
        y = a.data @ b.data
        return _node("matmul", y, (a, lambda g: g @ b.data.mT), (b, lambda g: a.data.mT @ g))

    def __neg__(self) -> Tensor:
        return _node("neg", -self.data, (self, lambda g: -g))

    def __radd__(self, other: ArrayLike) -> Tensor:
        return _tensor(other) + self

    def __rsub__(self, other: ArrayLike) -> Tensor:
        return _tensor(other) - self

    def __rmul__(self, other: ArrayLike) -> Tensor:
        return _tensor(other) * self

    def __rtruediv__(self, other: ArrayLike) -> Tensor:
        return _tensor(other) / self

    def __rmatmul__(self, other: ArrayLike) -> Tensor:
        return _tensor(other) @ self

    def exp(self) -> Tensor:
        """Return e to the power of every entry."""
        y = np.exp(self.data)
        return _node("exp", y, (self, lambda g: g * y))

    def log(self) -> Tensor:
        """Return the natural logarithm of every entry."""
        return _node("log", np.log(self.data), (self, lambda g: g / self.data))

    def sin(self) -> Tensor:
        """Return the sine of every entry, in radians."""
        return _node("sin", np.sin(self.data), (self, lambda g: g * np.cos(self.data)))

    def tanh(self) -> Tensor:
        """Return the hyperbolic tangent of every entry."""
        y = np.tanh(self.data)
        return _node("tanh", y, (self, lambda g: g * (1 - y**2)))

    def sigmoid(self) -> Tensor:
        """Return 1 / (1 + exp(-x)) of every entry x, without overflow."""
        y = 0.5 + 0.5 * np.tanh(0.5 * self.data)
        return _node("sigmoid", y, (self, lambda g: g * y * (1 - y)))

    def relu(self) -> Tensor:
        """Return max(0, x) of every entry x; the gradient at 0 is 0, as PyTorch has it."""
        return _node("relu", np.maximum(self.data, 0), (self, lambda g: g * (self.data > 0)))

    def sum(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Add up over one axis, several, or all."""
        lost = () if axis is None or keepdims else axis  # the axes that stretching needs back

        def pull(g: Array) -> Array:
            return np.broadcast_to(np.expand_dims(g, lost), self.shape)

        return _node("sum", self.data.sum(axis, keepdims=keepdims), (self, pull))

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Average over one axis, several, or all."""
        total = self.sum(axis, keepdims)
        return total / (self.data.size / total.data.size)

    def reshape(self, *shape: int) -> Tensor:
        """Return the same numbers in the same order under another shape."""
        return _node("reshape", self.data.reshape(*shape), (self, lambda g: g.reshape(self.shape)))

    @property
    def T(self) -> Tensor:  # noqa: N802  (NumPy's name)
        """The tensor with its axes in reverse order."""
        return _node("T", self.data.T, (self, lambda g: g.T))

    def __getitem__(self, index: Any) -> Tensor:
        def pull(g: Array) -> Array:
            gradient = np.zeros(self.shape)
            np.add.at(gradient, index, g)  # an entry that was read twice gets two shares
            return gradient

        return _node("[]", self.data[index], (self, pull))

    # Differentiation

    def topological(self) -> list[Tensor]:
        """Return this tensor and all it depends on, every operand before its results."""
        order, seen = [], set()
        stack = [(self, False)]
        while stack:
            node, parents_are_in = stack.pop()
            if parents_are_in:
                order.append(node)
            elif id(node) not in seen:
                seen.add(id(node))
                stack.append((node, True))
                stack += [(parent, False) for parent in reversed(node.parents)]
        return order

    def backward(self, gradient: ArrayLike | None = None) -> None:
        """Add to the `grad` of this tensor and all it depends on.

        `gradient` is that of the end result with respect to this tensor, in its shape. A single
        number needs none: it is the end result, and the gradient 1. Otherwise raises ValueError.
        """
        if gradient is None and self.data.size != 1:
            raise ValueError(f"backward() starts from one number, this tensor has shape {self.shape}")
        start = np.ones(self.shape) if gradient is None else np.asarray(gradient, dtype=np.float64)
        if start.shape != self.shape:
            raise ValueError(f"a gradient of shape {start.shape} for a tensor of shape {self.shape}")
        arrived = {id(self): start}
        for node in reversed(self.topological()):  # each node after everything that uses it
            g = arrived.pop(id(node))
            if node.grad is None:
                node.grad = np.zeros(node.shape)
            node.grad += g
            for parent, pull in zip(node.parents, node._pulls, strict=True):
                share = _unbroadcast(pull(g), parent.shape)
                arrived[id(parent)] = arrived.get(id(parent), 0) + share


Operand = Tensor | ArrayLike


def numerical_gradient(function: Callable[[Array], Any], x: ArrayLike, *, step: float = 1e-6) -> Array:
    """Return the gradient at x of a function from an array to one number, by central differences: two calls for each entry.

    It shares no code with `backward`, so it can check it. Expect about nine digits at the default step, the best compromise
    between the curvature of the function and the rounding of its values. Raises ValueError unless step > 0 and the function
    returns a single number.
    """
    if not step > 0:
        raise ValueError(f"step must be positive, got {step}")
    x = np.array(x, dtype=np.float64)
    gradient = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        middle, values = x[place], []
        for moved in (middle + step, middle - step):
            x[place] = moved
            value = np.asarray(function(x))
            if value.size != 1:
                raise ValueError(f"the function must return one number, it returned an array of shape {value.shape}")
            values.append(value.item())
        x[place] = middle
        gradient[place] = (values[0] - values[1]) / (2 * step)
    return gradient


def _tensor(value: Operand) -> Tensor:
    return value if isinstance(value, Tensor) else Tensor(value)


def _node(op: str, data: ArrayLike, *operands: tuple[Tensor, Pull]) -> Tensor:
    node = Tensor(data)
    node.op = op
    node.parents, node._pulls = zip(*operands, strict=True)
    return node


def _unbroadcast(gradient: Array, shape: tuple[int, ...]) -> Array:
    """Sum over the axes along which an operand of `shape` was stretched: an entry used n times gets n shares."""
    added = gradient.ndim - len(shape)
    stretched = (added + axis for axis, size in enumerate(shape) if size == 1)
    total: Array = gradient.sum(axis=(*range(added), *stretched), keepdims=True)
    return total.reshape(shape)
