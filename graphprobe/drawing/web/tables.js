// Tables whose rows select in the graph, and the menu of colours.

import { changeWord, showPair } from "./details.js";
import { fillLegend } from "./legend.js";
import { button, count, data, html, panel, part, state } from "./page.js";
import { paint } from "./paint.js";
import { revealOp } from "./select.js";

/** @import { Op } from "./types.d.ts" */

/**
 * @typedef {[cells: (string | Element)[], go: () => void]} Row
 */

/**
 * @param {string} kind
 * @param {string} title
 * @param {Row[]} rows
 */
function foldable(kind, title, rows) {
  const table = html("table", { class: `rows ${kind}` });
  for (const [cells, go] of rows) {
    table.append(button(html("tr", {}, ...cells.map((cell) => html("td", {}, cell))), go));
  }
  return html("details", {}, html("summary", {}, title), table);
}

/** @returns {[op: Op, number: number][]} */
const numbered = () => data.ops.map((op, number) => [op, number]);

/** Every convolution of each program. */
function convolutionTables() {
  return data.sides.flatMap((side, at) => {
    /** @type {Row[]} */
    const rows = numbered().filter(([op]) => op.s === at && op.i.Filter).map(([op, number]) => {
      const param = op.i.Filter[0];
      const word = side.convs[param]?.word ?? op.d?.[0] ?? "";
      return [[param, side.vars[param]?.[0] ?? "", word], () => revealOp(number)];
    });
    const title = `${side.role ? `${side.role}: ` : ""}${count(rows.length, "convolution")}`;
    return rows.length ? [foldable("convs", title, rows)] : [];
  });
}

/** Every op that differs by itself between two versions. */
function changeTables() {
  /** @type {Row[]} */
  const rows = numbered().filter(([op]) => op.d && (op.s === 0 || op.d[0] === "new")).map((
    [op, number],
  ) => {
    const name = (op.i.Filter ?? Object.values(op.o)[0] ?? [""])[0];
    return [[changeWord(op), name], () => revealOp(number)];
  });
  return rows.length
    ? [
      opened(
        foldable("differ", rows.length === 1 ? "1 op differs" : `${rows.length} ops differ`, rows),
      ),
    ]
    : [];
}

function pairTables() {
  /** @type {Row[]} */
  const rows = data.pairs.map((pair, i) => [
    [`P${i + 1}`, `${pair.student} ↔ ${pair.teacher}`, `${pair.role} · ${pair.loss}`],
    () => showPair(i),
  ]);
  return rows.length ? [opened(foldable("pairs", count(rows.length, "pair"), rows))] : [];
}

/** @param {HTMLDetailsElement} details */
function opened(details) {
  details.open = true;
  return details;
}

export function fillPanel() {
  const menu = part(document, "#colour-by", HTMLSelectElement);
  const first = data.partners.length ? "what differs" : "prune status";
  menu.append(
    html("option", { value: -1 }, first),
    ...data.colours.map(([, title], i) => html("option", { value: i }, title)),
  );
  menu.value = String(state.colourBy);
  menu.addEventListener("change", () => {
    state.colourBy = Number(menu.value);
    paint();
  });
  panel("convolutions").append(...convolutionTables());
  panel("pairs").append(...pairTables());
  panel("changes").append(...changeTables());
  panel("sync").setAttribute("aria-pressed", String(state.synced));
  fillLegend();
}
