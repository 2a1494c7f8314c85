"""A server with a policy of its own, for tests of the gate."""
import pathlib
import time

from harness import PASSWORD, Server


class Gated:
    """A server with a policy of its own, an administrator signed in and a token to ask with."""

    def __init__(self, text, config_more="", directory=None):
        self.server = Server(directory, config=config_more)
        self.policy = pathlib.Path(self.server.dir) / "policy.yaml"
        self.policy.write_text(text)
        with self.server.config.open("a") as config:
            config.write(f"gate_policy: {self.policy}\n")
        self.server.start()
        self.server.sign_in()
        self.token = self.server.token("gate")

    def ask(self, request_id, **more):
        body = {"request_id": request_id, "action": "withdrawal", "account": "u1", "asset": "XEM", "amount": "5", "destination": "addr", **more}
        return self.server.request("POST", "/v1/gate/decide", body, headers={"Authorization": f"Bearer {self.token}"})[:2]

    def state(self):
        return self.server.request("GET", "/v1/gate")[1]

    def reload(self):
        return self.server.request("POST", "/v1/gate/policy/reload", {})[:2]

    def people(self, *names):
        """Approvers, each with a session of their own: name -> (cookie, csrf)."""
        for name in names:
            status, body, _ = self.server.request("POST", "/v1/users", {"name": name, "password": PASSWORD, "role": "approver"})
            assert status == 201, (status, body)
        return self.sessions(*names)

    def sessions(self, *names):
        sessions = {}
        for name in names:
            _, body, headers = self.server.request("POST", "/v1/login", {"name": name, "password": PASSWORD})
            sessions[name] = (headers["Set-Cookie"].split(";")[0], body["csrf"])
        return sessions

    def by(self, session, method, path, body=None):
        """As one of these people."""
        server, mine = self.server, (self.server.cookie, self.server.csrf)
        server.cookie, server.csrf = session
        answer = server.request(method, path, body)[:2]
        server.cookie, server.csrf = mine
        return answer

    def release(self, session, hold):
        return self.by(session, "POST", f"/v1/gate/holds/{hold}/release", {})

    def events(self, spl, want):
        for _ in range(100):
            rows = self.server.query(spl)["rows"]
            if len(rows) >= want:
                break
            time.sleep(0.05)
        return rows
