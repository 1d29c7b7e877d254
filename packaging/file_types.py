"""The kinds of files that the program opens, for every desktop's own way of writing that down."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileType:
    """One kind.

    Args:
        name: in words.
        suffixes: with their dots.
        mime: its types on Linux, the usual one first.
        uti: its Uniform Type Identifier on macOS.
    """

    name: str
    suffixes: tuple[str, ...]
    mime: tuple[str, ...]
    uti: str


FILE_TYPES = (
    FileType("PNG picture", (".png",), ("image/png",), "public.png"),
    FileType("JPEG picture", (".jpg", ".jpeg", ".jpe", ".jfif"), ("image/jpeg",), "public.jpeg"),
    FileType("WebP picture", (".webp",), ("image/webp",), "org.webmproject.webp"),
    FileType("Bitmap picture", (".bmp",), ("image/bmp",), "com.microsoft.bmp"),
    FileType("TIFF picture", (".tif", ".tiff"), ("image/tiff",), "public.tiff"),
    FileType("GIF picture", (".gif",), ("image/gif",), "com.compuserve.gif"),
    FileType("AVIF picture", (".avif",), ("image/avif",), "public.avif"),
    FileType("HEIC picture", (".heic", ".heif"), ("image/heic", "image/heif"), "public.heic"),
    FileType("MP4 video", (".mp4", ".m4v"), ("video/mp4", "video/x-m4v"), "public.mpeg-4"),
    FileType("QuickTime video", (".mov",), ("video/quicktime",), "com.apple.quicktime-movie"),
    FileType("Matroska video", (".mkv",), ("video/x-matroska",), "org.matroska.mkv"),
    FileType("WebM video", (".webm",), ("video/webm",), "org.webmproject.webm"),
    FileType("AVI video", (".avi",), ("video/x-msvideo",), "public.avi"),
    FileType("PDF document", (".pdf",), ("application/pdf",), "com.adobe.pdf"),
)
