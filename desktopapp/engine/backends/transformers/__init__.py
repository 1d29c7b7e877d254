"""Runs Qwen3-VL folders with PyTorch and transformers."""

from desktopapp.engine.backends.transformers.backend import TransformersBackend

__all__ = ["TransformersBackend"]
