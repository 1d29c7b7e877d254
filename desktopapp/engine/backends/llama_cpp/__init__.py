"""Runs Qwen3-VL GGUF files with llama.cpp, on the CPU or any GPU that the installed build knows."""

from desktopapp.engine.backends.llama_cpp.backend import LlamaCppBackend

__all__ = ["LlamaCppBackend"]
