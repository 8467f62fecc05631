"""Sends a list, links it, and asks about its first line as a counter does.

    python3 -m pip install -r requirements.txt
    python3 send_list.py ../../../proto payments.toml counter.toml programme_... dataset_... benefit-2026 payments.csv
"""

import json
import sys

from renkei_client import Client, first_record

proto, payments, counter, programme, register, purpose, file = sys.argv[1:]
with Client(proto, payments) as client:
    list_id = client.send_list(programme, "from-python", file)
    outcomes, rows = client.link(list_id, register)
with Client(proto, counter) as client:
    identified, leaf_index = client.identify(register, purpose, first_record(file))
told = {"list_id": list_id, "outcomes": outcomes, "rows": len(rows), "leaf_index": leaf_index}
print(json.dumps(told | {"first": rows[0].register_id, "identified": identified}))
