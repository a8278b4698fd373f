"""Recurrent layers: a state that is carried from token to token and updated by the same weights at every step.

One alphabet throughout: B batch, T tokens, D = input_size, H = hidden_size, L = num_layers, G how many blocks of H rows the weights
hold, one for each gate (RNN 1, GRU 3, LSTM 4). Each cell is one function, from the state before a token to the state after it;
``scan`` carries a state through a sequence; a layer is a stack of scans. Gates and weights stand in the order of torch.nn's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["CELLS", "GRU", "LSTM", "RNN", "State", "gru_step", "lstm_step", "rnn_step", "scan"]

State = Tensor | tuple[Tensor, Tensor]  # h, or for the LSTM (h, c); each (L·directions, B, H)
States = tuple[Tensor, ...]  # the same for one layer and direction: (h,) or (h, c); each (B, H)
Step = Callable[[Tensor, States, Tensor, Tensor | None], States]


def rnn_step(
    a: Tensor,
    state: States,
    weight: Tensor,
    bias: Tensor | None,
    *,
    activation: Callable[[Tensor], Tensor] = torch.tanh,
) -> States:
    """One step of the plain recurrent network (Elman, 1990): h' = φ(W x + U h + b).

    a (B, H) is the input's part W x + b, computed for all tokens at once; state (h,) with h (B, H);
    weight U (H, H); bias (H,), or None where a holds it already.
    """
    (h,) = state
    return (activation(a + F.linear(h, weight, bias)),)


def lstm_step(a: Tensor, state: States, weight: Tensor, bias: Tensor | None) -> States:
    """One step of the long short-term memory (Hochreiter and Schmidhuber, 1997; Gers et al., 2000).

    a (B, 4H) is the input's part; state (h, c), each (B, H); weight (4H, H), bias (4H,) or None.
    Blocks of rows in the order i, f, g, o.
    """
    h, c = state
    i, f, g, o = (a + F.linear(h, weight, bias)).chunk(4, dim=-1)  # (B, H) each
    i, f, o = i.sigmoid(), f.sigmoid(), o.sigmoid()  # from 0 to 1: how much to write, keep, show
    g = g.tanh()  # what there is to write, from −1 to 1
    c = f * c + i * g
    h = o * c.tanh()
    return h, c


def gru_step(a: Tensor, state: States, weight: Tensor, bias: Tensor | None) -> States:
    """One step of the gated recurrent unit (Cho et al., 2014).

    The reset gate acts after the product with the state, as in torch.nn and cuDNN; in the paper, before.
    a (B, 3H) is the input's part; state (h,) with h (B, H); weight (3H, H), bias (3H,) or None.
    Blocks of rows in the order r, z, n.
    """
    (h,) = state
    a_r, a_z, a_n = a.chunk(3, dim=-1)  # (B, H) each
    u_r, u_z, u_n = F.linear(h, weight, bias).chunk(3, dim=-1)
    r = torch.sigmoid(a_r + u_r)  # reset: how much of the state the proposal n may see
    z = torch.sigmoid(a_z + u_z)  # update: how much of the state stays
    n = torch.tanh(a_n + r * u_n)
    return ((1 - z) * n + z * h,)


def scan(
    step: Step,
    a: Tensor,
    state: States,
    weight: Tensor,
    bias: Tensor | None,
) -> list[States]:
    """Carry a state through a sequence and return the T states.

    a (B, T, G·H) holds the input's part of every step.
    """
    states = []
    for a_t in a.unbind(dim=1):  # (B, G·H)
        state = step(a_t, state, weight, bias)
        states.append(state)
    return states


class _Recurrent(nn.Module):
    """What the three layers share: their parameters, and the order in which layers and directions read.

    Layer l reads the outputs of layer l − 1. Parameters have the names and shapes of torch.nn's, ``weight_ih_l0`` (G·H, D),
    ``weight_hh_l0`` (G·H, H), ``bias_ih_l0`` and ``bias_hh_l0`` (G·H,) and so on, ``..._reverse`` for the second direction, and
    start as torch's do, uniform in ±1/√H. ``dropout`` acts on what one layer hands to the next, in training only.
    """

    num_gates: ClassVar[int]
    num_states: ClassVar[int] = 1
    sums_biases: ClassVar[bool] = True  # whether a step only ever uses the sum of both: then it is made once for all tokens
    step: Step

    def __init__(
        self, input_size: int, hidden_size: int, *, num_layers: int = 1, bidirectional: bool = False, dropout: float = 0.0
    ) -> None:
        super().__init__()
        if min(input_size, hidden_size, num_layers) < 1:
            raise ValueError(f"input_size={input_size}, hidden_size={hidden_size}, num_layers={num_layers}: all must be at least 1")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout={dropout}: a probability from 0 to below 1 is wanted")
        self.input_size, self.hidden_size, self.num_layers, self.dropout = input_size, hidden_size, num_layers, dropout
        self.bidirectional = bidirectional
        self.directions = ("", "_reverse") if bidirectional else ("",)
        rows, bound = self.num_gates * hidden_size, 1 / math.sqrt(hidden_size)
        for layer in range(num_layers):
            columns = hidden_size * len(self.directions) if layer else input_size
            for direction in self.directions:
                shapes = {"weight_ih": (rows, columns), "weight_hh": (rows, hidden_size), "bias_ih": (rows,), "bias_hh": (rows,)}
                for name, shape in shapes.items():
                    start = torch.empty(shape).uniform_(-bound, bound)
                    self.register_parameter(f"{name}_l{layer}{direction}", nn.Parameter(start))

    def forward(self, x: Tensor, state: State | None = None, *, lengths: Tensor | None = None) -> tuple[Tensor, State]:
        """Map x (B, T, D) to outputs (B, T, H·directions) and the state after the last token, (L·directions, B, H).

        ``state`` is where to start, zeros by default. With ``lengths`` int64 (B,), sequence b ends after ``lengths[b]`` tokens:
        its outputs after that are 0, its state is the one after its own last token, and the second direction begins there.
        Raises ValueError for shapes and lengths that do not fit, TypeError for dtypes.
        """
        self._check(x, lengths)
        lengths = None if lengths is None else lengths.to(x.device)
        states = self._split(x, state)
        x = _hide_padding(x, lengths)
        last: list[States] = []
        for layer in range(self.num_layers):
            if layer > 0:
                x = F.dropout(x, self.dropout, self.training)
            outputs = []
            for direction in self.directions:
                read, end = self._read(x, states[len(last)], f"l{layer}{direction}", lengths)
                outputs.append(read)
                last.append(end)
            x = torch.cat(outputs, dim=-1)  # (B, T, H·directions)
        h, *c = (torch.stack(parts) for parts in zip(*last, strict=True))  # (L·directions, B, H)
        return x, (h, c[0]) if c else h

    def _read(self, x: Tensor, state: States, name: str, lengths: Tensor | None) -> tuple[Tensor, States]:
        """Run one layer in one direction over x (B, T, ...): outputs (B, T, H), and the state after the last token."""
        turn = name.endswith("_reverse")
        w_ih, w_hh, b_ih, b_hh = (getattr(self, f"{kind}_{name}") for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
        if self.sums_biases:
            b_ih, b_hh = b_ih + b_hh, None
        a = F.linear(_reverse(x, lengths) if turn else x, w_ih, b_ih)  # (B, T, G·H): one product for all tokens
        w_hh = w_hh.T.contiguous().T  # the same numbers stored by columns, as the small products of a step are faster
        states = scan(self.step, a, state, w_hh, b_hh)
        outputs, last = torch.stack([h for h, *_ in states], dim=1), states[-1]
        if lengths is not None:  # where a sequence has ended, the scan went on over padding
            rows = torch.arange(len(x), device=x.device)
            last = tuple(torch.stack(parts, dim=1)[rows, lengths - 1] for parts in zip(*states, strict=True))
            outputs = _hide_padding(outputs, lengths)
        return _reverse(outputs, lengths) if turn else outputs, last

    def _split(self, x: Tensor, state: State | None) -> list[States]:
        """Return the state to start from for each layer and direction, after checking it."""
        count, width = self.num_layers * len(self.directions), self.hidden_size
        if state is None:
            return [(x.new_zeros(len(x), width),) * self.num_states] * count
        parts = (state,) if isinstance(state, Tensor) else tuple(state)
        if not all(isinstance(part, Tensor) for part in parts):
            raise TypeError(f"a state of {', '.join(type(part).__name__ for part in parts)} given; tensors wanted")
        shapes = [tuple(part.shape) for part in parts]
        if shapes != [(count, len(x), width)] * self.num_states:
            wanted = "(h, c), each" if self.num_states == 2 else "h"
            raise ValueError(f"a state of shape {', '.join(map(str, shapes))} given; {wanted} {(count, len(x), width)} wanted")
        for part in parts:
            if part.dtype != x.dtype:
                raise TypeError(f"a state of dtype {part.dtype} given with an input of {x.dtype}: convert one of them")
        return list(zip(*parts, strict=True))

    def _check(self, x: Tensor, lengths: Tensor | None) -> None:
        if x.ndim != 3 or x.shape[-1] != self.input_size:
            raise ValueError(f"an input of shape {tuple(x.shape)} given; this layer takes (B, T, {self.input_size})")
        if 0 in x.shape:
            raise ValueError(f"an empty input given, {tuple(x.shape)}: at least 1 sequence of at least 1 token is needed")
        if x.dtype != self.weight_ih_l0.dtype:
            raise TypeError(f"an input of dtype {x.dtype} given; this layer computes in {self.weight_ih_l0.dtype}")
        if lengths is None:
            return
        if not isinstance(lengths, Tensor) or lengths.dtype != torch.int64:
            given = lengths.dtype if isinstance(lengths, Tensor) else type(lengths).__name__
            raise TypeError(f"lengths must be a tensor of dtype torch.int64, got {given}")
        if lengths.shape != (len(x),):
            raise ValueError(f"lengths of shape {tuple(lengths.shape)} given for a batch of {len(x)} sequences; ({len(x)},) wanted")
        wrong = (lengths < 1) | (lengths > x.shape[1])
        if wrong.any():
            place = int(wrong.nonzero()[0, 0])
            raise ValueError(f"sequence {place} has length {int(lengths[place])}; from 1 to {x.shape[1]} wanted")

    @classmethod
    def from_torch(cls, module: nn.RNNBase) -> Self:
        """Copy the layer of this name in torch.nn, its dtype, device and mode (train or eval) included.

        The copy is batch first, whatever the module was. Raises ValueError for another layer, and for settings that this one does
        not have: no bias, or a projection.
        """
        if not isinstance(module, getattr(nn, cls.__name__)):
            raise ValueError(f"torch.nn.{cls.__name__} wanted, {module} given")
        if not module.bias or module.proj_size:
            raise ValueError(f"bias=False and proj_size are not known here: {module}")
        twin = cls(module.input_size, module.hidden_size, **cls._settings(module))
        first = next(module.parameters())
        twin.to(first.device, first.dtype).load_state_dict(module.state_dict())
        return twin.train(module.training)

    @classmethod
    def _settings(cls, module: nn.RNNBase) -> dict[str, Any]:
        return {"num_layers": module.num_layers, "bidirectional": module.bidirectional, "dropout": module.dropout}

    def extra_repr(self) -> str:
        """Name the sizes where the layer is printed."""
        settings = f"num_layers={self.num_layers}, bidirectional={self.bidirectional}, dropout={self.dropout}"
        return f"{self.input_size}, {self.hidden_size}, {settings}"


class RNN(_Recurrent):
    """The plain recurrent network; see ``rnn_step``. ``nonlinearity`` is tanh or relu. Twin: ``torch.nn.RNN``."""

    num_gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bidirectional: bool = False,
        dropout: float = 0.0,
    ) -> None:
        settings: dict[str, Any] = {"bidirectional": bidirectional, "dropout": dropout}
        super().__init__(input_size, hidden_size, num_layers=num_layers, **settings)
        activations: dict[str, Callable[[Tensor], Tensor]] = {"tanh": torch.tanh, "relu": torch.relu}
        if nonlinearity not in activations:
            raise ValueError(f"nonlinearity={nonlinearity!r} is not known; there are tanh and relu")
        self.nonlinearity = nonlinearity
        self.step = partial(rnn_step, activation=activations[nonlinearity])

    @classmethod
    def _settings(cls, module: nn.RNNBase) -> dict[str, Any]:
        return {**super()._settings(module), "nonlinearity": module.nonlinearity}


class LSTM(_Recurrent):
    """The long short-term memory; see ``lstm_step``. Its state is (h, c). Twin: ``torch.nn.LSTM``.

    ``forget_bias`` is added to the forget gates' bias at the start: with 1 the gates begin at about
    σ(1) = 0.73 and not at a half, and what is in the cell lasts longer (Jozefowicz et al., 2015).
    """

    num_gates, num_states = 4, 2
    step = staticmethod(lstm_step)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        num_layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
        forget_bias: float = 0.0,
    ) -> None:
        settings: dict[str, Any] = {"bidirectional": bidirectional, "dropout": dropout}
        super().__init__(input_size, hidden_size, num_layers=num_layers, **settings)
        for name, parameter in self.named_parameters():
            if name.startswith("bias_ih"):
                parameter.data[hidden_size : 2 * hidden_size] += forget_bias  # rows i, f, g, o


class GRU(_Recurrent):
    """The gated recurrent unit; see ``gru_step``. Twin: ``torch.nn.GRU``."""

    num_gates, sums_biases = 3, False  # the reset gate acts on one of the two
    step = staticmethod(gru_step)


CELLS = {"rnn": RNN, "lstm": LSTM, "gru": GRU}


def _hide_padding(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Set x (B, T, ...) to 0 after each sequence's last token."""
    if lengths is None:
        return x
    return x.masked_fill((torch.arange(x.shape[1], device=x.device) >= lengths[:, None])[..., None], 0.0)


def _reverse(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Turn each sequence of x (B, T, ...) round; what is padding stays where it is."""
    if lengths is None:
        return x.flip(1)
    place = torch.arange(x.shape[1], device=x.device)  # (T,)
    mirror = torch.where(place < lengths[:, None], lengths[:, None] - 1 - place, place)  # (B, T)
    return x.gather(1, mirror[..., None].expand_as(x))
