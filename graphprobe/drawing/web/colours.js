// Nodes coloured by a number, and numbers as words.

/** @import { Node, Page } from "./types.d.ts" */
/** @import { Graph } from "./graph.js" */

/**
 * The largest number of what is visible; 0 where nodes are not coloured by a number.
 *
 * @param {Graph} graph
 * @param {number} by which of the page's colours, or -1
 */
export function highest(graph, by) {
  let top = 0;
  if (by < 0) return top;
  for (const g of graph.visible) {
    for (const node of graph.page.groups[g].nodes) {
      if (!graph.isOpen(node)) top = Math.max(top, node.v[by] ?? 0);
    }
  }
  return top;
}

/**
 * The fill of a node, by the root of its share of the highest; empty for its usual one.
 *
 * @param {Node} node
 * @param {Page} page
 * @param {number} by
 * @param {number} top
 */
export function fillOf(node, page, by, top) {
  if (by < 0 || node.count === 0) return "";
  const value = node.v[by];
  if (value === null) return page.unknown;
  if (!(value > 0) || !top) return "";
  return page.scale[Math.round((page.scale.length - 1) * Math.min(1, Math.sqrt(value / top)))];
}

/**
 * A number in three digits: 1.23 M.
 *
 * @param {number} n
 */
export function short(n) {
  for (const [size, letter] of /** @type {const} */ ([[1e9, "G"], [1e6, "M"], [1e3, "k"]])) {
    // What rounds up to a thousand of the smaller unit is one of this.
    if (n >= 0.9995 * size) return `${digits(n / size)} ${letter}`;
  }
  return n ? digits(n) : "0";
}

/** @param {number} n */
const digits = (n) => n >= 100 ? String(Math.round(n)) : n.toPrecision(3);
