"""Qwen3-VL's zoom tool: a model asks for a part of a picture, is shown it more closely, and goes on."""
