// Checks every message a server sends against the official JSON schema of the revision spoken.
// The schemas are not ours to ship: without the shared data folder beside the checkout (or
// TB_SHARED) the check is off.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

const shared = process.env.TB_SHARED ?? fileURLToPath(new URL('../../../../shared', import.meta.url));
const folder = `${shared}/data/mcp-schema`;
export const hasSchemas = existsSync(folder);

const results = {
  initialize: 'InitializeResult',
  'server/discover': 'DiscoverResult',
  'tools/list': 'ListToolsResult',
  'tools/call': 'CallToolResult',
  'resources/list': 'ListResourcesResult',
  'resources/templates/list': 'ListResourceTemplatesResult',
  'resources/read': 'ReadResourceResult',
  'prompts/list': 'ListPromptsResult',
  'prompts/get': 'GetPromptResult',
  'completion/complete': 'CompleteResult',
  'subscriptions/listen': 'SubscriptionsListenResult',
};

const validators = new Map();
function validatorsOf(revision) {
  if (!validators.has(revision)) {
    const schema = JSON.parse(readFileSync(`${folder}/${revision}.json`, 'utf8'));
    const ajv = new Ajv2020.default({ strict: false, allErrors: true });
    addFormats.default(ajv);
    ajv.addSchema(schema, revision);
    validators.set(revision, ajv);
  }
  return validators.get(revision);
}

function definitionOf(message, method) {
  if (message.method !== undefined) {
    return message.id === undefined ? 'ServerNotification' : 'ServerRequest';
  }
  if (message.error !== undefined) {
    return 'JSONRPCErrorResponse';
  }
  if (message.result.resultType === 'input_required') {
    return 'InputRequiredResult';
  }
  return results[method] ?? 'EmptyResult';
}

// Puts itself between a transport and its client. `problems` collects what is wrong; `count` says
// that something was checked at all.
export function watchWire(transport) {
  const wire = { problems: [], count: 0 };
  const methods = new Map();
  let legacyRevision = '2025-11-25';
  const revisions = new Map();
  const send = transport.send.bind(transport);
  transport.send = (message, options) => {
    for (const one of [message].flat()) {
      if (one.id !== undefined && one.method !== undefined) {
        methods.set(JSON.stringify(one.id), one.method);
        revisions.set(
          JSON.stringify(one.id),
          one.params?._meta?.['io.modelcontextprotocol/protocolVersion'],
        );
      }
    }
    return send(message, options);
  };
  const check = (message) => {
    const key = JSON.stringify(message.id);
    const method = methods.get(key);
    if (method === 'initialize' && message.result) {
      legacyRevision = message.result.protocolVersion;
    }
    const isModern = [...revisions.values()].some((revision) => revision !== undefined);
    const revision =
      message.method === undefined
        ? (revisions.get(key) ?? legacyRevision)
        : isModern
          ? '2026-07-28'
          : legacyRevision;
    const ajv = validatorsOf(revision);
    const definition = definitionOf(message, method);
    const subject =
      message.method === undefined && message.error === undefined ? message.result : message;
    wire.count += 1;
    for (const [name, value] of [
      ['JSONRPCMessage', message],
      [definition, subject],
    ]) {
      if (!ajv.validate({ $ref: `${revision}#/$defs/${name}` }, value)) {
        wire.problems.push(
          `${revision} ${name} (${method ?? message.method}): ${ajv.errorsText()}\n` +
            JSON.stringify(value).slice(0, 400),
        );
      }
    }
  };
  if (hasSchemas) {
    let handler;
    Object.defineProperty(transport, 'onmessage', {
      configurable: true,
      get: () => handler,
      set: (next) => {
        handler =
          next &&
          ((message, extra) => {
            check(message);
            next(message, extra);
          });
      },
    });
  }
  return wire;
}
