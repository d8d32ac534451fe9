#!/usr/bin/env python3
"""The MCP server under attack, after public reports of faults of other servers: messages that are
none, ids used twice, foreign sessions, names of other hosts, requests inside requests, clients that
come and go or do not read. After each the server answers as before."""

import concurrent.futures
import json
import os
import socket
import subprocess
import time
import unittest

from cli_support import PATIENCE, PROGRAM
from serve_support import LEGACY, MODERN
from serve_test import Http, ServeTest

BAD_LINES = [
    b'{"jsonrpc":"2.0", "method": "test", "params": ',
    b"{this is not json", b"null", b"true", b"5", b'""', b"[]", b"[1]", b"{}", b"\xff\xfe\x00",
    b'{"jsonrpc":"2.0","id":2,"method":"tools/call","params":null}',
    b'{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"arguments":{}}}',
    b'{"jsonrpc":"2.0","id":2,"method":"tools/call","params":[]}',
    b'{"jsonrpc":"2.0","id":2,"method":"no/such/method","params":{}}',
    b'{"jsonrpc":"2.0","id":{},"method":"tools/list"}',
    b'{"jsonrpc":"2.0","id":1e400,"method":"tools/list"}',
    b'{"jsonrpc":"2.0","id":1.5,"method":"tools/list"}',
    b'{"jsonrpc":"1.0","id":2,"method":"tools/list"}',
    b'{"jsonrpc":"2.0","id":2,"method":5}',
    b'{"jsonrpc":"2.0","id":"' + b"i" * 1_000_000 + b'","method":"tools/list"}',
    b'{"jsonrpc":"2.0","id":2,"method":"' + b"m" * 1_000_000 + b'"}',
    b"[" * 100_000, b'{"a":' * 100_000, b"[" * 5_000 + b"]" * 5_000,
    b'{"jsonrpc":"2.0","id":2,"result":{}}', b'{"jsonrpc":"2.0","id":99,"error":{}}',
    b'{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}',
    b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":{}}}',
    b'{"jsonrpc":"2.0","method":"notifications/cancelled"}',
    b'{"jsonrpc":"2.0","id":2,"method":"resources/read","params":{"uri":'
    b'"tradeblocks://blocks/..%2F..%2Fetc%2Fpasswd"}}',
    b'{"jsonrpc":"2.0","id":2,"method":"resources/read","params":{"uri":"file:///etc/passwd"}}',
    b'{"jsonrpc":"2.0","id":2,"method":"resources/read","params":{"uri":'
    b'"tradeblocks://blocks/%2e%2e/trades?cursor=0-"}}',
    b'{"jsonrpc":"2.0","id":2,"method":"completion/complete","params":{"ref":{"type":"x"}}}',
]


