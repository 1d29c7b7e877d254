"""What can go wrong while a model is fetched; part of the tree in `errors.py`.

AppError
└── HubError
    ├── HubUnreachable          no connection, an unknown name, a certificate, a broken line
    ├── HubSwitchedOff          the environment forbids the network
    ├── ProxyRefused
    ├── HubRefused              another answer than expected
    ├── EndpointUnusable        the setting `hub_endpoint` is no address
    ├── AddressUnknown          what was typed names no repository
    ├── RepositoryAbsent
    ├── RepositoryLocked        private, or its owner wants to be asked
    ├── RepositoryUnfit         it holds no Qwen3-VL that can be loaded
    ├── PrecisionAbsent
    ├── DownloadDamaged         what came is not what the hub says it is
    ├── DownloadEnded           its process was killed
    ├── DownloadRunning         another window or command fetches the same
    ├── DiskTooFull
    └── FolderUnwritable
"""

from __future__ import annotations

from desktopapp.errors import QT_TRANSLATE_NOOP, AppError


class HubError(AppError):
    """A model could not be fetched; what was loaded of it is kept."""


class HubUnreachable(HubError):
    """Values: host, reason."""

    message_template = QT_TRANSLATE_NOOP("errors", "{host} cannot be reached: {reason}.")
    remedy_template = QT_TRANSLATE_NOOP(
        "errors",
        "Check the network connection, or name a mirror in the settings, then try again; what was loaded is kept.",
    )


class HubSwitchedOff(HubError):
    """Values: none."""

    message_template = QT_TRANSLATE_NOOP(
        "errors", "The environment variable HF_HUB_OFFLINE forbids downloads."
    )
    remedy_template = QT_TRANSLATE_NOOP("errors", "Remove it, then start the program again.")


class ProxyRefused(HubError):
    """Values: host, reason."""

    message_template = QT_TRANSLATE_NOOP("errors", "The proxy did not let the way to {host} open: {reason}.")
    remedy_template = QT_TRANSLATE_NOOP(
        "errors",
        "Correct HTTPS_PROXY, HTTP_PROXY or NO_PROXY in the environment, then start the program again.",
    )


class HubRefused(HubError):
    """Values: host, reason."""

    message_template = QT_TRANSLATE_NOOP("errors", "{host} did not deliver: {reason}.")
    remedy_template = QT_TRANSLATE_NOOP("errors", "Try again in some minutes; what was loaded is kept.")


class EndpointUnusable(HubError):
    """Values: endpoint."""

    message_template = QT_TRANSLATE_NOOP("errors", "“{endpoint}” is no address to load models from.")
    remedy_template = QT_TRANSLATE_NOOP(
        "errors", "Correct hub_endpoint in the settings, as https://huggingface.co; empty is that one."
    )


class AddressUnknown(HubError):
    """Values: text."""

    message_template = QT_TRANSLATE_NOOP("errors", "“{text}” names no repository.")
    remedy_template = QT_TRANSLATE_NOOP(
        "errors", "Write owner/name, as Qwen/Qwen3-VL-4B-Instruct, or the link of its page."
    )


class RepositoryAbsent(HubError):
    """Values: name, host."""

    message_template = QT_TRANSLATE_NOOP("errors", "There is no “{name}” at {host}, or it is private.")
    remedy_template = QT_TRANSLATE_NOOP("errors", "Compare the name with the page of the model.")


class RepositoryLocked(HubError):
    """Values: name, host."""

    message_template = QT_TRANSLATE_NOOP("errors", "{host} does not give “{name}” to everybody.")
    remedy_template = QT_TRANSLATE_NOOP(
        "errors", "Download it in a browser where you are signed in, then open its folder here."
    )


class RepositoryUnfit(HubError):
    """Values: name, reason."""

    message_template = QT_TRANSLATE_NOOP("errors", "“{name}” cannot be used here: {reason}.")
    remedy_template = QT_TRANSLATE_NOOP(
        "errors", "Choose a Qwen3-VL with 16-bit weights, or a GGUF of one with its mmproj file."
    )


class PrecisionAbsent(HubError):
    """Values: name, precision, there."""

    message_template = QT_TRANSLATE_NOOP("errors", "“{name}” has no {precision}.")
    remedy_template = QT_TRANSLATE_NOOP("errors", "There is: {there}.")


class DownloadDamaged(HubError):
    """Values: file, host."""

    message_template = QT_TRANSLATE_NOOP(
        "errors", "“{file}” arrived damaged from {host}: its checksum is another one."
    )
    remedy_template = QT_TRANSLATE_NOOP("errors", "It was thrown away; resume to load it once more.")


class DownloadEnded(HubError):
    """Values: detail."""

    message_template = QT_TRANSLATE_NOOP("errors", "The download ended unexpectedly ({detail}).")
    remedy_template = QT_TRANSLATE_NOOP("errors", "Try again; what was loaded is kept.")


class DownloadRunning(HubError):
    """Values: name."""

    message_template = QT_TRANSLATE_NOOP(
        "errors", "“{name}” is being downloaded by another window or command."
    )
    remedy_template = QT_TRANSLATE_NOOP("errors", "Wait for it, or stop it there.")


class DiskTooFull(HubError):
    """Values: needed_gb, free_gb, folder."""

    message_template = QT_TRANSLATE_NOOP(
        "errors", "The disk is too full: {needed_gb} GB are still to come, {free_gb} GB are free in {folder}."
    )
    remedy_template = QT_TRANSLATE_NOOP("errors", "Make room there, then resume; what was loaded is kept.")


class FolderUnwritable(HubError):
    """Values: folder, reason."""

    message_template = QT_TRANSLATE_NOOP("errors", "Nothing can be written into {folder} ({reason}).")
    remedy_template = QT_TRANSLATE_NOOP("errors", "Change the folder's permissions, then try again.")
