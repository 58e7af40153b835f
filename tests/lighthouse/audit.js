// Audits each page that a running app serves, and refuses what is bad or heavy: node audit.js http://127.0.0.1:3000

import { launch } from "chrome-launcher";
import lighthouse from "lighthouse";

const PAGES = ["/", "/create", "/reveal", "/login", "/account", "/unavailable", "/nowhere"];
// A page is written in the one and translated into the other when it has loaded, which may move what is on it.
const LANGUAGES = ["fr", "en"];
const CATEGORIES = ["accessibility", "best-practices", "performance"];
const LEAST_SCORE = 95;
const MOST_REQUESTS = 6;
const MOST_BYTES = 60_000; // over the wire, headers included

// One visit with an empty cache, as on a phone.
async function visit(address, port) {
  const lhr = await report(address, port);
  // An icon in the page's own head (data:) is no request.
  const requests = lhr.audits["network-requests"].details.items.filter(({ url }) => url.startsWith("http"));
  return {
    scores: CATEGORIES.map((name) => Math.round(lhr.categories[name].score * 100)),
    requests: requests.length,
    bytes: requests.reduce((sum, { transferSize }) => sum + transferSize, 0),
    failures: CATEGORIES.flatMap((name) => failuresOf(lhr, name)),
  };
}

// Chromium now and then records nothing when the machine is busy; Lighthouse's own advice is to ask again.
async function report(address, port, triesLeft = 3) {
  // A page that says "not found" does so with its status, and is audited like any other.
  const options = { port, onlyCategories: CATEGORIES, ignoreStatusCode: true, logLevel: "error" };
  const { lhr } = await lighthouse(address, options);
  if (!lhr.runtimeError) return lhr;
  if (triesLeft === 1) throw new Error(`${address}: ${lhr.runtimeError.message}`);
  return report(address, port, triesLeft - 1);
}

// What took points from a category.
function failuresOf(lhr, name) {
  return lhr.categories[name].auditRefs
    .map(({ id, weight }) => ({ ...lhr.audits[id], weight }))
    .filter(({ score, weight }) => weight > 0 && score !== null && score < 1)
    .map(({ id, title, displayValue = "" }) => `${name}: ${id} (${title}) ${displayValue}`);
}

const isGood = ({ scores, requests, bytes }) =>
  Math.min(...scores) >= LEAST_SCORE && requests <= MOST_REQUESTS && bytes <= MOST_BYTES;

const median = (numbers) => [...numbers].sort((one, other) => one - other)[(numbers.length - 1) / 2];

// A busy machine makes one visit slow: a page that is not good at once is visited three times, and the median counts.
async function audit(address, port) {
  const visits = [await visit(address, port)];
  if (isGood(visits[0])) return visits[0];
  visits.push(await visit(address, port), await visit(address, port));
  return {
    scores: CATEGORIES.map((_, index) => median(visits.map(({ scores }) => scores[index]))),
    requests: median(visits.map(({ requests }) => requests)),
    bytes: median(visits.map(({ bytes }) => bytes)),
    failures: [...new Set(visits.flatMap(({ failures }) => failures))],
  };
}

function print(page, ...columns) {
  const widths = [15, 16, 13, 10, 8];
  const cells = columns.map((column, index) => String(column).padStart(widths[index]));
  console.log(`    ${page.padEnd(16)}${cells.join("")}`);
}

// Audits every page for a reader of one language, in a browser of its own; returns whether all are good.
async function auditIn(language, base) {
  // Chromium refuses its sandbox to root.
  const sandbox = process.getuid() === 0 ? ["--no-sandbox"] : [];
  const chrome = await launch({ chromeFlags: ["--headless=new", `--accept-lang=${language}`, ...sandbox] });
  let allGood = true;
  try {
    for (const page of PAGES) {
      const result = await audit(new URL(page, base).href, chrome.port);
      print(`${language}  ${page}`, ...result.scores, result.requests, result.bytes);
      if (isGood(result)) continue;
      allGood = false;
      for (const failure of result.failures) console.log(`        ${failure}`);
    }
  } finally {
    chrome.kill();
  }
  return allGood;
}

print("", ...CATEGORIES, "requests", "bytes");
for (const language of LANGUAGES) {
  if (!(await auditIn(language, process.argv[2]))) process.exitCode = 1;
}
