"""Ends the vision tower's work in its midst: a large picture takes minutes on a slow CPU, and mtmd cannot be aborted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from desktopapp.engine.backends.llama_cpp.library import llama
from desktopapp.engine.cancel import CancelToken

# Operations of the graph between two looks at the token; a layer has some forty. A look makes a GPU wait.
_CPU_OPERATIONS = 8
_GPU_OPERATIONS = 64


class VisionStop:
    """What ggml calls to learn behind which operations it is to be looked at; a look may end the graph.

    Args:
        on_gpu: the vision tower runs there.

    Attributes:
        function: for `mtmd_context_params.cb_eval`; lives as long as this.
    """

    def __init__(self, *, on_gpu: bool) -> None:
        self._every = _GPU_OPERATIONS if on_gpu else _CPU_OPERATIONS
        self._asked = 0
        self._cancel = CancelToken()
        self.function = llama.ggml_backend_sched_eval_callback(self._call)

    @contextmanager
    def by(self, cancel: CancelToken) -> Iterator[None]:
        """Let a token end what mtmd encodes in the body, by `Cancelled` at the body's end."""
        self._cancel = cancel
        try:
            yield
            # What was ended looks like a success, with numbers that mean nothing.
            cancel.raise_if_cancelled()
        finally:
            self._cancel = CancelToken()

    def _call(self, _tensor: object, ask: bool, _user_data: object) -> bool:
        """Asked before an operation whether to look behind it, and behind it whether to go on."""
        if not ask:
            return not self._cancel.cancelled
        self._asked += 1
        return self._asked % self._every == 0 or self._cancel.cancelled
