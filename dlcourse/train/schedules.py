"""How the learning rate changes from step to step; torch's own schedulers fit as well."""

import math

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


def warmup_cosine(optimizer: Optimizer, *, warmup_steps: int, total_steps: int) -> LambdaLR:
    """Raise the rate linearly to the optimizer's own, then lower it along half a cosine to 0.

    Step t, from 0, uses the rate times ``(t + 1) / (warmup_steps + 1)`` up to ``t = warmup_steps``, and after that times
    ``(1 + cos(π (t - warmup_steps) / (total_steps - warmup_steps))) / 2``; from `total_steps` on it is 0. Steps are batches.
    Warm-up: Goyal et al., 2017, section 2.2; cosine: Loshchilov and Hutter, 2017, equation 5.
    Raises ValueError unless 0 <= warmup_steps < total_steps.
    """
    if not 0 <= warmup_steps < total_steps:
        raise ValueError(f"need 0 <= warmup_steps < total_steps, got warmup_steps={warmup_steps}, total_steps={total_steps}")

    def factor(step: int) -> float:
        if step < warmup_steps:
            return (step + 1) / (warmup_steps + 1)
        progress = min(1.0, (step - warmup_steps) / (total_steps - warmup_steps))
        return (1 + math.cos(math.pi * progress)) / 2

    return LambdaLR(optimizer, factor)
