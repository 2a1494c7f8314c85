"""What happens to staff, accounts and markets, with other names, sources, pairs and gaps for each seed.

    intrusion     mail to staff, a click, a program that calls home, an administrator at night, the wallet host (2018)
    stolen_keys   keys made in taken accounts, asleep for days, wake together in a thin pair; young accounts sell to them (2018)
    stuffing      passwords from elsewhere are tried, one account is emptied step by step, another is used in two places
    broker        taken accounts sell what they hold and buy one thin share (2025)
    insider       a member of staff looks up many customers and takes the list along
    flood         requests to a service from sources never seen"""
import datetime

from world import World, digest

SECOND = datetime.timedelta(seconds=1)
HOUR = 3600 * SECOND


def later(world, least, most):
    return datetime.timedelta(seconds=world.random.uniform(least, most))


def address(world, net, number):
    return f"203.0.{113 if net == 0 else 120 + net}.{1 + number % 250}"


def login(world, at, user, ip, device, agent="Mozilla/5.0 Firefox/115", country="NL", outcome="success", planted=True):
    return world.add(at, "exchange.auth", "login", planted, outcome, user={"id": user}, source={"ip": ip, "geo": {"country_iso_code": country}, "as": {"number": 65010}}, device={"id": device}, user_agent={"original": agent})


def order(world, at, user, symbol, side, quantity, price=None, key=None, ip="198.18.9.9", planted=True, **more):
    what = {"symbol": symbol, "side": side, "type": "limit" if price else "market", "quantity": quantity, "channel": "api" if key else "web", **more}
    return world.add(at, "exchange.order", "order_placed", planted, user={"id": user}, source={"ip": ip}, exchange={**what, **({"price": price} if price else {}), **({"api_key_id": key} if key else {})})


def trade(world, at, buyer, seller, symbol, quantity, price, planted=True):
    return world.add(at, "exchange.trade", "trade_executed", planted, exchange={"symbol": symbol, "quantity": quantity, "price": price, "buyer": buyer, "seller": seller})


def key_made(world, at, user, key, ip, device, planted=True):
    return world.add(at, "exchange.apikey", "api_key_created", planted, user={"id": user}, source={"ip": ip}, device={"id": device}, exchange={"api_key_id": key, "permissions": ["read", "trade"], "ip_allowlist": []})


def opened(world, at, user, ip="198.18.8.8"):
    return world.add(at, "exchange.account", "account_opened", user={"id": user}, source={"ip": ip}, exchange={"kyc_level": 1})


def market(world, thin):
    """Trades, orders of people and of a market maker, a thin pair, and a day with news."""
    random = world.random
    pairs = [f"{asset.name}/USDT" for asset in world.assets] + [f"{asset.name}/BTC" for asset in world.assets if asset.name != "BTC"]
    price = {pair: random.uniform(1, 90) for pair in pairs}
    price[thin] = random.uniform(0.001, 3)
    for number in range(world.days):
        for k in range(260):
            pair, at = (thin if k % 40 == 0 else random.choice(pairs)), world.moment(number)
            price[pair] *= 1 + random.gauss(0, 0.0008)
            buyer = "maker-1" if k % 3 == 0 else random.choice(world.customers)
            trade(world, at, buyer, random.choice(world.customers), pair, round(random.lognormvariate(1, 1), 4), round(price[pair], 8), False)
            user = "maker-1" if k % 3 == 0 else random.choice(world.customers)
            order(world, at + later(world, 0, 900), user, pair, random.choice(("buy", "sell")), round(random.lognormvariate(1, 1), 4), round(price[pair], 8), f"key-{user}" if k % 2 else None, planted=False)
    news, at, level = pairs[-1], world.day(5, 9), price[pairs[-1]]
    for k in range(300):
        at, level = at + 3 * SECOND, level * 1.0011
        world.quiet(trade(world, at, random.choice(world.customers), random.choice(world.customers), news, round(random.uniform(5, 900), 3), round(level, 8), False))
    return price


def keys_of_customers(world):
    """A promotion, and an office behind one address: each makes keys where it always is."""
    for number, user in enumerate(world.customers[:60]):
        world.quiet(key_made(world, world.day(4, 6) + later(world, 0, 3600), user, f"promo-{user}", f"198.18.{number}.7", f"dev-{user}", False))
    for number in range(12):
        user = f"office{number}"
        for day in range(2, 7):
            login(world, world.day(day, 1, number), user, "198.19.77.1", f"dev-{user}", country="JP", planted=False)
        if number < 3:
            world.quiet(key_made(world, world.day(6, 2, number), user, f"office-{user}", "198.19.77.1", f"dev-{user}", False))


