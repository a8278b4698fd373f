"""What every measurement prints: one Markdown table, and a line that says on what it was measured."""

import datetime
import platform
from collections.abc import Sequence
from pathlib import Path

import torch


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; every column but the first is right-aligned."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def circumstances() -> str:
    """Return the date, the processor, the number of threads, and the versions that were measured."""
    today = datetime.datetime.now(tz=datetime.UTC).date()
    return (
        f"{today}; {_processor()}, {torch.get_num_threads()} threads; "
        f"Python {platform.python_version()}, PyTorch {torch.__version__}, float32."
    )


def _processor() -> str:
    description = Path("/proc/cpuinfo")  # Linux; elsewhere the platform's own word has to do
    if description.exists():
        for line in description.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
