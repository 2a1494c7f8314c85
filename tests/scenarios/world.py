"""An exchange at work, for scenarios: staff, hosts, customers, wallets and their ordinary days, as events in ECS names plus
exchange.* and wallet.*. Everything follows from the seed; the standard library is all that is needed.

    world = World(seed=3, days=9)
    world.background()                          # ordinary days, all kinds of events
    at = world.day(8, hour=3)                   # a moment
    world.transfer(at, asset, thief, amount)    # what a thief does; returns the id of the event
    world.expect("WDR-05", at, asset.hot)       # what has to be found, and until when
    world.write("events.jsonl", late=120)       # late: up to so many seconds out of order

An attack adds events by add() and says with expect() what must be found; quiet() names events that must raise nothing high."""
import datetime
import hashlib
import json
import random

FIRST = datetime.datetime(2024, 4, 1, tzinfo=datetime.timezone.utc)
COUNTRIES = ["JP", "JP", "JP", "SG", "KR", "US"]
AGENTS = ["Mozilla/5.0 (Windows NT 10.0) Chrome/123.0", "Mozilla/5.0 (Macintosh) Safari/17.4", "Mozilla/5.0 (iPhone) Safari/17.3", "Kasumi/4.2 (Android 14)"]
ASSETS = [("QTM", 6.0, 4e6, 900), ("LUMA", 1.5, 9e6, 2500), ("BTC", 64000.0, 800, 0.05), ("ETH", 3300.0, 15000, 1.1), ("SOLX", 140.0, 90000, 12), ("DRIP", 0.02, 4e8, 90000)]
CATEGORY = {"exchange.auth": ["authentication"], "vpn.auth": ["authentication", "network"], "linux.auth": ["authentication"], "edr.process": ["process"], "edr.registry": ["registry"], "dns.query": ["network"],
            "firewall.flow": ["network"], "chain.transfer": ["network"], "proxy.access": ["web"], "nginx.access": ["web"], "mail.gateway": ["email"], "agent.heartbeat": ["host"], "wallet.balance": ["database"],
            "wallet.signer": ["iam"], "exchange.account": ["iam"], "exchange.apikey": ["iam"], "exchange.order": ["web"], "exchange.trade": ["web"], "exchange.deposit": ["web"], "exchange.withdrawal": ["web"]}
RANK = {"low": 1, "medium": 2, "high": 3, "critical": 4}


