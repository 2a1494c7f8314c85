"""Stand-ins for HTTP APIs of clouds, after their public documents: pages, tokens that expire, throttling, late events, cut answers."""
import base64
import datetime
import gzip
import hashlib
import hmac
import http.server
import json
import pathlib
import random
import re
import shutil
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.parse
import uuid


def stamp(seconds, form="%Y-%m-%dT%H:%M:%SZ"):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime(form)


def moment(text):
    text = text.rstrip("Z").split(".")[0]
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=datetime.timezone.utc).timestamp()


def unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class SigningKey:
    """A key of RSA, as PEM and as the JSON file that Google gives for a service account; says whether a token is signed with it."""

    def __init__(self, address="reader@example-prod.iam.gserviceaccount.com"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hinomi-key-"))
        self.pem, self.public, self.json = (self.folder / name for name in ("key.pem", "public.pem", "key.json"))
        self.openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", self.pem)
        self.openssl("pkey", "-in", self.pem, "-pubout", "-out", self.public)
        self.address = address
        self.json.write_text(json.dumps({"type": "service_account", "private_key_id": "key-1", "private_key": self.pem.read_text(), "client_email": address,
                                         "token_uri": "https://elsewhere.invalid/token"}))

    @staticmethod
    def openssl(*args):
        return subprocess.run(["openssl", *map(str, args)], capture_output=True, check=True)

    def close(self):
        shutil.rmtree(self.folder)

    def claims(self, token):
        """Header and claims of a token that is signed, or an exception."""
        signed, _, signature = token.rpartition(".")
        (self.folder / "signed").write_text(signed)
        (self.folder / "signature").write_bytes(unpadded(signature))
        self.openssl("dgst", "-sha256", "-verify", self.public, "-signature", self.folder / "signature", self.folder / "signed")
        head, body = (json.loads(unpadded(part)) for part in signed.split("."))
        assert head["alg"] == "RS256" and head["typ"] == "JWT" and body["iat"] <= time.time() + 1 < body["exp"] <= body["iat"] + 3600
        return head, body


class Api:
    """Serves on a free port of 127.0.0.1. troubles: the share of requests that fail in one way or another."""
    page = 50

    def __init__(self, troubles=0.0, seed=7, tls=None):
        self.lock = threading.Lock()
        self.random = random.Random(seed)
        self.troubles = troubles
        self.counts = {}
        self.tokens = {}
        self.items = []  # (visible from, time, id, record)
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *ignored):
                pass

            def do_GET(self):
                api.handle(self)

            do_POST = do_GET

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *ignored: self.count("broken connections")
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server.server_address[1]}"
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def count(self, what):
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + 1

    # ---- what it holds

    def record(self, number, at, name):
        raise NotImplementedError

    def add(self, number, at=None, late=0.0):
        """An event of the time `at`, to be seen from `late` seconds from now on."""
        at = time.time() if at is None else at
        name = f"{number:08d}-{uuid.UUID(int=self.random.getrandbits(128))}"
        with self.lock:
            self.items.append((time.time() + late, at, name, self.record(number, at, name)))

    def visible(self):
        now = time.time()
        with self.lock:
            return sorted((item for item in self.items if item[0] <= now), key=lambda item: item[1])

    # ---- answers

    def answer(self, request, status, body=b"", headers=()):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        request.send_response(status)
        for name, value in headers:
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def trouble(self, request):
        """True: it answered badly."""
        with self.lock:
            chosen = self.random.random() < self.troubles and self.random.choice(["429", "date", "500", "cut", "close", "401"])
        if not chosen:
            return False
        self.count(chosen)
        if chosen == "429":
            self.answer(request, 429, {"error": "slow down"}, [("Retry-After", "1")])
        elif chosen == "date":
            later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=1)
            self.answer(request, 503, b"", [("Retry-After", later.strftime("%a, %d %b %Y %H:%M:%S GMT"))])
        elif chosen == "500":
            self.answer(request, 500, b"<html>oops")
        elif chosen == "cut":
            request.send_response(200)
            request.send_header("Content-Length", "100000")
            request.end_headers()
            request.wfile.write(b'{"value":[{"id":"half')
            request.close_connection = True
        elif chosen == "401":
            with self.lock:
                self.tokens.clear()
            self.answer(request, 401, {"error": "expired"})
        else:
            request.close_connection = True
        return True

    def handle(self, request):
        length = int(request.headers.get("Content-Length") or 0)
        request.body = body = request.rfile.read(length)
        url = urllib.parse.urlsplit(request.path)
        query = {name: values[-1] for name, values in urllib.parse.parse_qs(url.query, keep_blank_values=True).items()}
        try:
            if url.path.endswith("/token") and request.headers.get("Content-Type") == "application/x-www-form-urlencoded":
                self.count("asked for tokens")
                if self.may_have_token(request, dict(urllib.parse.parse_qsl(body.decode()))):
                    self.give_token(request)
                else:
                    self.answer(request, 400, {"error": "invalid_client"})
            elif not self.trouble(request):
                if self.is_known(request):
                    self.serve(request, url.path, query)
                else:
                    self.count("refused")
                    self.answer(request, 401, {"error": "who are you"})
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            pass

    def may_have_token(self, request, form):
        return form.get("grant_type") == "client_credentials" and form.get("client_secret") == "s3cr&t ="

    def give_token(self, request):
        self.count("token")
        with self.lock:
            token = f"tok-{len(self.counts)}-{self.random.getrandbits(64):x}"
            self.tokens[token] = time.time() + 3
        self.answer(request, 200, {"token_type": "Bearer", "expires_in": 3, "access_token": token})

    def is_known(self, request):
        scheme, _, token = (request.headers.get("Authorization") or "").partition(" ")
        with self.lock:
            return scheme == "Bearer" and self.tokens.get(token, 0) > time.time()

    def serve(self, request, path, query):
        raise NotImplementedError


