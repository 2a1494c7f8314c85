#!/usr/bin/env python3
"""What real programs send as syslog: rsyslog, syslog-ng, logger and loggen over UDP, TCP, TLS and RELP; every message is found, with its fields."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import certificates
import harness
import senders
from test_collect import count, ledger, ports

FULL = bool(os.environ.get("HINOMI_FULL"))
LINES = 1000000 if FULL else 20000
DATAGRAMS = 5000
RSYSLOG = {
    "tcp": 'action(type="omfwd" target="127.0.0.1" port="%(port)d" protocol="tcp" template="RSYSLOG_TraditionalForwardFormat")',
    "tcp-octets": 'action(type="omfwd" target="127.0.0.1" port="%(port)d" protocol="tcp" tcp_framing="octet-counted" '
                  'template="RSYSLOG_SyslogProtocol23Format")',
    "relp": 'module(load="omrelp")\naction(type="omrelp" target="127.0.0.1" port="%(port)d" template="RSYSLOG_SyslogProtocol23Format")',
    "tls": 'global(defaultNetstreamDriverCAFile="%(certs)s/ca.pem" defaultNetstreamDriverCertFile="%(certs)s/client.pem" '
           'defaultNetstreamDriverKeyFile="%(certs)s/client.key")\n'
           'action(type="omfwd" target="127.0.0.1" port="%(port)d" protocol="tcp" streamDriver="gtls" streamDriverMode="1" '
           'streamDriverAuthMode="x509/certvalid" tcp_framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format")',
    "udp": 'action(type="omfwd" target="127.0.0.1" port="%(port)d" protocol="udp" template="RSYSLOG_SyslogProtocol23Format" '
           'ratelimit.interval="1" ratelimit.burst="1000000")',
}
SYSLOG_NG = {
    "udp": 'network("127.0.0.1" port(%(port)d) transport("udp"))',
    "tcp": 'network("127.0.0.1" port(%(port)d) transport("tcp"))',
    "tcp-octets": 'syslog("127.0.0.1" port(%(port)d) transport("tcp"))',
    "tls": 'syslog("127.0.0.1" port(%(port)d) transport("tls") tls(ca-file("%(certs)s/ca.pem") cert-file("%(certs)s/client.pem") '
           'key-file("%(certs)s/client.key") peer-verify(required-trusted)))',
}


class Inputs:
    """A server with an input for each transport."""

    def __init__(self, certs):
        text = ports("collect:\n"
                     "  - {kind: syslog, name: in-tcp, port: %PORT%, transport: tcp}\n"
                     "  - {kind: syslog, name: in-udp, port: %PORT%, transport: udp}\n"
                     f"  - {{kind: syslog, name: in-tls, port: %PORT%, transport: tls, certificate: {certs}/server.pem, key: {certs}/server.key, "
                     f"client_ca: {certs}/ca.pem}}\n"
                     "  - {kind: relp, name: in-relp, port: %PORT%}\n")
        self.port = {line.split("name: in-")[1].split(",")[0]: int(line.split("port: ")[1].split(",")[0].rstrip("}")) for line in text.splitlines()[1:]}
        self.server = harness.Server(config=text).start()
        self.server.sign_in()

    def of(self, transport):
        return self.port[transport.split("-")[0]]


def write_lines(path, lines, tag):
    with open(path, "w") as file:
        for i in range(lines):
            file.write(f"{tag} session opened for user u{i % 97} by root n={i:07d} {'x' * 200}\n")


def check_arrived(checks, inputs, name, source, tag, lines, host=True):
    server, found = inputs.server, f"hinomi.source={source} {tag}"
    harness.wait_for(lambda: count(server, found) >= lines, 600 if FULL else 180)
    checks.equal(f"{name}: stored = sent", count(server, found), lines)
    page = server.query(f'{found} | rex field=event.original "n=(?<n>\\d+)" | stats dc(n) as n, count(host.name) as h, dc(host.name) as one, '
                        'values(process.name) as p')
    distinct, hosts, one, program = page["rows"][0]
    checks.equal(f"{name}: each line once", int(distinct), lines)
    if host:
        checks.equal(f"{name}: all of one host", (int(hosts), int(one)), (lines, 1))
        checks.check(f"{name}: by their program", program in ("app", ["app"]), f"{program!r}")


def check_program(checks, inputs, name, start, transports, config_of):
    """A file of lines, sent by a program in each of its ways."""
    for transport, way in transports.items():
        lines = DATAGRAMS if transport == "udp" else LINES
        folder = pathlib.Path(tempfile.mkdtemp(prefix=f"hinomi-{name}-"))
        try:
            tag = f"{name[:2]}{name[-2:]}{transport.replace('-', '')}"
            write_lines(folder / "in.log", lines, tag)
            with start(config_of(folder, transport, way), folder):
                check_arrived(checks, inputs, f"{name} over {transport}", f"in-{transport.split('-')[0]}", tag, lines)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def check_rsyslog(checks, inputs, certs):
    def config(folder, transport, action):
        # datagrams come at a pace: what is asked here is that each one is understood, not how many get lost
        return (f'module(load="imfile" mode="polling" pollingInterval="1")\nmain_queue(queue.type="LinkedList" queue.size="2000000" '
                f'queue.dequeueSlowdown="{200 if transport == "udp" else 0}")\n'
                f'input(type="imfile" file="{folder}/in.log" tag="app:")\n' + action % {"port": inputs.of(transport), "certs": certs})
    check_program(checks, inputs, "rsyslog", senders.rsyslog, RSYSLOG, config)


def check_syslog_ng(checks, inputs, certs):
    def config(folder, transport, destination):
        throttle = "throttle(5000)" if transport == "udp" else ""
        place = destination % {"port": inputs.of(transport), "certs": certs}
        return (f'source s {{ file("{folder}/in.log" program-override("app") host-override("ng01") flags(no-parse)); }};\n'
                f'destination d {{ {place[:-1]} {throttle}); }};\nlog {{ source(s); destination(d); flags(flow-control); }};')
    check_program(checks, inputs, "syslog-ng", senders.syslog_ng, SYSLOG_NG, config)


def check_logger(checks, inputs):
    for flags, source in (("--udp", "udp"), ("--tcp", "tcp"), ("--tcp --octet-count --rfc5424", "tcp"), ("--udp --rfc3164", "udp")):
        tag = "lg" + flags.replace("-", "").replace(" ", "")
        lines = "".join(f"{tag} message n={i:04d}\n" for i in range(500))
        subprocess.run(["logger", "--server", "127.0.0.1", "--port", str(inputs.of(source)), "--tag", "app", *flags.split()],
                       input=lines.encode(), check=True)
        check_arrived(checks, inputs, f"logger {flags}", f"in-{source}", tag, 500)


def check_loggen(checks, inputs):
    lines = LINES
    done = subprocess.run([senders.program("syslog-ng", "usr/bin/loggen"), "--inet", "--stream", "--size", "400", "--rate", "100000000", "--number",
                           str(lines), "127.0.0.1", str(inputs.of("tcp"))],
                          env=senders.environment("syslog-ng"), capture_output=True, text=True)
    checks.check("loggen ends well", done.returncode == 0, done.stderr[-300:])
    server = inputs.server
    harness.wait_for(lambda: count(server, "hinomi.source=in-tcp process.name=prg*") >= lines, 600 if FULL else 180)
    checks.equal("loggen: stored = sent", count(server, "hinomi.source=in-tcp process.name=prg*"), lines)


def check_relp_kills(checks, certs):
    """rsyslog sends over RELP while the server is killed again and again: nothing is missing."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hinomi-relp-"))
    inputs = Inputs(certs)
    server = inputs.server
    lines = 300000 if FULL else 30000
    try:
        write_lines(folder / "in.log", lines, "rskill")
        config = ('module(load="imfile" mode="polling" pollingInterval="1")\nmain_queue(queue.type="LinkedList" queue.size="2000000")\n'
                  f'module(load="omrelp")\ninput(type="imfile" file="{folder}/in.log" tag="app:")\n'
                  f'action(type="omrelp" target="127.0.0.1" port="{inputs.of("relp")}" timeout="5" action.resumeInterval="1" action.resumeRetryCount="-1" '
                  'template="RSYSLOG_SyslogProtocol23Format")')
        distinct = lambda: int(server.query('hinomi.source=in-relp rskill | rex field=event.original "n=(?<n>\\d+)" | stats dc(n) as n')["rows"][0][0])
        with senders.rsyslog(config, folder):
            for kill in range(20 if FULL else 4):
                before = distinct()
                harness.wait_for(lambda: distinct() > before, 20)
                server.kill()
                server.start()
                server.sign_in()
            harness.wait_for(lambda: distinct() == lines, 300 if FULL else 120)
        checks.equal("every line that rsyslog sent over RELP is there", distinct(), lines)
        server.stop()
        status, books, _ = ledger(server)
        checks.equal("and the books balance after the kills", (status, books["in-relp"]["difference"]), (0, 0))
    finally:
        server.close()
        shutil.rmtree(folder, ignore_errors=True)


def main():
    checks = harness.Checks()
    why = senders.fetch()
    if why:
        checks.skip("senders", why)
        checks.finish()
    with tempfile.TemporaryDirectory(prefix="hinomi-certs-") as certs:
        certificates.make(pathlib.Path(certs))
        inputs = Inputs(certs)
        try:
            which = sys.argv[1] if len(sys.argv) > 1 else ""
            for name, check in (("logger", lambda: check_logger(checks, inputs)), ("loggen", lambda: check_loggen(checks, inputs)),
                                ("rsyslog", lambda: check_rsyslog(checks, inputs, certs)), ("syslog-ng", lambda: check_syslog_ng(checks, inputs, certs)),
                                ("kills", lambda: check_relp_kills(checks, certs))):
                if which in name:
                    check()
            inputs.server.stop()
            status, books, _ = ledger(inputs.server)
            checks.check("the books balance", status == 0 and all(b["difference"] == 0 for b in books.values()), f"{books}")
        finally:
            inputs.server.close()
    checks.finish()


if __name__ == "__main__":
    main()
