/* Places: what was asked for is shown and focused, nothing half written is lost when parts of the page are replaced. */
"use strict";

document.documentElement.classList.add("js");
// The first script sets htmx up. Where it did not arrive, links and forms are the browser's own: htmx left to itself would
// keep pages on the device, and drop the answer that says what is wrong.
if (!window.gettext) document.body.setAttribute("hx-disable", "");

// --- What htmx does with the links and buttons of a conversation -------------------------------------------------
// Said when one of them is pressed and not for each of a hundred comments: that would be a fifth of the page's bytes,
// and most of what its scripts have to do before it can be used.

const ON_PRESS = [
  [".bar nav a, .pages a", () => ({ "hx-boost": "true", "hx-target": "#kommentare", "hx-select": "#kommentare", "hx-swap": "outerHTML show:none" })],
  ["#mehr > a", (more) => ({ "hx-get": more.getAttribute("href").split("#")[0], "hx-target": "#mehr", "hx-select": "#faeden > :not(.first)", "hx-swap": "outerHTML show:none" })],
  ["button[formaction$='/respekt/']", (vote) => ({ "hx-post": vote.getAttribute("formaction"), "hx-swap": "outerHTML" })],
  [".thread > .more > a, .replies > .more > a", (more) => ({ "hx-get": more.getAttribute("href"), "hx-target": "closest .thread", "hx-select": ".thread", "hx-swap": "outerHTML show:none" })],
  [".comment > footer > a[href$='/antworten/']", (answer) => ({ "hx-get": answer.getAttribute("href"), "hx-target": "next .slot" })],
];

// On its way down: htmx listens at the button itself by the time the press arrives there.
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("a, button");
  if (!button || event.ctrlKey || event.metaKey || event.shiftKey) return; // a link in another tab is the browser's
  const [, attributes] = ON_PRESS.find(([selector]) => button.matches(selector)) ?? [];
  if (!attributes || button.matches("[hx-boost], [hx-get], [hx-post]")) return;
  for (const [name, value] of Object.entries(attributes(button))) button.setAttribute(name, value);
  htmx.process(button);
}, true);

let pressed = null; // the vote being replaced: the keyboard stays on it

document.addEventListener("htmx:beforeSwap", ({ detail: { target } }) => {
  pressed = target === document.activeElement ? target.getAttribute("formaction") : null;
});
document.addEventListener("htmx:load", ({ detail: { elt } }) => {
  if (pressed && elt.getAttribute("formaction") === pressed) elt.focus();
});

// --- After sending, the comment is shown and focused; a reply form opens once and Esc closes it --------------------

let wanted = null;
let pageAddress = ""; // the page's own address, where a comment's stands in its place
const withHash = (address, hash) => address.split("#")[0] + hash;

// The comments that were on the page under its address.
let printed = new Set();
function notePrinted() {
  printed = new Set([...document.querySelectorAll("#faeden .comment")].map(({ id }) => id));
}
notePrinted();
document.addEventListener("htmx:afterSwap", ({ detail: { target } }) => { if (target?.id === "kommentare") notePrinted(); });

/* The one comment that the reader looks at now. */
function mark(comment) {
  for (const before of document.querySelectorAll(".comment.found")) before.classList.remove("found");
  comment.classList.add("found");
}

