"""Optimisers race from one start over a small landscape."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import anywidget
import traitlets

from dlcourse.surfaces import SURFACES
from dlcourse.widgets import assets

__all__ = ["OptimiserRace"]

MOST_STEPS = 500
ENTRIES = {  # by name in dlcourse.optim: the setting besides the rate that can be changed, where it starts, and its largest value
    "SGD": ("", 0.0, 0.0),
    "Momentum": ("momentum", 0.9, 0.99),
    "Nesterov": ("momentum", 0.9, 0.99),
    "AdaGrad": ("", 0.0, 0.0),
    "RMSprop": ("alpha", 0.99, 0.99),
    "Adam": ("beta1", 0.9, 0.99),
    "AdamW": ("weight_decay", 0.01, 1.0),
}
WORDS = {
    "title": "Optimiser race",
    "try": "Press Play, or drag the ring, the start of all; switch others on, and push a rate until its path leaves the picture.",
    "notice": "Notice who crosses the valley to and fro, who swings past the minimum and comes back, and who takes no detour.",
    "lines": "From each contour to the next outward the loss grows by a factor of {times}.",
    "keys": "Keyboard: on the landscape, arrow keys move the start (Shift: five times as far); on a slider they change its value.",
    "surfaces": "Landscape",
    "surface_bowl": "Bowl",
    "surface_ravine": "Ravine",
    "surface_tilted": "Tilted ravine",
    "surface_saddle": "Saddle",
    "surface_plateau": "Plateau",
    "surface_rosenbrock": "Rosenbrock",
    "surface_beale": "Beale",
    "note_bowl": "Ten times as steep across as along (κ = 10).",
    "note_ravine": "A hundred times as steep across as along (κ = 100).",
    "note_tilted": "The ravine turned by 45°: no coordinate is steep or flat by itself, so scaling each one helps less.",
    "note_saddle": "A pass at (0, 0) between two minima: along its ridge the slope is almost nothing.",
    "note_plateau": "Far out the slope fades, so steps in proportion to it fade as well.",
    "note_rosenbrock": "A bent valley with an almost flat floor.",
    "note_beale": "Steep walls in the corners, a long flat middle.",
    "stretched": "Here θ₂ is drawn {times} times as large as θ₁.",
    "map_label": "Contours of the loss with the paths of the optimisers; arrow keys move their common start",
    "map_role": "picture of the landscape",
    "first": "θ₁",
    "second": "θ₂",
    "chart_label": "Loss of each optimiser against the step, on a logarithmic axis",
    "step": "step",
    "loss": "loss",
    "runners": "Optimisers, their rates η and one more setting",
    "rate": "η",
    "rate_label": "{name}: rate η",
    "setting_momentum": "β",
    "setting_momentum_label": "{name}: momentum β",
    "setting_alpha": "α",
    "setting_alpha_label": "{name}: share α of the past squares that is kept",
    "setting_beta1": "β₁",
    "setting_beta1_label": "{name}: momentum β₁",
    "setting_weight_decay": "λ",
    "setting_weight_decay_label": "{name}: weight decay λ",
    "SGD": "SGD",
    "Momentum": "Momentum",
    "Nesterov": "Nesterov",
    "AdaGrad": "AdaGrad",
    "RMSprop": "RMSprop",
    "Adam": "Adam",
    "AdamW": "AdamW",
    "timeline": "Steps of the race",
    "play": "Play",
    "pause": "Pause",
    "back": "One step back",
    "forward": "One step on",
    "scrub": "Step shown",
    "step_of": "Step {step}",
    "reset": "Reset start and settings",
    "rank": "Loss after {step} steps: {list}.",
    "rank_item": "{place}.\N{NO-BREAK SPACE}{name}\N{NO-BREAK SPACE}{loss}",
    "goal": "Below 1 % of the loss at the start: {list}.",
    "goal_item": "{name} from step {step}",
    "goal_none": "None is below 1 % of the loss at the start yet.",
    "gone_label": "{name}, step {step}",
    "gone": "Left the picture: {list}.",
    "gone_item": "{name} at step {step}",
    "nobody": "Switch an optimiser on.",
    "and": ", ",
}


class OptimiserRace(anywidget.AnyWidget):
    """The optimisers of `dlcourse.optim` on the surfaces of `dlcourse.surfaces`, all from one start, computed in the page.

    `surface` names the first landscape, `optimisers` those that are switched on; the reader can choose any. `rates` replaces some
    of the surface's typical learning rates by the names of their optimisers, `start` its start; `steps` (1 to 500) is the length of
    the race. In a notebook all of these can be read and set; setting `surface` also brings its own start and rates. The paths are
    those of `dlcourse.optim` and so of torch.optim. ValueError for names that are unknown and numbers out of range.
    """

    _esm = assets.script("canvas", "contours", "loss_chart", "timeline", "optimiser_race")
    _css = assets.style("timeline", "optimiser_race")

    surface = traitlets.Enum(list(SURFACES), "ravine").tag(sync=True)
    start: traitlets.List[Any] = traitlets.List(traitlets.Float(), minlen=2, maxlen=2).tag(sync=True)
    optimisers: traitlets.List[Any] = traitlets.List(traitlets.Enum(list(ENTRIES)), help="Switched on.").tag(sync=True)
    rates: traitlets.Dict[Any, Any] = traitlets.Dict(help="Learning rate by name.").tag(sync=True)
    settings: traitlets.Dict[Any, Any] = traitlets.Dict(help="The other setting by name, for those that have one.").tag(sync=True)
    steps = traitlets.Int(150, min=1, max=MOST_STEPS).tag(sync=True)
    entries: traitlets.List[Any] = traitlets.List(help="All optimisers offered.").tag(sync=True)
    surfaces: traitlets.List[Any] = traitlets.List(help="All landscapes offered.").tag(sync=True)
    words = traitlets.Dict(help="All words shown.").tag(sync=True)

    def __init__(
        self,
        surface: str = "ravine",
        *,
        optimisers: Iterable[str] = ("SGD", "Momentum", "Adam"),
        rates: Mapping[str, float] | None = None,
        start: tuple[float, float] | None = None,
        steps: int = 150,
        words: Mapping[str, str] | None = None,
    ) -> None:
        if surface not in SURFACES:
            raise ValueError(f"surface={surface!r}; wanted is one of {', '.join(SURFACES)}")
        running = [optimisers] if isinstance(optimisers, str) else list(optimisers)
        for name in [*running, *(rates or {})]:
            if name not in ENTRIES:
                raise ValueError(f"optimiser {name!r}; wanted are some of {', '.join(ENTRIES)}")
        for name, rate in (rates or {}).items():
            if not (math.isfinite(rate) and rate > 0):
                raise ValueError(f"rate {rate} of {name}; wanted is a finite number above 0")
        place = SURFACES[surface].start if start is None else start
        if len(place) != 2 or not all(map(math.isfinite, place)):
            raise ValueError(f"start={start!r}; wanted are two finite coordinates")
        x0, x1, y0, y1 = SURFACES[surface].bounds
        if not (x0 <= place[0] <= x1 and y0 <= place[1] <= y1):
            raise ValueError(f"start={start!r} is outside the {surface}'s picture, {x0:g} to {x1:g} by {y0:g} to {y1:g}")
        if not 1 <= steps <= MOST_STEPS:
            raise ValueError(f"steps={steps}; wanted are 1 to {MOST_STEPS}")
        super().__init__(
            surface=surface,
            start=[float(value) for value in place],
            optimisers=[name for name in ENTRIES if name in running],
            rates={**SURFACES[surface].typical_rates, **(rates or {})},
            settings={name: value for name, (setting, value, _) in ENTRIES.items() if setting},
            steps=steps,
            entries=[
                {"name": name, "setting": setting, "value": value, "most": most} for name, (setting, value, most) in ENTRIES.items()
            ],
            surfaces=[
                {
                    "name": name,
                    "start": list(one.start),
                    "minima": [list(minimum) for minimum in one.minima],
                    "bounds": list(one.bounds),
                    "rates": dict(one.typical_rates),
                }
                for name, one in SURFACES.items()
            ],
            words=WORDS | dict(words or {}),
        )
