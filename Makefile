# `make run` and `make test` set everything up on a fresh machine; see README.md.
PYTHON ?= python3
VENV := .venv/bin
# pytest-xvfb brings the screen where Xvfb is; without it Qt draws into memory.
TEST_PLATFORM = $(if $(shell command -v Xvfb),xcb,offscreen)

.PHONY: help run test check demo bench pocket pocket-eval package package-full clean distclean environment headless

help:
	@echo "make run     open the window (sets up what is missing first)"
	@echo "make test    run all tests, on a virtual screen"
	@echo "make check   ruff, mypy, import-linter"
	@echo "make demo    the main job without a person; saves build/demo.png"
	@echo "make bench   the benchmarks"
	@echo "make pocket  make the pocket models from nothing, on a GPU; see models/pocket/README.md"
	@echo "make pocket-eval  measure them: the table of their model card, in hours on two cores; EVAL=--quick: 20 items a skill"
	@echo "make package  an installable program without PyTorch, into dist/; BUNDLE=--gpu=cuda and others: see docs/packaging.md"
	@echo "make package-full  the same with PyTorch"
	@echo "make clean   remove what was built, but for the environment; make distclean removes that as well"

environment:
	@$(PYTHON) packaging/system_packages.py
	@$(PYTHON) packaging/setup_env.py

headless:
	@$(PYTHON) packaging/system_packages.py --headless
	@$(PYTHON) packaging/setup_env.py

run: environment
	@$(VENV)/python main.py

test: headless
	@QT_QPA_PLATFORM=$${QT_QPA_PLATFORM:-$(TEST_PLATFORM)} $(VENV)/python -m pytest

check: environment
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check .
	@$(VENV)/mypy
	@$(VENV)/lint-imports

demo: headless
	@xvfb-run -a -s "-screen 0 1600x1200x24" $(VENV)/python packaging/demo.py

bench: headless
	@set -e; for file in tests/benchmarks/bench_*.py; do \
		echo "== $$file"; QT_QPA_PLATFORM=offscreen PYTHONPATH=. $(VENV)/python $$file; done

pocket: environment
	@$(VENV)/python -m models.pocket

pocket-eval: headless
	@$(VENV)/python -m models.pocket.fonts build/pocket/fonts --uses heldout
	@$(VENV)/python -m models.pocket.evaluation models/qwen3-vl/qwen3-vl-pocket-* \
		--fonts build/pocket/fonts/heldout --words build/pocket/fonts/words.txt $(EVAL)

package: headless
	@$(VENV)/python packaging/build_bundle.py lite $(BUNDLE)

package-full: headless
	@$(VENV)/python packaging/build_bundle.py full $(BUNDLE)

clean:
	rm -f models/qwen3-vl/qwen3-vl-pocket-*/*.gguf
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	rm -f resources/translations/*.qm
	find desktopapp tests models packaging -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -f .venv/setup-stamps.json

distclean: clean
	rm -rf .venv
