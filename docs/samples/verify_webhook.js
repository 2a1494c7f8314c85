#!/usr/bin/env node
// Checks the signature of Hinomi's webhooks. Needs nothing but Node.
//
//   const verifier = new Verifier(["the secret", "the next secret"]);
//   const why = verifier.check(request.headers["x-hinomi-signature"], body);     body: a Buffer, the bytes as they came
//   if (why) return response.writeHead(401).end();
//
// X-Hinomi-Signature is v1,SECONDS,NONCE,MAC[,MAC]: MAC is HMAC-SHA256(secret, "SECONDS.NONCE." + body) in hex, a second one is
// there while the sender changes its secret. A receiver that runs as several processes gives them one store of nonces.
//
// As a program it reads lines of NOW, header and body in base64, separated by tabs, and says what each is:
//   verify_webhook.js SECRET [SECRET] < lines
"use strict";
const crypto = require("crypto");

const WINDOW_S = 300; // what is older, or from the future, is refused; so nonces need no longer memory
const SHAPE = /^v1,(\d{1,12}),([0-9a-f]{32}),([0-9a-f]{64})(?:,([0-9a-f]{64}))?$/;

// Those seen within the window, of one process.
class Nonces {
  constructor() {
    this.seen = new Map();
  }

  isNew(nonce, now) {
    for (const [old, at] of this.seen) if (at < now - 2 * WINDOW_S) this.seen.delete(old);
    if (this.seen.has(nonce)) return false;
    this.seen.set(nonce, now);
    return true;
  }
}

class Verifier {
  constructor(secrets, nonces = new Nonces()) {
    this.secrets = secrets;
    this.nonces = nonces;
  }

  // null when it is genuine, else why not. The nonce is noted last: nobody can fill the store without the secret.
  check(header, body, now = Date.now() / 1000) {
    const parts = SHAPE.exec(header || "");
    if (!parts || header.includes("\n")) return "no signature of a known shape";
    const [, seconds, nonce, ...macs] = parts;
    if (Math.abs(now - Number(seconds)) > WINDOW_S) return "too old, or from the future";
    const wanted = this.secrets.map((secret) =>
      crypto.createHmac("sha256", secret).update(`${seconds}.${nonce}.`).update(body).digest(),
    );
    let genuine = false;
    for (const mac of macs.filter(Boolean))
      for (const want of wanted) genuine = crypto.timingSafeEqual(Buffer.from(mac, "hex"), want) || genuine;
    if (!genuine) return "not signed with a secret of ours";
    return this.nonces.isNew(nonce, now) ? null : "seen before";
  }
}

module.exports = { Verifier, Nonces };

if (require.main === module) {
  const verifier = new Verifier(process.argv.slice(2));
  const lines = require("fs").readFileSync(0, "utf8").split("\n").filter(Boolean);
  for (const line of lines) {
    const [now, header, body] = line.split("\t");
    console.log(verifier.check(header, Buffer.from(body, "base64"), Number(now)) || "genuine");
  }
}
