"""A small Qwen3-VL with random weights: the true architecture, tokenizer and files, and meaningless answers."""

from models.qwen_files.config import ModelShape as RandomShape
from models.random_pair.maker import TINY, make_random_model

__all__ = ["TINY", "RandomShape", "make_random_model"]
