/* The admin's forms for texts: a wrong click loses nothing, the browser asks first. */
"use strict";

const isText = (form) => Boolean(form?.matches("#article_form, #page_form"));
let changed = false;

document.addEventListener("input", ({ target }) => { if (isText(target.form)) changed = true; });
document.addEventListener("submit", ({ target, submitter }) => {
  if (isText(target) && !submitter?.formTarget) changed = false; // the preview has a window of its own
});
addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
