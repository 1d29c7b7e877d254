"""The event that tells about an exception, whatever it is."""

from __future__ import annotations

import traceback

from desktopapp.engine.events import Failed
from desktopapp.errors import FREED, AppError, OutOfMemory, UnexpectedError


def failed_event(request_id: str, error: Exception, what: str, attachment: str = "") -> Failed:
    """Make it.

    Args:
        request_id: the request, or empty.
        error: ours, or a defect.
        what: was being done, for lack of memory.
        attachment: path of the one at fault, or empty.
    """
    details = "".join(traceback.format_exception(error))
    if isinstance(error, AppError):
        # A refusal needs no traceback, unless a library's error is behind it.
        return Failed.from_error(
            request_id, error, attachment=attachment, details=details if error.__cause__ else ""
        )
    if isinstance(error, MemoryError):
        memory = OutOfMemory(what=what, detail=str(error))
        return Failed.from_error(request_id, memory, attachment=attachment, details=details)
    defect = UnexpectedError(reason=f"{type(error).__name__}: {error}")
    return Failed.from_error(request_id, defect, attachment=attachment, details=details)


def error_behind(error: OutOfMemory | MemoryError, what: str, freed: str) -> OutOfMemory:
    """Lack of memory, with what was let go of behind it.

    Args:
        error: that was raised.
        what: was being done, where it does not say.
        freed: name of the idle model.
    """
    values = {"what": what, "detail": str(error), **getattr(error, "values", {}), FREED: freed}
    told = OutOfMemory(**values)
    told.__cause__ = error
    return told
