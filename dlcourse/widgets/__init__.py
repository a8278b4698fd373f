"""What the reader can touch: widgets that compute in the page itself, and a panel for readers with a kernel."""

from dlcourse.widgets.draw_digit import DrawDigit
from dlcourse.widgets.kernel_explorer import KernelExplorer
from dlcourse.widgets.train_panel import TrainPanel
from dlcourse.widgets.train_settings import Choice, Slider

__all__ = ["Choice", "DrawDigit", "KernelExplorer", "Slider", "TrainPanel"]
