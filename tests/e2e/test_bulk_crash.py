#!/usr/bin/env python3
"""_bulk with ids and kills in between: whatever was sent is sent again as it was, also what had been answered, and each document is there
once; a quota says no in the form that shippers wait on."""
import http.client
import json
import random

from harness import Checks, Server, wait_for

BATCHES, DOCS, KILLS = 60, 300, 3
checks = Checks()
dice = random.Random(7)


def body(number):
    return "".join('{"create":{"_index":"crash","_id":"c-%d"}}\n{"message":"document %d","n":%d}\n' % (n, n, n)
                   for n in range(number * DOCS, (number + 1) * DOCS)).encode()


def send(server, token, number):
    """The answer, or None when there was none."""
    connection = http.client.HTTPConnection("127.0.0.1", server.hec_port, timeout=60)
    try:
        connection.request("POST", "/_bulk?filter_path=errors,items.*.status", body(number), {"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()


def kills(server, token):
    last = sorted(dice.sample(range(5, BATCHES - 5), KILLS))
    number = 0
    for stop in (*last, BATCHES):
        while number < stop:
            if dice.random() < 0.2 and number:
                send(server, token, dice.randrange(number))
            send(server, token, number)
            number += 1
        if stop < BATCHES:
            server.kill() # at once: what was just answered must be there
            server.start()
            server.sign_in()
            number -= 2   # the sender does not know what was answered
    for number in range(BATCHES):
        answer = send(server, token, number)
        if answer != (200, {"errors": False, "items": [{"create": {"status": 201}}] * DOCS}):
            checks.equal(f"batch {number}, again", answer, "201 for each")
    row = lambda: [int(float(v)) for v in server.query("hinomi.sent_index=crash | stats count, dc(event.id), sum(n)", wait=120)["rows"][0]]
    total = BATCHES * DOCS
    wait_for(lambda: row()[0] >= total, 60)
    checks.equal("each once", row(), [total, total, total * (total - 1) // 2])


def quota(server):
    token = server.token("hec", events_per_second=1)
    answers = [send(server, token, 1000 + n) for n in range(4)]
    refused = [answer for answer in answers if answer[0] != 200]
    checks.equal("the first one is taken", answers[0][0], 200)
    checks.check("then they have to wait", refused and all((status, text["error"]["type"]) == (429, "es_rejected_execution_exception")
                                                           for status, text in refused), answers)


def main():
    server = Server().start()
    server.sign_in()
    kills(server, server.token("hec"))
    quota(server)
    checks.equal("it stops cleanly", server.stop(), 0)
    server.close()
    checks.finish()


main()
