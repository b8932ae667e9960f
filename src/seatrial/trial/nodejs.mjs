// Recorded answers read by the official SDK for Node: a line of JSON in, a line of JSON out. No socket is opened.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const { OpenAI } = createRequire(`${process.argv[2]}/`)('openai');
const DECODED = new Set(['content-encoding', 'content-length', 'transfer-encoding']); // the body comes without them
const BARE = new Set([204, 205, 304]);

globalThis.fetch = () => Promise.reject(new Error('nothing is sent from here'));
// A hostile answer may have an index like __proto__, and would otherwise change how the next one is read.
Object.freeze(Object.prototype);
Object.freeze(Array.prototype);
for (const sort of ['uncaughtException', 'unhandledRejection']) process.on(sort, () => {}); // told by the awaited one

function response(one) {
  const headers = new Headers();
  for (const [name, value] of one.headers) {
    if (DECODED.has(name)) continue;
    try {
      headers.append(name, value);
    } catch {} // a client would not have got so far; that is for others to judge
  }
  const body = Buffer.from(one.body, 'base64');
  return new Response(BARE.has(one.status) ? null : body, { status: one.status, headers });
}

async function read(one) {
  const fetch = async () => response(one);
  const client = new OpenAI({ apiKey: 'none', baseURL: 'http://replay.invalid/v1', maxRetries: 0, logLevel: 'off', fetch });
  const asked = { model: 'recorded', messages: [] }; // as a user asks who takes answers as they come
  if (one.stream) return client.chat.completions.stream(asked).finalChatCompletion();
  return client.chat.completions.create(asked);
}

const plain = (value) =>
  typeof value === 'string' ? value.toWellFormed()
    : value == null || typeof value === 'number' || typeof value === 'boolean' ? value ?? null
    : `(${Array.isArray(value) ? 'array' : typeof value})`;

function told(answer) {
  if (answer === null || typeof answer !== 'object') return { sort: answer === null ? 'null' : typeof answer };
  const usage = answer.usage;
  return {
    sort: 'object',
    choices: Array.isArray(answer.choices) ? answer.choices.filter(Boolean).map((choice) => ({
      index: plain(choice.index),
      role: plain(choice.message?.role),
      content: plain(choice.message?.content),
      finish_reason: plain(choice.finish_reason),
      calls: Array.isArray(choice.message?.tool_calls) ? choice.message.tool_calls.filter(Boolean).map((call) => ({
        name: plain(call.function?.name),
        arguments: plain(call.function?.arguments),
      })) : [],
    })) : null,
    usage: usage && typeof usage === 'object' ? {
      prompt_tokens: plain(usage.prompt_tokens),
      completion_tokens: plain(usage.completion_tokens),
      total_tokens: plain(usage.total_tokens),
    } : null,
  };
}

function thrown(error) {
  const sort = error?.constructor?.name ?? typeof error;
  return { sort: plain(sort), message: plain(String(error?.message ?? error)), status: plain(error?.status) };
}

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  let said;
  try {
    said = { answer: told(await read(JSON.parse(line))) };
  } catch (error) {
    said = { error: thrown(error) };
  }
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
