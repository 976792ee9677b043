// What colours mean.

import { short } from "./colours.js";
import { data, html, panel, panes, state, swatch } from "./page.js";

export function paintColourBar() {
  document.getElementById("colour-bar")?.remove();
  if (state.colourBy < 0) return;
  const cells = data.scale.map((colour) => {
    const cell = html("span", {});
    cell.style.background = colour;
    return cell;
  });
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((t) =>
    html("span", {}, short(t * t * state.colourTop))
  );
  panel("legend").prepend(html(
    "div",
    { id: "colour-bar" },
    html("h2", {}, data.colours[state.colourBy][1]),
    html("div", { class: "bar" }, ...cells),
    html("div", { class: "ticks" }, ...ticks),
    html("p", { class: "faint" }, "grey: not known"),
  ));
}

/** The words that are used, and what is drawn. */
export function fillLegend() {
  const nodes = data.groups.flatMap((group) => group.nodes);
  const used = new Set(nodes.flatMap((node) => node.b.map(([colour]) => colour)));
  const words = data.legend.filter(([, colour]) => used.has(colour)).map((
    [word, colour, meaning],
  ) => html("div", {}, swatch(colour), `${word}: ${meaning}`));
  const title = data.partners.length ? "Before and after" : "Convolutions";
  if (words.length) panel("legend").append(html("h2", {}, title), ...words);
  const counts = data.sides.map((side) =>
    html("p", {}, ...(side.role ? [html("b", {}, `${side.role}: `)] : []), side.counts)
  );
  const notes = data.notes.map((note) => html("p", {}, note));
  panel("notes").append(html("h2", {}, "What is drawn"), ...counts, ...notes);
  panel("sync").hidden = panes.length < 2;
}