def stolen_keys(seed):
    world = World(seed)
    world.background()
    random = world.random
    thin = f"{random.choice(('NEKO', 'ZORI', 'PILL'))}/{random.choice(('BTC', 'USDT'))}"
    price = market(world, thin)
    keys_of_customers(world)
    victims, agent = random.sample(world.customers[60:], 25), f"Mozilla/5.0 (X11) Chrome/{random.randrange(60, 99)}"
    at, keys = world.day(3, random.randrange(24)), {}
    for number, user in enumerate(victims):
        at += later(world, 60, 600)
        ip, device, keys[user] = address(world, 0, random.randrange(3)), f"x{digest(seed, user)[:6]}", f"k{digest(seed, 'key', user)[:10]}"
        login(world, at, user, ip, device, agent)
        made = key_made(world, at + later(world, 20, 150), user, keys[user], ip, device)
        if number == 0:
            world.expect("API-01", at, user, 200, "medium", made)
        if number == 7:
            world.expect("API-02", at - HOUR, ip, 3700, "high", made)
    sellers = [f"s{digest(seed, number)[:7]}" for number in range(9)]
    for number, user in enumerate(sellers):
        opened(world, world.day(5, 3 + number), user)
        world.add(world.day(6, 2 + number), "exchange.deposit", "deposit_credited", user={"id": user}, exchange={"asset": thin.split("/")[0], "amount": 4000 + number, "txid": digest(seed, user)})
    at = world.day(8, random.randrange(3, 20), random.randrange(50))
    for number, user in enumerate(sellers):
        placed = order(world, at + number * 9 * SECOND, user, thin, "sell", round(random.uniform(900, 2000), 2), round(price[thin] * random.uniform(20, 60), 8))
        if number == 5:
            world.expect("MUL-01", at, thin, 120, "medium", placed)
    at += later(world, 180, 500)
    level = price[thin]
    for number, user in enumerate(victims):
        moment = at + number * 0.9 * SECOND
        for asset in world.assets[:2]:
            order(world, moment, user, f"{asset.name}/USDT", "sell", round(random.lognormvariate(1, 1), 3), None, keys[user], address(world, 0, number))
        moment += 3 * SECOND
        bought = order(world, moment, user, thin, "buy", round(random.uniform(40, 500), 2), None, keys[user], address(world, 0, number))
        if number == 9:
            world.expect("API-03", moment, thin, 15, event=bought)
        level *= 1.2
        done = trade(world, moment + 0.05 * SECOND, user, sellers[number % 9], thin, round(random.uniform(40, 300), 2), round(level, 8))
        if number == 8:
            world.expect("PMP-01", moment, thin, 20, "high", done)
        if number == 18:
            world.expect("PMP-02", moment, sellers[0], 45, "critical", done)
    return world


def stuffing(seed):
    world = World(seed)
    world.background()
    keys_of_customers(world)
    random = world.random
    # Somebody forgets the password; a customer has a new telephone; an office signs in at nine.
    for number in range(8):
        world.quiet(login(world, world.day(6, 4, number), world.customers[0], "198.18.250.1", "dev-old", outcome="failure", country="JP", planted=False))
    at, ip = world.day(7, random.randrange(22), random.randrange(60)), address(world, 1, seed)
    world.expect("ATO-01", at, ip, 90, "high")
    taken = random.sample(range(30, 200), 2)
    for number in range(220):
        at += later(world, 0.4, 2)
        login(world, at, world.customers[number], ip, "b0", "okhttp/3.12", outcome="success" if number in taken else "failure")
    user, steps = world.customers[taken[0]], [("exchange.auth", "second_factor_disabled"), ("exchange.account", random.choice(("email_changed", "phone_changed"))), ("exchange.account", "address_book_added")]
    for dataset, action in random.sample(steps, random.choice((2, 3))):
        at += later(world, 20, 300)
        world.add(at, dataset, action, user={"id": user}, source={"ip": ip}, device={"id": "b0"})
    at += later(world, 30, 900)
    asked = world.add(at, "exchange.withdrawal", "withdrawal_requested", user={"id": user}, source={"ip": ip}, exchange={"withdrawal_id": "w-ato", "asset": world.assets[0].name, "amount": 3.1, "share_of_account": 0.97, "address": "thief1", "address_whitelisted": False})
    world.expect("ATO-02", at, user, 30, event=asked)
    # Slowly, each account from another address; then one customer in two places.
    at = world.day(8, 1)
    for number in range(40):
        at += later(world, 100, 900)
        tried = login(world, at, world.customers[300 + number], f"100.{64 + number}.{number}.9", f"q{number}", "Go-http-client/1.1", outcome="failure")
    world.expect("ATO-01", world.day(8, 1), "Go-http-client/1.1", 40 * 900, "high", tried)
    at = world.day(8, 20)
    for minutes, place, ip, device in ((0, (35.7, 139.7), "198.18.3.3", "own"), (random.randrange(5, 55), (50.1, 8.7), "203.0.130.9", "other")):
        moved = world.add(at + minutes * 60 * SECOND, "exchange.auth", "login", user={"id": "traveller"}, source={"ip": ip, "geo": {"location": {"lat": place[0], "lon": place[1]}}, "as": {"number": 64500 + len(device)}}, device={"id": device}, user_agent={"original": f"agent {device}"})
    world.expect("ATO-04", at, "traveller", 3600, "high", moved)
    return world


