#!/usr/bin/env python3
"""The console's pages of waking and of incidents in Chromium: a real server, a receiver of its webhooks, three people, attackers' words."""
import http.server
import json
import pathlib
import shutil
import threading

from browser_tests import run_node
from harness import PASSWORD, ROOT, Checks, Server, run

checks = Checks()
browser = ROOT / "tests/browser"
SECRET = "0123456789abcdef"

RULE = """title: Money left
id: 11111111-2222-4333-8444-555555555555
logsource: {product: ecs}
detection: {left: {event.action: money_left}, condition: left}
level: critical
hinomi:
  entities: {wallet: wallet.from, ip: source.ip, user: user.name}
  explain: {en: "{wallet.amount} left {wallet.from}.", ja: "{wallet.from} から {wallet.amount} が出ました。"}
"""


class Receiver:
    """Takes every POST, and says on GET what it took, as a list of JSON."""

    def __init__(self):
        self.got, self.lock = [], threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
                with outer.lock:
                    outer.got.append({"path": self.path, **body})
                self.send_response(200)
                self.end_headers()

            def do_GET(self):
                with outer.lock:
                    text = json.dumps(outer.got).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"


def config(receiver):
    notifiers = "".join(f'  - {{kind: webhook, name: {name}, url: "{receiver.url}/{name}", secret: {SECRET}, least: critical, allow_private: true}}\n'
                        for name in ("push", "phone"))
    both = f'url: "{receiver.url}/do", undo_url: "{receiver.url}/undo", secret: {SECRET}, allow_private: true'
    return (f"notifiers:\n{notifiers}actions:\n"
            f"  - {{name: firewall, kind: webhook, takes: [ip], {both}, approvals: 0}}\n"
            f"  - {{name: careful, kind: webhook, takes: [ip], {both}, approvals: 1}}\n")


def start():
    """A server with one administrator (admin), a responder (sato) and an approver (suzuki)."""
    receiver = Receiver()
    server = Server(config=config(receiver))
    rules = pathlib.Path(server.dir) / "data/content/rules"
    rules.mkdir(parents=True)
    (rules / "money.yml").write_text(RULE)
    server.start()
    server.sign_in()
    for name, role in (("sato", "responder"), ("suzuki", "approver")):
        status, _, err = run("user", "add", name, "--role", role, "--dir", server.dir + "/data", data=(PASSWORD + "\n").encode())
        checks.equal(f"{name} may sign in", (status, err if status else ""), (0, ""))
    return receiver, server


def environment(receiver, server):
    return {"HINOMI_URL": f"http://127.0.0.1:{server.api_port}/", "HINOMI_PASSWORD": PASSWORD, "HINOMI_RECEIVER": receiver.url,
            "HINOMI_HEC": f"http://127.0.0.1:{server.hec_port}/services/collector/event", "HINOMI_HEC_TOKEN": server.token("hec"),
            "HINOMI_GATE_TOKEN": server.token("gate")}


def main():
    receiver, server = start()
    try:
        run_node(checks, "response.test.mjs", environment(receiver, server))
    finally:
        server.close()


if __name__ == "__main__":
    if not shutil.which("chromium") or not (browser / "node_modules").exists():
        checks.skip("browser", "Chromium or playwright-core is not installed")
    else:
        main()
    checks.finish()
