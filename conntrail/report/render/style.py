"""How the HTML of a report looks, on screen and on paper. One style sheet inside the file: nothing is fetched."""

STYLE = """
:root { --ink: #1b1f24; --pale: #57606a; --line: #d0d7de; --band: #f6f8fa;
  --good: #1a7f37; --bad: #b42318; --wait: #9a6700 }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 80rem; padding: 2rem; color: var(--ink);
  font: 14px/1.45 system-ui, "Segoe UI", "Liberation Sans", Arial, sans-serif }
h1 { margin: 0; font-size: 1.7rem }
h2 { margin: 2.2rem 0 .3rem; font-size: 1.2rem; border-bottom: 2px solid var(--ink); padding-bottom: .2rem }
p { margin: .3rem 0 .7rem; max-width: 60rem }
.pale { color: var(--pale) }
.state { display: inline-block; padding: .1rem .6rem; border-radius: .3rem; border: 1px solid; font-weight: 600 }
.final, .complete { color: var(--good) }
.provisional, .lossy, .unknown { color: var(--wait) }
.blind, .silent { color: var(--bad) }
dl { display: grid; grid-template-columns: minmax(14rem, max-content) 1fr; gap: .15rem 1.2rem; margin: .5rem 0 }
dt { color: var(--pale) }
dd { margin: 0; overflow-wrap: anywhere }
nav ol { columns: 2; max-width: 50rem; padding-left: 1.3rem }
table { border-collapse: collapse; width: 100%; font-size: .82rem; font-variant-numeric: tabular-nums }
th { text-align: left; vertical-align: bottom; background: var(--band); border-bottom: 1px solid var(--ink) }
th, td { padding: .25rem .5rem }
td { vertical-align: top; border-bottom: 1px solid var(--line) }
.number { text-align: right; white-space: nowrap }
.time { white-space: nowrap }
.long { overflow-wrap: anywhere }
.none { padding: .5rem .7rem; background: var(--band); border-left: 3px solid var(--line) }
code { font: .92em ui-monospace, "Liberation Mono", Menlo, monospace; overflow-wrap: anywhere }
a { color: inherit }
@page { size: A4 landscape; margin: 14mm 12mm 16mm;
  @bottom-left { content: string(title); font: 8pt sans-serif; color: #57606a }
  @bottom-right { content: "page " counter(page) " of " counter(pages); font: 8pt sans-serif; color: #57606a } }
@media print {
  body { max-width: none; padding: 0; font-size: 9pt }
  h1 { string-set: title content() }
  h2, p.pale { break-after: avoid }
  #verification ~ p { break-before: avoid; break-inside: avoid }
  table { font-size: 7.5pt }
  thead { display: table-header-group }
  tr, dl { break-inside: avoid }
  a { text-decoration: none }
  .state, th, .none { -webkit-print-color-adjust: exact; print-color-adjust: exact }
}
"""