def broker(seed):
    world = World(seed)
    world.background()
    random = world.random
    thin = f"{random.randrange(1300, 9999)}.T"
    market(world, thin)
    # A customer with a new telephone sells one large pair and buys another.
    at = world.day(7, 2)
    login(world, at, world.customers[5], "198.18.44.4", "dev-new", country="JP", planted=False)
    for minutes, pair, side in ((5, f"{world.assets[0].name}/USDT", "sell"), (9, f"{world.assets[1].name}/USDT", "buy")):
        world.quiet(order(world, at + minutes * 60 * SECOND, world.customers[5], pair, side, 3, planted=False))
    at = world.day(8, random.randrange(22), random.randrange(20))
    for number, user in enumerate(random.sample(world.customers[30:], 7)):
        moment = at + later(world, 30, 500)
        login(world, moment - later(world, 60, 900), user, address(world, 2, number * 31), f"n{number}{seed}", "Mozilla/5.0 (Windows NT 10.0) Edge/131")
        for sold in range(random.randrange(1, 4)):
            order(world, moment + later(world, 1, 60), user, f"{world.assets[sold % len(world.assets)].name}/USDT", "sell", round(random.uniform(1, 50), 2))
        bought = order(world, moment + later(world, 70, 200), user, thin, "buy", round(random.uniform(100, 5000)))
        world.expect("ATO-03", moment, user, 260, "high", bought)
    world.expect("PMP-03", at, thin, 800)
    return world


def insider(seed):
    world = World(seed)
    world.background()
    random = world.random
    look = lambda at, name, planted: world.add(at, random.choice(("exchange.admin", "crm.access")), random.choice(("customer_viewed", "account_lookup")), planted, user={"name": name}, source={"ip": "10.7.1.9"}, customer={"id": random.choice(world.customers)})
    for number in range(world.days):
        for _ in range(150):
            look(world.day(number, random.randrange(1, 10), random.randrange(60), random.uniform(0, 60)), random.choice(world.staff), False)
        world.quiet(world.add(world.day(number, 9), "exchange.admin", "report_exported", False, user={"name": world.staff[0]}, source={"ip": "10.7.1.2"}, exchange={"records": 4000}))
    name, at = world.staff[3], world.day(8, random.choice((3, 13, 19)), random.randrange(60))
    for _ in range(90):
        at += later(world, 5, 35)
        look(at, name, True)
    world.expect("INS-01", at, name, 60, "high")
    at += later(world, 300, 3000)
    taken = world.add(at, "exchange.admin", random.choice(("report_exported", "customers_download")), user={"name": name}, source={"ip": "10.7.1.9"}, exchange={"records": 5200})
    world.expect("INS-02", at, name, 60, "high", taken)
    return world


def flood(seed):
    world = World(seed)
    world.background()
    random = world.random
    service = random.choice(("trading-api", "login", "www"))
    ask = lambda at, ip, planted, status=200: world.add(at, "nginx.access", "http_request", planted, service={"name": service}, source={"ip": ip}, http={"request": {"method": "GET"}, "response": {"status_code": status}})
    for number in range(world.days):
        for _ in range(1500):
            ask(world.moment(number), f"198.18.{random.randrange(20)}.{random.randrange(100)}", False)
    opening = world.day(7, 0)
    for number in range(400):  # the market opens, and the known come at once
        world.quiet(ask(opening + number * 0.1 * SECOND, f"198.18.{number % 20}.{number % 100}", False))
    at = world.day(8, random.randrange(23), random.randrange(59))
    first = ask(at, address(world, 3, 1), True)
    world.expect("DDO-01", at, service, 45, event=first)
    for number in range(600):
        at += later(world, 0.02, 0.2)
        ask(at, f"100.{64 + random.randrange(60)}.{random.randrange(250)}.{random.randrange(250)}", True, random.choice((200, 503)))
    return world


