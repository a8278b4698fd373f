"""The attention layer against a block built on PyTorch's kernel, and writing with a cache against reading all again.

Run it on a quiet machine: `python -m bench.attention`, about a minute.
"""

import itertools
import time
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.table import circumstances, table
from dlcourse.device import seed_everything
from dlcourse.generation import generate
from dlcourse.layers.attention import MultiHeadAttention
from dlcourse.models.gpt import GPT

SHAPES = ((32, 64, 128, 4), (8, 256, 256, 8), (2, 1024, 256, 8))  # B, T, D, N
LENGTHS, LAST, VOCAB_SIZE = (64, 256), 32, 64
TEXTS = ((128, 4, 4, 1), (128, 4, 4, 8), (384, 6, 6, 1))  # D, N, blocks, texts at once; the first two are the chapter's GPT


class Peer(nn.Module):
    """Causal self-attention as GPT-2's code has it: one product for queries, keys and values, then PyTorch's kernel."""

    def __init__(self, dim: int, *, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.qkv, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, T, D) to (B, T, D)."""
        q, k, v = (y.unflatten(-1, (self.num_heads, -1)).transpose(1, 2) for y in self.qkv(x).chunk(3, dim=-1))
        joined: Tensor = self.out(F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2))
        return joined


def compare_layers(repeats: int = 15) -> str:
    """Return the table of one causal forward and backward pass, explicit, fused and the peer's in turn."""
    rows = []
    for batch_size, length, dim, num_heads in SHAPES:
        explicit, fused = (MultiHeadAttention(dim, num_heads=num_heads, causal=True, fused=fused) for fused in (False, True))
        layers = (explicit, fused, Peer(dim, num_heads=num_heads))
        x = torch.randn(batch_size, length, dim, requires_grad=True)
        rounds = [[_seconds(layer, x) for layer in layers] for _ in range(repeats)]
        a, b, c = (min(times) for times in zip(*rounds, strict=True))
        times = [f"{1000 * value:.1f}" for value in (a, b, c)]
        rows.append([f"{batch_size}×{length}×{dim}, {num_heads} heads", *times, f"{a / c:.2f}", f"{b / c:.2f}"])
    header = ["causal attention, forward and backward", "explicit, ms", "fused, ms", "peer, ms", "explicit / peer", "fused / peer"]
    return table(header, rows)


def compare_writing(repeats: int = 2) -> str:
    """Return the table of writing with the GPT's cache and with reading the whole text again for each token."""
    rows = []
    for (dim, num_heads, num_layers, batch_size), length in itertools.product(TEXTS, LENGTHS):
        seed_everything(0)
        model = GPT(VOCAB_SIZE, dim, num_heads=num_heads, num_layers=num_layers, max_length=length + 1, positions="rotary").eval()
        for parameter in model.parameters():
            parameter.data += 0.05 * torch.randn_like(parameter)  # far from the start, where all tokens are nearly as likely

        def read_all(tokens: Tensor, seen: Tensor | None, model: GPT = model) -> tuple[Tensor, Tensor]:
            seen = tokens if seen is None else torch.cat([seen, tokens], dim=1)
            return model(seen), seen

        reads = (model.read, read_all)
        prompt = torch.zeros(batch_size, 1, dtype=torch.int64)
        (cached, first), (again, second) = (_write(read, prompt, length, repeats) for read in reads)
        same = "yes" if torch.equal(first, second) else "no"
        step, step_again = (_last_steps(read, first, repeats) for read in reads)
        whole, last = again / cached, step_again / step
        numbers = [f"{cached:.2f}", f"{again:.2f}", f"{whole:.1f}", f"{1000 * step:.1f}", f"{1000 * step_again:.1f}", f"{last:.1f}"]
        rows.append([f"{num_layers} blocks of width {dim}", str(batch_size), str(length), *numbers, same])
    whole_text, at_the_end = ["with cache, s", "all again, s", "ratio"], ["token at the end, ms", "all again, ms", "ratio"]
    return table(["GPT", "texts at once", "tokens written", *whole_text, *at_the_end, "same tokens"], rows)


def _seconds(layer: nn.Module, x: Tensor) -> float:
    started = time.perf_counter()
    layer(x).sum().backward()
    return time.perf_counter() - started


def _write(read: Callable[[Tensor, Any], tuple[Tensor, Any]], prompt: Tensor, length: int, repeats: int) -> tuple[float, Tensor]:
    """Return the shortest time of writing, and what is written."""
    seconds = []
    for _ in range(repeats):
        generator, started = torch.Generator().manual_seed(0), time.perf_counter()
        text = generate(read, prompt, num_tokens=length, generator=generator)
        seconds.append(time.perf_counter() - started)
    return min(seconds), text


def _last_steps(read: Callable[[Tensor, Any], tuple[Tensor, Any]], text: Tensor, repeats: int) -> float:
    """Return the seconds that each of the last LAST tokens of the text takes, on average."""
    prompt = text[:, :-LAST]
    one, all_ = (_write(read, prompt, 1 + extra, 2 * repeats)[0] for extra in (0, LAST))
    return (all_ - one) / LAST


def main() -> str:
    """Return both tables."""
    return f"{compare_layers()}\n\n{compare_writing()}"


if __name__ == "__main__":
    print(main(), circumstances(), sep="\n\n")
