// The official Node SDK reads recorded answers: a batch of them in as JSON on stdin, what it made of each out on stdout.
//
// In:  [{id, call, given, join, final, status, headers: [[name, value]], chunks: [base64]}]; `call` is a method such as
//      chat.completions.create, null for a refusal; `join` and `final` name the helper that joins a stream, or are null.
// Out: {version, readings: [{id, raised, told, events, final, after, refusal}]}
//
// The package `openai` is looked for where the command was given. Nothing is sent: `fetch` plays the bytes back.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const OpenAI = createRequire(`${process.cwd()}/`)("openai").OpenAI;
const VERSION = createRequire(`${process.cwd()}/`)("openai/version").VERSION;

function played(one) {
  return async () => {
    const chunks = one.chunks.map((chunk) => Buffer.from(chunk, "base64"));
    const body = new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(new Uint8Array(chunk));
        controller.close();
      },
    });
    return new Response(one.status === 204 ? null : body, { status: one.status, headers: one.headers });
  };
}

function client(one) {
  return new OpenAI({ baseURL: "http://recorded.invalid/v1", apiKey: "sk-recorded", maxRetries: 0, fetch: played(one) });
}

function method(root, path) {
  const names = path.split(".");
  const owner = names.slice(0, -1).reduce((value, name) => value?.[name], root);
  const name = names.at(-1);
  return typeof owner?.[name] === "function" ? owner[name].bind(owner) : null;
}

async function refusal(one) {
  try {
    await client(one).post("/", { body: {} });
    return { class: "no exception" };
  } catch (error) {
    return {
      class: error.constructor.name,
      type: error.type ?? null,
      code: error.code == null ? null : String(error.code),
      param: error.param ?? null,
      message: error.error?.message ?? null,
    };
  }
}

async function reading(one) {
  const found = { id: one.id };
  if (one.call === null) return { ...found, refusal: await refusal(one) };
  const ask = method(client(one), one.call);
  if (ask === null) return { ...found, unread: true };
  try {
    const answer = await ask(one.given);
    if (answer?.[Symbol.asyncIterator] && one.given.stream) {
      found.events = 0;
      for await (const event of answer) found.events += event === undefined ? 0 : 1;
      if (one.join) {
        const stream = method(client(one), one.join)({ ...one.given, model: "x", input: "x", messages: [] });
        found.final = await stream[one.final]();
      }
    } else if (typeof answer?.hasNextPage === "function") {
      found.after = answer.hasNextPage() ? answer.nextPageRequestOptions()?.query?.after ?? null : null;
    } else if (typeof answer === "object" && answer !== null && !(answer instanceof Response)) {
      found.final = answer;
    }
  } catch (error) {
    found.raised = `${error.constructor.name}: ${error.message}`;
    found.told = error.constructor.name === "APIError";
  }
  return found;
}

const readings = [];
for (const one of JSON.parse(readFileSync(0, "utf8"))) readings.push(await reading(one));
process.stdout.write(JSON.stringify({ version: VERSION, readings }));
