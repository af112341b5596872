"""Durations as Prometheus writes them: `500ms`, `5s`, `1m30s`, `1h`."""

import re

_UNITS = {"y": 31_536_000_000, "w": 604_800_000, "d": 86_400_000, "h": 3_600_000}
_UNITS |= {"m": 60_000, "s": 1_000, "ms": 1}
"""Milliseconds a unit, in the order they are written; a year is 365 days."""

PATTERN = "^(0|" + "".join(f"([0-9]{{1,12}}{unit})?" for unit in _UNITS) + ")$"
"""For editors; it lets the empty string pass, which `parse` does not."""

_DURATION = re.compile(PATTERN)


def parse(text: str) -> float:
    """Return the seconds of a duration.

    Raises:
        ValueError: `text` is not a duration.
    """
    match = _DURATION.fullmatch(text)
    if not match or not text:
        raise ValueError
    parts = zip(_UNITS.items(), match.groups()[1:], strict=True)
    milliseconds = sum(int(part.removesuffix(unit)) * size for (unit, size), part in parts if part)
    return milliseconds / 1000


def render(seconds: float) -> str:
    """Write seconds, to the millisecond, as Prometheus writes them.

    Years and weeks only if nothing remains: `90d` reads better than `12w6d`.
    """
    rest = round(seconds * 1000)
    text = ""
    for unit, size in _UNITS.items():
        if unit in ("y", "w") and rest % size:
            continue
        count, rest = divmod(rest, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"
