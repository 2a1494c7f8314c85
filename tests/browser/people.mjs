// What tests with several people share: each in a browser of their own, and questions asked in their session.
import assert from "node:assert/strict";
import { watch } from "./browser.mjs";

const { HINOMI_URL, HINOMI_PASSWORD } = process.env;

export async function open(browser, name, width = 1440, locale = "ja-JP") {
  const page = await watch(await browser.newContext({ viewport: { width, height: 900 }, locale, timezoneId: "Asia/Tokyo" }), HINOMI_URL);
  page.setDefaultTimeout(20_000);
  await page.goto(HINOMI_URL);
  await page.fill("input[autocomplete=username]", name);
  await page.fill("input[type=password]", HINOMI_PASSWORD);
  await page.click("button[type=submit]");
  await page.locator(".strip-block").first().waitFor();
  return page;
}

export const go = (page, hash) => page.evaluate((to) => { location.hash = to; }, hash);

/* Asks the server in the page's session. */
export const ask = (page, method, path, body) => page.evaluate(async ([how, where, what]) => {
  const { csrf } = await (await fetch("/v1/session")).json();
  const answer = await fetch("/v1" + where, { method: how, headers: { "X-Hinomi-CSRF": csrf, "Content-Type": "application/json" }, body: how === "GET" ? undefined : JSON.stringify(what ?? {}) });
  const text = await answer.text();
  return { status: answer.status, body: text ? JSON.parse(text) : null };
}, [method, path, body]);

export async function until(what, seconds = 30) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await what();
    if (found || Date.now() > end) return found;
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}

export async function nothingRan(page, where) {
  assert.equal(await page.evaluate(() => window.pwned), undefined, "a script from an attacker ran");
  assert.equal(await page.locator(["img", "script", "iframe", "a[href^='javascript']"].map((one) => `${where} ${one}`).join()).count(), 0);
}

/* What is wider than its place, at the width that the page has. */
export const tooWide = (page) => page.evaluate(() => [...document.querySelectorAll("main, html")].filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => `${one.tagName} ${one.className} ${one.scrollWidth}`));
