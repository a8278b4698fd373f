"""The settings a training panel offers: a few values, or a range."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets

__all__ = ["Choice", "Slider"]


@dataclass(frozen=True)
class Choice:
    """A setting with a few values; `options` are the values, or a mapping from what is shown to the value."""

    label: str
    options: Sequence[Any] | Mapping[str, Any]
    value: Any

    def control(self) -> widgets.Widget:
        """Return the dropdown."""
        options = list(self.options.items()) if isinstance(self.options, Mapping) else list(self.options)
        return widgets.Dropdown(options=options, value=self.value)

    def shown(self, value: Any) -> str:
        """Return what stands for `value` in the dropdown."""
        if isinstance(self.options, Mapping):
            return next((name for name, option in self.options.items() if option == value), str(value))
        return f"{value:g}" if isinstance(value, float) else str(value)

    def describe(self, words: Mapping[str, str]) -> str:
        """Return the options in words."""
        return words["static_options"].format(options=", ".join(map(str, self.options)), value=self.shown(self.value))


@dataclass(frozen=True)
class Slider:
    """A setting between two numbers: whole ones if all are int; with `log`, equal steps of the exponent, in tenths of a decade."""

    label: str
    low: float
    high: float
    value: float
    step: float | None = None
    log: bool = False

    def control(self) -> widgets.Widget:
        """Return the slider."""
        if self.log:
            low, high = math.log10(self.low), math.log10(self.high)
            return widgets.FloatLogSlider(value=self.value, min=low, max=high, step=self.step or 0.1, readout_format=".2g")
        limits = {"value": self.value, "min": self.low, "max": self.high}
        if all(isinstance(number, int) for number in (self.low, self.high, self.value)):
            return widgets.IntSlider(**limits, step=int(self.step or 1))
        return widgets.FloatSlider(**limits, step=self.step or (self.high - self.low) / 20)

    def shown(self, value: float) -> str:
        """Return `value` in few digits."""
        return f"{value:g}"

    def describe(self, words: Mapping[str, str]) -> str:
        """Return the range in words."""
        return words["static_range"].format(low=f"{self.low:g}", high=f"{self.high:g}", value=f"{self.value:g}")
