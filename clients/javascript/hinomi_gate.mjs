/* Asks the gate of a Hinomi on the same machine whether something may go ahead (docs/gate.md), over its Unix socket
 * (docs/format/gate-socket.md). One module for Node 18 and newer, nothing but its standard library.
 *
 *   const gate = new Gate("/run/hinomi/gate", { timeout: 50, failTable: "withdrawal BTC 0.01", spool: "/var/lib/exchange/gate.spool" });
 *   const answer = await gate.decide({ request_id: "W1", action: "withdrawal", account: "u1", asset: "BTC", amount: "0.5", destination: "bc1q..." });
 *   if (answer.decision === "allow") ...
 *
 * In doubt the answer is hold. When nobody answers within the time (ms), or what comes is no answer, the fail table decides: lines of
 * "action asset at-most", * fits any, the first that fits; nothing fits: hold. What it decided is written to the spool before it is
 * returned (no spool, or one that cannot be written: hold), and told to the gate when it is back.
 *
 * Amounts are texts: a JavaScript number has not enough digits for money and is refused. at and expiry are ns since 1970, BigInt or text.
 * Calls of one Gate wait for each other. */
import fs from "node:fs";
import net from "node:net";

const FIELDS = ["request_id", "action", "account", "asset", "amount", "wallet", "destination", "at", "nonce", "expiry"];
const ASK = 1, ANSWER = 2, CHECK = 3, CHECKED = 4, REPORT = 5, REPORTED = 6;
const DECISIONS = ["allow", "hold", "deny"];
const ASK_MAX = 64, BODY_MAX = 1 << 20, HEAD = 12;

class NoAnswer extends Error {}

function block(bytes) {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}

const text = (value) => block(Buffer.from(value, "utf8"));

/* The bytes of docs/gate.md. payload, which may be missing, is a Buffer or Uint8Array. */
export function canonical(request) {
  const { payload, ...texts } = request;
  if (payload && !(payload instanceof Uint8Array)) throw new TypeError("payload is a Buffer or Uint8Array");
  for (const name of Object.keys(texts)) {
    if (!FIELDS.includes(name)) throw new TypeError(`a request has no ${name}; it has ${FIELDS.join(", ")}`);
    if (typeof request[name] === "number") throw new TypeError(`${name} is a number; pass a text (or a BigInt for times)`);
  }
  const blocks = FIELDS.map((name) => text(String(request[name] || (name === "at" || name === "expiry" ? 0 : ""))));
  return Buffer.concat(payload && payload.length ? [...blocks, block(payload)] : blocks);
}

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }
  take(count) {
    if (count > this.bytes.length - this.at) throw new NoAnswer("the answer ends too early");
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }
  byte() {
    return this.take(1)[0];
  }
  block() {
    return this.take(this.take(4).readUInt32LE());
  }
  text() {
    return this.block().toString("utf8");
  }
  get done() {
    return this.at === this.bytes.length;
  }
}

function readAnswer(bytes) {
  const reader = new Reader(bytes), kind = reader.byte(), shadow = reader.byte() !== 0;
  if (kind > 2 && kind !== 255) throw new NoAnswer("an unknown decision");
  const answer = { decision: kind === 255 ? "hold" : DECISIONS[kind], shadow, refused: kind === 255, alone: false,
                   at: reader.take(8).readBigInt64LE(), tokenExpiry: reader.take(8).readBigInt64LE(), id: reader.text(), row: reader.text(),
                   incident: reader.text(), policyVersion: reader.text(), token: reader.text(), reasonsEn: [], reasonsJa: [] };
  for (let left = reader.byte(); left > 0; left--) {
    answer.reasonsEn.push(reader.text());
    answer.reasonsJa.push(reader.text());
  }
  if (!reader.done) throw new NoAnswer("an answer is longer than it says");
  return answer;
}

