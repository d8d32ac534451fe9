// The official SDK clients against the product on a folder made by `tradeblocks demo`. The server
// over HTTP owns the folder, so that the stdio servers started here pass their calls on to it.
// Environment: MCP_SERVER (program), MCP_URL (running server), MCP_DIR (data folder).
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as Stdio1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as Http1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  Client as Client2,
  StreamableHTTPClientTransport as Http2,
} from '@modelcontextprotocol/client';
import { StdioClientTransport as Stdio2 } from '@modelcontextprotocol/client/stdio';

import { hasSchemas, watchWire } from './wire.mjs';

const url = new URL(process.env.MCP_URL);
const start = {
  command: process.env.MCP_SERVER,
  args: [process.env.MCP_DIR],
  env: { ...process.env },
  stderr: 'inherit',
};
const identity = { name: 'sdk-test', version: '1.0.0' };
const newer = (mode) => new Client2(identity, { versionNegotiation: { mode } });
const clients = [
  { name: 'sdk v1', make: () => new Client1(identity), stdio: Stdio1, http: Http1 },
  { name: 'client v2 legacy', make: () => newer('legacy'), stdio: Stdio2, http: Http2 },
  { name: 'client v2 auto', make: () => newer('auto'), stdio: Stdio2, http: Http2 },
  {
    name: 'client v2 pinned',
    make: () => newer({ pin: '2026-07-28' }),
    stdio: Stdio2,
    http: Http2,
  },
];

// All of these are one caller to the server, and faster than its limit: a patient client comes back
// when it is told to.
async function patientFetch(input, init) {
  for (let tries = 0; ; ++tries) {
    const response = await fetch(input, init);
    if (response.status !== 429 || tries === 10) {
      return response;
    }
    await delay(1000 * Number(response.headers.get('retry-after')));
  }
}

for (const { name, make, stdio, http } of clients) {
  for (const carrier of ['stdio', 'http']) {
    describe(`${name} over ${carrier}`, { timeout: 120_000 }, () => {
      let client;
      let wire;

      before(async () => {
        client = make();
        const transport =
          carrier === 'stdio' ? new stdio(start) : new http(url, { fetch: patientFetch });
        wire = watchWire(transport);
        await client.connect(transport);
      });

      after(async () => {
        await client.close();
        assert.deepEqual(wire.problems, []);
        assert.equal(wire.count > 5, hasSchemas);
      });

      // The clients check structured content against the tool's output schema.
      test('every tool that needs no more than a block answers', async () => {
        assert.equal(client.getServerVersion().name, 'tradeblocks');
        const { tools } = await client.listTools();
        assert.ok(tools.length >= 20, `${tools.length} tools`);
        const listed = await client.callTool({ name: 'list_blocks' });
        assert.equal(listed.structuredContent.totalMatching, 5);
        const blockId = 'MEIC';
        for (const tool of tools) {
          const required = tool.inputSchema.required ?? [];
          if (tool.annotations.readOnlyHint && required.every((key) => key === 'blockId')) {
            const result = await client.callTool({
              name: tool.name,
              arguments: required.length > 0 ? { blockId } : {},
            });
            assert.ok(result.content[0].text.length > 0, tool.name);
            assert.equal(result.isError === true, result.structuredContent === undefined);
          }
        }
      });

      test('resources, prompts and completion work', async () => {
        const { resources } = await client.listResources();
        assert.ok(resources.length > 5);
        for (const { uri } of resources) {
          assert.ok((await client.readResource({ uri })).contents.length > 0, uri);
        }
        const { prompts } = await client.listPrompts();
        assert.ok(prompts.length > 0);
        const { completion } = await client.complete({
          ref: { type: 'ref/resource', uri: 'tradeblocks://blocks/{blockId}' },
          argument: { name: 'blockId', value: 'me' },
        });
        assert.ok(completion.values.includes('MEIC'));
      });

      test('mistakes are explained', async () => {
        const wrong = await client.callTool({
          name: 'get_block_info',
          arguments: { blockId: 'MEIK' },
        });
        assert.equal(wrong.isError, true);
        assert.match(wrong.content[0].text, /MEIC/);
        await assert.rejects(client.callTool({ name: 'get_block_inf' }), /get_block_info/);
      });
    });
  }
}
