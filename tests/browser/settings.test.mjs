// The page Settings as an administrator, an auditor and a viewer see it; started by tests/e2e/test_browser_gate.py (see brake.test.mjs).
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { complaints, launch, outside } from "./browser.mjs";
import { ask, go, nothingRan, open, tooWide } from "./people.mjs";

const { HINOMI_URL, HINOMI_KEYS } = process.env;
const nasty = "<img src=x onerror=window.pwned=1>";
let browser, ueda, kanda, noda;

describe("settings", { skip: HINOMI_URL && HINOMI_KEYS ? false : "HINOMI_URL or HINOMI_KEYS is not set" }, () => {
  before(async () => {
    browser = await launch();
    [ueda, kanda, noda] = await Promise.all(["ueda", "kanda", "noda"].map((name) => open(browser, name)));
  });
  after(async () => { await browser?.close(); });

  test("people: all of them with what their role means, and a new one", async () => {
    await go(ueda, "#/access");
    await ueda.locator("table.grid tbody tr", { hasText: "suzuki" }).waitFor();
    const before = await ueda.locator("table.grid tbody tr").count();
    await ueda.fill(".settings form input[autocomplete=off]", "mizuno");
    await ueda.fill(".settings form input[type=password]", "a long enough sentence");
    await ueda.locator(".settings form button[type=submit]").click();
    await ueda.locator("table.grid tbody tr", { hasText: "mizuno" }).waitFor();
    assert.equal(await ueda.locator("table.grid tbody tr").count(), before + 1);
  });

  test("audit: rows, a filter by who and what, and a row in full", async () => {
    await ask(ueda, "POST", "/tokens", { name: nasty, kind: "hec", role: null, stream: null, expires: null });
    await go(kanda, "#/access?tab=audit");
    await kanda.locator(".settings tbody tr").first().waitFor();
    await kanda.locator(".settings form input").nth(0).fill("ueda");
    await kanda.locator(".settings form input").nth(1).fill("token");
    await kanda.locator(".settings form button[type=submit]").click();
    await kanda.waitForFunction(() => [...document.querySelectorAll(".settings tbody tr")].every((row) => row.innerText.includes("ueda")));
    const row = kanda.locator(".settings tbody tr", { hasText: "onerror" }).first();
    await row.locator(".twist").click();
    await nothingRan(kanda, ".settings");
  });

  test("retention holds: made with a reason, and one person alone cannot end one", async () => {
    const now = new Date().toISOString();
    const made = await ask(ueda, "POST", "/keeps", { name: "case-7", from: "2026-01-01T00:00:00Z", to: now, reason: nasty });
    assert.ok(made.status < 300, JSON.stringify(made));
    await go(ueda, "#/access?tab=keeps");
    await ueda.locator(".settings", { hasText: "case-7" }).waitFor();
    await nothingRan(ueda, ".settings");
    const once = await ask(ueda, "POST", "/keeps/case-7/end", { reason: "over" });
    assert.deepEqual([once.status, once.body.ended], [202, false]);
    assert.equal((await ask(ueda, "POST", "/keeps/case-7/end", { reason: "over" })).status, 409);
  });

  test("health: in words, for everybody", async () => {
    for (const page of [ueda, noda]) {
      await go(page, "#/access?tab=health");
      await page.waitForFunction(() => document.querySelector(".settings")?.innerText.length > 60);
    }
  });

  test("who may not see something is told why, and the server refuses as well", async () => {
    await go(noda, "#/access?tab=people");
    await noda.waitForFunction(() => /管理者/.test(document.querySelector(".settings")?.innerText ?? ""));
    assert.equal(await noda.locator(".settings table").count(), 0);
    for (const [method, path] of [["GET", "/users"], ["GET", "/tokens"], ["GET", "/audit"], ["POST", "/keeps"]]) assert.equal((await ask(noda, method, path)).status, 403, path);
  });

  test("narrow screens, and nothing complained", async () => {
    const phone = await open(browser, "ueda", 420, "en-GB");
    for (const tab of ["people", "tokens", "audit", "keeps", "health"]) {
      await go(phone, `#/access?tab=${tab}`);
      await phone.waitForTimeout(700);
      assert.deepEqual(await tooWide(phone), [], tab);
    }
    assert.deepEqual(complaints, []);
    assert.deepEqual(outside, []);
  });
});
