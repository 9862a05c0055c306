"""Setting pages with fonts that come with the program, never with those of a machine.

Rules of this file: the one place that knows the typesetter and the fonts. Typst is one
wheel that lays out Chinese, embeds subsets and writes the same bytes for the same
input. The fonts are Noto Serif SC and Noto Sans SC (SIL OFL 1.1): no free FangSong or
XiaoBiaoSong for simplified Chinese is published as a package.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

import pylopdf_fonts_zh_cn
import typst


def pdf(files: Mapping[str, bytes], *, second: int) -> bytes:
    """Return the PDF of the file ``main`` and those it reads, with embedded fonts.

    ``second`` since the Unix epoch is when the PDF says that it was made.
    """
    return _compiled(files, "pdf", second=second)


def png(picture: str, *, width_pt: float, ppi: float) -> bytes:
    """Return an SVG picture as PNG, as wide as told."""
    main = (
        f"#set page(width: {width_pt:.0f}pt, height: auto, margin: 0pt)\n"
        f'#set text(font: "Noto Sans SC")\n#image("picture.svg", width: 100%)'
    )
    files = {"main": main.encode(), "picture.svg": picture.encode()}
    return _compiled(files, "png", ppi=ppi)


def _compiled(
    files: Mapping[str, bytes],
    kind: Literal["pdf", "png"],
    *,
    ppi: float | None = None,
    second: int = 0,
) -> bytes:
    # Files in memory, which the stubs of the typesetter do not know.
    sources: Any = dict(files)
    done: bytes = typst.compile(
        sources, font_paths=_fonts(), format=kind, ppi=ppi, timestamp=second
    )
    return done


@cache
def _fonts() -> typst.Fonts:
    """Return the only fonts there are: the same pages on every machine."""
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[pylopdf_fonts_zh_cn.serif_path().parent],
    )
