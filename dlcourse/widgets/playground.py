"""A multilayer perceptron that trains in the page, with everything it computes in view."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import anywidget
import torch
import traitlets

from dlcourse.data import points
from dlcourse.widgets import assets

__all__ = ["Playground"]

DATASETS = {"spirals": points.spirals, "moons": points.moons, "circles": points.circles, "xor": points.xor}
NOISE = {"spirals": 0.03, "moons": 0.08, "circles": 0.06, "xor": 0.12}  # to start with
ACTIVATIONS = ("linear", "sigmoid", "tanh", "relu")
OPTIMISERS = ("sgd", "momentum", "adam")
NUM_POINTS, MOST_NOISE = 200, 0.3  # points for training, and as many for the test
MOST_LAYERS, MOST_UNITS = 4, 8
WORDS = {
    "title": "Playground: a network that trains in the page",
    "try": "Watch it train, then take layers and units away. What can the network no longer draw?",
    "notice": "Notice that every unit of the first layer draws one straight line, and that the layers above bend those lines into "
    "shapes. With no hidden layer one straight line is left, and on XOR no line gets more than three of the four clouds right.",
    "keys": "Keyboard: arrows move from unit to unit of the network; up and down arrows change a weight by 0.1 (Shift: 1).",
    "small_print": "Loss: mean binary cross-entropy. Every weight and bias starts uniformly between −1/√n and 1/√n in a layer of n "
    "inputs, as torch.nn.Linear’s do. Momentum is 0.9; L2 is torch.optim’s weight_decay. Test points never train.",
    "train": "Train",
    "pause": "Pause",
    "step": "One update",
    "restart": "New start",
    "backward": "Show one backward pass",
    "backward_end": "Back to training",
    "next_example": "Next example",
    "epoch": "Epoch",
    "update": "Update",
    "depth": "Hidden layers",
    "fewer_layers": "Remove a hidden layer",
    "more_layers": "Add a hidden layer",
    "fewer_units": "Remove a unit from layer {layer}",
    "more_units": "Add a unit to layer {layer}",
    "network": "The network; arrow keys move from unit to unit",
    "column_input": "inputs",
    "column_hidden": "layer {layer}",
    "column_output": "output",
    "unit_input": "Input x{unit}",
    "unit_hidden": "Layer {layer}, unit {unit}",
    "unit_output": "Output",
    "field_output": "Output: ŷ, the probability of blue",
    "field_hidden": "{name}: a",
    "field_input": "{name}",
    "field_label": "Map of the plane: what {name} makes of each point, with the training points",
    "scale_output": "0 to 1; line: ŷ = ½",
    "scale_hidden": "−{largest} to {largest}; line: z = 0",
    "show_test": "test (hollow)",
    "class_1": "class 1",
    "class_0": "class 0",
    "loss": "loss",
    "accuracy": "right",
    "training": "training",
    "test": "test",
    "epochs": "epochs",
    "curves": "Loss against epochs, logarithmic: training solid, test dashed",
    "weights": "{name}: {activation} of the weighted sum of",
    "weights_output": "Output: ŷ is the sigmoid of the weighted sum of",
    "weights_input": "{name}: a coordinate of the point; it has no weights.",
    "weight_label": "Weight from {source} to {name}",
    "bias": "bias",
    "bias_label": "Bias of {name}",
    "data": "Data",
    "data_spirals": "Spirals",
    "data_moons": "Moons",
    "data_circles": "Circles",
    "data_xor": "XOR",
    "activation": "Activation",
    "activation_linear": "Linear",
    "activation_sigmoid": "Sigmoid",
    "activation_tanh": "tanh",
    "activation_relu": "ReLU",
    "optimiser": "Optimiser",
    "optimiser_sgd": "SGD",
    "optimiser_momentum": "Momentum",
    "optimiser_adam": "Adam",
    "rate": "Learning rate",
    "batch_size": "Batch size",
    "l2": "L2",
    "noise": "Noise",
    "state_playing": "Training. Seed {seed}.",
    "state_paused": "Paused after {epochs} epochs. Seed {seed}.",
    "state_new": "New weights, untrained. Seed {seed}.",
    "state_solved": "Paused after {epochs} epochs: the training loss is below {limit}. Train goes on.",
    "state_long": "Paused after {epochs} epochs. Train goes on.",
    "state_diverged": "Diverged in epoch {epochs}: with a rate of {rate} every update overshoots, and the loss has left the "
    "picture. Lower the rate; Train starts afresh.",
    "state_overshoots": "Paused: in the last {count} epochs the loss jumped about above the 0.69 that guessing gives. A rate "
    "of {rate} is too large here. Lower the rate; Train starts afresh.",
    "state_dead": "Paused: every unit of layer {layer} gives 0 at every training point, so no gradient passes. These ReLUs are "
    "dead. Lower the rate, or take a new start.",
    "state_backward": "Frozen. One example, {colour}, at ({x1}, {x2}): ŷ = {value}, loss {loss}. Upper number a, lower δ.",
    "blue": "blue (y = 1)",
    "orange": "orange (y = 0)",
    "backward_hint": "Choose a unit to see its δ written out, or a point in the map as another example.",
    "delta_output": "δ = ŷ − y = {value} − {label} = {delta}",
    "delta_hidden": "δ = (Wᵀ δ of the next layer) · φ′(z) = ({sum}) · {slope} = {delta}",
    "gradients": "Gradient of each weight, δ · what comes in: {values}. Of the bias: δ.",
    "input_value": "{name} = {value}. Gradients are for weights; an input needs no δ.",
}


class Playground(anywidget.AnyWidget):
    """A multilayer perceptron on points in the plane that trains in the page: boundary, units, weights and loss live.

    `dataset` is "spirals", "moons", "circles" or "xor" (dlcourse.data.points, 200 points to train on and 200 others to test);
    `noise` is its standard deviation, 0 to 0.3 (None: the set's own). `hidden_sizes` gives the units, 1 to 8, of 0 to 4 hidden
    layers; `activation` is "linear", "sigmoid", "tanh" or "relu"; `optimiser` "sgd", "momentum" (0.9) or "adam", with `rate`,
    `batch_size` and `l2` (torch.optim's weight_decay). `seed` decides the weights and the order of the examples. Forward pass,
    gradients and updates equal PyTorch's. In a notebook all these can be read and set. ValueError for anything else.
    """

    _esm = assets.script("playground_network", "playground_drawing", "playground_parts", "playground")
    _css = assets.style("playground")

    dataset = traitlets.Enum(list(DATASETS), default_value="spirals").tag(sync=True)
    hidden_sizes = traitlets.List(traitlets.Int(min=1, max=MOST_UNITS), maxlen=MOST_LAYERS).tag(sync=True)
    activation = traitlets.Enum(ACTIVATIONS, default_value="tanh").tag(sync=True)
    optimiser = traitlets.Enum(OPTIMISERS, default_value="adam").tag(sync=True)
    rate = traitlets.Float(0.01).tag(sync=True)
    batch_size = traitlets.Int(20, min=1, max=NUM_POINTS).tag(sync=True)
    l2 = traitlets.Float(0.0, min=0.0, max=1.0).tag(sync=True)
    noise = traitlets.Float(0.0, min=0.0, max=MOST_NOISE).tag(sync=True)
    seed = traitlets.Int(0, min=0).tag(sync=True)
    points = traitlets.Bytes(b"", help="float32: for each data set, for training and test, x1, x2, what noise adds, label.").tag(
        sync=True
    )
    datasets = traitlets.List(traitlets.Unicode(), help="The data sets in the order of `points`.").tag(sync=True)
    noises = traitlets.Dict(help="The noise with which each data set starts.").tag(sync=True)
    words = traitlets.Dict(help="All words shown.").tag(sync=True)

    def __init__(
        self,
        dataset: str = "spirals",
        *,
        hidden_sizes: Sequence[int] = (8, 8),
        activation: str = "tanh",
        optimiser: str = "adam",
        rate: float = 0.01,
        batch_size: int = 20,
        l2: float = 0.0,
        noise: float | None = None,
        seed: int = 0,
        words: Mapping[str, str] | None = None,
    ) -> None:
        for name, value, known in (
            ("dataset", dataset, tuple(DATASETS)),
            ("activation", activation, ACTIVATIONS),
            ("optimiser", optimiser, OPTIMISERS),
        ):
            if value not in known:
                raise ValueError(f"{name}={value!r}; the playground has {', '.join(known)}")
        sizes = list(hidden_sizes)
        if len(sizes) > MOST_LAYERS or not all(isinstance(units, int) and 1 <= units <= MOST_UNITS for units in sizes):
            raise ValueError(f"hidden_sizes={hidden_sizes}; wanted are 0 to {MOST_LAYERS} layers of 1 to {MOST_UNITS} units each")
        noise = NOISE[dataset] if noise is None else noise
        for name, number, low, high in (
            ("rate", rate, 1e-6, 100),
            ("batch_size", batch_size, 1, NUM_POINTS),
            ("l2", l2, 0, 1),
            ("noise", noise, 0, MOST_NOISE),
            ("seed", seed, 0, 2**32 - 1),
        ):
            if not (math.isfinite(number) and low <= number <= high):
                raise ValueError(f"{name}={number}; wanted is a number from {low} to {high}")
        super().__init__(
            dataset=dataset,
            hidden_sizes=sizes,
            activation=activation,
            optimiser=optimiser,
            rate=rate,
            batch_size=batch_size,
            l2=l2,
            noise=noise,
            seed=seed,
            points=_all_points(),
            datasets=list(DATASETS),
            noises=NOISE,
            words=WORDS | dict(words or {}),
        )


def _all_points() -> bytes:
    """Return every data set without noise, and what one unit of noise adds to each point: the page adds them up as it likes."""
    parts = []
    for make in DATASETS.values():
        for seed in (0, 1):  # training, test
            clean, labels = make(NUM_POINTS, noise=0.0, seed=seed)
            noisy, _ = make(NUM_POINTS, noise=1.0, seed=seed)
            parts.append(torch.cat([clean, noisy - clean, labels[:, None].float()], dim=1).T.contiguous())
    return torch.stack(parts).numpy().astype("<f4").tobytes()