class Graph(Api):
    """Microsoft Graph, List signIns: $filter by createdDateTime, @odata.nextLink."""
    time_field = "createdDateTime"

    def record(self, number, at, name):
        return {"id": name, "createdDateTime": stamp(at), "userPrincipalName": f"user{number % 20}@example.com", "appDisplayName": "Portal",
                "conditionalAccessStatus": "success", "ipAddress": "192.0.2.7", "n": number, "status": {"errorCode": 0}}

    def serve(self, request, path, query):
        found = re.fullmatch(rf"{self.time_field} ge (\S+) and {self.time_field} le (\S+)", query["$filter"])
        low, high = moment(found[1]), moment(found[2])
        rows = [item for item in self.visible() if low <= int(item[1]) <= high]
        at = int(query.get("$skiptoken", 0))
        answer = {"value": [item[3] for item in rows[at:at + self.page]]}
        if at and self.random.random() < 0.1:
            self.count("doubled")  # a page that has records of the one before
            answer["value"] = [item[3] for item in rows[max(0, at - 5):at + self.page]]
        if at + self.page < len(rows):
            more = urllib.parse.urlencode({"$filter": query["$filter"], "$skiptoken": at + self.page})
            answer["@odata.nextLink"] = f"{self.url}{path}?{more}"
        self.answer(request, 200, answer)


class GraphAudits(Graph):
    """List directoryAudits: $filter by activityDateTime."""
    time_field = "activityDateTime"

    def record(self, number, at, name):
        return {"id": name, "category": "UserManagement", "correlationId": str(uuid.UUID(int=number)), "result": "success", "resultReason": "",
                "activityDisplayName": "Add user", "activityDateTime": stamp(at), "loggedByService": "Core Directory", "operationType": "Add", "n": number,
                "initiatedBy": {"app": None, "user": {"id": "u-1", "displayName": None, "userPrincipalName": f"user{number % 20}@example.com",
                                                      "ipAddress": "192.0.2.7"}},
                "targetResources": [{"id": "t-1", "displayName": None, "type": "User", "userPrincipalName": "new@example.com", "modifiedProperties": []}],
                "additionalDetails": []}


