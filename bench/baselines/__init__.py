"""Baselines: what the usual tutorials lead to, and the minimum that any program has to do."""
