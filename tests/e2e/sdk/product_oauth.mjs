// The official SDK clients against the product as an OAuth resource server, with an authorization
// server of a few lines whose tokens another library signs (jose, which the SDK brings): from the
// first 401 over both metadata documents to the call, and on to more scopes when a call needs them.
// Environment: MCP_SERVER (program).
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { ClientCredentialsProvider as Provider1 } from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import { StreamableHTTPClientTransport as Http1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  Client as Client2,
  ClientCredentialsProvider as Provider2,
  StreamableHTTPClientTransport as Http2,
} from '@modelcontextprotocol/client';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';

const identity = { name: 'sdk-test', version: '1.0.0' };
const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'];

// Client credentials only; grants whatever is asked for.
class Issuer {
  keys = {};
  asked = [];
  algorithm = 'ES256';

  async start() {
    const list = [];
    for (const alg of [...algorithms, 'ES384']) {
      const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
      this.keys[alg] = privateKey;
      list.push({ ...(await exportJWK(publicKey)), kid: alg, alg, use: 'sig' });
    }
    this.documents = () => ({
      '/.well-known/oauth-authorization-server': {
        issuer: this.url,
        authorization_endpoint: `${this.url}/authorize`,
        token_endpoint: `${this.url}/token`,
        jwks_uri: `${this.url}/keys`,
        response_types_supported: ['code'],
        grant_types_supported: ['client_credentials'],
        token_endpoint_auth_methods_supported: ['client_secret_basic'],
        code_challenge_methods_supported: ['S256'],
      },
      '/keys': { keys: list },
    });
    this.http = createServer((request, response) => this.answer(request, response));
    this.http.listen(0, '127.0.0.1');
    await once(this.http, 'listening');
    this.url = `http://127.0.0.1:${this.http.address().port}`;
  }

  async answer(request, response) {
    let document = this.documents()[request.url];
    if (request.url === '/token') {
      const text = (await request.toArray()).join('');
      const wanted = new URLSearchParams(text);
      this.asked.push(Object.fromEntries(wanted));
      const token = await this.token(
        { scope: wanted.get('scope') ?? '', client_id: 'desk' }, wanted.get('resource'));
      document = { access_token: token, token_type: 'Bearer', expires_in: 300 };
    }
    response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(document ?? {}));
  }

  unsigned(kind, claims, audience) {
    return new kind(claims).setIssuer(this.url).setAudience(audience).setSubject('user-17')
      .setExpirationTime('5m');
  }

  token(claims, audience, alg = this.algorithm) {
    return this.unsigned(SignJWT, claims, audience)
      .setProtectedHeader({ alg, kid: alg, typ: 'at+jwt' }).sign(this.keys[alg]);
  }
}

async function freePort() {
  const probe = createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

const issuer = new Issuer();
let folder;
let server;
let url;

before(async () => {
  await issuer.start();
  folder = mkdtempSync(join(tmpdir(), 'tradeblocks-oauth-'));
  const port = await freePort();
  url = new URL(`http://127.0.0.1:${port}/mcp`);
  server = spawn(
    process.env.MCP_SERVER,
    ['serve', folder, '--http', `127.0.0.1:${port}`, '--oauth-issuer', issuer.url,
      '--oauth-resource', url.href],
    { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  await new Promise((listening, failed) => {
    server.once('exit', () => failed(new Error(`the server ended: ${said}`)));
    server.stderr.on('data', (data) => {
      said += data;
      if (said.includes(url.href)) {
        listening();
      }
    });
  });
});

after(async () => {
  server.kill('SIGTERM');
  await once(server, 'exit');
  issuer.http.close();
  issuer.http.closeAllConnections();
  rmSync(folder, { recursive: true });
});

async function statusFor(token) {
  const message = { jsonrpc: '2.0', id: 1, method: 'ping' };
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
    },
    body: JSON.stringify(message),
  });
  await answer.text();
  return answer.status;
}

// Without a person in between, the older SDK asks for the scopes it was configured with and never
// for those of a challenge.
const clients = [
  {
    name: 'sdk v1',
    make: () => new Client1(identity),
    Http: Http1,
    Provider: Provider1,
    scope: 'blocks:read sql:read',
  },
  {
    name: 'client v2',
    make: () => new Client2(identity, { versionNegotiation: { mode: 'auto' } }),
    Http: Http2,
    Provider: Provider2,
  },
];

for (const { name, make, Http, Provider, scope } of clients) {
  describe(name, { timeout: 60_000 }, () => {
    test('finds the issuer, calls, and asks for more scopes when a call needs them', async () => {
      issuer.asked = [];
      const authProvider = new Provider({
        clientId: 'desk', clientSecret: 'secret', expectedIssuer: issuer.url, scope });
      const client = make();
      await client.connect(new Http(url, { authProvider }));
      assert.ok((await client.listTools()).tools.length > 10);
      assert.equal(issuer.asked.length, 1);
      assert.equal(issuer.asked[0].resource, url.href);
      assert.equal(issuer.asked[0].scope, 'blocks:read sql:read');
      if (scope !== undefined) {
        await assert.rejects(client.callTool({ name: 'import_csv', arguments: {} }), /403/);
        await client.close();
        return;
      }
      // Without arguments it is a tool error, but only after the scope has been granted.
      const answer = await client.callTool({ name: 'import_csv', arguments: {} });
      assert.equal(answer.isError, true);
      assert.equal(issuer.asked.length, 2);
      assert.ok(issuer.asked[1].scope.split(' ').includes('data:write'), issuer.asked[1].scope);
      await client.close();
    });
  });
}

describe('tokens of another library', () => {
  const claims = { scope: 'blocks:read' };
  for (const algorithm of algorithms) {
    test(`${algorithm} is accepted`, async () => {
      assert.equal(await statusFor(await issuer.token(claims, url.href, algorithm)), 200);
    });
  }
  test('what is wrong is refused', async () => {
    assert.equal(await statusFor(await issuer.token(claims, url.href, 'ES384')), 401);
    assert.equal(await statusFor(await issuer.token(claims, `${url.href}2`)), 401);
    assert.equal(await statusFor(issuer.unsigned(UnsecuredJWT, claims, url.href).encode()), 401);
    assert.equal(await statusFor(await issuer.token({ scope: 'openid' }, url.href)), 403);
  });
});
