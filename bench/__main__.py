"""Measure everything and write `bench/results.md`: `python -m bench`, about three quarters of an hour on two quiet cores."""

import sys
from pathlib import Path

from bench import attention, cnn, gpt, layers, mail, recurrent, spelling
from bench.table import circumstances

results = Path(__file__).with_name("results.md")
parts = [layers.main(), attention.main(), *(part.main(sys.argv[1:]) for part in (cnn, mail, recurrent, spelling, gpt))]
text = "\n\n".join(["# Measured", circumstances(), *parts])
results.write_text(text + "\n", encoding="utf-8")
print(text)
