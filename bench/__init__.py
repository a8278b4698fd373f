"""Side-by-side measurements of speed and quality: `python -m bench`. Timings are never asserted by a test; they are read here."""
