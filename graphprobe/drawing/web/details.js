// What is known of a node, an op, a pair.

import { pairNumber } from "./graph.js";
import { button, data, graph, html, markOnly, panel, say, swatch } from "./page.js";
import { paintPath } from "./paint.js";
import { centre } from "./view.js";

/** @import { NodeId, Op, Side } from "./types.d.ts" */

/** Ops that the details of a node list. */
const MOST = 40;

/** @param {NodeId} id */
export function describe(id) {
  const node = graph.node(id), at = data.groups[id[0]].side, side = data.sides[at];
  const ops = node.ops.map((op) => data.ops[op]);
  const parts = [html("h2", {}, `${node.n} ${node.full}`)];
  if (node.l.length) parts.push(html("p", { class: "faint" }, node.l.join(" · ")));
  parts.push(...node.p.map((badge) => pairEntry(pairNumber(badge))));
  for (const op of ops) if (op.d) parts.push(html("p", { class: "change" }, changeWord(op)));
  for (const op of ops.slice(0, MOST)) parts.push(...opParts(op, side, node.count <= 3));
  if (node.count > MOST) {
    parts.push(html("p", {}, `and ${node.count - MOST} more ops: open the node`));
  }
  panel("details").replaceChildren(...parts);
  const filters = ops.flatMap((op) => op.i.Filter ?? []), conv = side.convs[filters[0]];
  if (filters.length === 1 && conv) paintPath(at, conv.path);
}

/**
 * @param {Op} op
 * @param {Side} side
 * @param {boolean} full with its attributes
 */
function opParts(op, side, full) {
  const table = html("table", {});
  /** @param {string} key @param {string} value */
  const row = (key, value) =>
    table.append(html("tr", {}, html("td", {}, key), html("td", {}, value)));
  /** @param {string} name */
  const shape = (name) => {
    const known = side.vars[name];
    return known ? `${name} ${known[0]} ${known[1]}` : name;
  };
  for (const slot in op.i) row(slot, op.i[slot].map(shape).join(", "));
  for (const slot in op.o) row(`→ ${slot}`, op.o[slot].map(shape).join(", "));
  if (full) { for (const key in op.a) row(key, op.a[key]); }
  return [html("h2", {}, op.t), ...pruneParts(op, side), table];
}

/**
 * Whether a convolution can be pruned, and what stops it.
 *
 * @param {Op} op
 * @param {Side} side
 */
function pruneParts(op, side) {
  const filter = op.i.Filter && side.convs[op.i.Filter[0]];
  if (!filter) return [];
  const why = filter.reason ? `: ${filter.reason}` : "",
    where = filter.at ? ` at ${filter.at}` : "";
  const words = html(
    "p",
    { class: "prune" },
    swatch(colourOf(filter.word)),
    `${filter.status}${why}${where}`,
  );
  words.append(html("br", {}), filter.detail);
  if (filter.path.length) {
    words.append(html("span", { class: "faint" }, ` ${filter.path.join(" → ")}`));
  }
  return [words];
}

/** @param {string} word */
function colourOf(word) {
  return data.legend.find(([entry]) => entry === word)?.[1] ?? "#999";
}

/**
 * What became of an op, in words.
 *
 * @param {Op} op
 */
export function changeWord(op) {
  const [kind, words] = op.d ?? ["same", []];
  const text = `${kind}: ${op.t}${words.length ? ` ${words.join("; ")}` : ""}`;
  return html("span", {}, swatch(colourOf(kind)), text);
}

/** @param {number} i */
function pairEntry(i) {
  const pair = data.pairs[i], role = pair.part ? `${pair.role}, ${pair.part}` : pair.role;
  const entry = html(
    "p",
    { class: "pair", "data-pair": i },
    `P${i + 1} ${pair.student} ↔ ${pair.teacher}`,
  );
  const more = [role, pair.loss, pair.shapes, pair.why].join(" · ");
  entry.append(html("br", {}), html("span", { class: "faint" }, more));
  return button(entry, () => showPair(i));
}

/**
 * Mark both ends of a pair and bring them into view.
 *
 * @param {number} i
 */
export function showPair(i) {
  const ends = graph.pairEnds(i), pair = data.pairs[i];
  if (!ends) {
    say("one end of this pair is not on the page");
    return;
  }
  markOnly("hot", ends);
  ends.forEach(centre);
  say(`P${i + 1}: ${pair.student} and ${pair.teacher}. ${pair.evidence.join("; ")}`);
}
