"use strict";
// Names come from data: they are only ever set as text, never as markup.
const element = (name, attributes = {}, ...children) => {
  const svg = ["svg", "rect", "line"].includes(name);
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

function sortTables() {
  const value = (row, column) => row.cells[column].textContent.trim();
  const number = text => parseFloat(text.replace(/,/g, "").replace(/^\[/, ""));
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => head.firstElementChild.addEventListener("click", () => {
      const falling = head.getAttribute("aria-sort") !== "descending";
      heads.forEach(each => each.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", falling ? "descending" : "ascending");
      const rows = [...table.tBodies[0].rows].sort((first, second) => {
        const [a, b] = [value(first, column), value(second, column)];
        const [x, y] = [number(a), number(b)];
        if (isNaN(x) !== isNaN(y)) return isNaN(x) ? 1 : -1; // what is missing stays last
        const order = isNaN(x) ? a.localeCompare(b) : x - y;
        return falling ? -order : order;
      });
      table.tBodies[0].append(...rows);
    }));
  }
}

// Scores come as steps from each to the next larger one.
const summed = row => {
  for (const kind of ["good", "bad", "held_out"]) {
    let sum = 0;
    row[kind] = row[kind].map(step => (sum += step) * row.unit);
  }
  return row;
};

// How many of sorted values lie above a threshold.
const above = (sorted, threshold) => {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] > threshold) high = middle; else low = middle + 1;
  }
  return sorted.length - low;
};

// As the tables have it: the smallest score that rejects no more held-out good images than allowed.
const heldOutThreshold = ({ held_out, overkill }) => {
  const place = Math.ceil((held_out.length + 1) * (1 - overkill));
  return place <= held_out.length ? held_out[place - 1] : null;
};

function bars(kind, highest, count) {
  const most = Math.max(...highest);
  return highest.map((_, bin) => {
    const share = count[bin] / most;
    return element("rect", { class: kind, x: bin * 4, width: 4, y: 100 - 96 * share, height: 96 * share });
  });
}

function histogram(row) {
  // Defects can score far beyond all good images, which would be one bar then: the last bar holds the rest.
  const share = part => row.good[Math.ceil(part * (row.good.length - 1))];
  const low = Math.min(row.good[0], row.bad[0] ?? Infinity);
  const far = share(0.99) + 2 * (share(0.99) - share(0.5));
  const last = Math.max(row.good.at(-1), row.bad.at(-1) ?? -Infinity);
  const high = Math.min(far, last) > low ? Math.min(far, last) : Math.max(last, low + 1);
  const bins = 50, width = (high - low) / bins || 1;
  const counted = values => {
    const count = new Array(bins).fill(0);
    for (const value of values) count[Math.max(0, Math.min(bins - 1, Math.floor((value - low) / width)))]++;
    return count;
  };
  const good = counted(row.good), bad = counted(row.bad);
  const highest = good.map((count, bin) => Math.max(count, bad[bin]));
  const mark = element("line", { y1: 0, y2: 100 });
  const picture = element("svg", { viewBox: "0 0 200 100", preserveAspectRatio: "none", role: "img", "aria-label": `Histogram of ${row.name}` },
    ...bars("good", highest, good), ...bars("bad", highest, bad), mark);
  const slider = element("input", { type: "range", min: 0, max: 1000, "aria-label": `Threshold of ${row.name} on ${row.data}` });
  const cells = {};
  const table = element("table", {},
    element("tr", {}, element("th"), element("th", {}, "accepted"), element("th", {}, "rejected"), element("th", {}, "wrong")),
    ...["good", "bad"].map(kind => element("tr", {}, element("th", {}, kind === "good" ? "good" : "defects"),
      ...["accepted", "rejected", "wrong"].map(name => (cells[kind + name] = element("td"))))));
  const show = threshold => {
    const x = 200 * Math.max(0, Math.min(1, (threshold - low) / (high - low)));
    mark.setAttribute("x1", x); mark.setAttribute("x2", x);
    slider.setAttribute("aria-valuetext", threshold.toPrecision(4));
    for (const kind of ["good", "bad"]) {
      const rejected = above(row[kind], threshold), total = row[kind].length;
      const wrong = kind === "good" ? rejected : total - rejected;
      cells[kind + "accepted"].textContent = total - rejected;
      cells[kind + "rejected"].textContent = rejected;
      cells[kind + "wrong"].textContent = `${(100 * wrong / total).toFixed(1)} % ${kind === "good" ? "overkill" : "escape"}`;
    }
  };
  const start = heldOutThreshold(row) ?? row.good[row.good.length - 1];
  slider.value = 1000 * (start - low) / (high - low);
  slider.addEventListener("input", () => show(low + (high - low) * slider.value / 1000));
  show(start);
  return element("figure", { class: "card" }, element("figcaption", {}, element("b", {}, row.name), `, ${row.data}, seed ${row.seed}`), picture, slider, table);
}

function filterGallery() {
  const selects = [...document.querySelectorAll("[data-filter]")];
  const examples = [...document.querySelectorAll(".example")];
  if (!selects.length) return;
  const apply = () => {
    for (const example of examples)
      example.hidden = selects.some(select => select.value && example.dataset[select.dataset.filter] !== select.value);
    document.getElementById("shown").textContent = `${examples.filter(each => !each.hidden).length} of ${examples.length} shown`;
  };
  selects.forEach(select => select.addEventListener("change", apply));
  apply();
}

sortTables();
document.getElementById("cards").append(...JSON.parse(document.getElementById("scores").textContent).map(summed).map(histogram));
filterGallery();