/* In units of 10^-38, or null when it is no plain decimal of at most 38 digits. */
function units(amount) {
  const found = /^(\d*)\.?(\d*)$/.exec(amount), digits = found ? found[1].length + found[2].length : 0;
  return digits >= 1 && digits <= 38 ? BigInt(found[1] + found[2].padEnd(38, "0")) : null;
}

/* The rows of a fail table; an Error names the wrong line. */
export function readTable(table = "") {
  const rows = [];
  for (const [index, line] of table.split("\n").entries()) {
    const words = line.trim().split(/\s+/);
    if (words[0] === "" || words[0].startsWith("#")) continue;
    const most = words.length === 3 ? units(words[2]) : null;
    if (most === null) throw new Error(`line ${index + 1} of the fail table is not: action asset at-most`);
    rows.push({ action: words[0], asset: words[1], most, line: `${words[0]} ${words[1]} at most ${words[2]}` });
  }
  return rows;
}

export class Gate {
  constructor(path, { timeout = 50, failTable = "", spool = null } = {}) {
    this.path = path;
    this.timeout = timeout;
    this.rows = readTable(failTable);
    this.spool = spool;
    this.socket = null;
    this.queue = Promise.resolve();
  }

  close() {
    if (this.socket) this.socket.destroy();
    this.socket = null;
  }

  async decide(request) {
    return (await this.decideMany([request]))[0];
  }

  /* Up to 64 at once: durable together, and much cheaper. */
  decideMany(requests) {
    const bodies = requests.map(canonical);
    return this.#inTurn(async () => {
      try {
        if (bodies.length < 1 || bodies.length > ASK_MAX) throw new NoAnswer("a frame has 1 to 64 requests");
        if (!this.socket) {
          await this.#connect(Date.now() + this.timeout);
          await this.#tell();
        }
        const reader = new Reader(await this.#ask(ASK, ANSWER, bodies.length, Buffer.concat(bodies.map(block))));
        const answers = bodies.map(() => readAnswer(reader.block()));
        if (!reader.done) throw new NoAnswer("more came than was asked");
        return answers;
      } catch {
        this.close();
        return requests.map((request, index) => this.#alone(request, bodies[index]));
      }
    });
  }

