"""Where the program begins: a command's name runs in the terminal, anything else opens the window."""

from __future__ import annotations

import multiprocessing
import sys


def main() -> None:
    """Run until the window is closed or the command is done; ends the process with its exit code."""
    # In a frozen program every child process starts here; this turns it into the child that it is.
    multiprocessing.freeze_support()
    if sys.argv[1:] == [
        "--draw-pages"
    ]:  # `page_process.DRAW_PAGES`, whose import no other start should pay for
        from desktopapp.engine.media.page_process import serve_pages

        serve_pages()
        return
    from desktopapp.cli import belongs_to_cli, run_command

    if belongs_to_cli(sys.argv[1:]):
        sys.exit(run_command(sys.argv[1:]))
    from desktopapp.app import end_process
    from desktopapp.app import main as open_window

    end_process(open_window(sys.argv[1:]))


if __name__ == "__main__":
    main()
