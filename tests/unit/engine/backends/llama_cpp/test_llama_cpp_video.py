"""Videos: what two turns share is evaluated once, told by the pixels of the frames."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from desktopapp.attachment_errors import AttachmentGone
from desktopapp.engine.backend import ImageEvaluated
from desktopapp.engine.backends.llama_cpp import LlamaCppBackend
from desktopapp.engine.prompt_parts import ImagePart, PromptPart, TextPart, VideoBudget, VideoPart
from tests.llama_cpp_runs import ask, fresh, inside, run, then
from tests.pictures import NoisePicture, NoiseVideo

TIMES = (0.0, 0.5, 1.0, 1.5, 2.0)


def clip(seed: int = 1) -> NoiseVideo:
    return NoiseVideo(320, 224, TIMES, seed)


@dataclass(slots=True)
class FileVideo(NoiseVideo):
    """A video that knows its version, as files do."""

    def version(self) -> str | None:
        return f"{self.path} {self.seed}"


@dataclass(slots=True)
class ChangedVideo(NoiseVideo):
    """The same as its seed's, but for one frame."""

    changed: int = 0

    def decode(self, index: int) -> NDArray[np.uint8]:
        pixels = NoiseVideo.decode(self, index)
        return 255 - pixels if index == self.changed else pixels


def test_a_second_turn_keeps_the_video(backend: LlamaCppBackend, reference: LlamaCppBackend) -> None:
    first = ask("Look: ", clip(), "What happens?")
    begun = run(backend, first)
    second = then(first, begun.text, "And then?")
    again = run(backend, second)
    assert again.cached >= begun.progress.total_tokens
    assert again.images == [0]
    assert again.tokens == fresh(reference, second)


@pytest.mark.parametrize("changed", range(5))
def test_a_changed_frame_is_seen_from_its_pair_on(
    backend: LlamaCppBackend, reference: LlamaCppBackend, changed: int
) -> None:
    run(backend, ask(clip(), "What happens?"))
    other = ask(ChangedVideo(320, 224, TIMES, 1, changed=changed), "What happens?")
    result = run(backend, other)
    # A pair costs 70 tokens, and its time with the tokens around it some ten.
    assert 70 * (changed // 2) < result.cached < 70 * (changed // 2) + 60
    assert result.tokens == fresh(reference, other)


def test_a_frame_twice_is_not_a_picture(backend: LlamaCppBackend, reference: LlamaCppBackend) -> None:
    """Though the pixels are the same: only the video's own pair may stand in its place."""
    video: list[PromptPart] = [VideoPart(NoiseVideo(320, 224, (0.0,), 7)), TextPart("?")]
    picture: list[PromptPart] = [
        TextPart("<0.0 seconds>"),
        ImagePart(NoisePicture(320, 224, 7000)),
        TextPart("?"),
    ]
    run(backend, video)
    result = run(backend, picture)
    assert result.cached < 70
    assert result.tokens == fresh(reference, picture)


def test_a_kept_video_of_a_known_version_is_not_decoded(backend: LlamaCppBackend) -> None:
    video = FileVideo(320, 224, TIMES, 1, path="versioned.mp4")
    first = ask(video, "What happens?")
    run(backend, first)
    run(backend, then(first, "This.", "And then?"))
    assert dict(video.decoded) == dict.fromkeys(range(5), 1)
    video.frame_times_s = (0.0, 0.5, 1.0, 1.7, 2.0)
    run(backend, first)
    assert dict(video.decoded) == {0: 1, 1: 1, 2: 2, 3: 2, 4: 2}


def test_the_budget_of_a_video(backend: LlamaCppBackend) -> None:
    """Of all frames together, the part's own before the model's."""
    for budget, tokens in ((None, 3 * 70), (VideoBudget(max_pixels=6 * 12 * 32 * 32), 3 * 12)):
        prompt = [TextPart("<|im_start|>user\n"), VideoPart(clip(), budget), TextPart("?")]
        (told,) = [step for step in run(backend, prompt, 1).steps if isinstance(step, ImageEvaluated)]
        assert (told.index, told.tokens) == (0, tokens)


def test_at_most_two_frames_are_held(backend: LlamaCppBackend) -> None:
    """They are decoded pair by pair, in order, each when what is before it is evaluated."""
    cells: list[int] = []

    @dataclass(slots=True)
    class Watched(NoiseVideo):
        def decode(self, index: int) -> NDArray[np.uint8]:
            cells.append(inside(backend).context.cells_used)
            return NoiseVideo.decode(self, index)

    run(backend, ask(Watched(320, 224, TIMES, 9), "?"), 1)
    begins_pair = [later - earlier >= 70 for earlier, later in itertools.pairwise(cells)]
    assert begins_pair == [False, True, False, True]


def test_a_frame_that_cannot_be_read_keeps_what_came_before(
    backend: LlamaCppBackend, reference: LlamaCppBackend
) -> None:
    @dataclass(slots=True)
    class Torn(NoiseVideo):
        def decode(self, index: int) -> NDArray[np.uint8]:
            if index == 3:
                raise AttachmentGone(name="torn.mp4")
            return NoiseVideo.decode(self, index)

    with pytest.raises(AttachmentGone):
        run(backend, ask(Torn(320, 224, TIMES, 1), "?"))
    whole = ask(clip(), "?")
    result = run(backend, whole)
    assert 70 < result.cached < 140
    assert result.tokens == fresh(reference, whole)
