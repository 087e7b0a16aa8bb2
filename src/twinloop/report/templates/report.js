"use strict";
const root = document.documentElement;
document.getElementById("theme").addEventListener("click", () => {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});
document.getElementById("filter")?.addEventListener("input", (event) => {
  const words = event.target.value.toLowerCase();
  for (const row of document.querySelectorAll("#provenance tbody tr")) row.hidden = !row.textContent.toLowerCase().includes(words);
});
const save = (name, blob) => {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
};
const svgText = (svg) => {
  const copy = svg.cloneNode(true), [, , width, height] = svg.getAttribute("viewBox").split(" ");
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  const style = document.createElementNS("http://www.w3.org/2000/svg", "style");
  const theme = root.dataset.theme === "dark" ? ":root" : "";
  let css = document.getElementById("figure-style").textContent;
  if (theme) css = css.replaceAll(":root[data-theme=dark]", ":root");
  style.textContent = css;
  const back = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  back.setAttribute("width", "100%");
  back.setAttribute("height", "100%");
  back.setAttribute("style", "fill:var(--card)");
  copy.prepend(style, back);
  return new XMLSerializer().serializeToString(copy);
};
const saveSvg = (figure) => figure.querySelectorAll(".canvas:not(.phone) svg").forEach((svg, i) =>
  save(`${figure.id}${i ? "-" + i : ""}.svg`, new Blob([svgText(svg)], { type: "image/svg+xml" })));
const savePng = (figure) => figure.querySelectorAll(".canvas:not(.phone) svg").forEach((svg, i) => {
  const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number), image = new Image();
  image.onload = () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 2 * width, height: 2 * height });
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => save(`${figure.id}${i ? "-" + i : ""}.png`, blob));
  };
  image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(svgText(svg));
});
const saveCsv = (figure) => save(`${figure.id}.csv`, new Blob([figure.dataset.csv], { type: "text/csv" }));
for (const figure of document.querySelectorAll("figure")) {
  const tools = figure.querySelector(".tools"), title = figure.querySelector("figcaption").textContent;
  tools.hidden = false;
  for (const [name, act] of [["SVG", saveSvg], ["PNG", savePng], ["CSV", saveCsv]]) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: name, title: `Save "${title}" as ${name}` });
    button.addEventListener("click", () => act(figure));
    tools.append(button);
  }
}
const values = document.getElementById("provenance");
if (values && matchMedia("(max-width: 720px)").matches) values.closest("details").open = false;
