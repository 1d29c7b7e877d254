"""The llama.cpp backend: GGUF files, on the CPU or any GPU that the installed build knows.

`backend.LlamaCppBackend` is its face; importing that module loads llama.cpp's libraries.
"""
