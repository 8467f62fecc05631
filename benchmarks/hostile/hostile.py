"""Attacks a broker, and says in JSON what it made of it.

    python3 -m pip install -r requirements.txt
    python3 hostile.py clients/payments.toml rapid_reset [--seconds 20]
    python3 hostile.py clients/payments.toml --list
"""

import argparse
import json

import http2
import slow
import tls
from wire import Client


def main():
    attacks = {attack.__name__: attack for module in (http2, slow, tls) for attack in module.ATTACKS}
    parser = argparse.ArgumentParser(description="attacks a broker of one's own")
    parser.add_argument("client", help="the client file of somebody who is registered")
    parser.add_argument("attack", nargs="?", choices=attacks)
    parser.add_argument("--seconds", type=float, default=20, help="how long a slow attack lasts at most")
    parser.add_argument("--header-bytes", type=int, default=20 << 10, help="how much is a little too much")
    parser.add_argument("--upload", default="", help="an open upload of the client's, for attacks on uploads")
    parser.add_argument("--list", action="store_true", help="names all attacks")
    options = parser.parse_args()
    if options.list or not options.attack:
        for name, attack in attacks.items():
            print(f"{name}\t{attack.__doc__.splitlines()[0]}")
        return
    print(json.dumps(attacks[options.attack](Client(options.client), options)))


if __name__ == "__main__":
    main()
