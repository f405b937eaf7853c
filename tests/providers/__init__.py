"""Endpoints, models, and how providers answer and fail."""
