// The official SDK clients against the fixture server, over stdio and HTTP: what an ordinary client
// does in a session, in both eras. Environment: MCP_SERVER (program), MCP_URL (running server).
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as Stdio1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as Http1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import * as schemas1 from '@modelcontextprotocol/sdk/types.js';
import {
  Client as Client2,
  StreamableHTTPClientTransport as Http2,
} from '@modelcontextprotocol/client';
import { StdioClientTransport as Stdio2 } from '@modelcontextprotocol/client/stdio';

import { hasSchemas, watchWire } from './wire.mjs';

const program = process.env.MCP_SERVER;
const url = new URL(process.env.MCP_URL);

const identity = { name: 'sdk-test', version: '1.0.0' };
const capabilities = { elicitation: {}, sampling: {}, roots: {} };
const requestSchemas1 = { 'elicitation/create': schemas1.ElicitRequestSchema };
const notificationSchemas1 = {
  'notifications/tools/list_changed': schemas1.ToolListChangedNotificationSchema,
  'notifications/resources/updated': schemas1.ResourceUpdatedNotificationSchema,
};

// The two generations of the SDK differ in how handlers are registered and results typed.
class Version1 {
  constructor() {
    this.client = new Client1(identity, { capabilities });
  }
  onRequest(method, handler) {
    this.client.setRequestHandler(requestSchemas1[method], handler);
  }
  onNotification(method, handler) {
    this.client.setNotificationHandler(notificationSchemas1[method], handler);
  }
  call(params, options) {
    return this.client.callTool(params, undefined, options);
  }
  static transports = {
    stdio: () => new Stdio1({ command: program, stderr: 'inherit' }),
    http: () => new Http1(url),
  };
}

class Version2 {
  constructor(mode) {
    this.client = new Client2(identity, { capabilities, versionNegotiation: { mode } });
  }
  onRequest(method, handler) {
    this.client.setRequestHandler(method, handler);
  }
  onNotification(method, handler) {
    this.client.setNotificationHandler(method, handler);
  }
  call(params, options) {
    return this.client.callTool(params, options);
  }
  static transports = {
    stdio: () => new Stdio2({ command: program, stderr: 'inherit' }),
    http: () => new Http2(url),
  };
}

const clients = [
  { name: 'sdk 1.32.2', make: () => new Version1(), kind: Version1, modern: false },
  { name: 'client 2.4.0 legacy', make: () => new Version2('legacy'), kind: Version2, modern: false },
  { name: 'client 2.4.0 auto', make: () => new Version2('auto'), kind: Version2, modern: true },
  {
    name: 'client 2.4.0 pinned',
    make: () => new Version2({ pin: '2026-07-28' }),
    kind: Version2,
    modern: true,
  },
];

