"""Thefts from wallets as they were reported, with other assets, names, amounts, hosts and gaps for each seed.

    key_taken       the key is used elsewhere: a test, then equal round amounts, a server abroad days before (2018)
    several_assets  the wallet server pays out by itself, several assets within minutes, errors before (2018, 2019)
    keys_outside    keys of several assets, fast, and split at once (2020)
    altered         a transfer of the treasury is altered between approval and signature (2024)
    screen          people approve one transfer and sign another, from the cold wallet; a page changed before (2025)"""
import datetime

from world import World, digest

HOUR = datetime.timedelta(hours=1)
SECOND = datetime.timedelta(seconds=1)


def thief(world, asset, number=0):
    return f"{asset.name.lower()}1{digest(world.seed, 'thief', number)[:30]}"


def ordinary(world):
    """What resembles a theft and is none: a sweep to the cold wallet, a refill, a large withdrawal, all approved."""
    asset = world.assets[-1]
    people = world.staff[:3]
    at = world.day(6, 5, world.random.randrange(50))
    world.quiet(*world.withdrawal(at, asset, "treasury", asset.cold, asset.chain["hot"] * 0.3, by_hand=people[0]))
    world.quiet(*world.withdrawal(at + 3 * HOUR, asset, "treasury", asset.hot, asset.chain["hot"] * 0.2, by_hand=people[1], tier="cold"))
    for number, share in ((0, 0.03), (1, 0.0001)):
        user = world.customers[number]
        world.quiet(*world.withdrawal(at + 6 * HOUR, asset, user, f"vip{digest(world.seed, number)[:20]}", asset.chain["hot"] * share, by_hand=people[2]))
    # A customer tries an address with a little, then takes the rest; a machine approves both.
    to = f"own{digest(world.seed, 'own')[:20]}"
    world.quiet(*world.withdrawal(at + 8 * HOUR, asset, world.customers[3], to, asset.chain["hot"] * 1e-6))
    world.quiet(*world.withdrawal(at + 8 * HOUR + 240 * SECOND, asset, world.customers[3], to, asset.chain["hot"] * 9e-4))


def key_taken(seed):
    world = World(seed)
    world.background()
    ordinary(world)
    asset, random = world.assets[0], world.random
    at = world.day(5, random.randrange(15, 20), random.randrange(60))
    flow = world.add(at, "firewall.flow", "network_flow", host={"name": asset.client}, source={"ip": "10.9.1.4"}, destination={"ip": "203.0.113.77", "port": 8443}, network={"direction": "outbound", "bytes": 70000 + random.randrange(9000)})
    world.expect("SGN-03", at, asset.client, event=flow)
    held = asset.chain["hot"]
    at = world.day(8, random.randrange(1, 20), random.randrange(60), random.uniform(0, 60))
    part = float(f"{held * random.uniform(0.12, 0.18):.1e}")
    first = world.transfer(at, asset, thief(world, asset), float(f"{part / 10 ** random.randrange(4, 7):.1e}"))
    world.expect("WDR-05", at, asset.hot, 121, event=first)
    world.expect("SGN-01", at, asset.hot, 121, event=first)
    at += datetime.timedelta(seconds=random.uniform(60, 400))
    drain = world.transfer(at, asset, thief(world, asset), part)
    for line in ("WDR-01", "WDR-02", "WDR-03", "WDR-06"):
        world.expect(line, at, thief(world, asset), 30, event=drain)
    world.expect("REC-01", at, asset.name, world.snapshot + 60)
    for number in range(4):
        at += datetime.timedelta(seconds=random.uniform(30, 80))
        drain = world.transfer(at, asset, thief(world, asset), part)
    world.expect("WDR-08", at, thief(world, asset), 30, "high", drain)
    return world


def several_assets(seed):
    world = World(seed, assets=4)
    world.background()
    ordinary(world)
    random = world.random
    at = world.day(8, random.randrange(1, 20), random.randrange(60))
    victim = world.assets[0]
    for number in range(9):
        at += datetime.timedelta(seconds=random.uniform(5, 20))
        last = world.add(at, "wallet.service", "payout_failed", outcome="failure", host={"name": victim.client}, wallet={"asset": victim.name, "address": victim.hot}, error={"message": random.choice(("insufficient funds for transfer", "nonce too low"))})
    world.expect("WDR-12", at - 40 * SECOND, victim.hot, 120, "high", last)
    at += datetime.timedelta(seconds=random.uniform(60, 300))
    for number, asset in enumerate(world.assets[:3]):
        at += datetime.timedelta(seconds=random.uniform(20, 200))
        # The server asks the signer itself: there is a signature and no approval.
        name, txid, amount = f"x{digest(seed, number)[:8]}", digest(seed, "sx", number), round(asset.chain["hot"] * random.uniform(0.07, 0.3), 2)
        wallet = {"key_id": asset.key, "withdrawal_id": name, "asset": asset.name, "client": asset.client}
        asked = world.add(at, "wallet.signer", "sign_request", host={"name": world.signer}, process={"name": "signerd"}, wallet={**wallet, "amount": amount, "to": thief(world, asset, number)})
        world.expect("SGN-02", at, asset.key, 125, event=asked)
        world.add(at + SECOND, "wallet.signer", "signed", host={"name": world.signer}, process={"name": "signerd"}, wallet={**wallet, "txid": txid})
        moved = world.transfer(at + 9 * SECOND, asset, thief(world, asset, number), amount, txid=txid)
        world.expect("WDR-05", at, asset.hot, 131, event=moved)
        world.expect("WDR-01", at, asset.hot, 40, event=moved)
        world.expect("WDR-03", at, thief(world, asset, number), 40, event=moved)
    world.expect("WDR-11", at, asset.name, 60, event=moved)
    return world


