#!/usr/bin/env python3
"""A device is updated and its log has another form: the sender's events are not understood any more, and within two minutes there is a finding
that names it; another sender in the same minute has none."""
import datetime
import socket
import time

from harness import Checks, Server, wait_for

checks = Checks()


def asa(n):
    stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%b %d %H:%M:%S")
    return (f"<134>{stamp} fw-1 %ASA-6-302013: Built outbound TCP connection {n} for outside:192.0.2.1/443 (192.0.2.1/443) to "
            f"inside:10.0.0.1/{1024 + n} (10.0.0.1/{1024 + n})\n")


def rows(server, spl):
    page = server.query(spl)
    names = [column if isinstance(column, str) else column["name"] for column in page["columns"]]
    return [dict(zip(names, row)) for row in page["rows"]]


def findings(server):
    return rows(server, 'event.dataset=hinomi.finding hinomi.catalogue=SRC-02 hinomi.severity=medium | table hinomi.entity message')


server = Server()
try:
    server.start()
    server.sign_in()
    with socket.create_connection(("127.0.0.1", server.syslog_port), timeout=30) as tcp:
        tcp.sendall("".join(asa(n) for n in range(60)).encode())
        taken = wait_for(lambda: rows(server, 'event.dataset=cisco_asa.log | stats count')[0]["count"] == 60, 30)
        checks.check("the old form is understood", taken)
        checks.equal("and nothing is said", findings(server), [])
        start = time.monotonic()
        tcp.sendall("".join(f"ASA2|v9|{n}|built|10.0.0.1|192.0.2.1\n" for n in range(40)).encode())
        found = wait_for(lambda: findings(server), 120)
        took = time.monotonic() - start
        checks.check("the new form is a finding within two minutes", bool(found) and took < 120, f"{found} {took:.1f} s")
        checks.check("that names the sender", "127.0.0.1" in str(found), str(found))
        kept = rows(server, 'tags=_not_understood | stats count')[0]["count"]
        checks.equal("every line is kept and found", kept, 40)
        shapes = rows(server, 'tags=_not_understood | patterns limit=5')
        checks.check("with its form", len(shapes) == 1 and "ASA2" in str(shapes), str(shapes)[:300])
finally:
    server.close()
checks.finish()
