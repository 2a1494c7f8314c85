// The page Brake as six people see it. tests/e2e/test_browser_gate.py starts it, with what was asked: R1, R2 and R5 held, R3 with bytes that do something else, R4 denied.
//
//   HINOMI_URL, HINOMI_PASSWORD      the console, and everybody's password
//   HINOMI_PROGRAM, HINOMI_KEYS      the program, and the folder with suzuki.key, hara.key and mori.key
//   HINOMI_POLICY                    the policy's file
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { complaints, launch, outside } from "./browser.mjs";
import { ask, go, nothingRan, open, tooWide } from "./people.mjs";

const { HINOMI_URL, HINOMI_PROGRAM, HINOMI_KEYS, HINOMI_POLICY } = process.env;
let browser, admin, sato, suzuki, hara, noda;

const card = (page, request) => page.locator(".brake-holds .hold-card", { hasText: request });

async function openHold(page, request) {
  await go(page, "#/brake");
  await card(page, request).waitFor();
  if (!(await card(page, request).locator(".hold-details").count())) await card(page, request).locator(".hold-main > button").click();
  await card(page, request).locator(".hold-approval").waitFor();
  return card(page, request);
}

/* As a person does it elsewhere: with the saved file and the command that the page shows. */
function sign(saved, name, ...more) {
  const path = `${HINOMI_KEYS}/${name}-browser.json`;
  writeFileSync(path, saved);
  return execFileSync(HINOMI_PROGRAM, ["approve", "--key", `${HINOMI_KEYS}/${name}.key`, "--yes", ...more, path], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
}

async function save(page, link) {
  const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
  const chunks = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function carry(where, text) {
  await where.locator("textarea").fill(text);
  await where.locator("button[type=submit]").click();
}

describe("the brake", { skip: HINOMI_URL && HINOMI_KEYS ? false : "HINOMI_URL or HINOMI_KEYS is not set" }, () => {
  before(async () => {
    browser = await launch();
    [admin, sato, suzuki, hara, noda] = await Promise.all(["admin", "sato", "suzuki", "hara", "noda"].map((name) => open(browser, name)));
  });
  after(async () => { await browser?.close(); });

  test("a held request shows all that was asked, exactly, and what its bytes would do", async () => {
    const first = await openHold(suzuki, "R1");
    const asked = await first.locator(".hold-asked").innerText();
    for (const part of ["1,500,000.123456789012345678 XEM", "hot-1", "8f2c", "2100-01-26", "これまで一度もない"]) assert.ok(asked.includes(part), `${part} is missing in ${asked}`);
    assert.equal((await first.locator(".fours").evaluate((one) => one.textContent)), "NC4C6PSUW5CLTDT5SXAGJDQJGZNESKFK5MCN77OG");
    assert.equal(await first.locator(".fours > span").count(), 10);
    await first.locator(".customer", { hasText: "担当者が確認しています。" }).waitFor();
    assert.match(await first.innerText(), /45 分/);
    const bytes = await openHold(suzuki, "R3");
    assert.match(await bytes.locator(".effects").innerText(), /transfer 1500000 of contract 0xa{40} to 0xc{40}/);
    const command = await bytes.locator(".signed .command code").textContent();
    assert.equal(command, "hinomi approve --key suzuki.key hold.json >approval.json");
  });

  test("words of attackers stay words", async () => {
    const nasty = await openHold(suzuki, "R5");
    await nothingRan(suzuki, ".brake");
    assert.ok((await nasty.locator(".hidden-char").count()) > 0, "the character that turns text around is shown");
  });

  test("two approvers in session release a hold; an administrator cannot", async () => {
    const seen = await openHold(admin, "R2");
    assert.equal(await seen.locator(".hold-approval > p button").isDisabled(), true);
    for (const page of [suzuki, hara]) {
      const mine = await openHold(page, "R2");
      await mine.locator(".hold-approval > p button").click();
      await mine.locator(".hold-approval button.danger").click();
      if (page === suzuki) await mine.locator(".hold-approval .tag", { hasText: "suzuki" }).waitFor();
    }
    await card(suzuki, "R2").waitFor({ state: "detached" });
  });

  test("signatures made elsewhere are carried by anybody; a broken glass is not taken here", async () => {
    const mine = await openHold(noda, "R1"), signed = mine.locator(".signed");
    await signed.locator("summary").click();
    const saved = await save(noda, signed.locator("a[download]"));
    await carry(signed, "yes, let it go");
    await noda.locator(".notice.bad", { hasText: "approval.json" }).waitFor();
    const glass = sign(saved, "mori", "--break-glass", "--reason", "nobody answers");
    await carry(signed, glass);
    await noda.locator(".notice.bad", { hasText: "非常解除" }).waitFor();
    assert.equal((await ask(noda, "GET", `/gate/holds/${JSON.parse(saved).id}`)).body.approvers.length, 0);
    await carry(signed, sign(saved, "suzuki"));
    await mine.locator(".hold-approval .tag", { hasText: "suzuki" }).waitFor();
    await carry(signed, sign(saved, "hara"));
    await card(noda, "R1").waitFor({ state: "detached" });
    await openHold(noda, "R3");
    assert.equal(await card(noda, "R3").locator(".glass > summary").count(), 1);
    await card(noda, "R3").locator(".glass > summary").click();
    assert.equal(await card(noda, "R3").locator(".glass button").count(), 1, "only the copying of the command");
    assert.match(await card(noda, "R3").locator(".glass code").textContent(), /^hinomi approve --break-glass --reason/);
  });

  test("keys: j and k go through holds and decisions, Enter opens, Esc closes", async () => {
    await go(hara, "#/brake");
    await card(hara, "R3").waitFor();
    await hara.evaluate(() => document.activeElement?.blur());
    await hara.keyboard.press("j");
    await hara.locator(".hold-card.cursor").waitFor();
    await hara.keyboard.press("Enter");
    await hara.locator(".hold-card.cursor .hold-details").waitFor();
    await hara.keyboard.press("Escape");
    await hara.locator(".hold-details").waitFor({ state: "detached" });
    for (let i = 0; i < 6; i++) await hara.keyboard.press("j");
    await hara.locator(".decisions tr.selected").waitFor();
  });

  test("a stop is made by a responder and reopened step by step by two approvers", async () => {
    await go(sato, "#/brake?tab=stops");
    await sato.locator(".stops .section-head button").click();
    await sato.selectOption(".stop-form select[name=scope]", "asset");
    await sato.fill(".stop-form input[name=target]", "<b>XEM</b>");
    await sato.fill(".stop-form input[name=reason]", "money leaves");
    await sato.locator(".stop-form button[type=submit]").click();
    await sato.locator(".stop-card", { hasText: "money leaves" }).waitFor();
    const id = (await ask(sato, "GET", "/gate/stops")).body.stops.find((one) => one.reason === "money leaves").id;
    const own = (page) => page.locator(`#stop-${id}`);
    await own(sato).locator(".hold-main > button").click();
    assert.equal(await own(sato).locator(".hold-details > p button").isDisabled(), true);
    for (const page of [suzuki, hara]) {
      await go(page, "#/brake?tab=stops");
      await own(page).locator(".hold-main > button").click();
      await own(page).locator(".hold-details > p button").click();
      await own(page).locator(".hold-details button.danger").click();
      if (page === suzuki) await own(page).locator(".hold-details .tag", { hasText: "suzuki" }).waitFor();
    }
    await own(hara).locator(".staircase .here", { hasText: "1 %" }).waitFor();
    // The next step by signature.
    const signed = own(noda).locator(".signed");
    await go(noda, "#/brake?tab=stops");
    await own(noda).locator(".hold-main > button").click();
    await signed.locator("summary").click();
    const saved = await save(noda, signed.locator("a[download]"));
    await carry(signed, sign(saved, "suzuki"));
    await own(noda).locator(".hold-details .tag", { hasText: "suzuki" }).waitFor();
    await carry(signed, sign(saved, "hara"));
    await own(noda).locator(".staircase .here", { hasText: "10 %" }).waitFor();
    await nothingRan(noda, ".brake");
  });

  test("the policy, and which row decides: of what was asked, and of what is written", async () => {
    await go(noda, "#/brake?tab=policy&request=R1");
    await noda.locator(".policy-table tr.deciding", { hasText: "much" }).waitFor();
    assert.equal(await noda.locator(".policy-table tbody tr:not(.detail)").count(), 7);
    assert.equal(await noda.locator(".policy-in-force .digest").textContent(), (await ask(noda, "GET", "/gate")).body.policy.digest);
    const reads = await noda.locator(".reads").first().innerText();
    assert.match(reads, /request\.amount\s+1500000\.123456789012345678/);
    await noda.locator("#policy-seen", { hasText: "不明" }).waitFor();
    await noda.fill(".explain input[name=amount]", "3");
    assert.equal(await noda.locator(".outcome").count(), 0, "another request has no answer yet");
    await noda.locator(".explain button[type=submit]").click();
    await noda.locator(".outcome.allow").waitFor();
    await noda.locator(".policy-table tr.deciding", { hasText: "rest" }).waitFor();
    await noda.evaluate(() => document.activeElement?.blur());
    await noda.keyboard.press("j");
    await noda.keyboard.press("Enter");
    await noda.locator("#policy-stopped + .detail .reads").waitFor();
    assert.equal(await noda.locator(".policy-in-force .section-head button").isDisabled(), true);
  });

  test("an administrator reads the file again; a broken one is refused with its line, and what was in force stays", async () => {
    const good = readFileSync(HINOMI_POLICY, "utf8");
    await go(admin, "#/brake?tab=policy");
    const reload = async () => {
      await admin.locator(".policy-in-force .section-head button").click();
      await admin.locator(".policy-in-force button.danger").click();
    };
    await admin.locator(".policy-table").waitFor();
    writeFileSync(HINOMI_POLICY, good.replace("effect: deny", "effect: denyy"));
    await reload();
    await admin.locator(".policy-in-force [role=alert]", { hasText: /effect/ }).waitFor();
    writeFileSync(HINOMI_POLICY, good.replace('version: "7"', 'version: "7b"'));
    await reload();
    await admin.locator(".policy-in-force [role=alert]").waitFor({ state: "detached" });
    await admin.locator(".policy-in-force .facts", { hasText: "7b" }).waitFor();
  });

  test("what another policy would have done: asked for, its figures exact, forgotten", async () => {
    await go(noda, "#/brake?tab=whatif");
    await noda.locator(".empty", { hasText: "分析者" }).waitFor();
    await go(sato, "#/brake?tab=whatif");
    const text = sato.locator(".whatif-form textarea[name=policy]");
    await sato.waitForFunction(() => document.querySelector(".whatif-form textarea")?.value.includes("rows:"));
    await text.fill((await text.inputValue()).replace("most: 100", "most: 70").replace('"7b"', '"try"'));
    await sato.fill(".whatif-form input[name=from]", "2026-02-03T00:00");
    await sato.fill(".whatif-form input[name=to]", "2026-02-05T00:00");
    await sato.locator(".whatif-form summary").click();
    await sato.fill(".whatif-form textarea[name=labels]", '{"account": "thief"}\n{oops');
    await sato.locator(".whatif-form button[type=submit]").click();
    await sato.locator(".whatif-form [role=alert]", { hasText: "2" }).waitFor();
    await sato.fill(".whatif-form textarea[name=labels]", '{"account": "thief"}\n{"address": "theirs"}');
    await sato.locator(".whatif-form button[type=submit]").click();
    await sato.locator(".whatif-result").waitFor({ timeout: 60_000 });
    const told = (await ask(sato, "GET", "/gate/whatif")).body.whatifs[0];
    const { candidate, current } = (await ask(sato, "GET", `/gate/whatif/${told.id}`)).body.result;
    assert.deepEqual([candidate.policy_version, candidate.thefts_caught, current.thefts_caught], ["try", 2, 1]);
    const table = await sato.locator(".whatif-result").innerText();
    for (const side of [candidate, current]) for (const part of [side.policy_version, side.money.XEM.held]) assert.ok(table.includes(part), `${part} is missing in ${table}`);
    assert.ok((await sato.locator(".whatif-sum .changed").count()) > 0, "what differs is marked");
    await sato.locator(".whatif-card button.quiet").click();
    await sato.locator(".whatif-card").waitFor({ state: "detached" });
  });

  test("one that runs can be cancelled", async () => {
    await sato.route("**/v1/gate/whatif", async (route) => {
      if (route.request().method() !== "GET") return route.continue();
      await route.fulfill({ json: { whatifs: [{ id: "w9", by: "sato", state: "running", started: new Date().toISOString(), ended: null, from: "2026-02-03T00:00:00Z", to: "2026-02-05T00:00:00Z", reached: "2026-02-04T00:00:00Z", events: 12, error: null, unreadable: 0 }] } });
    });
    const asked = sato.waitForRequest((request) => request.method() === "DELETE");
    await sato.route("**/v1/gate/whatif/w9", (route) => route.fulfill({ status: 204 }));
    await sato.locator(".whatif-progress progress").waitFor();
    assert.equal(await sato.locator(".whatif-progress progress").evaluate((bar) => bar.value), 0.5);
    assert.equal(await sato.locator(".whatif-form button[type=submit]").isDisabled(), true, "one at a time");
    await sato.locator(".whatif-card button").click();
    await sato.locator(".whatif-card button.danger").click();
    assert.match((await asked).url(), /whatif\/w9$/);
    await sato.unrouteAll();
  });

  test("420 pixels are enough", async () => {
    const small = await open(browser, "suzuki", 420);
    for (const hash of ["#/brake", "#/brake?tab=stops", "#/brake?tab=policy&request=R3", "#/brake?tab=whatif"]) {
      await go(small, hash);
      await small.locator("main h1").waitFor();
      await small.waitForTimeout(800);
      for (const more of await small.locator(".hold-main > button").all()) await more.click();
      await small.waitForTimeout(300);
      assert.deepEqual(await tooWide(small), [], hash);
    }
    await small.context().close();
  });

  test("nothing complained: no CSP report, no console error, no request to elsewhere", async () => {
    for (const page of [admin, sato, suzuki, hara, noda]) assert.deepEqual(await page.evaluate(() => window.reports), []);
    assert.deepEqual(complaints, []);
    assert.deepEqual(outside, []);
  });
});