  /* For whoever signs, just before signing: true, false, or null when nobody answers: then do not sign. */
  check(token, request) {
    const body = Buffer.concat([block(canonical(request)), text(token)]);
    return this.#inTurn(async () => {
      try {
        return (await this.#ask(CHECK, CHECKED, 1, body))[0] === 1;
      } catch {
        this.close();
        return null;
      }
    });
  }

  /* Tells what was decided alone; how many are still to be told. */
  report() {
    return this.#inTurn(() => this.#tell());
  }

  #inTurn(work) {
    const done = this.queue.then(work);
    this.queue = done.catch(() => undefined);
    return done;
  }

  #connect(until) {
    return new Promise((resolve, reject) => {
      const socket = net.createConnection(this.path);
      const timer = setTimeout(() => fail(new NoAnswer("no connection in time")), Math.max(1, until - Date.now()));
      const fail = (error) => {
        clearTimeout(timer);
        socket.destroy();
        reject(error);
      };
      socket.once("error", fail);
      socket.once("connect", () => {
        clearTimeout(timer);
        socket.removeListener("error", fail);
        socket.on("error", () => undefined); /* whoever waits sees it close */
        socket.unref();
        this.socket = socket;
        resolve();
      });
    });
  }

  #once(frame, kind, count, until) {
    const socket = this.socket;
    return new Promise((resolve, reject) => {
      let got = Buffer.alloc(0);
      const end = (settle, value) => {
        clearTimeout(timer);
        socket.removeListener("data", take);
        socket.removeListener("close", gone);
        socket.unref();
        settle(value);
      };
      const gone = () => end(reject, new NoAnswer("the connection ended"));
      const timer = setTimeout(() => end(reject, new NoAnswer("no answer in time")), Math.max(1, until - Date.now()));
      const take = (part) => {
        got = Buffer.concat([got, part]);
        if (got.length < HEAD) return;
        const length = got.readUInt32LE(8);
        if (got.toString("latin1", 0, 4) !== "HGS1" || got[4] !== kind || got.readUInt16LE(6) !== count || length > 16 * BODY_MAX)
          end(reject, new NoAnswer("what came is no answer to this"));
        else if (got.length >= HEAD + length) end(resolve, got.subarray(HEAD, HEAD + length));
      };
      socket.on("data", take);
      socket.once("close", gone);
      socket.ref();
      socket.write(frame);
    });
  }

  /* A connection that the other side closed meanwhile is opened anew once: what is asked twice is answered once. */
  async #ask(kind, answer, count, body) {
    const until = Date.now() + this.timeout, head = Buffer.from("HGS1\0\0\0\0\0\0\0\0", "latin1");
    if (body.length > BODY_MAX) throw new NoAnswer("the frame is too long");
    head[4] = kind;
    head.writeUInt16LE(count, 6);
    head.writeUInt32LE(body.length, 8);
    const frame = Buffer.concat([head, body]);
    if (this.socket && !this.socket.destroyed) {
      try {
        return await this.#once(frame, answer, count, until);
      } catch {
        this.close();
      }
    }
    await this.#connect(until);
    return this.#once(frame, answer, count, until);
  }

  #alone(request, body) {
    const row = this.rows.find((r) => (r.action === "*" || r.action === request.action) && (r.asset === "*" || r.asset === request.asset));
    const amount = units(String(request.amount || ""));
    const passes = Boolean(row && request.request_id && amount !== null && amount <= row.most);
    const answer = (decision, line, en, ja) => ({ decision, row: line, id: "", incident: "", policyVersion: "", token: "", tokenExpiry: 0n,
      at: BigInt(Date.now()) * 1000000n, shadow: false, refused: false, alone: true, reasonsEn: [en], reasonsJa: [ja] });
    const made = passes
      ? answer("allow", row.line, "The gate does not answer; the table of the caller lets this amount pass.",
               "ゲートが応答しないため、呼び出し側の表によりこの金額は通過します。")
      : answer("hold", row ? row.line : "nothing fits", "The gate does not answer; the table of the caller holds this.",
               "ゲートが応答しないため、呼び出し側の表により保留します。");
    if (this.#keep(body, made) || !passes) return made;
    return answer("hold", "no spool", "The gate does not answer, and what is let pass alone cannot be written down.",
                  "ゲートが応答せず、単独での判断を記録できないため保留します。");
  }

  /* A report as it goes onto the socket, with its length in front. */
  #keep(body, answer) {
    if (!this.spool) return false;
    const middle = Buffer.alloc(9);
    middle[0] = DECISIONS.indexOf(answer.decision);
    middle.writeBigInt64LE(answer.at, 1);
    const report = block(Buffer.concat([block(body), middle, text(answer.row)]));
    let file;
    try {
      file = fs.openSync(this.spool, "a", 0o600);
      const end = fs.fstatSync(file).size;
      try {
        if (fs.writeSync(file, report) !== report.length) throw new Error("half of it was written");
        fs.fdatasyncSync(file);
        return true;
      } catch {
        fs.ftruncateSync(file, end);
        return false;
      }
    } catch {
      return false;
    } finally {
      if (file !== undefined) fs.closeSync(file);
    }
  }

  /* The gate keeps a report once, however often it is told. */
  async #tell() {
    if (!this.spool || !fs.existsSync(this.spool)) return 0;
    const reader = new Reader(fs.readFileSync(this.spool));
    let reports = [];
    try {
      while (!reader.done) reports.push(reader.block());
    } catch {
      /* torn at the end: never returned to anybody */
    }
    try {
      for (; reports.length; reports = reports.slice(ASK_MAX)) {
        const some = reports.slice(0, ASK_MAX);
        await this.#ask(REPORT, REPORTED, some.length, Buffer.concat(some));
      }
    } catch {
      this.close();
      return reports.length;
    }
    fs.unlinkSync(this.spool);
    return 0;
  }
}
