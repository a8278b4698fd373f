"""What the reader can touch: widgets that compute in the page itself, and a panel for readers with a kernel."""

from dlcourse.widgets.attention_calculator import AttentionCalculator
from dlcourse.widgets.broadcasting import BroadcastingExplorer
from dlcourse.widgets.computation_graph import ComputationGraph
from dlcourse.widgets.context_cost import ContextCost
from dlcourse.widgets.draw_digit import DrawDigit
from dlcourse.widgets.embedding_explorer import EmbeddingExplorer
from dlcourse.widgets.gate_viewer import GateViewer
from dlcourse.widgets.head_viewer import HeadViewer
from dlcourse.widgets.kernel_explorer import KernelExplorer
from dlcourse.widgets.loss_surface import LossSurface
from dlcourse.widgets.ngram_highlighter import NgramHighlighter
from dlcourse.widgets.optimiser_race import OptimiserRace
from dlcourse.widgets.playground import Playground
from dlcourse.widgets.pronouncer import Pronouncer
from dlcourse.widgets.text_generator import TextGenerator
from dlcourse.widgets.train_panel import TrainPanel
from dlcourse.widgets.train_settings import Choice, Slider
from dlcourse.widgets.transformer_weights import TransformerWeights
from dlcourse.widgets.transformer_writer import TransformerWriter
from dlcourse.widgets.unrolled_network import UnrolledNetwork

__all__ = [
    "AttentionCalculator",
    "BroadcastingExplorer",
    "Choice",
    "ComputationGraph",
    "ContextCost",
    "DrawDigit",
    "EmbeddingExplorer",
    "GateViewer",
    "HeadViewer",
    "KernelExplorer",
    "LossSurface",
    "NgramHighlighter",
    "OptimiserRace",
    "Playground",
    "Pronouncer",
    "Slider",
    "TextGenerator",
    "TrainPanel",
    "TransformerWeights",
    "TransformerWriter",
    "UnrolledNetwork",
]
