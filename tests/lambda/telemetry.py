"""Subscribers of telemetry that tests put into layers, in Python against the documented API."""
from extensions import PYTHON

# Listens, answers what `answer` says (a status, or None: never), and keeps what it was sent.
LISTENER = PYTHON + """
batches, answer = [], 200
class Listener(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if answer is None: threading.Event().wait()
        if answer == 200: batches.append((self.path, json.loads(body)))
        self.send_response(answer); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *_): pass
def listen(port=8080):
    server = http.server.ThreadingHTTPServer(("sandbox.localdomain", port), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
def subscription(*types, uri="http://sandbox.localdomain:8080/told", schema="2022-12-13", **more):
    return {"schemaVersion": schema, "types": types, "destination": {"protocol": "HTTP", "URI": uri}, **more}
def subscribe(ident, request, api="2022-07-01/telemetry"):
    status, headers, body = ask("PUT", "/" + api, json.dumps(request), Identifier=ident)
    return status, body
QUICK = {"timeoutMs": 25}
def wait_until_told(invocations, tries=30):
    # Who is told of reports has one of each invocation; others, nothing new any more.
    before = None
    while tries and len(batches) != before:
        events = [event for path, batch in batches for event in batch]
        reports = sum(event["type"] == "platform.report" for event in events)
        before = len(batches) if reports >= invocations or not reports and events else None
        time.sleep(0.05)
        tries -= 1
"""
# Says everything that it was sent when the end comes.
TELLER = LISTENER + """
listen()
ident, _ = register("INVOKE", "SHUTDOWN")
say("subscribed", subscribe(ident, %s))
invocations = 0
while next_event(ident)["eventType"] != "SHUTDOWN": invocations += 1
wait_until_told(invocations)
for path, batch in list(batches): say("got", path, json.dumps([{**one, "record": one["record"][:20]} if isinstance(one["record"], str) else one for one in batch]))
"""
# Ships what it is sent to an S3 bucket, signed with the function's own role: an agent as vendors write them.
SHIPPER = LISTENER + """
import datetime, hashlib, hmac, urllib.request
def put(bucket, key, body):
    endpoint = os.environ["AWS_ENDPOINT_URL"]
    host, region = endpoint.split("//")[1], os.environ["AWS_REGION"]
    now = datetime.datetime.utcnow().strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(body).hexdigest()
    signed = {"host": host, "x-amz-content-sha256": digest, "x-amz-date": now, "x-amz-security-token": os.environ["AWS_SESSION_TOKEN"]}
    names = ";".join(signed)
    canonical = "\\n".join(["PUT", f"/{bucket}/{key}", "", *[f"{k}:{v}" for k, v in signed.items()], "", names, digest])
    scope = f"{now[:8]}/{region}/s3/aws4_request"
    secret = ("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode()
    for word in (now[:8], region, "s3", "aws4_request"): secret = hmac.new(secret, word.encode(), hashlib.sha256).digest()
    text = "\\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    signature = hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()
    headers = {**signed, "Authorization": f"AWS4-HMAC-SHA256 Credential={os.environ['AWS_ACCESS_KEY_ID']}/{scope}, SignedHeaders={names}, Signature={signature}"}
    urllib.request.urlopen(urllib.request.Request(f"{endpoint}/{bucket}/{key}", body, headers, method="PUT")).read()
listen()
ident, _ = register("INVOKE", "SHUTDOWN")
subscribe(ident, subscription("platform", "function", buffering=QUICK))
shipped, invocations, ended = 0, 0, False
while not ended:
    ended = next_event(ident)["eventType"] == "SHUTDOWN"
    if ended: wait_until_told(invocations)
    else: invocations += 1
    for path, batch in batches[shipped:]:
        put("BUCKET", f"telemetry/{shipped:04}.json", json.dumps(batch).encode())
        shipped += 1
"""
