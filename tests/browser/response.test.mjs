// Waking and incidents as three people see them: admin, sato (responder) and suzuki (approver). tests/e2e/test_browser_response.py starts it.
//
//   HINOMI_URL, HINOMI_PASSWORD      the console, and everybody's password
//   HINOMI_HEC, HINOMI_HEC_TOKEN     where events go
//   HINOMI_RECEIVER                  the webhooks "push" and "phone", which say on GET what they took
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { complaints, launch, outside, watch } from "./browser.mjs";
import { hostile } from "./hostile.mjs";

const { HINOMI_URL, HINOMI_PASSWORD, HINOMI_HEC, HINOMI_HEC_TOKEN, HINOMI_RECEIVER } = process.env;
const plan = (second) => `version: 1
time_zone: Asia/Tokyo
holidays: japan
people: [sato, suzuki]
on_call:
  primary:
    rotations: [{people: [sato], every: 1w, from: 2026-01-05 09:00}]
policies:
  usual:
    steps:
      - {at: 0m, wake: [primary]}
      - {at: 10m, wake: [${second}]}
    unanswered: {after: 1m}
routes: [{severity: high, policy: usual}]
drill: never
`;
const WORST = hostile.filter((one) => one.length < 150 && !/[\u0000-\u001f\u007f]/.test(one)); // what a contact's address may hold

let browser, admin, sato, suzuki;

async function open(name, width = 1440) {
  const page = await watch(await browser.newContext({ viewport: { width, height: 900 }, locale: "ja-JP", timezoneId: "Asia/Tokyo" }), HINOMI_URL);
  page.setDefaultTimeout(20_000);
  await page.goto(HINOMI_URL);
  await page.fill("input[autocomplete=username]", name);
  await page.fill("input[type=password]", HINOMI_PASSWORD);
  await page.click("button[type=submit]");
  await page.locator(".strip-block").first().waitFor();
  return page;
}

const go = (page, hash) => page.evaluate((to) => { location.hash = to; }, hash);
const received = async (event) => (await (await fetch(HINOMI_RECEIVER)).json()).filter((one) => one.event === event);

/* Asks the server in the page's session. */
const ask = (page, method, path, body) => page.evaluate(async ([how, where, what]) => {
  const { csrf } = await (await fetch("/v1/session")).json();
  const answer = await fetch("/v1" + where, { method: how, headers: { "X-Hinomi-CSRF": csrf, "Content-Type": "application/json" }, body: how === "GET" ? undefined : JSON.stringify(what ?? {}) });
  const text = await answer.text();
  return { status: answer.status, body: text ? JSON.parse(text) : null };
}, [method, path, body]);

async function until(what, seconds = 30) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await what();
    if (found || Date.now() > end) return found;
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}

async function theft(wallet, user = "tanaka", ip = "203.0.113.9") {
  const answer = await fetch(HINOMI_HEC, { method: "POST", headers: { Authorization: `Splunk ${HINOMI_HEC_TOKEN}` },
    body: JSON.stringify({ event: { event: { action: "money_left" }, wallet: { from: wallet, amount: 5 }, user: { name: user }, source: { ip } } }) });
  assert.equal(answer.status, 200);
  const found = await until(async () => (await ask(admin, "GET", "/incidents?state=open,acknowledged&limit=50")).body.incidents.find((one) => one.entities.some((entity) => entity.value === wallet)));
  assert.ok(found, `no incident about ${wallet}`);
  return found.id;
}

async function nothingRan(page, where) {
  assert.equal(await page.evaluate(() => window.pwned), undefined, "a script from an attacker ran");
  assert.equal(await page.locator(["img", "script", "iframe", "a[href^='javascript']"].map((one) => `${where} ${one}`).join()).count(), 0);
}

