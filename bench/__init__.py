"""Benchmarks: each compares the product with something else in the same run."""
