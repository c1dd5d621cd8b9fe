// What a page sends next: stdin is a JSON list of cases, stdout one of {theirs, ours}, each {message, errors,
// request}.  A case has a provider's stream as text (`stream`), ours made of it (`ui`), the `dialect`, its
// `options`, and the `tools` that the request had: {name: {id, args}} for a provider's, {name: null} for the
// client's.  `theirs` is the message that the package's own provider makes of the provider's stream, `ours` the
// one that is read from our stream; `request` is the body that the provider sends when that message goes back,
// with the calls of it answered by `outputs`.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogle } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { convertToModelMessages, DefaultChatTransport, jsonSchema, readUIMessageStream, streamText, tool } from "ai";

const PROVIDERS = {
  anthropic: [createAnthropic, "claude-sonnet-4-5"],
  gemini: [createGoogle, "gemini-2.5-flash"],
  "openai-responses": [createOpenAI, "gpt-5"],
};
const QUESTION = { id: "u1", role: "user", parts: [{ type: "text", text: "A question" }] };
const MORE = { id: "u2", role: "user", parts: [{ type: "text", text: "Go on" }] };

globalThis.AI_SDK_LOG_WARNINGS = false;

function toolsOf(provider, tools) {
  const made = Object.entries(tools ?? {}).map(([name, wanted]) => [
    name,
    wanted === null ? tool({ inputSchema: jsonSchema({ type: "object" }) }) : provider.tools[wanted.id](wanted.args ?? {}),
  ]);
  return Object.fromEntries(made);
}

// The transport's own way from bytes to chunks, which checks each chunk against the schema.
class Transport extends DefaultChatTransport {
  chunks(text) {
    return this.processResponseStream(new Blob([text]).stream());
  }
}

async function read(stream) {
  const errors = [];
  let message = null;
  for await (const state of readUIMessageStream({ stream, onError: (error) => errors.push(String(error)) })) {
    message = state;
  }
  return { message, errors };
}

// The message as a page has it when its user, and its tools, have answered.
function answered(message, outputs) {
  let waits = false;
  const parts = message.parts.map((part) => {
    if (part.state === "approval-requested") {
      waits = true;
      return { ...part, state: "approval-responded", approval: { ...part.approval, approved: true } };
    }
    if (part.state !== "input-available" || part.providerExecuted) return part;
    waits = true;
    const name = part.toolName ?? part.type.replace(/^tool-/, "");
    return { ...part, state: "output-available", output: outputs?.[name] ?? "done" };
  });
  const conversation = [QUESTION, { ...message, parts }];
  return waits ? conversation : [...conversation, MORE];
}

async function run({ dialect, options, tools, model }, fetch, messages) {
  const [create, usual] = PROVIDERS[dialect];
  const provider = create({ apiKey: "none", fetch });
  const made = toolsOf(provider, tools);
  return streamText({
    model: provider(model ?? usual),
    tools: made,
    providerOptions: options,
    messages: await convertToModelMessages(messages, { tools: made }),
    maxRetries: 0,
    onError: () => {},
  });
}

async function nextRequest(given, { message, errors }) {
  if (message === null) return { message, errors, request: null };
  let request = null;
  const fetch = async (_, { body }) => {
    request = JSON.parse(body);
    return new Response("{}", { status: 400 });
  };
  try {
    await (await run(given, fetch, answered(message, given.outputs))).consumeStream({ onError: (error) => errors.push(String(error)) });
  } catch (error) {
    errors.push(String(error));
  }
  return { message, errors, request };
}

async function compare(given) {
  const headers = { "content-type": "text/event-stream" };
  const result = await run(given, async () => new Response(given.stream, { headers }), [QUESTION]);
  const theirs = await read(result.toUIMessageStream({ sendSources: true, onError: (error) => String(error) }));
  const ours = await read(new Transport({}).chunks(given.ui));
  return { theirs: await nextRequest(given, theirs), ours: await nextRequest(given, ours) };
}

let input = "";
for await (const piece of process.stdin.setEncoding("utf8")) input += piece;
const results = [];
for (const given of JSON.parse(input)) results.push(await compare(given));
process.stdout.write(JSON.stringify(results));
