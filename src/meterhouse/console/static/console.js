// Local times, copy buttons and the health of the engines. Every page reads well without this.
"use strict";

const DEFAULT_ORIGIN = "http://127.0.0.1:8000";

function showLocalTimes() {
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
  for (const element of document.querySelectorAll("time[datetime]")) {
    const instant = new Date(element.dateTime);
    if (!Number.isNaN(instant.getTime())) element.textContent = format.format(instant);
  }
}

// Command lines name the address under which this very page was reached.
function showOwnOrigin() {
  for (const element of document.querySelectorAll("pre.curl code")) {
    element.textContent = element.textContent.replace(DEFAULT_ORIGIN, location.origin);
  }
}

async function copy(text, button) {
  let told = "Copied";
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    told = "Not allowed"; // browsers copy only in secure contexts: https or the own machine
  }
  const before = button.textContent;
  button.textContent = told;
  document.getElementById("announce").textContent = told;
  setTimeout(() => { button.textContent = before; }, 1500);
}

function addCopyButton(element) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  const id = element.dataset.copy;
  if (id) {
    button.setAttribute("aria-label", `Copy ${id}`);
    element.after(button);
  } else {
    // around the block, so that the button stays in place when the text scrolls
    const frame = document.createElement("div");
    frame.className = "copyable";
    element.replaceWith(frame);
    frame.append(element, button);
    element.tabIndex = 0;
  }
  button.addEventListener("click", () => copy(id || element.textContent.trim(), button));
}

async function showHealth(list) {
  let lines;
  try {
    const answer = await fetch(list.dataset.health, { cache: "no-store" });
    const { checks } = await answer.json();
    lines = Object.entries(checks).map(([name, result]) => [name, result === "ok" ? "" : String(result)]);
  } catch {
    lines = [["server", "does not answer"]];
  }
  list.replaceChildren(...lines.map(([name, problem]) => {
    const item = document.createElement("li");
    const badge = document.createElement("span");
    badge.className = problem ? "badge failed" : "badge works";
    badge.textContent = problem ? "down" : "ok";
    item.append(badge, problem ? `${name}: ${problem}` : name);
    return item;
  }));
}

showLocalTimes();
showOwnOrigin();
for (const element of document.querySelectorAll("[data-copy]")) {
  // hundreds of closed operations: their buttons are made when they are opened
  const closed = element.closest("details:not([open])");
  if (!closed) addCopyButton(element);
}
document.addEventListener("toggle", (event) => {
  if (!event.target.open) return;
  for (const element of event.target.querySelectorAll("[data-copy]")) {
    if (!element.closest("details:not([open])") && !element.closest(".copyable")) addCopyButton(element);
  }
}, true);
for (const list of document.querySelectorAll("[data-health]")) showHealth(list);
