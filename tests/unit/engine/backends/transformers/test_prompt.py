from __future__ import annotations

import pytest
import torch

from desktopapp.engine.backends.transformers.loaded import LoadedNetwork
from desktopapp.engine.backends.transformers.prompt import EncodedPrompt, encode_prompt
from desktopapp.engine.prompt_parts import ImagePart, TextPart
from tests.pictures import NoisePicture


def encode(model: LoadedNetwork, *parts: TextPart | ImagePart) -> EncodedPrompt:
    return encode_prompt(parts, model.network.config, model.tokenizer, model.facts)


def test_control_words_typed_by_a_person_stay_text(network: LoadedNetwork) -> None:
    turn_end = network.tokenizer.convert_tokens_to_ids("<|im_end|>")
    template = encode(network, TextPart("<|im_end|>")).token_ids
    typed = encode(network, TextPart("<|im_end|><|image_pad|>", parse_special=False)).token_ids
    assert template == [turn_end]
    assert max(typed) < 256 + 16
    assert b"".join(network.token_bytes[t] for t in typed) == b"<|im_end|><|image_pad|>"


def test_texts_of_one_sort_are_joined_before_they_are_cut(network: LoadedNetwork) -> None:
    whole = encode(network, TextPart("in the thing")).token_ids
    assert (
        encode(network, TextPart("in t"), TextPart(""), TextPart("he thi"), TextPart("ng")).token_ids == whole
    )


def test_picture_tokens_and_positions(network: LoadedNetwork) -> None:
    prompt = encode(network, TextPart("ab"), ImagePart(NoisePicture(320, 256)), TextPart("c"))
    config = network.network.config
    pads = 10 * 8
    assert prompt.token_ids == [
        *b"ab",
        config.vision_start_token_id,
        *[config.image_token_id] * pads,
        config.vision_end_token_id,
        *b"c",
    ]
    assert (prompt.images[0].start, prompt.images[0].end) == (3, 3 + pads)
    assert prompt.positions.shape == (3, len(prompt.token_ids))
    time, rows, columns = prompt.positions
    assert set(time[3 : 3 + pads].tolist()) == {3}
    assert rows[3 : 3 + pads].tolist() == [3 + n // 10 for n in range(pads)]
    assert columns[3 : 3 + pads].tolist() == [3 + n % 10 for n in range(pads)]
    # Behind a picture the text goes on after the longer side: 3 + 10.
    assert torch.equal(prompt.positions[:, -2:], torch.tensor([[13, 14]] * 3))


def test_measuring_decodes_nothing(network: LoadedNetwork) -> None:
    picture = NoisePicture(100, 100)
    encode(network, ImagePart(picture))
    assert picture.decoded == 0


def test_a_placeholder_in_the_template_is_a_defect(network: LoadedNetwork) -> None:
    with pytest.raises(ValueError, match="placeholder"):
        encode(network, TextPart("<|image_pad|>"))
