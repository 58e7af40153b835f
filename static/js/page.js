// What every page has: a language, the HTTP API, the two tokens, a place for what happens and one for what went wrong,
// actions that run once at a time, steps, secrets on the screen. Text goes in as text, never as markup.
//
// One file on purpose: a page may cost six requests, and with its HTML, its style, its own script, its messages and its
// first question to the API it has one left.

export const byId = (id) => document.getElementById(id);

// --- Language ---
// The HTML is French. `messages/<language>.json` holds every sentence, those of the HTML too, by the key in `data-text`
// (or `data-alt`, `data-label`).

const TIMEOUT_MILLISECONDS = 20_000;
const LANGUAGES = ["fr", "en"];
const NO_MESSAGES = "Rechargez la page. · Please reload the page.";

let language = wantedLanguages().find((wanted) => LANGUAGES.includes(wanted)) ?? LANGUAGES[0];
let messages = await messagesIn(language).catch(() => null);

// What the reader chose here before, then what the browser asks for. A browser may forbid to remember anything.
function wantedLanguages() {
  let chosen = null;
  try {
    chosen = localStorage.getItem("language");
  } catch {}
  return [chosen, ...navigator.languages].map((tag) => tag?.slice(0, 2).toLowerCase());
}

async function messagesIn(wanted) {
  const response = await fetch(`/messages/${wanted}.json`, { signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS) });
  if (!response.ok) throw new Error(`no messages: ${response.status}`);
  return response.json();
}

// A sentence, its {placeholders} filled in.
export function say(key, values = {}) {
  return (messages?.[key] ?? NO_MESSAGES).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

// The sentence for a problem's code; `place` names where a code may mean something more precise.
function explain(code, place) {
  const keys = [`problem.${code}@${place}`, `problem.${code}`, "problem.unexpected"];
  return say(keys.find((key) => messages?.[key]));
}

// The texts that the scripts wrote, as functions, so that they can be said again in another language.
const written = new Map();

// Writes into an element what `text` returns, now and whenever the language changes.
export function write(element, text) {
  written.set(element, text);
  element.textContent = text();
}

function translate() {
  if (messages === null) return;
  document.documentElement.lang = language;
  byId("language").lang = LANGUAGES.find((other) => other !== language);
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = say(element.dataset.text);
  for (const element of document.querySelectorAll("[data-alt]")) element.alt = say(element.dataset.alt);
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", say(element.dataset.label));
  }
  for (const [element, text] of written) {
    if (element.isConnected) element.textContent = text();
    else written.delete(element);
  }
  entitle();
}

// The title is the heading that is shown: a screen reader says it first, and tabs are told apart by it.
function entitle() {
  document.title = `${shown("h1").textContent} · COFRAP`;
}

// In place, because a reload would lose a password that is on the screen.
async function switchLanguage() {
  const other = LANGUAGES.find((one) => one !== language);
  messages = await messagesIn(other);
  language = other;
  translate();
  try {
    localStorage.setItem("language", language);
  } catch {}
}

function switchFailed() {
  if (shown("[role=alert]")) alarm(() => explain("network"));
}

// The reader's own way to write dates, in the language of the page.
const locale = () => navigator.languages.find((tag) => tag.startsWith(language)) ?? language;

// A point in time of the API (RFC 3339, UTC), in words and in the reader's time zone.
export function dateAndTime(rfc3339) {
  return new Intl.DateTimeFormat(locale(), { dateStyle: "long", timeStyle: "short" }).format(new Date(rfc3339));
}

// Only the time of day, for what ends within minutes.
export function timeOfDay(rfc3339) {
  return new Intl.DateTimeFormat(locale(), { timeStyle: "short" }).format(new Date(rfc3339));
}

export function days(count) {
  return new Intl.NumberFormat(locale(), { style: "unit", unit: "day", unitDisplay: "long" }).format(count);
}

// A wait, counted down: "12 s", "3 min 05 s".
function duration(seconds) {
  const rest = seconds % 60;
  const short = seconds < 60 ? `${rest} s` : `${Math.floor(seconds / 60)} min ${String(rest).padStart(2, "0")} s`;
  // Spaces that no line breaks at.
  return short.replaceAll(" ", "\u00a0");
}

