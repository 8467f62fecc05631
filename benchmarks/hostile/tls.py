"""What a broker makes of handshakes: asked with openssl and with sslyze, neither of which knows of it."""

import os
import re
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from cryptography.x509.oid import ExtendedKeyUsageOID

from certificates import Bench
from wire import PREFACE, frame_bytes

HELLO = PREFACE + frame_bytes(4, 0, 0)
SETTINGS = 4


def s_client(client, *options, certificate=None, say=HELLO, patience=15):
    """One connection of openssl; whether the broker spoke HTTP/2 on it, and which alert it sent."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{client.port}", "-CAfile", client.ca, "-alpn", "h2",
                   "-servername", "localhost", "-quiet", "-no_ign_eof", *options]
        if certificate:
            chain, key = Path(folder, "chain.pem"), Path(folder, "key.pem")
            chain.write_text(certificate[0])
            key.write_text(certificate[1])
            command += ["-cert", chain, "-cert_chain", chain, "-key", key]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        # It ends when its input does, so the input stays open until the broker has answered or gone.
        timer = threading.Timer(patience, process.kill)
        timer.start()
        try:
            try:
                process.stdin.write(say)
                process.stdin.flush()
            except OSError:
                pass
            # Nine bytes are the head of a frame; the broker's first is its settings.
            head = process.stdout.read(9)
            process.stdin.close()
        except OSError:
            head = b""
        said = process.stderr.read().decode(errors="replace")
        process.wait()
        timed_out = not timer.is_alive()
        timer.cancel()
    alert = re.search(r"SSL alert number (\d+)", said)
    return {
        "served": len(head) == 9 and head[3] == SETTINGS,
        "alert": int(alert.group(1)) if alert else None,
        "timed_out": timed_out,
    }


def handshakes(client, _options):
    """T1, T2, T7, T8, T9, T15: certificates and versions, each with what came of it."""
    bench = Bench(client)
    server_only = bench.issue(usage=ExtendedKeyUsageOID.SERVER_AUTH)
    cases = {
        "good": ([], bench.issue()),
        "good_rsa": ([], bench.rsa()),
        "p256_only": (["-groups", "P-256"], bench.issue()),
        "aes_128_only": (["-ciphersuites", "TLS_AES_128_GCM_SHA256"], bench.issue()),
        "no_certificate": ([], None),
        "expired": ([], bench.issue(begins=-30, ends=-1)),
        "not_yet_valid": ([], bench.issue(begins=1, ends=30)),
        "other_authority": ([], bench.stranger()),
        "common_name_only": ([], bench.issue(names=False)),
        "server_only": ([], server_only),
        "tls_1_2": (["-tls1_2"], bench.issue()),
        "tls_1_1": (["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], bench.issue()),
        "weak_suite": (["-ciphersuites", "TLS_AES_128_CCM_8_SHA256"], bench.issue()),
        "chain_of_100": ([], bench.chain(100)),
        "extension_of_64_kib": ([], bench.issue(extension_bytes=65_000)),
    }
    return {name: s_client(client, *options, certificate=own) for name, (options, own) in cases.items()}


def renegotiation(client, _options):
    """A client that wants to negotiate again: `R` is the command of openssl for it."""
    own = Bench(client).issue()
    asked = [s_client(client, *options, certificate=own, say=b"R\n")
             for options in ([], ["-tls1_2"])]
    return {"served": [one["served"] for one in asked]}


def resumption(client, _options):
    """T14: what openssl could resume a session with."""
    with tempfile.TemporaryDirectory() as folder:
        session = Path(folder, "session.pem")
        first = s_client(client, "-sess_out", session, certificate=Bench(client).issue())
        return {"served": first["served"], "session": session.exists()}


def key_update_flood(client, _options):
    """Keys that are changed all the time: `K` is the command of openssl for it."""
    own, updates, began = Bench(client).issue(), 0, time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        chain, key = Path(folder, "chain.pem"), Path(folder, "key.pem")
        chain.write_text(own[0])
        key.write_text(own[1])
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{client.port}", "-CAfile", client.ca, "-alpn", "h2",
                   "-cert", chain, "-key", key]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        process = subprocess.Popen(command, **pipes)
        said = []
        # It looks at the first letter of what it reads, so each command has to be read by itself.
        try:
            while updates < 3_000:
                os.write(process.stdin.fileno(), b"K\n")
                while (line := process.stderr.readline()) and b"KEYUPDATE" not in line:
                    said.append(line.decode(errors="replace").strip())
                if not line:
                    break
                updates += 1
        except OSError:
            pass
        process.kill()
        process.wait()
    return {"updates": updates, "seconds": round(time.monotonic() - began, 2), "said": said[-2:]}


def scan(client, _options):
    """T8, T14: the scanner sslyze, with every protocol and weakness that it knows."""
    from sslyze import (ClientAuthenticationCredentials, ScanCommand, Scanner, ServerNetworkConfiguration,
                        ServerNetworkLocation, ServerScanRequest, ServerScanStatusEnum)

    own = ClientAuthenticationCredentials(Path(client.certificate), Path(client.key))
    location = ServerNetworkLocation(hostname="localhost", ip_address="127.0.0.1", port=client.port)
    network = ServerNetworkConfiguration(tls_server_name_indication="localhost", tls_client_auth_credentials=own)
    suites = {"SSL 2.0": "ssl_2_0_cipher_suites", "SSL 3.0": "ssl_3_0_cipher_suites", "TLS 1.0": "tls_1_0_cipher_suites",
              "TLS 1.1": "tls_1_1_cipher_suites", "TLS 1.2": "tls_1_2_cipher_suites", "TLS 1.3": "tls_1_3_cipher_suites"}
    others = ["tls_compression", "openssl_ccs_injection", "heartbleed", "robot",
              "session_renegotiation", "session_resumption", "elliptic_curves"]
    commands = {ScanCommand(name) for name in [*suites.values(), *others]}
    scanner = Scanner()
    scanner.queue_scans([ServerScanRequest(location, network_configuration=network, scan_commands=commands)])
    result = next(iter(scanner.get_results()))
    if result.scan_status != ServerScanStatusEnum.COMPLETED:
        return {"completed": False, "error": str(result.connectivity_error_trace)}
    found = result.scan_result
    answer = lambda name: getattr(found, name).result
    suite = lambda name: [one.cipher_suite.name for one in answer(name).accepted_cipher_suites] if answer(name) else None
    seen = lambda name, *keys: {key: str(getattr(answer(name), key)) for key in keys} if answer(name) else None
    return {
        "completed": True,
        "suites": {protocol: suite(name) for protocol, name in suites.items()},
        "compression": seen("tls_compression", "supports_compression"),
        "ccs_injection": seen("openssl_ccs_injection", "is_vulnerable_to_ccs_injection"),
        "heartbleed": seen("heartbleed", "is_vulnerable_to_heartbleed"),
        "robot": seen("robot", "robot_result"),
        "renegotiation": seen("session_renegotiation", "supports_secure_renegotiation", "is_vulnerable_to_client_renegotiation_dos"),
        "resumption": seen("session_resumption", "session_id_resumption_result", "tls_ticket_resumption_result"),
        "curves": [one.name for one in answer("elliptic_curves").supported_curves] if answer("elliptic_curves") else None,
    }


ATTACKS = [handshakes, renegotiation, resumption, key_update_flood, scan]
