"""An OpenID Connect issuer of our own: its keys are the openssl program's, its server is Python's.

    with Issuer() as issuer:                # http, which `wolke dev` takes from this machine
        token = issuer.token(sub="repo:a")
"""
import base64
import hashlib
import http.server
import json
import pathlib
import re
import ssl
import subprocess
import tempfile
import threading
import time


def base64_url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*arguments, data=b""):
    return subprocess.run(["openssl", *arguments], input=data, check=True, capture_output=True).stdout


class Issuer:
    def __init__(self, tls=False, path=""):
        self.directory = tempfile.TemporaryDirectory(prefix="wolke-issuer-")
        self.place = pathlib.Path(self.directory.name)
        self.keys = {}  # kid -> (algorithm, file)
        self.new_key("r1", "RS256")
        self.new_key("e1", "ES256")
        self.published = ["r1", "e1"]
        self.requests = []
        self.answers = {}  # path -> (status, headers, body) in place of the real one
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                status, headers, body = issuer.answer(self.path)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thumbprint = None
        if tls:
            self.serve_tls()
        scheme = "https" if tls else "http"
        self.name = f"127.0.0.1:{self.server.server_address[1]}{path}"
        self.path, self.url = path, f"{scheme}://{self.name}"
        self.thread = threading.Thread(target=self.server.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        self.directory.cleanup()

    def serve_tls(self):
        key, certificate = str(self.place / "tls.key"), str(self.place / "tls.pem")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out",
                certificate, "-days", "2", "-subj", "/CN=issuer", "-addext", "subjectAltName=IP:127.0.0.1")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        der = ssl.PEM_cert_to_DER_cert(pathlib.Path(certificate).read_text())
        self.thumbprint = hashlib.sha1(der).hexdigest()

    def new_key(self, kid, algorithm):
        file = str(self.place / f"{kid}.pem")
        kind = ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"] if algorithm == "RS256" else ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
        openssl("genpkey", "-algorithm", *kind, "-out", file)
        self.keys[kid] = algorithm, file

    def answer(self, path):
        self.requests.append(path)
        if path in self.answers:
            return self.answers[path]
        if path == f"{self.path}/.well-known/openid-configuration":
            return 200, {}, json.dumps({"issuer": self.url, "jwks_uri": f"{self.url}/keys"}).encode()
        if path == f"{self.path}/keys":
            return 200, {}, json.dumps({"keys": [self.public(kid) for kid in self.published]}).encode()
        return 404, {}, b""

    def public(self, kid):
        algorithm, file = self.keys[kid]
        text = openssl("pkey", "-in", file, "-noout", "-text_pub").decode()
        if algorithm == "RS256":
            digits = re.search(r"Modulus:([0-9a-f:\s]+)Exponent", text)[1]
            modulus = bytes.fromhex(re.sub(r"[:\s]", "", digits)).lstrip(b"\0")
            return {"kty": "RSA", "kid": kid, "use": "sig", "alg": "RS256", "n": base64_url(modulus), "e": "AQAB"}
        digits = re.search(r"pub:([0-9a-f:\s]+)ASN1", text)[1]
        point = bytes.fromhex(re.sub(r"[:\s]", "", digits))[1:]
        return {"kty": "EC", "kid": kid, "crv": "P-256", "x": base64_url(point[:32]), "y": base64_url(point[32:])}

    def sign(self, kid, text):
        algorithm, file = self.keys[kid]
        signature = openssl("dgst", "-sha256", "-sign", file, data=text)
        if algorithm == "RS256":
            return signature
        numbers, at = [], 2  # DER: a sequence of two integers
        for _ in range(2):
            size = signature[at + 1]
            numbers.append(int.from_bytes(signature[at + 2:at + 2 + size], "big").to_bytes(32, "big"))
            at += 2 + size
        return b"".join(numbers)

    def token(self, kid="r1", header=None, **claims):
        now = int(time.time())
        claims = {"iss": self.url, "sub": "repo:a", "aud": "sts.amazonaws.com", "iat": now, "exp": now + 600, **claims}
        header = header or {"alg": self.keys[kid][0], "kid": kid, "typ": "JWT"}
        text = ".".join(base64_url(json.dumps(part).encode()) for part in (header, claims))
        return f"{text}.{base64_url(self.sign(kid, text.encode()))}"
