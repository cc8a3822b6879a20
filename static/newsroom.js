/* Everything here only makes nicer what works without it: tokens before the question, places kept, the bubble. */
"use strict";

document.documentElement.classList.add("js");

// --- Forms out of a page that is the same for everyone: token and key at the first touch --------------------------

// A person needs longer than this to write; the server holds what comes faster (comments/screening.py).
const FASTEST_HUMAN = 3100; // ms, a little more than the server asks for

let csrf = null;

function hidden(form, name) {
  let field = form.elements.namedItem(name);
  if (!field) {
    field = Object.assign(document.createElement("input"), { type: "hidden", name });
    form.prepend(field);
  }
  return field;
}

function isPrepared(form) {
  const key = form.elements.namedItem("form_key");
  return Boolean(form.elements.namedItem("csrfmiddlewaretoken")?.value) && (!key || Boolean(key.value));
}

async function prepare(form) {
  if (isPrepared(form)) return;
  form.preparing ??= (async () => {
    const key = form.elements.namedItem("form_key");
    if (!csrf || (key && !key.value)) {
      const answer = await fetch("/formular/", { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(answer.status);
      const fresh = await answer.json();
      csrf = fresh.csrf;
      if (key && !key.value) {
        key.value = fresh.key;
        form.opened = Date.now();
      }
    }
    hidden(form, "csrfmiddlewaretoken").value = csrf;
  })().finally(() => { form.preparing = null; });
  return form.preparing;
}

const isOurs = (form) => form instanceof HTMLFormElement && form.method === "post";

// At the first word typed and not when the focus comes by: who only tabs through the page gets no cookie.
document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (isOurs(form)) prepare(form).catch(() => {});
});

document.addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  if (!isOurs(form) || (isPrepared(form) && mayGo(form, submitter) <= 0)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (form.ariaBusy === "true") return;
  form.ariaBusy = "true";
  prepare(form)
    .then(() => new Promise((resume) => setTimeout(resume, mayGo(form, submitter))))
    .then(() => { form.ariaBusy = null; form.requestSubmit(submitter); })
    .catch(() => { form.ariaBusy = null; say(form, document.body.dataset.offline); });
}, true);

/* How many ms a comment must still wait: nobody is held for having typed or pasted fast. */
function mayGo(form, submitter) {
  if (!("commentForm" in form.dataset) || submitter?.name === "preview") return 0;
  return FASTEST_HUMAN - (Date.now() - (form.opened ?? 0));
}

// A form that came with its key was opened, at the latest, when it arrived here.
document.addEventListener("htmx:load", ({ detail: { elt } }) => {
  for (const form of elt.closest("body").querySelectorAll("[data-comment-form]")) form.opened ??= Date.now();
});

// --- When the network or the server fails: say so, keep every word -----------------------------------------------

/* Where the reader is looking: in the form, beneath the comment, or in the section. */
function say(element, text) {
  const slot = element.closest(".comment")?.querySelector(".slot");
  if (slot && !slot.firstChild) slot.append(Object.assign(document.createElement("p"), { className: "status", role: "status" }));
  const status = element.querySelector("[role=status]:last-of-type") ?? (slot ?? element.closest("section"))?.querySelector("[role=status]");
  if (status) setTimeout(() => { status.textContent = text; }); // a live region speaks of what changes after it came
}

for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(failure, (event) => {
    const { elt: form, xhr, requestConfig } = event.detail;
    if (xhr?.status === 403 && isOurs(form) && !form.triedAgain) {
      // The cookie that belongs to the token is gone, or signing in changed it: once more with a fresh one.
      form.triedAgain = true;
      csrf = null;
      hidden(form, "csrfmiddlewaretoken").value = "";
      form.requestSubmit(requestConfig.triggeringEvent?.submitter);
    } else {
      say(form, document.body.dataset.offline);
    }
  });
}

document.addEventListener("htmx:beforeRequest", ({ target }) => {
  target.closest(".comment")?.querySelector(".slot > .status")?.remove();
});

// --- Places: after sending, the comment is shown and focused; a reply form opens once and Esc closes it ------------

let wanted = null;