function unfold(element) {
  for (let fold = element.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
}

function show(anchor) {
  const element = document.getElementById(anchor);
  if (!element) return false;
  unfold(element);
  mark(element);
  // What came while the page was open has its place on another page, perhaps: its permalink finds it.
  const standsElsewhere = (!printed.has(anchor) && !location.pathname.includes("/gespraech/")) || location.pathname.startsWith("/kommentar/");
  const permalink = standsElsewhere && element.querySelector(":scope > header a.time")?.getAttribute("href");
  if (permalink && !location.pathname.startsWith("/kommentar/")) pageAddress = location.href;
  history.replaceState(history.state, "", permalink || `#${anchor}`);
  element.scrollIntoView({ block: "center", behavior: "instant" });
  element.focus({ preventScroll: true });
  return true;
}

// Back from taking back or deleting it leads to the page, not to a comment that is gone.
document.addEventListener("click", ({ target }) => {
  if (pageAddress && target.closest?.("[href$='/loeschen/'], [formaction$='/loeschen/']")) history.replaceState(history.state, "", pageAddress);
}, true);

document.addEventListener("newsroom:show", (event) => {
  if (!show(event.detail.value)) wanted = event.detail.value; // its page is still on the way
});
// The thread says how many answers it has by now.
document.addEventListener("newsroom:answered", ({ detail: { root, replies } }) => {
  const fold = document.getElementById(root)?.parentElement.querySelector(":scope > .replies > summary");
  if (fold) fold.textContent = replies;
});
// A part that is put in comes from a page with a title of its own; this one stays what it is.
document.addEventListener("htmx:beforeSwap", ({ detail }) => { detail.ignoreTitle = true; });
// What was said and has left leaves its room too.
document.addEventListener("animationend", ({ target, animationName }) => { if (animationName === "leave") target.replaceChildren(); });
document.addEventListener("newsroom:sent", ({ target }) => {
  const slot = target.closest?.(".slot");
  if (slot) setTimeout(() => { slot.replaceChildren(); markDrafts(); }); // htmx is not yet done with the form
});
const focusFirstError = (part) => part.querySelector?.("[aria-invalid=true]")?.focus();
focusFirstError(document); // of a form with a page of its own
document.addEventListener("htmx:afterSettle", ({ detail: { elt, xhr, requestConfig } }) => {
  if (wanted && show(wanted)) wanted = null;
  if (xhr?.status === 422) focusFirstError(elt);
  if (xhr?.status >= 400 && elt.matches("[data-comment-form]")) {
    document.querySelector("#kommentare-antwort > .passing")?.remove(); // of the one before
    if (document.activeElement === document.body) elt.elements.body.focus(); // the button pressed is gone
    if (draftName(elt) !== DRAFT + requestConfig.path) { // what it answers is gone, and the draft has another address
      store.remove(DRAFT + requestConfig.path);
      elt.elements.body.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }
  if (elt.id === "bewertung" && xhr?.status !== 422 && document.activeElement === document.body) elt.querySelector("button").focus({ preventScroll: true });
  elt.querySelector?.("form > .preview")?.scrollIntoView({ block: "nearest", behavior: "instant" }); // above the button that asked for it
});

document.addEventListener("htmx:afterSwap", ({ detail: { target } }) => {
  if (!target?.matches(".slot")) return;
  const field = target.querySelector("textarea");
  if (!field) return;
  if (quoted) restoreDrafts(target); // first, or the quotation would take its place
  writeOn(field);
});

/* At the end, after what is quoted now. */
function writeOn(field) {
  if (quoted) {
    field.value = `${field.value ? `${field.value.trimEnd()}\n\n` : ""}${quoted}\n\n`;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    quoted = "";
  }
  field.focus();
  field.setSelectionRange(field.value.length, field.value.length);
}

// Words marked in a comment stand quoted in the answer to it.
let quoted = "";
document.addEventListener("pointerdown", rememberSelection, true);
document.addEventListener("keydown", rememberSelection, true);

function rememberSelection({ target }) {
  const link = target.closest?.(".comment > footer > a[href$='/antworten/']");
  if (!link) return;
  const selection = getSelection();
  const text = link.closest(".comment").querySelector(".text");
  const within = selection.rangeCount && !selection.isCollapsed && text?.contains(selection.getRangeAt(0).commonAncestorContainer);
  quoted = within ? wholeWords(selection).split("\n").map((line) => `> ${line}`).join("\n") : "";
}

// A finger, and many a mouse, begins or ends within a word.
function wholeWords(selection) {
  const { startContainer, startOffset, endContainer, endOffset } = selection.getRangeAt(0);
  const words = selection.toString();
  const before = startContainer.nodeType === Node.TEXT_NODE ? startContainer.data.slice(0, startOffset) : "";
  const after = endContainer.nodeType === Node.TEXT_NODE ? endContainer.data.slice(endOffset) : "";
  const [head] = (/^[\p{L}\p{N}]/u.test(words) && before.match(/[\p{L}\p{N}]+$/u)) || [""];
  const [tail] = (/[\p{L}\p{N}]$/u.test(words) && after.match(/^[\p{L}\p{N}]+/u)) || [""];
  return `${head}${words}${tail}`.trim();
}

// "Antworten" pressed again leads into the form that is open already.
document.addEventListener("htmx:beforeRequest", (event) => {
  const { target } = event.detail;
  const open = target?.matches(".slot") && target.querySelector("textarea");
  if (!open) return;
  event.preventDefault();
  if (quoted) writeOn(open);
  else open.focus();
});

// A page without scripts begins anew at the bar; here only the conversation is exchanged, and the bar stays in view.
function plainBar() {
  for (const link of document.querySelectorAll(".bar a[href$='#ordnung']")) link.setAttribute("href", link.getAttribute("href").replace("#ordnung", ""));
}
plainBar();
document.addEventListener("htmx:afterSwap", plainBar); // before htmx looks at what came
// A page chosen by its number takes the place of this one: back leads to the comment that was in view.
document.addEventListener("click", (event) => {
  const address = event.target.closest?.(".pages a") && !event.ctrlKey && !event.metaKey && !event.shiftKey && addressInView();
  if (!address) return;
  history.scrollRestoration = "manual";
  history.replaceState(history.state, "", withHash(location.href, `#${address.split("#")[1]}`));
  setTimeout(notePlace); // when the address names the order too (reading.js)
}, true);
document.addEventListener("htmx:pushedIntoHistory", () => { history.scrollRestoration = "auto"; });
// A page chosen by its number begins at its first comment.
document.addEventListener("htmx:afterSettle", ({ detail: { requestConfig } }) => {
  if (requestConfig?.elt.matches(".pages a")) document.getElementById("faeden")?.focus({ preventScroll: true });
  if (document.activeElement.matches(".bar a")) document.activeElement.scrollIntoView({ block: "nearest", behavior: "instant" });
});

// "3 weitere Antworten anzeigen": where the button was stands the first of them, and the keyboard is on it.
let grown = null;

document.addEventListener("htmx:beforeSwap", ({ detail: { target, requestConfig } }) => {
  if (!target.matches(".thread")) return;
  const known = [...target.querySelectorAll(".comment")].map((comment) => comment.id);
  grown = { known, top: requestConfig.elt.getBoundingClientRect().top };
});
document.addEventListener("htmx:afterSwap", () => {
  if (!grown) return;
  const { known, top } = grown;
  grown = null;
  const thread = document.getElementById(known[0])?.closest(".thread");
  const first = [...(thread?.querySelectorAll(".comment") ?? [])].find((comment) => !known.includes(comment.id));
  if (!first) return;
  mark(first);
  first.focus({ preventScroll: true });
  scrollBy({ top: first.getBoundingClientRect().top - top, behavior: "instant" });
});

// What was loaded in place is not there after "back", unless the browser keeps whole pages: then the address leads to the
// page, of this order, on which the comment in view stands; or its thread, where it was opened in that.
let loadedInPlace = false;
const loadedFrom = new Map(); // addresses of pages, by the comment each begins with
document.addEventListener("htmx:afterSwap", ({ detail: { target, pathInfo } }) => {
  loadedInPlace ||= target?.id === "mehr" || Boolean(target?.matches(".thread"));
  const first = target?.id === "mehr" && lastBefore?.nextElementSibling?.querySelector(".comment");
  if (first) loadedFrom.set(first.id, pathInfo.responsePath ?? pathInfo.requestPath);
});

// How far down the comment in the address stands, for who comes back to it: htmx overwrites the history's own state. Of the
// last pages left, each by its address.
const PLACES = "newsroom.platz";
const MOST_PLACES = 20;
const withoutOrigin = () => location.pathname + location.search + location.hash;

function notePlace() {
  const comment = document.getElementById(location.hash.slice(1));
  if (!comment) return;
  const others = Object.entries(tab.get(PLACES) ?? {}).filter(([address]) => address !== withoutOrigin());
  const noted = [...others, [withoutOrigin(), comment.getBoundingClientRect().top]];
  tab.set(PLACES, Object.fromEntries(noted.slice(-MOST_PLACES)));
}

/* In pixels; undefined for who was led to the comment by a link. */
function notedPlace() {
  return performance.getEntriesByType("navigation")[0]?.type === "navigate" ? undefined : tab.get(PLACES)?.[withoutOrigin()];
}

function addressInView() {
  const comments = [...document.querySelectorAll("#faeden .comment")];
  const at = comments.findIndex((comment) => comment.getBoundingClientRect().bottom > innerHeight / 5);
  if (at < 0 || comments[at].getBoundingClientRect().top > innerHeight) return null; // still in the text, or beneath
  const begins = comments.slice(0, at + 1).reverse().find((comment) => loadedFrom.has(comment.id));
  const thread = comments[at].closest("#faeden > .thread")?.querySelector(".comment") ?? comments[at];
  if (begins) return withHash(loadedFrom.get(begins.id), `#${thread.id}`);
  const stays = comments.slice(at).find((comment) => printed.has(comment.id) && comment.getBoundingClientRect().top < innerHeight);
  return withHash(location.href, `#${(stays ?? thread).id}`);
}
addEventListener("click", (event) => { // last of all: not where somebody else has answered the press
  const link = event.target.closest?.("a[href]");
  const leaves = link && !event.defaultPrevented && !event.ctrlKey && !event.metaKey && !event.shiftKey && link.protocol.startsWith("http") && !link.target && !link.hasAttribute("download");
  if (!loadedInPlace || !leaves || (link.hash && link.pathname === location.pathname)) return;
  const address = addressInView();
  if (!address) return;
  pageAddress ||= location.href;
  history.scrollRestoration = "manual";
  history.replaceState(history.state, "", address);
  notePlace();
});
addEventListener("pageshow", ({ persisted }) => {
  if (!persisted || history.scrollRestoration === "auto") return;
  history.scrollRestoration = "auto";
  history.replaceState(history.state, "", pageAddress);
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
  if (slot) close(slot); // what was typed is kept as a draft
});

function close(slot) {
  slot.replaceChildren();
  markDrafts();
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
    const comments = () => document.getElementById("kommentare");
    bubble.querySelector("button").addEventListener("click", (event) => {
      event.preventDefault(); // remembered here and not by a cookie: the server need not know
      bubble.remove();
      comments().focus({ preventScroll: true }); // or the keyboard would begin anew at the top
      try { localStorage.setItem(CLOSED, "closed"); } catch { /* as above */ }
    });
    // Whoever has come to the comments needs no invitation that floats any more, nor beneath them; one that stands in
    // the text only makes room for the form.
    const watcher = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting, boundingClientRect: { top } } of entries) {
        if (target.matches(".write")) bubble.toggleAttribute("data-form-in-view", isIntersecting);
        else bubble.toggleAttribute("data-away", isIntersecting || top < 0);
      }
    });
    const watch = () => {
      watcher.disconnect();
      const form = document.getElementById("kommentar-schreiben");
      if (!form) return bubble.remove(); // closed meanwhile
      watcher.observe(comments());
      watcher.observe(form);
    };
    watch();
    document.addEventListener("htmx:afterSettle", () => {
      watch();
      bubble.querySelector("b").textContent = comments().dataset.count;
    });
  }
}
