"""Convolution and pooling, written as what they are: every window of an image, or of a sequence, against one small table.

One alphabet throughout: B batch, C input channels, O output channels, H and W the image, P and Q the output's rows and columns,
M and N the kernel's. A sequence has T values a channel, its output P, its kernel M. "Convolution" is the field's word for what
mathematics calls cross-correlation: the kernel is not flipped (Goodfellow et al., 2016, section 9.1). Sizes follow Dumoulin and
Visin (2016).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["AvgPool2d", "Conv1d", "Conv2d", "MaxPool2d", "conv2d", "conv_transpose2d", "output_size", "receptive_field", "windows"]

Pair = int | tuple[int, int]


def output_size(size: int, kernel_size: int, *, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """Return how many positions a window has along an axis of ``size`` values: ⌊(size + 2·padding − span) / stride⌋ + 1.

    The window spans dilation·(kernel_size − 1) + 1 values. Raises ValueError where it does not fit even once.
    """
    span = dilation * (kernel_size - 1) + 1
    if size + 2 * padding < span:
        raise ValueError(f"a window that spans {span} does not fit into {size} + 2·{padding} values")
    return (size + 2 * padding - span) // stride + 1


def receptive_field(layers: Iterable[tuple[int, int]]) -> int:
    """Return how many input values along one axis one output sees, for a stack of (kernel_size, stride), first layer first.

    Each layer adds kernel_size − 1 steps, and a step is as wide as the product of the strides before it.
    """
    field, step = 1, 1
    for kernel_size, stride in layers:
        field += (kernel_size - 1) * step
        step *= stride
    return field


def windows(x: Tensor, kernel_size: Pair, *, stride: Pair = 1, padding: Pair = 0, dilation: Pair = 1, fill: float = 0.0) -> Tensor:
    """Return every window of x (B, C, H, W) as (B, C, P, Q, M, N); what lies outside the image is ``fill``.

    Raises ValueError if x has not four axes, if a setting is out of range, or if the window does not fit.
    """
    if x.ndim != 4:
        raise ValueError(f"an input of shape {tuple(x.shape)} given; (batch, channels, height, width) wanted")
    kernel, step, pad, gap = _pair(kernel_size), _pair(stride), _pair(padding), _pair(dilation)
    if min(kernel + step + gap) < 1 or min(pad) < 0:
        raise ValueError(
            f"kernel_size={kernel_size}, stride={stride}, dilation={dilation} must be at least 1, padding={padding} at least 0"
        )
    for axis in (0, 1):
        output_size(x.shape[2 + axis], kernel[axis], padding=pad[axis], dilation=gap[axis])  # raises where nothing fits
    x = F.pad(x, (pad[1], pad[1], pad[0], pad[0]), value=fill)
    for axis in (0, 1):
        x = x.unfold(2 + axis, gap[axis] * (kernel[axis] - 1) + 1, step[axis])  # appends an axis with the span of each window
    return x[..., :: gap[0], :: gap[1]]  # (B, C, P, Q, M, N), a view: nothing is copied


def conv2d(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, *, stride: Pair = 1, padding: Pair = 0, dilation: Pair = 1
) -> Tensor:
    """Slide weight (O, C, M, N) over x (B, C, H, W) and return the inner products (B, O, P, Q), plus bias (O,).

    Equal to ``torch.nn.functional.conv2d``. Raises ValueError for shapes and TypeError for dtypes that do not go together.
    """
    _check_weight(x, weight, bias, channels_axis=1)
    kernel_size = (weight.shape[2], weight.shape[3])
    patches = windows(x, kernel_size, stride=stride, padding=padding, dilation=dilation)  # (B, C, P, Q, M, N)
    y = torch.einsum("bcpqmn,ocmn->bopq", patches, weight)  # unfolded to a matrix, this is one matrix product
    return y if bias is None else y + bias[:, None, None]


def conv_transpose2d(x: Tensor, weight: Tensor, bias: Tensor | None = None, *, stride: Pair = 1, padding: Pair = 0) -> Tensor:
    """Write the kernel weight (C, O, M, N) into the output once for each input value, ``stride`` apart, and add what overlaps.

    x (B, C, H, W) becomes (B, O, (H − 1)·stride − 2·padding + M, ...). It is the map that carries the gradient of ``conv2d``
    back to its input. Equal to ``torch.nn.functional.conv_transpose2d``. Raises ValueError and TypeError as conv2d does.
    """
    _check_weight(x, weight, bias, channels_axis=0)
    (rows, columns), (up, left) = _pair(stride), _pair(padding)
    height, width = weight.shape[2:]
    spread = x.new_zeros(*x.shape[:2], (x.shape[2] - 1) * rows + 1, (x.shape[3] - 1) * columns + 1)
    spread[:, :, ::rows, ::columns] = x  # the input with stride − 1 zeros between its values
    spread = F.pad(spread, (width - 1 - left, width - 1 - left, height - 1 - up, height - 1 - up))
    return conv2d(spread, weight.flip(2, 3).transpose(0, 1), bias)


class Conv2d(nn.Module):
    """A convolution with learned kernels; see ``conv2d``. Twin: ``torch.nn.Conv2d``, whose initialisation it shares.

    Weights (O, C, M, N) and bias (O,) start uniform in ±1/√(C·M·N).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Pair = 0,
        dilation: Pair = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.stride, self.padding, self.dilation = stride, padding, dilation
        bound = 1 / math.sqrt(in_channels * math.prod(_pair(kernel_size)))
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, *_pair(kernel_size)).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(out_channels).uniform_(-bound, bound)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, C, H, W) to (B, O, P, Q)."""
        return conv2d(x, self.weight, self.bias, stride=self.stride, padding=self.padding, dilation=self.dilation)

    @classmethod
    def from_torch(cls, module: nn.Conv2d) -> Self:
        """Copy a ``torch.nn.Conv2d``; ValueError if it uses groups or a padding that this layer does not have."""
        if module.groups != 1 or module.padding_mode != "zeros" or isinstance(module.padding, str):
            raise ValueError(f"only groups=1 and padding by a number of zeros are known here, not {module}")
        twin = cls(
            module.in_channels,
            module.out_channels,
            kernel_size=_pair(module.kernel_size),
            stride=_pair(module.stride),
            padding=_pair(module.padding),
            dilation=_pair(module.dilation),
            bias=module.bias is not None,
        )
        twin.to(module.weight.device, module.weight.dtype).load_state_dict(module.state_dict())
        return twin


class Conv1d(nn.Module):
    """A convolution along a sequence, such as the words of a text. Twin: ``torch.nn.Conv1d``.

    Weights (O, C, M) and bias (O,) start uniform in ±1/√(C·M), as torch's. Raises ValueError for
    sizes below 1 or a padding below 0.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, *, padding: int = 0) -> None:
        super().__init__()
        if min(in_channels, out_channels, kernel_size) < 1 or padding < 0:
            raise ValueError(
                f"in_channels={in_channels}, out_channels={out_channels}, kernel_size={kernel_size} "
                f"must be at least 1, padding={padding} at least 0"
            )
        self.padding = padding
        bound = 1 / math.sqrt(in_channels * kernel_size)
        weight = torch.empty(out_channels, in_channels, kernel_size).uniform_(-bound, bound)
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(torch.empty(out_channels).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, C, T) to (B, O, P), with P = T + 2·padding − M + 1.

        Raises ValueError for another shape, and where the kernel does not fit into the sequence;
        TypeError for another dtype than the weight's.
        """
        in_channels, kernel_size = self.weight.shape[1:]
        if x.ndim != 3 or x.shape[1] != in_channels:
            wanted = f"(batch, {in_channels}, length)"
            raise ValueError(f"an input of shape {tuple(x.shape)} given; this layer takes {wanted}")
        if x.dtype != self.weight.dtype:
            wanted = f"this layer computes in {self.weight.dtype}"
            raise TypeError(f"an input of dtype {x.dtype} given; {wanted}")
        size = output_size(x.shape[2], kernel_size, padding=self.padding)  # P
        x = F.pad(x, (self.padding, self.padding)).mT  # (B, T + 2·padding, C)
        y: Tensor = self.bias
        for m in range(kernel_size):  # a product for each place in the window: as fast as torch's
            y = y + (x @ self.weight[:, :, m].T)[:, m : m + size]  # (B, P, O)
        return y.mT

    @classmethod
    def from_torch(cls, module: nn.Conv1d) -> Self:
        """Copy a ``torch.nn.Conv1d``; ValueError for another layer and for settings unknown here."""
        if not isinstance(module, nn.Conv1d):
            raise ValueError(f"torch.nn.Conv1d wanted, {module} given")
        steps = (module.stride, module.dilation, module.groups) == ((1,), (1,), 1)
        zeros = module.padding_mode == "zeros" and not isinstance(module.padding, str)
        if not steps or not zeros or module.bias is None:
            raise ValueError(f"only steps of 1, a number of zeros and a bias are known here: {module}")
        sizes = (module.in_channels, module.out_channels, module.kernel_size[0])
        twin = cls(*sizes, padding=int(module.padding[0]))
        twin.to(module.weight.device, module.weight.dtype).load_state_dict(module.state_dict())
        return twin


class _Pool2d(nn.Module):
    """What both poolings share: the window, which moves by its own size unless told otherwise, and no parameters."""

    def __init__(self, kernel_size: Pair, *, stride: Pair | None = None, padding: Pair = 0) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.padding = kernel_size, kernel_size if stride is None else stride, padding
        if any(2 * p > k for p, k in zip(_pair(padding), _pair(kernel_size), strict=True)):
            raise ValueError(
                f"padding={padding} is more than half of kernel_size={kernel_size}: a window could lie outside the image"
            )

    def windows(self, x: Tensor, fill: float) -> Tensor:
        return windows(x, self.kernel_size, stride=self.stride, padding=self.padding, fill=fill).flatten(-2)  # (B, C, P, Q, M·N)


class MaxPool2d(_Pool2d):
    """The largest value of each window. Twin: ``torch.nn.MaxPool2d`` (of equal values, the first gets the gradient)."""

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, C, H, W) to (B, C, P, Q)."""
        return self.windows(x, fill=-math.inf).max(dim=-1).values

    @classmethod
    def from_torch(cls, module: nn.MaxPool2d) -> Self:
        """Copy the settings of a ``torch.nn.MaxPool2d``; ValueError for settings that this layer does not have."""
        if _pair(module.dilation) != (1, 1) or module.ceil_mode or module.return_indices:
            raise ValueError(f"dilation, ceil_mode and return_indices are not known here: {module}")
        return cls(_pair(module.kernel_size), stride=_pair(module.stride), padding=_pair(module.padding))


