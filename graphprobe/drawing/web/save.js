// What is on the screen as an SVG or PNG file.

import { html, make, panel, panes, panesBox, part, say } from "./page.js";

/** All panes beside each other, with the page's colours. */
export function viewAsSvg() {
  const box = panesBox.getBoundingClientRect();
  const whole = make("svg", {
    xmlns: "http://www.w3.org/2000/svg",
    width: box.width,
    height: box.height,
    viewBox: `0 0 ${box.width} ${box.height}`,
    "font-family": getComputedStyle(document.body).fontFamily,
  });
  const style = make("style", {}, part(document, "style", HTMLStyleElement).textContent ?? "");
  whole.append(style, make("rect", { width: "100%", height: "100%", fill: "#fff" }));
  for (const pane of panes) {
    const at = pane.svg.getBoundingClientRect();
    const inner = make("svg", {
      x: at.left - box.left,
      y: at.top - box.top,
      width: at.width,
      height: at.height,
      class: pane.svg.getAttribute("class") ?? "",
    });
    inner.append(...[...pane.svg.children].slice(1).map((child) => child.cloneNode(true)));
    whole.append(inner);
  }
  whole.append(panel("links").cloneNode(true));
  return new XMLSerializer().serializeToString(whole);
}

/** @returns {Promise<string>} a PNG as a data address */
export function viewAsPng() {
  const box = panesBox.getBoundingClientRect(), image = new Image();
  return new Promise((resolve, reject) => {
    image.onload = () => {
      const sheet = html("canvas", {
        width: Math.round(2 * box.width),
        height: Math.round(2 * box.height),
      });
      sheet.getContext("2d")?.drawImage(image, 0, 0, sheet.width, sheet.height);
      resolve(sheet.toDataURL("image/png"));
    };
    image.onerror = () => reject(new Error("the view cannot be made a picture"));
    image.src = svgAddress();
  });
}

const svgAddress = () => `data:image/svg+xml;charset=utf-8,${encodeURIComponent(viewAsSvg())}`;

/** @param {string} address @param {string} name */
function save(address, name) {
  const link = html("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
}

export const saveSvg = () => save(svgAddress(), "graph.svg");

export const savePng = () =>
  viewAsPng().then((address) => save(address, "graph.png"), (error) => say(String(error.message)));
