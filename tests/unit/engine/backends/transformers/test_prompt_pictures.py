"""Pictures of a prompt: each decoded once, also where that was begun ahead."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from desktopapp.attachment_errors import AttachmentGone
from desktopapp.engine.backends.known_pixels import KnownPixels
from desktopapp.engine.backends.transformers.prompt_media import PromptImage
from desktopapp.engine.backends.transformers.prompt_pictures import PromptPictures
from desktopapp.engine.prompt_parts import ImageSource
from desktopapp.engine.steps import StepClock
from tests.pictures import MissingPicture, NoisePicture


@pytest.fixture
def pictures() -> Iterator[PromptPictures]:
    pictures = PromptPictures(KnownPixels(), StepClock())
    yield pictures
    pictures.close()


def placed(source: ImageSource, start: int) -> PromptImage:
    return PromptImage((source,), 96, 64, start, start + 6, 0, 6)


def test_a_picture_decoded_ahead_is_the_same_and_is_decoded_once(pictures: PromptPictures) -> None:
    source, other = NoisePicture(300, 200, seed=3), NoisePicture(300, 200, seed=4)
    pictures.look_ahead(placed(source, 10))
    (ahead,), ahead_id = pictures.take_pixels(placed(source, 10))
    assert source.decoded == 1
    (plain,), plain_id = pictures.take_pixels(placed(source, 20))
    assert source.decoded == 2
    assert np.array_equal(ahead, plain)
    assert ahead_id == plain_id
    assert pictures.take_pixels(placed(other, 30))[1] != plain_id


def test_what_was_looked_at_for_its_id_is_not_decoded_again(pictures: PromptPictures) -> None:
    source = NoisePicture(300, 200)
    pixels_id = pictures.pixels_id(placed(source, 10))
    pictures.look_ahead(placed(source, 10))
    assert pictures.take_pixels(placed(source, 10))[1] == pixels_id
    assert source.decoded == 1


def test_another_picture_than_the_one_ahead_may_be_taken(pictures: PromptPictures) -> None:
    pictures.look_ahead(placed(NoisePicture(300, 200, seed=1), 10))
    found = pictures.take_pixels(placed(NoisePicture(300, 200, seed=2), 20))
    assert found[1] == pictures.take_pixels(placed(NoisePicture(300, 200, seed=2), 30))[1]


def test_what_cannot_be_decoded_says_so_when_it_is_taken(pictures: PromptPictures) -> None:
    pictures.look_ahead(placed(MissingPicture(), 10))
    with pytest.raises(AttachmentGone):
        pictures.take_pixels(placed(MissingPicture(), 10))
