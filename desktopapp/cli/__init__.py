"""The same engine without a window: what runs for each command. Nothing here imports Qt."""

from desktopapp.cli.command_line import belongs_to_cli, run_command

__all__ = ["belongs_to_cli", "run_command"]
