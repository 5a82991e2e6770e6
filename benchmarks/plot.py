"""Results → an SVG of bars: bpfgen's times as ratios to each case's peer."""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import escape

from benchmarks.report import figure, plotted
from benchmarks.results import Case, Part

WIDTH, LEFT, RIGHT = 880, 290, 60
ROW, BAR, GAP, HEAD = 18, 12, 16, 74
END = 1.6
"""The ratio at the right edge; longer bars are cut, and their number is written."""

# The colours follow the reader's theme; the page's own background may differ from it, so there is one here.
STYLE = """
  .page { fill: #ffffff; } .win { fill: #0969da; } .loss { fill: #bc4c00; }
  .peer { stroke: #8c959f; stroke-width: 1.5; stroke-dasharray: 4 3; }
  text { font-family: sans-serif; font-size: 12px; fill: #1f2328; } .soft { fill: #59636e; } .end { text-anchor: end; }
  .title { font-size: 16px; font-weight: bold; } .part { font-size: 13px; font-weight: bold; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; } .win { fill: #4493f8; } .loss { fill: #db6d28; }
    .peer { stroke: #6e7681; } text { fill: #e6edf3; } .soft { fill: #9198a1; }
  }
"""


def svg(results: Mapping[str, Part]) -> str:
    """The plot; empty, if there are no results."""
    if not results:
        return ""
    body: list[str] = []
    bottom, title = HEAD, ""
    for part, case in plotted(results):
        if part != title:
            body.append(_text(20, bottom + 14, part, "part"))
            bottom, title = bottom + 24, part
        body += _case(case, bottom)
        bottom += ROW * (1 + len(case.ours())) + GAP // 2
    one = _x(1)
    size = f'width="{WIDTH}" height="{bottom + 10}"'
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {WIDTH} {bottom + 10}" role="img">',
        f"<title>bpfgen's times as ratios to its peers</title><style>{STYLE}</style>",
        f'<rect class="page" {size} rx="6"/>',
        _text(20, 28, "bpfgen against its peers, in the same run: time as a ratio (shorter is faster)", "title"),
        f'<rect class="win" x="20" y="42" width="{BAR}" height="{BAR}"/>',
        _text(38, 52, "bpfgen is faster"),
        f'<rect class="loss" x="160" y="42" width="{BAR}" height="{BAR}"/>',
        _text(178, 52, "bpfgen is slower"),
        '<line class="peer" x1="300" x2="320" y1="48" y2="48"/>',
        _text(326, 52, "the peer, 1.00"),
        f'<line class="peer" x1="{one:.1f}" x2="{one:.1f}" y1="{HEAD}" y2="{bottom}"/>',
    ]
    return "\n".join([*head, *body, "</svg>"]) + "\n"


def _case(case: Case, top: int) -> list[str]:
    """A line that names the case and its peer, and a bar for each bpfgen."""
    peer = f'<tspan class="soft" dx="8">against {escape(case.peer)}</tspan>'
    lines = [f'<text x="32" y="{top + 13}">{escape(case.name)}{peer}</text>']
    for number, name in enumerate(case.ours(), 1):
        y, ratio = top + number * ROW, case.ratio(name)
        end = _x(min(ratio, END))
        kind = "win" if ratio <= 1 else "loss"
        lines.append(_text(LEFT - 8, y + 11, name, "soft end"))
        lines.append(
            f'<rect class="{kind}" x="{LEFT}" y="{y + 1}" width="{max(end - LEFT, 1):.1f}" height="{BAR}" rx="2"/>'
        )
        lines.append(_text(round(end) + 6, y + 11, figure(ratio)))
    return lines


def _x(ratio: float) -> float:
    return LEFT + (WIDTH - RIGHT - LEFT) * ratio / END


def _text(x: int, y: int, text: str, kind: str = "") -> str:
    words = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{y}"{words}>{escape(text)}</text>'
