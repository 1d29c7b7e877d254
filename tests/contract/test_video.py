"""What every backend does with a video: pairs of frames, their times in words, each frame decoded once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from desktopapp.engine.backend import GenerationStep, ImageEvaluated
from desktopapp.engine.cancel import Cancelled, CancelToken
from desktopapp.engine.media.video_grid import pair_texts
from desktopapp.engine.prompt_parts import PromptPart, TextPart
from tests.contract.conftest import Contender
from tests.contract.generation import ask, for_each, generate, run
from tests.pictures import NoisePicture, NoiseVideo

TIMES = (0.0, 0.5, 1.0, 1.6, 2.25)


def clip(times: tuple[float, ...] = TIMES, seed: int = 1) -> NoiseVideo:
    return NoiseVideo(96, 64, times, seed)


def test_each_frame_is_decoded_once(contender: Contender) -> None:
    backend, _ = contender.load()
    video = clip()
    result = run(backend, ask("Look: ", video, "What happens?"))
    assert dict(video.decoded) == dict.fromkeys(range(5), 1)
    assert [(image.index, image.tokens) for image in result.images] == [(0, 3 * 3 * 2)]
    backend.unload()


def test_times_stand_in_the_prompt(contender: Contender) -> None:
    backend, _ = contender.load()
    texts = pair_texts(TIMES)
    assert texts == ["<0.2 seconds>", "<1.3 seconds>", "<2.2 seconds>"]
    empty = run(backend, ask("?"), max_new_tokens=1).prompt_tokens
    words: list[PromptPart] = [TextPart(text) for text in texts]
    told = run(backend, [*ask("?"), *words], max_new_tokens=1).prompt_tokens - empty
    seen = run(backend, ask(clip(), "?"), max_new_tokens=1)
    assert seen.prompt_tokens - empty >= told + 18
    backend.unload()


def test_pictures_and_videos_are_counted_together(contender: Contender) -> None:
    backend, _ = contender.load()
    result = run(backend, ask(NoisePicture(260, 260), clip(), NoisePicture(256, 320), "?"))
    assert [(image.index, image.tokens) for image in result.images] == [(0, 64), (1, 18), (2, 80)]
    backend.unload()


def test_frames_matter(contender: Contender) -> None:
    backend, _ = contender.load()
    answers = {
        tuple(run(backend, ask(video, "?"), max_new_tokens=80).tokens)
        for video in (clip(), clip(TIMES[:3]), clip((3.0, 4.0, 5.0)))
    }
    assert len(answers) == 3
    backend.unload()


def test_stop_between_pairs(contender: Contender) -> None:
    backend, _ = contender.load()
    cancel = CancelToken()

    @dataclass(slots=True)
    class Stopping(NoiseVideo):
        def decode(self, index: int) -> NDArray[np.uint8]:
            if index == 1:
                cancel.cancel()
            return NoiseVideo.decode(self, index)

    video = Stopping(96, 64, TIMES)
    steps: list[GenerationStep] = []
    with pytest.raises(Cancelled):
        for_each(generate(backend, ask(video, "?"), cancel=cancel), steps.append)
    assert not any(isinstance(step, ImageEvaluated) for step in steps)
    assert set(video.decoded) == {0, 1}
    backend.unload()
