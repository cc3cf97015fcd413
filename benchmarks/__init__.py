"""Measurements of what Penstock promises: `python -m benchmarks [name …]`, or `make bench`."""