class Google(Api):
    """Tokens for service accounts (RFC 7523): a signed assertion, with the scope and the user it acts for."""
    scope, subject = "", None
    key = None  # made when it is first needed; all stand-ins have the same

    def __init__(self, *args, **more):
        Google.key = Google.key or SigningKey()
        super().__init__(*args, **more)

    def may_have_token(self, request, form):
        if form.get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" or set(form) != {"grant_type", "assertion"}:
            return False
        try:
            head, claims = self.key.claims(form["assertion"])
        except (subprocess.CalledProcessError, AssertionError, KeyError, ValueError):
            self.count("bad assertion")
            return False
        return head["kid"] == "key-1" and claims["iss"] == self.key.address and claims["scope"] == self.scope and \
            claims.get("sub") == self.subject and claims["aud"] == self.url + "/token"


class Workspace(Google):
    """Reports API, activities.list: the newest first, pages by a token that is of the same question, no items where there are none."""
    scope, subject = "https://www.googleapis.com/auth/admin.reports.audit.readonly", "admin@example.com"
    applications = ["admin", "login", "token"]

    def record(self, number, at, name):
        # uniqueQualifier tells those of the same time apart, no others
        application = self.applications[number % 3]
        return {"kind": "admin#reports#activity", "etag": f'"{name}"', "n": number, "actor": {"callerType": "USER", "email": f"user{number % 20}@example.com"},
                "id": {"time": stamp(at, "%Y-%m-%dT%H:%M:%S.%fZ"), "uniqueQualifier": str(number % 7), "applicationName": application, "customerId": "C01"},
                "ipAddress": "192.0.2.7", "events": [{"type": "login", "name": "login_success", "parameters": [{"name": "login_type", "value": "saml"}]}]}

    def serve(self, request, path, query):
        application = path.removeprefix("/admin/reports/v1/activity/users/all/applications/")
        if application not in self.applications or int(query["maxResults"]) > 1000 or moment(query["startTime"]) < time.time() - 180 * 86400:
            self.answer(request, 400, {"error": {"code": 400, "message": "Invalid Value"}})
            return
        rows = [item for item in self.visible() if item[3]["id"]["applicationName"] == application and
                moment(query["startTime"]) <= item[1] <= moment(query["endTime"])]
        rows.sort(key=lambda item: (-item[1], item[2]))
        of, _, behind = query.get("pageToken", "").partition("|")
        if behind and of != query["startTime"] + query["endTime"]:
            self.answer(request, 400, {"error": {"code": 400, "message": "Invalid pageToken"}})
            return
        at = 1 + next((i for i, item in enumerate(rows) if item[2] == behind), -1)
        page = rows[at:at + self.page]
        answer = {"kind": "admin#reports#activities", "etag": '"x"'}
        if page:
            answer["items"] = [item[3] for item in page]
        if at + self.page < len(rows):
            answer["nextPageToken"] = f"{query['startTime']}{query['endTime']}|{page[-1][2]}"
        self.answer(request, 200, answer)


