"""The page's style sheet: one column of text, charts in as many columns as fit, light, dark and print."""

from typing import Final

from vigie.reporting.theme import DARK, PALETTE

_PAPER = {"paper": "#fbfbfa", "card": "#ffffff", "edge": "#e3e7ec", "wash": "#f1f4f8", "alarm": "#fdf1e7"}
_NIGHT = {"paper": "#12171d", "card": "#181f27", "edge": "#2b343f", "wash": "#1f2832", "alarm": "#33251a"}


def _variables(colours: dict[str, str]) -> str:
    return "".join(f"--{name}:{value};" for name, value in colours.items())


def _recoloured() -> str:
    """Give every colour of a drawing the reader's own shade of it."""
    return "".join(
        f'svg [{paint}="{value}"]{{{paint}:var(--{name})}}'
        for name, value in PALETTE.items()
        for paint in ("fill", "stroke")
    )


STYLE: Final = (
    f":root{{color-scheme:light dark;{_variables(PALETTE | _PAPER)}}}"
    f"@media (prefers-color-scheme:dark){{:root{{{_variables(DARK | _NIGHT)}}}}}"
    f"@media print{{:root{{{_variables(PALETTE | _PAPER)}}}details::details-content{{content-visibility:visible}}}}"
    """
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
 font:16px/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",Arial,sans-serif;
 overflow-wrap:break-word;-webkit-text-size-adjust:100%}
main,header,footer,nav{max-width:1060px;margin:0 auto;padding:0 20px}
header{padding-top:44px}
a{color:var(--first);text-decoration-thickness:1px;text-underline-offset:3px}
.kicker{color:var(--muted);font-size:14px;margin:0}
h1{font-size:clamp(25px,4.6vw,36px);line-height:1.2;letter-spacing:-.015em;font-weight:650;margin:6px 0 14px;
 max-width:26em}
h2{font-size:22px;line-height:1.3;letter-spacing:-.01em;font-weight:650;margin:0 0 8px}
h3{font-size:15px;line-height:1.4;font-weight:600;margin:0 0 10px}
p{margin:0 0 12px;max-width:70ch}
.reason{color:var(--muted)}
.warning{background:var(--alarm);border-left:3px solid var(--second);padding:10px 14px;border-radius:4px;max-width:none}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(200px,1fr));gap:12px;margin:24px 0 8px}
.tile,figure{background:var(--card);border:1px solid var(--edge);border-radius:10px;margin:0;min-width:0}
.tile{padding:14px 16px}
.tile dt{color:var(--muted);font-size:13px}
.tile dd{margin:0}
.tile .value{font-size:26px;line-height:1.25;font-weight:600;letter-spacing:-.01em;font-variant-numeric:tabular-nums}
.tile .note{font-size:13px;color:var(--muted);line-height:1.45}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:4px 18px;padding:14px 0;margin:18px 0 0;font-size:14px;
 border-top:1px solid var(--edge);border-bottom:1px solid var(--edge)}
section{padding:40px 0 0;scroll-margin-top:8px}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,380px),1fr));gap:16px;margin:16px 0}
figure{padding:18px}
figure svg{display:block;width:100%;height:auto;max-width:540px;margin:0 auto}
figure svg{overflow:visible}
@media (min-width:900px){
 figure:last-child:nth-child(odd){grid-column:1/-1;display:grid;grid-template-columns:560px 1fr;column-gap:24px}
 figure:last-child:nth-child(odd) h3{grid-column:1/-1}
 figure:last-child:nth-child(odd) figcaption{align-self:center;margin:0}}
figcaption{color:var(--muted);font-size:13px;line-height:1.5;margin-top:10px}
.table{margin:14px 0}
.caption{color:var(--muted);font-size:13px;line-height:1.5;margin:0 0 6px;max-width:none}
.scroll{overflow-x:auto;border:1px solid var(--edge);border-radius:10px;background:var(--card)}
table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}
th,td{padding:7px 12px;text-align:right;white-space:nowrap;border-top:1px solid var(--edge);vertical-align:top}
thead th{border-top:0;color:var(--muted);font-weight:500;white-space:nowrap}
.w{text-align:left;white-space:normal;max-width:34em;overflow-wrap:break-word}
tbody th{font-weight:600}
tbody tr:hover{background:var(--wash)}
details{margin:12px 0}
summary{cursor:pointer;color:var(--muted);font-size:14px;padding:4px 0}
details .table{margin:6px 0 14px}
.note{color:var(--muted);font-size:14px}
footer{color:var(--muted);font-size:13px;padding-top:44px;padding-bottom:52px}
:focus-visible{outline:2px solid var(--first);outline-offset:2px}
.skip{position:absolute;left:-999px}
.skip:focus{left:12px;top:8px;background:var(--card);padding:6px 10px}
@media (max-width:520px){main,header,footer,nav{padding:0 14px}header{padding-top:28px}figure{padding:14px 10px}
 figcaption,figure h3{padding:0 4px}th,td{padding:7px 10px}}
@media print{section,figure{break-inside:avoid}nav{display:none}}
""" + _recoloured()
)
"""The one style sheet."""
