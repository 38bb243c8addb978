"""A page as a reader has it: its headings, its tables by caption, its text and its pictures."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"meta", "link", "br", "img", "hr", "input"}


@dataclass
class Page(HTMLParser):
    """The parsed page; `tables` hold the text of each row's cells."""

    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    headings: list[tuple[int, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    titles_of_svg: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[str] = []
        self._caption = ""
        self._rows: list[list[str]] = []

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)
        if tag in ("h1", "h2", "h3"):
            self.headings.append((int(tag[1]), ""))
        if tag == "table":
            self._caption, self._rows = "", []
        if tag == "tr":
            self._rows.append([])
        if tag in ("td", "th"):
            self._rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, f"</{tag}> closes what is not open"
        if tag == "table":
            assert self._caption not in self.tables, f"two tables are {self._caption!r}"
            self.tables[self._caption] = self._rows

    def handle_data(self, data: str) -> None:
        if "style" in self._open:
            return
        if "svg" in self._open:
            if self._open[-2:] == ["svg", "title"]:
                self.titles_of_svg.append(data)
            return
        self.texts.append(data)
        if {"h1", "h2", "h3"} & set(self._open):
            level, text = self.headings[-1]
            self.headings[-1] = (level, f"{text}{data}")
        if "caption" in self._open:
            self._caption += data
        elif "td" in self._open or ("table" in self._open and "th" in self._open):
            self._rows[-1][-1] += data.strip("\n")

    def close(self) -> None:
        super().close()
        assert not self._open, f"left open: {self._open}"


def parsed(text: str) -> Page:
    page = Page()
    page.feed(text)
    page.close()
    return page
