// Deep links: #name, or #student:name and #teacher:name where there are two programs.

/** @import { NodeId } from "./types.d.ts" */
/** @import { Graph } from "./graph.js" */

/**
 * The address of a node: the main variable of its last op; empty for a node without one.
 *
 * @param {Graph} graph
 * @param {NodeId} id
 */
export function addressOf(graph, id) {
  const { ops, sides } = graph.page, last = ops[graph.node(id).ops.slice(-1)[0]];
  if (!last) return "";
  const { Output, Out, Y } = last.o;
  const name = (Output ?? Out ?? Y ?? Object.values(last.o)[0] ?? [])[0];
  const role = sides[last.s].role;
  return name ? `#${role ? `${role}:` : ""}${encodeURIComponent(name)}` : "";
}

/**
 * The op that writes the variable of an address, or reads it where none writes it.
 *
 * @param {Graph} graph
 * @param {string} address with its #
 * @returns {number | null | undefined} null where the address names nothing, undefined where no op has it
 */
export function opAt(graph, address) {
  const text = decoded(address.slice(1)), { sides } = graph.page;
  if (!text) return null;
  /** @param {number} side @param {string} name */
  const there = (side, name) => graph.writer(side, name) ?? graph.readers[side].get(name);
  for (const [side, { role }] of sides.entries()) {
    if (role && text.startsWith(`${role}:`)) {
      const found = there(side, text.slice(role.length + 1));
      if (found !== undefined) return found;
    }
  }
  return sides.map((_, side) => there(side, text)).find((op) => op !== undefined);
}

/**
 * What an address says; one that is not well encoded is taken as it is.
 *
 * @param {string} text
 */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
