/** The picture: a line a case, a dot a peer where its time lies in multiples of ours, a bar for the quartiles. */

import { contestants, type Figure, ours, type Row, rows, short, title } from "./figures.ts";
import type { Results } from "./main.ts";

const LEFT = 96;
const RIGHT = 24;
const WIDTH = 760;
const LINE = 22;
const HEAD = 56;

/** Colours that hold on light and dark ground, by the order of the peers. */
const colours = ["#d9730d", "#2383e2", "#9065b0", "#448361"];

/** The SVG of a run; without times of ours it has nothing to compare and says so. */
export function picture(results: Results): string {
  const groups = (["cpu", "webgpu"] as const)
    .map((device) => ({ device, lines: rows(results.cases, device).filter(({ figures }) => figures.some(({ ratio }) => ratio)) }))
    .filter(({ lines }) => lines.length > 0);
  if (groups.length === 0) return svg(40, `<text x="16" y="24">Nothing to compare in this run.</text>`);
  let y = 0;
  const parts = groups.map(({ device, lines }) => {
    const part = group(device === "cpu" ? "CPU, one thread" : "WebGPU", lines, y);
    y += HEAD + LINE * lines.length + 40;
    return part;
  });
  return svg(y, parts.join("\n"));
}

function group(name: string, lines: readonly Row[], top: number): string {
  const peers = contestants(lines).filter((peer) => !peer.startsWith(ours) || lines.some((row) => ratioOf(row, peer)));
  const shown = peers.filter((peer) => lines.some((row) => ratioOf(row, peer)));
  const values = lines.flatMap((row) => [row.target, 1, ...shown.flatMap((peer) => {
    const ratio = ratioOf(row, peer);
    return ratio ? [ratio.low, ratio.high] : [];
  })]);
  const [low, high] = [Math.log(Math.min(...values) / 1.1), Math.log(Math.max(...values) * 1.1)];
  const x = (value: number) => LEFT + ((Math.log(value) - low) / (high - low)) * (WIDTH - LEFT - RIGHT);
  const bottom = top + HEAD + LINE * lines.length;
  const ticks = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].filter((tick) => Math.log(tick) >= low && Math.log(tick) <= high);
  const colour = (peer: string) => colours[shown.findIndex((one) => one === peer) % colours.length]!;
  return [
    `<text class="title" x="16" y="${top + 22}">${name}: how many times as long as Saccade</text>`,
    ...shown.map((peer, i) => `<circle cx="${LEFT + 220 * i}" cy="${top + 38}" r="4" fill="${colour(peer)}"/><text x="${LEFT + 10 + 220 * i}" y="${top + 42}">${title(peer)}</text>`),
    ...ticks.map((tick) => `<line class="${tick === 1 ? "one" : "grid"}" x1="${x(tick)}" x2="${x(tick)}" y1="${top + HEAD}" y2="${bottom}"/><text class="tick" x="${x(tick)}" y="${bottom + 16}">${tick} ×</text>`),
    ...lines.flatMap((row, i) => {
      const y = top + HEAD + LINE * (i + 0.5);
      return [
        `<text x="16" y="${y + 4}">${row.case.name}</text>`,
        `<path class="target" d="M${x(row.target)} ${y - 8}v16"><title>target ${row.target} ×</title></path>`,
        ...shown.flatMap((peer) => dot(ratioOf(row, peer), peer, y, x, colour(peer))),
      ];
    }),
  ].join("\n");
}

const ratioOf = (row: Row, peer: string): Figure["ratio"] => row.figures.find(({ entry }) => entry.contestant === peer)?.ratio ?? null;

function dot(ratio: Figure["ratio"], peer: string, y: number, x: (value: number) => number, colour: string): string[] {
  if (!ratio) return [];
  return [
    `<line x1="${x(ratio.low)}" x2="${x(ratio.high)}" y1="${y}" y2="${y}" stroke="${colour}" stroke-width="3" stroke-opacity="0.5"/>`,
    `<circle cx="${x(ratio.median)}" cy="${y}" r="4" fill="${colour}"><title>${title(peer)}: ${short(ratio.median)} ×</title></circle>`,
  ];
}

function svg(height: number, body: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12">
<style>
  svg { background: #fff } text { fill: #222 } .title { font-weight: 600; font-size: 14px } .tick { text-anchor: middle; fill: #777 }
  .grid { stroke: #ddd } .one { stroke: #777 } .target { stroke: #222; stroke-dasharray: 2 2; fill: none }
  @media (prefers-color-scheme: dark) {
    svg { background: #191919 } text { fill: #e6e6e6 } .tick { fill: #999 } .grid { stroke: #333 } .target { stroke: #e6e6e6 }
  }
</style>
${body}
</svg>
`;
}
