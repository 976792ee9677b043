import assert from "node:assert/strict";
import { fillOf, highest, short } from "../../../graphprobe/drawing/web/colours.js";
import { graphOf, nested } from "./pages.js";

Deno.test("numbers have three digits and a letter", () => {
  const given = [
    0,
    0.5,
    7,
    99.94,
    100,
    999.4,
    1000,
    1234,
    123456,
    999499,
    1.5e6,
    12.34e6,
    2e9,
    4.567e12,
  ];
  const wanted = [
    "0",
    "0.500",
    "7.00",
    "99.9",
    "100",
    "999",
    "1.00 k",
    "1.23 k",
    "123 k",
    "999 k",
    "1.50 M",
    "12.3 M",
    "2.00 G",
    "4567 G",
  ];
  assert.deepEqual(given.map(short), wanted);
});

Deno.test("a number that rounds up to a thousand gets the next letter", () => {
  assert.deepEqual([999.6, 999999, 999999999].map(short), ["1.00 k", "1.00 M", "1.00 G"]);
});

Deno.test("a word is as near to its number as three digits are", () => {
  const letter = /** @type {Record<string, number>} */ ({ k: 1e3, M: 1e6, G: 1e9 });
  for (let n = 0.01; n < 1e12; n *= 1.7) {
    const [digits, unit] = short(n).split(" "), value = Number(digits) * (letter[unit] ?? 1);
    assert.ok(Math.abs(value - n) <= 0.0051 * n, `${n} is no ${short(n)}`);
    assert.ok(!digits.includes("e"), digits);
  }
});

/** @param {(number | null)[]} values of the nodes in order, outer first */
function coloured(values) {
  const page = nested();
  page.groups.flatMap((group) => group.nodes).forEach((node, i) => node.v = [values[i]]);
  return graphOf(page);
}

Deno.test("the highest number is that of a node that is shown and closed", () => {
  const graph = coloured([1, 50, null, 7, 9, 30, 12, 40]);
  graph.layOut();
  assert.equal(highest(graph, 0), 50);
  assert.equal(highest(graph, -1), 0);
  graph.opened.add(1);
  graph.layOut();
  assert.equal(highest(graph, 0), 30);
});

Deno.test("a fill goes by the root of the share, with words for none and not known", () => {
  const { page } = coloured([0, 25, null, 100, -5, 0, 0, 0]);
  const nodes = page.groups.flatMap((group) => group.nodes);
  const fills = nodes.slice(0, 5).map((node) => fillOf(node, page, 0, 100));
  assert.deepEqual(fills, ["", "#777777", "#cccccc", "#ffffff", ""]);
  assert.equal(fillOf(nodes[1], page, -1, 100), "");
  assert.equal(fillOf(nodes[1], page, 0, 0), "");
  assert.equal(fillOf({ ...nodes[1], count: 0 }, page, 0, 100), "");
  assert.equal(fillOf(nodes[3], page, 0, 50), "#ffffff", "never beyond the scale");
});
