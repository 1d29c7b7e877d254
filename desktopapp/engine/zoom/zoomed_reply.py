"""A reply that may stop to look closer: each call of the zoom tool is run here, and the answer goes on behind it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from desktopapp.engine.answer import Answer
from desktopapp.engine.attached_media import AttachedImage, AttachedMedia
from desktopapp.engine.chat_prompt import ChatPrompt
from desktopapp.engine.events import Event, FinishReason
from desktopapp.engine.grounding.places import FULL
from desktopapp.engine.media.pixel_budget import visual_tokens
from desktopapp.engine.media_events import ZoomedIn
from desktopapp.engine.prompt_parts import ImagePart, PixelBudget, PromptPart, TextPart
from desktopapp.engine.reasoning.reply import Replier, ReplyLimits
from desktopapp.engine.reasoning.thought_parser import OPENING
from desktopapp.engine.zoom.call import (
    RESPONSE_CLOSING,
    RESPONSE_OPENING,
    ZoomCall,
    read_zoom_call,
)
from desktopapp.engine.zoom.crop import CROP_TOKENS, CroppedImage, crop_budget

_WHOLE = (0.0, 0.0, FULL, FULL)
_FRAME_TOKENS = 64
"""Of a response around its picture, counted generously."""
_NO_SUCH_PICTURE = "There is no picture {index}: pictures are counted from 0 to {last}."
_NO_BOX = "bbox_2d has to be [x1, y1, x2, y2], each 0 to 1000, with an inside."
_NO_MORE = "No more pictures can be shown. Answer from what you have seen."


class ZoomedReply:
    """Gets a reply out of a model that may look closer.

    Args:
        replier: gets each stretch of it.
        answer: takes it.
        attached: whose pictures may be looked at.
        pixel_budget: of the loaded model, for pictures that have none of their own.
        context_tokens: longest prompt plus output.
        most: calls that are answered.
    """

    def __init__(
        self,
        replier: Replier,
        answer: Answer,
        attached: AttachedMedia,
        pixel_budget: PixelBudget,
        context_tokens: int,
        most: int,
    ) -> None:
        self._replier = replier
        self._answer = answer
        shown = [item.part for turn in attached.by_turn for item in turn]
        self._budget = next((p.pixel_budget for p in shown if isinstance(p, ImagePart)), None) or pixel_budget
        self._pictures: list[tuple[AttachedImage, tuple[float, ...]]] = [
            (item, _WHOLE) for item in attached.items if isinstance(item, AttachedImage)
        ]
        """What was shown, in the model's order: parts of pictures behind the pictures themselves."""
        self._context_tokens = context_tokens
        self._left = most

    def run(self, prompt: ChatPrompt, limits: ReplyLimits) -> Generator[Event, None, FinishReason]:
        """Reply, look, reply, until the model asks for nothing more.

        Args:
            prompt: of the conversation.
            limits: of all stretches together.
        """
        while True:
            before = self._answer.new_tokens
            reason = yield from self._replier.reply(prompt, limits, holds_calls=True)
            words = self._answer.take_call()
            call = read_zoom_call(words) if words and reason is FinishReason.STOP else None
            left = limits.new_tokens - (self._answer.new_tokens - before)
            if call is None or left < 1 or not self._has_room(0):
                if words:  # one that is cut off, or cannot be answered: the person may see it
                    yield from self._answer.add_reply_text(words)
                return reason
            limits = replace(limits, new_tokens=left)
            response = yield from self._respond(call)
            yield from self._answer.begin_paragraph()
            prompt = self._go_on(prompt, response)

    def _go_on(self, prompt: ChatPrompt, response: list[PromptPart]) -> ChatPrompt:
        closing = RESPONSE_CLOSING + (f"{OPENING}\n" if prompt.opens_thought else "")
        parts = (*self._replier.transcript, TextPart(RESPONSE_OPENING), *response, TextPart(closing))
        return ChatPrompt(parts, prompt.opens_thought)

    def _respond(self, call: ZoomCall) -> Generator[Event, None, list[PromptPart]]:
        """What the model is told: a picture, or why there is none."""
        budget = crop_budget(self._budget, self._most_tokens())
        if call.picture not in range(len(self._pictures)):
            words = _NO_SUCH_PICTURE.format(index=call.picture, last=len(self._pictures) - 1)
            return [TextPart(words)]
        if call.box is None:
            return [TextPart(_NO_BOX)]
        if self._left < 1 or not self._has_room(CROP_TOKENS[1]):
            return [TextPart(_NO_MORE)]
        self._left -= 1
        source, frame = self._pictures[call.picture]
        crop = CroppedImage(source, _within(frame, call.box))
        self._pictures.append((source, crop.box))
        tokens = visual_tokens(crop.width, crop.height, budget)
        yield ZoomedIn(self._answer.request_id, source.path, source.page, crop.box, call.label, tokens)
        return [ImagePart(crop, budget)]

    def _most_tokens(self) -> int:
        """Visual tokens of the largest picture that the conversation shows."""
        whole = (source for source, frame in self._pictures if frame == _WHOLE)
        return max(visual_tokens(one.width, one.height, self._budget) for one in whole)

    def _has_room(self, tokens: int) -> bool:
        used = self._answer.context_used + tokens + _FRAME_TOKENS
        return used + self._replier.least_reply_tokens <= self._context_tokens


def _within(frame: tuple[float, ...], box: tuple[float, ...]) -> tuple[float, ...]:
    """A box of a part as a box of the whole picture."""
    sides = (frame[2] - frame[0], frame[3] - frame[1])
    return tuple(frame[axis % 2] + value / FULL * sides[axis % 2] for axis, value in enumerate(box))
