"""The lines of the model picker, made from what the model store found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from desktopapp.engine.request import BackendChoice
from desktopapp.modelstore.model import InstalledModel, ModelFiles, ModelKind, WeightFormat
from desktopapp.ui.wording import format_size, kind_word, translate_phrase

# lupdate finds calls by this name.
translate = QCoreApplication.translate


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One thing to choose.

    Args:
        model: what `ModelChoice.model` takes: a name, or the path of one of several files.
        backend: the backend that this line fixes; `AUTO` for a model's main line.
        title: the name, or the precision for a line below its model.
        variant: the variant that answers where this line is chosen.
        kind: word for the chip, or empty on a line below its model.
        details: size, precision, backends.
        problem: why it cannot be chosen, or empty.
        is_variant: one of a model's several forms, shown below it.
        random_weights: answers mean nothing.
    """

    model: str
    backend: BackendChoice
    title: str
    variant: ModelKind
    kind: str
    details: str
    problem: str = ""
    is_variant: bool = False
    random_weights: bool = False

    @property
    def spoken(self) -> str:
        """The line as assistive technology reads it."""
        return ", ".join(part for part in (self.title, self.kind, self.details, self.problem) if part)


def rows_of(models: Sequence[InstalledModel]) -> list[ModelRow]:
    """The lines for these models: each model, and below it its forms where it has several."""
    rows: list[ModelRow] = []
    for model in models:
        rows.append(_main_row(model))
        if len(model.files) > 1 and not model.problem:
            rows.extend(_variant_row(model, files) for files in model.files)
    return rows


def _main_row(model: InstalledModel) -> ModelRow:
    usable = [files for files in model.files if not files.missing]
    problem = translate_phrase(model.problem)
    if not problem and not usable:
        problem = _missing_words(model.files)
    if len(model.files) > 1 and not model.problem:
        details = [translate("ModelPicker", "automatic choice of the forms below")]
    else:
        details = [_form_words(files) for files in model.files]
    if model.random_weights:
        details.insert(0, translate("ModelPicker", "random weights, answers mean nothing"))
    return ModelRow(
        model=model.name,
        backend=BackendChoice.AUTO,
        title=model.name,
        variant=model.kind,
        kind=kind_word(model.kind),
        details=" · ".join(dict.fromkeys(details)),
        problem=problem,
        random_weights=model.random_weights,
    )


def _variant_row(model: InstalledModel, files: ModelFiles) -> ModelRow:
    return ModelRow(
        model=str(files.path),
        backend=_backend_of(files.format),
        title=files.precision,
        variant=model.kind,
        kind="",
        details=f"{format_size(files.size_bytes)} · {_backend_of(files.format)}",
        problem=_missing_words((files,)) if files.missing else "",
        is_variant=True,
        random_weights=model.random_weights,
    )


def _form_words(files: ModelFiles) -> str:
    return f"{files.precision} {format_size(files.size_bytes)} ({_backend_of(files.format)})"


def _missing_words(forms: Sequence[ModelFiles]) -> str:
    missing = dict.fromkeys(name for files in forms for name in files.missing)
    if not missing:
        return translate("ModelPicker", "No weights were found.")
    names = ", ".join(translate_phrase(name) for name in missing)
    return translate("ModelPicker", "Missing: {names}").format(names=names)


def _backend_of(format_: WeightFormat) -> BackendChoice:
    return BackendChoice.LLAMA_CPP if format_ is WeightFormat.GGUF else BackendChoice.TRANSFORMERS
