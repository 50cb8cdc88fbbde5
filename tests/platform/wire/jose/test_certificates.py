"""Certificates of clients: whom they name, compared as RFC 8705, section 2.1.2 asks."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Final

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from limen.platform.wire import jose
from limen.platform.wire.jose import Alg, BadCertificate, BadKey, Malformed, SigningKey

KEY: Final = ec.generate_private_key(ec.SECP256R1())
START: Final = datetime(2026, 3, 1, tzinfo=UTC)
NAME: Final = x509.Name(
    [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, 'Ex, "Ample" + Söhne'),
        x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, "PSDDE-BAFIN-123456"),
        x509.NameAttribute(NameOID.COMMON_NAME, "shop.example"),
    ]
)
SUBJECT: Final = r"CN=shop.example,2.5.4.97=PSDDE-BAFIN-123456,O=Ex\, \"Ample\" \+ Söhne,C=DE"


def made(name: x509.Name = NAME, san: Sequence[x509.GeneralName] = (), key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = KEY) -> bytes:
    """Return the DER of a certificate that signed itself."""
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
    builder = builder.not_valid_before(START).not_valid_after(START + timedelta(days=90))
    if san:
        builder = builder.add_extension(x509.SubjectAlternativeName(san), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


SANS: Final = made(
    san=[
        x509.DNSName("Shop.Example"),
        x509.DNSName("b.example"),
        x509.UniformResourceIdentifier("spiffe://example/Shop"),
        x509.IPAddress(ip_address("2001:db8::1")),
        x509.IPAddress(ip_address("192.0.2.7")),
        x509.RFC822Name("Ops@Example.com"),
        x509.RegisteredID(NameOID.COMMON_NAME),
    ]
)


def test_what_a_certificate_says() -> None:
    """Subject in the order of RFC 4514, alternative names by kind, dates, and the thumbprint of its key."""
    read = jose.read_certificate(SANS)
    assert read.subject == SUBJECT
    assert (read.san_dns, read.san_uri) == (("shop.example", "b.example"), ("spiffe://example/Shop",))
    assert (read.san_ip, read.san_email) == (("2001:db8::1", "192.0.2.7"), ("Ops@Example.com",))
    assert (read.not_before, read.not_after) == (START, START + timedelta(days=90))
    assert read.public_thumbprint == jose.thumbprint(jose.export(KEY.public_key()))
    assert jose.read_certificate(made()).san_dns == ()


def test_keys_that_do_not_serve_have_no_thumbprint() -> None:
    """A certificate of another curve is read, and bound to by its own thumbprint."""
    read = jose.read_certificate(made(key=ec.generate_private_key(ec.SECP384R1())))
    assert (read.public_thumbprint, len(read.thumbprint)) == (None, 43)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("subject_dn", SUBJECT, "CN=shop.example,C=DE"),
        ("san_dns", "SHOP.example", "p.example"),
        ("san_dns", "b.example", "*.example"),
        ("san_uri", "spiffe://example/Shop", "spiffe://example/shop"),
        ("san_ip", "2001:0DB8:0:0::1", "2001:db8::2"),
        ("san_ip", "192.0.2.7", "192.0.2.007"),
        ("san_email", "Ops@EXAMPLE.com", "ops@example.com"),
    ],
)
def test_one_name_of_one_kind_is_registered(kind: str, good: str, bad: str) -> None:
    """Each kind compares by its own rule, and a name of another kind, or an empty one, is none."""
    read = jose.read_certificate(SANS)
    assert read.bears(f"tls_client_auth_{kind}", good)
    assert not read.bears(f"tls_client_auth_{kind}", bad)
    assert not read.bears(f"tls_client_auth_{kind}", "")
    for other in {"subject_dn", "san_dns", "san_uri", "san_ip", "san_email"} - {kind}:
        assert not read.bears(f"tls_client_auth_{other}", good)
    with pytest.raises(ValueError, match=kind):
        read.bears(kind, good)


@pytest.mark.parametrize(
    "other",
    [
        SUBJECT,
        r"CN=shop.example, organizationIdentifier=PSDDE-BAFIN-123456, O=Ex\, \"Ample\" \+ Söhne, C=DE",
        r"cn=SHOP.EXAMPLE,2.5.4.97=psdde-bafin-123456,o=ex\2C   \22ample\22 \2B S\C3\B6hne,c=de",
        r"commonName=shop.example,2.5.4.97=#0c1250534444452d424146494e2d313233343536,organizationName=Ex\, \"Ample\" \+ So\CC\88hne,C=DE",
        r" CN = shop.example ,2.5.4.97=#131250534444452D424146494E2D313233343536,O=\ Ex\, \"Ample\" \+ Söhne\ ,2.5.4.6=DE",
    ],
)
def test_spellings_of_one_name(other: str) -> None:
    """Case, blanks, escapes, names of attributes, strings in hexadecimal and forms of Unicode do not count."""
    assert jose.same_name(other, SUBJECT)


@pytest.mark.parametrize(
    "other",
    [
        "",
        "CN=shop.example",
        r"C=DE,O=Ex\, \"Ample\" \+ Söhne,2.5.4.97=PSDDE-BAFIN-123456,CN=shop.example",
        SUBJECT + ",CN=shop.example",
        SUBJECT.replace(",C=DE", "+C=DE"),
        SUBJECT.replace("CN=", "OU="),
        SUBJECT.replace("shop.example", "shop.example\\,O=x"),
        SUBJECT.replace("Söhne", "Sohne"),
        SUBJECT.replace("shop.example", "shop.example\\00"),
    ],
)
def test_names_that_are_not_the_same(other: str) -> None:
    """Order, number, kind and every letter count; what was escaped begins no new attribute."""
    assert not jose.same_name(other, SUBJECT)


def test_attributes_that_stand_together_have_no_order() -> None:
    """Within one relative name, joined by `+`, order says nothing."""
    assert jose.same_name("CN=a+UID=7,C=DE", "uid=7+cn=A,c=de")
    assert not jose.same_name("CN=a+UID=7,C=DE", "CN=a,UID=7,C=DE")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "CN",
        "=a",
        "CN=a,",
        "CN=a,,C=DE",
        "CN=a;C=DE",
        "/C=DE/CN=a",
        "CN=<a>",
        'O="Ex, Ample"',
        "CN=#zz",
        "CN=a\\",
        "CN=\\ff",
        "CN=a\0",
        "X-NONE=a",
        "+",
        "1=a",
        "C" * 3000,
    ],
)
def test_what_is_no_name(text: str) -> None:
    """It is refused where it is registered, and equal to nothing where it is compared."""
    with pytest.raises(Malformed):
        jose.read_name(text)
    assert not jose.same_name(text, text)


_VALUE: Final = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).filter(str.strip)
_OIDS: Final = st.sampled_from([NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.USER_ID, NameOID.TITLE, NameOID.ORGANIZATION_IDENTIFIER])


@given(st.lists(st.tuples(_OIDS, _VALUE), min_size=1, max_size=4), st.lists(st.tuples(_OIDS, _VALUE), min_size=1, max_size=4))
def test_every_name_is_read_as_it_was_written(one: list[tuple[x509.ObjectIdentifier, str]], other: list[tuple[x509.ObjectIdentifier, str]]) -> None:
    """Whatever letters it has, a written name reads back with its attributes in its order; two names are one only if each attribute is."""
    texts = [x509.Name([x509.NameAttribute(oid, value) for oid, value in name]).rfc4514_string() for name in (one, other)]
    read = jose.read_name(texts[0])
    assert [kind for ((kind, _),) in read] == [oid.dotted_string for oid, _ in reversed(one)]
    assert jose.same_name(texts[0], texts[0])
    if jose.same_name(*texts):
        assert [(oid, value.casefold().split()) for oid, value in one] == [(oid, value.casefold().split()) for oid, value in other] or any(
            not value.isascii() for _, value in (*one, *other)
        )


@given(st.text(max_size=40) | st.text('CNO=,+\\"# 0a', max_size=30))
def test_any_text_is_a_name_or_none(text: str) -> None:
    """Nothing but Malformed comes of it, and what is a name equals itself."""
    try:
        assert jose.read_name(text)
    except Malformed:
        assert not jose.same_name(text, text)
        return
    assert jose.same_name(text, text)


@given(st.binary(max_size=100) | st.integers(0, len(SANS) - 1).map(lambda at: SANS[:at] + bytes([SANS[at] ^ 0x41]) + SANS[at + 1 :]))
def test_any_octets_are_a_certificate_or_none(der: bytes) -> None:
    """Rubbish, and a certificate with an octet changed anywhere, is read or BadCertificate, and no other error."""
    try:
        assert jose.read_certificate(der).thumbprint == jose.certificate_thumbprint(der)
    except BadCertificate:
        return


def test_a_certificate_has_bounds() -> None:
    """In octets, and in names."""
    with pytest.raises(BadCertificate):
        jose.read_certificate(b"0" * 20_000)
    with pytest.raises(BadCertificate):
        jose.read_certificate(made(san=[x509.DNSName(f"{one}.example") for one in range(65)]))


def test_certificates_in_a_key_set() -> None:
    """Each key's own certificate counts, not those that vouch for it; keys without one are passed over."""
    plain = json.loads(msgspec.json.encode(SigningKey.generate(Alg.ES256).public.jwk))
    text = base64.b64encode(SANS).decode()
    found = jose.registered_certificates(
        json.dumps({"keys": [plain, plain | {"x5c": [text, "AAAA"]}, plain | {"x5c": [text + "!"]}, plain | {"x5c": []}]}).encode()
    )
    assert found == {jose.certificate_thumbprint(SANS)}
    for keys in ([plain], [], [plain | {"x5c": [text], "d": "AAAA"}], [7]):
        with pytest.raises(BadKey):
            jose.registered_certificates(json.dumps({"keys": keys}).encode())
