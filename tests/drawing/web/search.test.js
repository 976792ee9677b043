import assert from "node:assert/strict";
import { find, matcher, searchIndex } from "../../../graphprobe/drawing/web/search.js";
import { chain, documentOf, graphOf, sideOf } from "./pages.js";

/** @import { PageDocument } from "../../../graphprobe/drawing/web/types.d.ts" */

/** @param {PageDocument} page @param {string} query */
function names(page, query) {
  const graph = graphOf(page), hits = find(query, searchIndex(graph), graph.page);
  return hits && hits.map((hit) => hit.name);
}

const PAGE = documentOf({
  sides: [sideOf({
    vars: {
      "conv.w_0": ["[16, 8, 3, 3]", "float32", "persistable"],
      "conv.tmp": ["[-1, 16, 32, 32]"],
      "Conv.out": ["[-1, 6]"],
    },
  })],
  ops: [
    { t: "conv2d", i: { Filter: [0] }, o: { Output: [1] } },
    { t: "relu", i: { X: [1] }, o: { Out: [2] } },
  ],
  names: ["conv.w_0", "conv.tmp", "Conv.out"],
});

Deno.test("ops are found by type, variables once, and parameters as such", () => {
  const hits = searchIndex(graphOf(PAGE));
  assert.deepEqual(hits.map(({ name, what, op }) => [name, what, op]), [
    ["conv2d", "op", 0],
    ["conv.w_0", "parameter", 0],
    ["conv.tmp", "variable", 0],
    ["relu", "op", 1],
    ["Conv.out", "variable", 1],
  ]);
});

Deno.test("a variable leads to the op that writes it, on its own side", () => {
  const page = documentOf({
    sides: [sideOf(), sideOf()],
    ops: [...chain(2, "a"), ...chain(2, "a", 1)],
    names: ["x", "y"],
  });
  const found = searchIndex(graphOf(page)).filter((hit) => hit.what === "variable");
  assert.deepEqual(found.map(({ name, side, op }) => [name, side, op]), [
    ["x", 0, 0],
    ["y", 0, 1],
    ["x", 1, 2],
    ["y", 1, 3],
  ]);
});

Deno.test("words are found in any case, whole names first", () => {
  assert.deepEqual(names(PAGE, "CONV"), ["conv2d", "conv.w_0", "conv.tmp", "Conv.out"]);
  assert.deepEqual(names(PAGE, "conv.OUT"), ["Conv.out"]);
  const more = documentOf({ ops: chain(3, "z"), names: ["xab", "ab", "abx"] });
  assert.deepEqual(names(more, "ab"), ["ab", "xab", "abx"]);
});

Deno.test("words are no expression", () => {
  assert.deepEqual(names(PAGE, "conv."), ["conv.w_0", "conv.tmp", "Conv.out"]);
  for (const query of ["(", "[", "*", "\\", ".*", "/", "//", "/("]) {
    assert.deepEqual(names(PAGE, query), []);
  }
});

Deno.test("regular expressions are found, and wrong ones are not run", () => {
  assert.deepEqual(names(PAGE, "/^conv\\.[wt]/"), ["conv.w_0", "conv.tmp"]);
  assert.deepEqual(names(PAGE, "/OUT$/"), ["Conv.out"]);
  for (const query of ["/(/", "/[/", "/*/", "/a{2,1}/", "/\\/", "type:/(/"]) {
    assert.equal(names(PAGE, query), null, query);
  }
});

Deno.test("type: asks ops alone", () => {
  assert.deepEqual(names(PAGE, "type:conv"), ["conv2d"]);
  assert.deepEqual(names(PAGE, "type:/^(relu|conv2d)$/"), ["conv2d", "relu"]);
  assert.deepEqual(names(PAGE, "type:tmp"), []);
});

Deno.test("shape: asks for sizes in a row", () => {
  assert.deepEqual(names(PAGE, "shape:16,8,3,3"), ["conv.w_0"]);
  assert.deepEqual(names(PAGE, "shape:[16, 8]"), ["conv.w_0"]);
  assert.deepEqual(names(PAGE, "shape:16"), ["conv.w_0", "conv.tmp"]);
  assert.deepEqual(names(PAGE, "shape:6"), ["Conv.out"], "6 is not 16");
  assert.deepEqual(names(PAGE, "shape:3,8"), []);
  for (const query of ["shape:", "shape: ", "shape:[]", "shape:x"]) {
    assert.deepEqual(names(PAGE, query), []);
  }
  const scalar = documentOf({
    sides: [sideOf({ vars: { loss: ["[]"], a_op: ["[6]"] } })],
    ops: chain(1, "a"),
    names: ["loss"],
  });
  assert.deepEqual(names(scalar, "shape:[]"), ["loss"]);
  assert.deepEqual(names(scalar, "shape: "), []);
  assert.deepEqual(
    names(scalar, "shape:6"),
    [],
    "an op has no shape, though a variable has its name",
  );
});

Deno.test("names that every object has are only names", () => {
  const vars = /** @type {Record<string, [string]>} */ (JSON.parse('{"__proto__": ["[4, 4]"]}'));
  const evil = documentOf({
    sides: [sideOf({ vars })],
    ops: [...chain(3, "constructor")],
    names: ["__proto__", "constructor", "toString"],
  });
  assert.deepEqual(names(evil, "shape:4"), ["__proto__"]);
  assert.deepEqual(names(evil, "tostring"), ["toString"]);
  const graph = graphOf(evil);
  assert.deepEqual(searchIndex(graph).filter((hit) => hit.what === "parameter"), []);
  assert.deepEqual(Object.keys(graph.page.sides[0].vars), ["__proto__"]);
});

Deno.test("a query over several lines is one query", () => {
  assert.ok(matcher("type:a\nb", []));
  assert.deepEqual(names(PAGE, "/a\n(/"), null);
});
