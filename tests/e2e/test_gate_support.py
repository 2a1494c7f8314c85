#!/usr/bin/env python3
"""What support staff may say: safe words, in both languages, and nothing that helps a thief."""
import re

from gated import Gated
from harness import PASSWORD, ROOT, Checks

checks = Checks()
DEFAULT = (ROOT / "content/policy/default.yaml").read_text()


def texts_of_the_default_policy():
    """row -> (en, ja), as the file has them."""
    found = {}
    for row in re.split(r"\n  - name: ", DEFAULT.split("\nrows:\n", 1)[1])[0:]:
        name = row.removeprefix("  - name: ").split("\n", 1)[0].strip() if not row.startswith("\n") else row.strip().removeprefix("- name: ").split("\n", 1)[0]
        support = re.search(r'\n    support:\n      en: "(.*)"\n      ja: "(.*)"', row)
        if "effect: allow" not in row:
            found[name] = support.groups() if support else None
    return found


def safe_words():
    texts = texts_of_the_default_policy()
    checks.check("rows are found", len(texts) >= 12 and "large-share" in texts and "malformed" in texts, texts.keys())
    checks.equal("every row that holds or denies has words for customers", [name for name, text in texts.items() if not text], [])
    rules = (ROOT / "content/rules").glob("*.yml")
    titles = {line.split(": ", 1)[1].strip() for path in rules for line in path.read_text().splitlines() if re.match(r"\s*(title|catalogue): ", line)}
    limits = set(re.findall(r"^  (\w+):", DEFAULT.split("\nlimits:\n", 1)[1].split("\nvalues:", 1)[0], re.M))
    checks.check("rules and limits are found", len(titles) > 50 and "WDR-05" in titles and "asset_share" in limits, (len(titles), limits))
    forbidden = {name.lower() for name in texts} | {title.lower() for title in titles} | {limit.lower() for limit in limits}
    forbidden |= {limit.lower().replace("_", " ") for limit in limits} | {"inc-", "incident", "インシデント", "rule", "ルール", "limit", "上限", "score", "スコア", "hot wallet",
                                                                        "ホットウォレット", "balance", "残高", "share", "割合", "policy", "ポリシー", "sanction", "制裁", "blacklist"}
    for name, pair in texts.items():
        for text in pair or ():
            inside = [word for word in forbidden if word in text.lower()]
            checks.equal(f"{name}: says nothing of {text!r}", inside, [])
            checks.check(f"{name}: no digit and no value", not re.search(r"[0-9０-９{}%]", text), text)


def golden():
    gated = Gated(DEFAULT.replace("mode: shadow", "mode: enforce"))
    server = gated.server
    for attempt in range(200):
        if gated.ask(f"x{attempt}", asset="NONE")[1]["row"] == "balance-unknown":
            break
    gated.ask("W1", asset="NONE")
    want = texts_of_the_default_policy()["balance-unknown"]
    status, said, _ = server.request("GET", "/v1/gate/support?request_id=W1")
    checks.equal("a hold", (status, said["request_id"], said["state"], said["text"], said["usual_minutes"], said["minutes_from"]),
                 (200, "W1", "held", {"en": want[0], "ja": want[1]}, None, None))
    checks.equal("the golden words", said["text"], {"en": "For everybody's safety, requests of this kind are being checked one by one at the moment.",
                                                    "ja": "安全のため、現在この種のお手続きを順次確認しています。"})
    checks.equal("and no more than that", sorted(said), ["minutes_from", "request_id", "since", "state", "text", "usual_minutes"])
    hold = next(h["id"] for h in server.request("GET", "/v1/gate/holds")[1]["holds"] if h["request_id"] == "W1")
    checks.equal("by the hold", server.request("GET", f"/v1/gate/holds/{hold}/support")[1], said)
    gated.ask("W2", amount="-1")
    checks.equal("refused", server.request("GET", "/v1/gate/support?request_id=W2")[1]["text"]["en"], "Some details of this request are missing. Please check it and send it again.")
    gated.ask("W3", action="login")
    checks.equal("not held", server.request("GET", "/v1/gate/support?request_id=W3")[1]["state"], "not_held")
    checks.equal("unknown", server.request("GET", "/v1/gate/support?request_id=W9")[0], 404)
    checks.equal("nobody", server.request("GET", "/v1/gate/support")[0], 400)
    people = gated.people("aoki", "baba")
    for who in people.values():
        gated.release(who, hold)
    released = server.request("GET", "/v1/gate/support?request_id=W1")[1]
    checks.equal("released", (released["state"], released["text"]), ("released", {"en": "The check is finished. The request goes on the next time it is processed.",
                                                                                "ja": "確認は完了しました。次回の処理で手続きが進みます。"}))

    status, body, _ = server.request("POST", "/v1/users", {"name": "madoguchi", "password": PASSWORD, "role": "support"})
    checks.equal("a role of their own", status, 201)
    _, body, headers = server.request("POST", "/v1/login", {"name": "madoguchi", "password": PASSWORD})
    staff = (headers["Set-Cookie"].split(";")[0], body["csrf"])
    checks.equal("may ask by the number of the request", gated.by(staff, "GET", "/v1/gate/support?request_id=W1")[0], 200)
    checks.equal("and who they are", gated.by(staff, "GET", "/v1/session")[0], 200)
    for path in (f"/v1/gate/holds/{hold}/support", f"/v1/gate/holds/{hold}", "/v1/gate/holds", "/v1/gate", "/v1/gate/decisions", "/v1/gate/stops", "/v1/incidents",
                 "/v1/rules", "/v1/overview", "/v1/audit"):
        checks.equal(f"and nothing of {path}", gated.by(staff, "GET", path)[0], 403)
    checks.equal("nor search", gated.by(staff, "POST", "/v1/search", {"query": "*", "from": "0", "to": ""})[0], 403)
    token = server.token("api", role="support")
    server.cookie = None
    checks.equal("nobody without a name", server.request("GET", "/v1/gate/support?request_id=W1")[0], 401)
    checks.equal("a program of theirs may", server.request("GET", "/v1/gate/support?request_id=W1", headers={"Authorization": f"Bearer {token}"})[0], 200)
    server.close()


for test in (safe_words, golden):
    test()
checks.finish()
