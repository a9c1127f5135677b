// The filter of the API reference, and links that open what they point to.
"use strict";

const form = document.querySelector(".filter");
const field = document.getElementById("filter");
const onlyServed = document.getElementById("only-served");
const found = document.getElementById("found");
const operations = [...document.querySelectorAll("details.op")];
const groups = [...document.querySelectorAll("section.group")];

function apply() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const operation of operations) {
    const text = operation.dataset.search;
    const fits = words.every((word) => text.includes(word));
    operation.hidden = !fits || (onlyServed.checked && !("served" in operation.dataset));
    if (!operation.hidden) count += 1;
  }
  for (const group of groups) group.hidden = !group.querySelector("details.op:not([hidden])");
  found.textContent = count === 1 ? "1 operation" : `${count} operations`;
}

// A link may point into a closed element, or to an operation that the filter hides.
function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  if (target.hidden || target.closest("[hidden]")) {
    field.value = "";
    onlyServed.checked = false;
    apply();
  }
  if (target instanceof HTMLDetailsElement) target.open = true;
  target.scrollIntoView();
}

form.hidden = false;
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("input", apply);
window.addEventListener("hashchange", openTarget);
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey
      && !(event.target instanceof HTMLInputElement)) {
    event.preventDefault();
    field.focus();
    field.select();
  }
});
apply();
openTarget();
