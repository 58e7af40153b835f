// What every page has: a place for what happens and one for what went wrong, forms that are sent once at a time, steps
// of which one is shown, QR codes. Text goes in as text, never as markup.

import { Problem, call } from "./api.js";
import { duration, explain, say } from "./messages.js";

export const byId = (id) => document.getElementById(id);

// A page that the browser kept in memory could show a password again when somebody goes back to it.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// Says politely what happens; an empty text says nothing.
export function tell(text) {
  byId("status").textContent = text;
}

let countdown;

// Says what went wrong, at once. Nothing is cleared, so that a retry has all that was typed.
export function alarm(text) {
  clearInterval(countdown);
  byId("problem").textContent = text;
  if (text !== "") byId("problem").scrollIntoView({ block: "nearest" });
}

// Shows one of the page's steps, and moves the focus (and with it, a screen reader) to its heading.
export function showStep(id, { focus = true } = {}) {
  for (const step of document.querySelectorAll("[data-step]")) step.hidden = step.id !== id;
  if (focus) byId(id).querySelector("h1, h2").focus();
}

let busy = false;

// Runs an action, one at a time on the whole page: no double click, no second submit, no two answers that overtake
// each other. A Problem goes to `onProblem`, and to the reader if that does not return true. A wait that the server
// asks for is counted down.
export async function once(button, action, { place, onProblem } = {}) {
  if (busy || button.disabled) return;
  alarm("");
  const problem = await attempt(button, action);
  if (problem === null) return;
  if (!(await onProblem?.(problem))) alarm(explain(problem, place));
  if (problem.status === 429 && problem.retryAfterSeconds) waitBeforeRetry(button, problem.retryAfterSeconds);
}

async function attempt(button, action) {
  busy = true;
  button.disabled = true;
  document.body.setAttribute("aria-busy", "true");
  try {
    await action();
    return null;
  } catch (problem) {
    if (problem instanceof Problem) return problem;
    // A mistake of ours, or an answer without what the contract promises.
    console.error(problem);
    return new Problem("unexpected");
  } finally {
    busy = false;
    button.disabled = false;
    document.body.removeAttribute("aria-busy");
  }
}

// The seconds are for the eyes only: read aloud, they would drown everything else.
function waitBeforeRetry(button, seconds) {
  button.disabled = true;
  const sentence = byId("problem").textContent;
  const clock = document.createElement("span");
  clock.setAttribute("aria-live", "off");
  byId("problem").replaceChildren(sentence, " ", clock);
  const end = performance.now() + seconds * 1000;
  const tick = () => {
    const left = Math.ceil((end - performance.now()) / 1000);
    if (left > 0) {
      clock.textContent = say("wait", { time: duration(left) });
    } else {
      alarm("");
      tell(say("waitOver"));
    }
  };
  tick();
  countdown = setInterval(tick, 1000);
  // Apart from the clock: another message may replace that, and must not leave the button disabled.
  setTimeout(() => (button.disabled = false), seconds * 1000);
}

// Sends a form through `action`, once at a time.
export function onSubmit(form, action, options) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    once(form.querySelector("button[type=submit]"), action, options);
  });
}

// Calls an action when a button is pressed, once at a time.
export function onPress(id, action, options) {
  byId(id).addEventListener("click", () => once(byId(id), action, options));
}

// A QR code that the API drew. As an image it cannot run anything, whatever it holds.
export function showQr(image, svg) {
  image.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

// The six digits of a code field, without the spaces that applications show and people paste; null (and a word to
// the reader) if they are none.
export function readCode(field) {
  const code = field.value.replace(/\s/g, "");
  field.value = code;
  const good = /^[0-9]{6}$/.test(code);
  field.setAttribute("aria-invalid", String(!good));
  if (good) return code;
  alarm(say("codeForm"));
  field.focus();
  return null;
}

// Lets the reader see a password field that a checkbox belongs to.
export function revealWith(checkbox, field) {
  checkbox.addEventListener("change", () => (field.type = checkbox.checked ? "text" : "password"));
}

// Copies a password; where the browser forbids that (plain http), selects it for copying by hand.
export async function copyPassword(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    tell(say("copied"));
  } catch {
    getSelection().selectAllChildren(element);
    tell(say("copyByHand"));
  }
}

// After an answer that opened a session: whether the browser kept its cookie, which over plain http it does for
// loopback only. Says so if not. Without an answer nothing is known, and the next page will see.
export async function sessionSticks() {
  try {
    await call("GET", "/api/session");
    return true;
  } catch (problem) {
    if (problem.code !== "session_invalid") return true;
    alarm(say(location.protocol === "http:" ? "cookieRefusedHttp" : "cookieRefused"));
    return false;
  }
}
