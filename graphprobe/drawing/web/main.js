// Mouse, touch, keyboard, and the start.

import { measure, panel, panes, part, state } from "./page.js";
import { paint, paintPairs } from "./paint.js";
import { savePng, saveSvg } from "./save.js";
import {
  closeAll,
  followAddress,
  openAll,
  search,
  select,
  selectHolder,
  toggle,
  toggleSelected,
} from "./select.js";
import { fillPanel } from "./tables.js";
import { fitView, move, place, shift, startPane, startView, toggleSync, zoom } from "./view.js";

/** @import { NodeId, Pane, Point } from "./types.d.ts" */

/**
 * @param {EventTarget | null} target
 * @returns {NodeId | null}
 */
function nodeAt(target) {
  const element = target instanceof Element ? target.closest(".node") : null;
  return element instanceof SVGElement
    ? [Number(element.dataset.g), Number(element.dataset.n)]
    : null;
}

/** @param {EventTarget | null} target */
const isOpener = (target) => target instanceof Element && target.closest(".opener") !== null;

/** @type {Map<number, Point>} a pointer and where it is, in its pane */
const fingers = new Map();
let dragged = false;

/** @param {Pane} pane */
function listen(pane) {
  const { svg } = pane;
  /** @param {MouseEvent} event @returns {Point} */
  const inPane = (event) => {
    const corner = svg.getBoundingClientRect();
    return [event.clientX - corner.left, event.clientY - corner.top];
  };
  svg.addEventListener("pointerdown", (event) => {
    if (!fingers.size) dragged = false;
    state.active = pane;
    fingers.set(event.pointerId, inPane(event));
  });
  svg.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId), now = inPane(event);
    if (!before || !(event.buttons & 1)) {
      fingers.delete(event.pointerId);
      return;
    }
    if (!dragged && Math.hypot(now[0] - before[0], now[1] - before[1]) < 4) return;
    if (!dragged) svg.setPointerCapture(event.pointerId);
    dragged = true;
    fingers.set(event.pointerId, now);
    drag(pane, before, now, [...fingers].find(([id]) => id !== event.pointerId)?.[1]);
  });
  for (const end of /** @type {const} */ (["pointerup", "pointercancel"])) {
    svg.addEventListener(end, (event) => fingers.delete(event.pointerId));
  }
  svg.addEventListener("click", (event) => {
    const id = nodeAt(event.target);
    if (!id || dragged) return;
    if (isOpener(event.target)) toggle(id);
    else select(id);
  });
  svg.addEventListener("dblclick", (event) => {
    const id = nodeAt(event.target);
    if (id && !isOpener(event.target)) toggle(id);
  });
  svg.addEventListener("wheel", (event) => {
    event.preventDefault();
    state.active = pane;
    zoom(Math.exp(-event.deltaY * 0.0015), pane, ...inPane(event));
  }, { passive: false });
}

/**
 * One finger moves; of two, their distance zooms around the one that rests.
 *
 * @param {Pane} pane
 * @param {Point} before
 * @param {Point} now
 * @param {Point} [resting]
 */
function drag(pane, before, now, resting) {
  if (resting) {
    const [x, y] = resting;
    /** @param {Point} p */
    const length = (p) => Math.max(10, Math.hypot(p[0] - x, p[1] - y));
    zoom(length(now) / length(before), pane, x, y);
    return;
  }
  pane.view.x += now[0] - before[0];
  pane.view.y += now[1] - before[1];
  move(pane);
}

const searchBox = part(document, "#search", HTMLInputElement);

function endSearch() {
  searchBox.value = "";
  search("");
  state.active.svg.focus();
}

/** @type {Record<string, () => void>} */
const actions = {
  "+": () => zoom(1.25),
  "=": () => zoom(1.25),
  "-": () => zoom(0.8),
  f: fitView,
  o: openAll,
  c: closeAll,
  e: toggleSelected,
  s: () => {
    if (panes.length > 1) toggleSync();
  },
  "/": () => searchBox.focus(),
  Escape: endSearch,
  Backspace: selectHolder,
  ArrowLeft: () => shift(60, 0),
  ArrowRight: () => shift(-60, 0),
  ArrowUp: () => shift(0, 60),
  ArrowDown: () => shift(0, -60),
};

/** @type {Record<string, () => void>} */
const buttons = {
  "zoom-in": actions["+"],
  "zoom-out": actions["-"],
  fit: fitView,
  open: toggleSelected,
  "open-all": openAll,
  "close-all": closeAll,
  "back-up": selectHolder,
  sync: toggleSync,
  "save-svg": saveSvg,
  "save-png": savePng,
};

/** @param {KeyboardEvent} event */
function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const { target, key } = event;
  const typing = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
  if (target === searchBox && key === "Enter") {
    const first = panel("results").firstElementChild;
    if (first instanceof HTMLElement) first.click();
    return;
  }
  if (typing && key !== "Escape") return;
  const id = nodeAt(target);
  if (id && (key === "Enter" || key === " ")) {
    event.preventDefault();
    select(id);
  } else if (Object.hasOwn(actions, key)) {
    event.preventDefault();
    actions[key]();
  }
}

document.addEventListener("keydown", press);
searchBox.addEventListener("input", () => search(searchBox.value));
for (const [id, run] of Object.entries(buttons)) panel(id).addEventListener("click", run);
panes.forEach(listen);
fillPanel();
panes.forEach(measure);
paint();
startView();
followAddress();
addEventListener("popstate", followAddress);
addEventListener("hashchange", followAddress);
// In a frame that has no size yet, fit again as soon as it has one.
for (const pane of panes) {
  new ResizeObserver(() => {
    const before = pane.w;
    measure(pane);
    if (before < 50 && pane.w >= 50) startPane(pane);
    else place(pane);
    paintPairs();
  }).observe(pane.svg);
}
requestAnimationFrame(() =>
  requestAnimationFrame(() => {
    document.body.dataset.ready = performance.now().toFixed(0);
  })
);
