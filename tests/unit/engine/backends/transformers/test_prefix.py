"""How much of a prompt a sequence holds."""

from __future__ import annotations

import pytest
import torch

from desktopapp.engine.backends.known_pixels import KnownPixels
from desktopapp.engine.backends.transformers.prefix import shared_tokens
from desktopapp.engine.backends.transformers.prompt import EncodedPrompt
from desktopapp.engine.backends.transformers.prompt_pictures import PromptPictures
from desktopapp.engine.backends.transformers.text_sequence import Contents
from desktopapp.engine.cancel import CancelToken
from desktopapp.engine.steps import StepClock


def shared(prompt: list[int], held: list[int]) -> int:
    encoded = EncodedPrompt(prompt, (), torch.zeros(3, len(prompt), dtype=torch.long))
    pictures = PromptPictures(KnownPixels(), StepClock())
    return shared_tokens(encoded, Contents(tuple(held)), pictures, CancelToken())


@pytest.mark.parametrize("place", [0, 1, 4095, 4096, 8191, 9000])
def test_tokens_are_shared_up_to_the_first_that_differs(place: int) -> None:
    held = list(range(9001))
    assert shared([*held[:place], -1, *held[place + 1 :], 7], held) == place


def test_the_last_token_of_a_prompt_is_never_shared() -> None:
    assert shared([1, 2, 3], [1, 2, 3, 4]) == 2
    assert shared([1, 2, 3, 4], [1, 2]) == 2
    assert shared([1], [1]) == 0