def stamp(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def digest(*parts):
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()


class Asset:
    def __init__(self, seed, name, usd, held, usual):
        self.name, self.usd, self.usual = name, usd, usual
        self.hot, self.cold = (f"{name.lower()}1{digest(seed, name, tier)[:30]}" for tier in ("hot", "cold"))
        self.chain = {"hot": held, "cold": held * 30}
        self.books = dict(self.chain)
        self.pending = 0.0
        self.key, self.client = f"key-{name.lower()}-1", f"hotd-{name.lower()}"


class World:
    def __init__(self, seed, days=9, customers=400, assets=3, snapshot=300):
        self.seed, self.days, self.snapshot = seed, days, snapshot
        self.random = random.Random(f"world {seed}")
        self.assets = [Asset(seed, *row) for row in self.random.sample(ASSETS, assets)]
        self.customers = [f"c{self.random.randrange(10**7):07d}" for _ in range(customers)]
        self.staff = [f"{name}.{self.random.choice('abcdefgh')}" for name in ("mori", "abe", "ono", "kudo", "seki", "hara", "endo", "ueda")]
        self.signer = f"sig-{self.random.choice(('east', 'west', 'tokyo'))}-1"
        self.events, self.moves, self.wanted, self.calm, self.attack = [], [], [], [], []
        self.count = 0

    # ---- times and events ----

    def day(self, number, hour=0, minute=0, second=0.0):
        return FIRST + datetime.timedelta(days=number, hours=hour, minutes=minute, seconds=second)

    def add(self, at, dataset, action, planted=True, outcome="success", **fields):
        """One event; planted: it is of the attack. Returns its id."""
        self.count += 1
        name = f"e{digest(self.seed, self.count)[:16]}"
        self.events.append((at, self.count, {"@timestamp": stamp(at), "event": {"id": name, "dataset": dataset, "action": action, "category": CATEGORY.get(dataset, ["configuration"]), "outcome": outcome}, **fields}))
        if planted:
            self.attack.append(name)
        return name

    def expect(self, catalogue, at, entity, seconds=60, severity="critical", event=None):
        """A finding of that line of the catalogue, of at least that severity, between at and seconds later, that has the
        entity or the event as evidence."""
        self.wanted.append({"id": catalogue, "from": at, "until": at + datetime.timedelta(seconds=seconds), "entity": entity, "severity": severity, "event": event})

    def quiet(self, *ids):
        self.calm.extend(ids)

    # ---- what happens with money ----

    def transfer(self, at, asset, to, amount, frm=None, txid=None, planted=True, tier="hot"):
        """What the chain shows; own balances follow."""
        frm = frm or (asset.hot if tier == "hot" else asset.cold)
        for place, sign in ((frm, -1), (to, 1)):
            for which in ("hot", "cold"):
                if place == getattr(asset, which):
                    self.moves.append((at, asset, which, sign * amount, 0.0, 0.0))
        return self.add(at, "chain.transfer", "transfer", planted, host={"name": "fullnode-1"},
                        wallet={"asset": asset.name, "from": frm, "to": to, "amount": round(amount, 6), "txid": txid or digest(self.seed, "tx", self.count), "usd": round(amount * asset.usd, 2)})

    def withdrawal(self, at, asset, user, to, amount, by_hand=None, listed=True, planted=False, source="198.51.100.9", tier="hot"):
        """From the request to the confirmation. Returns the ids of its events."""
        later = lambda least, most: datetime.timedelta(seconds=self.random.uniform(least, most))
        name, txid = f"w{digest(self.seed, 'w', self.count)[:10]}", digest(self.seed, "wtx", self.count)
        what = {"withdrawal_id": name, "asset": asset.name, "amount": round(amount, 6), "address": to}
        wallet = {"key_id": asset.key, "withdrawal_id": name, "asset": asset.name, "client": asset.client}
        ids = [self.add(at, "exchange.withdrawal", "withdrawal_requested", planted, user={"id": user}, source={"ip": source}, exchange={**what, "address_whitelisted": listed})]
        at += later(200, 2000) if by_hand else later(1, 6)
        approval = {"approval": "manual", "approver": by_hand} if by_hand else {"approval": "auto", "risk_score": self.random.randrange(30)}
        ids.append(self.add(at, "exchange.withdrawal", "withdrawal_approved", planted, **({"user": {"name": by_hand}} if by_hand else {}), exchange={**what, **approval}))
        at += later(0.5, 3)
        ids.append(self.add(at, "wallet.signer", "sign_request", planted, host={"name": self.signer}, process={"name": "signerd"}, wallet={**wallet, "amount": round(amount, 6), "to": to}))
        at += later(0.1, 0.5)
        ids.append(self.add(at, "wallet.signer", "signed", planted, host={"name": self.signer}, process={"name": "signerd"}, wallet={**wallet, "txid": txid}))
        ids.append(self.add(at + later(0.2, 1), "exchange.withdrawal", "withdrawal_broadcast", planted, exchange={"withdrawal_id": name, "txid": txid}))
        at += later(3, 40)
        ids.append(self.transfer(at, asset, to, amount, txid=txid, planted=planted, tier=tier))
        own = to in (asset.hot, asset.cold)
        self.moves.append((at, asset, tier, 0.0, -amount, 0.0))
        if own:
            self.moves.append((at, asset, "hot" if to == asset.hot else "cold", 0.0, amount, 0.0))
        return ids

    def deposit(self, at, asset, user, amount):
        seen = self.transfer(at, asset, asset.hot, amount, frm=f"x{digest(self.seed, 'from', self.count)[:30]}", planted=False)
        credited = at + datetime.timedelta(seconds=self.random.uniform(20, 90))
        self.moves.append((at, asset, "hot", 0.0, 0.0, amount))
        self.moves.append((credited, asset, "hot", 0.0, amount, -amount))
        self.add(credited, "exchange.deposit", "deposit_credited", False, user={"id": user}, exchange={"asset": asset.name, "amount": round(amount, 6), "txid": digest(seen)})

    # ---- ordinary days ----

    def background(self, withdrawals=60, deposits=80, logins=200, desk=200):
        for number in range(self.days):
            self.money_day(number, withdrawals, deposits)
            self.customer_day(number, logins)
            self.office_day(number, desk)
            for host in (self.signer, "jump-a", "fullnode-1", *(asset.client for asset in self.assets)):
                for minute in range(0, 1440, 5):
                    self.add(self.day(number, minute=minute, second=len(host) + 0.5), "agent.heartbeat", "heartbeat", False, host={"name": host})

    def moment(self, number):
        hour = self.random.choice((*range(24), *range(8, 22), *range(9, 20)))
        return self.day(number, hour, self.random.randrange(60), self.random.uniform(0, 60))

    def money_day(self, number, withdrawals, deposits):
        for k in range(withdrawals + deposits):
            asset, user = self.random.choice(self.assets), self.random.choice(self.customers)
            amount = min(asset.usual * 200, asset.usual * self.random.lognormvariate(0, 1.2))
            amount = min(amount, asset.chain["hot"] * 0.002)
            if k >= withdrawals:
                self.deposit(self.moment(number), asset, user, amount)
                continue
            self.withdrawal(self.moment(number), asset, user, f"{asset.name.lower()}1{digest(user, asset.name, self.random.randrange(2))[:30]}", amount,
                            self.random.choice(self.staff[:3]) if amount > asset.chain["hot"] * 0.0015 else None, self.random.random() < 0.8)

    def customer_day(self, number, logins):
        for _ in range(logins):
            user, at = self.random.choice(self.customers), self.moment(number)
            mark = int(digest(user)[:6], 16)
            self.add(at, "exchange.auth", "login", False, "success" if self.random.random() < 0.94 else "failure", user={"id": user}, device={"id": f"dev-{user}"},
                     source={"ip": f"198.18.{mark % 250}.{mark // 250 % 250}", "geo": {"country_iso_code": COUNTRIES[mark % 6]}, "as": {"number": 64500 + mark % 20}}, user_agent={"original": AGENTS[mark % 4]})
            if self.random.random() < 0.6:
                asset = self.random.choice(self.assets)
                self.add(at + datetime.timedelta(minutes=self.random.uniform(1, 20)), "exchange.order", "order_placed", False, user={"id": user},
                         exchange={"symbol": f"{asset.name}/USDT", "side": self.random.choice(("buy", "sell")), "type": "limit", "quantity": round(asset.usual * self.random.random(), 4), "price": asset.usd, "channel": "web"})

    def office_day(self, number, desk):
        for _ in range(desk):
            name = self.random.choice(self.staff)
            at, mark = self.day(number, self.random.randrange(0, 11), self.random.randrange(60), self.random.uniform(0, 60)), self.staff.index(name)
            host, ip = f"WS-{name.split('.')[0].upper()}", f"10.7.1.{20 + mark}"
            domain = f"{self.random.choice(('mail', 'wiki', 'chat', 'cdn', 'news'))}{self.random.randrange(12)}.example"
            kind = self.random.randrange(4)
            if kind == 0:
                self.add(at, "dns.query", "dns_query", False, host={"name": host}, source={"ip": ip}, dns={"question": {"name": domain, "type": "A"}, "response_code": "NOERROR"})
            elif kind == 1:
                self.add(at, "proxy.access", "http_request", False, user={"name": name}, host={"name": host}, source={"ip": ip}, destination={"domain": domain, "ip": "198.19.3.4", "port": 443},
                         url={"domain": domain, "path": "/"}, http={"request": {"method": "GET", "bytes": self.random.randrange(300, 3000)}, "response": {"status_code": 200, "bytes": self.random.randrange(500, 90000)}})
            elif kind == 2:
                program = self.random.choice(("chrome.exe", "excel.exe", "outlook.exe"))
                self.add(at, "edr.process", "process_start", False, user={"name": name}, host={"name": host, "os": {"type": "windows"}},
                         process={"name": program, "executable": f"C:\\Program Files\\{program}", "hash": {"sha256": digest(program)}, "code_signature": {"trusted": True}, "parent": {"name": "explorer.exe"}})
            else:
                self.add(at, "vpn.auth", "vpn_login", False, user={"name": name}, source={"ip": f"198.18.251.{mark}", "geo": {"country_iso_code": "JP"}}, device={"id": f"lap-{name}", "managed": True})

    # ---- the end ----

    def snapshots(self):
        """What the wallets hold, every so many seconds, by the moves until then."""
        self.moves.sort(key=lambda move: move[0])
        done = 0
        for step in range(self.days * 86400 // self.snapshot):
            at = FIRST + datetime.timedelta(seconds=step * self.snapshot)
            while done < len(self.moves) and self.moves[done][0] <= at:
                _, asset, tier, chain, books, pending = self.moves[done]
                asset.chain[tier] += chain
                asset.books[tier] += books
                asset.pending += pending
                done += 1
            for asset in self.assets:
                for tier in ("hot", "cold"):
                    self.add(at, "wallet.balance", "balance_snapshot", False, wallet={"asset": asset.name, "tier": tier, "address": getattr(asset, tier), "chain_balance": round(asset.chain[tier], 6),
                             "ledger_balance": round(asset.books[tier], 6), "pending_in": round(asset.pending, 6) if tier == "hot" else 0})

    def write(self, path, late=0):
        """The events in order of time, or of arrival up to so many seconds late. Returns how many."""
        self.snapshots()
        order = random.Random(f"late {self.seed}")
        rows = [(at.timestamp() + (order.uniform(0, late) if late else 0), count, event) for at, count, event in self.events if at < self.day(self.days)]
        rows.sort(key=lambda row: row[:2])
        with open(path, "w", encoding="utf-8") as out:
            for row in rows:
                out.write(json.dumps(row[2], separators=(",", ":"), ensure_ascii=False) + "\n")
        return len(rows)
