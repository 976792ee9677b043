// Mouse, touch, keyboard, and the start.
function nodeAt(target) {
  const element = target.closest && target.closest(".node");
  return element ? [Number(element.dataset.g), Number(element.dataset.n)] : null;
}

const fingers = new Map();         // pointer -> where it is, in its pane
let dragged = false;

for (const pane of panes) {
  const inPane = (event) => { const corner = pane.svg.getBoundingClientRect(); return [event.clientX - corner.left, event.clientY - corner.top]; };
  pane.svg.addEventListener("pointerdown", (event) => {
    if (!fingers.size) dragged = false;
    active = pane;
    fingers.set(event.pointerId, inPane(event));
  });
  pane.svg.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before || !(event.buttons & 1)) { fingers.delete(event.pointerId); return; }
    const now = inPane(event);
    if (!dragged && Math.hypot(now[0] - before[0], now[1] - before[1]) < 4) return;
    if (!dragged) pane.svg.setPointerCapture(event.pointerId);
    dragged = true;
    const other = [...fingers].find(([id]) => id !== event.pointerId);
    fingers.set(event.pointerId, now);
    if (other) {                   // two fingers: their distance zooms around the one that rests
      const [x, y] = other[1], length = (p) => Math.max(10, Math.hypot(p[0] - x, p[1] - y));
      zoom(length(now) / length(before), pane, x, y);
      return;
    }
    pane.view.x += now[0] - before[0];
    pane.view.y += now[1] - before[1];
    move(pane);
  });
  for (const end of ["pointerup", "pointercancel"]) pane.svg.addEventListener(end, (event) => fingers.delete(event.pointerId));
  pane.svg.addEventListener("click", (event) => {
    if (dragged) return;
    const at = nodeAt(event.target);
    if (at) select(...at);
  });
  pane.svg.addEventListener("dblclick", (event) => {
    const at = nodeAt(event.target);
    if (at) toggle(...at);
  });
  pane.svg.addEventListener("wheel", (event) => {
    event.preventDefault();
    active = pane;
    zoom(Math.exp(-event.deltaY * 0.0015), pane, ...inPane(event));
  }, { passive: false });
}

function openAll() {
  const visible = visibleGroups();
  let count = visible.reduce((sum, g) => sum + data.groups[g].nodes.length, 0), added = 0;
  for (const g of visible) for (const node of data.groups[g].nodes) {
    if (node.child < 0 || opened.has(node.child)) continue;
    count += data.groups[node.child].nodes.length;
    if (count > 5000) { say("5,000 nodes are open: open single nodes instead"); break; }
    opened.add(node.child);
    added++;
  }
  if (added) { paint(); fitView(); }
}
function closeAll() { opened.clear(); selected = null; paint(); fitView(); }
function toggleSelected() { if (selected) toggle(...selected); else say("select a node first"); }

const actions = {
  "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), f: fitView, o: openAll, c: closeAll, e: toggleSelected,
  "/": () => panel("search").focus(), Escape: () => { panel("search").value = ""; search(""); canvas.focus(); },
  ArrowLeft: () => shift(60, 0), ArrowRight: () => shift(-60, 0), ArrowUp: () => shift(0, 60), ArrowDown: () => shift(0, -60),
  s: () => { if (panes.length > 1) toggleSync(); }, Backspace: selectHolder,
};
function shift(dx, dy) { active.view.x += dx; active.view.y += dy; move(); }
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.id === "search" || event.target.id === "colour-by";
  if (typing && event.key !== "Escape" && event.key !== "Enter") return;
  if (typing && event.key === "Enter") { const first = panel("results").firstChild; if (first) first.click(); return; }
  const at = nodeAt(event.target);
  if (at && (event.key === "Enter" || event.key === " ")) { event.preventDefault(); select(...at); return; }
  if (actions[event.key]) { event.preventDefault(); actions[event.key](); }
});
panel("search").addEventListener("input", (event) => search(event.target.value));
for (const [id, run] of [["zoom-in", actions["+"]], ["zoom-out", actions["-"]], ["fit", fitView], ["open", toggleSelected], ["open-all", openAll], ["close-all", closeAll],
  ["back-up", selectHolder], ["sync", toggleSync], ["save-svg", saveSvg], ["save-png", savePng]]) {
  panel(id).addEventListener("click", run);
}
fillPanel();
paint();
fitView();
followAddress();
addEventListener("popstate", followAddress);
addEventListener("hashchange", followAddress);
// In a frame that has no size yet, fit again as soon as it has one.
for (const pane of panes) new ResizeObserver(() => {
  const before = pane.w;
  pane.w = pane.svg.clientWidth;
  pane.h = pane.svg.clientHeight;
  if (before < 50 && pane.w >= 50) fitPane(pane);
  if (data.pairs.length) paintPairs();
}).observe(pane.svg);
requestAnimationFrame(() => requestAnimationFrame(() => { document.body.dataset.ready = performance.now().toFixed(0); }));
