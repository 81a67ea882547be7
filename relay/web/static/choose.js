// A checkbox that chooses all others of a name.
"use strict";
for (const all of document.querySelectorAll("input[data-choose]")) {
  all.addEventListener("change", () => {
    for (const one of document.querySelectorAll(`input[name="${all.dataset.choose}"]`)) one.checked = all.checked;
  });
}
