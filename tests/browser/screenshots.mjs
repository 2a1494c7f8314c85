// Takes the pictures in docs/images from a running `hinomi demo` whose night has come.
//
//   HINOMI_URL, HINOMI_USER, HINOMI_PASSWORD (or HINOMI_SETUP_CODE), CHROMIUM as in console.test.mjs
//   node screenshots.mjs FOLDER
import { chromium } from "playwright-core";

const { HINOMI_URL, HINOMI_SETUP_CODE, HINOMI_USER = "sato", HINOMI_PASSWORD = "correct horse battery" } = process.env;
const folder = process.argv[2];
if (!HINOMI_URL || !folder) throw new Error("usage: HINOMI_URL=http://127.0.0.1:7171/ node screenshots.mjs FOLDER");

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--headless", "--no-sandbox", "--disable-gpu"] });
const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-GB", timezoneId: "Asia/Tokyo" })).newPage();
page.setDefaultTimeout(20_000);

async function signIn() {
  await page.goto(HINOMI_URL);
  await page.locator("form").waitFor();
  const code = page.locator("input[autocomplete=one-time-code]");
  if ((await code.count()) > 0) await code.fill(HINOMI_SETUP_CODE);
  await page.fill("input[autocomplete=username]", HINOMI_USER);
  await page.fill("input[type=password]", HINOMI_PASSWORD);
  await page.click("button[type=submit]");
  await page.locator(".strip-block").first().waitFor();
  await page.locator(".language button", { hasText: "English" }).click();
}

async function show(hash, ready, name) {
  await page.evaluate((to) => { location.hash = to; }, hash);
  await page.locator(ready).first().waitFor();
  await page.waitForTimeout(1500);
  await page.screenshot({ path: `${folder}/${name}.png` });
}

await signIn();

await show("#/search?" + new URLSearchParams({ q: "event.dataset=exchange.withdrawal exchange.asset=XEM", from: "0", to: "2200-01-01T00:00:00Z" }), ".event", "search");
await page.evaluate(() => { location.hash = "#/incidents"; });
await page.locator(".incident.open").first().click();
await page.locator(".side-panel h2").waitFor();
await page.waitForTimeout(1000);
await page.screenshot({ path: `${folder}/incident.png` });
await show("#/brake", ".decisions tbody tr", "brake");
await browser.close();
