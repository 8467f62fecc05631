"""Bad certificates, made with the key of a test's authority.

A broker that runs for others never has that key beside it; a demo does, since everything in it is thrown away.
"""

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

DAY = datetime.timedelta(days=1)


class Bench:
    """An authority at work."""

    def __init__(self, client):
        self.authority = x509.load_pem_x509_certificate(Path(client.ca).read_bytes())
        key = (Path(client.ca).parent / "ca.key").read_bytes()
        self.key = serialization.load_pem_private_key(key, None)
        own = x509.load_pem_x509_certificate(Path(client.certificate).read_bytes())
        names = own.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        self.identity = names.get_values_for_type(x509.UniformResourceIdentifier)[0]
        self.now = datetime.datetime.now(datetime.UTC)

    def issue(self, begins=-1, ends=30, names=True, usage=ExtendedKeyUsageOID.CLIENT_AUTH, key=None, signer=None,
              extension_bytes=0):
        """A client's certificate and key as PEM; every parameter is something that may be wrong."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.identity[-60:])])
        builder = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(self.authority.subject)
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(self.now + begins * DAY).not_valid_after(self.now + ends * DAY)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        )
        if names:
            own = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(self.identity)])
            builder = builder.add_extension(own, critical=False)
        if extension_bytes:
            filler = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.55555.1"), bytes(extension_bytes))
            builder = builder.add_extension(filler, critical=False)
        certificate = builder.sign(signer or self.key, hashes.SHA256())
        return pem(certificate), key_pem(key)

    def stranger(self):
        """A certificate of an authority with the same name and another key."""
        return self.issue(signer=ec.generate_private_key(ec.SECP256R1()))

    def rsa(self):
        return self.issue(key=rsa.generate_private_key(public_exponent=65_537, key_size=2_048))

    def chain(self, length):
        """A good certificate and so many more that nobody needs."""
        certificate, key = self.issue()
        return certificate + pem(self.authority) * length, key


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def key_pem(key):
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
