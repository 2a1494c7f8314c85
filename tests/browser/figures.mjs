// What the console costs a person's time, measured in headless Chromium: one JSON line. The server, its events and what comes in meanwhile are
// bench/console.py's business.
//
//   HINOMI_URL, HINOMI_USER, HINOMI_PASSWORD, CHROMIUM as in console.test.mjs; HINOMI_TAIL_S: how long a live tail is followed
import { launch } from "./browser.mjs";

const { HINOMI_URL, HINOMI_USER, HINOMI_PASSWORD } = process.env;
const TAIL_S = Number(process.env.HINOMI_TAIL_S ?? 30);
const COLD_ROUNDS = 5;
const SCROLL_MS = 4000;
const IDLE_MS = 8000;
const ALL = { from: "0", to: "2200-01-01T00:00:00Z" };

const browser = await launch();
const middle = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const p95 = (values) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * 0.95))] ?? 0;

/* Set up before any script of the page: interactions, shifts and long tasks as the browser itself tells them. */
function observe() {
  window.seen = { interactions: [], shifts: 0, tasks: [] };
  new PerformanceObserver((list) => { for (const one of list.getEntries()) if (one.interactionId) window.seen.interactions.push(one.duration); }).observe({ type: "event", durationThreshold: 16, buffered: true });
  new PerformanceObserver((list) => { for (const one of list.getEntries()) if (!one.hadRecentInput) window.seen.shifts += one.value; }).observe({ type: "layout-shift", buffered: true });
  new PerformanceObserver((list) => { for (const one of list.getEntries()) window.seen.tasks.push(one.duration); }).observe({ type: "longtask", buffered: true });
}

async function signedIn() {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "ja-JP", timezoneId: "Asia/Tokyo" });
  const page = await context.newPage();
  await page.goto(HINOMI_URL);
  await page.fill("input[autocomplete=username]", HINOMI_USER);
  await page.fill("input[type=password]", HINOMI_PASSWORD);
  await page.click("button[type=submit]");
  await page.locator(".strip-block").first().waitFor();
  const state = await context.storageState();
  await context.close();
  return state;
}

async function open(state, hash) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "ja-JP", timezoneId: "Asia/Tokyo", storageState: state });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  await page.addInitScript(observe);
  await page.goto(HINOMI_URL + hash);
  return { context, page };
}

/* From the beginning of the navigation, in a browser context that has nothing cached, until one can see what needs a person, and type a search. */
async function cold(state) {
  const { context, page } = await open(state, "#/home");
  const usable = await page.evaluate(() => new Promise((resolve) => {
    const look = () => {
      const ready = document.querySelector(".strip-block") && (document.querySelector(".now") || document.querySelector(".home-calm")) && document.querySelector(".spl")?.shadowRoot?.querySelector(".cm-content");
      if (ready) resolve(performance.now()); else requestAnimationFrame(look);
    };
    look();
  }));
  await page.waitForTimeout(1500);
  const script = await page.evaluate(() => performance.getEntriesByType("resource").filter((one) => one.name.endsWith(".js")).reduce((sum, one) => sum + one.encodedBodySize, 0));
  const shifts = await page.evaluate(() => window.seen.shifts);
  await context.close();
  return { usable, script, shifts };
}

/* From Enter until the first row stands on the screen. */
async function firstRows(page, query) {
  await page.evaluate((to) => { location.hash = to; }, "#/search?" + new URLSearchParams(ALL));
  await page.waitForTimeout(300);
  return page.evaluate((hash) => new Promise((resolve) => {
    const begun = performance.now();
    const look = () => { if (document.querySelector(".event:not(.waiting) .event-raw")) resolve(performance.now() - begun); else requestAnimationFrame(look); };
    location.hash = hash;
    requestAnimationFrame(look);
  }), "#/search?" + new URLSearchParams({ q: query, ...ALL }));
}

