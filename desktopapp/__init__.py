"""Qwen3-VL Desktop: a vision-language model of your own, inside the memory that you have."""

__version__ = "0.1.0"