class AvgPool2d(_Pool2d):
    """The mean of each window; padded zeros count. Twin: ``torch.nn.AvgPool2d``."""

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, C, H, W) to (B, C, P, Q)."""
        return self.windows(x, fill=0.0).mean(dim=-1)

    @classmethod
    def from_torch(cls, module: nn.AvgPool2d) -> Self:
        """Copy the settings of a ``torch.nn.AvgPool2d``; ValueError for settings that this layer does not have."""
        if module.ceil_mode or not module.count_include_pad or module.divisor_override is not None:
            raise ValueError(f"ceil_mode, count_include_pad=False and divisor_override are not known here: {module}")
        return cls(_pair(module.kernel_size), stride=_pair(module.stride), padding=_pair(module.padding))


def _pair(value: int | tuple[int, ...]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _check_weight(x: Tensor, weight: Tensor, bias: Tensor | None, *, channels_axis: int) -> None:
    if x.ndim != 4 or weight.ndim != 4 or x.shape[1] != weight.shape[channels_axis]:
        order = "(out, in, height, width)" if channels_axis == 1 else "(in, out, height, width)"
        raise ValueError(
            f"an input of shape {tuple(x.shape)} and a weight of shape {tuple(weight.shape)} given; "
            f"wanted (batch, in, height, width) and {order}"
        )
    outputs = weight.shape[1 - channels_axis]
    if bias is not None and bias.shape != (outputs,):
        raise ValueError(f"a bias of shape {tuple(bias.shape)} given; {outputs} output channels need ({outputs},)")
    if x.dtype != weight.dtype:
        raise TypeError(f"an input of {x.dtype} meets a weight of {weight.dtype}: convert one of them")
