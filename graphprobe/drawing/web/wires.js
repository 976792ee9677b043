// Where lines between nodes go.

import { wayX } from "./layout.js";

/** @import { NodeId, Point, Wire } from "./types.d.ts" */
/** @import { Graph } from "./graph.js" */

/**
 * The way of a wire: straight down to the end of its row, since others may be higher, and from
 * there on through the gaps between rows and beside the boxes in them.
 *
 * @param {Graph} graph
 * @param {number} g
 * @param {Wire} wire
 * @returns {Point[]}
 */
export function wirePoints(graph, g, [from, to, ways]) {
  const group = graph.page.groups[g], place = graph.place(g), [left, top] = graph.corner(g);
  const a = graph.boxOf([g, from]), b = graph.boxOf([g, to]);
  const first = group.nodes[from].r, last = group.nodes[to].r;
  const start = a.x + a.w / 2, end = b.x + b.w / 2;
  /** @type {Point[]} */
  const points = [[start, a.y + a.h]];
  if (ways) points.push([start, top + place.bottoms[first]]);
  (ways ?? []).forEach((want, i) => {
    const row = first + 1 + i, x = left + wayX(group, place, row, want);
    points.push([x, top + place.tops[row]], [x, top + place.bottoms[row]]);
  });
  if (ways) points.push([end, top + place.tops[last]]);
  points.push([end, b.y]);
  return points;
}

/**
 * The way from a node to another: along the wire between both, or between what holds them; where
 * there is none, straight.
 *
 * @param {Graph} graph
 * @param {NodeId} from
 * @param {NodeId} to
 * @returns {Point[]}
 */
export function way(graph, from, to) {
  const a = graph.boxOf(from), b = graph.boxOf(to);
  const here = graph.holders(from), there = graph.holders(to);
  const parted = here.findIndex((id, at) => id.join() !== there[at]?.join());
  const [g, u] = here[parted] ?? [], [h, v] = there[parted] ?? [];
  const wires = g !== undefined && g === h ? graph.page.groups[g].wires : [];
  const wire = wires.find(([start, end]) => start === u && end === v);
  /** @type {Point[]} */
  const along = wire ? wirePoints(graph, Number(g), wire) : [];
  return [[a.x + a.w / 2, a.y + a.h], ...along, [b.x + b.w / 2, b.y]];
}