def intrusion(seed):
    world = World(seed)
    random = world.random
    world.background()
    admins = world.staff[:3]
    for number in range(world.days):
        for name in admins:
            for host in ("web-a", "db-a", "jump-a"):
                world.add(world.day(number, random.randrange(1, 9), random.randrange(60)), "linux.auth", "ssh_login", False, user={"name": name}, host={"name": host}, source={"ip": "10.7.1.20"}, process={"name": "sshd"})
        for _ in range(20):
            world.add(world.moment(number), "mail.gateway", "message_delivered", False, email={"from": {"address": f"info@news{random.randrange(12)}.example"}, "to": {"address": [f"{random.choice(world.staff)}@own.example"]}, "subject": "newsletter", "links": 2})
        for host in ("WS-MORI", "WS-ABE", "WS-ONO", "WS-KUDO", "WS-SEKI"):  # an updater polls like a clock; all know it
            for hour in range(24):
                world.add(world.day(number, hour, 7, len(host)), "proxy.access", "http_request", False, host={"name": host}, source={"ip": f"10.7.2.{len(host)}{host[3]=='M':d}"}, url={"domain": "update.vendor.example"}, http={"request": {"method": "GET", "bytes": 300}})
    victim = world.staff[1]
    host, sender, control = f"WS-{victim.split('.')[0].upper()}", f"{random.choice(('alumni', 'forum', 'recruit'))}-{seed}.example", f"sync.{digest(seed)[:6]}-cdn.example"
    at = world.day(6, random.randrange(1, 9), random.randrange(40))
    for number, name in enumerate(random.sample(world.staff, 4)):
        mail = world.add(at + number * 5 * SECOND, "mail.gateway", "message_delivered", email={"from": {"address": f"k@{sender}"}, "to": {"address": [f"{name}@own.example"]}, "subject": "slides", "links": 1, "link_domains": [f"files.{sender}"]})
        if number == 2:
            world.expect("MAIL-01", at, f"k@{sender}", 1500, "low", mail)
    at += later(world, 300, 1200)
    page = lambda at, domain, size: world.add(at, "proxy.access", "http_request", user={"name": victim}, host={"name": host}, source={"ip": "10.7.1.21"}, destination={"domain": domain, "ip": "203.0.113.8", "port": 443}, url={"domain": domain, "path": "/s"}, http={"request": {"method": "POST", "bytes": size}})
    page(at, f"files.{sender}", 600)
    at += later(world, 20, 200)
    folder = random.choice(("Downloads\\", "AppData\\Local\\Temp\\"))
    ran = world.add(at, "edr.process", "process_start", user={"name": victim}, host={"name": host, "os": {"type": "windows"}}, process={"name": "slides.exe", "executable": f"C:\\Users\\v\\{folder}slides.exe", "hash": {"sha256": digest(seed, "implant")}, "code_signature": {"trusted": False}, "parent": {"name": random.choice(("chrome.exe", "outlook.exe"))}})
    world.expect("EDR-01", at, host, 60, "high", ran)
    stays = world.add(at + 8 * SECOND, "edr.registry", "registry_value_set", user={"name": victim}, host={"name": host}, registry={"path": "HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\Upd", "data": {"strings": ["C:\\Users\\v\\AppData\\Roaming\\u.exe"]}}, process={"name": "slides.exe", "hash": {"sha256": digest(seed, "implant")}})
    world.expect("EDR-02", at + 8 * SECOND, host, 60, "medium", stays)
    at += 30 * SECOND
    step = random.choice((60, 240, 900))
    world.expect("NET-02", at, control, 3600, "low")
    world.expect("NET-01", at + 24 * step * SECOND, control, 86400 - 24 * step, "high")
    for number in range(90):
        page(at + number * step * SECOND + later(world, -0.07 * step, 0.07 * step), control, 500 + random.randrange(20))
    at, name = world.day(8, random.randrange(16, 19), random.randrange(60)), admins[1]
    entry = world.add(at, "vpn.auth", "vpn_login", user={"name": name}, source={"ip": "203.0.113.40", "geo": {"country_iso_code": "RO"}}, device={"id": f"d{seed}", "managed": False})
    world.expect("ADM-01", at, name, 60, "high", entry)
    world.quiet(world.add(at + 60 * SECOND, "vpn.auth", "vpn_login", False, user={"name": admins[0]}, source={"ip": "198.18.251.0", "geo": {"country_iso_code": "JP"}}, device={"id": f"lap-{admins[0]}", "managed": True}))
    at += later(world, 300, 1500)
    reached = world.add(at, "linux.auth", "ssh_login", user={"name": name}, host={"name": world.signer}, source={"ip": "10.7.9.1"}, process={"name": "sshd"})
    world.expect("LAT-01", at, name, 60, "high", reached)
    at += later(world, 300, 1500)
    tool = random.choice(("/usr/sbin/tcpdump", "/tmp/.c/x", "/usr/bin/gcore"))
    spied = world.add(at, "edr.process", "process_start", user={"name": "root"}, host={"name": world.signer, "os": {"type": "linux"}}, process={"name": tool.split("/")[-1], "executable": tool, "parent": {"name": "bash"}})
    world.expect("SGN-04", at, world.signer, 60, event=spied)
    return world


SCENARIOS = [intrusion, stolen_keys, stuffing, broker, insider, flood]
