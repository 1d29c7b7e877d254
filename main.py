"""Qwen3-VL Desktop: `python main.py` opens the window, `python main.py ask ...` answers in the terminal."""

from desktopapp.__main__ import main

if __name__ == "__main__":
    main()
