// What can be searched, and what a query finds.

/** @import { Hit, Page, Side } from "./types.d.ts" */
/** @import { Graph } from "./graph.js" */

/**
 * Everything that a search can find: ops by their type, variables once a side.
 *
 * @param {Graph} graph
 * @returns {Hit[]}
 */
export function searchIndex(graph) {
  const { ops, sides } = graph.page;
  /** @type {Hit[]} */
  const found = [];
  const seen = sides.map(() => new Set());
  /** @param {number} side @param {string} name @param {number} op */
  const add = (side, name, op) => {
    if (seen[side].has(name)) return;
    seen[side].add(name);
    const what = sides[side].vars[name]?.[2] ? "parameter" : "variable";
    found.push({ name, what, side, op });
  };
  ops.forEach((op, at) => {
    found.push({ name: op.t, what: "op", side: op.s, op: at });
    for (const name of Object.values(op.i).flat()) add(op.s, name, graph.writer(op.s, name) ?? at);
    for (const name of Object.values(op.o).flat()) add(op.s, name, at);
  });
  return found;
}

/** @param {string} text */
const sizesOf = (text) => text.replace(/[[\]\s]/g, "");

/**
 * A test for words, /a regular expression/, type:OP or shape:1,2,3; null where the query is wrong.
 *
 * @param {string} query
 * @param {Side[]} sides
 * @returns {((hit: Hit) => boolean) | null}
 */
export function matcher(query, sides) {
  const [, kind, rest] = query.match(/^(type|shape):(.*)$/s) ?? [null, "", query];
  if (kind === "shape") {
    const sizes = sizesOf(rest);
    return ({ name, what, side }) => {
      const known = what === "op" ? undefined : sides[side].vars[name];
      return rest.trim() !== "" && known !== undefined &&
        `,${sizesOf(known[0])},`.includes(`,${sizes},`);
    };
  }
  const test = textTest(rest);
  if (!test) return null;
  return kind === "type"
    ? ({ name, what }) => what === "op" && test(name)
    : ({ name }) => test(name);
}

/**
 * @param {string} text
 * @returns {((name: string) => boolean) | null}
 */
function textTest(text) {
  const expression = text.match(/^\/(.+)\/$/s);
  if (!expression) {
    const wanted = text.toLowerCase();
    return (name) => name.toLowerCase().includes(wanted);
  }
  try {
    const compiled = new RegExp(expression[1], "i");
    return (name) => compiled.test(name);
  } catch {
    return null;
  }
}

/**
 * What a query finds, with whole names first; null where the query is wrong.
 *
 * @param {string} query
 * @param {Hit[]} index
 * @param {Page} page
 * @returns {Hit[] | null}
 */
export function find(query, index, page) {
  const matches = matcher(query, page.sides), wanted = query.toLowerCase();
  if (!matches) return null;
  const hits = index.filter(matches);
  /** @param {Hit} hit */
  const other = (hit) => Number(hit.name.toLowerCase() !== wanted);
  return hits.sort((a, b) => other(a) - other(b));
}
