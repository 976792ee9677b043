import assert from "node:assert/strict";
import { unpack } from "../../../graphprobe/drawing/web/unpack.js";
import { documentOf, groupOf, nodeOf, sideOf } from "./pages.js";

Deno.test("what is usual is filled in, what is given stays", () => {
  const page = unpack(documentOf({
    groups: [
      groupOf([
        nodeOf({ ops: [0, 1] }),
        nodeOf({ k: "conv", count: 900, full: "a long title", v: [null] }),
      ]),
    ],
    sides: [sideOf({ vars: { a: ["[1]"], b: ["[2]", "int64", "persistable"] } })],
  }));
  const [plain, given] = page.groups[0].nodes;
  assert.deepEqual([plain.c, plain.b, plain.p, plain.l], [[], [], [], []]);
  assert.deepEqual([plain.k, plain.r, plain.child, plain.v, plain.full, plain.count], [
    "op",
    0,
    -1,
    [0],
    "conv",
    2,
  ]);
  assert.deepEqual([given.k, given.count, given.full, given.v], ["conv", 900, "a long title", [
    null,
  ]]);
  assert.deepEqual({ ...page.sides[0].vars }, {
    a: ["[1]", "float32", ""],
    b: ["[2]", "int64", "persistable"],
  });
});

Deno.test("names and attributes that ops share stand with each op", () => {
  const page = unpack(documentOf({
    ops: [
      { t: "conv2d", i: { Input: [0, 1] }, o: { Output: [2] }, a: 1 },
      { s: 1, t: "relu", i: {}, o: { Out: [0] }, a: 1 },
      { t: "cast", i: {}, o: {} },
    ],
    names: ["x", "y", "z"],
    attrs: [{}, { strides: "[1, 1]" }],
  }));
  assert.deepEqual(page.ops.map((op) => op.s), [0, 1, 0]);
  assert.deepEqual({ ...page.ops[0].i }, { Input: ["x", "y"] });
  assert.deepEqual({ ...page.ops[1].o }, { Out: ["x"] });
  assert.deepEqual(page.ops.map((op) => ({ ...op.a })), [{ strides: "[1, 1]" }, {
    strides: "[1, 1]",
  }, {}]);
});

Deno.test("slots and attributes may have names that every object has", () => {
  const evil = JSON.parse('{"__proto__": [0], "constructor": [0]}');
  const page = unpack(documentOf({
    ops: [{ t: "x", i: evil, o: {}, a: 0 }],
    names: ["n"],
    attrs: [JSON.parse('{"__proto__": "1"}')],
  }));
  assert.deepEqual(Object.entries(page.ops[0].i), [["__proto__", ["n"]], ["constructor", ["n"]]]);
  assert.deepEqual(Object.entries(page.ops[0].a), [["__proto__", "1"]]);
  assert.equal(page.sides[0].convs.constructor, undefined);
});
