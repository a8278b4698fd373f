"""Measure everything and write `bench/results.md`: `python -m bench`, about half an hour on two quiet cores."""

import sys
from pathlib import Path

from bench import cnn, layers, mail, recurrent, spelling
from bench.table import circumstances

results = Path(__file__).with_name("results.md")
parts = [layers.main(), *(part.main(sys.argv[1:]) for part in (cnn, mail, recurrent, spelling))]
text = "\n\n".join(["# Measured", circumstances(), *parts])
results.write_text(text + "\n", encoding="utf-8")
print(text)
