"""The right side of the dialog: one model, which of its pair, in which precision, what it needs, and the button."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktopapp.modelstore.model import ModelKind
from desktopapp.ui.check_box import CheckBox
from desktopapp.ui.choice_box import ChoiceBox
from desktopapp.ui.get_model.words import form_label, need_words, weights_words
from desktopapp.ui.theme import fonts, set_style_property
from desktopapp.ui.tokens import SPACE_L, SPACE_M, SPACE_S

if TYPE_CHECKING:
    from desktopapp.engine.memory.offers import Offer


class ChoicePane(QWidget):
    """Shows what the dialog decides; knows nothing of hubs.

    Signals:
        changed: another kind or precision was chosen.
        asked: the button was pressed.
        stopped: the person does not want to wait for the hub any longer.
    """

    changed = Signal()
    asked = Signal()
    stopped = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._offers: list[Offer] = []
        self.title = QLabel(self)
        self._precision_label = QLabel(self)
        self.about = QLabel(self)
        self.kinds = {kind: CheckBox(self) for kind in ModelKind}
        self.precision = ChoiceBox(self)
        self.need = QLabel(self)
        self.amount = QLabel(self)
        self.message = QLabel(self)
        self.button = QPushButton(self)
        self.stop = QPushButton(self)
        self._choices = (*self.kinds.values(), self._precision_label, self.precision, self.button)
        self._build()
        self._retranslate()
        for box in self.kinds.values():
            box.toggled.connect(self.changed)
        self.precision.currentIndexChanged.connect(self._on_precision_chosen)
        self.button.clicked.connect(self.asked)
        self.stop.clicked.connect(self.stopped)

    @property
    def offer(self) -> Offer | None:
        """The form that is chosen; None while there is none to choose."""
        place = self.precision.currentIndex()
        return self._offers[place] if 0 <= place < len(self._offers) else None

    @property
    def chosen_kinds(self) -> tuple[ModelKind, ...]:
        """Of a pair, those that are wanted."""
        return tuple(kind for kind, box in self.kinds.items() if box.isChecked())

    def show_waiting(self, text: str) -> None:
        """Say what is waited for; there is nothing to choose yet."""
        self.title.setText(text)
        for part in self._choices:
            part.hide()

    def show_model(self, title: str, offers: list[Offer], best: Offer | None, *, is_pair: bool) -> None:
        """Show another model.

        Args:
            title: its name.
            offers: its forms.
            best: the one to choose at first.
            is_pair: both kinds can be had.
        """
        self._offers = offers
        self.title.setText(title)
        for part in self._choices:
            part.show()
        self.about.setText(weights_words(offers[0].weights) if offers else "")
        for box in self.kinds.values():
            box.setVisible(is_pair)
        self.precision.blockSignals(True)
        self.precision.clear()
        for offer in offers:
            self.precision.addItem(form_label(offer, is_best=offer is best))
        self.precision.setCurrentIndex(offers.index(best) if best in offers else 0)
        self.precision.blockSignals(False)
        self._on_precision_chosen()

    def show_message(self, text: str) -> None:
        """Say what went wrong; empty for nothing."""
        self.message.setText(text)
        self.message.setVisible(bool(text))

    def _on_precision_chosen(self) -> None:
        offer = self.offer
        self.need.setText(need_words(offer) if offer else "")
        role = "secondary" if offer is None or offer.fit == "well" else "warning"
        set_style_property(self.need, "role", role)
        self.changed.emit()

    def _retranslate(self) -> None:
        self.kinds[ModelKind.INSTRUCT].setText(self.tr("Instruct: answers at once"))
        self.kinds[ModelKind.THINKING].setText(
            self.tr("Thinking: thinks first, for sums, charts and hard questions")
        )
        self._precision_label.setText(self.tr("Precision"))
        self.precision.setAccessibleName(self.tr("Precision"))
        self.stop.setText(self.tr("Stop asking"))

    def _build(self) -> None:
        self.title.setFont(fonts().title)
        self.about.setProperty("role", "secondary")
        self.amount.setProperty("role", "secondary")
        self.message.setProperty("role", "danger")
        self.button.setProperty("role", "primary")
        for label in (self.title, self.need, self.amount, self.message):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        form = QFormLayout()
        form.setHorizontalSpacing(SPACE_M)
        self._precision_label.setBuddy(self.precision)
        form.addRow(self._precision_label, self.precision)
        buttons = QHBoxLayout()
        buttons.addWidget(self.button)
        buttons.addWidget(self.stop)
        buttons.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_L, 0, 0, 0)
        layout.setSpacing(SPACE_S)
        layout.addWidget(self.title)
        layout.addWidget(self.about)
        layout.addSpacing(SPACE_S)
        for box in self.kinds.values():
            box.setChecked(True)
            layout.addWidget(box)
        layout.addLayout(form)
        layout.addWidget(self.need)
        layout.addWidget(self.amount)
        layout.addSpacing(SPACE_S)
        layout.addLayout(buttons)
        layout.addWidget(self.message)
        layout.addStretch()
        self.message.hide()
        self.stop.hide()
