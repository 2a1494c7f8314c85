"""Certificates for tests, made by openssl: an authority of our own, a server's, a client's, and what must not be believed."""
import pathlib
import ssl
import subprocess

EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def make(folder):
    """ca, server (127.0.0.1 and localhost), client; other-ca, that signed nothing; elsewhere, a server of another name. Each .pem and .key."""
    folder = pathlib.Path(folder)
    run = lambda *args: subprocess.run(["openssl", *args], check=True, capture_output=True, cwd=folder)
    for name in ("ca", "other-ca"):
        run("req", "-x509", *EC, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN=test {name}", "-days", "2")
    for name, names in (("server", "IP:127.0.0.1,DNS:localhost"), ("client", "IP:127.0.0.1,DNS:localhost"), ("elsewhere", "DNS:elsewhere.example.jp")):
        (folder / f"{name}.ext").write_text(f"subjectAltName={names}\n")
        run("req", *EC, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}.example.jp")
        run("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", f"{name}.pem", "-days", "2",
            "-extfile", f"{name}.ext")


def server_context(folder, name="server", ask_client=False):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/{name}.pem", f"{folder}/{name}.key")
    if ask_client:
        context.load_verify_locations(f"{folder}/ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
    return context