class Lines(ServeTest):
    def test_messages_that_are_none_end_nothing(self):
        process = subprocess.Popen(
            [PROGRAM, "serve", str(self.data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(os.environ, TRADEBLOCKS_RUNTIME_DIR=str(self.runtime)))
        self.addCleanup(lambda: (process.kill(), process.wait(), process.stdout.close()))

        def ping(number):
            process.stdin.write(b'{"jsonrpc":"2.0","id":"ping %d","method":"ping"}\n' % number)
            process.stdin.flush()
            while True:
                answer = json.loads(process.stdout.readline())
                if answer.get("id") == f"ping {number}":
                    return
                self.assertIn("error", answer)
                self.assertLess(len(json.dumps(answer)), 2_100_000)
                self.assertNotIn("root:", json.dumps(answer))

        process.stdin.write(json.dumps({
            "jsonrpc": "2.0", "id": "ping", "method": "initialize", "params": {
                "protocolVersion": LEGACY, "capabilities": {},
                "clientInfo": {"name": "x", "version": "1"}}}).encode() + b"\n")
        process.stdin.flush()
        self.assertIn("result", json.loads(process.stdout.readline()))
        for number, line in enumerate(BAD_LINES):
            with self.subTest(line[:60]):
                process.stdin.write(line + b"\n")
                ping(number)
        process.stdin.close()
        self.assertEqual(process.wait(timeout=PATIENCE), 0)

    def test_cancelling_and_subscribing_without_end(self):
        client = self.client()
        client.call("list_blocks")
        for number in range(400):
            request, _ = client.start("tools/call", {"name": "list_blocks", "arguments": {}})
            with client.lock:
                client.waiting.setdefault(request, __import__("queue").Queue())
            client.send({"jsonrpc": "2.0", "method": "notifications/cancelled",
                         "params": {"requestId": request}})
            uri = f"tradeblocks://blocks/Alpha{number}"
            client.result("resources/subscribe", {"uri": uri})
            client.result("resources/unsubscribe", {"uri": uri})
        self.assertEqual(client.call("list_blocks")["totalMatching"], 2)

    def test_who_does_not_read_holds_up_nobody_else(self):
        slow = subprocess.Popen(
            [PROGRAM, "serve", str(self.data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(os.environ, TRADEBLOCKS_RUNTIME_DIR=str(self.runtime)))
        self.addCleanup(lambda: (slow.kill(), slow.wait(), slow.stdout.close()))
        slow.stdin.write(json.dumps({
            "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
                "protocolVersion": LEGACY, "capabilities": {},
                "clientInfo": {"name": "x", "version": "1"}}}).encode() + b"\n")
        for number in range(1, 60):
            slow.stdin.write(json.dumps({
                "jsonrpc": "2.0", "id": number, "method": "tools/call", "params": {
                    "name": "get_trades", "arguments": {"blockId": "Alpha"}}}).encode() + b"\n")
        slow.stdin.flush()
        other = self.client()
        self.assertEqual(other.call("get_block_info", blockId="Alpha")["tradeCount"], 40)


class Requests(Http):
    # Those of the class above are run by its own file.
    test_http_and_stdio_share_one_folder_either_way_round = None
    test_tokens_come_from_the_environment = None
    test_the_network_is_not_served_without_tokens = None
    test_a_follower_over_http_imports_from_nowhere_else = None

    def raw(self, url, request, read=65_536, half_close=True):
        """Bytes in, all bytes out."""
        port = int(url.split(":")[2].split("/")[0])
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
            try:
                connection.sendall(request)
                if half_close:
                    connection.shutdown(socket.SHUT_WR)
                answer = b""
                while len(answer) < read:
                    part = connection.recv(read)
                    if not part:
                        break
                    answer += part
            except ConnectionError:
                answer = b""
            return answer

    @staticmethod
    def body(method="tools/list", number=1):
        return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": {
            "_meta": {"io.modelcontextprotocol/protocolVersion": MODERN,
                      "io.modelcontextprotocol/clientCapabilities": {}}}}).encode()

    def head(self, length, host="localhost", more=b"", path=b"/mcp"):
        return (b"POST " + path + b" HTTP/1.1\r\nHost: " + host.encode() + b"\r\n"
                b"Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
                b"MCP-Protocol-Version: " + MODERN.encode() + b"\r\nMcp-Method: tools/list\r\n"
                + more + (b"Content-Length: %d\r\n" % length if length is not None else b"")
                + b"\r\n")

    def works(self, url):
        self.assertTrue(self.post(url, "tools/list", {})["tools"])

    def test_requests_inside_requests_are_not_answered(self):
        _, url = self.start()
        inner = self.head(len(self.body(number=77))) + self.body(number=77)
        body = self.body()
        # Each tells two lengths, or none that is one: whatever comes after is not a request.
        for more, length in [
                (b"Transfer-Encoding: chunked\r\n", len(body)),
                (b"Transfer-Encoding: chunked, identity\r\n", len(body)),
                (b"Transfer-Encoding: xchunked\r\n", len(body)),
                (b"Transfer-Encoding : chunked\r\n", len(body)),
                (b"Content-Length: 5\r\n", len(body)),
                (b"Content-Length: +5\r\n", None),
                (b"Content-Length: -1\r\n", None),
                (b"Content-Length: 0x10\r\n", None),
                (b"Content-Length: 99999999999999999999999\r\n", None),
                (b"X-A: b\0c\r\n", len(body)),
                (b"X-Long: " + b"x" * 70_000 + b"\r\n", len(body))]:
            with self.subTest(more[:40]):
                answer = self.raw(url, self.head(length, more=more) + body + inner)
                self.assertNotIn(b'"id":77', answer)
        for request in [b"GET / HTTP/0.9\r\n\r\n", b"\r\n" * 1000, b"\0" * 1000, b"PRI * HTTP/2.0\r\n"
                        b"\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", b"A" * 200_000]:
            with self.subTest(request[:20]):
                self.raw(url, request)
        for path in [b"/mcp/../mcp", b"/../../etc/passwd", b"/mcp%00", b"//mcp", b"/mcp/",
                     b"/%6dcp"]:
            with self.subTest(path):
                answer = self.raw(url, self.head(len(body), path=path) + body)
                self.assertIn(b" 404 ", answer.split(b"\r\n")[0])
        self.works(url)

    def test_other_hosts_and_origins_are_refused(self):
        _, url = self.start()
        body = self.body()
        for host in ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example",
                     "localhost@evil.example", "evil.example:80", "", "0.0.0.0", "[::2]"]:
            with self.subTest(host):
                answer = self.raw(url, self.head(len(body), host=host) + body)
                self.assertIn(answer.split(b" ")[1:2], [[b"403"], [b"400"]])
        for origin in [b"http://evil.example", b"null", b"http://localhost.evil.example", b"file://",
                       b"http://localhost@evil.example", b"https://127.0.0.1.evil.example"]:
            with self.subTest(origin):
                answer = self.raw(url, self.head(len(body), more=b"Origin: " + origin + b"\r\n")
                                  + body)
                self.assertIn(b" 403 ", answer.split(b"\r\n")[0])
                self.assertNotIn(b"Access-Control-Allow-Origin", answer)
        answer = self.raw(url, self.head(len(body), more=b"Host: evil.example\r\n") + body)
        self.assertIn(answer.split(b" ")[1:2], [[b"403"], [b"400"]])
        self.works(url)

    def session(self, url, token=None, number=1):
        fields = {"Content-Type": "application/json",
                  "Accept": "application/json, text/event-stream"}
        if token:
            fields["Authorization"] = "Bearer " + token
        answer = self.raw(url, self.plain(fields, {
            "jsonrpc": "2.0", "id": number, "method": "initialize", "params": {
                "protocolVersion": LEGACY, "capabilities": {},
                "clientInfo": {"name": "x", "version": "1"}}}))
        for line in answer.split(b"\r\n"):
            if line.lower().startswith(b"mcp-session-id:"):
                return line.split(b":")[1].strip().decode(), fields
        return None, fields

    @staticmethod
    def plain(fields, message, method="POST"):
        body = json.dumps(message).encode() if message is not None else b""
        fields = {**fields, "Host": "localhost", "Content-Length": len(body), "Connection": "close"}
        return (f"{method} /mcp HTTP/1.1\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n").encode() + body

    def test_a_session_is_its_owners(self):
        tokens = self.root / "tokens"
        alice, bob = "a" * 40, "b" * 40
        tokens.write_text(f"alice:blocks:read,sql:read:{alice}\nbob:blocks:read,sql:read:{bob}\n")
        tokens.chmod(0o600)
        _, url = self.start(env={"TRADEBLOCKS_TOKEN": alice})
        session, fields = self.session(url, alice)
        self.assertGreaterEqual(len(session), 22)
        self.assertNotEqual(session, self.session(url, alice)[0])
        own = {**fields, "Mcp-Session-Id": session, "MCP-Protocol-Version": LEGACY}
        message = {"jsonrpc": "2.0", "id": 5, "method": "tools/list"}
        self.assertIn(b" 200 ", self.raw(url, self.plain(own, message)).split(b"\r\n")[0])
        for field, value, status in [("Authorization", "Bearer " + bob, b" 401 "),
                                     ("Authorization", "", b" 401 "),
                                     ("Mcp-Session-Id", "0" * len(session), b" 404 "),
                                     ("Mcp-Session-Id", session.upper() + "x", b" 404 ")]:
            with self.subTest(field + value):
                answer = self.raw(url, self.plain({**own, field: value}, message))
                self.assertIn(status, answer.split(b"\r\n")[0])
                self.assertNotIn(b'"tools"', answer)
                self.raw(url, self.plain({**own, field: value}, None, method="DELETE"))
        self.assertIn(b" 200 ", self.raw(url, self.plain(own, message)).split(b"\r\n")[0])
        port = url.split(":")[2].split("/")[0]
        health = self.raw(url, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        self.assertNotIn(session.encode(), health, port)

    def test_one_id_for_everything_mixes_nothing_up(self):
        _, url = self.start()
        session, fields = self.session(url)
        own = {**fields, "Mcp-Session-Id": session, "MCP-Protocol-Version": LEGACY}

        def rows(block):
            answer = self.raw(url, self.plain(own, {
                "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
                    "name": "run_sql", "arguments": {
                        "query": f"SELECT block_id, count(*) AS n FROM trades.trade_data WHERE "
                                 f"block_id = '{block}' AND (SELECT count(*) FROM "
                                 "range(3000000)) > 0 GROUP BY 1"}}}),
                read=1 << 20, half_close=False)
            return block.encode() in answer and (b"40" if block == "Alpha" else b"25") in answer

        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            self.assertTrue(all(pool.map(rows, ["Alpha", "Beta"] * 12)))

    def test_clients_that_come_and_go_leave_nothing_behind(self):
        process, url = self.start()
        self.works(url)
        port = int(url.split(":")[2].split("/")[0])

        def descriptors():
            return len(os.listdir(f"/proc/{process.pid}/fd"))

        before = descriptors()
        for number in range(200):
            connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
            kind = number % 4
            if kind == 1:
                connection.sendall(b"POST /mcp HTTP/1.1\r\nHost: loc")
            elif kind == 2:
                body = self.body("subscriptions/listen").replace(
                    b'"params": {', b'"params": {"notifications": {"resourcesListChanged": true}, ')
                connection.sendall(self.head(len(body)).replace(
                    b"Mcp-Method: tools/list", b"Mcp-Method: subscriptions/listen") + body)
                connection.recv(100)
            elif kind == 3:
                connection.sendall(self.head(10_000) + b"{")
            connection.close()
        for _ in range(200):
            self.session(url)
        until = time.monotonic() + PATIENCE
        while descriptors() > before + 4 and time.monotonic() < until:
            time.sleep(0.1)
        self.assertLessEqual(descriptors(), before + 4)
        self.works(url)

    def test_half_open_connections_lock_nobody_out(self):
        _, url = self.start()
        port = int(url.split(":")[2].split("/")[0])
        held = []
        for number in range(300):
            held.append(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))
            held[-1].sendall(b"" if number % 3 == 0 else b"POST /mcp HTTP/1.1\r\nX: ")
            if number % 10 == 0:
                self.works(url)
        for connection in held:
            connection.close()
        self.works(url)


if __name__ == "__main__":
    del Http  # its tests are run by its own file
    unittest.main()