// --- The HTTP API ---
// No secret goes anywhere but into the body or the Authorization header of a request.

// What went wrong. `code` is one of the contract's codes, or one of three of our own: "network" (no answer),
// "too_many_requests" (the ingress refuses) and "unexpected" (an answer that the contract does not know).
export class Problem extends Error {
  constructor(code, { status = 0, retryAfterSeconds = null, details = {} } = {}) {
    super(code);
    this.code = code;
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
    this.details = details;
  }
}

// How far the server's clock is ahead of this one, by its last answer: people's clocks are wrong.
let clockAheadMilliseconds = 0;

// How far off a point in time of the API is, by the server's clock; 0 when it is past.
export const millisecondsUntil = (rfc3339) =>
  Math.max(0, Date.parse(rfc3339) - Date.now() - clockAheadMilliseconds);

// Sends one request and returns the JSON of its answer (null when there is none). Throws a Problem.
export async function call(method, path, { body, bearer } = {}) {
  const headers = { Accept: "application/json, application/problem+json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (bearer) headers.Authorization = `Bearer ${bearer}`;
  const request = {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: "no-store",
    credentials: "same-origin",
    redirect: "error",
    signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
  };
  let response;
  let text;
  try {
    response = await fetch(path, request);
    text = await response.text();
  } catch {
    throw new Problem("network");
  }
  const serverTime = Date.parse(response.headers.get("Date"));
  if (serverTime) clockAheadMilliseconds = serverTime - Date.now();
  const data = parsed(text);
  if (response.ok && (data !== null || response.status === 204)) return data;
  throw new Problem(codeOf(response, data), {
    status: response.status,
    retryAfterSeconds: secondsToWait(response),
    details: data ?? {},
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function codeOf(response, data) {
  if (typeof data?.code === "string") return data.code;
  // An ingress answers in its own words when it cannot reach us, or when there are too many requests.
  if ([502, 503, 504].includes(response.status)) return "unavailable";
  return response.status === 429 ? "too_many_requests" : "unexpected";
}

function secondsToWait(response) {
  const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  return seconds > 0 ? seconds : null;
}

// --- The two tokens ---
// They outlive a reload, so that a phone which drops the tab while its owner is in the authenticator resumes where it
// was. Nothing else is ever kept. They stay in this tab and go when the account is active. Where a browser forbids to
// keep anything they are in memory only, and a reload starts over.

const ENROLLMENT = "enrollment";
const RENEWAL = "renewal";

const inMemory = { enrollment: null, renewal: null };

// What `use` returns, or null where the browser keeps nothing.
function whereAllowed(use) {
  try {
    return use();
  } catch {
    return null;
  }
}

export const enrollmentToken = () => whereAllowed(() => sessionStorage.getItem(ENROLLMENT)) ?? inMemory.enrollment;
export const renewalToken = () => whereAllowed(() => sessionStorage.getItem(RENEWAL)) ?? inMemory.renewal;

// A start is open. The renewal token that paid for it, if any, is used up; it stays as the mark of a renewal.
export function keepEnrollment(token) {
  inMemory.enrollment = token;
  whereAllowed(() => sessionStorage.setItem(ENROLLMENT, token));
}

// A login found expired credentials: the way to new ones begins, and ends what this tab may have begun before. Returns
// whether the next page will find the token.
export function keepRenewal(token) {
  forgetTokens();
  inMemory.renewal = token;
  whereAllowed(() => sessionStorage.setItem(RENEWAL, token));
  return whereAllowed(() => sessionStorage.getItem(RENEWAL)) === token;
}

export function forgetTokens() {
  Object.assign(inMemory, { enrollment: null, renewal: null });
  whereAllowed(() => sessionStorage.removeItem(ENROLLMENT));
  whereAllowed(() => sessionStorage.removeItem(RENEWAL));
}

// --- What happens, and what went wrong ---
// Each step has a live region for either, beside what it is about.

// The first element of a kind that no hidden part of the page holds.
export function shown(selector) {
  return [...document.querySelectorAll(selector)].find((element) => element.closest("[hidden]") === null);
}

// Says politely what happens. `text` is a function, as in `write`.
export function tell(text) {
  const region = shown("[role=status]");
  if (region) write(region, text);
}

export const tellNothing = () => tell(() => "");

// The button that waits for its countdown, and the countdown.
let waiting = null;

// Says what went wrong, at once. Nothing is cleared, so that a retry has all that was typed. With `retry`, offers it.
export function alarm(text, { retry } = {}) {
  calm();
  const sentence = document.createElement("span");
  const region = shown("[role=alert]");
  region.append(sentence);
  write(sentence, text);
  if (retry) region.append(retryButton(retry));
  region.scrollIntoView({ block: "nearest" });
}

// A wait that nobody sees any more must not leave its button dead: the server counts nothing while it asks to wait.
function calm() {
  clearInterval(waiting?.countdown);
  if (waiting) deaden(waiting.button, false);
  waiting = null;
  for (const region of document.querySelectorAll("[role=alert]")) region.replaceChildren();
}

function retryButton(retry) {
  const button = document.createElement("button");
  button.id = "retry";
  button.type = "button";
  write(button, () => say("common.retry"));
  button.addEventListener("click", retry);
  return button;
}

// --- Actions ---

let busy = false;

// For those who do not see the button turn.
const busyRegion = document.body.appendChild(document.createElement("p"));
busyRegion.className = "unseen";
busyRegion.setAttribute("aria-live", "polite");

// Marks a button as one that does nothing for now. Not `disabled`: that would take the focus away from who is on it.
const deaden = (button, dead) => button.setAttribute("aria-disabled", String(dead));

// Runs an action, one at a time on the whole page: no double click, no second submit, no two answers that overtake
// each other. A Problem goes to `onProblem`, and to the reader if that does not return true. A wait that the server
// asks for is counted down; where nobody answered, the same is offered again. Returns whether it ran at all.
export async function once(button, action, { place, onProblem } = {}) {
  if (busy || button.getAttribute("aria-disabled") === "true") return false;
  calm();
  const problem = await attempt(button, action);
  if (problem === null || (await onProblem?.(problem))) return true;
  const repeat = () => {
    button.focus();
    once(button, action, { place, onProblem });
  };
  const retry = ["network", "unavailable"].includes(problem.code) ? repeat : undefined;
  alarm(() => explain(problem.code, place), { retry });
  if (problem.status === 429 && problem.retryAfterSeconds) waitBeforeRetry(button, problem.retryAfterSeconds);
  return true;
}

async function attempt(button, action) {
  busy = true;
  deaden(button, true);
  button.setAttribute("aria-busy", "true");
  write(busyRegion, () => say("common.busy"));
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
    deaden(button, false);
    button.removeAttribute("aria-busy");
    write(busyRegion, () => "");
  }
}

// The seconds are for the eyes only: read aloud, they would drown everything else.
function waitBeforeRetry(button, seconds) {
  deaden(button, true);
  const clock = document.createElement("span");
  clock.setAttribute("aria-live", "off");
  shown("[role=alert]").append(" ", clock);
  const end = Date.now() + seconds * 1000;
  const tick = () => {
    const left = Math.ceil((end - Date.now()) / 1000);
    if (left > 0) {
      write(clock, () => say("common.wait", { time: duration(left) }));
    } else {
      calm();
      tell(() => say("common.waitOver"));
    }
  };
  waiting = { button, countdown: setInterval(tick, 1000) };
  tick();
}

// The HTML has every button disabled, until there is somebody who listens: on a slow network people are faster.

// Sends a form through `action`, once at a time.
export function onSubmit(form, action, options) {
  const button = form.querySelector("button[type=submit]");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    once(button, action, options);
  });
  button.disabled = false;
}

// Calls an action when a button is pressed, once at a time.
export function onPress(id, action, options) {
  const button = byId(id);
  button.addEventListener("click", () => once(button, action, options));
  button.disabled = false;
}

// Shows one of the page's steps, and moves the focus (and with it, a screen reader) to its heading.
export function showStep(id, { focus = true } = {}) {
  calm();
  for (const region of document.querySelectorAll("[role=status]")) write(region, () => "");
  for (const step of document.querySelectorAll("[data-step]")) step.hidden = step.id !== id;
  entitle();
  if (focus) shown("h1").focus();
}

// --- Fields ---

// Marks a field as the one that is wrong, or not, and takes the reader there.
export function blame(field, isWrong = true) {
  if (isWrong) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
  if (isWrong) field.focus();
}

// The six digits of a code field, without the spaces that applications show and people paste; null (and a word to
// the reader) if they are none.
export function readCode(field) {
  const code = field.value.replace(/\s/g, "");
  field.value = code;
  const good = /^[0-9]{6}$/.test(code);
  blame(field, !good);
  if (good) return code;
  alarm(() => say("common.codeForm"));
  return null;
}

// After a refusal. Without an answer the same code may still be good; with one, it is not.
export function forgetRefusedCode(field, problem) {
  if (["invalid_credentials", "too_many_attempts"].includes(problem.code)) field.value = "";
  if (problem.code === "invalid_credentials") blame(field);
}

// Lets the reader see a password field that a checkbox belongs to.
export function revealWith(checkbox, field) {
  checkbox.addEventListener("change", () => (field.type = checkbox.checked ? "text" : "password"));
}

// --- Secrets on the screen ---

// A QR code that the API drew. As an image it cannot run anything, whatever it holds.
export function showQr(image, svg) {
  image.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

const LETTERS_AND_DIGITS = [["digit", /[0-9]/], ["upper", /[A-Z]/], ["lower", /[a-z]/]];

function kindOf(character) {
  return LETTERS_AND_DIGITS.find(([, form]) => form.test(character))?.[0] ?? "sign";
}

function nameOf(character) {
  const kind = kindOf(character);
  return kind === "sign" ? say(`character.${character}`) : say(`character.${kind}`, { character });
}

function inColour(character) {
  const span = document.createElement("span");
  span.className = kindOf(character);
  span.textContent = character;
  return span;
}

// Shows a password, each character in the colour of its kind, with a list that names them all and its QR code. From
// now on the browser asks before it leaves the page.
export function showPassword({ password, qr_svg: svg }) {
  byId("password").replaceChildren(...[...password].map(inColour));
  byId("spelled").replaceChildren(...[...password].map((character) => {
    const item = document.createElement("li");
    const name = document.createElement("span");
    item.append(inColour(character), " ", name);
    write(name, () => nameOf(character));
    return item;
  }));
  showQr(byId("password-qr"), svg);
  addEventListener("beforeunload", askBeforeLeaving);
}

export function hidePassword() {
  removeEventListener("beforeunload", askBeforeLeaving);
  for (const id of ["password", "spelled"]) byId(id).replaceChildren();
  for (const id of ["spelling", "password-share"]) byId(id).open = false;
  byId("password-qr").removeAttribute("src");
  for (const element of written.keys()) if (!element.isConnected) written.delete(element);
}

function askBeforeLeaving(event) {
  event.preventDefault();
  // What Chromium before version 119 listens to.
  event.returnValue = true;
}

// Copies a secret, which has no spaces even where it is shown with some; where the browser forbids that (plain http),
// selects it for copying by hand.
export async function copy(element) {
  try {
    await navigator.clipboard.writeText(element.textContent.replaceAll(" ", ""));
    tell(() => say("common.copied"));
  } catch {
    getSelection().selectAllChildren(element);
    tell(() => say("common.copyByHand"));
  }
}

// Takes secrets off a page that is left: a browser may keep it in memory and show it again to who goes back.
export function clearOnLeaving(clear) {
  addEventListener("pagehide", clear);
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}

// After an answer that opened a session: whether the browser kept its cookie, which over plain http it does for
// loopback only. Says so if not. Without an answer nothing is known, and the next page will see.
export async function sessionSticks() {
  try {
    await call("GET", "/api/session");
    return true;
  } catch (problem) {
    if (problem.code !== "session_invalid") return true;
    alarm(() => say(location.protocol === "http:" ? "session.refusedHttp" : "session.refused"));
    return false;
  }
}

// --- Every page ---

// Not under `once`: the language can be changed while a request is in flight.
byId("language").addEventListener("click", () => switchLanguage().catch(switchFailed));
byId("language").hidden = false;
translate();