function show(anchor) {
  const element = document.getElementById(anchor);
  if (!element) return false;
  element.classList.add("shown");
  history.replaceState(history.state, "", `#${anchor}`);
  element.scrollIntoView({ block: "center" });
  element.focus({ preventScroll: true });
  return true;
}

document.addEventListener("newsroom:show", (event) => {
  wanted = event.detail.value;
  event.target.wasSent = true;
});
document.addEventListener("htmx:afterSettle", ({ detail: { elt, xhr } }) => {
  if (wanted && show(wanted)) wanted = null;
  if (xhr?.status === 422) elt.querySelector?.("[aria-invalid=true]")?.focus();
});

document.addEventListener("htmx:afterSwap", ({ detail: { target } }) => {
  if (target?.matches(".slot")) target.querySelector("textarea")?.focus();
});

// "Antworten" pressed again leads into the form that is open already.
document.addEventListener("htmx:beforeRequest", (event) => {
  const { target } = event.detail;
  const open = target?.matches(".slot") && target.querySelector("textarea");
  if (!open) return;
  event.preventDefault();
  open.focus();
});

// Sorting and sending replace the whole section: what stands half written in other forms moves over.
let drafts = [];
let lastBefore = null;

document.addEventListener("htmx:beforeSwap", ({ detail: { target } }) => {
  lastBefore = target.id === "mehr" ? target.previousElementSibling : null;
  if (target.id !== "kommentare") return;
  drafts = [...target.querySelectorAll("[data-comment-form]")]
    .filter((form) => !form.wasSent && form.elements.body.value.trim())
    .map((form) => ({ form, comment: form.closest(".comment")?.id }));
});

document.addEventListener("htmx:afterSwap", () => {
  for (const { form, comment } of drafts.splice(0)) {
    if (comment) document.getElementById(comment)?.querySelector(".slot")?.replaceChildren(form);
    else document.getElementById(form.id)?.replaceWith(form);
    htmx.process(form);
  }
  // "Weitere Kommentare" is gone: the keyboard goes on with the first of them.
  lastBefore?.nextElementSibling?.querySelector(".comment")?.focus({ preventScroll: true });
  lastBefore = null;
});

document.addEventListener("click", (event) => {
  const cancel = event.target.closest(".slot .cancel");
  if (!cancel) return;
  event.preventDefault();
  close(cancel.closest(".slot"));
});

document.addEventListener("keydown", (event) => {
  const slot = event.key === "Escape" && event.target.closest?.(".slot");
  if (slot && !slot.querySelector("textarea")?.value.trim()) close(slot);
});

function close(slot) {
  slot.replaceChildren();
  slot.closest(".comment").querySelector("footer a")?.focus();
}

// Where the reader is stands in the address; htmx notes it on the device as well, when it starts and at each step.
function forgetPath() {
  try { sessionStorage.removeItem("htmx-current-path-for-history"); } catch { /* storage may be forbidden: then nothing was noted */ }
}
forgetPath();
document.addEventListener("htmx:pushedIntoHistory", forgetPath);

// --- The bubble ----------------------------------------------------------------------------------------------------

const bubble = document.querySelector("[data-bubble]");
const CLOSED = "newsroom.bubble";

if (bubble) {
  let closed = false;
  try { closed = localStorage.getItem(CLOSED) === "closed"; } catch { /* storage may be forbidden: then it shows again */ }
  if (closed) {
    bubble.remove();
  } else {
    const button = bubble.querySelector("button");
    button.hidden = false;
    button.addEventListener("click", () => {
      bubble.remove();
      try { localStorage.setItem(CLOSED, "closed"); } catch { /* as above */ }
    });
    const form = () => document.getElementById("kommentar-schreiben");
    const watcher = new IntersectionObserver((entries) => {
      bubble.toggleAttribute("data-away", entries.some((entry) => entry.isIntersecting));
    });
    if (form()) watcher.observe(form());
    document.addEventListener("htmx:afterSettle", () => {
      watcher.disconnect();
      if (form()) watcher.observe(form());
      bubble.querySelector("b").textContent = document.getElementById("kommentare").dataset.count;
    });
  }
}
