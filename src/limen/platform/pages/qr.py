"""QR codes as SVG, without script, style or address of their own."""

from __future__ import annotations

import io
from typing import Final

_MASK: Final = 4
"""Any mask can be read; to look for the best of the eight takes five milliseconds."""
_SCALE: Final = 8


def qr_code(text: str, *, fills: bool) -> str:
    """Return the picture of a text; one that `fills` is as large as what it stands in, any other has a size of its own and is a file by itself."""
    import segno  # noqa: PLC0415 - few processes draw any

    drawn = io.BytesIO()
    made = segno.make_qr(text, error="m", mask=_MASK, boost_error=False)
    made.save(drawn, kind="svg", scale=_SCALE, light="#fff", omitsize=fills, svgns=not fills, xmldecl=False, nl=False)
    return drawn.getvalue().decode()