// Resolves when `condition` holds; the test's own timeout is the limit.
async function until(condition) {
  while (!condition()) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

for (const { name, make, kind, modern } of clients) {
  for (const carrier of ['stdio', 'http']) {
    describe(`${name} over ${carrier}`, { timeout: 60_000 }, () => {
      let subject;
      let client;
      let wire;
      const seen = [];

      before(async () => {
        subject = make();
        client = subject.client;
        const transport = kind.transports[carrier]();
        wire = watchWire(transport);
        subject.onRequest('elicitation/create', async (request) => {
          const wanted = Object.keys(request.params.requestedSchema.properties);
          const answers = { name: 'Ada', username: 'ada', email: 'ada@example.org' };
          return {
            action: 'accept',
            content: Object.fromEntries(wanted.map((key) => [key, answers[key]])),
          };
        });
        for (const method of Object.keys(notificationSchemas1)) {
          subject.onNotification(method, (notification) => {
            seen.push(notification.params?.uri ?? method);
          });
        }
        await client.connect(transport);
      });

      after(async () => {
        await client.close();
        assert.deepEqual(wire.problems, []);
        assert.equal(wire.count > 20, hasSchemas);
      });

      test('agrees on a version and lists the tools', async () => {
        assert.equal(client.getServerVersion().name, 'mcp-fixture-server');
        if (kind === Version2) {
          assert.equal(
            client.getNegotiatedProtocolVersion(),
            modern ? '2026-07-28' : '2025-11-25',
          );
        }
        assert.match(client.getInstructions(), /^Call test_simple_text first/);
        const { tools } = await client.listTools();
        assert.equal(tools[0].name, 'test_simple_text');
        assert.ok(tools.some((tool) => tool.name === 'json_schema_2020_12_tool'));
      });

      test('calls tools', async () => {
        const text = await subject.call({ name: 'test_simple_text' });
        assert.equal(text.content[0].text, 'This is a simple text response for testing.');
        const rows = await subject.call({
          name: 'test_structured_content',
          arguments: { factor: 2, order: 'down' },
        });
        assert.deepEqual(rows.structuredContent, {
          rowCount: 2,
          rows: [
            { day: '2024-03-04', netPl: -6, ratio: null },
            { day: '2024-03-01', netPl: 25, ratio: 0.75 },
          ],
        });
        const header = await subject.call({
          name: 'test_header_parameters',
          arguments: { region: ' Zürich ', priority: -3 },
        });
        assert.equal(header.content[0].text, 'region= Zürich ');
      });

      test('tells failures of tools from failures of calls', async () => {
        const failed = await subject.call({ name: 'test_error_handling' });
        assert.equal(failed.isError, true);
        assert.equal(failed.structuredContent, undefined);
        const wrong = await subject.call({
          name: 'test_structured_content',
          arguments: { order: 'downn', factor: 0 },
        });
        assert.equal(wrong.isError, true);
        assert.match(wrong.content[0].text, /order/);
        assert.match(wrong.content[0].text, /factor/);
        await assert.rejects(subject.call({ name: 'test_simple_txt' }), (error) => {
          assert.equal(error.code, -32602);
          assert.match(error.message, /test_simple_text/);
          return true;
        });
      });

      test('reads resources and gets prompts', async () => {
        const { resources } = await client.listResources();
        assert.ok(resources.some((resource) => resource.uri === 'test://static-text'));
        const { contents } = await client.readResource({ uri: 'test://template/a%20b/data' });
        assert.equal(JSON.parse(contents[0].text).id, 'a b');
        // -32002 on the wire for legacy revisions; the newer SDK translates it.
        await assert.rejects(client.readResource({ uri: 'test://nothing' }), {
          code: kind === Version1 ? -32002 : -32602,
        });
        const prompt = await client.getPrompt({
          name: 'test_prompt_with_arguments',
          arguments: { arg1: 'one', arg2: 'two' },
        });
        assert.equal(
          prompt.messages[0].content.text,
          "Prompt with arguments: arg1='one', arg2='two'",
        );
        const { completion } = await client.complete({
          ref: { type: 'ref/prompt', name: 'test_prompt_with_arguments' },
          argument: { name: 'arg1', value: 'par' },
        });
        assert.deepEqual(completion.values, ['paris', 'park', 'party']);
      });

      test('hears of progress and can cancel', async () => {
        const steps = [];
        const done = await subject.call(
          { name: 'test_slow', arguments: { milliseconds: 700 } },
          { onprogress: (progress) => steps.push(progress.progress) },
        );
        assert.equal(done.content[0].text, 'Worked for 700 ms');
        assert.ok(steps.length >= 2, `${steps.length} reports`);
        assert.deepEqual(steps, [...new Set(steps)].sort((a, b) => a - b));

        const abort = new AbortController();
        const slow = subject.call(
          { name: 'test_slow', arguments: { milliseconds: 60_000 } },
          { signal: abort.signal },
        );
        const rejected = assert.rejects(slow);
        setTimeout(() => abort.abort(), 100);
        await rejected;
        await subject.call({ name: 'test_simple_text' });
      });

      test('answers questions of the server', async () => {
        const greeted = await subject.call({ name: 'test_input_required_result_elicitation' });
        assert.equal(greeted.content[0].text, 'Hello, Ada!');
        const form = await subject.call({
          name: 'test_elicitation',
          arguments: { message: 'Who are you?' },
        });
        assert.match(form.content[0].text, /action=accept.*ada@example\.org/);
      });

      test('runs calls in parallel', async () => {
        const calls = [310, 40, 260, 90, 170].map((milliseconds) =>
          subject.call({ name: 'test_slow', arguments: { milliseconds } }),
        );
        const texts = (await Promise.all(calls)).map((result) => result.content[0].text);
        assert.deepEqual(
          texts,
          [310, 40, 260, 90, 170].map((milliseconds) => `Worked for ${milliseconds} ms`),
        );
      });

      test('is told of changes', async () => {
        const uri = 'test://watched-resource';
        const subscription = modern
          ? await client.listen({ toolsListChanged: true, resourceSubscriptions: [uri] })
          : await client.subscribeResource({ uri });
        await subject.call({ name: 'test_trigger_tool_change' });
        await subject.call({ name: 'test_trigger_resource_update' });
        await until(() => seen.includes('notifications/tools/list_changed') && seen.includes(uri));
        if (modern) {
          await subscription.close();
          assert.equal(await subscription.closed, 'local');
        }
      });

      if (!modern && carrier === 'http') {
        test('comes back for an answer after its stream was broken off', async () => {
          const resumed = await subject.call({ name: 'test_reconnection' });
          assert.equal(resumed.content[0].text, 'Reconnection test completed');
        });
      }
    });
  }
}