def keys_outside(seed):
    world = World(seed, assets=4)
    world.background()
    ordinary(world)
    random = world.random
    at = world.day(8, random.randrange(1, 20), random.randrange(60))
    for number, asset in enumerate(world.assets[:3]):
        at += datetime.timedelta(seconds=random.uniform(5, 90))
        amount = asset.chain["hot"] * random.uniform(0.4, 0.9)
        moved = world.transfer(at, asset, thief(world, asset), amount)
        for line, seconds in (("SGN-01", 121), ("WDR-05", 121), ("WDR-01", 30), ("WDR-02", 30), ("WDR-03", 30)):
            world.expect(line, at, asset.hot, seconds, event=moved)
    world.expect("WDR-11", at, world.assets[2].name, 60, event=moved)
    for number in range(random.randrange(6, 12)):
        at += datetime.timedelta(seconds=random.uniform(20, 90))
        last = world.transfer(at, asset, f"split{digest(seed, 'part', number)[:24]}", amount / 12 * random.uniform(1, 1.03), frm=thief(world, asset))
        if number == 4:
            world.expect("WDR-10", at, thief(world, asset), 60, "medium", last)
    return world


def altered(seed):
    world = World(seed)
    world.background()
    ordinary(world)
    random, asset = world.random, world.assets[0]
    at = world.day(8, random.randrange(1, 20), random.randrange(60))
    amount, name, txid = round(asset.chain["hot"] * random.uniform(0.2, 0.6), 4), f"t{digest(seed)[:8]}", digest(seed, "altered")
    what = {"withdrawal_id": name, "asset": asset.name, "amount": amount, "address": asset.cold}
    world.add(at, "exchange.withdrawal", "withdrawal_requested", user={"id": "treasury"}, exchange=what)
    at += datetime.timedelta(seconds=random.uniform(300, 900))
    world.add(at, "exchange.withdrawal", "withdrawal_approved", user={"name": world.staff[0]}, exchange={**what, "approval": "manual", "approver": world.staff[0]})
    at += datetime.timedelta(seconds=random.uniform(5, 200))
    wallet = {"key_id": asset.key, "withdrawal_id": name, "asset": asset.name, "client": asset.client}
    asked = world.add(at, "wallet.signer", "sign_request", host={"name": world.signer}, process={"name": "signerd"}, wallet={**wallet, "amount": amount, "to": thief(world, asset)})
    world.expect("SGN-02", at, name, 30, event=asked)
    world.expect("SGN-05", at, name, 30, event=asked)
    world.add(at + SECOND, "wallet.signer", "signed", host={"name": world.signer}, process={"name": "signerd"}, wallet={**wallet, "txid": txid})
    at += datetime.timedelta(seconds=random.uniform(5, 40))
    moved = world.transfer(at, asset, thief(world, asset), amount, txid=txid)
    for line, seconds in (("WDR-01", 30), ("WDR-02", 30), ("WDR-03", 30), ("WDR-05", 121)):
        world.expect(line, at, thief(world, asset), seconds, event=moved)
    return world


def screen(seed):
    world = World(seed)
    random, asset = world.random, world.assets[0]
    page = f"/app/{random.choice(('sign', 'vault', 'multisig'))}-{random.randrange(99)}.js"
    good, bad = digest(seed, "good"), digest(seed, "bad")
    for number in range(world.days):
        world.add(world.day(number, 1), "web.integrity", "hash_checked", False, host={"name": "sign-web"}, file={"path": page, "hash": {"sha256": good}})
    world.background()
    ordinary(world)
    at = world.day(8, random.randrange(2, 20), random.randrange(60))
    changed = world.add(at, "web.integrity", "hash_checked", host={"name": "sign-web"}, file={"path": page, "hash": {"sha256": bad}})
    world.expect("INT-01", at, page, 60, event=changed)
    at += datetime.timedelta(seconds=random.uniform(600, 2000))
    amount, name, txid = round(asset.chain["cold"] * random.uniform(0.02, 0.2), 3), f"t{digest(seed)[:8]}", digest(seed, "screen")
    what = {"transfer_id": name, "asset": asset.name, "amount": amount, "address": asset.hot}
    world.add(at, "exchange.treasury", "transfer_requested", user={"name": world.staff[4]}, exchange=what)
    for person in world.staff[:2]:
        at += datetime.timedelta(seconds=random.uniform(100, 500))
        world.add(at, "exchange.treasury", "transfer_approved", user={"name": person}, device={"id": f"lap-{person}"}, exchange={**what, "approval": "manual", "approver": person})
    wallet = {"key_id": f"{asset.key}-cold", "transfer_id": name, "asset": asset.name, "client": "vault"}
    world.add(at + 20 * SECOND, "wallet.signer", "sign_request", host={"name": "vault-1"}, wallet={**wallet, "amount": amount, "to": asset.hot})
    world.add(at + 25 * SECOND, "wallet.signer", "signed", host={"name": "vault-1"}, wallet={**wallet, "txid": txid})
    at += datetime.timedelta(seconds=random.uniform(40, 90))
    moved = world.transfer(at, asset, thief(world, asset), asset.chain["cold"] * random.uniform(0.3, 0.9), txid=txid, tier="cold")
    world.expect("SGN-05", at, name, 30, event=moved)
    for line, seconds in (("WDR-01", 30), ("WDR-02", 30), ("WDR-03", 30), ("WDR-05", 121)):
        world.expect(line, at, thief(world, asset), seconds, event=moved)
    return world


SCENARIOS = [key_taken, several_assets, keys_outside, altered, screen]
