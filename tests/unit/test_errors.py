"""The trees in the docstrings of the errors' modules hold every error."""

import ast
import re
from pathlib import Path
from types import ModuleType

import pytest

from desktopapp import attachment_errors, errors, hub_errors

MODULES = (errors, attachment_errors, hub_errors)
PACKAGE = Path(errors.__file__).parent


def bases_of(source: Path) -> dict[str, str]:
    """The classes of a file, each with its first base."""
    nodes = ast.walk(ast.parse(source.read_text(encoding="utf-8")))
    return {
        node.name: node.bases[0].id
        for node in nodes
        if isinstance(node, ast.ClassDef) and node.bases and isinstance(node.bases[0], ast.Name)
    }


def tree_of(module: ModuleType) -> dict[str, str]:
    """The errors that a docstring draws, each with what it hangs on."""
    tree, above = {}, ["AppError"]
    for indent, name in re.findall(r"^([ │├└─]*─ )(\w+)", module.__doc__ or "", re.MULTILINE):
        depth = len(indent) // 4
        tree[name] = above[depth - 1]
        above[depth:] = [name]
    return tree


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_a_tree_shows_what_its_module_holds(module: ModuleType) -> None:
    held = {name: base for name, base in bases_of(Path(module.__file__ or "")).items() if base != "Exception"}
    elsewhere = {
        base.__name__: "AppError" for base in (attachment_errors.AttachmentError, hub_errors.HubError)
    }
    assert tree_of(module) == ({**held, **elsewhere} if module is errors else held)


def test_no_other_module_holds_errors_and_no_two_share_a_name() -> None:
    names = [name for module in MODULES for name in bases_of(Path(module.__file__ or ""))]
    assert len(names) == len(set(names))
    own = {Path(module.__file__ or "") for module in MODULES}
    for source in sorted(set(PACKAGE.rglob("*.py")) - own):
        assert not set(bases_of(source).values()) & {*names, "AppError"}, source
