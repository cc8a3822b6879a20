/* The admin's forms for texts: a wrong click loses nothing, the browser asks first. */
"use strict";

for (const form of document.querySelectorAll("#article_form, #page_form")) {
  let changed = false;
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("submit", ({ submitter }) => { if (!submitter?.formTarget) changed = false; }); // the preview has a window of its own
  addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
}
