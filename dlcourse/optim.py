"""The optimisers of the course, each a few lines: how one parameter moves when its gradient is known.

Twins of torch's, with its names for settings and state, so that they fit schedulers, checkpoints and training loops, and follow
the same path step by step. θ is the parameter, g its gradient. ``weight_decay`` adds ``weight_decay · θ`` to the gradient, the
gradient of (weight_decay / 2)·‖θ‖², for all but `AdamW`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import Optimizer, ParamsT

__all__ = ["SGD", "AdaGrad", "Adam", "AdamW", "Momentum", "Muon", "Nesterov", "RMSprop", "Together"]

Settings = dict[str, Any]
State = dict[str, Any]


class _Optimiser(Optimizer):
    """What all share: the loop over the parameters, and the checks. A subclass writes `update`.

    Raises ValueError or TypeError for settings out of range, in the constructor or in a group of parameters of its own.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Move every parameter that has a gradient; return the loss where `closure` computes it and its gradients anew."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for settings in self.param_groups:
            for theta in settings["params"]:
                if theta.grad is None:
                    continue
                if theta.grad.is_sparse:
                    raise TypeError("a sparse gradient given; these optimisers take dense ones (sparse=False in the embedding)")
                self.update(theta, theta.grad, self.state[theta], settings)
        return loss

    def update(self, theta: Tensor, g: Tensor, state: State, settings: Settings) -> None:
        """Change θ in place, given its gradient g of the same shape, what was kept from the steps before, and the settings."""
        raise NotImplementedError

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Take in parameters with settings of their own; what is not given is as in the constructor."""
        for name, value in {**self.defaults, **param_group}.items():
            _check(type(self).__name__, name, value)
        super().add_param_group(param_group)


class SGD(_Optimiser):
    """Gradient descent: θ ← θ − lr·g (Cauchy, 1847; with a gradient that is right on average, Robbins and Monro, 1951)."""

    def __init__(self, params: ParamsT, lr: float = 1e-3, *, weight_decay: float = 0.0) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})

    def update(self, theta: Tensor, g: Tensor, state: State, settings: Settings) -> None:
        """Apply θ ← θ − lr·g."""
        g = g + settings["weight_decay"] * theta
        theta -= settings["lr"] * g


class Momentum(_Optimiser):
    """Heavy ball: move along a decaying sum of all past gradients (Polyak, 1964). Twin: ``torch.optim.SGD(momentum=...)``."""

    def __init__(self, params: ParamsT, lr: float = 1e-3, *, momentum: float = 0.9, weight_decay: float = 0.0) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    def update(self, theta: Tensor, g: Tensor, state: State, settings: Settings) -> None:
        """Apply v ← momentum·v + g, then θ ← θ − lr·v."""
        g = g + settings["weight_decay"] * theta
        v = state["momentum_buffer"] = settings["momentum"] * state.get("momentum_buffer", 0) + g
        theta -= settings["lr"] * v


class Nesterov(Momentum):
    """Momentum that looks one step ahead (Nesterov, 1983), in the form of Sutskever et al. (2013).

    Twin: ``torch.optim.SGD(momentum=..., nesterov=True)``. θ here is the point at which the gradient is taken.
    """

    def update(self, theta: Tensor, g: Tensor, state: State, settings: Settings) -> None:
        """Apply v ← momentum·v + g, then θ ← θ − lr·(g + momentum·v)."""
        g = g + settings["weight_decay"] * theta
        v = state["momentum_buffer"] = settings["momentum"] * state.get("momentum_buffer", 0) + g
        theta -= settings["lr"] * (g + settings["momentum"] * v)


class AdaGrad(_Optimiser):
    """Divide each coordinate by the root of the sum of its squared gradients (Duchi, Hazan and Singer, 2011).

    Twin: ``torch.optim.Adagrad``.
    """

    def __init__(
        self, params: ParamsT, lr: float = 1e-2, *, lr_decay: float = 0.0, weight_decay: float = 0.0, eps: float = 1e-10
    ) -> None:
        super().__init__(params, {"lr": lr, "lr_decay": lr_decay, "weight_decay": weight_decay, "eps": eps})

    def update(self, theta: Tensor, g: Tensor, state: State, settings: Settings) -> None:
        """Apply s ← s + g², then θ ← θ − lr·g / (√s + eps)."""
        g = g + settings["weight_decay"] * theta
        t = state["step"] = int(state.get("step", 0)) + 1
        s = state["sum"] = state.get("sum", 0) + g**2
        theta -= settings["lr"] / (1 + (t - 1) * settings["lr_decay"]) * g / (s.sqrt() + settings["eps"])


class RMSprop(_Optimiser):
    """AdaGrad that forgets: a decaying mean of squared gradients instead of their sum (Tieleman and Hinton, 2012)."""

    def __init__(
        self, params: ParamsT, lr: float = 1e-2, *, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0.0
    ) -> None:
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay})

    def update(self, theta: Tensor, g: Tensor, state: State, settings: Settings) -> None:
        """Apply s ← alpha·s + (1 − alpha)·g², then θ ← θ − lr·g / (√s + eps)."""
        g = g + settings["weight_decay"] * theta
        keep = settings["alpha"]
        s = state["square_avg"] = keep * state.get("square_avg", 0) + (1 - keep) * g**2
        theta -= settings["lr"] * g / (s.sqrt() + settings["eps"])


class Adam(_Optimiser):
    """Momentum over RMSprop, both freed of the bias of their start at zero (Kingma and Ba, 2015, algorithm 1)."""

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def update(self, theta: Tensor, g: Tensor, state: State, settings: Settings) -> None:
        """Keep mean m and mean square s of the gradients, correct both; then θ ← θ − lr·m̂ / (√ŝ + eps)."""
        g = g + settings["weight_decay"] * theta
        beta1, beta2 = settings["betas"]
        t = state["step"] = int(state.get("step", 0)) + 1
        m = state["exp_avg"] = beta1 * state.get("exp_avg", 0) + (1 - beta1) * g
        s = state["exp_avg_sq"] = beta2 * state.get("exp_avg_sq", 0) + (1 - beta2) * g**2
        m_hat, s_hat = m / (1 - beta1**t), s / (1 - beta2**t)
        theta -= settings["lr"] * m_hat / (s_hat.sqrt() + settings["eps"])


class AdamW(Adam):
    """Adam with weight decay outside the gradient, where the division cannot touch it (Loshchilov and Hutter, 2019)."""

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(params, lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def update(self, theta: Tensor, g: Tensor, state: State, settings: Settings) -> None:
        """Apply θ ← (1 − lr·weight_decay)·θ, then Adam's step without weight decay."""
        theta *= 1 - settings["lr"] * settings["weight_decay"]
        super().update(theta, g, state, {**settings, "weight_decay": 0.0})


