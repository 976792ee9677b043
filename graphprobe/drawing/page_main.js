// Mouse, touch, keyboard, and the start.
function nodeAt(target) {
  const element = target.closest && target.closest(".node");
  return element ? [Number(element.dataset.g), Number(element.dataset.n)] : null;
}

let drag = null;
canvas.addEventListener("pointerdown", (event) => { drag = { x: event.clientX, y: event.clientY, moved: false }; });
canvas.addEventListener("pointermove", (event) => {
  if (!drag || !(event.buttons & 1)) return;
  const dx = event.clientX - drag.x, dy = event.clientY - drag.y;
  if (!drag.moved && Math.hypot(dx, dy) < 4) return;
  if (!drag.moved) canvas.setPointerCapture(event.pointerId);
  drag = { x: event.clientX, y: event.clientY, moved: true };
  view.x += dx;
  view.y += dy;
  move();
});
canvas.addEventListener("click", (event) => {
  if (drag && drag.moved) return;
  const at = nodeAt(event.target);
  if (at) select(...at);
});
canvas.addEventListener("dblclick", (event) => {
  const at = nodeAt(event.target);
  if (at) toggle(...at);
});
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  const corner = canvas.getBoundingClientRect();
  zoom(Math.exp(-event.deltaY * 0.0015), event.clientX - corner.left, event.clientY - corner.top);
}, { passive: false });

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
  ArrowLeft: () => { view.x += 60; move(); }, ArrowRight: () => { view.x -= 60; move(); },
  ArrowUp: () => { view.y += 60; move(); }, ArrowDown: () => { view.y -= 60; move(); },
};
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
for (const [id, run] of [["zoom-in", actions["+"]], ["zoom-out", actions["-"]], ["fit", fitView], ["open", toggleSelected], ["open-all", openAll], ["close-all", closeAll]]) {
  panel(id).addEventListener("click", run);
}
fillPanel();
paint();
fitView();
followAddress();
addEventListener("popstate", followAddress);
addEventListener("hashchange", followAddress);
// In a frame that has no size yet, fit again as soon as it has one.
new ResizeObserver(() => {
  const before = frame.w;
  frame.w = canvas.clientWidth;
  frame.h = canvas.clientHeight;
  if (before < 50 && frame.w >= 50) fitView();
}).observe(canvas);
requestAnimationFrame(() => requestAnimationFrame(() => { document.body.dataset.ready = performance.now().toFixed(0); }));
