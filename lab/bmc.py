#!/usr/bin/python3
"""The BMC of a lab host: Redfish over HTTPS and IPMI 2.0 over LAN, which really cut and give its power.

  bmc.py HOST_DIR ADDRESS LAB_SH     (started by `lab.sh bmc HOST start`, which tells what it is for)

Redfish is the few resources that power needs, by Python's own server; IPMI is python3-pyghmi of Debian. The user is
`admin`, the password the content of HOST_DIR/bmc/password. HOST_DIR/bmc/mode is read at each request.
"""
import base64
import http.server
import json
import os
import ssl
import subprocess
import sys
import threading
import time
import uuid

from pyghmi.ipmi import bmc as ipmi

HOST_DIR, ADDRESS, LAB_SH = sys.argv[1:4]
USER = 'admin'


def read(path, default=''):
    try:
        with open(path) as file:
            return file.read().strip()
    except FileNotFoundError:
        return default


def mode():
    return read(f'{HOST_DIR}/bmc/mode', 'ok').split() or ['ok']


def host():
    """Whose power it has: its own host's, unless somebody put the cable into another one."""
    word = mode()
    return os.path.join(os.path.dirname(HOST_DIR), f'host{word[1]}') if word[0] == 'swapped' else HOST_DIR


def host_uuid():
    return uuid.UUID(read(f'{host()}/uuid'))


def password():
    # In mode `refuse` somebody changed it.
    return read(f'{HOST_DIR}/bmc/password') + ('-changed' if mode()[0] == 'refuse' else '')


class Power:
    told = None  # what a liar was asked for last

    def is_on(self):
        if mode()[0] == 'lie' and self.told is not None:
            return self.told
        # The host's PID 1 lives: the start time guards against a reused PID.
        try:
            pid, started = read(f'{host()}/init.pid').split()
            return read(f'/proc/{pid}/stat').rsplit(')', 1)[1].split()[19] == started
        except (ValueError, IndexError, ProcessLookupError):
            return False

    def set(self, on):
        word = mode()[0]
        print('power', 'on' if on else 'off', word, flush=True)
        self.told = on
        if word not in ('deaf', 'lie'):
            # As a real one, it answers first and acts then.
            command = [LAB_SH, 'boot' if on else 'crash', os.path.basename(host())]
            threading.Thread(target=subprocess.run, args=(command,), kwargs={'stdin': subprocess.DEVNULL}).start()


power = Power()


class Redfish(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        pass

    def answer(self, status, body=None):
        data = b'' if body is None else json.dumps(body).encode()
        self.send_response(status)
        if status == 401:
            self.send_header('WWW-Authenticate', 'Basic realm="bmc"')
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def may(self):
        word = mode()
        if word[0] == 'hang':
            time.sleep(3600)
        if word[0] == 'slow':
            time.sleep(float(word[1]))
        if word[0] == 'error':
            self.answer(500, {'error': {'message': 'internal error'}})
            return False
        wanted = base64.b64encode(f'{USER}:{password()}'.encode()).decode()
        if self.path.rstrip('/') != '/redfish/v1' and self.headers.get('Authorization') != f'Basic {wanted}':
            self.answer(401, {'error': {'message': 'no valid session'}})
            return False
        return True

    def do_GET(self):
        system = f'/redfish/v1/Systems/{host_uuid()}'
        tree = {
            '/redfish/v1': {'Systems': {'@odata.id': '/redfish/v1/Systems'}},
            '/redfish/v1/Systems': {'Members': [{'@odata.id': system}], 'Members@odata.count': 1},
        }
        if not self.may():
            return
        path = self.path.rstrip('/')
        if path in tree:
            self.answer(200, tree[path])
        # `1` names the only system, as most makers call it.
        elif path in (system, '/redfish/v1/Systems/1'):
            reset = {'target': f'{path}/Actions/ComputerSystem.Reset'}
            self.answer(200, {
                '@odata.id': path, 'Id': path.rsplit('/', 1)[1], 'UUID': str(host_uuid()),
                'PowerState': 'On' if power.is_on() else 'Off', 'Actions': {'#ComputerSystem.Reset': reset},
            })
        else:
            self.answer(404, {'error': {'message': 'no such resource'}})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        if not self.may():
            return
        kind = json.loads(body or '{}').get('ResetType')
        if kind not in ('On', 'ForceOff'):
            return self.answer(400, {'error': {'message': f'ResetType {kind} is not supported'}})
        power.set(kind == 'On')
        self.answer(204)


class Users(dict):
    """The password of the moment."""

    def __getitem__(self, _):
        return password()


class Ipmi(ipmi.Bmc):
    def sessionless_data(self, data, sockaddr):
        # One thread serves all: what hangs is dropped, not slept through.
        if mode()[0] != 'hang':
            self.uuid = host_uuid()
            super().sessionless_data(data, sockaddr)

    def handle_raw_request(self, request, session):
        word = mode()
        if word[0] == 'hang':
            return
        if word[0] == 'slow':
            time.sleep(float(word[1]))
        if word[0] == 'error':
            session.send_ipmi_response(code=0xff)
        elif (request['netfn'], request['command']) == (6, 0x37):
            # Get System GUID, in the byte order of the IPMI specification: the whole of it backwards.
            session.send_ipmi_response(data=list(reversed(host_uuid().bytes)))
        else:
            super().handle_raw_request(request, session)

    def get_power_state(self):
        return 'on' if power.is_on() else 'off'

    def power_off(self):
        power.set(False)

    def power_on(self):
        power.set(True)


def main():
    files = f'{HOST_DIR}/bmc'
    if not os.path.exists(f'{files}/cert.pem'):
        subprocess.run(
            ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '3650',
             '-subj', '/CN=bmc', '-addext', f'subjectAltName=IP:{ADDRESS}', '-keyout', f'{files}/key.pem',
             '-out', f'{files}/cert.pem'],
            check=True, capture_output=True)
    Ipmi(Users({USER: None}), port=623, address=ADDRESS)
    threading.Thread(target=Ipmi.listen, daemon=True).start()
    server = http.server.ThreadingHTTPServer((ADDRESS, 443), Redfish)
    server.daemon_threads = True
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(f'{files}/cert.pem', f'{files}/key.pem')
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    with open(f'{files}/ready', 'w') as file:
        file.write('ready\n')
    server.serve_forever()


main()