async function scrolling(page) {
  await page.evaluate((to) => { location.hash = to; }, "#/search?" + new URLSearchParams({ q: "* | head 1000000 | table n user.name", ...ALL }));
  await page.locator(".table-row").first().waitFor();
  await page.waitForFunction(() => !document.querySelector(".search-state.busy"), undefined, { timeout: 300_000 });
  const rows = await page.locator(".status-line").innerText();
  const frames = await page.evaluate((ms) => new Promise((resolve) => {
    const list = document.querySelector(".result-table");
    const begun = performance.now();
    let count = 0;
    const step = () => {
      count++;
      list.scrollTop += 400;
      const now = performance.now();
      if (now - begun > ms) resolve((count * 1000) / (now - begun)); else requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }), SCROLL_MS);
  return { frames, rows };
}

/* What people do, while events arrive: pages by keys, the palette, rows opened, a field's values, a choice in a menu. */
async function interactions(page) {
  await page.evaluate(() => { window.seen.interactions = []; });
  const press = async (...keys) => { for (const key of keys) { await page.keyboard.press(key); await page.waitForTimeout(120); } };
  for (let round = 0; round < 3; round++) {
    await page.evaluate(() => { location.hash = "#/home"; });
    await page.locator(".home-now h1").click();
    await press("j", "k", "g", "i", "j", "j", "Enter", "Escape", "g", "b", "g", "d", "j", "j", "g", "w", "g", "o", "g", "h");
    await press("Control+k");
    await page.keyboard.type("検索", { delay: 60 });
    await press("Escape", "Escape");
    await page.evaluate((to) => { location.hash = to; }, "#/search?" + new URLSearchParams({ q: "*", from: "-15m", to: "now" }));
    await page.locator(".event:not(.waiting) .event-raw").first().waitFor();
    for (let i = 0; i < 4; i++) { await page.locator(".event .event-raw").nth(i * 2).click(); await page.waitForTimeout(120); }
    for (let i = 0; i < 4; i++) { await page.locator(".field-name").nth(i).click(); await page.waitForTimeout(120); }
    await page.locator(".theme").click();
    await page.waitForTimeout(200);
  }
  return page.evaluate(() => window.seen.interactions);
}

async function idle(page) {
  await page.evaluate(() => { location.hash = "#/home"; });
  await page.locator(".home-search .event").first().waitFor();
  await page.waitForTimeout(3000);
  await page.evaluate(() => { window.seen.tasks = []; window.seen.shifts = 0; });
  await page.waitForTimeout(IDLE_MS);
  return page.evaluate(() => ({ longest: Math.max(0, ...window.seen.tasks), shifts: window.seen.shifts }));
}

/* The heap after a collection, early in a live tail and at its end. */
async function tail(page) {
  const session = await page.context().newCDPSession(page);
  const heap = async () => {
    await session.send("HeapProfiler.collectGarbage");
    return (await session.send("Runtime.getHeapUsage")).usedSize;
  };
  await page.evaluate((to) => { location.hash = to; }, "#/search?q=*&live=1");
  await page.locator(".event").first().waitFor();
  await page.waitForTimeout(Math.min(20, TAIL_S / 3) * 1000);
  const begun = await heap();
  await page.waitForTimeout(TAIL_S * 1000);
  const ended = await heap();
  const shown = await page.locator(".status-line").innerText();
  return { begun, ended, shown };
}

const state = await signedIn();
const rounds = [];
for (let i = 0; i < COLD_ROUNDS; i++) rounds.push(await cold(state));
const { page } = await open(state, "#/search");
await page.locator(".search-page").waitFor();
const rows = [];
for (const query of ["*", "user.name=u7", "*", "message=*withdrawal*", "*"]) rows.push(await firstRows(page, query));
const scroll = await scrolling(page);
const durations = await interactions(page);
const quiet = await idle(page);
const live = await tail(page);
console.log(JSON.stringify({
  usable_ms: middle(rounds.map((one) => one.usable)), script_bytes: rounds[0].script, shift: Math.max(...rounds.map((one) => one.shifts)), first_rows_ms: middle(rows), first_rows_worst_ms: Math.max(...rows),
  frames_per_s: scroll.frames, scrolled: scroll.rows, interactions: durations.length, interaction_p95_ms: p95(durations), interaction_worst_ms: Math.max(0, ...durations),
  idle_longest_task_ms: quiet.longest, idle_shift: quiet.shifts, tail_s: TAIL_S, heap_begun: live.begun, heap_ended: live.ended, tail: live.shown,
}));
await browser.close();
