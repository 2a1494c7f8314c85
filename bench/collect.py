#!/usr/bin/env python3
"""What taking events in costs: CPU seconds of `hinomi serve` for events that arrive over a socket and are parsed, durable and searchable at the
end, beside rsyslog's for writing the same lines to a file unparsed. Everything of the server counts: sealing, packing, the rules.

  python3 bench/collect.py [--lines 1000000] [--rounds 3] [--only syslog|udp|http]
"""
import argparse
import json
import os
import pathlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/e2e"))
import harness
import senders
from test_collect import count

RSYSLOG = """module(load="%s")
template(name="raw" type="string" string="%%rawmsg%%\\n")
main_queue(queue.type="LinkedList" queue.size="100000" queue.dequeueBatchSize="1024")
input(type="%s" port="%d")
action(type="omfile" file="%s" template="raw")
"""


def lines_of(number):
    """Syslog lines of 400 bytes as an exchange's servers write them, with a seed of their own."""
    dice, lines = random.Random(7), []
    for i in range(number):
        user, address, port, pid = f"u{dice.randrange(3000):04d}", f"10.{dice.randrange(4)}.{dice.randrange(250)}.{dice.randrange(250)}", dice.randrange(1024, 65000), dice.randrange(300, 32000)
        text = dice.choice((
            f"sshd[{pid}]: Accepted publickey for {user} from {address} port {port} ssh2: ED25519 SHA256:{dice.randrange(16**40):040x}",
            f"sshd[{pid}]: Failed password for invalid user {user} from {address} port {port} ssh2",
            f"sudo[{pid}]:   {user} : TTY=pts/1 ; PWD=/home/{user} ; USER=root ; COMMAND=/usr/bin/systemctl restart wallet-{dice.randrange(40)}",
            f"CRON[{pid}]: pam_unix(cron:session): session opened for user {user} by (uid=0)",
            f"kernel: [{dice.randrange(10**6)}.{dice.randrange(10**6):06d}] IN=eth0 OUT= MAC=00:11:22 SRC={address} DST=10.9.0.1 LEN=60 PROTO=TCP SPT={port} DPT=443",
            f"orders[{pid}]: level=info msg=\"order accepted\" user={user} pair=BTC_JPY amount=0.{dice.randrange(10**8):08d} ip={address} took={dice.randrange(900)}ms"))
        line = f"<{dice.choice((34, 86, 38, 13))}>Nov 23 {i // 360000 % 24:02d}:{i // 6000 % 60:02d}:{i // 100 % 60:02d} ex{dice.randrange(20):02d} {text} id="
        lines.append((line + "%0*x" % (399 - len(line), dice.randrange(16 ** 30)))[:399])
    return ("\n".join(lines) + "\n").encode()


def loggen_lines(number):
    """Lines as syslog-ng's loggen writes them: of a program that nobody knows, the rest filled up."""
    heads = (f"<38>2026-11-23T{i // 3600000 % 24:02d}:{i // 60000 % 60:02d}:{i // 1000 % 60:02d} localhost prg00000[1234]: seq: {i:010d}, thread: 0000, "
             f"runid: 1763889600, stamp: 2026-11-23T{i // 3600000 % 24:02d}:{i // 60000 % 60:02d}:{i // 1000 % 60:02d} " for i in range(number))
    return ("\n".join((head + "PADD" * 100)[:399] for head in heads) + "\n").encode()


