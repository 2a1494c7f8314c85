// What the browser tests share: Chromium, and pages that note whatever is complained about.
import { chromium } from "playwright-core";

const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
export const complaints = []; // errors of the console, exceptions, dialogs
export const outside = []; // requests to elsewhere than `url`

export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });

export async function watch(context, url) {
  const made = await context.newPage();
  // A refusal (400, 401, 403, 409) is an answer, which Chromium also writes to the console.
  made.on("console", (message) => {
    if (message.type() === "error" && !/status of 40[0139]/.test(message.text())) complaints.push(message.text());
  });
  made.on("pageerror", (error) => complaints.push(String(error.stack ?? error)));
  made.on("dialog", (dialog) => { complaints.push("dialog: " + dialog.message()); void dialog.dismiss(); });
  made.on("request", (request) => {
    if (!request.url().startsWith(new URL(url).origin) && !request.url().startsWith("data:")) outside.push(request.url());
  });
  await made.addInitScript(() => {
    window.reports = [];
    addEventListener("securitypolicyviolation", (event) => window.reports.push(`${event.violatedDirective} ${event.blockedURI}`));
  });
  return made;
}