class CloudLogging(Google):
    """entries.list: a POST whose body has filter and page token; pages without entries that have a next one all the same."""
    scope = "https://www.googleapis.com/auth/logging.read"

    def record(self, number, at, name):
        # insertId tells those of the same log and time apart, no others
        log = ["activity", "data_access"][number % 2]
        return {"insertId": f"i{number % 11}", "logName": f"projects/example-prod/logs/cloudaudit.googleapis.com%2F{log}", "severity": "NOTICE", "n": number,
                "timestamp": stamp(at, "%Y-%m-%dT%H:%M:%S.%f000Z"), "resource": {"type": "project", "labels": {"project_id": "example-prod"}},
                "protoPayload": {"@type": "type.googleapis.com/google.cloud.audit.AuditLog", "serviceName": "iam.googleapis.com",
                                 "methodName": "google.iam.admin.v1.CreateRole", "authenticationInfo": {"principalEmail": f"user{number % 20}@example.com"},
                                 "requestMetadata": {"callerIp": "192.0.2.7"}}}

    def serve(self, request, path, query):
        body = json.loads(request.body)
        found = re.fullmatch(r'\(logName:"cloudaudit.googleapis.com"\) AND timestamp>="(\S+)" AND timestamp<="(\S+)"', body["filter"])
        token = json.loads(base64.b64decode(body["pageToken"]) or "{}")
        if path != "/v2/entries:list" or request.command != "POST" or not found or body["resourceNames"] != ["projects/example-prod"] or \
                body["pageSize"] > 1000 or token.get("filter", body["filter"]) != body["filter"]:
            self.answer(request, 400, {"error": {"code": 400, "status": "INVALID_ARGUMENT"}})
            return
        rows = [item for item in self.visible() if moment(found[1]) <= item[1] <= moment(found[2])]
        at = 1 + next((i for i, item in enumerate(rows) if item[2] == token.get("behind")), -1)
        answer = {}
        if self.random.random() < 0.1 and token.get("empty", 0) < 3:
            self.count("empty page")
            answer["nextPageToken"] = self.token(body, token.get("behind"), token.get("empty", 0) + 1)
        elif at < len(rows):
            answer["entries"] = [item[3] for item in rows[at:at + self.page]]
            if at + self.page < len(rows):
                answer["nextPageToken"] = self.token(body, rows[at + self.page - 1][2], 0)
        self.answer(request, 200, answer)

    @staticmethod
    def token(body, behind, empty):
        return base64.b64encode(json.dumps({"filter": body["filter"], "behind": behind, "empty": empty}).encode()).decode()


class Okta(Api):
    """System Log: Link headers, one for self and one for next, which is always there; SSWS tokens."""

    def record(self, number, at, name):
        return {"uuid": name, "published": stamp(at), "eventType": "user.session.start", "severity": "INFO", "n": number,
                "actor": {"id": "00u1", "type": "User", "alternateId": f"user{number % 20}@example.com"}, "outcome": {"result": "SUCCESS"}}

    def is_known(self, request):
        return request.headers.get("Authorization") == "SSWS okta-token"

    def serve(self, request, path, query):
        with self.lock:
            kept = sorted((item for item in self.items if item[0] <= time.time()), key=lambda item: item[0])  # as it was stored
        if "after" in query:
            rows = kept[int(query["after"]):]
            at = int(query["after"])
        else:
            low = moment(query["since"])
            at = next((i for i, item in enumerate(kept) if item[1] >= low), len(kept))
            rows = kept[at:]
        rows = rows[:self.page]
        after = f'<{self.url}{path}?after={at + len(rows)}&limit={self.page}>; rel="next"'
        self.answer(request, 200, [item[3] for item in rows], [("Link", f'<{self.url}{request.path}>; rel="self"'), ("Link", after)])


