"""Writers of the files that stand beside Qwen3-VL weights: tokenizer, chat template, image processor."""
