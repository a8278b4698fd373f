"""Architectures, one a file: logits out, no printing, no device moves, no file reading."""
