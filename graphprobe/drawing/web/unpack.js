// From the data of the file to what the scripts use.

/** @import { Page, PageDocument, Slots, Variable } from "./types.d.ts" */

/**
 * An object that has what it was given and nothing else: a name may be "constructor" too.
 *
 * @template Value
 * @param {[string, Value][]} entries
 * @returns {Record<string, Value>}
 */
function record(entries) {
  /** @type {Record<string, Value>} */
  const found = Object.create(null);
  for (const [key, value] of entries) found[key] = value;
  return found;
}

/**
 * Names and attributes that many ops share stand once in the file; what is usual is not said.
 *
 * @param {PageDocument} document
 * @returns {Page}
 */
export function unpack(document) {
  const { names, attrs, sides, groups, ops, ...rest } = document;
  /** @param {Slots<number>} slots */
  const named = (slots) =>
    record(Object.entries(slots).map(([slot, list]) => [slot, list.map((at) => names[at])]));
  return {
    ...rest,
    sides: sides.map((side) => ({
      ...side,
      vars: record(Object.entries(side.vars).map(([name, known]) => [name, variable(known)])),
      convs: record(Object.entries(side.convs)),
    })),
    groups: groups.map((group) => ({
      ...group,
      nodes: group.nodes.map((node) => ({
        ...{ c: [], b: [], p: [], k: "op", r: 0, child: -1, l: [] },
        ...{ v: rest.colours.map(() => 0), full: node.t, count: node.ops.length },
        ...node,
      })),
    })),
    ops: ops.map((op) => ({
      ...op,
      s: op.s ?? 0,
      i: named(op.i),
      o: named(op.o),
      a: record(op.a === undefined ? [] : Object.entries(attrs[op.a])),
    })),
  };
}

/**
 * @param {Variable} known
 * @returns {[shape: string, dtype: string, kept: string]}
 */
function variable([shape, dtype = "float32", kept = ""]) {
  return [shape, dtype, kept];
}
