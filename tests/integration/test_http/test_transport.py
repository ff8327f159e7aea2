"""TLS and proxies on a real port."""

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import threading
import time

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from vigie.api.server import Transport, make_server

PERSON = {"age": 30, "income": 12.5, "city": "Lyon", "vip": True}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Return the files of a certificate of this machine and of its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.fromtimestamp(time.time(), dt.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    files[1].write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    return files


@contextlib.contextmanager
def _running(app, transport):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = make_server(app, keep_alive_s=75, drain_s=5, transport=transport)
        thread = threading.Thread(target=made.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not made.started:
                time.sleep(0.01)
            yield listener.getsockname()[1]
        finally:
            made.should_exit = True
            thread.join(20)
    assert not thread.is_alive()


def test_a_certificate_makes_the_server_speak_tls_only(server, certificate):
    """A client that trusts the certificate is answered, over TLS 1.2 or newer; plain HTTP is not."""
    with _running(server.app, Transport(*certificate)) as port:
        context = ssl.create_default_context(cafile=str(certificate[0]))
        with httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=context) as http:
            assert http.post("/predict", json=PERSON).status_code == 200
        with pytest.raises(httpx.TransportError), httpx.Client() as http:
            http.get(f"http://127.0.0.1:{port}/livez")
        with pytest.raises(httpx.ConnectError, match="certificate"), httpx.Client() as http:
            http.get(f"https://127.0.0.1:{port}/livez")
        with (
            socket.create_connection(("127.0.0.1", port)) as raw,
            context.wrap_socket(raw, server_hostname="localhost") as tls,
        ):
            assert tls.version() in {"TLSv1.2", "TLSv1.3"}
    assert len(server.log.records) == 1


@pytest.mark.usefixtures("still_second")
@pytest.mark.parametrize(
    ("proxies", "codes"),
    [(("127.0.0.1",), [200, 200, 200]), ((), [200, 429, 429]), (("10.1.2.3", "192.168.0.0/16"), [200, 429, 429])],
)
def test_only_a_trusted_proxy_says_who_asks(make_server_of, proxies, codes):
    """Three callers by X-Forwarded-For are three from a trusted address, and one from any other."""
    server = make_server_of(rate_per_s=1.0)
    with _running(server.app, Transport(proxies=proxies)) as port, httpx.Client() as http:
        found = [
            http.post(f"http://127.0.0.1:{port}/predict", json=PERSON, headers={"X-Forwarded-For": caller}).status_code
            for caller in ("1.1.1.1", "2.2.2.2", "3.3.3.3")
        ]
    assert found == codes
