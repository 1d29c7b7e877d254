"""Measures the pocket pair on pictures that training never saw, drawn by another renderer."""
