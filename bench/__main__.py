"""Measure everything and write `bench/results.md`: `python -m bench`, about eleven minutes on two quiet cores."""

import sys
from pathlib import Path

from bench import cnn, layers
from bench.table import circumstances

results = Path(__file__).with_name("results.md")
text = "\n\n".join(["# Measured", circumstances(), layers.main(), cnn.main(sys.argv[1:])])
results.write_text(text + "\n", encoding="utf-8")
print(text)
