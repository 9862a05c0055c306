"""Charts as SVG pictures: lines, bars, shares of a whole; the same in every format.

Rules of this file: drawing only. Every length is written with one decimal, so that the
same chart is the same bytes. Colours differ in lightness too and each series has its
own dash or marker: nobody needs to see hues. ``link`` makes each mark a link.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil, floor, log10
from types import MappingProxyType
from unicodedata import east_asian_width
from xml.sax.saxutils import escape, quoteattr

from projections.reports.addresses import Addressed, cells_of
from projections.reports.formats.values import plain, shown, visible
from projections.reports.formats.words import in_language
from projections.reports.model import Chart, Language

WIDTH = 720.0
FONTS = "Noto Sans SC, Source Han Sans SC, Microsoft YaHei, sans-serif"
_SIZE = 13.0
_ROW = 22.0
_NEARLY_ZERO = 1e-6
_PALETTE = ("#0b3c6f", "#b3261e", "#2e7d32", "#8a5a00", "#5e35b1", "#37474f")
_DASHES = ("", "7 4", "2 3", "9 3 2 3", "4 2", "1 4")
_INK, _GRID, _TRACK = "#1b1b1b", "#c9c9c9", "#e4e4e4"
Link = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class _Mark:
    """One point: the place of its label, its value, and what it says and leads to."""

    series: int
    place: int
    value: float
    text: str
    href: str


@dataclass(frozen=True, slots=True)
class _Plot:
    """A chart as numbers and words of one language."""

    title: str
    names: tuple[str, ...]
    labels: tuple[str, ...]
    marks: tuple[_Mark, ...]


def svg(chart: Chart, language: Language, link: Link | None = None) -> str:
    """Return a chart as an SVG element with its title; it needs no style sheet."""
    plot = _plot(chart, language, link)
    height, body = _DRAWN[chart.kind](plot)
    legend = "".join(_legend(plot)) if len(plot.names) > 1 else ""
    top = _ROW + 6 if legend else 0.0
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" '
        f'viewBox="0 0 {WIDTH:.0f} {height + top:.1f}" '
        f'font-family="{FONTS}" font-size="{_SIZE:.0f}" fill="{_INK}">'
        f"<title>{escape(plot.title)}</title>{legend}"
        f'<g transform="translate(0 {top:.1f})">{body}</g></svg>'
    )


def _plot(chart: Chart, language: Language, link: Link | None) -> _Plot:
    labels: dict[str, int] = {}
    marks: list[_Mark] = []
    addressed = iter(cells_of(chart))
    for number, series in enumerate(chart.series):
        for (label, _), found in zip(series.points, addressed, strict=False):
            text = visible(in_language(label, language))
            place = labels.setdefault(text, len(labels))
            if isinstance(found.cell.value, int | float):
                marks.append(_mark(number, place, found, language, link))
    names = (visible(in_language(one.name, language)) for one in chart.series)
    title = visible(in_language(chart.title, language))
    return _Plot(title, tuple(names), tuple(labels), tuple(marks))


def _mark(
    series: int, place: int, found: Addressed, language: Language, link: Link | None
) -> _Mark:
    value = found.cell.value
    number = float(value) if isinstance(value, int | float) else 0.0
    text = shown(value, found.kind, language)
    return _Mark(series, place, number, text, link(found.address) if link else "")


def _bars(plot: _Plot) -> tuple[float, str]:
    """Draw horizontal bars, one group a label, in the order given."""
    highest = max((mark.value for mark in plot.marks), default=0.0) or 1.0
    return _rows(plot, lambda value: max(0.0, value) / highest, track=False)


def _coverage(plot: _Plot) -> tuple[float, str]:
    """Draw shares as filled tracks: what is missing is seen, too."""
    return _rows(plot, lambda value: min(1.0, max(0.0, value)), track=True)


def _rows(
    plot: _Plot, share: Callable[[float], float], *, track: bool
) -> tuple[float, str]:
    left = min(260.0, max((text_width(x) for x in plot.labels), default=0.0)) + 12
    room = WIDTH - left - 74
    step = _ROW * max(1, len(plot.names))
    parts = [
        _text(left - 8, place * step + step / 2 + 5, _fit(label, 252), "end")
        for place, label in enumerate(plot.labels)
    ]
    for mark in plot.marks:
        y = mark.place * step + mark.series * _ROW + 3
        size = room * share(mark.value)
        back = _rect(left, y, room, _TRACK) if track else ""
        bar = _rect(left, y, size, _PALETTE[mark.series % len(_PALETTE)])
        end = left + (room if track else size) + 6
        parts.append(_linked(mark, back + bar + _text(end, y + 13, mark.text)))
    return max(_ROW, step * len(plot.labels)), "".join(parts)


def _lines(plot: _Plot) -> tuple[float, str]:
    """Draw lines over labels at equal distances, from zero up."""
    left, bottom, top, right = 56.0, 250.0, 12.0, WIDTH - 16
    unit, below, count = _scale([mark.value for mark in plot.marks])
    rise = (bottom - top) / ((count + below) * unit)
    width = (right - left) / max(1, len(plot.labels) - 1)

    def spot(mark: _Mark) -> tuple[float, float]:
        return left + mark.place * width, bottom - (mark.value + below * unit) * rise

    parts = [
        _grid(left, right, bottom - n * unit * rise, plain((n - below) * unit))
        for n in range(count + below + 1)
    ]
    parts += _axis(plot.labels, left, width, bottom)
    for series in range(len(plot.names)):
        marks = [mark for mark in plot.marks if mark.series == series]
        parts.append(_polyline([spot(mark) for mark in marks], series))
        parts += [_linked(mark, _dot(*spot(mark), series, mark)) for mark in marks]
    return bottom + 30, "".join(parts)


def _axis(
    labels: tuple[str, ...], left: float, width: float, bottom: float
) -> Iterator[str]:
    """Yield as many labels as there is room for."""
    widest = max((text_width(label) for label in labels), default=1.0) + 10
    every = max(1, ceil(widest / width)) if width else 1
    for place, label in enumerate(labels):
        if place % every == 0:
            x = left + place * width
            anchor = "end" if x + widest / 2 > WIDTH else "middle"
            yield _text(min(x, WIDTH - 4), bottom + 20, label, anchor)


def _scale(values: list[float]) -> tuple[float, int, int]:
    """Return a round step, and how many of them reach the least and the highest value.

    Zero is always between them.
    """
    lowest, highest = min([0.0, *values]), max([0.0, *values])
    if highest - lowest < _NEARLY_ZERO:
        return 1.0, 0, 1
    rough = (highest - lowest) / 5
    power = 10.0 ** floor(log10(rough))
    step = next(n * power for n in (1, 2, 5, 10) if n * power >= rough)
    return step, ceil(-lowest / step), ceil(highest / step)


def _legend(plot: _Plot) -> Iterator[str]:
    x = 4.0
    for number, name in enumerate(plot.names):
        colour, dash = _style(number)
        line = f'stroke="{colour}" stroke-width="4" stroke-dasharray="{dash}"'
        yield f'<path d="M{x:.1f} 14H{x + 28:.1f}" {line}/>'
        yield _text(x + 34, 18, name)
        x += text_width(name) + 58


def _grid(left: float, right: float, y: float, label: str) -> str:
    line = f'<path d="M{left:.1f} {y:.1f}H{right:.1f}" stroke="{_GRID}"/>'
    return line + _text(left - 6, y + 4, label, "end")


def _polyline(spots: list[tuple[float, float]], series: int) -> str:
    if not spots:
        return ""
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    colour, dash = _style(series)
    return (
        f'<polyline points="{points}" fill="none" stroke="{colour}" '
        f'stroke-width="2" stroke-dasharray="{dash}"/>'
    )


def _dot(x: float, y: float, series: int, mark: _Mark) -> str:
    circle = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{_style(series)[0]}">'
    return f"{circle}<title>{escape(mark.text)}</title></circle>"


def _style(series: int) -> tuple[str, str]:
    return _PALETTE[series % len(_PALETTE)], _DASHES[series % len(_DASHES)]


def _rect(x: float, y: float, width: float, colour: str) -> str:
    size = f'width="{width:.1f}" height="{_ROW - 6:.0f}"'
    return f'<rect x="{x:.1f}" y="{y:.1f}" {size} fill="{colour}"/>'


def _linked(mark: _Mark, drawn: str) -> str:
    return f"<a href={quoteattr(mark.href)}>{drawn}</a>" if mark.href else drawn


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f"<text {place}>{escape(text)}</text>"


def text_width(text: str) -> float:
    """Return about how wide a text is in a chart: Chinese is as wide as high."""
    return sum(_SIZE * (1.0 if east_asian_width(c) in "WF" else 0.56) for c in text)


def _fit(text: str, width: float) -> str:
    while text_width(text) > width:
        text = text.removesuffix("…")[:-1] + "…"
    return text


_DRAWN: Mapping[str, Callable[[_Plot], tuple[float, str]]] = MappingProxyType(
    {"bar": _bars, "coverage": _coverage, "line": _lines}
)