class GitHub(Api):
    """Audit log of an organisation: phrase=created:>=..., Link with rel=next among others, secondary rate limits (403)."""

    def record(self, number, at, name):
        return {"@timestamp": int(at * 1000), "_document_id": name, "action": "repo.create", "actor": f"user{number % 20}", "org": "octo",
                "created_at": int(at * 1000), "repo": "octo/spoon", "n": number}

    def is_known(self, request):
        return request.headers.get("Authorization") == "Bearer ghp_x"

    def serve(self, request, path, query):
        low = moment(query["phrase"].removeprefix("created:>="))
        if self.random.random() < 0.02 and self.troubles:
            self.count("403")
            self.answer(request, 403, {"message": "rate limit"}, [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", str(int(time.time()) + 1))])
            return
        rows = [item for item in self.visible() if item[1] >= low]
        at = next((i for i, item in enumerate(rows) if item[2] == query.get("after")), 0)
        headers = []
        if at + self.page < len(rows):
            more = urllib.parse.urlencode({"phrase": query["phrase"], "after": rows[at + self.page][2]})
            headers = [("Link", f'<{self.url}{path}?{more}>; rel="next", <{self.url}{path}?x=1,2>; rel="first"')]
        self.answer(request, 200, [item[3] for item in rows[at:at + self.page]], headers)


class Management(Api):
    """Office 365 Management Activity API: subscriptions, contents by type and time, NextPageUri, events in contents."""
    types = ["Audit.AzureActiveDirectory", "Audit.Exchange", "Audit.SharePoint", "Audit.General"]
    page = 7

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.started = set()

    def record(self, number, at, name):
        return {"Id": name, "CreationTime": stamp(at, "%Y-%m-%dT%H:%M:%S"), "Operation": "UserLoggedIn", "RecordType": 15, "OrganizationId": "t-1",
                "UserId": f"user{number % 20}@example.com", "Workload": "AzureActiveDirectory", "UserType": 0, "n": number}

    def contents(self, kind):
        groups = {}
        for item in self.visible():
            number = item[3]["n"]
            if self.types[number // 20 % len(self.types)] == kind:
                groups.setdefault(number // 20, []).append(item)
        now = time.time()
        # A content is there once all its events are, and never changes.
        for group, items in sorted(groups.items()):
            if len(items) == 20:
                yield f"blob${group}", max(item[0] for item in items), items

    def serve(self, request, path, query):
        if path.endswith("/subscriptions/start"):
            if query["contentType"] in self.started:
                self.answer(request, 400, {"error": {"code": "AF20024", "message": "The subscription is already enabled."}})
            else:
                self.started.add(query["contentType"])
                self.answer(request, 200, {"contentType": query["contentType"], "status": "enabled"})
        elif path.endswith("/subscriptions/content"):
            if query["contentType"] not in self.started or moment(query["endTime"]) - moment(query["startTime"]) > 86400 or \
                    moment(query["startTime"]) < time.time() - 7 * 86400:
                self.answer(request, 400, {"error": {"code": "AF20030"}})
                return
            rows = [(name, made) for name, made, _ in self.contents(query["contentType"])
                    if moment(query["startTime"]) <= int(made) <= moment(query["endTime"])]
            at = int(query.get("nextPage", 0))
            headers = []
            if at + self.page < len(rows):
                headers = [("NextPageUri", f"{self.url}{path}?" + urllib.parse.urlencode({**query, "nextPage": at + self.page}))]
            self.answer(request, 200, [{"contentUri": f"{self.url}/api/v1.0/t-1/activity/feed/audit/{name}?kind={query['contentType']}",
                                        "contentId": name, "contentType": query["contentType"], "contentCreated": stamp(made)}
                                       for name, made in rows[at:at + self.page]], headers)
        else:
            name = path.rsplit("/", 1)[1]
            for known, _, items in self.contents(query["kind"]):
                if known == name:
                    self.answer(request, 200, [item[3] for item in items])
                    return
            self.answer(request, 404, {"error": "no such content"})


class S3(Api):
    """ListObjectsV2 and GetObject with Signature Version 4, checked; objects are CloudTrail's packed files."""
    bucket, secret, page = "trail-bucket", "wJalr/secret+key", 3

    def record(self, number, at, name):
        return {"eventVersion": "1.08", "eventID": name, "eventTime": stamp(at), "eventSource": "iam.amazonaws.com", "eventName": "CreateUser",
                "awsRegion": "eu-west-1", "sourceIPAddress": "192.0.2.1", "n": number, "userIdentity": {"type": "IAMUser", "userName": "a"}}

    def is_known(self, request):
        found = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/(\d{8})/eu-west-1/s3/aws4_request,SignedHeaders=([a-z0-9;-]+),"
                             r"Signature=([0-9a-f]{64})", request.headers.get("Authorization", ""))
        if not found:
            return False
        url = urllib.parse.urlsplit(request.path)
        quote = lambda text: urllib.parse.quote(text, safe="-_.~")
        pairs = sorted((quote(name), quote(value)) for name, value in urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        names = found[2].split(";")
        canonical = "\n".join([request.command, urllib.parse.quote(urllib.parse.unquote(url.path), safe="/-_.~"),
                               "&".join(f"{name}={value}" for name, value in pairs),
                               *[f"{name}:{request.headers[name]}" for name in names], "", ";".join(names), request.headers["x-amz-content-sha256"]])
        key = ("AWS4" + self.secret).encode()
        for part in (found[1], "eu-west-1", "s3", "aws4_request"):
            key = hmac.new(key, part.encode(), "sha256").digest()
        text = "\n".join(["AWS4-HMAC-SHA256", request.headers["x-amz-date"], f"{found[1]}/eu-west-1/s3/aws4_request",
                          hashlib.sha256(canonical.encode()).hexdigest()])
        return hmac.compare_digest(hmac.new(key, text.encode(), "sha256").hexdigest(), found[3])

    def objects(self):
        groups = {}
        for item in self.visible():
            groups.setdefault(item[3]["n"] // 20, []).append(item)
        for group, items in groups.items():
            if len(items) == 20:
                at = min(item[1] for item in items)
                yield (f"AWSLogs/111122223333/CloudTrail/eu-west-1/{stamp(at, '%Y/%m/%d')}/111122223333_CloudTrail_eu-west-1_"
                       f"{stamp(at, '%Y%m%dT%H%MZ')}_{group:06d}+x.json.gz"), items

    def serve(self, request, path, query):
        path = urllib.parse.unquote(path)
        if path == f"/{self.bucket}":
            keys = sorted(key for key, _ in self.objects() if key.startswith(query["prefix"]))
            after = query.get("continuation-token", "")
            keys = [key for key in keys if not after or "tok+/=" + key > after]
            more = len(keys) > self.page
            keys = keys[:self.page]
            token = f"<NextContinuationToken>tok+/={keys[-1]}</NextContinuationToken>" if more else ""
            body = "".join(f"<Contents><Key>{key}</Key><Size>1</Size></Contents>" for key in keys)
            self.answer(request, 200, f'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
                        f"<Name>{self.bucket}</Name><IsTruncated>{'true' if more else 'false'}</IsTruncated>{token}{body}</ListBucketResult>".encode())
            return
        for key, items in self.objects():
            if path == f"/{self.bucket}/{key}":
                self.answer(request, 200, gzip.compress(json.dumps({"Records": [item[3] for item in items]}).encode()))
                return
        self.answer(request, 404, b"<Error><Code>NoSuchKey</Code></Error>")


class Tickets(Api):
    """No service in particular: pages by number, offset or a cursor in a POSTed body; Basic; some answers that are wrong."""
    page = 30

    def record(self, number, at, name):
        return {"key": name, "n": number, "message": "a change", "event": {"id": name}}

    def is_known(self, request):
        return request.headers.get("Authorization") == "Basic dXNlcjpwYXNz"

    def serve(self, request, path, query):
        rows = [item[3] for item in self.visible()]
        if path == "/hangs":
            self.count("hangs")
            time.sleep(30)
        elif path == "/elsewhere":
            self.count("elsewhere")
            self.answer(request, 200, {"items": rows[:self.page], "next": "http://127.0.0.2:1/steal"})
        elif path == "/list":
            self.answer(request, 200, [{"name": "there"}, {"name": "gone"}, {"name": "no json"}])
        elif path == "/object/there":
            self.answer(request, 200, rows[:3])
        elif path == "/object/no%20json":
            self.answer(request, 200, b"plain words\nof two lines")
        elif path == "/wrong":
            self.answer(request, 200, {"value": rows})
        elif path in ("/page", "/offset"):
            at = int(query["p"]) * self.page if path == "/page" else int(query["p"])
            self.answer(request, 200, {"items": rows[at:at + self.page]})
        elif path == "/cursor":
            at = int(query.get("after") or 0)
            self.answer(request, 200, {"items": rows[at:at + self.page], **({"next": str(at + self.page)} if at + self.page < len(rows) else {})})
        else:
            self.answer(request, 404, {"error": "no such path"})