class Muon(_Optimiser):
    """Momentum whose step has all singular values near 1, for matrices (Jordan et al., 2024). Twin: ``torch.optim.Muon``.

    Each matrix (R, C) moves by lr·√max(1, R/C) times `orthogonal` of its momentum, Nesterov's. Matrices of one size go through the
    iteration together, whichever way they lie: many small products would each wait for the one before. Raises ValueError for a
    parameter that is no matrix: give the others to another optimiser, and both to `Together`.
    """

    def __init__(self, params: ParamsT, lr: float = 1e-3, *, momentum: float = 0.95, weight_decay: float = 0.1) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Note the momentum of every matrix, then move those of one size together."""
        self._waiting: dict[tuple[int, int], list[tuple[Tensor, Tensor, Settings]]] = {}
        loss = super().step(closure)
        for group in self._waiting.values():
            thetas, steps, settings = zip(*group, strict=True)
            for theta, o, own in zip(thetas, orthogonal(torch.stack(steps)), settings, strict=True):
                rows, columns = theta.shape
                theta.mul_(1 - own["lr"] * own["weight_decay"])
                theta.add_(o.T if rows > columns else o, alpha=-own["lr"] * math.sqrt(max(1, rows / columns)))
        return loss

    def update(self, theta: Tensor, g: Tensor, state: State, settings: Settings) -> None:
        """Keep the momentum v ← momentum·v + (1 − momentum)·g; what moves θ is between g and v."""
        if theta.ndim != 2:
            raise ValueError(f"Muon moves matrices, a parameter of shape {tuple(theta.shape)} given")
        v = state["momentum_buffer"] = torch.lerp(g, state.get("momentum_buffer", torch.zeros_like(g)), settings["momentum"])
        step = torch.lerp(g, v, settings["momentum"])
        wide = step.T if theta.shape[0] > theta.shape[1] else step
        self._waiting.setdefault((wide.shape[0], wide.shape[1]), []).append((theta, wide, settings))


def orthogonal(x: Tensor, *, rounds: int = 5) -> Tensor:
    """Return matrices (N, R, C), R ≤ C, with the singular vectors of x and nearly all singular values between 0.7 and 1.2.

    Each round sends a singular value s to 3.4445 s − 4.7750 s³ + 2.0315 s⁵: Newton and Schulz's iteration, with coefficients that
    lift small values fastest (Jordan et al., 2024). In bfloat16, whose errors are far smaller than the spread that is left.
    """
    x = x.bfloat16()
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)  # no singular value exceeds this norm
    for _ in range(rounds):
        a = x @ x.mT  # (N, R, R)
        b = torch.baddbmm(a, a, a, beta=-4.7750, alpha=2.0315)  # −4.7750 a + 2.0315 a²
        x = torch.baddbmm(x, b, x, beta=3.4445)  # 3.4445 x + b x
    return x


class Together(Optimizer):
    """Several optimisers as one, each moving the parameters that it holds: ``Together(Muon(matrices), AdamW(others))``.

    Their groups are its groups, so that one schedule scales all their rates, each from its own start. Raises TypeError for what is
    no optimiser, ValueError for none at all and where two hold the same parameter.
    """

    def __init__(self, *optimizers: Optimizer) -> None:
        for optimizer in optimizers:
            if not isinstance(optimizer, Optimizer):
                raise TypeError(f"optimisers wanted, a {type(optimizer).__name__} given")
        held = [theta for optimizer in optimizers for group in optimizer.param_groups for theta in group["params"]]
        if len({id(theta) for theta in held}) != len(held):
            raise ValueError("a parameter is held by two of the optimisers: each is to be moved by one")
        if not held:
            raise ValueError("no optimiser given: at least 1 is wanted")
        super().__init__(held, {})
        self.optimizers = optimizers
        self._share_groups()

    def _share_groups(self) -> None:
        self.param_groups = [group for optimizer in self.optimizers for group in optimizer.param_groups]

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Let every optimiser move its parameters; return the loss where `closure` computes it and its gradients anew."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for optimizer in self.optimizers:
            optimizer.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Return the states of all, in order."""
        return {"optimizers": [optimizer.state_dict() for optimizer in self.optimizers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Put the states of all back; ValueError for another number of them, or for other groups."""
        states = state_dict["optimizers"]
        if len(states) != len(self.optimizers):
            raise ValueError(f"the states of {len(states)} optimisers given for {len(self.optimizers)}")
        for optimizer, state in zip(self.optimizers, states, strict=True):
            optimizer.load_state_dict(state)
        self._share_groups()


_SHARES = ("momentum", "alpha")  # of what is kept from one step to the next
_AMOUNTS = ("lr", "weight_decay", "eps", "lr_decay")


def _check(optimiser: str, name: str, value: object) -> None:
    """Raise for a setting that is not a number or out of its range."""
    if name == "betas":
        if not isinstance(value, tuple | list) or len(value) != 2:
            raise TypeError(f"{optimiser}: betas must be a pair of numbers, got {value!r}")
        for place, beta in enumerate(value, start=1):
            _check(optimiser, f"beta{place}", beta)
        return
    is_share = name in _SHARES or name.startswith("beta")
    if not is_share and name not in _AMOUNTS:
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{optimiser}: {name} must be a number, got {value!r} of type {type(value).__name__}")
    if is_share and not 0 <= value < 1:
        raise ValueError(f"{optimiser}: {name} must be in [0, 1), got {value}")
    if not 0 <= value < math.inf:
        raise ValueError(f"{optimiser}: {name} must be finite and at least 0, got {value}")
