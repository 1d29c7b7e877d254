"""The real backends in the real engine process, with an allocation that fails, or a library that aborts, at a chosen point.

A test arms a fault by a file; the child looks at it wherever memory is allocated. `failing` (with `functools.partial`) is a
backend factory for `EngineProcess`.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial, wraps
from pathlib import Path
from typing import Any

from desktopapp.engine import serving
from desktopapp.engine.backend import Backend
from desktopapp.engine.backends.registry import Backends, default_backends
from desktopapp.engine.request import BackendChoice

_ERROR_LEVEL = 4


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong.

    Args:
        point: `load`, `context` (llama.cpp's KV cache), `room` (transformers' KV cache), `vision`, `prefill` or
            `decode`.
        number: at which time, from 1.
        kind: `refused` for an allocation that fails, `abort` for a library that ends the process without a word,
            `told_abort` for one that says why, `late_abort` for an allocation that fails and an abort behind the
            message that told of it; `neighbour` for another program that takes what is free, for as long as the
            fault is armed.
        always: each time from then on.
        leaves_bytes: of what is free, by a neighbour.
    """

    point: str
    number: int = 1
    kind: str = "refused"
    always: bool = False
    leaves_bytes: int = 0

    def arm(self, file: Path) -> None:
        """Let it happen."""
        temporary = file.with_suffix(".new")
        temporary.write_text(json.dumps(asdict(self)))
        temporary.replace(file)


class _Injector:
    def __init__(self, file: Path, leave: Callable[[int], None]) -> None:
        self._file = file
        self._leave = leave
        self._armed = ""
        self._reads = self._ends_with_work = False
        self._counts: Counter[str] = Counter()

    def is_due(self, point: str) -> bool:
        """Whether an allocation at this point is to be refused; an abort happens here."""
        text = self._file.read_text() if self._file.exists() else ""
        if text != self._armed:
            self._armed = text
            self._counts.clear()
        if self._reads or point != "decode":  # a load evaluates single tokens as well
            self._counts[point] += 1
        if point in ("prefill", "vision"):
            self._reads = True
        elif point == "load":
            self._reads = False
        if not text:
            return False
        fault = Fault(**json.loads(text))
        count = self._counts[point]
        if fault.point != point or not (count == fault.number or (fault.always and count > fault.number)):
            return False
        if fault.kind == "neighbour":
            if count == fault.number:
                self._leave(fault.leaves_bytes)
            return False
        if not fault.always:
            self._file.unlink()
        if fault.kind == "told_abort":
            print("ggml_cuda: cudaMalloc failed: out of memory", file=sys.stderr, flush=True)
        if fault.kind in ("abort", "told_abort"):
            os.abort()
        self._ends_with_work = fault.kind == "late_abort"
        return True

    def abort_behind(self, words: str) -> str:
        """End the process behind the last message of a piece of work, where that is due; for the log's dividing lines."""
        if self._ends_with_work and words.endswith(" ends"):
            os.abort()
        return ""


def failing(file: str, leave: Callable[[int], None] = lambda _free_bytes: None) -> Backends:
    """The backends that ship, with faults.

    Args:
        file: that arms one.
        leave: what a neighbour does, see `shrunk_machine.py`.
    """
    injector, shipped = _Injector(Path(file), leave), default_backends()

    def make(choice: BackendChoice, prepare: Callable[[_Injector], None]) -> Backend:
        prepare(injector)
        _guard(serving, "_mark_log", injector.abort_behind, lambda: None, injector.is_due)
        return shipped[choice]()

    return {
        BackendChoice.TRANSFORMERS: partial(make, BackendChoice.TRANSFORMERS, _prepare_transformers),
        BackendChoice.LLAMA_CPP: partial(make, BackendChoice.LLAMA_CPP, _prepare_llama_cpp),
    }


def _guard(owner: Any, name: str, point: Callable[..., str], refuse: Callable[[], Any], due: Any) -> None:
    """Have a function fail where that is due; once for each process."""
    original = getattr(owner, name)
    if hasattr(original, "__wrapped__") and getattr(original, "is_guard", False):
        return

    @wraps(original)
    def guarded(*arguments: Any, **options: Any) -> Any:
        where = point(*arguments)
        return refuse() if where and due(where) else original(*arguments, **options)

    guarded.is_guard = True  # type: ignore[attr-defined]
    setattr(owner, name, guarded)


def _prepare_transformers(injector: _Injector) -> None:
    import torch

    from desktopapp.engine.backends.transformers import loader
    from desktopapp.engine.backends.transformers.kv_cache import KvCache
    from desktopapp.engine.backends.transformers.text_sequence import TextSequence
    from desktopapp.engine.backends.transformers.vision_tower import VisionTower

    def refuse() -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    due = injector.is_due
    from_folder = loader.AutoModelForImageTextToText
    _guard(from_folder, "from_pretrained", lambda *_: "load", refuse, due)
    _guard(VisionTower, "encode", lambda *_: "vision", refuse, due)
    _guard(TextSequence, "evaluate", lambda _, ids, *__: "prefill" if len(ids) > 1 else "decode", refuse, due)
    _guard(
        KvCache, "reserve", lambda cache, tokens: "room" if cache.capacity < tokens > 1 else "", refuse, due
    )


def _prepare_llama_cpp(injector: _Injector) -> None:
    from desktopapp.engine.backends.llama_cpp.library import llama, log, mtmd

    def refuse(result: Any) -> Any:
        log.add(
            _ERROR_LEVEL, b"ggml_gallocr_reserve_n_impl: failed to allocate CUDA0 buffer of size 2147483648\n"
        )
        return result

    due = injector.is_due
    _guard(llama, "llama_model_load_from_splits", lambda *_: "load", partial(refuse, None), due)
    _guard(llama, "llama_init_from_model", lambda *_: "context", partial(refuse, None), due)
    _guard(mtmd, "mtmd_encode_chunk", lambda *_: "vision", partial(refuse, 1), due)
    _guard(mtmd, "mtmd_helper_decode_image_chunk", lambda *_: "prefill", partial(refuse, -2), due)
    _guard(
        llama,
        "llama_decode",
        lambda _, batch: "prefill" if batch.n_tokens > 1 else "decode",
        partial(refuse, -2),
        due,
    )
