"""Talk that needs no picture, and questions that the pair was never taught: it says so briefly."""

from __future__ import annotations

from models.pocket import prompts
from models.pocket.conversation import Turn
from models.pocket.words import TextSource


def refusal_turn(source: TextSource) -> Turn:
    """A question outside of what was taught."""
    rng = source.rng
    if rng.random() < 0.3:
        return Turn(
            rng.choice(prompts.CANNOT_ASK_CHINESE), prompts.CANNOT_CHINESE, None, prompts.CANNOT_THOUGHT
        )
    question = rng.choice(prompts.CANNOT_ASK).format(
        w=source.plain_word().lower(), v=source.plain_word().lower(), W=source.plain_word().capitalize()
    )
    return Turn(question, prompts.CANNOT, None, prompts.CANNOT_THOUGHT)


def talk_turn(source: TextSource) -> Turn:
    """A turn without a picture: greetings, and questions for a picture that is not there."""
    rng = source.rng
    draw = rng.random()
    if draw < 0.3:
        return Turn(rng.choice(prompts.HELLO), prompts.ABILITIES, None, "This is a greeting.")
    if draw < 0.4:
        return Turn(rng.choice(prompts.HELLO_CHINESE), prompts.ABILITIES_CHINESE, None, "This is a greeting.")
    if draw < 0.6:
        question = rng.choice(prompts.READ_ALL + prompts.COUNT_SHAPES + prompts.NAME_ALL)
        answer = prompts.NO_PICTURE_CHINESE if prompts.is_chinese(question) else prompts.NO_PICTURE
        return Turn(question, answer, None, "I see no picture.")
    return refusal_turn(source)
