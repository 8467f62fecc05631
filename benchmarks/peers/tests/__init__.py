"""Tests of what the benchmark stands on: `python3 -B -m unittest discover -s benchmarks/peers -t benchmarks/peers`."""
