import assert from "node:assert/strict";
import { addressOf, opAt } from "../../../graphprobe/drawing/web/address.js";
import { chain, documentOf, graphOf, groupOf, nested, nodeOf, twoSides } from "./pages.js";

Deno.test("the address of a node leads back to its last op", () => {
  const graph = graphOf(nested());
  assert.equal(addressOf(graph, [0, 0]), "#a0");
  assert.equal(addressOf(graph, [0, 1]), "#a4");
  assert.equal(opAt(graph, "#a4"), 4);
});

Deno.test("two programs have an address each, and a name alone takes the first that has it", () => {
  const graph = graphOf(twoSides());
  assert.equal(addressOf(graph, [0, 0]), "#student:s0");
  assert.equal(addressOf(graph, [2, 0]), "#teacher:t0");
  assert.equal(opAt(graph, "#teacher:t0"), 3);
  assert.equal(opAt(graph, "#t0"), 3);
  assert.equal(opAt(graph, "#student:t0"), undefined);
});

Deno.test("any name survives its address", () => {
  for (
    const name of [
      "a b",
      "x%20y",
      "卷积/1",
      "50%",
      "#",
      "teacher:t0",
      "a:b",
      "</script>",
      "\n",
      "🙂",
    ]
  ) {
    const node = nodeOf({ ops: [0] });
    const page = documentOf({
      groups: [groupOf([node])],
      roots: [[0]],
      ops: chain(1, "a"),
      names: [name],
    });
    const graph = graphOf(page), address = addressOf(graph, [0, 0]);
    assert.match(address, /^#[\w%.~!*'()-]+$/, "nothing that a browser would write otherwise");
    assert.equal(opAt(graph, address), 0, name);
  }
});

Deno.test("what no node has, names no op", () => {
  const graph = graphOf(nested());
  assert.equal(opAt(graph, ""), null);
  assert.equal(opAt(graph, "#"), null);
  assert.equal(opAt(graph, "#nothing"), undefined);
  assert.equal(opAt(graph, "#:a0"), undefined);
  for (const name of ["constructor", "__proto__", "toString"]) {
    assert.equal(opAt(graph, `#${name}`), undefined);
  }
});

Deno.test("an address that is not well encoded is taken as it is", () => {
  const graph = graphOf(nested({ names: ["50%", "%E0%A4%A", "a2", "a3", "a4", "a5"] }));
  assert.equal(opAt(graph, "#50%"), 0);
  assert.equal(opAt(graph, "#%E0%A4%A"), 1);
  assert.equal(opAt(graph, "#%"), undefined);
});

Deno.test("a variable that is only read leads to its first reader", () => {
  const page = documentOf({
    ops: [{ t: "conv2d", i: { Filter: [0] }, o: { Output: [1] } }, {
      t: "mul",
      i: { Y: [0] },
      o: { Out: [2] },
    }],
    names: ["w", "x", "y"],
  });
  assert.equal(opAt(graphOf(page), "#w"), 0);
});

Deno.test("the main output names a node, and a node without one has no address", () => {
  const page = documentOf({
    roots: [[0]],
    groups: [groupOf([nodeOf({ ops: [0] }), nodeOf({ ops: [1] }), nodeOf({ ops: [] })])],
    ops: [
      { t: "batch_norm", i: {}, o: { MeanOut: [0], Y: [1] } },
      { t: "print", i: {}, o: {} },
    ],
    names: ["mean", "y"],
  });
  const graph = graphOf(page);
  assert.deepEqual([0, 1, 2].map((n) => addressOf(graph, [0, n])), ["#y", "", ""]);
});
