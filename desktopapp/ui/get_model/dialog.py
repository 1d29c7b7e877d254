"""“Get a model …”: what can be had, what it needs here, and the downloads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QListView, QPushButton, QVBoxLayout, QWidget

from desktopapp.errors import AppError
from desktopapp.modelstore.hub.address import Address, checked_endpoint, host_of, parse_address
from desktopapp.modelstore.hub.download import Download, free_disk_bytes
from desktopapp.modelstore.hub.remote import RemoteModel
from desktopapp.ui.get_model.choice_pane import ChoicePane
from desktopapp.ui.get_model.download_list import DownloadList
from desktopapp.ui.get_model.downloads import Downloads, DownloadState
from desktopapp.ui.get_model.inquiry import Inquiry
from desktopapp.ui.get_model.offer_finder import OfferFinder, Situation
from desktopapp.ui.get_model.other_field import OtherField
from desktopapp.ui.get_model.shelf import ShelfItem
from desktopapp.ui.model_list import ModelListModel
from desktopapp.ui.model_row_delegate import ModelRowDelegate
from desktopapp.ui.tokens import SPACE_L, SPACE_M, SPACE_S
from desktopapp.ui.wording import error_sentences, format_size
from desktopapp.worker.hub_child import HubFailed

if TYPE_CHECKING:
    from desktopapp.engine.memory.offers import Offer

_LIST_WIDTH = 290
_SIZE = (800, 640)


class GetModelDialog(QDialog):
    """Contacts the hub only when a button that names it is pressed.

    Args:
        downloads: of the window; they go on when the dialog is closed.
        situation: what prices depend on.
        endpoint: of the hub; empty for huggingface.co.
        parent: of the dialog.

    Signals:
        used: the person wants a model that is here now; carries its name.
    """

    used = Signal(str)

    def __init__(
        self, downloads: Downloads, situation: Situation, endpoint: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._downloads = downloads
        self._situation = situation
        self._host = _host(endpoint)
        self._items: list[ShelfItem] = []
        self._named: Address | None = None
        self.finder = OfferFinder(self)
        self.inquiry = Inquiry(self)
        self.inquiry.endpoint = endpoint
        self.rows = ModelListModel(self)
        self.view = QListView(self)
        self.pane = ChoicePane(self)
        self.other = OtherField(self._host, self)
        self.download_list = DownloadList(downloads, self)
        self._build()
        self._connect()
        self.pane.show_waiting(self.tr("Looking at this computer …"))
        downloads.look_for_pending()
        self.finder.find(situation)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Return presses the button that has the keyboard and no other: nothing is asked of the hub in passing."""
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)
            return
        focused = self.focusWidget()
        if isinstance(focused, QPushButton):
            focused.click()

    def done(self, result: int) -> None:
        """Stop what only the dialog wants; downloads go on."""
        self.inquiry.stop()
        self.finder.close()
        super().done(result)

    def _connect(self) -> None:
        self.finder.found.connect(self._on_found)
        self.finder.priced.connect(self._on_priced)
        self.inquiry.answered.connect(self._on_answered)
        self.inquiry.finished.connect(self._show_choice)
        self.inquiry.failed.connect(self._on_failed)
        self.view.selectionModel().currentChanged.connect(self._on_current_changed)
        self.pane.changed.connect(self._on_choice_changed)
        self.pane.asked.connect(self._on_asked)
        self.pane.stopped.connect(self._on_stopped)
        self.other.asked.connect(self._on_other_asked)
        self.download_list.used.connect(self._on_used)
        self._downloads.changed.connect(self._show_choice)

    @property
    def _item(self) -> ShelfItem | None:
        row = self.view.currentIndex().row()
        return self._items[row] if 0 <= row < len(self._items) else None

    @Slot(object)
    def _on_found(self, offers: list[Offer]) -> None:
        from desktopapp.engine.memory.offers import best_of
        from desktopapp.modelstore.catalogue import read_catalogue

        for model in read_catalogue():
            own = [offer for offer in offers if offer.size == model.size]
            if own:
                self._items.append(ShelfItem(own, best_of(own), size=model))
        recommended = next(
            (n for n, item in enumerate(self._items) if any(offer.is_recommended for offer in item.offers)), 0
        )
        self._show_items(recommended)

    def _show_items(self, current: int) -> None:
        self.rows.show([item.row for item in self._items])
        self.view.setCurrentIndex(self.rows.index(current))

    @Slot(QModelIndex, QModelIndex)
    def _on_current_changed(self) -> None:
        self._named = None
        self.inquiry.stop()
        item = self._item
        if item is not None:
            self.pane.show_message("")
            self.pane.show_model(item.title, item.offers, item.best, is_pair=item.size is not None)

    @Slot()
    def _on_choice_changed(self) -> None:
        self.inquiry.stop()
        self.pane.show_message("")
        self._show_choice()

    @Slot()
    def _show_choice(self) -> None:
        """Name the button after what it would do."""
        item, offer, kinds = self._item, self.pane.offer, self.pane.chosen_kinds
        is_asking = self.inquiry.is_busy
        self.pane.stop.setVisible(is_asking)
        self.other.show_asking(is_asking)
        if item is None or offer is None:
            return
        wanted, refusal = self._wanted()
        button = self.pane.button
        button.setEnabled(not is_asking and not refusal and (item.size is None or bool(kinds)))
        if is_asking:
            button.setText(self.tr("Asking {host} …").format(host=self._host))
        elif wanted is None:
            button.setText(self.tr("Ask {host} for the size").format(host=self._host))
            self.pane.amount.setText(
                self.tr("{host} is contacted when you press the button, not before.").format(host=self._host)
            )
        else:
            self._show_wanted(wanted)
        if refusal:
            self.pane.show_message(refusal)

    def _wanted(self) -> tuple[list[Download] | None, str]:
        """What the button would load, None where that is not known yet; and why it cannot, or empty."""
        item, offer = self._item, self.pane.offer
        if item is None or offer is None:
            return None, ""
        try:
            return item.downloads(offer, self.pane.chosen_kinds, self.inquiry.known), ""
        except AppError as error:
            return None, error_sentences(error)

    def _show_wanted(self, wanted: list[Download]) -> None:
        missing, free = sum(one.missing_bytes for one in wanted), free_disk_bytes()
        begun = {entry.key for entry in self._downloads.entries if entry.state is not DownloadState.DONE}
        button, size = self.pane.button, format_size(missing)
        words = self.tr("{size} to load from {host}; {free} are free on the disk.")
        self.pane.amount.setText(words.format(size=size, host=self._host, free=format_size(free)))
        if not missing:
            self.pane.amount.setText("")
            button.setText(self.tr("It is here already"))
            button.setEnabled(False)
        elif all(str(one.folder) in begun for one in wanted):
            button.setText(self.tr("In the list below"))
            button.setEnabled(False)
        else:
            button.setText(self.tr("Download {size}").format(size=size))
            if missing > free:
                self.pane.show_message(
                    self.tr("The disk is too full for it. Make room, or choose a smaller one.")
                )
                button.setEnabled(False)

    @Slot()
    def _on_asked(self) -> None:
        item, offer = self._item, self.pane.offer
        if item is None or offer is None:
            return
        self.pane.show_message("")
        wanted, _ = self._wanted()
        if wanted is not None:
            self._downloads.add(wanted)
            return
        self.inquiry.ask(item.addresses(offer, self.pane.chosen_kinds))
        self._show_choice()

    @Slot(str)
    def _on_other_asked(self, text: str) -> None:
        try:
            self._named = parse_address(text)
        except AppError as error:
            self.other.show_problem(error_sentences(error))
            return
        self.other.show_problem("")
        self.inquiry.known.pop(self._named.repository, None)
        self.inquiry.ask([self._named])
        self._show_choice()

    @Slot(object)
    def _on_answered(self, model: RemoteModel) -> None:
        if self._named is not None and model.listing.repository == self._named.repository:
            self.finder.price(model, self._situation)

    @Slot(str, object)
    def _on_priced(self, repository: str, offers: list[Offer]) -> None:
        from desktopapp.engine.memory.offers import best_of

        model = self.inquiry.known.get(repository)
        if model is None:
            return
        if not offers:
            self.other.show_problem(self.tr("“{name}” cannot be priced.").format(name=repository))
            return
        self._named = None
        item = ShelfItem(offers, best_of(offers), other=model)
        self._items = [one for one in self._items if one.title != repository] + [item]
        self._show_items(len(self._items) - 1)

    @Slot(object)
    def _on_failed(self, failed: HubFailed) -> None:
        problem = error_sentences(failed)
        if self._named is not None:
            self._named = None
            self.other.show_problem(problem)
        else:
            self.pane.show_message(problem)
        self._show_choice()

    @Slot()
    def _on_stopped(self) -> None:
        self._named = None
        self.inquiry.stop()
        self._show_choice()

    @Slot(str)
    def _on_used(self, name: str) -> None:
        self.used.emit(name)
        self.accept()

    def _build(self) -> None:
        self.setWindowTitle(self.tr("Get a model"))
        about = QLabel(
            self.tr(
                "The small pair that came with the program reads printed text; everything else wants a real model. "
                "Your files and questions stay on this computer with these as well."
            ),
            self,
        )
        about.setProperty("role", "secondary")
        about.setWordWrap(True)
        self.view.setObjectName("modelList")
        self.view.setAccessibleName(self.tr("Models that can be had"))
        self.view.setMouseTracking(True)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.setModel(self.rows)
        self.view.setItemDelegate(ModelRowDelegate(self.view))
        self.view.setFixedWidth(_LIST_WIDTH)
        close = QPushButton(self.tr("Close"), self)
        close.setAutoDefault(False)
        close.clicked.connect(self.accept)
        upper = QHBoxLayout()
        upper.addWidget(self.view)
        upper.addWidget(self.pane, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_L, SPACE_L, SPACE_L, SPACE_L)
        layout.setSpacing(SPACE_M)
        layout.addWidget(about)
        layout.addLayout(upper, 1)
        layout.addWidget(self.other)
        layout.addWidget(self.download_list)
        layout.addSpacing(SPACE_S)
        layout.addWidget(close, 0, Qt.AlignmentFlag.AlignRight)
        self.resize(*_SIZE)


def _host(endpoint: str) -> str:
    try:
        return host_of(checked_endpoint(endpoint))
    except AppError:
        return endpoint  # pressing the button says what is wrong with it
