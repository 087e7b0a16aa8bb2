// The scenario's text with line numbers, and faults written at the end of their lines.

const text = document.getElementById("text");
const gutter = document.getElementById("gutter");
const marks = document.getElementById("marks");
const list = document.getElementById("faults");

const element = (name, className, content) =>
  Object.assign(document.createElement(name), { className, textContent: content });

const follow = () => {
  gutter.scrollTop = text.scrollTop;
  marks.style.transform = `translate(${-text.scrollLeft}px, ${-text.scrollTop}px)`;
};

const goTo = (line) => {
  const lines = text.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  text.focus();
  text.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
  text.scrollTop = Math.max(0, (line - 5) * 20);
  text.scrollLeft = 0;
  follow();
};

/** Draw line numbers and write `faults` at their lines and into the list below. */
export const draw = (faults) => {
  const lines = text.value.split("\n");
  const byLine = new Map();
  for (const { line, short } of faults) {
    if (line !== null) byLine.set(line, [...(byLine.get(line) ?? []), short]);
  }
  gutter.replaceChildren(...lines.map((_, i) => {
    const bad = byLine.has(i + 1);
    return element("div", bad ? "bad" : "", bad ? `✗ ${i + 1}` : `${i + 1}`);
  }));
  marks.replaceChildren(...lines.map((line, i) => {
    const row = element("div", byLine.has(i + 1) ? "bad" : "", "");
    if (!byLine.has(i + 1)) return row;
    row.append(element("span", "ghost", line), `  ◂ ${byLine.get(i + 1).join(" · ")}`);
    return row;
  }));
  list.replaceChildren(...faults.map(({ line, message }) => {
    const item = document.createElement("li");
    const button = element("button", "", "");
    button.type = "button";
    button.append(element("b", "", line === null ? "file" : `line ${line}`), ` ${message}`);
    if (line !== null) button.addEventListener("click", () => goTo(line));
    item.append(button);
    return item;
  }));
  text.setAttribute("aria-invalid", faults.length > 0);
  follow();
};

text.addEventListener("scroll", follow);
