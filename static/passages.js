/* Passages: chosen words, the paragraph's sign and the editors' questions open the form right beneath the paragraph.
   Without this file the same links lead to the form on a page of its own. */
"use strict";

const article = document.querySelector(".article[data-write]");

// --- Which words are chosen -----------------------------------------------------------------------------------------

const SENT = 700; // characters: the server quotes 600 and says so where it had to cut
const AROUND = 40; // characters on each side, to tell the same words in two places apart
const LINES = "br, p, li, td, th, tr, blockquote, figcaption";

/* The article's own text within a range: without the links and counts we added, a space where a line ends. */
function textOf(range) {
  const copy = range.cloneContents();
  for (const added of copy.querySelectorAll(".added, .pilcrow")) added.remove();
  for (const line of copy.querySelectorAll(LINES)) line.after(" ");
  return copy.textContent.replaceAll("\u00ad", "");
}

function range(from, to) {
  const made = document.createRange();
  from(made);
  to(made);
  return made;
}

/* The chosen words as the address of their form. A selection over two paragraphs is cut to the first. */
function chosen() {
  const selection = getSelection();
  if (!selection.rangeCount || selection.isCollapsed) return null;
  const whole = selection.getRangeAt(0);
  for (const block of article.querySelectorAll(".text > [id^=absatz-]")) {
    if (!whole.intersectsNode(block)) continue;
    const part = range((made) => made.selectNodeContents(block), () => {});
    if (part.comparePoint(whole.startContainer, whole.startOffset) === 0) part.setStart(whole.startContainer, whole.startOffset);
    if (part.comparePoint(whole.endContainer, whole.endOffset) === 0) part.setEnd(whole.endContainer, whole.endOffset);
    const words = textOf(part);
    if (!/[\p{L}\p{N}]/u.test(words)) continue; // it only touches this block's edge
    const before = textOf(range((made) => made.selectNodeContents(block), (made) => made.setEnd(part.startContainer, part.startOffset)));
    const after = textOf(range((made) => made.selectNodeContents(block), (made) => made.setStart(part.endContainer, part.endOffset)));
    // Words are quoted whole: a finger, and many a mouse, begins or ends within one.
    const [head] = (/^[\p{L}\p{N}]/u.test(words) && before.match(/[\p{L}\p{N}]+$/u)) || [""];
    const [tail] = (/[\p{L}\p{N}]$/u.test(words) && after.match(/^[\p{L}\p{N}]+/u)) || [""];
    const query = new URLSearchParams({
      absatz: block.id.replace("absatz-", ""),
      wortlaut: `${head}${words}${tail}`.slice(0, SENT),
      davor: before.slice(0, before.length - head.length).slice(-AROUND),
      danach: after.slice(tail.length, tail.length + AROUND),
    });
    const rest = range((made) => made.setStart(part.endContainer, part.endOffset), (made) => made.setEnd(whole.endContainer, whole.endOffset));
    if (/[\p{L}\p{N}]/u.test(rest.toString().slice(tail.length))) query.set("weiter", ""); // the form says that only the beginning is quoted
    return { block, part, address: `${article.dataset.write}?${query}` };
  }
  return null;
}

// --- A button near the selection --------------------------------------------------------------------------------------

// A link, so that it can be opened in another tab; beneath the words, since a phone shows its own menu above them.
// It stands in the page right after the paragraph: Tab leads from the selection to it.
const button = Object.assign(document.createElement("a"), { className: "choose added", rel: "nofollow" });
const QUIET = 250; // ms without a change: while somebody is still dragging, nothing jumps about
let waiting = null;

function offerPick() {
  if (button.matches(":focus, :active")) return;
  const choice = chosen();
  if (!choice) return button.remove();
  button.textContent = gettext("Stelle kommentieren");
  button.href = choice.address;
  choice.block.after(button);
  const lines = choice.part.getClientRects();
  const last = lines[lines.length - 1] ?? choice.block.getBoundingClientRect();
  const text = button.parentElement.getBoundingClientRect();
  // Through the object model: the page's policy allows no style in the markup.
  // Of a long selection the words' end may be out of view: then at the view's edge.
  const top = Math.min(Math.max(last.bottom + 6, 8), innerHeight - button.offsetHeight - 8);
  button.style.top = `${top - text.top}px`;
  button.style.left = `${Math.max(0, Math.min(last.right - text.left, text.width) - button.offsetWidth)}px`;
}

if (article) {
  // The skip link's target would take the focus of every press on the text, and Tab begin at the article's first line.
  article.addEventListener("pointerdown", () => article.closest("[tabindex]")?.removeAttribute("tabindex"));
  document.addEventListener("selectionchange", () => {
    clearTimeout(waiting);
    waiting = setTimeout(offerPick, QUIET);
  });
  // Pressing it must not take the selection away first.
  button.addEventListener("pointerdown", (event) => event.preventDefault());
  button.addEventListener("blur", () => { waiting = setTimeout(offerPick, QUIET); });
}

// --- The form, right beneath the paragraph ------------------------------------------------------------------------------

const place = Object.assign(document.createElement("div"), { className: "here" });
let opener = null;

article?.addEventListener("click", (event) => {
  const link = event.target.closest(".choose, .pilcrow, .asked");
  if (!link || !link.href.includes(article.dataset.write) || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const block = link.closest(".text > [id^=absatz-]") ?? link.previousElementSibling ?? link.closest(".text > *")?.previousElementSibling;
  open(link.href, block, link);
});

function open(address, block, link) {
  const before = place.querySelector("form");
  const begun = before?.elements.body.value ?? "";
  opener = link === button ? block.querySelector(".pilcrow") : link;
  button.remove();
  const beneath = block.nextElementSibling?.matches(".beneath") ? block.nextElementSibling : block;
  beneath.after(place);
  const { pathname, search } = new URL(address);
  htmx.ajax("GET", pathname + search, { source: place, target: place, swap: "innerHTML" }).then(() => {
    const field = place.querySelector("textarea");
    // The page of its own says what is wrong, or works where a fragment did not.
    if (!field) return location.assign(address);
    if (begun.trim() && !field.value) {
      // What was begun about another passage goes on here: nothing typed is ever lost.
      store.remove(draftName(before));
      field.value = begun;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    place.scrollIntoView({ block: "nearest" });
    field.focus({ preventScroll: true });
  }).catch(() => location.assign(address));
}

function shut() {
  place.remove();
  place.replaceChildren();
  opener?.focus();
}

place.addEventListener("click", (event) => {
  if (!event.target.closest(".cancel")) return;
  event.preventDefault();
  shut();
});
place.addEventListener("keydown", (event) => { if (event.key === "Escape") shut(); }); // the draft is kept

// --- After sending: the paragraphs say how many there are now ------------------------------------------------------------

document.addEventListener("htmx:afterSettle", ({ detail: { target, xhr } }) => {
  const sent = place.querySelector("form")?.wasSent;
  if (!sent || target?.id !== "kommentare") return;
  place.remove();
  place.replaceChildren();
  const fresh = new DOMParser().parseFromString(xhr.responseText, "text/html");
  for (const block of fresh.querySelectorAll(".article > .text > *")) {
    if (block.id) document.getElementById(block.id)?.replaceChildren(...block.childNodes);
  }
});