def cpu(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def connect(port):
    return harness.wait_for(lambda: try_connect(port))


def try_connect(port):
    try:
        return socket.create_connection(("127.0.0.1", port))
    except OSError:
        return None


def send_tcp(port, data):
    with connect(port) as sender:
        sender.sendall(data)


def rsyslog_tcp(data, number):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hinomi-bench-"))
    port, out = free_port(), folder / "out.log"
    try:
        with senders.rsyslog(RSYSLOG % ("imptcp", "imptcp", port, out), folder) as running:
            connect(port).close()
            before, begun = cpu(running.process.pid), time.monotonic()
            send_tcp(port, data)
            harness.wait_for(lambda: out.exists() and out.stat().st_size >= len(data) * 0.99, 120)
            time.sleep(0.5)
            return cpu(running.process.pid) - before, time.monotonic() - begun - 0.5
    finally:
        shutil.rmtree(folder)


def settled(server):
    """The CPU seconds when nothing is done any more."""
    before = -1
    while cpu(server.process.pid) - before > 0.02:
        before = cpu(server.process.pid)
        time.sleep(0.5)
    return before


def hinomi(send, number, source):
    server = harness.Server().start()
    try:
        server.sign_in()
        token = server.token()
        before, begun = settled(server), time.monotonic()
        send(server, token)
        harness.wait_for(lambda: ingested(server) >= number, 300)
        wall = time.monotonic() - begun
        used = settled(server) - before
        there = count(server, f"hinomi.source={source}")
        assert there == number, (there, number)
        memory = int(next(l for l in pathlib.Path(f"/proc/{server.process.pid}/status").read_text().splitlines() if l.startswith("VmHWM")).split()[1]) // 1024
        return used, wall, memory
    finally:
        server.close()


def ingested(server):
    status, overview, _ = server.request("GET", "/v1/overview")
    time.sleep(0.2)
    return overview["see"]["stored"] if status == 200 else 0


def bench_syslog(args):
    for name, data in (("an exchange's servers", lines_of(args.lines)), ("loggen", loggen_lines(args.lines))):
        compare_syslog(args, name, data)


def compare_syslog(args, name, data):
    print(f"syslog over TCP, {args.lines} lines of 400 bytes ({name}), {args.rounds} rounds by turns")
    print("| | CPU s | seconds | ratio of CPU |\n|---|---|---|---|")
    for _ in range(args.rounds):
        theirs, their_wall = rsyslog_tcp(data, args.lines)
        ours, wall, memory = hinomi(lambda server, token: send_tcp(server.syslog_port, data), args.lines, "syslog")
        print(f"| rsyslog to a file, unparsed | {theirs:.2f} | {their_wall:.2f} | 1 |")
        print(f"| hinomi, parsed, durable, searchable; {memory} MiB at most | {ours:.2f} | {wall:.2f} | {ours / theirs:.2f} |", flush=True)


def send_udp(port, lines, rate):
    """At so many a second, in steps of a millisecond; as many as come with rate 0."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", port))
        begun, step = time.monotonic(), max(1, rate // 1000)
        for at in range(0, len(lines), step):
            for line in lines[at:at + step]:
                sender.send(line)
            ahead = begun + (at + step) / rate - time.monotonic() if rate else 0
            if ahead > 0:
                time.sleep(ahead)
        return len(lines) / (time.monotonic() - begun)


def rsyslog_udp(lines, rate):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hinomi-bench-"))
    port, out = free_port(socket.SOCK_DGRAM), folder / "out.log"
    try:
        with senders.rsyslog(RSYSLOG % ("imudp", "imudp", port, out), folder) as running:
            time.sleep(1)
            before = cpu(running.process.pid)
            sent = send_udp(port, lines, rate)
            size = -1
            while out.exists() and out.stat().st_size != size:
                size = out.stat().st_size
                time.sleep(1)
            return sum(1 for _ in open(out, "rb")), sent, cpu(running.process.pid) - before
    finally:
        shutil.rmtree(folder)


def hinomi_udp(lines, rate):
    server = harness.Server().start()
    try:
        server.sign_in()
        before = settled(server)
        sent = send_udp(server.syslog_port, lines, rate)
        lost = lambda: int(server.query("event.dataset=hinomi.drop | stats sum(hinomi.drop.events) as n")["rows"][0][0] or 0)
        stored = lambda: count(server, "hinomi.source=syslog")
        harness.wait_for(lambda: stored() + lost() == len(lines), 120)
        there, gone = stored(), lost()
        assert there + gone == len(lines), (there, gone, len(lines))
        return there, sent, settled(server) - before
    finally:
        server.close()


def bench_udp(args):
    lines = lines_of(args.lines // 2).split(b"\n")[:-1]
    print(f"syslog over UDP, {len(lines)} datagrams of 400 bytes; what was stored and what Hinomi counted as lost add up to what was sent\n"
          "| sent a second | rsyslog to a file: arrived, lost, CPU s | hinomi: arrived, lost, CPU s |\n|---|---|---|")
    for rate in (20000, 50000, 100000, 0):
        theirs, their_rate, their_cpu = rsyslog_udp(lines, rate)
        ours, our_rate, our_cpu = hinomi_udp(lines, rate)
        print(f"| {their_rate:.0f}, {our_rate:.0f} | {theirs}, {1 - theirs / len(lines):.2%}, {their_cpu:.2f} | "
              f"{ours}, {1 - ours / len(lines):.2%}, {our_cpu:.2f} |", flush=True)


def send_http(server, token, path, bodies, threads=2):
    """Batches one after the other over a few connections that stay; the sender's cost is one copy."""
    def work(part):
        with socket.create_connection(("127.0.0.1", server.hec_port)) as connection:
            answer = connection.makefile("rb")
            for body in part:
                connection.sendall(b"POST %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n"
                                   % (path.encode(), token.encode(), len(body)) + body)
                status = answer.readline().split()[1]
                assert status == b"200", status
                length = 0
                while (line := answer.readline().strip()):
                    length = int(line.split(b":")[1]) if line.lower().startswith(b"content-length") else length
                answer.read(length)
    workers = [threading.Thread(target=work, args=(bodies[i::threads],)) for i in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def bench_http(args):
    events = [json.dumps({"@timestamp": "2026-11-23T%02d:%02d:%02d.%03dZ" % (i // 3600000 % 24, i // 60000 % 60, i // 1000 % 60, i % 1000),
                          "message": f"order {i} accepted for u{i % 3000}", "level": "info", "user": {"name": f"u{i % 3000}"},
                          "source": {"ip": f"10.{i % 4}.{i % 250}.{i * 7 % 250}"}, "order": {"pair": "BTC_JPY", "amount": "0.%08d" % (i * 7919 % 10**8)}})
              for i in range(args.lines)]
    batch = 2000
    chunks = [events[i:i + batch] for i in range(0, len(events), batch)]
    kinds = {"HEC": ("/services/collector/event", "hec", ["".join('{"event":%s}' % e for e in chunk).encode() for chunk in chunks]),
             "_bulk": ("/_bulk", "elasticsearch", ["".join('{"create":{"_index":"orders"}}\n%s\n' % e for e in chunk).encode() for chunk in chunks])}
    print(f"{args.lines} events of {sum(map(len, events)) // len(events)} bytes in batches of {batch}, two connections\n"
          "| | events/s until all are searchable | CPU s | MiB at most |\n|---|---|---|---|")
    for _ in range(args.rounds):
        for name, (path, source, bodies) in kinds.items():
            used, wall, memory = hinomi(lambda server, token: send_http(server, token, path, bodies), args.lines, source)
            print(f"| {name} | {args.lines / wall:.0f} | {used:.2f} | {memory} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1000000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    why = senders.fetch()
    if why:
        sys.exit(why)
    for name, bench in (("syslog", bench_syslog), ("udp", bench_udp), ("http", bench_http)):
        if args.only in name:
            bench(args)


if __name__ == "__main__":
    main()
