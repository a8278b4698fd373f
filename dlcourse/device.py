"""Choose the device, describe it, and fix every seed."""

import random

import numpy as np
import torch


def get_device() -> torch.device:
    """Return the fastest device there is: CUDA, then Apple's MPS, then the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def describe_device(device: torch.device | str | None = None) -> str:
    """Say in a few words what a device is, for example ``CPU, 2 threads`` or ``NVIDIA H100 (CUDA), 79 GiB``.

    Without an argument: the device of `get_device`.
    """
    device = get_device() if device is None else torch.device(device)
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        return f"{properties.name} (CUDA), {properties.total_memory / 2**30:.0f} GiB"
    if device.type == "mps":
        return "Apple GPU (MPS)"
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'s' if threads != 1 else ''}"


def seed_everything(seed: int) -> None:
    """Seed Python's, NumPy's and torch's generators (CPU and GPU).

    On a CPU, the same seed and the same number of threads give the same numbers. On a GPU some kernels add in an order that
    varies, so two runs agree to rounding only.

    Raises TypeError unless `seed` is an int, ValueError unless it is in 0 to 2**32 - 1, the range NumPy takes.
    """
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise TypeError(f"seed must be an int, got {seed!r} of type {type(seed).__name__}")
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed must be from 0 to 2**32 - 1, got {seed}")
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  libraries that draw from NumPy's global generator are seeded too
    torch.manual_seed(seed)