describe("waking and incidents", { skip: HINOMI_URL && HINOMI_RECEIVER ? false : "HINOMI_URL or HINOMI_RECEIVER is not set" }, () => {
  before(async () => {
    browser = await launch();
    [admin, sato, suzuki] = await Promise.all([open("admin"), open("sato"), open("suzuki")]);
  });
  after(async () => { await browser?.close(); });

  test("a plan with a mistake shows its line and is not saved; mended it is in force", async () => {
    await go(admin, "#/wake");
    await admin.locator(".plan .actions").waitFor();
    await admin.locator(".plan > button").click(); // begin with an example
    await admin.locator(".plan-text").fill(plan("bob"));
    await admin.locator(".plan button.primary").click();
    await admin.locator(".plan [role=alert]", { hasText: "line 12" }).waitFor();
    assert.equal(await admin.locator(".plan-line code").innerText(), "- {at: 10m, wake: [bob]}");
    const chosen = await admin.locator(".plan-text").evaluate((area) => area.value.slice(area.selectionStart, area.selectionEnd));
    assert.equal(chosen, "      - {at: 10m, wake: [bob]}");
    await admin.locator(".plan-text").fill(plan("suzuki"));
    await admin.locator(".plan .actions button").first().click();
    await admin.locator(".plan [role=status]").waitFor();
    assert.equal((await ask(admin, "GET", "/waking/plan")).body.text, null);
    await admin.locator(".plan button.primary").click();
    await admin.locator(".on-call-card b", { hasText: "sato" }).waitFor();
    await admin.locator(".strip .figure", { hasText: "当番" }).getByText("sato").waitFor();
    await go(sato, "#/wake");
    assert.equal(await sato.locator(".plan-text").getAttribute("readonly"), "");
  });

  test("contacts: added, in order; a hostile address stays text", async () => {
    await sato.locator(".contacts .message.warning").first().waitFor();
    for (const [notifier, address] of [["push", "sato-1"], ["phone", WORST[0]]]) {
      await sato.selectOption(".contacts select[name=notifier]", notifier);
      await sato.fill(".contacts input[name=address]", address);
      await sato.keyboard.press("Enter");
      await sato.locator(".contact-list li", { hasText: notifier }).waitFor();
    }
    await sato.locator(".contact-list li").nth(1).locator("button").first().click();
    await sato.waitForFunction(() => document.querySelector(".contact-list li")?.textContent.includes("phone"));
    const names = (await ask(sato, "GET", "/waking/contacts/sato")).body.map((one) => one.notifier);
    assert.deepEqual(names, ["phone", "push"]);
    for (let at = 0; at < WORST.length; at += 8) { // every form once, eight at a time
      const contacts = WORST.slice(at, at + 8).map((address) => ({ notifier: "push", address }));
      assert.equal((await ask(suzuki, "PUT", "/waking/contacts/suzuki", { contacts })).status, 200, JSON.stringify(contacts));
      if (at > 0) continue;
      await go(suzuki, "#/wake");
      await suzuki.locator(".contact-list li").nth(7).waitFor();
      await nothingRan(suzuki, ".contacts");
    }
    await suzuki.reload();
    await suzuki.locator(".contact-list li").first().waitFor();
    await nothingRan(suzuki, ".contacts");
  });

  test("wake me now: each contact's receipt, the seconds, the answer, and the proof", async () => {
    await sato.locator(".wake-now").focus();
    await sato.keyboard.press("Enter");
    await sato.locator(".test-result .wakings .state.good").nth(1).waitFor();
    assert.match(await sato.locator(".test-seconds").innerText(), /^\d+秒$/);
    const came = await until(async () => { const got = await received("test"); return got.length >= 2 && got; });
    assert.deepEqual(new Set(came.map((one) => one.path)), new Set(["/push", "/phone"]));
    const answer = await fetch(new URL(`/v1/answer/${came[0].reply_token}`, HINOMI_URL), { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" });
    assert.equal(answer.status, 200);
    await sato.locator(".test-result.answered").waitFor();
    assert.match(await sato.locator(".test-result").innerText(), /応答.*sato/);
    await sato.waitForFunction(() => document.querySelectorAll(".contact-list .state.good").length === 2);
  });

  test("a swap changes who is on call, everywhere; ended, it does not any more", async () => {
    await sato.selectOption(".stand-in-form select[name=instead]", "suzuki");
    await sato.locator(".stand-in-form button[type=submit]").click();
    await sato.locator(".stand-in-form [role=alert]").waitFor(); // a reason is needed
    await sato.fill(".stand-in-form input[name=reason]", WORST[4]);
    await sato.locator(".stand-in-form button[type=submit]").click();
    await sato.locator(".stand-ins li").waitFor();
    await sato.locator(".on-call-card b", { hasText: "suzuki" }).waitFor();
    await suzuki.locator(".strip .figure", { hasText: "当番" }).getByText("suzuki").waitFor();
    await nothingRan(sato, ".stand-ins");
    await sato.locator(".stand-ins li button").click();
    await sato.locator(".stand-ins li button.danger").click();
    await sato.locator(".on-call-card b", { hasText: "sato" }).waitFor();
  });

  test("nobody answers: the strip says so in words, and an approver undoes it with a reason", async () => {
    const id = await theft("hot-1", WORST[2]);
    await admin.locator(".page-card.running", { hasText: id }).locator(".wakings .state.good").first().waitFor();
    await admin.locator(".nav-badge").first().waitFor();
    await suzuki.locator(".strip-tight", { hasText: id }).waitFor({ timeout: 120_000 });
    await admin.locator(".strip-tight button").waitFor();
    assert.equal(await admin.locator(".strip-tight button").isDisabled(), true, "an administrator is not an approver");
    await suzuki.locator(".strip-tight button").click();
    await suzuki.locator(".strip-tight textarea").fill("looked into it");
    await suzuki.locator(".strip-tight button[type=submit]").click();
    await suzuki.locator(".strip-tight").waitFor({ state: "detached" });
    assert.equal((await ask(admin, "GET", "/gate/tightening")).body.undone_by, "suzuki");
    await nothingRan(admin, ".shell");
  });

  test("an incident is worked on: taken, tasks, evidence, findings, contained, closed with a verdict", async () => {
    const id = await theft("hot-1"), nasty = WORST[5];
    await theft("hot-1");
    await go(sato, `#/incidents?id=${id}`);
    await sato.locator(".state-buttons button.primary").click();
    await sato.locator(".panel-head .state.acknowledged").waitFor();
    await sato.fill(".tasks input[name=text]", nasty);
    await sato.locator(".tasks button[type=submit]").click();
    await sato.locator(".task-list .task-text", { hasText: nasty }).waitFor();
    await sato.locator(".task-list button").click();
    await sato.locator(".task-list li.done").waitFor();
    const bytes = Buffer.from([0, 1, 2, 255, 10]);
    await sato.locator(".attachments input[type=file]").setInputFiles({ name: "<img src=x onerror=window.pwned=1>.html", mimeType: "text/html", buffer: bytes });
    const [download] = await Promise.all([sato.waitForEvent("download"), sato.locator(".file-list a").click()]);
    const chunks = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk);
    assert.deepEqual(Buffer.concat(chunks), bytes);
    await until(async () => (await ask(sato, "GET", `/incidents/${id}/findings`)).body.total >= 2);
    await sato.locator(".timeline li.finding button.link").first().click(); // the repeats of a line
    await sato.locator(".finding-list li").nth(1).waitFor();
    await sato.locator(".finding-list li button").first().click();
    await sato.locator(".exception-form .actions button").first().click();
    await sato.locator(".exception-form .preview").waitFor();
    await nothingRan(sato, ".side-panel");
    await sato.locator(".state-buttons .actions button").nth(1).click(); // contained
    await sato.locator(".state-buttons textarea").fill("the key was changed");
    await sato.locator(".state-buttons button[type=submit]").click();
    await sato.locator(".incident-facts", { hasText: "封じ込め" }).waitFor();
    await sato.locator(".state-buttons .actions button").nth(1).click(); // close
    await sato.selectOption(".state-buttons select[name=verdict]", "true_positive");
    await sato.locator(".state-buttons textarea").fill("over");
    await sato.locator(".state-buttons button[type=submit]").click();
    await sato.locator(".panel-head .state.closed").waitFor();
    const closed = (await ask(sato, "GET", `/incidents/${id}`)).body;
    assert.deepEqual([closed.verdict, closed.clocks.contained_by, closed.tasks[0].text], ["true_positive", "sato", nasty]);
    await sato.locator(".incident-facts dd.mono", { hasText: closed.chain.hash }).waitFor();
  });

  test("an action is tried dry, asked for, approved by another, and taken back", async () => {
    const id = await theft("hot-2", "kato", "198.51.100.7");
    await go(sato, `#/incidents?id=${id}`);
    await sato.selectOption(".doing select[name=action]", "careful");
    assert.equal(await sato.locator(".doing button.danger").isDisabled(), true, "the dry run comes first");
    await sato.fill(".doing input[name=action-reason]", "it is theirs");
    await sato.locator(".doing .inline-form .actions button").first().click();
    await sato.locator(".doing .preview", { hasText: "198.51.100.7" }).waitFor();
    await sato.locator(".doing .inline-form button.danger").click();
    await sato.locator(".order-list li", { hasText: "careful" }).locator(".state.warn").waitFor();
    await go(suzuki, `#/incidents?id=${id}`);
    await suzuki.locator(".order-list li button").first().click();
    await sato.locator(".order-list li .state.good").waitFor();
    await sato.locator(".order-list li button", { hasText: "取り消す" }).click();
    await sato.locator(".order-list li button.danger").click();
    await sato.locator(".order-list li", { hasText: "取り消し済み" }).waitFor();
  });

  test("two are merged, one finding is split off, a playbook waits for people, a link for outside and the handover note", async () => {
    const one = await theft("hot-3", "mori", "198.51.100.31"), other = await theft("hot-4", "ueda", "198.51.100.41");
    await go(sato, `#/incidents?id=${one}`);
    await sato.locator(".panel-head", { hasText: one }).waitFor();
    await sato.locator(".merge > button").click();
    await sato.locator(".merge-list li", { hasText: other }).locator("input").check();
    await sato.locator(".merge textarea").fill("the same hand");
    await sato.locator(".merge button[type=submit]").click();
    await sato.locator(".related li", { hasText: other }).waitFor();
    await sato.locator(".all-findings").click();
    await sato.locator(".finding-list li", { hasText: "hot-4" }).locator("input").check();
    await sato.locator(".findings > form textarea").fill("not the same after all");
    await sato.locator(".findings > form button[type=submit]").click();
    await sato.locator(".related li", { hasText: one }).waitFor(); // the new one is shown
    await sato.locator(".playbooks .actions button", { hasText: "不正なアドレス" }).click();
    await sato.locator(".playbook-run .step-answer input").fill("looked");
    await sato.locator(".playbook-run .step-answer button").first().click();
    await sato.locator(".run-steps li").first().locator(".state.good").waitFor();
    await sato.locator(".run-steps li").nth(1).locator(".state.good").waitFor();
    await sato.locator(".shares > button").click();
    await sato.locator(".shares textarea").fill("the auditor");
    await sato.locator(".shares button[type=submit]").click();
    const link = await sato.locator(".share-link code").innerText();
    const shared = await (await fetch(link)).text();
    assert.ok(shared.includes("critical") && !shared.includes("hot-4"), shared);
    await sato.keyboard.press("Escape");
    await go(sato, "#/incidents");
    await sato.locator(".page-head button", { hasText: "引き継ぎメモ" }).click();
    await sato.locator(".handover-note", { hasText: one }).waitFor();
  });

  test("an exception is made, listed and ended", async () => {
    await go(sato, "#/exceptions?rule=Money+left");
    await sato.fill(".exception-form input[name=reason]", "a test of ours");
    await sato.locator(".exception-form button[type=submit]").click();
    const row = sato.locator(".exceptions tbody tr", { hasText: "a test of ours" });
    await row.waitFor();
    await row.locator("button").click();
    await row.locator("button.danger").click();
    await row.waitFor({ state: "detached" });
    await sato.locator(".exceptions .segmented button").last().click();
    await row.locator(".state.closed").waitFor();
  });

  test("420 pixels are enough: nothing runs off the side", async () => {
    const small = await open("sato", 420);
    for (const hash of ["#/wake", "#/exceptions", "#/incidents?state=closed&id=INC-2"]) {
      await go(small, hash);
      await small.locator("main h1").waitFor();
      await small.waitForTimeout(800);
      const wide = await small.evaluate(() => [...document.querySelectorAll("main, .side-panel, html")].filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => `${one.tagName} ${one.className} ${one.scrollWidth}`));
      assert.deepEqual(wide, [], hash);
    }
    await small.close();
  });

  test("every text has a Japanese form of its own", () => {
    const read = (language) => new Map([...readFileSync(new URL(`../../web/i18n/${language}.ts`, import.meta.url), "utf8").matchAll(/"([\w.]+)": ("(?:[^"\\]|\\.)*")/g)].map((match) => [match[1], JSON.parse(match[2])]));
    const en = read("en"), ja = read("ja");
    assert.deepEqual([...en.keys()], [...ja.keys()]);
    const same = [...en].filter(([key, text]) => /[A-Za-z]{3}/.test(text.replace(/\{\w+\}/g, "")) && text === ja.get(key)).map(([key]) => key);
    assert.deepEqual(same.sort(), ["answered_how.api", "format.json", "format.xml", "senders.heartbeat", "token_kind.api"], "not translated");
  });

  test("nothing complained: no CSP report, no console error, no request to elsewhere", async () => {
    for (const page of [admin, sato, suzuki]) assert.deepEqual(await page.evaluate(() => window.reports), []);
    assert.deepEqual(complaints, []);
    assert.deepEqual(outside, []);
  });
});
