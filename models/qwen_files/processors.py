"""Configuration of the image and video processors, as published with Qwen3-VL."""

from __future__ import annotations

from pathlib import Path

from models.qwen_files.tokenizer import write_json

PATCH_PX = 16
MERGE_SIZE = 2
FRAMES_A_PATCH = 2
MIN_IMAGE_PIXELS = 65_536
MAX_IMAGE_PIXELS = 16_777_216
_MIN_VIDEO_PIXELS = 4_096
_MAX_VIDEO_PIXELS = 25_165_824
_HALF = [0.5, 0.5, 0.5]


def write_processors(folder: Path, *, max_image_pixels: int = MAX_IMAGE_PIXELS) -> None:
    """Write preprocessor_config.json and video_preprocessor_config.json.

    Args:
        folder: of the model; exists.
        max_image_pixels: a larger picture is shrunk to this; 1024 of them cost one visual token.
    """
    common = {
        "patch_size": PATCH_PX,
        "temporal_patch_size": FRAMES_A_PATCH,
        "merge_size": MERGE_SIZE,
        "image_mean": _HALF,
        "image_std": _HALF,
        "do_resize": True,
        "do_rescale": True,
        "do_normalize": True,
        "do_convert_rgb": True,
        "resample": 3,
        "rescale_factor": 1 / 255,
        "processor_class": "Qwen3VLProcessor",
    }
    image = {
        "size": {"shortest_edge": MIN_IMAGE_PIXELS, "longest_edge": max_image_pixels},
        **common,
        "image_processor_type": "Qwen2VLImageProcessorFast",
    }
    video = {
        "size": {"shortest_edge": _MIN_VIDEO_PIXELS, "longest_edge": _MAX_VIDEO_PIXELS},
        **common,
        "fps": 2,
        "min_frames": 4,
        "max_frames": 768,
        "do_sample_frames": True,
        "video_processor_type": "Qwen3VLVideoProcessor",
    }
    write_json(folder / "preprocessor_config.json", image)
    write_json(folder / "video_preprocessor_config.json", video)
