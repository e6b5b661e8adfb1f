/** The report's style sheet: light and dark, phone and paper. Text has a contrast of at least 4.5:1, bars 3:1. */
export const style = `
:root { color-scheme: light dark;
  --paper: #fbfaf7; --card: #ffffff; --ink: #1c2126; --quiet: #566069; --line: #d9d6cd; --link: #0b5a7a;
  --good: #17663a; --good-ground: #e2f1e6; --bad: #a51d2d; --bad-ground: #fbe6e6; --warn: #7a4b00; --warn-ground: #fbeed3;
  --platform: #4f6475; --data: #0d7a74; --training: #a8590a; --inference: #6b4bb8; --phase: #2c3338; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #14181b; --card: #1b2024; --ink: #e8e6e0; --quiet: #a3adb5; --line: #363d43; --link: #7cc4e4;
  --good: #7fd39b; --good-ground: #16301f; --bad: #ff9a9a; --bad-ground: #3b1a1d; --warn: #f0c070; --warn-ground: #35280f;
  --platform: #93a9bb; --data: #3fbdb4; --training: #e59a4a; --inference: #b39af0; --phase: #cfd5da; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
body { margin: 0; background: var(--paper); color: var(--ink); line-height: 1.5; overflow-wrap: anywhere;
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; font-variant-numeric: tabular-nums; }
.page { max-width: 70rem; margin: 0 auto; padding: 1.25rem 1rem 4rem; }
a, summary, pre { scroll-margin-block: .75rem; } a { color: var(--link); } :focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.visually-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; margin: 0; }
.skip { position: absolute; left: -99rem; } .skip:focus { left: 1rem; top: .5rem; background: var(--card); padding: .5rem; }
h1 { font-size: clamp(1.5rem, 4vw, 2.1rem); line-height: 1.15; margin: .25rem 0 .75rem; letter-spacing: -.015em; text-wrap: balance; overflow-wrap: break-word; }
h1 span { display: inline-block; max-width: 100%; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .6rem; padding-top: .8rem; border-top: 2px solid var(--ink); }
h3 { font-size: 1rem; margin: 1.25rem 0 .35rem; } p { margin: .4rem 0; max-width: 68ch; }
.eyebrow { color: var(--quiet); font-size: .85rem; margin: 0; } .lead { font-size: 1.1rem; } .note { color: var(--quiet); font-size: .9rem; }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: .86em; } .line { display: block; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(11.5rem, 1fr)); gap: .75rem 1.5rem; margin: 1.25rem 0 0; }
.facts div { border-left: 3px solid var(--line); padding-left: .7rem; } dt { color: var(--quiet); font-size: .82rem; } dd { margin: 0; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .15rem 1.1rem; padding: 0; margin: 1.25rem 0 0; }
nav a { display: inline-block; padding: .3rem 0; }
.notice { border-left: .35rem solid; padding: .7rem 1rem; margin: 1rem 0; } .notice h2 { border: 0; margin: 0; padding: 0; }
.notice h3 { margin: .8rem 0 .2rem; } .tasks li { margin: .3rem 0; } .tasks .action { display: block; color: var(--ink); font-weight: 600; }
.title { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 2.5rem; } .measures { display: flex; flex-wrap: wrap; gap: .5rem 1.25rem; margin: 0 0 .5rem; }
.measures div { border-left: .35rem solid var(--line); padding-left: .7rem; max-width: 24rem; } .measures strong { font-size: 1.35rem; }
.measures .good { border-color: var(--good); } .measures .bad { border-color: var(--bad); } .measures .warn { border-color: var(--warn); }
.notice ul { margin: .4rem 0 0; padding-left: 1.2rem; }
.notice.bad { border-color: var(--bad); background: var(--bad-ground); } .notice.bad h2 { color: var(--bad); }
.notice.warn { border-color: var(--warn); background: var(--warn-ground); } .notice.warn h2 { color: var(--warn); }
.notice.quiet { border-color: var(--line); }
.tag { display: inline-block; padding: 0 .5em; border-radius: .2em; font-weight: 600; font-size: .88em; white-space: nowrap; border: 1px solid; }
.tag.good { color: var(--good); background: var(--good-ground); } .tag.bad { color: var(--bad); background: var(--bad-ground); }
.tag.warn { color: var(--warn); background: var(--warn-ground); } .tag.quiet { color: var(--quiet); border-style: dashed; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; margin: .5rem 0 1rem; }
caption { text-align: left; color: var(--quiet); font-size: .88rem; padding-bottom: .4rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid var(--line); }
thead th { overflow-wrap: normal; color: var(--quiet); font-weight: 600; font-size: .82rem; border-bottom-color: var(--ink); }
tbody th { font-weight: 500; } .number { text-align: right; } .number, .words { white-space: nowrap; } thead .words { white-space: normal; } .name { min-width: 8.5rem; } tbody.group th[scope=rowgroup] { padding-top: 1rem; font-weight: 700; }
td .next { display: block; color: var(--quiet); } td:last-child, th:last-child { padding-right: 0; }
details { margin: .1rem 0; } summary { cursor: pointer; color: var(--link); } details ul { margin: .3rem 0; padding-left: 1.1rem; }
pre.diff { background: var(--card); border: 1px solid var(--line); margin: .4rem 0; padding: .5rem 0; overflow-x: auto; overflow-wrap: normal; }
pre.diff span { display: block; padding: 0 .8rem; min-width: max-content; }
.add { background: var(--good-ground); color: var(--good); } .del { background: var(--bad-ground); color: var(--bad); } .hunk { color: var(--quiet); }
.gantt { position: relative; padding-top: 46px; line-height: 1.25; }
.gantt .axis { position: absolute; top: 0; left: var(--label-width); width: calc(100% - var(--label-width)); height: 100%; overflow: visible; pointer-events: none; }
.gantt .row { position: relative; padding: 2px 0; } .gantt .label { display: block; font-size: .8rem; background: var(--paper); }
.gantt { --label-width: 0px; } .gantt .track { display: block; width: 100%; height: 15px; overflow: visible; }
.gantt text { fill: var(--ink); paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; }
.gantt .length { font-size: 11.5px; fill: var(--quiet); }
.gantt .phase .label { font-weight: 700; } .gantt .bar { fill: var(--c); stroke: var(--c); stroke-width: 1.5; y: 1px; }
.gantt .phase .bar { height: 5px; y: 5px; }
.gantt .tick { stroke: var(--line); } .gantt .tick-label { fill: var(--quiet); font-size: 11.5px; }
.gantt .uncertain { fill: var(--bad-ground); stroke: var(--bad); stroke-dasharray: 1 3; } .gantt .marker { stroke: var(--bad); stroke-dasharray: 4 3; } .gantt .marker-label { fill: var(--bad); font-size: 11.5px; }
.platform { --c: var(--platform); } .data { --c: var(--data); } .training { --c: var(--training); } .inference { --c: var(--inference); } .phase { --c: var(--phase); }
.gantt .bar.skipped { fill: var(--paper); stroke-dasharray: 3 2; }
.gantt .bar.failed, .gantt .bar.undo-failed { fill: url(#hatch-failed); stroke: var(--bad); }
.gantt .bar.running, .gantt .bar.cancelled { fill: url(#hatch-running); stroke: var(--quiet); } .gantt .bar.undone { fill: url(#dots-undone); stroke: var(--quiet); }
.hatch-ground { fill: var(--paper); } .hatch-bad { fill: var(--bad); } .hatch-quiet { fill: var(--quiet); }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; padding: 0; margin: .5rem 0; font-size: .88rem; }
.swatch { display: inline-block; width: .8em; height: .8em; margin-right: .4em; background: var(--c); border: 1.5px solid var(--c); }
@media (min-width: 42rem) {
  .gantt { --label-width: 21rem; } .gantt .row { display: grid; grid-template-columns: var(--label-width) 1fr; align-items: center; }
  .gantt .label { padding-right: 1rem; } .title { justify-content: space-between; } .measures { flex-direction: column; } }
@media screen and (max-width: 59.99rem) {
  table, caption, tbody, tr, td, tbody th { display: block; } thead { position: absolute; left: -99rem; }
  tr { border-bottom: 1px solid var(--line); padding: .45rem 0; } tbody th, td { border: 0; padding: .1rem 0; } tbody th { font-weight: 650; }
  td { display: grid; grid-template-columns: 6.5rem 1fr; gap: .5rem; } td::before { content: attr(data-label); color: var(--quiet); }
  .number { text-align: left; } .name { min-width: 0; }
  /* What is short stands side by side: a report is long enough on a phone. */
  td.number, td.words, td.short { display: inline-flex; gap: .4rem; margin-right: 1.1rem; } td.empty { display: none; } }
@media screen and (min-width: 60rem) { td.name code { white-space: nowrap; } }
@media print { :root { --paper: #fff; } .page { max-width: none; padding: 0; } nav, .skip { display: none; } html { font-size: 8.5pt; }
  tr, .notice, .gantt .row, .facts div { break-inside: avoid; } h2, h3, caption, thead { break-after: avoid; } pre.diff { white-space: pre-wrap; }
  /* Paper cannot be clicked. */
  details::details-content { content-visibility: visible; display: block; height: auto; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; } }
`;
