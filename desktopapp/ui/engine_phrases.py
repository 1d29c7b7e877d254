"""Phrases that the engine fills into messages, marked for translation.

The engine and the model store know no Qt and write English. Where a value of an error, a reason or a missing part
is one of these, `wording.translate_phrase` shows it in the window's language; anything else stays as written.
"""

from __future__ import annotations

from desktopapp.errors import QT_TRANSLATE_NOOP

PHRASES = (
    # What it was doing.
    QT_TRANSLATE_NOOP("errors", "starting"),
    QT_TRANSLATE_NOOP("errors", "loading the model"),
    QT_TRANSLATE_NOOP("errors", "preparing the request"),
    QT_TRANSLATE_NOOP("errors", "reading the attachments"),
    QT_TRANSLATE_NOOP("errors", "reading the attachment"),
    QT_TRANSLATE_NOOP("errors", "reading the prompt"),
    QT_TRANSLATE_NOOP("errors", "reading a picture"),
    QT_TRANSLATE_NOOP("errors", "looking at a picture"),
    QT_TRANSLATE_NOOP("errors", "answering"),
    QT_TRANSLATE_NOOP("errors", "writing the answer"),
    QT_TRANSLATE_NOOP("errors", "making room for the conversation"),
    QT_TRANSLATE_NOOP("errors", "making room for a longer conversation"),
    # Why this backend.
    QT_TRANSLATE_NOOP("errors", "Only safetensors files of this model are complete here."),
    QT_TRANSLATE_NOOP("errors", "Only GGUF files of this model are complete here."),
    QT_TRANSLATE_NOOP("errors", "No NVIDIA GPU was found, so the GGUF file runs in llama.cpp."),
    QT_TRANSLATE_NOOP("errors", "The installed torch has no CUDA, so the GGUF file runs in llama.cpp."),
    QT_TRANSLATE_NOOP("errors", "The transformers backend was asked for."),
    QT_TRANSLATE_NOOP("errors", "The llama.cpp backend was asked for."),
    # What is missing.
    QT_TRANSLATE_NOOP("errors", "the mmproj file"),
    QT_TRANSLATE_NOOP("errors", "the chat template"),
    QT_TRANSLATE_NOOP("errors", "the tokenizer (tokenizer.json)"),
    QT_TRANSLATE_NOOP("errors", "every weight file"),
    # What is wrong.
    QT_TRANSLATE_NOOP("errors", "it has no vision part"),
    QT_TRANSLATE_NOOP("errors", "it is not part of this installation"),
    QT_TRANSLATE_NOOP("errors", "PyTorch finds no CUDA graphics card"),
    QT_TRANSLATE_NOOP("errors", "this installation of it uses no GPU"),
    QT_TRANSLATE_NOOP("errors", "it is cut short or has bytes too many"),
    QT_TRANSLATE_NOOP("errors", "killed by the system"),
    # Why a model cannot be fetched.
    QT_TRANSLATE_NOOP("errors", "its name was not found"),
    QT_TRANSLATE_NOOP("errors", "its certificate is not trusted"),
    QT_TRANSLATE_NOOP("errors", "the connection was refused"),
    QT_TRANSLATE_NOOP("errors", "it did not answer in time"),
    QT_TRANSLATE_NOOP("errors", "the connection broke off"),
    QT_TRANSLATE_NOOP("errors", "what it sent is no answer of a model hub"),
    QT_TRANSLATE_NOOP("errors", "it was asked too often"),
    QT_TRANSLATE_NOOP("errors", "it sent more than the file holds"),
    QT_TRANSLATE_NOOP("errors", "it asks for a password"),
    QT_TRANSLATE_NOOP("errors", "it holds no safetensors and no GGUF files"),
    QT_TRANSLATE_NOOP(
        "errors", "its GGUF files come without an mmproj file, or in parts of which some are missing"
    ),
    QT_TRANSLATE_NOOP("errors", "its safetensors are not complete"),
    QT_TRANSLATE_NOOP("errors", "its config.json cannot be read"),
    QT_TRANSLATE_NOOP("errors", "its config.json has no vision part"),
    QT_TRANSLATE_NOOP("errors", "its weights are quantised in a way that only other programs read"),
)
