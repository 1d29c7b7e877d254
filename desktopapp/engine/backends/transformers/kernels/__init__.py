"""Triton kernels for NVIDIA GPUs; each computes what a plain torch function beside it does."""
