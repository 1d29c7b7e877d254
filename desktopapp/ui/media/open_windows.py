"""Where the windows of other programs are on the screen, so that one of them can be captured by itself.

Qt knows its own windows only, and its window capture is part of an add-on several times the size of all that is used here. X11
and Windows tell any program; Wayland tells none, and captures with the desktop's own tool only; on macOS it would
take a further permission and is not done. Where nothing is told, a window can still be dragged over.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
from collections.abc import Iterator

from PySide6.QtCore import QRect
from PySide6.QtGui import QGuiApplication

_LEAST_PX = 40
_INPUT_OUTPUT, _VIEWABLE = 1, 2
_FRAME_BOUNDS, _CLOAKED = 9, 14  # DWMWA_EXTENDED_FRAME_BOUNDS, DWMWA_CLOAKED


def window_places() -> list[QRect]:
    """The visible windows, the topmost first, in the screen's own pixels; empty where the system does not tell."""
    if sys.platform == "win32":
        return list(_on_windows())
    if QGuiApplication.platformName() == "xcb":
        return list(_on_x11())
    return []


class _Cookie(ctypes.Structure):
    _fields_ = [("sequence", ctypes.c_uint)]


class _Screens(ctypes.Structure):
    _fields_ = [("root", ctypes.POINTER(ctypes.c_uint32)), ("rem", ctypes.c_int), ("index", ctypes.c_int)]


class _Geometry(ctypes.Structure):
    """Reply of the X11 request GetGeometry, as the protocol lays it out."""

    _fields_ = [
        ("response_type", ctypes.c_uint8),
        ("depth", ctypes.c_uint8),
        ("sequence", ctypes.c_uint16),
        ("length", ctypes.c_uint32),
        ("root", ctypes.c_uint32),
        ("x", ctypes.c_int16),
        ("y", ctypes.c_int16),
        ("width", ctypes.c_uint16),
        ("height", ctypes.c_uint16),
    ]


class _Attributes(ctypes.Structure):
    """Reply of the X11 request GetWindowAttributes."""

    _fields_ = [
        ("response_type", ctypes.c_uint8),
        ("backing_store", ctypes.c_uint8),
        ("sequence", ctypes.c_uint16),
        ("length", ctypes.c_uint32),
        ("visual", ctypes.c_uint32),
        ("window_class", ctypes.c_uint16),
        ("bit_gravity", ctypes.c_uint8),
        ("win_gravity", ctypes.c_uint8),
        ("backing_planes", ctypes.c_uint32),
        ("backing_pixel", ctypes.c_uint32),
        ("save_under", ctypes.c_uint8),
        ("map_is_installed", ctypes.c_uint8),
        ("map_state", ctypes.c_uint8),
    ]


def _on_x11() -> Iterator[QRect]:
    """The children of the root: frames of window managers, or windows themselves where there is none."""
    xcb = _Xcb.open()
    if xcb is None:
        return
    try:
        for window in reversed(xcb.children()):
            place = xcb.place(window)
            if place is not None and min(place.width(), place.height()) >= _LEAST_PX:
                yield place
    finally:
        xcb.close()


class _Xcb:
    """A connection of its own to the X server. A window that vanishes meanwhile gives no reply, and no harm."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._xcb = library
        self._libc = ctypes.CDLL(None)
        self._libc.free.argtypes = [ctypes.c_void_p]
        library.xcb_connect.restype = ctypes.c_void_p
        library.xcb_get_setup.restype = ctypes.c_void_p
        library.xcb_setup_roots_iterator.restype = _Screens
        library.xcb_query_tree_children.restype = ctypes.POINTER(ctypes.c_uint32)
        for name in ("query_tree", "get_geometry", "get_window_attributes"):
            request, reply = getattr(library, f"xcb_{name}"), getattr(library, f"xcb_{name}_reply")
            request.argtypes, request.restype = [ctypes.c_void_p, ctypes.c_uint32], _Cookie
            reply.argtypes, reply.restype = [ctypes.c_void_p, _Cookie, ctypes.c_void_p], ctypes.c_void_p
        self._connection = ctypes.c_void_p(library.xcb_connect(None, None))

    @classmethod
    def open(cls) -> _Xcb | None:
        """Connect; None where there is no X server, or no library for it."""
        name = ctypes.util.find_library("xcb") or "libxcb.so.1"
        try:
            connected = cls(ctypes.CDLL(name))
        except OSError:
            return None
        if connected._xcb.xcb_connection_has_error(connected._connection):
            connected.close()
            return None
        return connected

    def close(self) -> None:
        self._xcb.xcb_disconnect(self._connection)

    def children(self) -> list[int]:
        """Windows at the top level, the lowest first."""
        setup = ctypes.c_void_p(self._xcb.xcb_get_setup(self._connection))
        root = self._xcb.xcb_setup_roots_iterator(setup).root[0]
        reply = self._ask("query_tree", root)
        if not reply:
            return []
        count = self._xcb.xcb_query_tree_children_length(ctypes.c_void_p(reply))
        windows = list(self._xcb.xcb_query_tree_children(ctypes.c_void_p(reply))[:count])
        self._libc.free(reply)
        return windows

    def place(self, window: int) -> QRect | None:
        """Where a window is; None for one that is not seen."""
        reply = self._ask("get_window_attributes", window)
        if not reply:
            return None
        seen = ctypes.cast(reply, ctypes.POINTER(_Attributes)).contents
        is_seen = seen.map_state == _VIEWABLE and seen.window_class == _INPUT_OUTPUT
        self._libc.free(reply)
        reply = self._ask("get_geometry", window) if is_seen else None
        if not reply:
            return None
        found = ctypes.cast(reply, ctypes.POINTER(_Geometry)).contents
        place = QRect(found.x, found.y, found.width, found.height)
        self._libc.free(reply)
        return place

    def _ask(self, name: str, window: int) -> int | None:
        cookie = getattr(self._xcb, f"xcb_{name}")(self._connection, window)
        reply: int | None = getattr(self._xcb, f"xcb_{name}_reply")(self._connection, cookie, None)
        return reply


def _on_windows() -> Iterator[QRect]:
    """Top-level windows from the topmost, without those that are minimised or on another virtual desktop."""
    user32, dwmapi = ctypes.CDLL("user32"), ctypes.CDLL("dwmapi")
    found: list[int] = []

    def visit(handle: int, _: int) -> int:
        found.append(handle)
        return 1

    visitor = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(visit)
    user32.EnumWindows(visitor, None)
    for handle in map(ctypes.c_void_p, found):
        cloaked, sides = ctypes.c_int(), (ctypes.c_long * 4)()
        dwmapi.DwmGetWindowAttribute(handle, _CLOAKED, ctypes.byref(cloaked), ctypes.sizeof(cloaked))
        if cloaked.value or not user32.IsWindowVisible(handle) or user32.IsIconic(handle):
            continue
        if dwmapi.DwmGetWindowAttribute(handle, _FRAME_BOUNDS, ctypes.byref(sides), ctypes.sizeof(sides)):
            continue
        left, top, right, bottom = sides
        if min(right - left, bottom - top) >= _LEAST_PX:
            yield QRect(left, top, right - left, bottom - top)
