"""What stands in the pictures: words, made-up words, numbers, code, punctuation. Printable ASCII only."""

from __future__ import annotations

import string
import zlib
from collections.abc import Callable
from pathlib import Path
from random import Random

_ONSETS = ("b", "bl", "c", "ch", "d", "dr", "f", "g", "gr", "h", "j", "k", "l", "m", "n", "p", "pl", "qu", "r",
           "s", "sh", "st", "t", "tr", "th", "v", "w", "x", "y", "z", "")  # fmt: skip
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ea", "oo", "ou", "ie", "y")
_CODAS = ("", "", "n", "r", "s", "t", "l", "m", "ck", "nd", "st", "ng", "x", "p", "b", "d", "g", "v", "z")
_ENDINGS = ("txt", "py", "png", "pdf", "com", "org", "json", "md", "zip", "jpg", "html", "cfg")
_ALPHANUMERIC = string.ascii_letters + string.digits
_VISIBLE = "".join(chr(code) for code in range(33, 127))
# Words that running text is full of.
_FREQUENT = (
    "a about after all also an and any are as at be been but by can could do each even first for from get go had has "
    "have he her here him his how i if in into is it its just know last like long made make many may me more most much "
    "my new no not now of off on one only or other our out over own part people right said same see she should since so "
    "some still such take than that the their them then there these they this three time to too two under up us use used "
    "very was way we well were what when where which while who will with without work would year you your"
)
# One word in ten is kept for evaluation and never drawn while training.
_HELD_OUT_OF = 10


def is_held_out(word: str) -> bool:
    """Whether a word is kept for evaluation; upper and lower case are one word."""
    return zlib.crc32(word.lower().encode()) % _HELD_OUT_OF == 0


def read_words(file: Path, *, held_out: bool) -> list[str]:
    """The ASCII words of a word list that are, or are not, held out."""
    words = {line.strip() for line in file.read_text(encoding="utf-8").splitlines()}
    return sorted(w for w in words if 1 < len(w) < 15 and w.isascii() and is_held_out(w) is held_out)


class TextSource:
    """Draws lines of text."""

    def __init__(self, words: list[str], rng: Random) -> None:
        self._words = words
        self.rng = rng

    def word(self) -> str:
        """One word, cased at random."""
        word = self._words[int(self.rng.random() * len(self._words))]
        draw = self.rng.random()
        if draw < 0.2:
            return word.capitalize()
        return word.upper() if draw < 0.35 else word

    def plain_word(self) -> str:
        """One word of letters alone."""
        while True:
            word = self.word()
            if word.isalpha():
                return word

    def label(self) -> str:
        """A short text as on a button: one to three words."""
        words = [self.plain_word() for _ in range(self.rng.choice((1, 1, 1, 2, 2, 3)))]
        return " ".join(words)

    def line(self, length: int) -> str:
        """A line of at most `length` characters, without spaces at its ends or in a row."""
        draw = self.rng.random()
        if draw < 0.42:
            text = self._sentence(length)
        else:
            make = self._made_up if draw < 0.58 else self._token if draw < 0.74 else self._figure
            if draw >= 0.86:
                make = self._code if draw < 0.94 else self._noise
            text = make()
            while len(text) + 3 < length and self.rng.random() < 0.93:
                text += " " + make()
        text = text[:length].strip()
        return text or self._token()[:length]

    def paragraph(self, length: int) -> str:
        """Running text of about `length` characters: sentences with a figure, a name or some code now and then."""
        rng = self.rng
        odd = rng.choice((0.02, 0.06, 0.15))
        frequent = [word for word in _FREQUENT.split() if not is_held_out(word)]
        common = rng.choice((0.0, 0.3, 0.5))
        words: list[str] = []
        size = 0
        opens = True
        while size < length:
            draw = rng.random()
            if draw < common:
                word = frequent[int(rng.random() * len(frequent))]
            elif draw > 1 - odd:
                word = rng.choice((self._figure, self._code, self._token, self._made_up))()
            else:
                word = self._words[int(rng.random() * len(self._words))]
            if opens:
                word = word[:1].upper() + word[1:]
            draw = rng.random()
            opens = draw < 0.09
            if draw < 0.2:
                word += rng.choice(".,:;)") if not opens else rng.choice("...?!")
            words.append(word)
            size += len(word) + 1
        return " ".join(words)

    def _sentence(self, length: int) -> str:
        style = self.rng.random()
        words: list[str] = []
        size = 0
        while size < length:
            word = self._words[int(self.rng.random() * len(self._words))]
            if style < 0.12:
                word = word.upper()
            elif style < 0.27:
                word = word.capitalize()
            if self.rng.random() < 0.12:
                word += self.rng.choice(",,..:;!?")
            words.append(word)
            size += len(word) + 1
        text = " ".join(words)
        return text[:1].upper() + text[1:] if 0.27 < style < 0.6 else text

    def _made_up(self) -> str:
        choice = self.rng.choice
        word = "".join(
            choice(_ONSETS) + choice(_VOWELS) + choice(_CODAS) for _ in range(choice((1, 2, 2, 3)))
        )
        return (
            word.upper()
            if self.rng.random() < 0.25
            else word.capitalize()
            if self.rng.random() < 0.2
            else word
        )

    def _token(self) -> str:
        alphabet = self.rng.choice((_ALPHANUMERIC, string.ascii_lowercase, string.ascii_uppercase, string.digits,
                                    string.ascii_letters, "0123456789ABCDEF"))  # fmt: skip
        return "".join(self.rng.choices(alphabet, k=self.rng.randint(1, 9)))

    def _figure(self) -> str:
        def r(low: int, high: int) -> int:
            return low + int(self.rng.random() * (high - low + 1))

        forms: tuple[Callable[[], str], ...] = (
            lambda: f"{r(0, 999)}",
            lambda: f"{r(0, 9999)}",
            lambda: f"${r(0, 999)}.{r(0, 99):02d}",
            lambda: f"{r(0, 23):02d}:{r(0, 59):02d}",
            lambda: f"{r(1990, 2035)}-{r(1, 12):02d}-{r(1, 28):02d}",
            lambda: f"{r(0, 100)}%",
            lambda: f"{r(1, 28)}/{r(1, 12)}/{r(1990, 2035)}",
            lambda: f"{r(0, 999)},{r(0, 999):03d}",
            lambda: f"+{r(1, 99)} {r(100, 999)} {r(1000, 9999)}",
            lambda: f"#{r(0, 99999)}",
            lambda: f"{r(0, 99)}.{r(0, 999)}",
            lambda: f"{r(0, 50)} x {r(0, 50)}",
        )
        return forms[r(0, len(forms) - 1)]()

    def _code(self) -> str:
        words = self._words
        a, b = (words[int(self.rng.random() * len(words))].replace("'", "") for _ in range(2))
        number = self.rng.randint(0, 99)
        draw = self.rng.randint(0, 9)
        forms = (
            f"{a}_{b}", f"{a}.{self.rng.choice(_ENDINGS)}", f"/{a}/{b}", f"{a}({b})", f"{a}@{b}.com",
            f"{a}[{number}] = {b}", f"{{{a}: {number}}}", f"https://{a}.org/{b}", f"--{a}={b}", f"<{a}>",
        )  # fmt: skip
        return forms[draw]

    def _noise(self) -> str:
        return "".join(self.rng.choices(_VISIBLE, k=self.rng.randint(1, 8)))
