"""Fetches models from a Hugging Face hub. Nothing here contacts it before a person asked for that.

`huggingface_hub` is imported inside functions only: it takes a quarter of a second and 20 MB.
"""
