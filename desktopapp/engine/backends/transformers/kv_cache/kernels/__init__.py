"""Triton kernels of the KV cache. Importing this package needs Triton; running it an NVIDIA GPU or its interpreter."""
