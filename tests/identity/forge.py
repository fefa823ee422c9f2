"""Tokens made by hand: right ones, and every way that is known of making a wrong one pass."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

ISSUER = "https://id.example.fr/realms/essai"
AUDIENCE = "workbench"
NOW = 1_800_000_000.0

OURS = rsa.generate_private_key(65537, 2048)
STRANGER = rsa.generate_private_key(65537, 2048)
CURVE = ec.generate_private_key(ec.SECP256R1())


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def number(value: int) -> str:
    return b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def rsa_jwk(key: rsa.RSAPrivateKey, kid: str, **more: Any) -> dict[str, Any]:
    numbers = key.public_key().public_numbers()
    return {"kty": "RSA", "kid": kid, "use": "sig", "n": number(numbers.n), "e": number(numbers.e), **more}


def ec_jwk(key: ec.EllipticCurvePrivateKey, kid: str, crv: str = "P-256") -> dict[str, Any]:
    numbers = key.public_key().public_numbers()
    size = (key.key_size + 7) // 8
    return {
        "kty": "EC",
        "kid": kid,
        "use": "sig",
        "crv": crv,
        "x": b64(numbers.x.to_bytes(size, "big")),
        "y": b64(numbers.y.to_bytes(size, "big")),
    }


JWKS = {"keys": [rsa_jwk(OURS, "k1"), ec_jwk(CURVE, "e1")]}


def claims(**more: Any) -> dict[str, Any]:
    found = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "42",
        "iat": NOW - 10,
        "exp": NOW + 300,
        "email": "jane@example.fr",
        "email_verified": True,
        "given_name": "Jane",
        "family_name": "Doe",
        "resource_access": {AUDIENCE: {"roles": ["bfc", "crp"]}},
        **more,
    }
    return {name: value for name, value in found.items() if value is not ...}


def header(**more: Any) -> dict[str, Any]:
    return {
        name: value for name, value in {"alg": "RS256", "typ": "JWT", "kid": "k1", **more}.items() if value is not ...
    }


def part(value: Any) -> str:
    return b64(value if isinstance(value, bytes) else json.dumps(value).encode())


def rs256(signed: bytes, key: rsa.RSAPrivateKey = OURS) -> bytes:
    return key.sign(signed, padding.PKCS1v15(), hashes.SHA256())


def es256(signed: bytes, key: ec.EllipticCurvePrivateKey = CURVE) -> bytes:
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def token(head: Any = None, body: Any = None, sign: Callable[[bytes], bytes] = rs256) -> str:
    signed = f"{part(header() if head is None else head)}.{part(claims() if body is None else body)}"
    return f"{signed}.{b64(sign(signed.encode()))}"


def _hmac(secret: bytes, algorithm: str = "sha256") -> Callable[[bytes], bytes]:
    return lambda signed: hmac.new(secret, signed, getattr(hashlib, algorithm)).digest()


def _pem() -> bytes:
    return OURS.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _der() -> bytes:
    return OURS.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _twice(name: str, first: Any, second: Any, whole: dict[str, Any]) -> bytes:
    rest = json.dumps({key: value for key, value in whole.items() if key != name})[1:]
    return f'{{"{name}": {json.dumps(first)}, "{name}": {json.dumps(second)}, {rest}'.encode()


def _altered(body: dict[str, Any]) -> str:
    head, _, signature = token().split(".")
    return f"{head}.{part(body)}.{signature}"


@dataclass(frozen=True)
class Forgery:
    """A token that must be refused, and how."""

    name: str
    token: str
    code: str


def forgeries() -> Iterator[Forgery]:
    """Give every forged token; ``NOW`` is the time."""

    def of(name: str, text: str, code: str = "jeton_refuse") -> Forgery:
        return Forgery(name, text, code)

    yield of("empty", "", "jeton_etranger")
    yield of("words", "not a token", "jeton_etranger")
    yield of("two parts", token().rpartition(".")[0], "jeton_etranger")
    yield of("five parts, encrypted", token() + ".AA.AA", "jeton_etranger")
    yield of("empty parts", "..", "jeton_etranger")
    yield of("too long", token(body=claims(more="x" * 40_000)), "jeton_etranger")
    yield of("padding", ".".join(f"{each}=" for each in token().split(".")), "jeton_etranger")
    yield of("space before", " " + token(), "jeton_etranger")
    yield of("line end", token() + "\n")
    yield of("standard base64", token(head=b'{"alg":"RS256","kid":"k1>>>???"}').replace("-", "+"), "jeton_etranger")
    yield of("accented letters", token()[:-3] + "éàü")
    yield of("header is a list", token(head=["RS256"]), "jeton_etranger")
    yield of("header is not JSON", token(head=b"{alg:RS256}"), "jeton_etranger")
    yield of("header is not UTF-8", token(head=b'{"alg":"\xff"}'), "jeton_etranger")
    yield of("claims are a text", token(body="jane"), "jeton_etranger")
    yield of("claims are too deep", token(body=b'{"a":' + b"[" * 9000 + b"]" * 9000 + b"}"), "jeton_etranger")
    yield of("algorithm given twice", token(head=_twice("alg", "RS256", "none", header())), "jeton_etranger")
    yield of("subject given twice", token(body=_twice("sub", "1", "42", claims())), "jeton_etranger")
    yield of("roles given twice", token(body=_twice("resource_access", {}, {}, claims())), "jeton_etranger")
    yield of("NaN for an expiry", token(body=json.dumps(claims(exp=float("nan"))).encode()), "jeton_etranger")
    yield of("Infinity for an expiry", token(body=json.dumps(claims(exp=float("inf"))).encode()), "jeton_etranger")
    yield of("another issuer", token(body=claims(iss="https://evil.example")), "jeton_etranger")
    yield of("issuer with a slash more", token(body=claims(iss=ISSUER + "/")), "jeton_etranger")
    yield of("issuer in capitals", token(body=claims(iss=ISSUER.upper())), "jeton_etranger")
    yield of("issuer is a list", token(body=claims(iss=[ISSUER])), "jeton_etranger")
    yield of("no issuer", token(body=claims(iss=...)), "jeton_etranger")
    for name in ("none", "None", "NONE", "nOnE", ""):
        yield of(f"algorithm {name!r}, no signature", token(head=header(alg=name), sign=lambda _: b""))
    yield of("algorithm none, our signature", token(head=header(alg="none")))
    yield of("no algorithm", token(head=header(alg=...)))
    yield of("algorithm is a list", token(head=header(alg=["RS256"])))
    yield of("no signature", token(sign=lambda _: b""))
    yield of("HMAC with our public key in PEM", token(head=header(alg="HS256"), sign=_hmac(_pem())))
    yield of("HMAC with our public key in PEM, stripped", token(head=header(alg="HS256"), sign=_hmac(_pem().strip())))
    yield of("HMAC with our public key in DER", token(head=header(alg="HS256"), sign=_hmac(_der())))
    yield of("HMAC with our JWK", token(head=header(alg="HS256"), sign=_hmac(json.dumps(JWKS["keys"][0]).encode())))
    yield of("HMAC with nothing", token(head=header(alg="HS256"), sign=_hmac(b"")))
    yield of("HMAC 512 with our public key", token(head=header(alg="HS512"), sign=_hmac(_pem(), "sha512")))
    yield of("HMAC said to be RS256", token(sign=_hmac(_pem())))
    yield of(
        "RS512 of our key",
        token(head=header(alg="RS512"), sign=lambda s: OURS.sign(s, padding.PKCS1v15(), hashes.SHA512())),
    )
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    yield of("PS256 of our key", token(head=header(alg="PS256"), sign=lambda s: OURS.sign(s, pss, hashes.SHA256())))
    yield of("PS256 said to be RS256", token(sign=lambda s: OURS.sign(s, pss, hashes.SHA256())))
    yield of("SHA-1 said to be RS256", token(sign=lambda s: OURS.sign(s, padding.PKCS1v15(), hashes.SHA1())))  # noqa: S303
    yield of("ES256, which is not configured", token(head=header(alg="ES256", kid="e1"), sign=es256))
    yield of("RS256 by the curve's key", token(head=header(kid="e1"), sign=es256))
    yield of("a stranger's key under our identifier", token(sign=lambda s: rs256(s, STRANGER)))
    yield of("a stranger's key under its own", token(head=header(kid="stranger"), sign=lambda s: rs256(s, STRANGER)))
    embedded = {"jwk": rsa_jwk(STRANGER, "k1")}
    yield of("a key in the header", token(head=header(**embedded), sign=lambda s: rs256(s, STRANGER)))
    yield of(
        "a key in the header, no identifier", token(head=header(kid=..., **embedded), sign=lambda s: rs256(s, STRANGER))
    )
    for name in ("jku", "x5u"):
        head = header(**{name: "https://evil.example/keys"})
        yield of(f"{name}, a stranger's signature", token(head=head, sign=lambda s: rs256(s, STRANGER)))
        yield of(f"{name}, our signature", token(head=head))
    yield of("a certificate in the header", token(head=header(x5c=["AA"])))
    yield of("crit", token(head=header(crit=["exp"], exp=1)))
    yield of("crit, empty", token(head=header(crit=[])))
    yield of("payload not encoded", token(head=header(b64=False, crit=["b64"])))
    yield of("compressed", token(head=header(zip="DEF")))
    yield of("a token within", token(head=header(cty="JWT")))
    yield of("claims in the header", token(head=header(iss=ISSUER)))
    yield of("no identifier of key", token(head=header(kid=...)))
    yield of("empty identifier of key", token(head=header(kid="")))
    yield of("identifier is a path", token(head=header(kid="../../dev/null"), sign=_hmac(b"")))
    yield of("identifier is SQL", token(head=header(kid="k1' OR '1'='1")))
    yield of("identifier is a number", token(head=header(kid=1)))
    for kind in ("logout+jwt", "dpop+jwt", "secevent+jwt", "JOSE", ""):
        yield of(f"type {kind!r}", token(head=header(typ=kind)))
    yield of("type is a list", token(head=header(typ=["JWT"])))
    yield of("badges added after signing", _altered(claims(resource_access={AUDIENCE: {"roles": ["manager"]}})))
    yield of("expiry put off after signing", _altered(claims(exp=NOW + 9e6)))
    yield of(
        "signature of another token", token().rpartition(".")[0] + "." + token(body=claims(sub="1")).rpartition(".")[2]
    )
    yield of("last bit of the signature", token()[:-1] + ("A" if token()[-1] != "A" else "Q"))
    yield of("signature cut", token()[:-8])
    yield of("signature made longer", token() + "AAAA")
    yield of("expired", token(body=claims(exp=NOW - 31)), "jeton_expire")
    yield of("no expiry", token(body=claims(exp=...)))
    for value in (None, "1900000000", True, [NOW], -1, 0, 1e300, 10**400, {"$gt": 0}):
        yield of(f"expiry {str(value)[:12]!r}", token(body=claims(exp=value)))
    yield of("not yet", token(body=claims(nbf=NOW + 31)))
    yield of("not before is a text", token(body=claims(nbf="0")))
    yield of("not before is null", token(body=claims(nbf=None)))
    yield of("made tomorrow", token(body=claims(iat=NOW + 86400)))
    yield of("no date of making", token(body=claims(iat=...)))
    for value in (
        "other",
        "",
        ["other"],
        [],
        "work",
        "workbench ",
        {AUDIENCE: 1},
        None,
        1,
        [AUDIENCE, 1],
        ["Workbench"],
    ):
        yield of(f"audience {value!r}", token(body=claims(aud=value)))
    yield of("no audience", token(body=claims(aud=...)))
    for value in (..., "", 42, None, ["42"]):
        yield of(f"subject {value!r}", token(body=claims(sub=value)))
    for value in (
        ...,
        None,
        "",
        "jane",
        "jane@",
        "@example.fr",
        "a@b@c.fr",
        "jane@example.fr\nbadges: all",
        "j" * 300 + "@x.fr",
        ["jane@example.fr"],
        "jane@exa mple.fr",
        "jané@example.fr",
    ):
        yield of(f"e-mail {str(value)[:30]!r}", token(body=claims(email=value)))
    for value in (False, "true", None, 1):
        yield of(f"e-mail verified {value!r}", token(body=claims(email_verified=value)))
    for value in (
        "manager",
        {"manager": True},
        [1],
        [["manager"]],
        [None],
        [""],
        [" a"],
        ["a\nb"],
        ["x" * 101],
        ["b"] * 2001,
    ):
        yield of(f"badges {str(value)[:20]!r}", token(body=claims(resource_access={AUDIENCE: {"roles": value}})))
    yield of("a badge that policies alone lend", token(body=claims(resource_access={AUDIENCE: {"roles": ["$auteur"]}})))
    yield of("badges are not where they should be", token(body=claims(resource_access=["manager"])))
    yield of("an ID token", token(body=claims(at_hash="x")))
    for kind in ("ID", "Refresh", "Logout", "Offline", 1):
        yield of(f"kind {kind!r} of Keycloak", token(body=claims(typ=kind)))
    yield of("a logout token", token(body=claims(events={"http://schemas.openid.net/event/backchannel-logout": {}})))


def live(**more: Any) -> dict[str, Any]:
    """Claims that are right by the clock of the machine."""
    now = time.time()
    return claims(iat=now - 1, exp=now + 300, **more)
