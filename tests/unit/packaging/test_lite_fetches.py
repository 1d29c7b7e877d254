"""The light program can fetch models: the hub's client starts with what the bundle has, and without the rest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# Modules that the bundle leaves out are not found, and of packages' metadata only what it takes along.
PROGRAM = """
import importlib.machinery, sys
sys.path[:0] = ["packaging", "."]
import bundle_contents as contents

never = contents.excluded_modules("lite")
known = contents.metadata_packages("lite")
finder = importlib.machinery.PathFinder

class Bundle:
    def find_spec(self, name, path=None, target=None):
        if any(name == one or name.startswith(one + ".") for one in never):
            return None
        return finder.find_spec(name, path, target)

    def find_distributions(self, context):
        return finder.find_distributions(context) if context.name in known else iter(())

sys.meta_path[sys.meta_path.index(finder)] = Bundle()
from huggingface_hub import HfApi, get_session, hf_raise_for_status
import filelock
import desktopapp.worker.hub_child
from desktopapp.engine.memory.offers import can_run
from desktopapp.modelstore.model import WeightFormat
print(can_run(WeightFormat.GGUF), can_run(WeightFormat.SAFETENSORS))
"""


def test_the_client_starts_with_what_the_bundle_has() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=150
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True", "False"]
