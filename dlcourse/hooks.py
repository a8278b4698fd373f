"""Watch a model while it computes, without changing it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from torch import Tensor, nn


@contextmanager
def record(model: nn.Module, *names: str) -> Iterator[dict[str, Tensor]]:
    """Record what the named submodules put out while the ``with`` block runs.

    Gives a dict that each forward pass fills anew: name -> output, detached, copied to the CPU, of the shape the submodule
    gave it. Where a submodule returns a tuple, as recurrent layers do, its first tensor is kept. The hooks are gone when the
    block ends, however it ends; the dict stays.

    Raises ValueError for no name or an unknown one (and lists the names there are), TypeError for an output without a tensor.

        with record(model, "conv1", "conv2") as seen:
            model(images)
        seen["conv1"]  # (B, C, H, W)
    """
    modules = dict(model.named_modules())
    del modules[""]  # the model itself: its output is what the caller gets anyway
    unknown = [name for name in names if name not in modules]
    if unknown or not names:
        given = f"no submodule is called {', '.join(map(repr, unknown))}" if unknown else "no name was given"
        raise ValueError(f"{given}; {type(model).__name__} has {', '.join(modules) or 'no submodules'}")
    seen: dict[str, Tensor] = {}
    with ExitStack() as hooks:
        for name in dict.fromkeys(names):
            hooks.enter_context(modules[name].register_forward_hook(partial(_keep, seen, name)))
        yield seen


def _keep(seen: dict[str, Tensor], name: str, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
    kept = output[0] if isinstance(output, tuple) and output else output
    if not isinstance(kept, Tensor):
        raise TypeError(f"{name} ({type(module).__name__}) gave a {type(kept).__name__}, not a tensor: it cannot be recorded")
    seen[name] = kept.detach().to("cpu", copy=True)  # a copy: an in-place ReLU that follows must not change it
