"""What can be wrong with an attached file; part of the tree in `errors.py`.

AppError
└── AttachmentError
    ├── AttachmentGone
    ├── AttachmentUnreadable
    ├── AttachmentChanged       another picture since it was attached
    ├── AttachmentNeedsMemory   more than is free to open it, whatever the plan
    ├── AttachmentIsFolder
    ├── NotAnImage              nor a video, nor a document
    ├── ImageDamaged
    ├── ImageTooLarge           decompression bomb
    ├── ImageEmpty              a side of zero
    ├── ImageTooNarrow          aspect ratio over 200
    ├── VideoDamaged
    ├── DocumentDamaged
    ├── DocumentLocked          wants a password, or another one
    ├── PageTooSlow             it would be drawn for ever
    ├── PagesMissing            the range that was asked for
    └── TimesMissing            likewise, of a video
"""

from __future__ import annotations

from desktopapp.errors import QT_TRANSLATE_NOOP, AppError


class AttachmentError(AppError):
    """Something is wrong with one attached file. Values: name, and what the subclass names."""


class AttachmentGone(AttachmentError):
    """Values: name."""

    message_template = QT_TRANSLATE_NOOP("errors", "The file “{name}” is not there.")
    remedy_template = QT_TRANSLATE_NOOP("errors", "Check its name and its place, then attach it again.")


class AttachmentUnreadable(AttachmentError):
    """Values: name."""

    message_template = QT_TRANSLATE_NOOP("errors", "“{name}” may not be read.")
    remedy_template = QT_TRANSLATE_NOOP("errors", "Change the file's permissions, or attach a copy.")


class AttachmentChanged(AttachmentError):
    """Values: name."""

    message_template = QT_TRANSLATE_NOOP("errors", "“{name}” was changed while it was being read.")
    remedy_template = QT_TRANSLATE_NOOP("errors", "Send the message again.")


class AttachmentNeedsMemory(AttachmentError):
    """Values: name."""

    message_template = QT_TRANSLATE_NOOP("errors", "Too little memory is free to open “{name}”.")
    remedy_template = QT_TRANSLATE_NOOP(
        "errors", "Attach a smaller version or a crop of it, or close other programs."
    )


class AttachmentIsFolder(AttachmentError):
    """Values: name."""

    message_template = QT_TRANSLATE_NOOP("errors", "“{name}” is a folder.")
    remedy_template = QT_TRANSLATE_NOOP("errors", "Attach the files in it.")


class NotAnImage(AttachmentError):
    """Values: name."""

    message_template = QT_TRANSLATE_NOOP(
        "errors", "“{name}” is not a picture, video or PDF that this program can read."
    )
    remedy_template = QT_TRANSLATE_NOOP(
        "errors",
        "Attach a PNG, JPEG, WebP, BMP, TIFF, GIF, AVIF or HEIC picture, an MP4, MOV, MKV, WebM or AVI video, or a PDF.",
    )


class ImageDamaged(AttachmentError):
    """Values: name."""

    message_template = QT_TRANSLATE_NOOP("errors", "“{name}” is damaged or cut short.")
    remedy_template = QT_TRANSLATE_NOOP("errors", "Save or download the picture again, then attach it.")


class ImageTooLarge(AttachmentError):
    """Values: name, width, height, limit_megapixels."""

    message_template = QT_TRANSLATE_NOOP(
        "errors",
        "“{name}” has {width} × {height} pixels, more than the limit of {limit_megapixels} megapixels.",
    )
    remedy_template = QT_TRANSLATE_NOOP("errors", "Attach a smaller version or a crop of it.")


class ImageEmpty(AttachmentError):
    """Values: name."""

    message_template = QT_TRANSLATE_NOOP("errors", "“{name}” has no pixels.")
    remedy_template = QT_TRANSLATE_NOOP("errors", "Save the picture again, then attach it.")


class ImageTooNarrow(AttachmentError):
    """Values: name, width, height."""

    message_template = QT_TRANSLATE_NOOP(
        "errors", "“{name}” is {width} × {height} pixels: one side is over 200 times the other."
    )
    remedy_template = QT_TRANSLATE_NOOP("errors", "Crop the picture and attach the part that matters.")


class VideoDamaged(AttachmentError):
    """Values: name."""

    message_template = QT_TRANSLATE_NOOP(
        "errors", "“{name}” holds no video that can be played, or it is damaged."
    )
    remedy_template = QT_TRANSLATE_NOOP("errors", "Save or convert the video again as MP4, then attach it.")


class DocumentDamaged(AttachmentError):
    """Values: name."""

    message_template = QT_TRANSLATE_NOOP("errors", "The PDF “{name}” is damaged, cut short, or has no pages.")
    remedy_template = QT_TRANSLATE_NOOP("errors", "Save or download the document again, then attach it.")


class DocumentLocked(AttachmentError):
    """Values: name."""

    message_template = QT_TRANSLATE_NOOP("errors", "“{name}” is locked with a password.")
    remedy_template = QT_TRANSLATE_NOOP("errors", "Give the document's password.")


class PageTooSlow(AttachmentError):
    """Values: name, page."""

    message_template = QT_TRANSLATE_NOOP("errors", "Page {page} of “{name}” takes too long to draw.")
    remedy_template = QT_TRANSLATE_NOOP(
        "errors", "Choose other pages, or print the document into a new PDF and attach that."
    )


class PagesMissing(AttachmentError):
    """Values: name, first, last, pages."""

    message_template = QT_TRANSLATE_NOOP(
        "errors", "“{name}” has {pages} pages; {first} to {last} is no range of them."
    )
    remedy_template = QT_TRANSLATE_NOOP("errors", "Choose pages between 1 and {pages}.")


class TimesMissing(AttachmentError):
    """Values: name, start (as text), end (likewise)."""

    message_template = QT_TRANSLATE_NOOP("errors", "“{name}” ends at {end}; nothing of it is at {start}.")
    remedy_template = QT_TRANSLATE_NOOP("errors", "Choose a begin before {end}.")
