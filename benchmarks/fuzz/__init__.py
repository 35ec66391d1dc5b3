"""Fuzzers of what reads files and requests of others: `python -m benchmarks.fuzz TARGET`."""
