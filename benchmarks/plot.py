"""The plot of a run, as SVG: each contender's share of the plain Python exporter's figure."""

from html import escape

from benchmarks.contenders import PLAIN
from benchmarks.report import Results
from benchmarks.scraper import AS_PROMETHEUS

_COLOURS = ("#2563eb", "#9ca3af", "#0f766e", "#b45309", "#7c3aed")
_BAR, _GAP, _GROUP_GAP = 20, 4, 26
_LABELS, _WIDTH, _FIGURES = 150, 420, 150
_TOP = 56


def svg(results: Results) -> str:
    """CPU time of a scrape as Prometheus asks, by number of assets; shorter is better."""
    names = list(next(iter(results.values())))
    parts: list[str] = []
    y = _TOP
    for assets, figures in results.items():
        cpu = {name: figures[name].cpu_ms[AS_PROMETHEUS] for name in names}
        base = cpu[PLAIN] or 1.0
        longest = max(1.0, *(value / base for value in cpu.values() if value))
        group = (_BAR + _GAP) * len(names)
        parts.append(_text(_LABELS - 12, y + group / 2, f"{assets:,} assets", "end"))
        for name, colour in zip(names, _COLOURS, strict=False):
            value = cpu[name]
            if value is None:
                continue
            width = max(1.0, _WIDTH * value / base / longest)
            parts.append(
                f'<rect x="{_LABELS}" y="{y}" width="{width:.1f}" height="{_BAR}" fill="{colour}"/>'
            )
            label = f"{value:.3g} ms ({value / base:.2f})"
            parts.append(_text(_LABELS + width + 6, y + _BAR / 2, label))
            y += _BAR + _GAP
        y += _GROUP_GAP
    x = _LABELS
    for name, colour in zip(names, _COLOURS, strict=False):
        parts.append(f'<rect x="{x}" y="30" width="12" height="12" fill="{colour}"/>')
        parts.append(_text(x + 18, 36, name))
        x += 40 + 8 * len(name)
    title = "CPU time of a scrape as Prometheus asks (and as a ratio to plain Python)"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LABELS + _WIDTH + _FIGURES}"'
        f' height="{y}" font-family="sans-serif" font-size="13" fill="#111827">\n'
        f'<rect width="100%" height="100%" fill="#ffffff"/>\n'
        + _text(16, 16, title)
        + "".join(f"{part}\n" for part in parts)
        + "</svg>\n"
    )


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
        f' dominant-baseline="central">{escape(text)}</text>'
    )
