"""Step through a computation: values forward, gradients backward, one operation at a time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import anywidget
import numpy as np
import traitlets

from dlcourse.autodiff import Tensor
from dlcourse.widgets import assets

__all__ = ["ComputationGraph"]

MOST_NODES, LARGEST = 20, 1e6
OPERATION = re.compile(r"[-+*/]|neg|exp|log|sin|tanh|sigmoid|relu|sum|reshape|T|\[\]|\*\*-?[\d.e+-]+")
WORDS = {
    "name": "Computation graph",
    "try": "Press Next and follow the values to the right, then the gradients back to the left. Change a number at any time.",
    "notice": "Notice that going back needs only each operation's local derivative, and that a node used twice adds up two shares.",
    "keys": "Keyboard: in a number, up and down arrows change it by 0.1 (Shift: by 1).",
    "graph": "The graph; scroll sideways where it does not fit",
    "constant": "number",
    "intermediate": "v{count}",
    "output": "out",
    "value_of": "Value of {name}",
    "gradient": "grad {value}",
    "reset": "Reset",
    "back": "Back",
    "next": "Next",
    "all_forward": "All forward",
    "all_backward": "All backward",
    "steps": "Steps",
    "progress": "Step {step} of {total}",
    "given": "Only the leaves have values so far. Next computes {name}.",
    "forward": "Forward: {formula}.",
    "seed": "Backward starts at the end: a change of {name} changes {name} as much, so its gradient is 1.",
    "push": "Gradient of {parent}: {before} so far + upstream {upstream} × local {local} = {after}.",
    "local": "Local derivative: ∂{node}/∂{parent} = {formula}.",
    "local_twice": "Local derivative along this edge, the other operand held fast: {formula}.",
    "check": "Check: raise {name} by {step} and {output} changes by {change}; its gradient promises {promise}.",
    "check_lost": "Check: raise {name} by {step} and {output} has no value any more.",
    "no_start": "{name} is {value}: no gradient can start here. Change a number.",
    "no_value": "undefined",
    "log_domain": "The logarithm needs a number above 0, and {value} is not.",
    "log_zero": "The logarithm of 0 is −∞: it falls without end as its argument nears 0.",
    "division": "Division by 0 has no finite value.",
    "power_domain": "{value} to this power has no real value.",
    "too_large": "The result is larger than float64 can hold, about 1.8·10³⁰⁸.",
    "inherited": "It is computed from a value that is not finite.",
    "lost": "That is not a finite number, so the gradients that follow from it say nothing.",
}


class ComputationGraph(anywidget.AnyWidget):
    """The graph of the numbers from which `output` was computed, stepped forward and backward in the page.

    `output` is a dlcourse.autodiff.Tensor of one number; it and all it depends on are single numbers, at most 20 of them.
    Names come from the tensors' `name`. Leaves can be edited; values and gradients equal those of dlcourse.autodiff. `title` is
    printed above. In a notebook `values`, the leaves' numbers, and `step` can be read and set. TypeError for anything but a
    Tensor, ValueError for arrays, larger graphs and operations that the page does not know.
    """

    _esm = assets.script("computation_graph_math", "computation_graph")
    _css = assets.style("computation_graph")

    nodes: traitlets.List[Any] = traitlets.List(help="Operation, name and parents, in the order of computation.").tag(sync=True)
    values: traitlets.List[Any] = traitlets.List(traitlets.Float(), help="The leaves' numbers, in order.").tag(sync=True)
    step = traitlets.Int(1, min=0, help="Steps taken: one for each operation, one to start back, one for each edge.").tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)
    words = traitlets.Dict(help="All words shown.").tag(sync=True)

    def __init__(self, output: Tensor, *, title: str = "", words: Mapping[str, str] | None = None) -> None:
        if not isinstance(output, Tensor):
            raise TypeError(f"a {type(output).__name__} given; wanted is a dlcourse.autodiff.Tensor")
        order = output.topological()
        _check(order)
        places = {id(node): place for place, node in enumerate(order)}
        super().__init__(
            nodes=[{"op": n.op, "name": n.name, "parents": [places[id(parent)] for parent in n.parents]} for n in order],
            values=[n.data.item() for n in order if not n.parents],
            title=title,
            words=WORDS | dict(words or {}),
        )


def _check(order: list[Tensor]) -> None:
    """Raise ValueError unless the page can show these nodes."""
    if len(order) > MOST_NODES:
        raise ValueError(f"a graph of {len(order)} nodes given; at most {MOST_NODES} can be followed on a page")
    if len(order) == 1:
        raise ValueError("a single leaf given; wanted is the result of at least one operation")
    for node in order:
        if node.data.size != 1:
            raise ValueError(f"{node!r} has shape {node.shape}; wanted are single numbers throughout")
        if node.parents and not OPERATION.fullmatch(node.op):
            raise ValueError(f"the operation {node.op!r} is not one that the page can compute")
        if not node.parents and not (np.isfinite(node.data).all() and abs(node.data.item()) <= LARGEST):
            raise ValueError(f"a leaf is {node.data.item():g}; wanted are numbers from −10⁶ to 10⁶")
